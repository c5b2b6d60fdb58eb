/* Connection state recovery with the unmodified client: what was missed comes once, in order, and nothing else does.
 *
 *   socketio-recovery.mjs <reactors> */
import assert from 'node:assert/strict'
import { io } from 'socket.io-client'
import { openRun, until } from '../harness/run.mjs'
import { UmbelGateway } from '../harness/subjects.mjs'

const run = openRun('interop.socketio.recovery')
const gateway = new UmbelGateway(run, [], {
  reactors: process.argv[2] ?? '2', args: ['--sio.lab.enabled=true', '--sio.recovery.max-duration=30s', '--sio.drain-time=100ms']
})
await gateway.start()

const open = new Set()
async function joined (options = {}) {
  const socket = io(gateway.origin + '/lab', { transports: ['websocket'], forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 60, ...options })
  socket.heard = []
  socket.onAny((name, ...args) => socket.heard.push([name, args[0]]))
  open.add(socket)
  await until('connected', () => socket.connected)
  return socket
}
const ask = (socket, ...event) => socket.timeout(8000).emitWithAck(...event)
/* The server and the client notice the loss; the client waits for LET. */
async function cutOff (socket, meanwhile) {
  const id = socket.id
  socket.io.reconnection(false)
  socket.io.engine.close()
  await until('cut off', () => !socket.connected)
  await meanwhile?.()
  socket.io.reconnection(true)
  socket.connect()
  await until('back', () => socket.connected)
  return id
}
const heard = (socket, name) => socket.heard.filter(e => e[0] === name).map(e => e[1])
async function story (title, fn) {
  await run.story(title, fn)
  for (const socket of open) socket.disconnect()
  open.clear()
}

await story('who was cut off comes back as the same, in its rooms, with what it has missed', async () => {
  const [a, b] = [await joined(), await joined()]
  await ask(a, 'join', ['r'])
  await ask(a, 'set-data', { name: 'ann' })
  await ask(b, 'cast', { rooms: ['r'] }, ['n', 0])
  await until('heard', () => heard(a, 'n').length === 1)
  const id = await cutOff(a, async () => {
    for (let i = 1; i <= 20; i++) await ask(b, 'cast', { rooms: ['r'] }, ['n', i])
    await ask(b, 'cast', { rooms: ['other'] }, ['not for a', 1])
    await ask(b, 'cast', { except: ['r'] }, ['not for a', 2])
    await ask(b, 'cast', {}, ['n', 21])
  })
  assert.equal(a.recovered, true)
  assert.equal(a.id, id)
  await ask(b, 'cast', { rooms: ['r'] }, ['n', 22])
  await until('all', () => heard(a, 'n').length === 23)
  assert.deepEqual(heard(a, 'n'), Array.from({ length: 23 }, (_, i) => i))
  assert.deepEqual(heard(a, 'not for a'), [])
  assert.deepEqual((await ask(b, 'fetch', { rooms: ['r'] })).map?.(s => s.data) ?? [], [{ name: 'ann' }])
})

await story('also before it had heard anything', async () => {
  const [a, b] = [await joined(), await joined()]
  await cutOff(a, () => ask(b, 'cast', {}, ['first', 1]))
  assert.equal(a.recovered, true)
  await until('heard', () => heard(a, 'first').length === 1)
})

await story('volatile events and those with acknowledgement are not repeated, and do not spoil the offset', async () => {
  const [a, b] = [await joined(), await joined()]
  a.on('asked', ack => typeof ack === 'function' && ack('yes'))
  await ask(b, 'cast', {}, ['n', 0])
  await until('heard', () => heard(a, 'n').length === 1)
  await ask(b, 'cast', { flags: { volatile: true } }, ['passing', 'a text'])
  await until('heard', () => heard(a, 'passing').length === 1)
  await cutOff(a, async () => {
    await ask(b, 'cast', { flags: { volatile: true } }, ['passing', 'missed'])
    await new Promise(resolve => b.emit('cast-ack', { rooms: ['nobody'], timeout: 500 }, ['asked'], resolve))
    await ask(b, 'cast', {}, ['n', 1])
  })
  assert.equal(a.recovered, true)
  await until('heard', () => heard(a, 'n').length === 2)
  assert.deepEqual(heard(a, 'passing'), ['a text'])
  assert.deepEqual(heard(a, 'asked'), [])
})

await story('bytes are among what is made up for', async () => {
  const [a, b] = [await joined(), await joined()]
  await cutOff(a, () => ask(b, 'cast', {}, ['bytes', Buffer.from([1, 2, 3])]))
  await until('heard', () => heard(a, 'bytes').length === 1)
  assert.deepEqual(heard(a, 'bytes')[0], Buffer.from([1, 2, 3]))
})

await story('who comes back before its loss was noticed takes its own place', async () => {
  const [a, b] = [await joined(), await joined()]
  await ask(a, 'join', ['mine'])
  await ask(b, 'cast', {}, ['n', 0])
  await until('heard', () => heard(a, 'n').length === 1)
  const twin = io(gateway.origin + '/lab', { transports: ['websocket'], forceNew: true })
  open.add(twin)
  twin._pid = a._pid
  twin._lastOffset = a._lastOffset
  await until('connected', () => twin.connected)
  assert.equal(twin.recovered, true)
  await until('one is left', async () => (await ask(b, 'fetch', { rooms: ['mine'] })).length === 1)
  a.disconnect()
})

await story('who said farewell, or is unknown, is somebody new', async () => {
  const a = await joined()
  const id = a.id
  a.disconnect()
  a.connect()
  await until('back', () => a.connected)
  assert.ok(!a.recovered)
  assert.notEqual(a.id, id)
  const stranger = io(gateway.origin + '/lab', { transports: ['websocket'], forceNew: true })
  open.add(stranger)
  stranger._pid = 'x'.repeat(20)
  stranger._lastOffset = '1-1'
  await until('connected', () => stranger.connected)
  assert.ok(!stranger.recovered)
})

await story('the gateway ends in order', async () => {
  await joined()
  await gateway.stop()
})
await run.finish()
