/* integration.socketio-comeback: unmodified clients of two gateways that share the streams adapter: whoever is cut off, by a kill of his
 * gateway too, goes on at the other with his id, his rooms and what he has missed. */
import assert from 'node:assert/strict'
import { openRun, until } from '../harness/run.mjs'
import { startRedis } from '../harness/redis-server.mjs'
import { openClient, startGateway } from '../harness/socketio-nodes.mjs'

const run = openRun('integration.socketio-comeback')
const redis = await startRedis(run)
const conf = { 'sio.adapter': 'streams', 'sio.recovery.max-duration': '60s' }
const nodes = [await startGateway(run, redis, conf), await startGateway(run, redis, conf)]
const speaker = await nodes[1].client([])
const events = c => c.got.map(([event]) => event)
const options = { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 100 }
const open = rooms => openClient(nodes[0].server.origin, rooms, '/lab', options, 'join')
const say = (...event) => nodes[1].do('broadcast', { rooms: ['r1'], event })
async function moveTo (c, node) {
  c.socket.io.uri = node.server.origin
  await until('it is back', () => c.socket.connected)
}
const stored = pid => until('its session is stored', async () => await redis.cli('EXISTS', `sio:session:${pid}`) === 1)

await run.story('after the death of its gateway a client has its id, its rooms and all that it missed, once and in order', async () => {
  const [heard, silent] = [await open(['r1']), await open(['r1'])]
  await until('both are in', async () => {
    await say('hello')
    return events(heard).includes('hello') && events(silent).includes('hello')
  })
  const fresh = await open([])                            /* has never had an event */
  await fresh.socket.emitWithAck('join', ['r1'])
  for (const c of [heard, silent, fresh]) { c.was = c.socket.id; await stored(c.socket._pid) }
  heard.got.length = silent.got.length = 0
  await nodes[0].server.kill()
  for (const c of [heard, silent, fresh]) await until('it has noticed', () => !c.socket.connected)
  await say('missed', 1)
  await nodes[1].do('broadcast', { rooms: ['other'], event: ['not for them'] })
  await nodes[1].do('broadcast', { rooms: ['r1'], flags: { volatile: true }, event: ['volatile'] })
  await say('missed', 2)
  await until('they are kept', async () => JSON.stringify(await redis.cli('XRANGE', 'socket.io', '-', '+')).includes('missed\\",2'))
  for (const c of [heard, silent, fresh]) {
    await moveTo(c, nodes[1])
    assert.equal(c.socket.id, c.was)
    assert.ok(c.socket.recovered)
    await until('it has both', () => events(c).filter(e => e === 'missed').length === 2)
    assert.deepEqual(c.got.filter(([e]) => e === 'missed').map(([, n]) => n), [1, 2])
    assert.ok(!events(c).includes('volatile') && !events(c).includes('not for them'))
  }
  await until('new events come', async () => { await say('new'); return [heard, silent, fresh].every(c => events(c).includes('new')) })
  for (const c of [heard, silent, fresh]) c.socket.disconnect()
})

await run.story('who has said farewell begins anew', async () => {
  const c = await openClient(nodes[1].server.origin, ['r1'], '/lab', options, 'join')
  const was = c.socket.id
  await stored(c.socket._pid)
  c.socket.disconnect()
  await until('it is forgotten', async () => await redis.cli('EXISTS', `sio:session:${c.socket._pid}`) === 0)
  c.socket.connect()
  await until('it is back', () => c.socket.connected)
  assert.notEqual(c.socket.id, was)
  assert.ok(!c.socket.recovered)
  c.socket.disconnect()
})

speaker.socket.disconnect()
await nodes[1].close()
await run.finish()
