/* fault.streams: collab.cluster.transport=streams. Cores are killed and added while people type; Redis is emptied.
 *   - nothing acknowledged is lost, and the store has it at the moment of a death;
 *   - who comes reads what the store does not have yet out of Redis, and not from other cores;
 *   - with Redis emptied, all comes from the store;
 *   - workers fold, and one that dies is replaced. */
import assert from 'node:assert/strict'
import { startCluster } from '../harness/cluster.mjs'
import { openRun, until } from '../harness/run.mjs'
import { UmbelCore, signToken } from '../harness/subjects.mjs'
import { readStored, verifyStored } from '../harness/stored.mjs'
import { tokensHeld, tokensOf, Typists } from '../harness/typists.mjs'

const run = openRun('fault.streams')
const cluster = await startCluster(run, {
  cores: 2,
  gateways: 0,
  redis: 'simple',
  balancer: false,
  properties: { 'collab.cluster.transport': 'streams', 'collab.debounce': '200ms', 'collab.max-debounce': '1s', 'collab.unload-delay': '200ms' },
  coreProperties: { 'core.roles': 'rest,collab', 'management.endpoint.health.show-details': 'always' }
})
const redis = cluster.redis
const room = 'typed-in'
const kinds = ['provider4', 'provider3']

const admin = signToken({ sub: 'admin', profiles: ['SYSTEM_ADMIN'] })
async function figure (core, name) {
  const text = await (await core.fetch('/core/actuator/prometheus', { token: admin })).text()
  return Number(new RegExp(`^${name.replaceAll('.', '_')}(?:_total)?(?:\\{[^}]*\\})? ([0-9.]+)`, 'm').exec(text)?.[1] ?? 0)
}

async function addCore (n, { roles = 'rest,collab', env = {} } = {}) {
  const common = cluster.common(`core-${n}`)
  const args = common.args.map(arg => arg.startsWith('--core.roles=') ? `--core.roles=${roles}` : arg)
  const core = new UmbelCore(run, { ...common, args, storeUrl: cluster.postgres.url })
  core.restart = async env => { await core.kill(); await core.start(env) }
  cluster.cores.push(core)
  await core.start(env)
  return core
}

/* Everybody's at every core: nobody types any more. */
async function allAgree (watchers) {
  watchers.forEach(w => w.stopTyping())
  const living = watchers.flatMap(w => w.clients)
  await until('everybody is in sync and saved', () => living.every(c => c.settled()), 30000)
  const tokens = watchers.flatMap(w => w.tokens)
  await until('everybody has everything', () => living.every(c => tokens.every(t => tokensOf(c.doc).has(t.text))), 30000)
  for (const w of watchers) await verifyStored(cluster.postgres, w)
  return tokens.filter(t => t.ackedAt !== null).length
}
const acknowledged = (watchers, n) => until(`${n} more acknowledged`, (goal => () => watchers.reduce((s, w) => s + w.acknowledged.length, 0) >= goal)(
  watchers.reduce((s, w) => s + w.acknowledged.length, 0) + n), 30000)

const watchers = cluster.cores.map(core => new Typists(run, core, room, kinds))

await run.story('two cores: what is typed goes by streams, and both read it', async () => {
  watchers.forEach(w => w.startTyping(40))
  await acknowledged(watchers, 100)
  for (const core of cluster.cores) assert.ok(await figure(core, 'collab.bus.stream.read') > 50)
  assert.ok(Number(await redis.cli('EXISTS', 'umbel:collab:stream:0', 'umbel:collab:stream:1', 'umbel:collab:stream:2', 'umbel:collab:stream:3')) > 0)
})

await run.story('one is killed and another one added, while all type: nothing acknowledged is lost', async () => {
  await cluster.core(1).kill()
  await verifyStored(cluster.postgres, watchers[0])
  const third = await addCore(3)
  watchers.push(new Typists(run, third, room, kinds))
  watchers[2].startTyping(40)
  await acknowledged([watchers[2]], 20)
  assert.ok(await figure(third, 'collab.bus.recovered') > 0, 'nothing came out of the streams')
  await cluster.core(1).start()
  await acknowledged(watchers, 60)
  assert.ok(await allAgree(watchers) > 150)
})

await run.story('without a worker documents are complete, their logs stay, and health says it', async () => {
  const { log } = await readStored(cluster.postgres, room)
  assert.ok(log.length > 100, 'somebody has folded')
  const health = await (await cluster.core(1).fetch('/core/actuator/health')).json()
  assert.deepEqual([health.status, health.components.workers.status, health.components.workers.details.cores], ['UP', 'UNKNOWN', 0])
  await until('they are offered', async () => Number(await redis.cli('XLEN', 'umbel:collab:folds')) > 0)
})

await run.story('a worker takes offers and dies before it has folded', async () => {
  const worker = await addCore(5, { roles: 'worker', env: { UMBEL_FAIL: 'fold.taken=kill*1' } })
  await worker.child.gone
  assert.ok((await redis.cli('XPENDING', 'umbel:collab:folds', 'workers'))[0] > 0, 'it had taken none')
  cluster.cores.splice(cluster.cores.indexOf(worker), 1)
})

await run.story('what a core had told and not stored when it died is found in Redis by one that comes', async () => {
  const writer = new Typists(run, cluster.core(1), 'left-behind', ['provider4'])
  writer.startTyping(20)
  await acknowledged([writer], 5)
  await cluster.postgres.freeze()
  const told = writer.tokens.length
  await until('it is told and not acknowledged', () => writer.tokens.length > told + 5)
  writer.stopTyping()
  const unstored = writer.tokens.filter(t => t.ackedAt === null).map(t => t.text)
  assert.ok(unstored.length > 0)
  await until('it is in Redis', async () => await lengthOfStreams() >= unstored.length)
  writer.clients.forEach(c => c.close())
  await cluster.core(1).kill()
  await cluster.postgres.thaw()
  const fourth = await addCore(4)
  const reader = cluster.client('left-behind', { at: fourth })
  await until('the new core has it out of Redis', () => reader.provider.synced && unstored.every(text => tokensHeld(reader.doc).has(text)), 20000)
  await until('and stores it', async () => {
    const stored = await readStored(cluster.postgres, 'left-behind')
    const got = stored !== null ? tokensHeld(stored.doc) : new Set()
    return unstored.every(text => got.has(text))
  }, 20000)
  assert.ok(await figure(fourth, 'collab.bus.recovered') > 0, 'nothing came out of the streams')
  reader.close()
  await cluster.core(1).start()
})

async function lengthOfStreams () {
  let n = 0
  for (let i = 0; i < 4; i++) n += Number(await redis.cli('XLEN', `umbel:collab:stream:${i}`))
  return n
}

await run.story('another worker takes over, folds, and no offer is left', async () => {
  await addCore(6, { roles: 'worker' })
  await until('it is folded', async () => (await readStored(cluster.postgres, room)).log.length === 0, 40000)
  await until('no offer is left', async () => Number(await redis.cli('XLEN', 'umbel:collab:folds')) === 0, 20000)
})

await run.story('streams are cut when the store has it all', async () => {
  await until('they are empty', async () => await lengthOfStreams() === 0, 30000)
})

await run.story('Redis is emptied while all type, a core is killed: all comes from the store', async () => {
  watchers.forEach(w => w.startTyping(40))
  await acknowledged(watchers, 60)
  await redis.cli('FLUSHALL')
  await cluster.core(2).kill()
  await verifyStored(cluster.postgres, watchers[1])
  await redis.cli('FLUSHALL')
  await cluster.core(2).start()
  await acknowledged(watchers, 60)
  await allAgree(watchers)
})

watchers.forEach(w => w.close())
for (const core of cluster.cores) await core.stop()
await run.finish()
