/* integration.hostile: what others try at the door of a cluster, through the gateway alone and through HAProxy before it. Between
 * gateway and core stands a wire that writes down every byte, so that nothing that was smuggled goes unseen. */
import assert from 'node:assert/strict'
import net from 'node:net'
import { startBalancer } from '../harness/balancer.mjs'
import { RawSocket, handshake } from '../harness/http.mjs'
import { startProxy } from '../harness/proxy.mjs'
import { openRun, until } from '../harness/run.mjs'
import { password, startGateway, startSubject } from '../harness/subjects.mjs'

const run = openRun('integration.hostile')
const core = await startSubject(run, { kind: 'umbel' })
const wire = await startProxy(run, core.port)
wire.record()
const gateway = await startGateway(run, { origin: `http://127.0.0.1:${wire.port}` }, {
  args: ['--server.http.header-timeout=1s', '--server.http.min-rate=1KB', '--server.http.max-per-address=0', '--server.trusted-proxies=127.0.0.1',
    '--login.free-attempts=3', '--login.max-wait=5m']
})
const haproxy = await startBalancer(run, 'haproxy', { gateways: [gateway] })
const doors = { gateway: gateway.port, haproxy: haproxy.port }

/* All that comes back until the other side ends or says nothing more for a while. */
async function exchange (port, bytes) {
  const c = await RawSocket.open(port)
  c.write(Buffer.from(bytes, 'latin1'))
  let length = -1
  await until('an answer, or an end', () => c.ended || c.bytes.includes('\r\n\r\n'))
  await until('no more comes', () => {
    const quiet = c.ended || c.bytes.length === length
    length = c.bytes.length
    return quiet
  }, 15000, 100)
  c.destroy()
  return c.bytes.toString('latin1')
}
const statuses = text => [...text.matchAll(/HTTP\/1\.[01] (\d{3}) /g)].map(m => Number(m[1]))
const lives = async () => assert.equal((await gateway.fetch('/gui/')).status, 200)

/* --- two readings of one message ------------------------------------------------------------------------------------ */

let n = 0
const head = (line, ...fields) => [line, 'Host: x', ...fields, '', ''].join('\r\n')
/* The request that is not to be: its target is one of a kind, and whatever the core answers to it names it. */
const hidden = target => head(`GET ${target} HTTP/1.1`)

/* Each makes a message with HIDDEN in what one reader takes for its body, and another for the next request. */
const desync = {
  'Content-Length before Transfer-Encoding': h => head('POST /core/rest/x HTTP/1.1', `Content-Length: ${h.length + 5}`, 'Transfer-Encoding: chunked') + '0\r\n\r\n' + h,
  'Transfer-Encoding before Content-Length': h => head('POST /core/rest/x HTTP/1.1', 'Transfer-Encoding: chunked', 'Content-Length: 4') +
    `${h.length.toString(16)}\r\n${h}\r\n0\r\n\r\n`,
  'two Content-Length': h => head('POST /core/rest/x HTTP/1.1', 'Content-Length: 0', `Content-Length: ${h.length}`) + h,
  'a list of lengths': h => head('POST /core/rest/x HTTP/1.1', `Content-Length: 0, ${h.length}`) + h,
  'a signed length': h => head('POST /core/rest/x HTTP/1.1', 'Content-Length: +0') + h,
  'a length in hexadecimal': h => head('POST /core/rest/x HTTP/1.1', 'Content-Length: 0x0') + h,
  'a length that overflows': h => head('POST /core/rest/x HTTP/1.1', 'Content-Length: 18446744073709551616') + h,
  'an unknown coding': h => head('POST /core/rest/x HTTP/1.1', 'Transfer-Encoding: xchunked') + h,
  'two codings': h => head('POST /core/rest/x HTTP/1.1', 'Transfer-Encoding: chunked, identity') + '0\r\n\r\n' + h,
  'the coding twice': h => head('POST /core/rest/x HTTP/1.1', 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity') + '0\r\n\r\n' + h,
  'a blank before the colon': h => head('POST /core/rest/x HTTP/1.1', 'Transfer-Encoding : chunked') + '0\r\n\r\n' + h,
  'a tab before the value': h => head('POST /core/rest/x HTTP/1.1', 'Content-Length: 6', 'Transfer-Encoding:\tchunked') + '0\r\n\r\nX' + h,
  'a control character in the name': h => head('POST /core/rest/x HTTP/1.1', 'Content-Length: 6', '\x0bTransfer-Encoding: chunked') + '0\r\n\r\nX' + h,
  'a field on the next line': h => head('POST /core/rest/x HTTP/1.1', 'Content-Length: 6', 'Transfer-Encoding:\r\n chunked') + '0\r\n\r\nX' + h,
  'chunks in HTTP/1.0': h => head('POST /core/rest/x HTTP/1.0', 'Connection: keep-alive', 'Transfer-Encoding: chunked') + '0\r\n\r\n' + h,
  'a chunk size with a sign': h => head('POST /core/rest/x HTTP/1.1', 'Transfer-Encoding: chunked') + `-1\r\n\r\n0\r\n\r\n${h}`,
  'a chunk size that overflows': h => head('POST /core/rest/x HTTP/1.1', 'Transfer-Encoding: chunked') + `10000000000000000\r\n\r\n0\r\n\r\n${h}`,
  'a chunk size in 0x': h => head('POST /core/rest/x HTTP/1.1', 'Transfer-Encoding: chunked') + `0x0\r\n\r\n${h}`,
  'a chunk that is longer than told': h => head('POST /core/rest/x HTTP/1.1', 'Transfer-Encoding: chunked') + `1\r\nxx0\r\n\r\n${h}`,
  'a body that the Connection field names away': h => head('POST /core/rest/x HTTP/1.1', 'Connection: Content-Length', `Content-Length: ${h.length}`) + h,
  'a coding that the Connection field names away': h => head('POST /core/rest/x HTTP/1.1', 'Connection: Transfer-Encoding', 'Transfer-Encoding: chunked') +
    `${h.length.toString(16)}\r\n${h}\r\n0\r\n\r\n`,
  'a GET with a body': h => head('GET /core/rest/x HTTP/1.1', `Content-Length: ${h.length}`) + h,
  'a switch of protocols that is none': h => head('GET /collab HTTP/1.1', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13') + h,
  'a switch with an unknown version': h => head('GET /collab HTTP/1.1', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 777',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==') + h,
  'a switch to HTTP/2': h => head('GET /core/rest/x HTTP/1.1', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
    `Content-Length: ${h.length}`) + h,
  'a line feed in the target': h => `GET /core/rest/x%0d%0a%0d%0a${encodeURIComponent(h)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  'bare line feeds': h => `POST /core/rest/x HTTP/1.1\nHost: x\nContent-Length: 0\nTransfer-Encoding: chunked\n\n${h}`,
  'a carriage return in a value': h => head('POST /core/rest/x HTTP/1.1', `X-One: a\rTransfer-Encoding: chunked`, 'Content-Length: 6') + '0\r\n\r\nX' + h,
  'a wait for the go-ahead that nobody gives': h => head('POST /core/rest/x HTTP/1.1', 'Expect: 100-continue', `Content-Length: ${h.length}`) + h
}

await run.story('the wire would show a hidden request that is asked for', async () => {
  await exchange(gateway.port, hidden('/core/rest/hidden-0'))
  assert.ok(wire.recorded('down').includes('/core/rest/hidden-0'))
})

/* What a balancer reads as two requests is two for us as well. */
const forTheGatewayAlone = ['a length that overflows', 'a switch with an unknown version']

for (const [door, port] of Object.entries(doors)) {
  await run.story(`${door}: nothing hidden in a message reaches the core as a request`, async () => {
    for (const [name, make] of Object.entries(desync)) {
      const target = `/core/rest/hidden-${++n}`
      if (door !== 'gateway' && forTheGatewayAlone.includes(name)) continue
      await exchange(port, make(hidden(target)))
      assert.ok(!wire.recorded('down').includes(target), `${name}: the core has answered the hidden one`)
    }
    await lives()
  })
}

await run.story('requests that do follow one another are each answered, once and in order', async () => {
  const answer = await exchange(gateway.port, hidden('/gui/') + hidden('/gui/rest/session') + head('GET /gui/ HTTP/1.1', 'Connection: close'))
  assert.deepEqual(statuses(answer), [200, 401, 200])
})

await run.story('what a hop says about a client is the gateway\'s to say, whatever the client says', async () => {
  const from = wire.recorded('up').length
  await exchange(gateway.port, head('GET /core/rest/forwarded HTTP/1.1', 'X-Forwarded-For: 203.0.113.9', 'X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: https',
    'Forwarded: for=203.0.113.9', 'X-Real-IP: 203.0.113.9', 'X-User-Id: root', 'Connection: close, X-Request-Id, Host'))
  const asked = wire.recorded('up').slice(from)
  assert.match(asked, /GET \/core\/rest\/forwarded /)
  assert.doesNotMatch(asked, /evil\.example|X-Real-IP|X-User-Id|^Forwarded:/mi)
})

/* --- much, and slowly ------------------------------------------------------------------------------------------------ */

await run.story('a head that is too long, and a body, are refused, and the connection ends', async () => {
  const status = async bytes => statuses(await exchange(gateway.port, bytes))[0]
  assert.equal(await status(head(`GET /gui/${'a'.repeat(40000)} HTTP/1.1`)), 414)
  assert.equal(await status(head('GET /gui/ HTTP/1.1', `X-Long: ${'a'.repeat(20000)}`)), 431)
  assert.equal(await status(head('GET /gui/ HTTP/1.1', ...Array.from({ length: 150 }, (_, i) => `X-${i}: a`))), 431)
  assert.equal(await status(head('GET /gui/ HTTP/1.1', `Cookie: ${'a=b; '.repeat(4000)}`)), 431)
  assert.equal(await status(head('POST /gui/rest/session HTTP/1.1', 'Content-Type: application/json', 'Content-Length: 900000000')), 413)
  await lives()
})

await run.story('slow heads and slow bodies are cut, and cost the others nothing', async () => {
  const slow = []
  for (let i = 0; i < 150; i++) {
    const socket = net.connect(gateway.port, '127.0.0.1')
    const one = { socket, ended: false }
    for (const event of ['end', 'close', 'error']) socket.on(event, () => { one.ended = true })
    socket.write(i % 2 ? 'GET /gui/ HTTP/1.1\r\nHost: x\r\n' : head('POST /gui/rest/session HTTP/1.1', 'Content-Type: application/json', 'Content-Length: 5000'))
    slow.push(one)
  }
  const drip = setInterval(() => { for (const { socket, ended } of slow) if (!ended) socket.write('X-Slow: 1\r\n') }, 200)
  try {
    await until('all of them are cut', async () => {
      await lives()
      return slow.every(one => one.ended)
    }, 30000)
  } finally {
    clearInterval(drip)
    for (const { socket } of slow) socket.destroy()
  }
})

/* --- in a user's name ------------------------------------------------------------------------------------------------ */

const login = (user = 'admin', secret = password) => gateway.fetch('/gui/rest/session', { method: 'POST', json: { user, password: secret } })
const cookieOf = answer => /SESSION=[^;]+/.exec(answer.headers.get('set-cookie'))[0]
const who = async cookie => await gateway.fetch('/gui/rest/session', { headers: { cookie } })

await run.story('a page of another site opens no WebSocket with the user\'s cookie', async () => {
  const cookie = cookieOf(await login())
  const open = async headers => {
    const c = await RawSocket.open(gateway.port)
    c.write(handshake('/collab', { headers: { Cookie: cookie, ...headers }, host: `127.0.0.1:${gateway.port}` }))
    const { status } = await c.head()
    c.destroy()
    return status
  }
  for (const origin of ['https://evil.example', 'null', `http://127.0.0.1:${gateway.port}.evil.example`, `https://127.0.0.1:${gateway.port}`]) {
    assert.equal(await open({ Origin: origin }), 403, origin)
  }
  assert.equal(await open({}), 403, 'without one')
  assert.equal(await open({ Origin: gateway.origin }), 101)
})

await run.story('a cookie that somebody else has put beside the user\'s makes neither of them good', async () => {
  const [mine, tossed] = [cookieOf(await login('admin')), cookieOf(await login('bob'))]
  assert.equal((await (await who(mine)).json()).user, 'admin')
  assert.equal((await who(`${tossed}; ${mine}`)).status, 401)
  assert.equal((await who(`${mine}; ${tossed}`)).status, 401)
  assert.equal((await who(`SESSION=MDAwMDAwMDAtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAw; ${mine}`)).status, 200, 'one that names no session is none')
  assert.equal((await who(`${mine}; ${mine}`)).status, 200)
  assert.match(gateway.child.output(), /several-sessions/)
})

await run.story('whoever guesses passwords waits, longer and longer, and the user does not', async () => {
  const from = address => ({ 'x-forwarded-for': address })
  const guess = async (secret, address) => await gateway.fetch('/gui/rest/session', { method: 'POST', json: { user: 'bob', password: secret }, headers: from(address) })
  const seen = []
  for (let i = 0; i < 8; i++) seen.push((await guess(`guess ${i}`, '198.51.100.1')).status)
  assert.deepEqual(seen.slice(0, 3), [401, 401, 401])
  assert.ok(seen.slice(3).every(status => status === 429 || status === 401) && seen.includes(429), seen.join())
  const refused = await guess(password, '198.51.100.1')
  assert.equal(refused.status, 429, 'also with the right one')
  assert.ok(Number(refused.headers.get('retry-after')) >= 1)
  assert.equal((await guess(password, '198.51.100.2')).status, 200, 'from his own place')
})

await haproxy.stop()
await gateway.stop()
await core.stop()
await run.finish()
