/* The unmodified socket.io-client against a gateway: over long polling and over WebSockets, on one reactor and on several.
 *
 *   socketio.mjs polling|websocket|upgrade <reactors> */
import assert from 'node:assert/strict'
import { io } from 'socket.io-client'
import { openRun, until } from '../harness/run.mjs'
import { UmbelGateway } from '../harness/subjects.mjs'

const [way = 'websocket', reactors = '2'] = process.argv.slice(2)
const transports = { polling: ['polling'], websocket: ['websocket'], upgrade: ['polling', 'websocket'] }[way]
const run = openRun(`interop.socketio.${way}-${reactors}`)
const gateway = new UmbelGateway(run, [], {
  label: 'gateway-1', reactors,
  args: ['--sio.lab.enabled=true', '--sio.max-namespaces=5', '--sio.max-event-name=64', '--sio.connect-timeout=2s', '--sio.drain-time=200ms']
})
await gateway.start()

/* --- clients --- */

const open = new Set()
function connect (nsp = '/lab', options = {}) {
  const socket = io(gateway.origin + nsp, { transports, forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 100, ...options })
  socket.heard = []
  socket.onAny((...event) => socket.heard.push(event))
  open.add(socket)
  return socket
}
const once = (emitter, name) => new Promise(resolve => emitter.once(name, (...args) => resolve(args)))
async function joined (nsp, options) {
  const socket = connect(nsp, options)
  await until('connected', () => socket.connected)
  return socket
}
const ask = (socket, ...event) => socket.timeout(5000).emitWithAck(...event)
const heard = (socket, name) => socket.heard.filter(event => event[0] === name)
function closeAll () {
  for (const socket of open) socket.disconnect()
  open.clear()
}
async function story (title, fn) {
  await run.story(title, fn)
  closeAll()
}

/* --- the stories --- */

await story('a client connects, and is told its own id', async () => {
  const a = await joined()
  const b = await joined()
  assert.match(a.id, /^[A-Za-z0-9_-]{20}$/)
  assert.notEqual(a.id, b.id)
  assert.equal(a.io.engine.transport.name, way === 'polling' ? 'polling' : a.io.engine.transport.name)
  if (way === 'upgrade') await until('upgraded', () => a.io.engine.transport.name === 'websocket')
})

await story('events and answers keep order, text and bytes', async () => {
  const a = await joined()
  const bytes = Buffer.from(Array.from({ length: 1000 }, (_, i) => i & 255))
  const args = ['text é€😀\u2028"\\', 1.5, -2, null, true, { deep: [bytes, { more: Buffer.alloc(0) }] }, [[]]]
  assert.deepEqual(await new Promise(resolve => a.emit('echo', ...args, (...back) => resolve(back))), args)
  const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => ask(a, 'echo', i)))
  assert.deepEqual(answers, Array.from({ length: 200 }, (_, i) => i))
})

await story('a large message goes both ways', async () => {
  const a = await joined()
  const text = 'x'.repeat(900000)
  assert.equal(await ask(a, 'echo', text), text)
})

await story('a namespace refuses, with data, and the connection goes on', async () => {
  const a = await joined()
  const b = a.io.socket('/lab-x', { auth: { refuse: 'not you', data: { code: 7 } } })
  const [err] = await once(b, 'connect_error')
  assert.equal(err.message, 'not you')
  assert.deepEqual(err.data, { code: 7 })
  const [unknown] = await once(a.io.socket('/nowhere'), 'connect_error')
  assert.equal(unknown.message, 'Invalid namespace')
  assert.equal(await ask(a, 'echo', 1), 1)
})

await story('namespaces of one connection are apart', async () => {
  const a = await joined('/lab')
  const b = a.io.socket('/lab-two')
  await until('connected', () => b.connected)
  assert.notEqual(a.id, b.id)
  b.onAny((...event) => { b.heard = [...(b.heard ?? []), event] })
  await ask(a, 'cast', {}, ['hello'])
  await until('heard', () => heard(a, 'hello').length === 1)
  await ask(b, 'echo', 1)
  assert.equal(b.heard, undefined)
  const id = a.id
  b.disconnect()
  assert.equal(await ask(a, 'echo', 2), 2)
  assert.equal(a.id, id)
})

await story('rooms: everybody who is meant hears it once, nobody else does', async () => {
  const all = await Promise.all(Array.from({ length: 8 }, () => joined()))
  await Promise.all(all.map((s, i) => ask(s, 'join', [i % 2 ? 'odd' : 'even', i < 4 ? 'low' : 'high'])))
  const told = async (options, wanted) => {
    const name = `e${Math.random()}`
    await ask(all[0], 'cast', options, [name, Buffer.from('b')])
    await until(`${JSON.stringify(options)}`, () => wanted.every(i => heard(all[i], name).length === 1))
    await Promise.all(all.map(s => ask(s, 'echo', 0)))
    assert.deepEqual(all.map((s, i) => heard(s, name).length ? i : -1).filter(i => i >= 0), wanted)
    assert.deepEqual(heard(all[wanted[0]], name)[0][1], Buffer.from('b'))
  }
  await told({ rooms: ['odd'] }, [1, 3, 5, 7])
  await told({ rooms: ['odd', 'low'] }, [0, 1, 2, 3, 5, 7])
  await told({ rooms: ['even'], except: ['high'] }, [0, 2])
  await told({ except: ['low', all[7].id] }, [4, 5, 6])
  await told({ rooms: [all[3].id, 'low'] }, [0, 1, 2, 3])
  await ask(all[1], 'leave', ['odd'])
  await told({ rooms: ['odd'] }, [3, 5, 7])
  await ask(all[0], 'others-join', { rooms: ['odd'] }, ['late'])
  await told({ rooms: ['late'] }, [3, 5, 7])
  await ask(all[0], 'others-leave', {}, ['late'])
  const [rooms] = await new Promise(resolve => all[0].emit('rooms', {}, (...a) => resolve(a)))
  assert.deepEqual(rooms.filter(r => r.length < 20).sort(), ['even', 'high', 'low', 'odd'])
  const [sockets, missing] = await new Promise(resolve => all[0].emit('fetch', { rooms: ['odd'] }, (...a) => resolve(a)))
  assert.equal(missing, 0)
  assert.deepEqual(sockets.map(s => s.id).sort(), [3, 5, 7].map(i => all[i].id).sort())
  assert.deepEqual(sockets[0].rooms.slice(0, 1), [sockets[0].id])
  assert.equal(typeof sockets[0].handshake.headers.host, 'string')
})

await story('acknowledgements of many are gathered, and those that are missing are counted', async () => {
  const all = await Promise.all(Array.from({ length: 5 }, () => joined()))
  all.forEach((s, i) => s.on('what', (x, ack) => { if (i < 4) ack(x + i) }))
  const [values, missing] = await new Promise(resolve => all[0].emit('cast-ack', { timeout: 1500 }, ['what', 10], (...a) => resolve(a)))
  assert.deepEqual(values.sort(), [10, 11, 12, 13])
  assert.equal(missing, 1)
})

await story('the server asks a client, and does not wait for ever', async () => {
  const a = await joined()
  a.on('q', (x, ack) => ack(x * 2, 'more'))
  assert.deepEqual(await new Promise(resolve => a.emit('ask-me', { timeout: 5000 }, ['q', 21], (...b) => resolve(b))), [42, 'more'])
  assert.equal(await ask(a, 'ask-me', { timeout: 100 }, ['nobody answers']), 'operation has timed out')
})

await story('who leaves is out of its rooms; who is sent away does not come back by itself', async () => {
  const [a, b, c] = await Promise.all([joined(), joined(), joined()])
  await ask(b, 'join', ['r'])
  b.disconnect()
  await until('gone', async () => (await ask(a, 'fetch', { rooms: ['r'] })).length === 0)
  const gone = once(c, 'disconnect')
  a.emit('others-disconnect', { rooms: [c.id] }, false)
  assert.deepEqual((await gone)[0], 'io server disconnect')
  assert.equal(c.active, false)
})

await story('a transport that breaks is replaced, and the client is somebody new', async () => {
  const a = await joined()
  const id = a.id
  a.io.engine.close()
  await until('back', () => a.connected && a.id !== id)
  assert.ok(!a.recovered)
  assert.equal(await ask(a, 'echo', 1), 1)
})

await story('volatile events reach who is ready', async () => {
  const a = await joined()
  await until('heard', async () => {
    await ask(a, 'cast', { flags: { volatile: true } }, ['tick'])
    return heard(a, 'tick').length > 0
  })
})

await story('limits close the client that breaks them, and no other', async () => {
  const other = await joined()
  const named = await joined('/lab', { reconnection: false })
  const closed = once(named, 'disconnect')
  named.emit('n'.repeat(65))
  await closed
  const many = await joined('/lab', { reconnection: false })
  const end = once(many, 'disconnect')
  for (let i = 0; i < 5; i++) many.io.socket(`/lab-${i}`)
  await end
  const mute = connect('/lab', { reconnection: false, auth: { silent: true } })
  await once(mute.io, 'close')
  assert.equal(await ask(other, 'echo', 1), 1)
})

await story('many clients at once, each hears all of it in order', async () => {
  const all = await Promise.all(Array.from({ length: 40 }, () => joined()))
  await Promise.all(all.map(s => ask(s, 'join', ['all'])))
  for (let i = 0; i < 50; i++) all[i % 3].emit('cast', { rooms: ['all'] }, ['n', i % 3, i])
  await until('all heard', () => all.every(s => heard(s, 'n').length === 50), 30000)
  for (const s of all)
    for (let who = 0; who < 3; who++) {
      const mine = heard(s, 'n').filter(e => e[1] === who).map(e => e[2])
      assert.deepEqual(mine, [...mine].sort((x, y) => x - y))
    }
})

await story('at the end of the gateway clients are closed without a farewell, so that they look for another one', async () => {
  const all = await Promise.all(Array.from({ length: 10 }, () => joined('/lab', { reconnection: false })))
  const reasons = all.map(s => once(s, 'disconnect'))
  await gateway.stop()
  for (const [reason] of await Promise.all(reasons)) assert.notEqual(reason, 'io server disconnect')
})

await run.finish()
