/* Asynchronous operations: jobs per second from the operation's unit to the row that is gone, processor time of a job, and how long a job
 * waits for its handler; with an empty queue, and beside many that wait.
 *   jobs [--quick] [--waiting N]
 * On SQLite (a file) and on a PostgreSQL of its own, there with one core and with two. Medians of three runs. Release build unless
 * UMBEL_BUILD says otherwise. */
import path from 'node:path'
import { spawnSync } from 'node:child_process'
import { root } from '../harness/run.mjs'

process.env.UMBEL_BUILD ??= path.join(root, 'build/release')
const { openRun } = await import('../harness/run.mjs')
const { startPostgres } = await import('../harness/postgres-server.mjs')
const { bin, median, option, versionsOf } = await import('./measure.mjs')

const quick = process.argv.includes('--quick')
const waiting = Number(option('--waiting') ?? (quick ? 10000 : 100000))
const [seconds, runs] = quick ? [1, 1] : [5, 3]
const run = openRun('bench.jobs')

function tool (url, ...args) {
  const done = spawnSync(bin('bench_jobs'), [url, ...args.map(String)], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  if (done.status !== 0) throw new Error(done.stderr)
  return done.stdout.trim().split('\n').filter(line => line !== '').map(line => JSON.parse(line))
}

/* The same several times; one line for each figure. */
function measure (database, url, name, ...args) {
  const all = Array.from({ length: runs }, () => tool(url, ...args))
  for (const figure of all[0]) {
    const values = all.map(lines => lines.find(line => line.metric === figure.metric)?.value)
    console.log(JSON.stringify({ ...figure, case: name, database, value: median(values), runs, versions: versionsOf.umbel() }))
  }
}

async function both (database, url, cores) {
  await run.story(`${database}: an empty queue`, () => {
    measure(database, url, 'empty', 'latency', quick ? 50 : 200)
    for (const n of cores) measure(database, url, 'empty', 'steady', seconds, n)
  }, 600000)
  await run.story(`${database}: ${waiting} jobs wait`, () => {
    tool(url, 'fill', waiting)
    measure(database, url, `${waiting} waiting`, 'latency', quick ? 20 : 50)
    for (const n of cores) measure(database, url, `${waiting} waiting`, 'drain', seconds, n)
  }, 1800000)
}

await both('sqlite', `sqlite://${path.join(run.folder('jobs'), 'jobs.db')}`, [1])
let postgres
await run.story('a PostgreSQL server', async () => { postgres = await startPostgres(run) })
await both('postgresql', postgres.url, [1, 2])
await run.finish()
