/* Real clients of every generation behind a gateway, while the cores behind it die, are stopped, and come: no socket of a client
 * closes, nobody is seen to leave, nothing that was acknowledged is lost, and everything comes to be acknowledged. */
import assert from 'node:assert/strict'
import { startCluster } from '../harness/cluster.mjs'
import { hocuspocusKinds, openClient, openSocket } from '../harness/clients.mjs'
import { Crowd } from '../harness/crowd.mjs'
import { openRun, until } from '../harness/run.mjs'

const run = openRun('interop.handover')
const cluster = await startCluster(run, {
  gateways: 1, redis: 'simple', balancer: false, gatewayProperties: { 'logging.level.gateway.leg': 'DEBUG', 'logging.level.gateway.guest': 'DEBUG' }
})
const rooms = 4
const text = c => c.doc.getText('text').toString()

/* What a client must not see. */
class Watch {
  constructor (clients) {
    this.seen = []
    for (const c of clients) {
      if (c.kind === 'y-websocket') c.provider.on('connection-close', e => this.seen.push(`y-websocket: closed ${e?.code}`))
      else c.socket.on('close', ({ event } = {}) => this.seen.push(`${c.kind}: closed ${event?.code} ${event?.reason}`))
      if (c.kind !== 'y-websocket') c.provider.on('authenticationFailed', ({ reason }) => this.seen.push(`${c.kind}: denied ${reason}`))
      c.awareness.on('change', ({ removed }) => removed.length > 0 && this.seen.push(`${c.kind}: ${removed} left`))
    }
  }

  nothing () {
    assert.deepEqual(this.seen.splice(0), [])
  }
}

const crowd = new Crowd(run, cluster, 'handed', rooms, hocuspocusKinds)
const readers = Array.from({ length: rooms }, (_, i) => openClient('y-websocket', cluster, `handed-${i}`, { name: 'reader' }))
const shared = openSocket('provider4', cluster)
const many = Array.from({ length: 8 }, (_, i) => openClient('provider4', cluster, `many-${i}`, { socket: shared, name: 'many' }))
const everybody = [...crowd.clients, ...readers, ...many]
const states = c => [...c.awareness.getStates().values()].filter(s => s.user?.name).length
const at = async core => (await core.counts()).connections
let watch

const acknowledged = async what => await until(what, () => {
  const open = [...crowd.clients, ...many].filter(c => c.provider.unsyncedChanges !== 0)
  if (open.length > 0) throw new Error(open.map(c => `${c.kind} ${c.provider.configuration.name}: ${c.provider.unsyncedChanges}`).join(', '))
  return true
}, 20000)

async function goesOn (what) {
  await crowd.more(20, what)
  const word = `${what}; `
  for (const c of [...readers, ...many]) c.doc.getText('text').insert(0, word)
  for (const c of readers) await until(`${what}: y-websocket is heard`, () => crowd.all.every((t, i) => t.clients.every(p => text(p).includes(word)) && text(readers[i]).includes(word)))
  crowd.stopTyping()
  await acknowledged(`${what}: everything is acknowledged`)
  for (const [i, t] of crowd.all.entries()) {
    await until(`${what}: everybody has all of it`, () => t.clients.every(c => text(c) === text(readers[i])))
    assert.ok([...t.clients, readers[i]].every(c => states(c) === hocuspocusKinds.length + 1), `${what}: everybody is seen`)
  }
  watch.nothing()
  crowd.startTyping(40)
}

await run.story('clients of every generation, one document per socket and many', async () => {
  await crowd.settled()
  await until('all in sync', () => everybody.every(c => c.settled()))
  for (const [i, t] of crowd.all.entries()) {
    await until('each is seen', () => [...t.clients, readers[i]].every(c => states(c) === hocuspocusKinds.length + 1))
  }
  watch = new Watch(everybody)
  crowd.startTyping(40)
  await goesOn('at the beginning')
  assert.ok(await at(cluster.core(1)) > 0 && await at(cluster.core(2)) > 0, 'both cores have documents')
})

await run.story('kill -9 of a core while they type', async () => {
  await cluster.core(1).kill()
  await goesOn('after the kill')
})

await run.story('it comes back: its documents go home', async () => {
  await cluster.core(1).start()
  await cluster.assembled()
  await until('documents move', async () => await at(cluster.core(1)) > 0)
  await goesOn('after it came')
})

await run.story('a core is stopped', async () => {
  await cluster.core(2).stop()
  await goesOn('after the stop')
  await cluster.core(2).start()
  await cluster.assembled()
  await until('documents move', async () => await at(cluster.core(2)) > 0)
  await goesOn('after its start')
})

await run.story('all that was typed is there', async () => {
  await crowd.verify()
  await until('every acknowledged token is in the database', async () => { await crowd.verifyStored(cluster.postgres); return true })
  crowd.close()
  readers.forEach(c => c.close())
  many.forEach(c => c.close())
  shared.destroy()
  await cluster.stop()
})

await run.finish()
