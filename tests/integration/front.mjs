/* integration.front: what a gateway may have before HTTP: TLS of its own, with a certificate that changes under way, and the PROXY
 * protocol of a real HAProxy. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import net from 'node:net'
import path from 'node:path'
import tls from 'node:tls'
import { certificate } from '../harness/certificates.mjs'
import { openClient, QuietSocket } from '../harness/clients.mjs'
import { Child } from '../harness/process.mjs'
import { freePorts } from '../harness/redis-server.mjs'
import { openRun, until } from '../harness/run.mjs'
import { password, startGateway, startSubject, UmbelGateway } from '../harness/subjects.mjs'

const run = openRun('integration.front')
const core = await startSubject(run, { kind: 'umbel' })
const dir = run.folder('certificates')
const authority = certificate(dir, 'authority')
const ca = fs.readFileSync(authority.cert)
const first = certificate(dir, 'first', 'DNS:localhost,IP:127.0.0.1', authority)
const second = certificate(dir, 'second', 'DNS:localhost,IP:127.0.0.1', authority)
const used = { cert: path.join(dir, 'used.crt'), key: path.join(dir, 'used.key') }

/* As a deployment does it: the new file takes the old one's name in one step. */
function use (pair) {
  for (const kind of ['cert', 'key']) {
    fs.copyFileSync(pair[kind], `${used[kind]}.new`)
    fs.renameSync(`${used[kind]}.new`, used[kind])
  }
}

/* One request on a connection of its own: { status, headers, body }. */
const ask = (lib, options, body) => new Promise((resolve, reject) => {
  const rq = lib.request({ host: '127.0.0.1', agent: false, ...options }, answer => {
    const pieces = []
    answer.on('data', piece => pieces.push(piece))
    answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(pieces) }))
    answer.on('error', reject)
  })
  rq.on('error', reject)
  rq.end(body)
})
const badLogin = JSON.stringify({ user: 'admin', password: 'not the one' })
const login = (lib, options) => ask(lib, { ...options, method: 'POST', path: '/gui/rest/session', headers: { 'content-type': 'application/json' } }, badLogin)

/* All that comes until the server closes. */
const hearAll = (socket, text) => new Promise(resolve => {
  let heard = ''
  socket.on('data', data => { heard += data })
  socket.on('error', () => resolve(heard))
  socket.on('close', () => resolve(heard))
  socket.on('connect', () => socket.write(text))
})

/* --- TLS --------------------------------------------------------------------------------------------------------- */

use(first)
const secure = await startGateway(run, core, {
  label: 'secure', plain: false,
  args: ['--server.ssl.enabled=true', '--server.ssl.reload-interval=200ms', `--server.ssl.certificate=${used.cert}`, `--server.ssl.certificate-private-key=${used.key}`]
})
const port = secure.port
const get = target => ask(https, { port, ca, path: target })
class SecureSocket extends QuietSocket {
  constructor (address, protocols) {
    super(address, protocols, { ca })
  }
}
const at = { collabUrl: `wss://127.0.0.1:${port}/collab`, yUrl: `wss://127.0.0.1:${port}/y`, token: (...args) => core.token(...args) }
const openSecure = (kind, room) => openClient(kind, at, room, { Socket: SecureSocket, socketOptions: { Socket: SecureSocket } })
const fingerprint = () => new Promise((resolve, reject) => {
  const socket = tls.connect({ port, host: '127.0.0.1', ca }, () => {
    resolve(socket.getPeerCertificate().fingerprint256)
    socket.destroy()
  })
  socket.on('error', reject)
})

await run.story('TLS: pages, a cookie for TLS alone, the agreed protocol', async () => {
  const page = await get('/gui/')
  assert.equal(page.status, 200)
  assert.match(page.headers['strict-transport-security'], /max-age=/)
  const answer = await ask(https, { port, ca, method: 'POST', path: '/gui/rest/session', headers: { 'content-type': 'application/json' } },
    JSON.stringify({ user: 'admin', password }))
  assert.equal(answer.status, 200)
  assert.match(String(answer.headers['set-cookie']), /SESSION=[^;]+;.*Secure/)
  const protocol = await new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: '127.0.0.1', ca, ALPNProtocols: ['h2', 'http/1.1'] }, () => {
      resolve(socket.alpnProtocol)
      socket.destroy()
    })
    socket.on('error', reject)
  })
  assert.equal(protocol, 'http/1.1')
})

await run.story('TLS: large bodies come whole, both ways, through a socket that stays open', async () => {
  const asset = /\/gui\/assets\/[^"]+\.js/.exec((await get('/gui/')).body.toString())[0]
  const [once, again] = await Promise.all([get(asset), get(asset)])
  assert.equal(once.body.length, Number(once.headers['content-length']))
  assert.ok(once.body.equals(again.body))
  for (const kind of ['provider4', 'y-websocket']) {
    const [a, b] = [openSecure(kind, `large-${kind}`), openSecure(kind, `large-${kind}`)]
    await until('both in sync', () => a.settled() && b.settled())
    a.doc.getText('text').insert(0, 'All of it. '.repeat(100000))
    await until('the other one has it', () => b.doc.getText('text').length === 1100000 && a.settled(), 30000)
    a.close()
    b.close()
  }
})

await run.story('TLS: clear text and old versions get nothing, and a client that leaves takes nobody with it', async () => {
  assert.doesNotMatch(await hearAll(net.connect(port, '127.0.0.1'), 'GET /gui/ HTTP/1.1\r\nHost: x\r\n\r\n'), /HTTP/)
  await assert.rejects(new Promise((resolve, reject) => tls.connect({
    port, host: '127.0.0.1', ca, minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0'
  }, resolve).on('error', reject)))
  for (let i = 0; i < 20; i++) {
    const socket = tls.connect({ port, host: '127.0.0.1', ca }, () => {
      socket.write('GET /gui/ HTTP/1.1\r\nHost: x\r\n\r\n')
      socket.destroy()
    })
    await new Promise(resolve => socket.on('close', resolve))
  }
  assert.equal((await get('/gui/')).status, 200)
})

await run.story('TLS: a new certificate counts for new connections, those that are open stay; a broken one is told of and not used', async () => {
  const c = openSecure('provider4', 'stays')
  await until('in sync', () => c.settled())
  let closed = 0
  c.provider.on('close', () => closed++)
  const before = await fingerprint()
  use(second)
  await until('the second certificate is used', async () => await fingerprint() !== before, 30000)
  const after = await fingerprint()
  fs.writeFileSync(used.cert, 'no certificate')
  await until('it is told', () => /certificate-refused .*server\.ssl\.certificate/.test(secure.child.output()), 30000)
  assert.equal(await fingerprint(), after)
  c.doc.getText('text').insert(0, 'still here')
  await until('it is stored', () => c.settled())
  assert.equal(closed, 0)
  c.close()
})
await secure.stop()

await run.story('TLS: without a certificate that can be read the gateway does not start, and says why', async () => {
  const gateway = new UmbelGateway(run, core, {
    label: 'without', plain: false,
    args: ['--server.ssl.enabled=true', `--server.ssl.certificate=${second.cert}`, `--server.ssl.certificate-private-key=${first.key}`]
  })
  await assert.rejects(gateway.start())
  assert.equal(gateway.child.exit.code, 2)
  assert.match(gateway.child.output(), /cannot-start part=server\.ssl .*certificate-private-key: .*mismatch/)
})

/* --- the PROXY protocol -------------------------------------------------------------------------------------------- */

const trusting = await startGateway(run, core, {
  label: 'behind', plain: false, args: ['--server.proxy-protocol=true', '--server.trusted-proxies=127.0.0.1']
})
const [v1, v2, v2tls] = await freePorts(3)
const pem = path.join(dir, 'haproxy.pem')
fs.writeFileSync(pem, fs.readFileSync(first.cert, 'utf8') + fs.readFileSync(first.key, 'utf8'))
const file = path.join(dir, 'haproxy.cfg')
fs.writeFileSync(file, `
defaults
    mode tcp
    timeout connect 2s
    timeout client 30s
    timeout server 30s
listen one
    bind 127.0.0.1:${v1}
    server gateway 127.0.0.1:${trusting.port} send-proxy
listen two
    bind 127.0.0.1:${v2}
    server gateway 127.0.0.1:${trusting.port} send-proxy-v2 check-send-proxy check inter 200ms
listen two-tls
    bind 127.0.0.1:${v2tls} ssl crt ${pem}
    server gateway 127.0.0.1:${trusting.port} send-proxy-v2-ssl proxy-v2-options crc32c
`)
const haproxy = new Child(run, 'haproxy', 'setpriv', ['--pdeathsig', 'KILL', '--', 'haproxy', '-db', '-f', file], { cwd: dir, env: {}, log: path.join(dir, 'haproxy.log') })
await until('HAProxy leads to the gateway', async () => {
  haproxy.assertAlive()
  return (await ask(http, { port: v1, path: '/gui/' }).catch(() => ({}))).status === 200
})

await run.story('PROXY protocol: HAProxy tells the client\'s address, by either version', async () => {
  assert.equal((await login(http, { port: v1, localAddress: '127.0.0.11' })).status, 401)
  assert.equal((await login(http, { port: v2, localAddress: '127.0.0.12' })).status, 401)
  assert.equal((await login(https, { port: v2tls, ca, localAddress: '127.0.0.13' })).status, 401)
  for (const address of ['127.0.0.11', '127.0.0.12', '127.0.0.13']) {
    await until(`${address} stands in the log`, () => new RegExp(`login-refused .*address=${address.replaceAll('.', '\\.')}\\b`).test(trusting.child.output()))
  }
})

await run.story('PROXY protocol: who speaks TLS to the balancer has a connection by TLS', async () => {
  assert.match((await ask(https, { port: v2tls, ca, path: '/gui/' })).headers['strict-transport-security'] ?? '', /max-age=/)
  assert.equal((await ask(http, { port: v2, path: '/gui/' })).headers['strict-transport-security'], undefined)
})

await run.story('PROXY protocol: WebSockets go through it', async () => {
  const c = openClient('provider4', { collabUrl: `ws://127.0.0.1:${v2}/collab`, token: (...args) => core.token(...args) }, 'behind')
  c.doc.getText('text').insert(0, 'through')
  await until('it is stored', () => c.settled())
  c.close()
})

await run.story('PROXY protocol: without a head, or from somebody else, nothing is answered', async () => {
  const request = 'GET /gui/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
  const head = 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n'
  const connect = localAddress => net.connect({ port: trusting.port, host: '127.0.0.1', localAddress })
  assert.equal(await hearAll(connect('127.0.0.1'), request), '')
  assert.equal(await hearAll(connect('127.0.0.5'), head + request), '')
  assert.match(await hearAll(connect('127.0.0.1'), head + request), /^HTTP\/1\.1 200/)
})

await haproxy.end('SIGTERM')
await trusting.stop()
await core.stop()
await run.finish()
