/* integration.caches: versions of caches on two cores and a gateway, over a real Redis. What one clears all have dropped when the
 * reply comes (C1); who is cut off from Redis finds it in the database. */
import assert from 'node:assert/strict'
import { startCluster } from '../harness/cluster.mjs'
import { openRun, until } from '../harness/run.mjs'
import { signToken } from '../harness/subjects.mjs'

const run = openRun('integration.caches')
const nodes = ['core-1', 'core-2', 'gateway-1']
const name = 'GEC-DocumentClass'
const cluster = await startCluster(run, { gateways: 1, redis: 'simple', balancer: false, properties: { 'cache.apply-wait': '5s', 'cache.compare-interval': '1s' } })
const admin = signToken({ sub: 'admin', profiles: ['SYSTEM_ADMIN'] })
const call = (method, target, at, token = admin) => cluster.fetch(target, { method, token }, at)
const json = async (method, target, at, token) => (await call(method, target, at, token)).json()
const cache = (at, which = name) => json('GET', `/core/actuator/caches/${encodeURIComponent(which)}`, at)
const insert = (scope, cacheName) => cluster.postgres.sql('INSERT INTO cache_versions VALUES($1, $2, 1)', [scope, cacheName])
const raised = async () => Number((await cluster.postgres.sql("SELECT version FROM cache_versions WHERE name = 'DocumentClass'"))[0].version)
const [first, second] = cluster.cores

await run.story('a version that nobody told of is found by comparing', async () => {
  await insert('GEC', 'DocumentClass')
  for (const core of cluster.cores) {
    await until('it is known', async () => (await json('GET', '/core/rest/caches', core)).includes(name), 30000)
    assert.equal((await cache(core)).version, 1)
  }
})

await run.story('what is cleared through the gateway has been dropped by all when the reply comes', async () => {
  const answer = await call('DELETE', '/core/rest/caches', cluster.gateway(1))
  assert.equal(answer.status, 200)
  const body = await answer.json()
  assert.ok(body.cleared.includes(name), JSON.stringify(body))
  assert.deepEqual(body.nodes, nodes.map(id => ({ id, ok: true })))
  assert.match(answer.headers.get('x-cluster-version'), /(^|, )GEC-DocumentClass=2(,|$)/)
  assert.equal(answer.headers.get('x-cluster-applied'), nodes.join())
  for (const core of cluster.cores) assert.equal((await cache(core)).applied, 2, core.label)
  assert.equal(await raised(), 2)
})

await run.story("the actuator has Spring's shapes, and clears one of them", async () => {
  const all = await json('GET', '/core/actuator/caches', first)
  assert.ok(all.cacheManagers.cacheManager.caches[name].target)
  const one = await cache(first)
  assert.equal(one.name, name)
  assert.equal(one.cacheManager, 'cacheManager')
  const cleared = await call('DELETE', `/core/actuator/caches/${name}?cacheManager=cacheManager`, first)
  assert.equal(cleared.status, 204)
  assert.equal(cleared.headers.get('x-cluster-version'), `${name}=3`)
  assert.equal(cleared.headers.get('x-cluster-applied'), nodes.join())
  assert.equal((await cache(second)).applied, 3)
  assert.equal((await call('DELETE', '/core/actuator/caches', second)).status, 204)
  assert.equal((await cache(first)).applied, 4)
  assert.equal((await call('GET', '/core/actuator/caches/none', first)).status, 404)
  assert.equal((await call('GET', `/core/actuator/caches/${name}?cacheManager=other`, first)).status, 404)
  await insert('A-B', 'C')
  await insert('A', 'B-C')
  await until('both are known', async () => (await json('GET', '/core/rest/caches', first)).filter(n => n === 'A-B-C').length === 2, 30000)
  assert.equal((await call('DELETE', '/core/actuator/caches/A-B-C', first)).status, 400)
})

await run.story("an administrator lists and clears his scope's; those of the installation are the platform's", async () => {
  const gec = signToken({ sub: 'ann', scope: 'GEC', profiles: ['ADMIN'] })
  await insert('', 'Everywhere')
  await until('it is known', async () => (await json('GET', '/core/rest/caches', first)).includes('Everywhere'), 30000)
  assert.deepEqual(await json('GET', '/core/rest/caches', first, gec), [name])
  assert.deepEqual(await json('GET', '/core/rest/caches?scope=GEC', first), [name])
  assert.equal((await call('GET', '/core/rest/caches?scope=A', first, gec)).status, 403)
  const before = await raised()
  const { cleared } = await (await call('DELETE', '/core/rest/caches', first, gec)).json()
  assert.deepEqual([cleared, await raised()], [[name], before + 1])
  assert.equal(Number((await cluster.postgres.sql("SELECT version FROM cache_versions WHERE name = 'Everywhere'"))[0].version), 1)
})

await run.story('caches are for administrators, versions for gateways', async () => {
  const user = signToken({ sub: 'eve', profiles: [] })
  for (const [method, target] of [['GET', '/core/rest/caches'], ['DELETE', '/core/rest/caches'], ['GET', '/core/actuator/caches'],
    ['DELETE', `/core/actuator/caches/${name}`]]) assert.equal((await call(method, target, first, user)).status, 403, target)
  assert.equal((await call('GET', '/core/rest/internal/caches', first)).status, 401, "an administrator's token is no gateway's")
  const gateway = signToken({ sub: 'umbel-gateway', use: 'gateway' })
  const rows = await json('GET', '/core/rest/internal/caches', first, gateway)
  assert.deepEqual(rows.find(row => row.name === 'DocumentClass'), { scope: 'GEC', name: 'DocumentClass', version: await raised() })
  assert.equal((await call('DELETE', '/core/rest/caches', first, gateway)).status, 401, "and a gateway's is no administrator's")
})

await run.story('without Redis the reply names who has applied it, and the others find it in the database', async () => {
  await cluster.redis.kill()
  const answer = await call('DELETE', '/core/rest/caches', first)
  const version = await raised()
  assert.equal(answer.status, 200)
  assert.equal((await answer.json()).nodes.find(node => node.id === 'core-1').ok, true)
  assert.equal(answer.headers.get('x-cluster-applied'), 'core-1')
  await until('core-2 has it', async () => (await cache(second)).applied === version, 30000)
  await cluster.redis.start()
  await until('all hear of it again', async () => {
    const again = await call('DELETE', '/core/rest/caches', second)
    return again.status === 200 && again.headers.get('x-cluster-applied') === nodes.join()
  }, 30000)
  assert.equal((await cache(first)).applied, await raised())
})

await run.story('all end well', () => cluster.stop())
await run.finish()
