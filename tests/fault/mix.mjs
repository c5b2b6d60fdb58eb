/* fault.mix: a random mix of faults in one cluster, round after round, while people work; every promise is checked after each.
 * UMBEL_ROUNDS=n (20), UMBEL_SEED repeats the same faults at the same moments of each round. UMBEL_ROUND=n: begins at round n. */
import { inNamespaces, openNetwork } from '../harness/namespaces.mjs'
import { openRun, pass } from '../harness/run.mjs'
import { faults, pickFault } from './faults.mjs'
import { openWorld } from './world.mjs'

const mayCut = await inNamespaces({ orElse: 'nobody is cut off from Redis' })
const rounds = Number(process.env.UMBEL_ROUNDS ?? 20)
const first = Number(process.env.UMBEL_ROUND ?? 1)
const moveEvery = 8                      /* rounds, then everybody goes to new documents */
const lastBegin = 1500                   /* ms of a round within which faults begin */
const run = openRun('fault.mix')

/* One to three faults of different parts. */
function plan (random) {
  const chosen = new Map()
  for (let n = random.pick([1, 1, 2, 2, 3]); n > 0; n--) {
    const name = pickFault(random)
    const { group, holdMs } = faults[name]
    const step = { name, atMs: random.below(lastBegin), forMs: random.between(...holdMs), random: random.fork() }
    if (!chosen.has(group)) chosen.set(group, step)
  }
  return [...chosen.values()]
}

const told = step => `${step.name} at ${step.atMs}${step.forMs > 0 ? ` for ${step.forMs} ms` : ''}`

/* --- one round --------------------------------------------------------------------------------------------- */

async function suffer (world, step) {
  await pass(step.atMs)
  const heal = await faults[step.name].begin(world, step.random)
  await pass(step.forMs)
  await heal()
}

async function round (world, n, steps) {
  for (const step of steps) await faults[step.name].ready?.(world)
  world.storeIsDisturbed = steps.some(step => faults[step.name].group === 'postgres')
  world.documents.haunt(run.random.pick([...world.cluster.cores, world.cluster]))
  const meanwhile = Promise.all([
    pass(run.random.below(lastBegin)).then(() => world.sessions.logOutSomebody()),
    pass(run.random.below(lastBegin)).then(() => world.caches.raise(run.random.pick([...world.cluster.cores, ...world.cluster.gateways])))
  ])
  meanwhile.catch(() => {})
  await pass(300)
  const done = await Promise.allSettled(steps.map(step => suffer(world, step)))
  const failed = done.find(d => d.status === 'rejected')
  if (failed) throw failed.reason
  world.documents.banish()
  await meanwhile
  return await world.quiet()
}

/* --- the table ---------------------------------------------------------------------------------------------- */

class Table {
  constructor () {
    this.rows = new Map()
    this.rounds = 0
    this.worst = { agreed: 0, present: 0, healthy: 0 }
  }

  note (steps, figures) {
    this.rounds++
    for (const { name } of steps) {
      const row = this.rows.get(name) ?? { times: 0, agreed: 0, present: 0, healthy: 0 }
      row.times++
      for (const key of Object.keys(this.worst)) row[key] = Math.max(row[key], figures[key])
      this.rows.set(name, row)
    }
    for (const key of Object.keys(this.worst)) this.worst[key] = Math.max(this.worst[key], figures[key])
  }

  print () {
    const line = (name, times, f) => console.log(`${name.padEnd(28)}${String(times).padStart(6)}` +
      [f.agreed, f.present, f.healthy].map(v => String(v).padStart(14)).join(''))
    console.log(`\n${'fault'.padEnd(28)}${'times'.padStart(6)}${'agreed ms'.padStart(14)}${'presence ms'.padStart(14)}${'healthy ms'.padStart(14)}   (the worst)`)
    for (const [name, row] of [...this.rows].sort()) line(name, row.times, row)
    line('all rounds', this.rounds, this.worst)
  }
}

/* --- all of them ----------------------------------------------------------------------------------------------- */

const plans = Array.from({ length: rounds }, () => plan(run.random))
const table = new Table()
let world
await run.story('a cluster with people at work', async () => {
  const net = mayCut ? await openNetwork(run, ['core', 'redis']) : null
  world = await openWorld(run, { hostOf: label => net?.host(/^(redis|sentinel)/.test(label) ? 'redis' : label === 'core-2' ? 'core' : '') ?? null })
  world.net = net
})
if (world) {
  for (const [i, steps] of plans.entries()) {
    const n = i + 1
    if (n < first || run.failures.length > 0) continue
    await run.story(`round ${n}: ${steps.map(told).join('; ')}`, async () => {
      const figures = await round(world, n, steps)
      table.note(steps, figures)
      console.log(`        agreed ${figures.agreed} ms, presence ${figures.present} ms, healthy ${figures.healthy} ms after the last fault; ` +
        `longest wait for an acknowledgement ${JSON.stringify(world.documents.waits)}`)
      if (n % moveEvery === 0) await world.documents.move()
      world.work()
    }, 180000)
  }
  await run.story('all end with status 0', () => world.close())
  table.print()
  const { typed, acknowledged } = world.documents.total
  const { n, worstMs } = world.sessions.logouts
  console.log(`${typed} tokens typed, ${acknowledged} acknowledged by their own frame, 0 lost`)
  console.log(`sessions: longest without an answer ${Math.round(world.sessions.unavailableMs)} ms; ${n} logouts, known everywhere after ${worstMs} ms at most`)
  console.log(`reservations: ${world.reservations.granted} grants, 0 held by two; caches: ${world.caches.raised} raised, applied everywhere after ${world.caches.worstMs} ms at most`)
  console.log(world.processes.summary)
}
await run.finish()
