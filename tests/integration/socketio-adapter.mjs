/* integration.socketio-<adapter>: the gateway's Redis adapters and real Socket.IO servers as one cluster: two of either kind in one Redis,
 * every operation in all directions; then messages that nobody should send. With `gateways`: two whole gateways, with clients
 * (integration.socketio-cluster-<adapter>); otherwise the adapter alone, between the test and Redis. */
import assert from 'node:assert/strict'
import { Redis } from 'ioredis'
import { Emitter } from '@socket.io/redis-emitter'
import { openRun, until } from '../harness/run.mjs'
import { startRedis } from '../harness/redis-server.mjs'
import { bytes, startGateway, startOurs, startStock } from '../harness/socketio-nodes.mjs'

const adapter = process.argv[2]
const whole = process.argv[3] === 'gateways'
const run = openRun(`integration.socketio-${whole ? 'cluster-' : ''}${adapter}`)
const [nsp, otherNsp] = whole ? ['/lab', '/lab-2'] : ['/', '/admin']
const redis = await startRedis(run)
const nodes = []
const clients = []

const conf = { 'sio.adapter': adapter }
for (let i = 0; i < 2; i++) nodes.push(await startStock(run, redis, adapter, {}, { namespaces: [nsp, otherNsp] }))
for (let i = 0; i < 2; i++) nodes.push(whole ? await startGateway(run, redis, conf) : await startOurs(run, redis, conf))
/* One client on each, in the room of all, in its own, and in that of the first and the last. */
for (const [i, node] of nodes.entries()) clients.push(await node.client(['all', `of-${i}`, i % 3 === 0 ? 'ends' : 'middle']))
const countsThem = nodes.filter(n => n.kind !== 'gateway')
await until('all are counted', async () => (await Promise.all(countsThem.map(n => n.ask('count')))).every(a => a.n === nodes.length))

const names = nodes.map((n, i) => `${n.kind} ${i}`)
const forget = () => { for (const c of clients) c.got.length = 0; for (const n of nodes) if (n.kind !== 'gateway') n.heard.length = 0 }
const events = c => c.got.map(([event]) => event)
const fence = { n: 0 }

/* What each client has got after all that was said before has arrived: a last word from the same node says so. */
async function heardBy (node) {
  const last = `fence-${++fence.n}`
  await node.do('broadcast', { event: [last] })
  await until(`${last} is everywhere`, () => clients.every(c => events(c).includes(last) || c.node === node || isOwn(node, c)))
}
/* Our tool has no server: what is said at a node is not delivered at that node. */
const isOwn = (node, c) => node.kind === 'ours' && clients.indexOf(c) === nodes.indexOf(node)
const others = node => clients.filter(c => !isOwn(node, c))
const got = (node, event) => others(node).filter(c => events(c).includes(event)).map(c => clients.indexOf(c))
const meant = (node, list) => list.filter(i => !isOwn(node, clients[i]))

for (const [i, node] of nodes.entries()) {
  await run.story(`${names[i]}: events reach whom they are meant for, on every node, with their values`, async () => {
    forget()
    await node.do('broadcast', { flags: node.kind === 'ours' ? 1 : { volatile: true }, event: ['volatile'] })
    await until('a volatile event is there', () => got(node, 'volatile').length === others(node).length)
    await node.do('broadcast', { event: ['to-all', 1, -2.5, 'ü😀', null, { a: [true, { b: {} }] }, bytes('00ff10')] })
    await node.do('broadcast', { rooms: ['ends'], event: ['to-room'] })
    await node.do('broadcast', { rooms: ['of-0', 'of-2', 'ends'], event: ['to-rooms'] })
    await node.do('broadcast', { rooms: ['all'], except: ['ends', 'of-1'], event: ['except'] })
    await node.do('broadcast', { rooms: [clients[1].id], event: ['to-one'] })
    await node.do('broadcast', { rooms: ['nobody'], event: ['to-nobody'] })
    await heardBy(node)
    assert.deepEqual(got(node, 'to-all'), meant(node, [0, 1, 2, 3]))
    for (const c of others(node)) {
      assert.deepEqual(c.got.find(([e]) => e === 'to-all'), ['to-all', 1, -2.5, 'ü😀', null, { a: [true, { b: {} }] }, Buffer.from([0, 255, 16])])
      assert.equal(new Set(events(c)).size, c.got.length, 'nobody gets anything twice')
    }
    assert.deepEqual(got(node, 'to-room'), meant(node, [0, 3]))
    assert.deepEqual(got(node, 'to-rooms'), meant(node, [0, 2, 3]))
    assert.deepEqual(got(node, 'except'), meant(node, [2]))
    assert.deepEqual(got(node, 'to-one'), meant(node, [1]))
    assert.deepEqual(got(node, 'to-nobody'), [])
  })

  await run.story(`${names[i]}: an acknowledgement comes from every client that was meant`, async () => {
    const want = list => meant(node, list).map(k => `ack of ${clients[k].id}`).sort()
    const all = await node.ask('ack', { timeout: 4000, event: ['question', { deep: [1] }] })
    assert.deepEqual([...(all.values ?? [all.error])].sort(), want([0, 1, 2, 3]))
    assert.ok(!all.missing)
    const some = await node.ask('ack', { timeout: 4000, rooms: ['middle'], event: ['question'] })
    assert.deepEqual([...(some.values ?? [some.error])].sort(), want([1, 2]))
    const none = await node.ask('ack', { timeout: 4000, rooms: ['nobody'], event: ['question'] })
    assert.deepEqual(none.values, [])
  })

  await run.story(`${names[i]}: it is told the sockets and rooms of all`, async () => {
    const ids = list => meant(node, list).map(k => clients[k].id).sort()
    const all = await node.ask('fetch')
    assert.deepEqual(all.values?.map(s => s.id).sort() ?? all.error, ids([0, 1, 2, 3]))
    for (const s of all.values) {
      const k = clients.findIndex(c => c.id === s.id)
      assert.equal(s.data.of, nodes[k].kind === 'stock' ? 'node' : 'umbel')
      assert.ok(s.rooms.includes(`of-${k}`) && s.rooms.includes(s.id))
    }
    const ends = await node.ask('fetch', { rooms: ['ends'], except: ['of-0'] })
    assert.deepEqual(ends.values.map(s => s.id), ids([3]))
    if (adapter !== 'classic' && node.kind === 'stock') return             /* it has no such question */
    const rooms = await node.ask('rooms')
    for (const k of meant(node, [0, 1, 2, 3])) assert.ok(rooms.values.includes(`of-${k}`), `of-${k}`)
  })

  await run.story(`${names[i]}: it makes clients of the others join and leave`, async () => {
    forget()
    await node.do('join', { rooms: ['of-0', 'of-2'], names: ['made', 'more'] })
    await heardBy(node)
    const made = async () => (await node.ask('fetch', { rooms: ['made'] })).values.map(s => s.id).sort()
    await until('they are in', async () => assert.deepEqual(await made(), meant(node, [0, 2]).map(k => clients[k].id).sort()) ?? true)
    await node.do('broadcast', { rooms: ['made'], event: ['to-made'] })
    await heardBy(node)
    assert.deepEqual(got(node, 'to-made'), meant(node, [0, 2]))
    await node.do('leave', { rooms: ['made'], except: ['nobody'], names: ['made', 'more'] })
    await until('they are out', async () => (await made()).length === 0)
  })

  await run.story(`${names[i]}: server-side events reach the other servers, and their answers come`, async () => {
    forget()
    const rest = nodes.filter(n => n !== node)
    await node.do('serverEmit', { event: ['said', 1, { a: 'b' }] })
    await until('all have heard', () => rest.every(n => n.heard.length === 1))
    for (const n of rest) assert.deepEqual(n.heard[0].slice(-2), [1, { a: 'b' }])
    assert.equal(node.heard.length, 0)
    if (node.kind !== 'stock') {
      await node.do('serverEmit', { event: ['error', 'ends a Node process that does not expect it'] })
      await node.do('serverEmit', { event: ['connection', {}] })
    }
    const answers = await node.ask('serverAsk', { event: ['said', 'really?'] })
    assert.deepEqual([...(answers.values ?? [answers.error])].sort(), rest.map(n => ({ stock: 'heard by node', ours: 'heard by umbel', gateway: 'umbel' })[n.kind]).sort())
  })
}

await run.story('namespaces do not hear each other', async () => {
  const there = await Promise.all(nodes.map(n => n.client([], otherNsp)))
  forget()
  for (const [i, node] of nodes.entries()) await node.do('broadcast', { nsp: otherNsp, event: [`admin-${i}`] })
  await until('an event comes to the others', async () => {
    await nodes[0].do('broadcast', { nsp: otherNsp, event: ['here'] })
    return there.every(c => events(c).includes('here'))
  })
  for (const node of nodes) await heardBy(node)
  for (const c of clients) assert.ok(events(c).every(e => e.startsWith('fence-')), events(c).join())
})

if (adapter === 'classic') {
  await run.story('what @socket.io/redis-emitter says is done', async () => {
    forget()
    const emitter = new Emitter(new Redis({ host: '127.0.0.1', port: redis.port })).of(nsp)
    emitter.emit('from-emitter', 1, Buffer.from('0102', 'hex'))
    emitter.to('ends').except('of-0').emit('to-ends')
    emitter.in('of-3').socketsJoin('emitted')
    emitter.serverSideEmit('said', 'by the emitter')
    await until('all have it', () => clients.every(c => events(c).includes('from-emitter')) && nodes.every(n => n.heard.length === 1))
    assert.deepEqual(clients[3].got.find(([e]) => e === 'from-emitter'), ['from-emitter', 1, Buffer.from([1, 2])])
    assert.deepEqual(clients.map((c, i) => events(c).includes('to-ends') ? i : -1).filter(i => i >= 0), [3])
    await until('it is in', async () => (await nodes[0].ask('fetch', { rooms: ['emitted'] })).values.length === 1)
    emitter.in('emitted').socketsLeave('emitted')
    await until('it is out', async () => (await nodes[0].ask('fetch', { rooms: ['emitted'] })).values.length === 0)
    emitter.redisClient.disconnect()
  })
}

await run.story('a server that does not answer costs its answer and is missed, and nobody else\'s', async () => {
  const silent = nodes[1]
  silent.child.kill('SIGSTOP')
  const asked = await nodes[2].ask('fetch', { timeout: 700 })
  silent.child.kill('SIGCONT')
  assert.deepEqual([asked.values.length, asked.missing], [whole ? 3 : 2, 1])
})

if (!whole) {
  await run.story('a server that has told its name and is silent is named', async () => {
    await nodes[2].ask('fetch', { timeout: 5000 })
    nodes[3].child.kill('SIGSTOP')
    const asked = await nodes[2].ask('fetch', { timeout: 300 })
    nodes[3].child.kill('SIGCONT')
    assert.equal(asked.missing, 1)
    assert.match(asked.silent, adapter === 'classic' ? /^[\w-]{6}$/ : /^[0-9a-f]{16}$/)
  })
}

await run.story('clients are sent away wherever they are', async () => {
  await nodes[2].do('disconnect', { rooms: ['of-0'], close: true })
  await nodes[0].do('disconnect', { rooms: ['of-3'], close: false })
  await until('they are gone', () => clients[0].ended !== null && clients[3].ended !== null)
  assert.deepEqual([clients[1].ended, clients[2].ended, clients[3].ended], [null, null, whole ? 'io server disconnect' : 'namespace'])
})

/* --- what nobody should send ---------------------------------------------------------------------------------- */

const raw = new Redis({ host: '127.0.0.1', port: redis.port })
await run.story('hostile messages are counted and dropped, by ours; the others are not touched by ours', async () => {
  /* Each of these ends a Node process: they are sent when ours are alone. */
  for (const node of nodes.slice(0, 2)) node.child.kill('SIGSTOP')
  const before = whole ? 0 : (await nodes[2].ask('stats'))['sio.cluster.malformed']
  const nasty = ['', '{', '[]', '{}', 'null', '\xc0', '\xdd\xff\xff\xff\xff', '\x93\xa1u\xc0\xc0', '{"type":5}', '{"type":7,"requestId":"x"}', '{"type":99}',
    '{"type":5,"requestId":7,"opts":{}}', `{"type":5,"requestId":"${'x'.repeat(100)}","opts":{"rooms":[],"except":[]}}`, '['.repeat(100000),
    '{"type":6,"data":"x"}', '{"type":6,"data":["connect"]}', '{"type":2,"rooms":["r"]}', JSON.stringify({ type: 2, opts: { rooms: [], except: [] }, rooms: Array.from({ length: 5000 }, (_, i) => `r${i}`) })]
  const channels = adapter === 'classic' ? [`socket.io#${nsp}#`, `socket.io-request#${nsp}#`, `socket.io#${nsp}#all#`] : [`socket.io#${nsp}#`]
  const word = adapter === 'sharded' ? 'spublish' : 'publish'
  for (const channel of channels) for (const n of nasty) await raw[word](channel, Buffer.from(n, 'latin1'))
  if (adapter === 'streams') {
    for (const n of nasty.slice(0, 10)) await raw.xadd('socket.io', '*', 'uid', 'x', 'nsp', nsp, 'type', '3', 'data', Buffer.from(n, 'latin1'))
    await raw.xadd('socket.io', '*', 'nothing', 'here')
  }
  for (const node of nodes.slice(2)) {
    if (!whole) await until('they are counted', async () => (await node.ask('stats'))['sio.cluster.malformed'] >= before + (adapter === 'classic' ? 30 : 12))
    node.assertAlive()
    if (whole) await node.client([])
    assert.ok(Array.isArray((await node.ask('fetch', { timeout: 300 })).values))
  }
})

await run.story('ours end without a leak', async () => {
  for (const node of nodes.slice(2)) await node.close()
})
raw.disconnect()
await run.finish()
