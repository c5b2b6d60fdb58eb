/* The store: Umbel beside stock Hocuspocus, both on SQLite and on PostgreSQL, the same load generator, the same run.
 *   store [--quick] [--case S1-max] [--subject umbel-sqlite]
 * Medians of three runs, each on a server that has just been started. Release build unless UMBEL_BUILD says otherwise.
 *
 *   S1      500 documents of 42 kB, 2,000 changes/s, each server as it comes: stock waits 2 to 10 s before it stores
 *   S1-max  the same, every change to be stored at once (stock: debounce 0, and no more than 1,000 changes, for it would need
 *           minutes)
 *   J2      40 documents of 1 MB that nobody has open are opened one after another
 *   R1      1,000 clients on 100 documents, kill -9, restart: down until a handshake is answered, synced when all have
 *           their documents
 *
 * Processor time is that of the server and of all processes of PostgreSQL; bytes written are what they gave to the disk, in
 * pages, until everything was folded and the log of the database had come to rest. The kernel counts a page that is dirtied
 * with the whole piece of the page cache that it is in, up to 256 kB where the file system has such: of PostgreSQL's log, which
 * is rewritten in place, therefore many times what goes to the disk; its own length is given beside it. Umbel has stored a change when it says
 * so; a stock server when its last store hook has ended. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { root } from '../harness/run.mjs'

process.env.UMBEL_BUILD ??= path.join(root, 'build/release')
const { openRun, pass, until } = await import('../harness/run.mjs')
const { startPostgres } = await import('../harness/postgres-server.mjs')
const { startSubject } = await import('../harness/subjects.mjs')
const { billBetween, billOf, buildNativeSqlite, Load, median, option, versionsOf } = await import('./measure.mjs')

const quick = process.argv.includes('--quick')
const runs = 3
const longer = quick ? 1 : 3
const REST_MS = 1500                             /* what has not written for so long has come to rest */
const changeBytes = 21                           /* of one typed character, as an update */

const wide = ['--collab.rate.updates=100000000', '--collab.rate.updates-burst=100000000']
const inUmbel = (run, where) => startSubject(run, { kind: 'umbel', authentication: 'anonymous', args: wide, ...where })
const inStock = (run, where, options) =>
  startSubject(run, { kind: 'hocuspocus', stock: { open: true, driver: 'native', watch: true, options, ...where } })

/* start: a server; pg: the PostgreSQL of this subject. */
const subjects = {
  'umbel-sqlite': { start: run => inUmbel(run, {}), versions: versionsOf.umbel },
  'hocuspocus-sqlite': {
    start: (run, pg, options) => { buildNativeSqlite(); return inStock(run, {}, options) },
    versions: () => versionsOf.hocuspocus('better-sqlite3')
  },
  'umbel-postgres': { needsPostgres: true, start: (run, pg) => inUmbel(run, { storeUrl: pg.url }), versions: versionsOf.umbel },
  'hocuspocus-postgres': {
    needsPostgres: true,
    start: (run, pg, options) => inStock(run, { postgres: pg.connection }, options),
    versions: () => versionsOf.hocuspocus('pg')
  }
}

/* --- what a server has stored ------------------------------------------------------------------------------ */

const isStock = server => server.kind !== 'umbel'
const stores = async server => await (await server.fetch('/stores')).json()

/* Waits until a stock server has stored CHANGES more than AFTER; the moment of the last one. */
async function untilStored (server, changes, after = 0) {
  if (!isStock(server)) return Date.now()
  let now
  await until('the stock server has stored everything', async () => {
    now = await stores(server)
    return now.changes >= after + changes && now.waiting === 0
  }, 300000, 20)
  return now.lastAt
}

const familyOf = (server, pg) => [server.pid, ...(pg ? pg.processes() : [])]
const bill = (server, pg) => billOf(familyOf(server, pg))
const logBytes = async pg => pg ? Number((await pg.sql("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') AS n"))[0].n) : 0

/* Folds, checkpoints and the database's own tidying up. */
async function atRest (server, pg) {
  await pass(REST_MS * 2)
  if (pg) await pg.sql('CHECKPOINT')
  let last = -1
  await until('the disk comes to rest', async () => {
    const { written } = bill(server, pg)
    const still = written === last
    last = written
    return still
  }, 60000, REST_MS)
}

/* A stop lets Umbel fold; a stock server has stored already. */
const rest = async server => isStock(server) ? await server.kill() : await server.stop()

/* --- the measurements: prepare once for a subject, then run on a server that has just been started ------------- */

async function seed (server, load) {
  const filler = new Load(server, { scenario: 'seed', ...load, hold: true })
  await filler.result()
  await untilStored(server, load.docs)
  await filler.end()
}

async function storeChanges (server, pg, { docs, rate, updates }, serial) {
  const load = new Load(server, {
    scenario: 'fanout', docs, readers: 0, rate, updates, prefix: 'store', 'first-client': 1000000 * (serial + 1), hold: true
  })
  assert.equal(await load.line(), 'ready')
  await atRest(server, pg)
  const before = isStock(server) ? (await stores(server)).changes : 0
  const logFrom = await logBytes(pg)
  const from = bill(server, pg)
  const core = billOf([server.pid])
  const startedAt = Date.now()
  load.go()
  const result = await load.result()
  const doneAt = await untilStored(server, docs * updates, before)
  const stored = billBetween(from, bill(server, pg))
  const own = billBetween(core, billOf([server.pid]))
  await atRest(server, pg)
  const settled = { ...billBetween(from, bill(server, pg)), log: await logBytes(pg) - logFrom }
  await load.end()
  assert.equal(result.refused, 0, 'every change is taken')
  return { changes: docs * updates, seconds: (doneAt - startedAt) / 1000, stored, own, settled, result }
}

async function openCold (server, pg, { docs }) {
  const load = new Load(server, { scenario: 'cold', docs, prefix: 'store', hold: true })
  assert.equal(await load.line(), 'ready')
  const [from, core] = [bill(server, pg), billOf([server.pid])]
  load.go()
  const result = await load.result()
  const [all, own] = [billBetween(from, bill(server, pg)), billBetween(core, billOf([server.pid]))]
  await load.end()
  return { docs, result, all, own }
}

async function recover (server, pg, { docs, clients, updates }, serial) {
  const load = new Load(server, { scenario: 'recover', docs, clients, updates, rate: 2000, prefix: `recover${serial}`, hold: true })
  assert.equal(await load.line(), 'ready')
  await untilStored(server, docs * updates)
  const database = pg ? billOf(pg.processes()) : null
  load.go()
  await server.kill()
  await server.start()
  const result = await load.result()
  const own = billOf([server.pid])
  const all = own.cpu + (pg ? billBetween(database, billOf(pg.processes())).cpu : 0)
  await load.end()
  assert.equal(result.lost, 0, 'nothing is lost')
  return { result, all, own: own.cpu }
}

const perChange = [
  ['changes_stored_per_second', '1/s', r => r.changes / r.seconds],
  ['cpu_per_change', 'ms', r => r.stored.cpu * 1e3 / r.changes],
  ['server_cpu_per_change', 'ms', r => r.own.cpu * 1e3 / r.changes],
  ['cpu_per_change_settled', 'ms', r => r.settled.cpu * 1e3 / r.changes],
  ['bytes_written_per_changed_byte', '', r => r.settled.written / (r.changes * changeBytes)],
  ['postgres_log_bytes_per_changed_byte', '', r => r.settled.log / (r.changes * changeBytes)],
  ['ack_p50', 'ms', r => r.result.ack_p50_ms], ['ack_p99', 'ms', r => r.result.ack_p99_ms]
]
const perOpen = [
  ['open_p50', 'ms', r => r.result.p50_ms], ['open_p99', 'ms', r => r.result.p99_ms],
  ['cpu_per_open', 'ms', r => r.all.cpu * 1e3 / r.docs], ['server_cpu_per_open', 'ms', r => r.own.cpu * 1e3 / r.docs],
  ['memory_per_open', 'MB', r => r.own.memory / r.docs / 1048576]
]
const perRecovery = [
  ['down', 's', r => r.result.down_us / 1e6], ['synced', 's', r => r.result.synced_us / 1e6],
  ['cpu', 's', r => r.all], ['server_cpu', 's', r => r.own]
]

const small = { docs: 500, structs: 2770 }       /* 42 kB each */
const large = { docs: 40, structs: 59614 }       /* 1 MB each */
const typing = { docs: 500, rate: 2000, updates: 20 * longer }
const atOnce = { debounce: 0, maxDebounce: 0 }

const cases = {
  S1: { seed: small, load: typing, measure: storeChanges, metrics: perChange },
  'S1-max': { seed: small, load: typing, measure: storeChanges, metrics: perChange, stock: atOnce, stockLoad: { ...typing, updates: 2 } },
  J2: { seed: large, load: large, measure: openCold, metrics: perOpen },
  R1: { load: { docs: 100, clients: 1000, updates: 20 }, measure: recover, metrics: perRecovery }
}

/* RUNS results of one case for one subject. STOCKLOAD: for a server that would need minutes. */
async function measureAll (run, subject, { seed: filling, load, measure, stock, stockLoad = load }) {
  const { start, needsPostgres } = subjects[subject]
  const pg = needsPostgres ? await startPostgres(run) : null
  const server = await start(run, pg, stock)
  const results = []
  if (filling) {
    await seed(server, { ...filling, prefix: 'store' })
    await rest(server)
  }
  for (let n = 0; n < runs; n++) {
    if (server.child.exit !== null) await server.start()
    results.push(await measure(server, pg, isStock(server) ? stockLoad : load, n))
    await rest(server)
  }
  await pg?.stop('fast')
  return results
}

/* --- the table ---------------------------------------------------------------------------------------------- */

const table = []

function print (rows) {
  const lines = [['case', 'metric', ...Object.keys(subjects)], ...rows]
  const width = lines[0].map((_, i) => Math.max(...lines.map(line => line[i].length)))
  for (const line of lines) console.error(line.map((cell, i) => i < 2 ? cell.padEnd(width[i]) : cell.padStart(width[i])).join('  '))
}

function note (name, subject, metric, unit, value) {
  const title = unit ? `${metric}, ${unit}` : metric
  let row = table.find(r => r[0] === name && r[1] === title)
  if (!row) table.push(row = [name, title, ...Object.keys(subjects).map(() => '')])
  row[2 + Object.keys(subjects).indexOf(subject)] = String(value)
}

console.log = console.error                              /* standard output is for the figures alone */
const run = openRun('bench.store')
for (const [name, settings] of Object.entries(cases)) {
  if (option('--case') && option('--case') !== name) continue
  for (const [subject, { versions }] of Object.entries(subjects)) {
    if (option('--subject') && option('--subject') !== subject) continue
    await run.story(`${name} ${subject}`, async () => {
      const results = await measureAll(run, subject, settings)
      for (const [metric, unit, of] of settings.metrics) {
        if (metric.startsWith('postgres_') && !subjects[subject].needsPostgres) continue
        const value = Number(median(results.map(of)).toPrecision(3))
        process.stdout.write(JSON.stringify({ bench: 'store', case: name, subject, metric, unit, value, runs, versions: versions() }) + '\n')
        note(name, subject, metric, unit, value)
      }
    }, 1800000)
  }
}
print(table)
await run.finish()
