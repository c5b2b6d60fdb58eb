/* Two servers and a Redis: a writer at the first, readers at the second. Umbel beside stock Hocuspocus with its Redis
 * extension, and beside the least that could do it (floor: relay.c), the same load generator, the same run.
 *   cluster [--quick] [--case F3] [--subject umbel[,floor]] [--runs 3] [--awake] [--other FOLDER]
 * Medians of three runs, each on servers that have just been started, the subjects in turn. Release build unless UMBEL_BUILD says otherwise.
 *
 *   F3      one document, 100 readers, 100 updates/s
 *   F3-m1   the same with 20 readers and a document of 1 MB, 59,614 structs, a fifth of them deleted
 *
 *   --awake   no processor sleeps while it is measured (awake.c), as on a machine that has other work; for all subjects alike
 *   --other   programs of another build (its bin folder), as the subjects umbel-other and umbel-memory-other
 *
 * Processor time is that of both servers and of Redis, and for Umbel of all processes of PostgreSQL, where every update is durable; stock
 * and the floor keep nothing on disk, and so does the subject umbel-memory (each core with a store of its own). Bytes from Redis are what it
 * has sent (INFO), subscriptions, heartbeats and membership included; publishes are its calls of PUBLISH (and of those in scripts).
 * Wake-ups are how often a process had gone to sleep. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { Child } from '../harness/process.mjs'
import { root } from '../harness/run.mjs'

process.env.UMBEL_BUILD ??= path.join(root, 'build/release')
const { openRun, until } = await import('../harness/run.mjs')
const { startPostgres } = await import('../harness/postgres-server.mjs')
const { startRedis } = await import('../harness/redis-server.mjs')
const { startSubject } = await import('../harness/subjects.mjs')
const { billBetween, billOf, bin, Load, median, option, versionsOf } = await import('./measure.mjs')

const quick = process.argv.includes('--quick')
const runs = Number(option('--runs') ?? 3)
const awake = process.argv.includes('--awake')
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
  ['wakeups_writers_server', 'per update', r => r.sleepsFirst / r.updates],
  ['wakeups_readers_server', 'per update', r => r.sleepsSecond / r.updates],
  ['wakeups_redis', 'per update', r => r.sleepsRedis / r.updates],
  ['publishes_per_update', '', r => r.publishes / r.updates],
  ['bytes_from_redis_per_update', 'B', r => r.bytes / r.updates],
  ['delivery_p50', 'ms', r => r.p50_ms], ['delivery_p99', 'ms', r => r.p99_ms],
  ['ack_p50', 'ms', r => r.ack_p50_ms]
]

const wide = ['--collab.rate.updates=100000000', '--collab.rate.updates-burst=100000000']
const core = (run, redis, n, storeUrl, bin) => startSubject(run, {
  kind: 'umbel',
  authentication: 'anonymous',
  label: `core-${n}`,
  storeUrl,
  bin,
  args: [...wide, '--redis.enabled=true', `--spring.data.redis.url=${redis.url}`, `--cluster.id=core-${n}`]
})
const stock = (run, redis, n) =>
  startSubject(run, { kind: 'hocuspocus', label: `stock-${n}`, stock: { open: true, database: null, redis: { port: redis.port, identifier: `stock-${n}` } } })

class Relay {
  constructor (run, redis, label, ...more) {
    const portFile = path.join(run.folder(label), 'port')
    this.child = new Child(run, label, bin('bench_relay'), ['--redis', redis.port, '--port-file', portFile, ...more], { log: `${portFile}.log` })
    this.pid = this.child.pid
    this.started = until(`${label} writes its port`, () => {
      this.child.assertAlive()
      this.port = fs.existsSync(portFile) && Number(fs.readFileSync(portFile, 'utf8'))
      return this.port > 0
    }).then(() => this)
  }

  async kill () {
    await this.child.end('SIGKILL')
  }
}

const umbel = where => ({
  needsPostgres: true,
  start: async (run, redis, pg) => [await core(run, redis, 1, pg.url, where), await core(run, redis, 2, pg.url, where)],
  versions: versionsOf.umbel
})
const umbelInMemory = where => ({
  start: async (run, redis) => [await core(run, redis, 1, 'memory:', where), await core(run, redis, 2, 'memory:', where)],
  versions: versionsOf.umbel
})
const other = option('--other')
const subjects = {
  umbel: umbel(),
  'umbel-memory': umbelInMemory(),
  ...(other && { 'umbel-other': umbel(other), 'umbel-memory-other': umbelInMemory(other) }),
  floor: {
    start: (run, redis) => Promise.all([new Relay(run, redis, 'floor-1').started, new Relay(run, redis, 'floor-2', '--hear').started]),
    versions: versionsOf.umbel
  },
  hocuspocus: {
    start: async (run, redis) => [await stock(run, redis, 1), await stock(run, redis, 2)],
    versions: () => versionsOf.hocuspocus('@hocuspocus/extension-redis')
  }
}

/* Processors that do not sleep; returns what ends that. */
async function keepAwake () {
  const child = spawn(bin('bench_awake'), { stdio: ['pipe', 'pipe', 'inherit'] })
  const { done } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next()
  assert.ok(!done, 'bench_awake is at work')
  return () => new Promise(resolve => child.on('exit', resolve).stdin.end())
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
  const groups = { First: [servers[0].pid], Second: [servers[1].pid], Redis: [redis.child.pid], Postgres: pg ? pg.processes() : [] }
  const letSleep = awake ? await keepAwake() : () => {}
  const from = Object.fromEntries(Object.entries(groups).map(([name, pids]) => [name, billOf(pids)]))
  const counted = await redisCounts(redis)
  generator.go()
  const result = await generator.result()
  const counts = await redisCounts(redis)
  const bills = Object.entries(groups).map(([name, pids]) => [name, billBetween(from[name], billOf(pids))])
  await letSleep()
  await generator.end()
  for (const server of servers) await server.kill()
  await redis.stop()
  if (pg) await pg.stop()
  assert.equal(result.refused, 0, 'every update is taken')
  return {
    ...result, ...Object.fromEntries(bills.flatMap(([name, bill]) => [[`cpu${name}`, bill.cpu], [`sleeps${name}`, bill.sleeps]])),
    cpu: bills.reduce((sum, [, bill]) => sum + bill.cpu, 0), updates: load.updates,
    bytes: counts.bytes - counted.bytes, publishes: counts.publishes - counted.publishes
  }
}

console.log = console.error                              /* standard output is for the figures alone */
const run = openRun('bench.cluster')
const wanted = (name, flag) => option(flag)?.split(',').includes(name) ?? true
const asked = Object.entries(subjects).filter(([title]) => wanted(title, '--subject'))
for (const [name, load] of Object.entries(cases).filter(([name]) => wanted(name, '--case'))) {
  const results = Object.fromEntries(asked.map(([title]) => [title, []]))
  for (let n = 0; n < runs; n++) {
    for (const [title, subject] of asked) {
      await run.story(`${name} ${title}, run ${n + 1}`, async () => { results[title].push(await measure(run, subject, load, n)) }, 300000)
    }
  }
  for (const [title, subject] of asked.filter(([title]) => results[title].length > 0)) {
    const about = { bench: 'cluster', case: name, subject: title, awake }
    for (const [metric, unit, of] of metrics) {
      const value = Number(median(results[title].map(of)).toPrecision(4))
      process.stdout.write(JSON.stringify({ ...about, metric, unit, value, runs: results[title].length, versions: subject.versions() }) + '\n')
    }
  }
}
await run.finish()
