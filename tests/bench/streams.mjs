/* Streams beside channels (collab.cluster.transport): two cores, a PostgreSQL and a Redis, the same load, in turn in the same run.
 *   streams [--quick] [--case F3] [--runs 3]
 * Medians. Release build unless UMBEL_BUILD says otherwise.
 *
 *   F3      one document, its writer at the first core, 100 readers at the second, 100 updates/s
 *   alone   100 documents, each with a writer and a reader, all at the first core, 500 updates/s: nobody else has them open
 *
 * Processor time is that of both cores, of Redis and of all processes of PostgreSQL. Memory is read when the last update has been
 * delivered: resident pages of both cores, and what the streams take in Redis (MEMORY USAGE). */
import assert from 'node:assert/strict'
import path from 'node:path'
import { root } from '../harness/run.mjs'

process.env.UMBEL_BUILD ??= path.join(root, 'build/release')
const { openRun, until } = await import('../harness/run.mjs')
const { startPostgres } = await import('../harness/postgres-server.mjs')
const { startRedis } = await import('../harness/redis-server.mjs')
const { startSubject } = await import('../harness/subjects.mjs')
const { billBetween, billOf, Load, median, option, versionsOf } = await import('./measure.mjs')

const longer = process.argv.includes('--quick') ? 1 : 3
const runs = Number(option('--runs') ?? 3)
const cases = {
  F3: { elsewhere: true, load: { scenario: 'fanout', docs: 1, readers: 100, rate: 100, updates: 500 * longer } },
  alone: { elsewhere: false, load: { scenario: 'fanout', docs: 100, readers: 1, rate: 500, updates: 25 * longer } }
}
const transports = ['pubsub', 'streams']
const metrics = [
  ['cpu_per_delivery', 'us', r => r.cpu * 1e6 / r.deliveries],
  ['cpu_cores', 'ms per update', r => r.cpuCores * 1e3 / r.updates],
  ['cpu_redis', 'ms per update', r => r.cpuRedis * 1e3 / r.updates],
  ['cpu_postgres', 'ms per update', r => r.cpuPostgres * 1e3 / r.updates],
  ['bytes_from_redis', 'B per update', r => r.fromRedis / r.updates],
  ['memory_cores', 'MB', r => r.memoryCores / 1e6],
  ['memory_streams', 'kB', r => r.memoryRedis / 1e3],
  ['delivery_p50', 'ms', r => r.p50_ms], ['delivery_p99', 'ms', r => r.p99_ms],
  ['ack_p50', 'ms', r => r.ack_p50_ms]
]

const bytesFrom = async redis => Number(/total_net_output_bytes:(\d+)/.exec(await redis.cli('INFO', 'stats'))[1])
async function streamsTake (redis) {
  let sum = 0
  for (let i = 0; i < 4; i++) sum += Number(await redis.cli('MEMORY', 'USAGE', `umbel:collab:stream:${i}`, 'SAMPLES', '0') ?? 0)
  return sum
}
const members = async core => (await (await core.fetch('/core/rest/admin/cluster', { token: core.token('write', 'admin') })).json()).members.length

async function measure (run, transport, { elsewhere, load }, serial) {
  const [redis, pg] = await Promise.all([startRedis(run), startPostgres(run)])
  const start = label => startSubject(run, {
    kind: 'umbel',
    authentication: 'anonymous',
    label,
    storeUrl: pg.url,
    args: ['--collab.rate.updates=100000000', '--collab.rate.updates-burst=100000000', `--collab.cluster.transport=${transport}`, '--redis.enabled=true',
      `--spring.data.redis.url=${redis.url}`, `--cluster.id=${label}`]
  })
  const cores = [await start('core-1'), await start('core-2')]
  await until('both know one another', async () => (await Promise.all(cores.map(members))).every(n => n === 2))
  const generator = new Load(cores[0], { ...load, ...(elsewhere && { 'reader-port': cores[1].port }), prefix: `bench-${serial}`, hold: true })
  assert.equal(await generator.line(), 'ready')
  const groups = { Cores: cores.map(core => core.pid), Redis: [redis.child.pid], Postgres: pg.processes() }
  const bills = () => Object.fromEntries(Object.entries(groups).map(([name, pids]) => [name, billOf(pids)]))
  const before = { bills: bills(), bytes: await bytesFrom(redis) }
  generator.go()
  const result = await generator.result()
  const after = { bills: bills(), bytes: await bytesFrom(redis), memory: await streamsTake(redis) }
  await generator.end()
  for (const core of cores) await core.kill()
  await Promise.all([redis.stop(), pg.stop()])
  assert.equal(result.refused, 0, 'every update is taken')
  const cost = Object.fromEntries(Object.keys(groups).map(name => [`cpu${name}`, billBetween(before.bills[name], after.bills[name]).cpu]))
  return {
    ...result, ...cost, cpu: Object.values(cost).reduce((a, b) => a + b), updates: load.docs * load.updates,
    fromRedis: after.bytes - before.bytes, memoryCores: after.bills.Cores.memory, memoryRedis: after.memory
  }
}

console.log = console.error                              /* standard output is for the figures alone */
const run = openRun('bench.streams')
for (const [name, what] of Object.entries(cases).filter(([name]) => option('--case')?.split(',').includes(name) ?? true)) {
  const results = Object.fromEntries(transports.map(transport => [transport, []]))
  for (let n = 0; n < runs; n++) {
    for (const transport of transports) {
      await run.story(`${name} ${transport}, run ${n + 1}`, async () => { results[transport].push(await measure(run, transport, what, n)) }, 300000)
    }
  }
  for (const transport of transports.filter(transport => results[transport].length > 0)) {
    for (const [metric, unit, of] of metrics) {
      const value = Number(median(results[transport].map(of)).toPrecision(4))
      process.stdout.write(JSON.stringify({ bench: 'streams', case: name, subject: transport, metric, unit, value, runs: results[transport].length, versions: versionsOf.umbel() }) + '\n')
    }
  }
}
await run.finish()
