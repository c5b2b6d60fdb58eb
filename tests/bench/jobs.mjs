/* Asynchronous operations: jobs per second end to end, processor time of a job, and how long after the operation's answer its handler begins;
 * with an empty queue, and beside many that wait.
 *   jobs [--quick] [--waiting N] [--case queue|core|bullmq]
 * queue: the engine alone with a handler that does nothing, on SQLite (a file), and on PostgreSQL and Redis, there with one core and with two.
 * bullmq: the peer, on Redis that writes its log once a second, and at every answer, which is the durability of the others.
 * core: requests to a core and a service over HTTP that hears of each; what the job costs is the difference to requests without one.
 * Medians of three runs. Release build unless UMBEL_BUILD says otherwise. */
import fs from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { spawnSync } from 'node:child_process'
import { root } from '../harness/run.mjs'

process.env.UMBEL_BUILD ??= path.join(root, 'build/release')
const { openRun, pass, until } = await import('../harness/run.mjs')
const { startCluster } = await import('../harness/cluster.mjs')
const { openEffects } = await import('../harness/effects.mjs')
const { openOffice } = await import('../harness/office.mjs')
const { startPostgres } = await import('../harness/postgres-server.mjs')
const { startRedis } = await import('../harness/redis-server.mjs')
const { startSubject } = await import('../harness/subjects.mjs')
const { billBetween, billOf, bin, median, option, versionsOf } = await import('./measure.mjs')

const quick = process.argv.includes('--quick')
const only = option('--case')
const waiting = Number(option('--waiting') ?? (quick ? 10000 : 100000))
const [seconds, runs, singles] = quick ? [1, 1, 50] : [5, 3, 200]
const together = 64
const run = openRun('bench.jobs')
const beside = `${waiting} waiting`

function tell (about, figures) {
  for (const { metric, unit, value } of figures) console.log(JSON.stringify({ bench: 'jobs', ...about, metric, unit, value, runs }))
}

/* Of several runs, each a list of figures, the medians. */
const medians = all => all[0].map(figure => ({ ...figure, value: median(all.map(figures => figures.find(f => f.metric === figure.metric)?.value)) }))

/* ---- programs that measure themselves ---- */

function program (command, ...args) {
  const done = spawnSync(command, args.map(String), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 24 })
  if (done.status !== 0) throw new Error(done.stderr)
  return done.stdout.trim().split('\n').filter(line => line !== '').map(line => JSON.parse(line))
}

/* SERVERS: { name: () => pids } whose time is told apart. */
function measured (servers, ask) {
  const before = Object.entries(servers).map(([, pids]) => billOf(pids()))
  const figures = ask()
  const jobs = figures.find(f => f.metric === 'jobs')?.value
  const rest = figures.filter(f => f.metric !== 'jobs')
  if (!jobs) return rest
  return [...rest, ...Object.entries(servers).map(([name, pids], i) => ({
    metric: `cpu ${name}`, unit: 'us/job', value: Number((billBetween(before[i], billOf(pids())).cpu * 1e6 / jobs).toFixed(1))
  }))]
}

function measure (about, servers, ask) {
  tell(about, medians(Array.from({ length: runs }, () => measured(servers, ask))))
}

async function queue (subject, versions, database, servers, cores, ask) {
  const about = { subject, database, versions }
  await run.story(`${subject}, ${database}: an empty queue`, () => {
    measure({ ...about, case: 'empty' }, servers, () => ask('latency', singles))
    for (const n of cores) measure({ ...about, case: 'empty', cores: n }, servers, () => ask('steady', seconds, n))
  }, 600000)
  await run.story(`${subject}, ${database}: ${waiting} jobs wait`, () => {
    ask('fill', waiting)
    measure({ ...about, case: beside }, servers, () => ask('latency', quick ? 20 : singles))
    for (const n of cores) measure({ ...about, case: beside, cores: n }, servers, () => ask('drain', seconds, n))
  }, 1800000)
}

/* ---- requests to a core ---- */

const agent = new http.Agent({ keepAlive: true, maxSockets: together })

/* POST of a document; its id. */
function create (core, token, name) {
  const body = JSON.stringify([{ name, data: { classId: 'Invoice' } }])
  return new Promise((resolve, reject) => {
    const request = http.request(`${core.origin}/core/rest/documents`, { method: 'POST', agent, headers: { token, 'content-type': 'application/json', 'content-length': body.length } }, async answer => {
      let text = ''
      for await (const piece of answer) text += piece
      if (answer.statusCode >= 300) reject(new Error(text))
      else resolve(JSON.parse(text)[0].id)
    })
    request.on('error', reject)
    request.end(body)
  })
}

/* Who waits for the effect of an operation. It may come before the operation's answer is read. */
class Heard {
  constructor () {
    this.at = new Map()
    this.waiting = new Map()
  }

  hear ({ object, at }) {
    this.at.set(object, at)
    this.waiting.get(object)?.()
  }

  async of (object) {
    if (!this.at.has(object)) await new Promise(resolve => this.waiting.set(object, resolve))
    this.waiting.delete(object)
    const at = this.at.get(object)
    this.at.delete(object)
    return at
  }
}

async function requests (core, office, servers, heard) {
  const before = Object.values(servers).map(pids => billOf(pids()))
  const began = performance.now()
  let n = 0
  await Promise.all(Array.from({ length: together }, async () => {
    while (performance.now() < began + seconds * 1000) {
      const id = await create(core, office.token, 'n')
      if (heard) await heard.of(id)
      n++
    }
  }))
  const perSecond = n * 1000 / (performance.now() - began)
  return { perSecond, cpu: Object.values(servers).map((pids, i) => billBetween(before[i], billOf(pids())).cpu * 1e6 / n) }
}

async function delays (core, office, heard) {
  const all = []
  for (let i = 0; i < singles; i++) {
    const id = await create(core, office.token, 'n')
    const answered = performance.now()
    all.push(Math.max(0, await heard.of(id) - answered) * 1000)
    await pass(5)
  }
  all.sort((a, b) => a - b)
  return [{ metric: 'median', unit: 'us', value: Math.round(all[singles >> 1]) }, { metric: 'p99', unit: 'us', value: Math.round(all[Math.floor(singles * 0.99)]) }]
}

async function withJobs (core, office, servers, heard, alone) {
  const { perSecond, cpu } = await requests(core, office, servers, heard)
  return [
    { metric: 'throughput', unit: 'jobs/s', value: Math.round(perSecond) },
    ...Object.keys(servers).map((name, i) => ({ metric: `cpu ${name}`, unit: 'us/job', value: Number((cpu[i] - alone[i]).toFixed(1)) })),
    ...await delays(core, office, heard)
  ]
}

async function several (fn) {
  const all = []
  for (let i = 0; i < runs; i++) all.push(await fn())
  return all
}

async function core (database, at, servers, url) {
  const about = { subject: 'umbel', database, versions: versionsOf.umbel() }
  await run.story(`requests to a core, ${database}`, async () => {
    const office = await openOffice([at], ['Invoice'])
    const effects = await openEffects(run)
    const heard = new Heard()
    effects.isKept = () => false
    effects.answer = async delivery => { heard.hear(delivery); return 204 }
    const plain = await several(() => requests(at, office, servers, null))
    const alone = plain[0].cpu.map((_, i) => median(plain.map(p => p.cpu[i])))
    tell({ ...about, case: 'requests without jobs' }, [
      { metric: 'throughput', unit: '1/s', value: Math.round(median(plain.map(p => p.perSecond))) },
      ...Object.keys(servers).map((name, i) => ({ metric: `cpu ${name}`, unit: 'us/request', value: Number(alone[i].toFixed(1)) }))
    ])
    await office.register({ handler: effects.url('told'), classId: 'Invoice', action: 'CREATE' })
    tell({ ...about, case: 'requests, empty' }, medians(await several(() => withJobs(at, office, servers, heard, alone))))
    if (url === null) await at.stop()        /* SQLite: one process at a time */
    program(bin('bench_jobs'), url ?? at.storeUrl, 'fill', waiting, 'Office', 'of-nobody', 'worker:nobody', waiting)
    if (url === null) await at.start()
    tell({ ...about, case: `requests, ${beside}` }, medians(await several(() => withJobs(at, office, servers, heard, alone))))
    await until('nothing but those', async () => await office.done('GET', '/jobs/waiting/count') === waiting)
    await effects.stop()
  }, 600000)
}

/* ---- all of it ---- */

const wants = name => only === undefined || only === name
const bullmq = { bullmq: JSON.parse(fs.readFileSync(path.join(root, 'tests/node_modules/bullmq/package.json'))).version, node: process.version }

if (wants('queue')) {
  const redis = await startRedis(run)
  const postgres = await startPostgres(run)
  const file = `sqlite://${path.join(run.folder('jobs'), 'jobs.db')}`
  const servers = { postgresql: () => postgres.processes(), redis: () => [redis.child.pid] }
  await queue('umbel', versionsOf.umbel(), 'sqlite', {}, [1], (mode, ...args) => program(bin('bench_jobs'), file, mode, ...args))
  await queue('umbel', versionsOf.umbel(), 'postgresql, redis', servers, [1, 2], (mode, n, cores = 1) =>
    program(bin('bench_jobs'), postgres.url, mode, n, cores, redis.port))
}
if (wants('bullmq')) {
  for (const appendfsync of ['everysec', 'always']) {
    const redis = await startRedis(run, { appendonly: 'yes', appendfsync })
    await queue('bullmq', bullmq, `redis, appendfsync ${appendfsync}`, { redis: () => [redis.child.pid] }, [1], (mode, n) =>
      program(path.join(root, 'tests/harness/node'), path.join(root, 'tests/bench/jobs_bullmq.mjs'), redis.port, mode, n))
    await redis.stop()
  }
}
if (wants('core')) {
  const alone = await startSubject(run, { kind: 'umbel', args: ['--outgoing.allow=127.0.0.0/8', `--operation.async.workers=${together}`] })
  await core('sqlite', alone, { core: () => [alone.pid] }, null)
  await alone.stop()
  const cluster = await startCluster(run, {
    cores: 1, gateways: 0, redis: 'simple', balancer: false, coreProperties: { 'outgoing.allow': '127.0.0.0/8', 'operation.async.workers': together }
  })
  const [one] = cluster.cores
  await core('postgresql, redis', one, { core: () => [one.pid], postgresql: () => cluster.postgres.processes(), redis: () => [cluster.redis.child.pid] }, cluster.postgres.url)
  await cluster.stop()
}
await run.finish()
