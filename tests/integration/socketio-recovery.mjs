/* integration.socketio-recovery: by the streams adapter a client that was cut off comes back to any server of the cluster, ours or a
 * real one, and gets what it has missed, once. */
import assert from 'node:assert/strict'
import { openRun, until } from '../harness/run.mjs'
import { startRedis } from '../harness/redis-server.mjs'
import { openClient, startOurs, startStock } from '../harness/socketio-nodes.mjs'

const count = Number(process.argv[2] ?? 1)
const run = openRun(`integration.socketio-recovery${count > 1 ? '-streams' : ''}`)
const redis = await startRedis(run)
const stock = await startStock(run, redis, 'streams', { streamCount: count }, { connectionStateRecovery: {} })
const conf = { 'sio.adapter': 'streams', 'sio.adapter.stream-count': count }
const [one, two] = [await startOurs(run, redis, conf), await startOurs(run, redis, conf)]
const stream = count === 1 ? 'socket.io' : 'socket.io-1'                 /* of "/" among two */
const entries = async () => Number(await redis.cli('XLEN', stream))
const id = letter => letter.repeat(20)
let next = 0
const newPid = () => `pid-${++next}`.padEnd(20, '-')

await run.story('an event is given to the clients here with the id of its entry', async () => {
  const c = await one.client(['r1'])
  await one.do('stamp', { event: ['first', { a: 1 }] })
  await until('it is there', () => c.got.length === 1)
  const [[event, value, offset]] = c.got
  assert.deepEqual([event, value], ['first', { a: 1 }])
  assert.equal((await redis.cli('XREVRANGE', stream, '+', '-', 'COUNT', 1))[0][0], offset)
  await until('it is there once', async () => await entries() === 1)
})

/* Says a few things to r1, those that are not to be repeated among them; the events that are. */
async function sayThings (sid) {
  const before = await entries()
  await one.do('stamp', { rooms: ['r1'], event: ['from-ours', 1] })
  await one.do('broadcast', { rooms: ['r1'], flags: 1, event: ['volatile'] })
  await one.do('stamp', { rooms: ['r1'], except: [sid], event: ['not-for-it'] })
  await one.do('stamp', { rooms: ['other'], event: ['of-another-room'] })
  await until('they are kept', async () => await entries() === before + 4)
  await stock.do('broadcast', { rooms: ['r1'], event: ['from-stock', { b: 2 }] })
  await stock.do('broadcast', { rooms: ['r1'], flags: { volatile: true }, event: ['volatile'] })
  await until('all is kept', async () => await entries() === before + 6)
  return [['from-ours', 1], ['from-stock', { b: 2 }]]
}

await run.story('who was connected when its server died comes back at another, before its first event too, and only once', async () => {
  const pid = newPid()
  await two.do('save', { sid: id('s'), pid, names: [id('s'), 'r1'] })
  await until('it is stored while connected', async () => await redis.cli('EXISTS', `sio:session:${pid}`) === 1)
  const want = await sayThings(id('s'))
  const back = await one.ask('restore', { pid })
  assert.deepEqual([back.found, back.sid, back.rooms], [true, id('s'), [id('s'), 'r1']])
  assert.deepEqual(back.missed.map(e => e.slice(0, 2)), want)
  for (const e of back.missed) assert.match(e.at(-1), /^\d+-\d+$/)
  assert.equal((await one.ask('restore', { pid })).found, false)
})

await run.story('what came before the offset is not repeated; an unknown offset or session is refused', async () => {
  const pid = newPid()
  await one.do('save', { sid: id('t'), pid, names: [id('t'), 'r1'], gone: true })
  await sayThings(id('t'))
  const offset = (await redis.cli('XREVRANGE', stream, '+', '-', 'COUNT', 1))[0][0]
  const want = await sayThings(id('t'))
  for (const wrong of ['1-1', 'x', '9999999999999-0', '-', '1-']) assert.equal((await two.ask('restore', { pid, offset: wrong })).found, false)
  const back = await two.ask('restore', { pid, offset })
  assert.deepEqual(back.missed.map(e => e.slice(0, 2)), want)
  assert.equal((await two.ask('restore', { pid: newPid(), offset })).found, false)
})

await run.story('who has said farewell does not come back', async () => {
  const pid = newPid()
  await one.do('save', { sid: id('u'), pid, names: [id('u')] })
  await one.do('forget', { pid })
  await until('it is forgotten', async () => await redis.cli('EXISTS', `sio:session:${pid}`) === 0)
  assert.equal((await one.ask('restore', { pid })).found, false)
})

await run.story('a client of a real server comes back at ours', async () => {
  const c = await stock.client(['r1'])
  await stock.do('broadcast', { event: ['before'] })
  await until('it has an offset', () => c.socket._lastOffset !== undefined)
  const [pid, offset] = [c.socket._pid, c.socket._lastOffset]
  c.socket.io.engine.close()
  await until('it is stored', async () => await redis.cli('EXISTS', `sio:session:${pid}`) === 1)
  const want = await sayThings(id('v'))
  const back = await one.ask('restore', { pid, offset })
  assert.equal(back.sid, c.id)
  assert.deepEqual(back.missed.map(e => e[0]), [want[0][0], 'not-for-it', want[1][0]])
})

await run.story('a client of ours comes back at a real server', async () => {
  const pid = newPid()
  await one.do('save', { sid: id('w'), pid, names: [id('w'), 'r1'], gone: true })
  const n = await entries()
  await one.do('stamp', { event: ['before'] })
  await until('it is kept', async () => await entries() === n + 1)
  const offset = (await redis.cli('XREVRANGE', stream, '+', '-', 'COUNT', 1))[0][0]
  const want = await sayThings(id('w'))
  const c = await openClient(`http://127.0.0.1:${stock.port}`, [], '/', { auth: { pid, offset } })
  await until('it has what it missed', () => c.got.some(([e]) => e === 'from-stock'))
  assert.equal(c.id, id('w'))
  for (const [event] of want) assert.ok(c.got.some(([e]) => e === event))
  c.socket.disconnect()
})

await run.story('ours end without a leak', async () => { await one.close(); await two.close() })
await run.finish()
