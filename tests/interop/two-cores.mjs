/* Real clients on two cores that share a PostgreSQL and a Redis: what one writes the other reads, and who is there is seen on
 * both. To see that the bus has done it, and not the store, the comparison with the store is put off for an hour.
 *   two-cores.mjs REACTORS [MODE]         MODE: of collab.cluster.mode */
import assert from 'node:assert/strict'
import { openClient } from '../harness/clients.mjs'
import { startPostgres } from '../harness/postgres-server.mjs'
import { startRedis } from '../harness/redis-server.mjs'
import { openRun, until } from '../harness/run.mjs'
import { UmbelCore } from '../harness/subjects.mjs'

const reactors = process.argv[2] ?? '1'
const mode = process.argv[3] ?? 'native'
const run = openRun(`interop.two-cores.${mode}.reactors-${reactors}`)
const text = c => c.doc.getText('text').toString()

async function startPair (args = []) {
  const pg = await startPostgres(run)
  const redis = await startRedis(run)
  const cores = []
  for (const [i, n] of [reactors, Number(reactors) + 1].entries()) {
    cores.push(new UmbelCore(run, {
      label: `core-${i + 1}`,
      storeUrl: pg.url,
      reactors: n,
      args: ['--redis.enabled=true', `--spring.data.redis.url=${redis.url}`, `--cluster.id=core-${i + 1}`,
        '--collab.resync-interval=3600s', `--collab.cluster.mode=${mode}`, ...args]
    }))
  }
  for (const core of cores) await core.start()
  const bus = {
    pg,
    redis,
    cores,
    open: (i, room, options) => openClient('provider4', cores[i], room, options),
    metric: async (i, name) => {
      const page = await (await cores[i].fetch('/core/actuator/prometheus', { token: cores[i].token('write', 'admin') })).text()
      return Number(page.match(new RegExp(`^${name} (\\S+)`, 'm'))?.[1])
    },
    fail: (i, point, action) => cores[i].fetch(`/core/actuator/failpoints/${point}`, { method: 'PUT', token: signed(cores[i]), body: action }),
    async stop () {
      for (const core of cores) await core.stop()
    }
  }
  await until('each core knows the other', async () => {
    const seen = await Promise.all(cores.map(async c => (await c.fetch('/core/rest/admin/cluster', { token: signed(c) })).json()))
    return seen.every(s => s.members.length === 2)
  })
  return bus
}
const signed = core => core.adminToken ??= core.token('write', 'admin')

await run.story('clients on two cores edit one document, see one another, and see one another go', async () => {
  const bus = await startPair()
  const [a, b] = [bus.open(0, 'd', { name: 'Ann' }), bus.open(1, 'd', { name: 'Bob' })]
  await until('both in sync', () => a.settled() && b.settled())
  a.doc.getText('text').insert(0, 'from the first')
  await until('it comes', () => text(b) === 'from the first')
  b.doc.getText('text').insert(0, 'and the second, ')
  await until('and back', () => text(a) === 'and the second, from the first')
  const names = c => [...c.awareness.getStates().values()].map(s => s.user?.name).filter(Boolean).sort().join()
  await until('each sees the other', () => names(a) === 'Ann,Bob' && names(b) === 'Ann,Bob')
  a.awareness.setLocalStateField('cursor', 7)
  await until('a cursor moves', () => [...b.awareness.getStates().values()].some(s => s.cursor === 7))
  a.close()
  await until('who has gone is gone', () => names(b) === 'Bob')
  b.close()
  await bus.stop()
})

await run.story('a document opened at the second core shows what only the first has in memory', async () => {
  const bus = await startPair()
  const a = bus.open(0, 'd')
  await until('in sync', () => a.settled())
  a.doc.getText('text').insert(0, 'stored; ')
  await until('stored', () => a.settled())
  await bus.fail(0, 'edit.before_commit', 'error')
  a.doc.getText('text').insert(8, 'not stored')
  const c = bus.open(0, 'd')
  await until('others at the same core see it', () => text(c) === 'stored; not stored')
  const b = bus.open(1, 'd')
  await until('and so does the other core', () => text(b) === 'stored; not stored')
  assert.equal(a.settled(), false)
  await bus.fail(0, 'edit.before_commit', 'off')
  for (const client of [a, b, c]) client.close()
  await bus.stop()
})

await run.story('one core is killed: its people vanish at the other, its last words are stored there', async () => {
  const bus = await startPair()
  const [a, b] = [bus.open(0, 'd', { name: 'Ann' }), bus.open(1, 'd', { name: 'Bob' })]
  await until('both in sync', () => a.settled() && b.settled())
  await until('two are here', () => b.awareness.getStates().size === 2)
  await bus.pg.freeze()
  a.doc.getText('text').insert(0, 'last words')
  await until('heard at the other', () => text(b) === 'last words')
  await bus.cores[0].kill()
  a.close()
  bus.pg.thaw()
  await until('one is here', () => b.awareness.getStates().size === 1)
  await until('the other core has stored them', async () => await bus.metric(1, 'collab_bus_adopted_total') >= 1)
  await until('nothing is in doubt any more', async () => await bus.metric(1, 'collab_bus_doubts') === 0)
  await until('stored', async () => await bus.metric(1, 'collab_unstored_bytes') === 0)
  await bus.cores[1].kill()
  await bus.cores[1].start()
  const late = bus.open(1, 'd')
  await until('a late reader finds them', () => text(late) === 'last words')
  b.close()
  late.close()
  await bus.cores[1].stop()
})

await run.story('Redis goes away and comes back empty: both go on, and agree again without anybody typing', async () => {
  const bus = await startPair()
  const [a, b] = [bus.open(0, 'd'), bus.open(1, 'd')]
  await until('both in sync', () => a.settled() && b.settled())
  await bus.redis.kill()
  a.doc.getText('text').insert(0, 'A')
  b.doc.getText('text').insert(0, 'B')
  await until('acknowledged without Redis', () => a.settled() && b.settled())
  assert.notEqual(text(a), text(b))
  await bus.redis.start()
  await until('they agree', () => text(a) === text(b) && text(a).length === 2)
  a.close()
  b.close()
  await bus.stop()
})

await run.story('deleting and closing reach the other core', async () => {
  const bus = await startPair()
  const [a, b] = [bus.open(0, 'gone'), bus.open(1, 'gone')]
  await until('both in sync', () => a.settled() && b.settled())
  a.doc.getText('text').insert(0, 'x')
  await until('both have it', () => a.settled() && text(b) === 'x')
  const answer = await bus.cores[0].fetch('/core/rest/collab/documents/gone', { method: 'DELETE', token: signed(bus.cores[0]) })
  assert.equal(answer.status, 204)
  await until('told at the other core', () => b.events.some(e => e.event === 'close' && e.reason === 'deleted'))
  a.close()
  b.close()
  await bus.stop()
})

await run.finish()
