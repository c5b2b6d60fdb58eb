/* The conformance mode: what the public suites of Engine.IO and Socket.IO count on, and the recorded HTTP behaviour of the Node server
 * (tests/vectors/socketio/http-behaviour.json). Where a gateway answers otherwise on purpose, the reason stands in DELIBERATE.
 *
 *   socketio-conformance.mjs <reactors> */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import WebSocket from 'ws'
import { openRun, pass, root, until } from '../harness/run.mjs'
import { UmbelGateway } from '../harness/subjects.mjs'

const reactors = process.argv[2] ?? '2'
const run = openRun(`interop.socketio.conformance-${reactors}`)
const start = async (label, ...args) => {
  const gateway = new UmbelGateway(run, [], { label, reactors, args })
  await gateway.start()
  return gateway
}
const conformant = await start('conformant', '--sio.conformance.enabled=true')

/* --- requests and sockets --- */

const at = (where, query) => `${conformant.origin}${where}?EIO=4&${query}`
async function get (where, query, options) {
  const res = await fetch(at(where, query), options)
  return { status: res.status, text: await res.text(), headers: res.headers }
}
async function shake (where = '/engine.io/') {
  const res = await get(where, 'transport=polling')
  assert.equal(res.status, 200)
  return JSON.parse(res.text.slice(1))
}
const poll = (sid, where = '/engine.io/') => get(where, `transport=polling&sid=${sid}`)
const post = (sid, body, where = '/engine.io/', headers = {}) => get(where, `transport=polling&sid=${sid}`, { method: 'POST', body, headers })

class Socket {
  constructor (where, query = 'transport=websocket') {
    this.ws = new WebSocket(at(where, query).replace('http', 'ws'))
    this.messages = []
    this.closed = null
    this.opened = false
    this.ws.on('open', () => { this.opened = true })
    this.ws.on('message', (data, isBinary) => this.messages.push(isBinary ? data : data.toString()))
    this.ws.on('close', code => { this.closed = code })
    this.ws.on('error', err => { this.error = err })
  }

  async next () {
    await until('a message', () => this.messages.length > 0)
    return this.messages.shift()
  }

  async gone () {
    await until('closed', () => this.closed !== null)
    return this.closed
  }

  send (text) { this.ws.send(text) }
}
async function openSocket (where) {
  const s = new Socket(where)
  s.handshake = JSON.parse((await s.next()).slice(1))
  return s
}
async function joined (nsp = '') {
  const s = await openSocket('/socket.io/')
  s.send('40' + nsp)
  assert.match(await s.next(), /^40(\/custom,)?\{"sid":"[A-Za-z0-9_-]{20}"\}$/)
  assert.equal(await s.next(), nsp === '' ? '42["auth",{}]' : '42/custom,["auth",{}]')
  return s
}

/* --- Engine.IO --- */

await run.story('the handshake has five members, over both transports', async () => {
  const polled = await shake()
  assert.deepEqual(Object.keys(polled), ['sid', 'upgrades', 'pingInterval', 'pingTimeout', 'maxPayload'])
  assert.deepEqual({ ...polled, sid: '' }, { sid: '', upgrades: ['websocket'], pingInterval: 300, pingTimeout: 200, maxPayload: 1000000 })
  const s = await openSocket('/engine.io/')
  assert.deepEqual({ ...s.handshake, sid: '' }, { sid: '', upgrades: [], pingInterval: 300, pingTimeout: 200, maxPayload: 1000000 })
  s.ws.close()
})

await run.story('polling: text and bytes come back, in order', async () => {
  const { sid } = await shake()
  assert.equal((await post(sid, '4hello\x1ebAQIDBA==\x1e4é')).text, 'ok')
  assert.equal((await poll(sid)).text, '4hello\x1ebAQIDBA==\x1e4é')
})

await run.story('WebSocket: text and bytes come back', async () => {
  const s = await openSocket('/engine.io/')
  s.send('4hello')
  assert.equal(await s.next(), '4hello')
  s.send(Buffer.from([1, 2, 3, 4]))
  assert.deepEqual(await s.next(), Buffer.from([1, 2, 3, 4]))
  s.ws.close()
})

await run.story('two polls at a time end the session: the first is told so, the second refused', async () => {
  const { sid } = await shake()
  const first = poll(sid)
  await pass(50)
  const second = await poll(sid)
  const one = await first
  /* which of the two came first is the network's choice */
  assert.deepEqual([one, second].map(r => r.status).sort(), [200, 400])
  assert.equal((one.status === 200 ? one : second).text, '1')
  assert.equal((await poll(sid)).status, 400)
})

await run.story('a poll that is given up ends the session', async () => {
  const { sid } = await shake()
  const ac = new AbortController()
  const given = get('/engine.io/', `transport=polling&sid=${sid}`, { signal: ac.signal }).catch(() => 'gone')
  await pass(20)
  ac.abort()
  await given
  assert.equal((await poll(sid)).status, 400)
})

await run.story('the heartbeat: pings come, who does not answer is gone, also when it only sends', async () => {
  const { sid } = await shake()
  assert.equal((await poll(sid)).text, '2')
  await post(sid, '3')
  assert.equal((await poll(sid)).text, '2')
  await until('gone', async () => (await post(sid, '4x')).status === 400, 3000, 50)
  const s = await openSocket('/engine.io/')
  for (let i = 0; i < 3; i++) {
    assert.equal(await s.next(), '2')
    s.send('3')
  }
  assert.equal(await s.gone(), 1005)
})

await run.story('the upgrade: probe, a noop for the poll, then everything by the WebSocket', async () => {
  const { sid } = await shake()
  const s = new Socket('/engine.io/', `transport=websocket&sid=${sid}`)
  await until('open', () => s.opened)
  s.send('2probe')
  assert.equal(await s.next(), '3probe')
  assert.equal((await poll(sid)).text, '6')
  s.send('5')
  s.send('4hello')
  assert.equal(await s.next(), '4hello')
  const later = await poll(sid)
  assert.equal(later.status, 400)
  assert.equal(later.text, '{"code":3,"message":"Bad request"}')
  const second = new Socket('/engine.io/', `transport=websocket&sid=${sid}`)
  await second.gone()
  assert.ok(second.opened)
  s.send('4still')
  assert.equal(await s.next(), '4still')
  s.ws.close()
})

await run.story('a candidate that says something else is closed alone', async () => {
  const { sid } = await shake()
  const s = new Socket('/engine.io/', `transport=websocket&sid=${sid}`)
  await until('open', () => s.opened)
  s.send('4hello')
  await s.gone()
  await post(sid, '4a')
  assert.match((await poll(sid)).text, /4a/)
})

await run.story('who says farewell is gone', async () => {
  const { sid } = await shake()
  const waiting = poll(sid)
  await pass(30)
  assert.equal((await post(sid, '1')).text, 'ok')
  assert.equal((await waiting).text, '6')
  assert.equal((await poll(sid)).status, 400)
})

await run.story('malformed packets end the session, as do wrong content types', async () => {
  for (const body of ['abc', '4a\x1ezz', '\x1e4a']) {
    const { sid } = await shake()
    await post(sid, body)
    assert.equal((await poll(sid)).status, 400)
  }
  const { sid } = await shake()
  assert.equal((await post(sid, '4a', '/engine.io/', { 'content-type': 'application/octet-stream' })).status, 400)
  assert.equal((await poll(sid)).status, 400)
  for (const text of ['abc', '9x', '2probe']) {
    const s = await openSocket('/engine.io/')
    s.send(text)
    await s.gone()
  }
})

await run.story('sizes: exactly the limit is taken, more is refused, and the session of a poller stays', async () => {
  const { sid } = await shake()
  assert.equal((await post(sid, '4' + 'x'.repeat(999999))).status, 200)
  assert.equal((await poll(sid)).text.length, 1000000)
  await post(sid, '3')
  assert.equal((await post(sid, '4' + 'x'.repeat(1000000))).status, 413)
  await post(sid, '4y')
  await until('y', async () => /4y/.test((await poll(sid)).text), 400, 1)
  const s = await openSocket('/engine.io/')
  s.send('4' + 'x'.repeat(1000000))
  assert.equal(await s.gone(), 1009)
})

/* --- Socket.IO --- */

await run.story('CONNECT: the answer has a sid alone, then the auth payload comes', async () => {
  await joined()
  await joined('/custom')
  const s = await openSocket('/socket.io/')
  s.send('40{"token":"123"}')
  await s.next()
  assert.equal(await s.next(), '42["auth",{"token":"123"}]')
  s.send('40/random')
  assert.equal(await s.next(), '44/random,{"message":"Invalid namespace"}')
})

await run.story('events and acknowledgements, with text and with bytes', async () => {
  const s = await joined()
  s.send('42["message",1,"2",{"3":[true]}]')
  assert.equal(await s.next(), '42["message-back",1,"2",{"3":[true]}]')
  s.send('452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
  s.send(Buffer.from([1, 2, 3]))
  s.send(Buffer.from([4, 5, 6]))
  assert.equal(await s.next(), '452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
  assert.deepEqual([await s.next(), await s.next()], [Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6])])
  s.send('42456["message-with-ack",1,"2"]')
  assert.equal(await s.next(), '43456[1,"2"]')
  s.send('427["message-with-ack"]')
  assert.equal(await s.next(), '437[]')
  s.send('452-789["message-with-ack",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
  s.send(Buffer.from([1, 2, 3]))
  s.send(Buffer.from([4, 5, 6]))
  assert.equal(await s.next(), '462-789[{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
  assert.deepEqual([await s.next(), await s.next()], [Buffer.from([1, 2, 3]), Buffer.from([4, 5, 6])])
  s.ws.close()
})

await run.story('leaving a namespace is not answered, and leaves the transport open', async () => {
  const s = await joined()
  s.send('41')
  s.send('40/custom')
  assert.match(await s.next(), /^40\/custom,/)
  s.ws.close()
})

await run.story('what breaks the protocol closes the connection', async () => {
  for (const text of ['4abc', '42{}', '42abc["message-back"]', '42["connect"]', '40', '42/custom,["x"]', '4', '411', '451-["a",{"_placeholder":true,"num":7}]']) {
    const s = await joined()
    s.send(text)
    await s.gone()
  }
  const bytes = await joined()
  bytes.send(Buffer.from([1]))
  await bytes.gone()
  const early = await openSocket('/socket.io/')
  early.send('42["message"]')
  await early.gone()
})

await run.story('who joins nothing is closed', async () => {
  const s = await openSocket('/socket.io/')
  const beat = setInterval(() => { if (s.messages.shift() === '2') s.send('3') }, 10)
  await s.gone()
  clearInterval(beat)
  assert.equal(s.closed, 1005)
})

/* --- what was recorded --- */

const DELIBERATE = {
  'client bundle': 'the client\'s files are not served',
  JSONP: 'not spoken',
  'cookie custom': 'attributes are fixed',
  'cors fixed origin with credentials': 'methods and headers of preflights are fixed',
  'ws missing EIO': 'refused before the 101 that the Node server sends first',
  'ws transport=polling with Upgrade': 'refused rather than opened and closed',
  'ws POST method': 'a WebSocket begins with GET: the row of polling answers',
  'ws other path (destroyUpgrade after 1000 ms)': 'a 404 at once',
  'ws bad version': '426, as RFC 6455 has it',
  'PUT with sid': '405 rather than 500'
}
const plain = new Set(['handshake ok', 'missing EIO', 'EIO=abc', 'EIO=3', 'EIO=5', 'missing transport', 'transport=abc', 'transport=webtransport over HTTP',
  'transport=websocket without Upgrade', 'handshake POST', 'handshake PUT', 'handshake OPTIONS without cors option', 'unknown sid GET', 'unknown sid POST',
  'sid=__proto__', 'empty sid is a handshake', 'ws transport=abc', 'ws unknown sid', 'ws missing key', 'cors *', 'cors list'])

function exchange (port, text) {
  return new Promise((resolve, reject) => {
    const c = net.connect(port, '127.0.0.1', () => c.write(text.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')))
    let answer = ''
    c.setTimeout(1500, () => { c.destroy(); resolve(answer) })
    c.on('data', data => { answer += data })
    c.on('end', () => resolve(answer))
    c.on('error', reject)
    c.unref()
  })
}
const split = text => {
  const [head, ...body] = text.split('\r\n\r\n')
  const lines = head.split('\r\n')
  return { status: Number(lines[0].split(' ')[1]), headers: Object.fromEntries(lines.slice(1).map(l => [l.slice(0, l.indexOf(':')).toLowerCase(), l.slice(l.indexOf(':') + 2)])), body: body.join('\r\n\r\n') }
}
const mask = text => text.replace(/"sid":"[^"]*"/, '"sid":"<sid>"').replace(/^[0-9a-f]+\r\n([^]*?)\r\n0\r\n\r\n$/, '$1')

const cases = JSON.parse(fs.readFileSync(path.join(process.env.UMBEL_VECTORS ?? path.join(root, 'tests/vectors/socketio'), 'http-behaviour.json'))).cases
const servers = {}
for (const c of cases.filter(c => plain.has(c.name) && !DELIBERATE[c.name])) {
  const origin = [c.server_options.cors?.origin ?? []].flat().join()
  servers[origin] ??= await start(`cors-${Object.keys(servers).length}`, '--sio.lab.enabled=true', ...(origin ? [`--sio.cors.origins=${origin}`] : []))
  await run.story(`as recorded: ${c.name}`, async () => {
    for (const step of c.steps) {
      const wanted = split(step.response_text)
      const got = split(await exchange(servers[origin].port, step.request))
      assert.equal(got.status, wanted.status, step.label)
      for (const name of Object.keys(wanted.headers).filter(n => n.startsWith('access-control-') || n === 'sec-websocket-accept'))
        assert.equal(got.headers[name], wanted.headers[name], `${step.label}: ${name}`)
      if ((wanted.headers['content-type'] ?? '').startsWith('text/plain') || wanted.headers['content-type'] === 'application/json')
        assert.equal(mask(got.body), mask(wanted.body), step.label)
    }
  })
}

await run.finish()
