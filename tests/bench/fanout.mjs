/* Fan-out, joins and idle connections: Umbel beside stock Hocuspocus, the same load generator, the same run.
 *   fanout [--quick] [--case F1-500] [--subject umbel]
 * Medians of three runs, each on a server that has just been started. Release build unless UMBEL_BUILD says otherwise.
 * Cases are those of the peers' table: F1-100 F1-500 F1-max F2 AW1 J1 C1 D0. */
import path from 'node:path'
import { root } from '../harness/run.mjs'

process.env.UMBEL_BUILD ??= path.join(root, 'build/release')
const { openRun } = await import('../harness/run.mjs')
const { startSubject } = await import('../harness/subjects.mjs')
const { buildNativeSqlite, Load, median, option, versionsOf } = await import('./measure.mjs')

const quick = process.argv.includes('--quick')
const runs = 3
const longer = quick ? 1 : 3

const perDelivery = [
  ['cpu_per_delivery', 'us', r => r.cpu_us / r.deliveries],
  ['deliveries_per_second', '1/s', r => r.deliveries * 1e6 / r.elapsed_us],
  ['delivery_p50', 'ms', r => r.p50_ms], ['delivery_p99', 'ms', r => r.p99_ms],
  ['ack_p50', 'ms', r => r.ack_p50_ms], ['ack_p99', 'ms', r => r.ack_p99_ms]
]
const perClient = [
  ['memory_per_connection', 'KB', r => (r.rss_after - r.rss_before) / r.clients / 1024],
  ['process_at_start', 'MB', r => r.rss_before / 1048576]
]
const perJoin = [
  ['cpu', 's', r => r.cpu_us / 1e6], ['last_joined_after', 's', r => r.join_us / 1e6]
]

/* UPDATES count per document; presence changes in all. */
const cases = {
  'F1-100': { load: { scenario: 'fanout', docs: 1, readers: 100, rate: 100, updates: 500 * longer }, metrics: perDelivery },
  'F1-500': { load: { scenario: 'fanout', docs: 1, readers: 500, rate: 50, updates: 200 * longer }, metrics: perDelivery },
  'F1-max': { load: { scenario: 'fanout', docs: 1, readers: 100, inflight: 16, rate: 1, updates: 20000 * longer }, metrics: perDelivery },
  F2: { load: { scenario: 'fanout', docs: 500, readers: 1, rate: 2000, updates: 20 * longer }, metrics: perDelivery, subjects: ['umbel', 'hocuspocus', 'hocuspocus-sqlite'] },
  AW1: { load: { scenario: 'presence', clients: 50, rate: 200, updates: 1000 * longer }, metrics: perDelivery.slice(0, 2) },
  J1: { load: { scenario: 'join', clients: 1000, structs: 59614 }, metrics: perJoin },
  C1: { load: { scenario: 'idle', docs: 1, clients: 10000 }, metrics: perClient },
  D0: { load: { scenario: 'idle', docs: 2000, clients: 2000 }, metrics: perClient }
}

const wide = ['--collab.rate.updates=100000000', '--collab.rate.updates-burst=100000000']
const subjects = {
  umbel: run => startSubject(run, { kind: 'umbel', authentication: 'anonymous', args: wide }),
  hocuspocus: run => startSubject(run, { kind: 'hocuspocus', stock: { open: true, database: null } }),
  'hocuspocus-sqlite': run => startSubject(run, { kind: 'hocuspocus', stock: { open: true, driver: 'native' } })
}

const versions = {
  umbel: () => versionsOf.umbel(),
  hocuspocus: () => versionsOf.hocuspocus(),
  'hocuspocus-sqlite': () => versionsOf.hocuspocus('better-sqlite3')
}

async function measure (run, subject, load, serial) {
  const server = await subjects[subject](run)
  try {
    return await new Load(server, { ...load, pid: server.pid, prefix: `bench-${serial}` }).result()
  } finally {
    await server.kill()
  }
}

console.log = console.error                              /* standard output is for the figures alone */
const run = openRun('bench.fanout')
for (const [name, { load, metrics, subjects: wanted = ['umbel', 'hocuspocus'] }] of Object.entries(cases)) {
  if (option('--case') && option('--case') !== name) continue
  for (const subject of wanted) {
    if (option('--subject') && option('--subject') !== subject) continue
    await run.story(`${name} ${subject}`, async () => {
      if (subject === 'hocuspocus-sqlite') buildNativeSqlite()
      const results = []
      for (let n = 0; n < runs; n++) results.push(await measure(run, subject, load, n))
      for (const [metric, unit, of] of metrics) {
        const value = Number(median(results.map(of)).toPrecision(4))
        process.stdout.write(JSON.stringify({ bench: 'fanout', case: name, subject, metric, unit, value, runs, versions: versions[subject]() }) + '\n')
      }
    }, 900000)
  }
}
await run.finish()
