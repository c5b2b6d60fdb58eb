/* fault.jobs: operations on many components, each with jobs for a service outside, a service that often fails, a worker that leases, and
 * one whose effect is in the database, while cores are killed, Redis restarts empty, a sentinel makes another one master, and PostgreSQL
 * stops at once. Afterwards every effect of an accepted operation is there once by its key, in order, and nothing is left (checks/jobs.mjs).
 * UMBEL_JOBS=n: at least so many jobs (1,000). */
import assert from 'node:assert/strict'
import { startCluster } from '../harness/cluster.mjs'
import { openEffects } from '../harness/effects.mjs'
import { openOffice } from '../harness/office.mjs'
import { openRun, pass, until } from '../harness/run.mjs'
import { Jobs } from './checks/jobs.mjs'
import { Processes } from './checks/processes.mjs'
import { Words } from './checks/words.mjs'
import { faults, failOver, redisIsWhole } from './faults.mjs'

const wanted = Number(process.env.UMBEL_JOBS ?? 1000)
const [writers, objects, registrations, leasing, paceMs] = [12, 36, 3, 6, 250]
const run = openRun('fault.jobs')
const { random } = run
const world = { storeIsDisturbed: true, afterDeath: async () => {}, times: new Map() }

const note = what => world.times.set(what, (world.times.get(what) ?? 0) + 1)

/* ---- faults ---- */

const together = {
  async 'PostgreSQL stopped at once and started' ({ postgres }) {
    await postgres.stop('immediate')
    await pass(random.below(800))
    await postgres.start()
  },
  async 'Redis restarted empty' ({ redis }) {
    await (await redis.master()).cli('SET', 'before', 'x')
    await Promise.all(redis.servers.map(server => server.kill()))
    await pass(random.below(300))
    await Promise.all(redis.servers.map(server => server.start()))
    assert.equal(await (await redis.master()).cli('GET', 'before'), null)
  },
  async 'SENTINEL FAILOVER' ({ redis }) {
    await failOver(redis)
  }
}

async function suffer (name) {
  await until('Redis is whole', () => redisIsWhole(world.cluster), 90000, 100)
  await pass(random.below(1000))
  await together[name](world.cluster)
  note(name)
}

/* Each core at random moments, sometimes both at a time. */
async function killCores (isOver) {
  while (!isOver()) {
    await pass(random.between(300, 2000))
    const victims = random.chance(15) ? [1, 2] : [random.between(1, 2)]
    const heals = await Promise.all(victims.map(n => faults[`core-${n} killed`].begin(world, random)))
    victims.forEach(() => note('core killed'))
    await pass(random.between(100, 1000))
    await Promise.all(heals.map(heal => heal()))
  }
}

/* ---- the story ---- */

/* One in twenty of the second service's answers says that it should be tried again; all take their time. */
async function answer (delivery, url) {
  await pass(random.below(40))
  return url.startsWith('/stock') && random.chance(5) ? 503 : 204
}

async function openJobs () {
  const { cluster } = world
  const office = await openOffice(cluster.cores, ['Invoice', 'Text'])
  const effects = await openEffects(run)
  effects.answer = answer
  const jobs = new Jobs(run, office, effects)
  for (const handler of [effects.url('mail'), effects.url('stock'), 'worker:scans']) {
    jobs.registrations.push(await office.register({ handler, classId: 'Invoice', action: 'UPDATE' }))
  }
  await office.register({ handler: 'fulltext', classId: 'Text', action: 'CREATE' })
  await jobs.add('Invoice', objects)
  for (let n = 0; n < leasing; n++) effects.lease(office, 'scans')
  return { office, effects, jobs }
}

await run.story(`${wanted} jobs`, async () => {
  world.cluster = await startCluster(run, {
    gateways: 0,
    balancer: false,
    redisSettings: { appendonly: 'no' },
    coreProperties: {
      'outgoing.allow': '127.0.0.0/8',
      'operation.async.lease': '3s',
      'operation.async.backoff': '100ms',
      'operation.async.sweep': '1s',
      'operation.async.max-attempts': 50        /* a core may be killed over the same job again and again here */
    }
  })
  const { office, effects, jobs } = await openJobs()
  const words = new Words(run, office)
  const began = performance.now()
  let over = false
  let suffered = false
  const enough = ({ acknowledged }) => over = suffered && acknowledged * registrations >= wanted
  const producing = Promise.all([jobs.work(writers, paceMs, enough), words.work(() => over, wanted / 10)])
  const killing = killCores(() => over)
  const suffering = (async () => {
    do {
      for (const name of Object.keys(together)) await suffer(name)
      suffered = true
    } while (!over)
  })()
  await Promise.all([producing, killing, suffering].map(p => p.catch(err => { over = true; throw err })))
  const produced = performance.now()
  await jobs.quiet(60000)
  const emptied = performance.now()
  const found = await words.quiet()
  await new Processes(run, world.cluster).quiet(emptied)
  await effects.stop()
  await world.cluster.stop()
  const seconds = ms => Math.round(ms / 1000)
  console.log(`        ${JSON.stringify({
    ...jobs.figures(), ...jobs.total, words: found, faults: Object.fromEntries(world.times), producedSeconds: seconds(produced - began), emptiedSeconds: seconds(emptied - produced)
  })}`)
}, 60000 + wanted * 100)
await run.finish()
