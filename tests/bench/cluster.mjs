/* Two servers and a Redis: a writer at the first, readers at the second. Umbel beside stock Hocuspocus with its Redis
 * extension, the same load generator, the same run.
 *   cluster [--quick] [--case F3] [--subject umbel]
 * Medians of three runs, each on servers that have just been started. Release build unless UMBEL_BUILD says otherwise.
 *
 *   F3      one document, 100 readers, 100 updates/s
 *   F3-m1   the same with 20 readers and a document of 1 MB, 59,614 structs, a fifth of them deleted
 *
 * Processor time is that of both servers and of Redis, and for Umbel of all processes of PostgreSQL, where every update is durable; stock
 * keeps documents in memory, and so does the subject umbel-memory (each core with a store of its own). Bytes from Redis are what it
 * has sent (INFO), subscriptions, heartbeats and membership included; publishes are its calls of PUBLISH (and of those in scripts). */
import assert from 'node:assert/strict'
import path from 'node:path'
import { root } from '../harness/run.mjs'

process.env.UMBEL_BUILD ??= path.join(root, 'build/release')
const { openRun, until } = await import('../harness/run.mjs')
const { startPostgres } = await import('../harness/postgres-server.mjs')
const { startRedis } = await import('../harness/redis-server.mjs')
const { startSubject } = await import('../harness/subjects.mjs')
const { billBetween, billOf, Load, median, option, versionsOf } = await import('./measure.mjs')

const quick = process.argv.includes('--quick')
const runs = 3
const longer = quick ? 1 : 3

const cases = {
  F3: { scenario: 'fanout', docs: 1, readers: 100, rate: 100, updates: 500 * longer },
  'F3-m1': { scenario: 'fanout', docs: 1, readers: 20, rate: 100, updates: 500 * longer, structs: 59614 }
}
const metrics = [
  ['cpu_per_delivery', 'us', r => r.cpu * 1e6 / r.deliveries],
  ['cpu_per_update', 'ms', r => r.cpu * 1e3 / r.updates],
  ['cpu_writers_server', 'ms', r => r.cpuFirst * 1e3 / r.updates],
  ['cpu_readers_server', 'ms', r => r.cpuSecond * 1e3 / r.updates],
  ['cpu_redis', 'ms', r => r.cpuRedis * 1e3 / r.updates],
  ['publishes_per_update', '', r => r.publishes / r.updates],
  ['bytes_from_redis_per_update', 'B', r => r.bytes / r.updates],
  ['delivery_p50', 'ms', r => r.p50_ms], ['delivery_p99', 'ms', r => r.p99_ms],
  ['ack_p50', 'ms', r => r.ack_p50_ms]
]

const wide = ['--collab.rate.updates=100000000', '--collab.rate.updates-burst=100000000']
const core = (run, redis, n, storeUrl) => startSubject(run, {
  kind: 'umbel',
  authentication: 'anonymous',
  label: `core-${n}`,
  storeUrl,
  args: [...wide, '--redis.enabled=true', `--spring.data.redis.url=${redis.url}`, `--cluster.id=core-${n}`]
})
const stock = (run, redis, n) =>
  startSubject(run, { kind: 'hocuspocus', label: `stock-${n}`, stock: { open: true, database: null, redis: { port: redis.port, identifier: `stock-${n}` } } })

const subjects = {
  umbel: {
    needsPostgres: true,
    start: async (run, redis, pg) => [await core(run, redis, 1, pg.url), await core(run, redis, 2, pg.url)],
    versions: versionsOf.umbel
  },
  'umbel-memory': {
    start: async (run, redis) => [await core(run, redis, 1, 'memory:'), await core(run, redis, 2, 'memory:')],
    versions: versionsOf.umbel
  },
  hocuspocus: {
    start: async (run, redis) => [await stock(run, redis, 1), await stock(run, redis, 2)],
    versions: () => versionsOf.hocuspocus('@hocuspocus/extension-redis')
  }
}

/* --- Redis' own counts ---------------------------------------------------------------------------------------- */

async function redisCounts (redis) {
  const page = `${await redis.cli('INFO', 'stats')}\n${await redis.cli('INFO', 'commandstats')}`
  const number = pattern => Number(pattern.exec(page)?.[1] ?? 0)
  return { bytes: number(/total_net_output_bytes:(\d+)/), publishes: number(/cmdstat_publish:calls=(\d+)/) }
}

const members = async server => server.kind === 'umbel'
  ? (await (await server.fetch('/core/rest/admin/cluster', { token: server.token('write', 'admin') })).json()).members.length
  : 2

async function measure (run, subject, load, serial) {
  const redis = await startRedis(run)
  const pg = subject.needsPostgres ? await startPostgres(run) : null
  const servers = await subject.start(run, redis, pg)
  await until('both know one another', async () => (await Promise.all(servers.map(members))).every(n => n === 2))
  const generator = new Load(servers[0], { ...load, 'reader-port': servers[1].port, prefix: `bench-${serial}`, hold: true })
  assert.equal(await generator.line(), 'ready')
  const groups = { cpuFirst: [servers[0].pid], cpuSecond: [servers[1].pid], cpuRedis: [redis.child.pid], cpuPostgres: pg ? pg.processes() : [] }
  const from = Object.fromEntries(Object.entries(groups).map(([name, pids]) => [name, billOf(pids)]))
  const counted = await redisCounts(redis)
  generator.go()
  const result = await generator.result()
  const counts = await redisCounts(redis)
  const costs = Object.fromEntries(Object.entries(groups).map(([name, pids]) => [name, billBetween(from[name], billOf(pids)).cpu]))
  await generator.end()
  for (const server of servers) await server.kill()
  await redis.stop()
  if (pg) await pg.stop()
  assert.equal(result.refused, 0, 'every update is taken')
  return {
    ...result, ...costs, cpu: Object.values(costs).reduce((a, b) => a + b), updates: load.updates,
    bytes: counts.bytes - counted.bytes, publishes: counts.publishes - counted.publishes
  }
}

console.log = console.error                              /* standard output is for the figures alone */
const run = openRun('bench.cluster')
for (const [name, load] of Object.entries(cases)) {
  if (option('--case') && option('--case') !== name) continue
  for (const [title, subject] of Object.entries(subjects)) {
    if (option('--subject') && option('--subject') !== title) continue
    await run.story(`${name} ${title}`, async () => {
      const results = []
      for (let n = 0; n < runs; n++) results.push(await measure(run, subject, load, n))
      for (const [metric, unit, of] of metrics) {
        const value = Number(median(results.map(of)).toPrecision(4))
        process.stdout.write(JSON.stringify({ bench: 'cluster', case: name, subject: title, metric, unit, value, runs, versions: subject.versions() }) + '\n')
      }
    }, 900000)
  }
}
await run.finish()
