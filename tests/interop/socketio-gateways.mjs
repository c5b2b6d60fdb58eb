/* Two gateways behind a balancer that sends every connection to the next one: polling without sticky routing, events across both, and
 * coming back to what was missed. */
import assert from 'node:assert/strict'
import net from 'node:net'
import { io } from 'socket.io-client'
import { startRedis } from '../harness/redis-server.mjs'
import { openRun, until } from '../harness/run.mjs'
import { UmbelGateway } from '../harness/subjects.mjs'

const run = openRun('interop.socketio.gateways')
const redis = await startRedis(run)
const gateways = await Promise.all([1, 2].map(async n => {
  const gateway = new UmbelGateway(run, [], {
    label: `gateway-${n}`, reactors: 2,
    args: ['--sio.lab.enabled=true', '--redis.enabled=true', `--spring.data.redis.url=${redis.url}`, '--sio.drain-time=100ms', `--cluster.id=gateway-${n}`, '--core.connect-timeout=500ms']
  })
  await gateway.start()
  return gateway
}))

/* --- the balancer --- */

let turn = 0
const taken = [0, 0]
const balancer = net.createServer(client => {
  const n = turn++ % 2
  taken[n]++
  const server = net.connect(gateways[n].port, '127.0.0.1')
  for (const [a, b] of [[client, server], [server, client]]) {
    a.on('error', () => b.destroy())
    a.on('close', () => b.destroy())
    a.pipe(b)
  }
})
await new Promise(resolve => balancer.listen(0, '127.0.0.1', resolve))
run.atEnd(() => new Promise(resolve => { balancer.close(resolve); balancer.unref(); resolve() }))
const origin = `http://127.0.0.1:${balancer.address().port}`

/* --- clients --- */

const open = new Set()
function connect (at, options = {}) {
  const socket = io(at + '/lab', { transports: ['polling'], forceNew: true, reconnectionDelay: 30, reconnectionDelayMax: 60, ...options })
  socket.heard = []
  socket.onAny((...event) => socket.heard.push(event))
  open.add(socket)
  return socket
}
async function joined (at = origin, options) {
  const socket = connect(at, options)
  await until('connected', () => socket.connected)
  return socket
}
const ask = (socket, ...event) => socket.timeout(8000).emitWithAck(...event)
const whole = (socket, ...event) => new Promise(resolve => socket.emit(...event, (...args) => resolve(args)))
async function story (title, fn) {
  await run.story(title, fn)
  for (const socket of open) socket.disconnect()
  open.clear()
}
await until('both know each other', async () => {
  const a = await joined(gateways[0].origin)
  const [sockets, missing] = await whole(a, 'fetch', {})
  const b = await joined(gateways[1].origin)
  const seen = await whole(a, 'fetch', {})
  for (const s of [a, b]) s.disconnect()
  return sockets.length >= 1 && missing === 0 && seen[0].some(s => s.id === b.id || seen[0].length > sockets.length)
}, 20000, 300)

/* --- the stories --- */

await story('polling works whichever gateway a request arrives at', async () => {
  const all = await Promise.all(Array.from({ length: 6 }, () => joined()))
  for (let i = 0; i < 10; i++) assert.deepEqual(await Promise.all(all.map((s, k) => ask(s, 'echo', `${i}-${k}`))), all.map((s, k) => `${i}-${k}`))
  const bytes = Buffer.alloc(300000, 7)
  assert.deepEqual(await ask(all[0], 'echo', bytes), bytes)
  assert.ok(taken[0] > 20 && taken[1] > 20)
  assert.ok(all.every(s => s.connected))
})

await story('an upgrade that arrives at the wrong gateway fails, and polling goes on', async () => {
  const all = await Promise.all(Array.from({ length: 6 }, () => joined(origin, { transports: ['polling', 'websocket'] })))
  for (let i = 0; i < 5; i++) await Promise.all(all.map(s => ask(s, 'echo', i)))
  assert.ok(all.every(s => s.connected))
})

await story('events reach rooms of both gateways, acknowledgements come from both', async () => {
  const [a, b] = [await joined(gateways[0].origin), await joined(gateways[1].origin)]
  for (const s of [a, b]) {
    await ask(s, 'join', ['both'])
    s.on('what', ack => ack(s.id))
  }
  await until('both hear it', async () => {
    await ask(a, 'cast', { rooms: ['both'] }, ['hello', Buffer.from('x')])
    return b.heard.some(e => e[0] === 'hello') && a.heard.some(e => e[0] === 'hello')
  })
  const [ids, missing] = await whole(a, 'cast-ack', { rooms: ['both'], timeout: 3000 }, ['what'])
  assert.deepEqual(ids.sort(), [a.id, b.id].sort())
  assert.equal(missing, 0)
  assert.deepEqual((await whole(b, 'fetch', { rooms: ['both'] }))[0].map(s => s.id).sort(), [a.id, b.id].sort())
  await ask(a, 'others-leave', { rooms: [b.id] }, ['both'])
  await until('left', async () => (await whole(a, 'fetch', { rooms: ['both'] }))[0].length === 1)
})

await story('the session of a gateway that is gone is unknown at once', async () => {
  const sid = JSON.parse((await (await fetch(`${gateways[1].origin}/socket.io/?EIO=4&transport=polling`)).text()).slice(1)).sid
  const at = `${gateways[0].origin}/socket.io/?EIO=4&transport=polling&sid=${sid}`
  assert.equal(await (await fetch(at, { method: 'POST', body: '3' })).text(), 'ok')
  const looped = await fetch(at, { method: 'POST', body: '3', headers: { 'X-Umbel-Hop': '1' } })
  assert.equal(looped.status, 400)
  await gateways[1].kill()
  const res = await fetch(at, { method: 'POST', body: '3' })
  assert.equal(res.status, 400)
  assert.deepEqual(await res.json(), { code: 1, message: 'Session ID unknown' })
})

await story('the gateway that is left ends in order', async () => {
  await joined(gateways[0].origin)
  await gateways[0].stop()
})
await run.finish()
