/* Fan-out, joins and idle connections: Umbel beside stock Hocuspocus, the same load generator, the same run.
 *   fanout [--quick] [--case F1-500] [--subject umbel]
 * Medians of three runs, each on a server that has just been started. Release build unless UMBEL_BUILD says otherwise.
 * Cases are those of the peers' table: F1-100 F1-500 F1-max F2 AW1 J1 C1 D0. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { root } from '../harness/run.mjs'

process.env.UMBEL_BUILD ??= path.join(root, 'build/release')
const { openRun } = await import('../harness/run.mjs')
const { startSubject } = await import('../harness/subjects.mjs')

const option = name => process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined
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

/* The vendor's extension writes through better-sqlite3, which is compiled when it is needed for the first time. */
function buildNativeSqlite () {
  const tests = path.join(root, 'tests')
  if (fs.existsSync(path.join(tests, 'node_modules/better-sqlite3/build/Release/better_sqlite3.node'))) return
  console.error('compiling better-sqlite3 for the stock server (a minute or two)')
  const made = spawnSync('npm', ['rebuild', 'better-sqlite3', '--ignore-scripts=false'], { cwd: tests, stdio: ['ignore', 'ignore', 'inherit'] })
  if (made.status !== 0) throw new Error('better-sqlite3 could not be compiled')
}

const versionOf = name => JSON.parse(fs.readFileSync(path.join(root, 'tests/node_modules', name, 'package.json'))).version
const bin = name => path.join(process.env.UMBEL_BIN ?? path.join(process.env.UMBEL_BUILD, 'bin'), name)
const versions = {
  umbel: () => ({ umbel: execFileSync(bin('umbel-core'), ['--version'], { encoding: 'utf8' }).trim() }),
  hocuspocus: () => ({ hocuspocus: versionOf('@hocuspocus/server'), node: process.version }),
  'hocuspocus-sqlite': () => ({ hocuspocus: versionOf('@hocuspocus/server'), 'better-sqlite3': versionOf('better-sqlite3'), node: process.version })
}

async function measure (run, subject, load, serial) {
  const server = await subjects[subject](run)
  const args = Object.entries({ ...load, port: server.port, pid: server.pid, path: server.kind === 'umbel' ? '/collab' : '/', prefix: `bench-${serial}` })
    .flatMap(([key, value]) => [`--${key}`, String(value)])
  try {
    return JSON.parse(await output(bin('bench_loadgen'), args))
  } finally {
    await server.kill()
  }
}

/* Not execFileSync: the event loop must go on to hear of children that end. */
function output (command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let [out, err] = ['', '']
    child.stdout.on('data', data => { out += data })
    child.stderr.on('data', data => { err += data })
    child.on('error', reject)
    child.on('exit', code => code === 0 ? resolve(out) : reject(new Error(err || `${command} ended with ${code}`)))
  })
}

const median = list => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]

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
