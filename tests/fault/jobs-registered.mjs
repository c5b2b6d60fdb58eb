/* fault.jobs-registered: a registration that was answered counts for every operation that begins afterwards, on either core, and one that
 * was taken away for none. Handlers come and go at both cores while operations are done at both; half of the handlers are asked within the
 * operation, half afterwards, by a worker. UMBEL_OPERATIONS=n: so many operations that must be told to somebody (500). */
import assert from 'node:assert/strict'
import { startCluster } from '../harness/cluster.mjs'
import { openEffects } from '../harness/effects.mjs'
import { openOffice } from '../harness/office.mjs'
import { openRun, pass } from '../harness/run.mjs'

const wanted = Number(process.env.UMBEL_OPERATIONS ?? 500)
const [operators, registrars, leaseMax] = [8, 4, 100]
const run = openRun('fault.jobs-registered')
const { random } = run
const all = { registrations: [], operations: [], owed: 0 }
let office
let effects

const now = () => performance.now()
const core = () => random.pick(office.cores)

/* From ANSWERED to LEAVING it counts; before ASKED and after GONE it does not. */
async function comeAndGo (n) {
  for (let turn = 0; all.owed < wanted; turn++) {
    const r = { asynchronous: (n + turn) % 2 === 0, asked: now(), leaving: Infinity, gone: Infinity }
    const handler = r.asynchronous ? 'worker:told' : effects.url('told')
    r.id = await office.register({ handler, classId: 'Invoice', action: 'CREATE', asynchronous: r.asynchronous, at: core() })
    r.answered = now()
    all.registrations.push(r)
    await pass(random.below(600))
    r.leaving = now()
    await office.unregister(r.id, { at: core() })
    r.gone = now()
  }
}

const counts = (r, o) => o.began > r.answered && o.ended < r.leaving
const doesNot = (r, o) => o.ended < r.asked || o.began > r.gone

async function operate () {
  while (all.owed < wanted) {
    const o = { name: `o${all.operations.length}`, began: now() }
    all.operations.push(o)
    await office.done('POST', '/documents', { json: [{ name: o.name, data: { classId: 'Invoice' } }], at: core() })
    o.ended = now()
    if (all.registrations.some(r => counts(r, o))) all.owed++
  }
}

async function leaseAll () {
  for (;;) {
    const jobs = await office.done('POST', '/jobs/lease', { json: { queue: 'told', max: leaseMax, leaseSeconds: 600 } })
    for (const job of jobs) effects.note(job.id, job.attempts, job.payload)
    if (jobs.length === 0) return
  }
}

function check () {
  let pairs = 0
  for (const r of all.registrations) {
    const told = effects.of(r.id).map(d => d.name)
    const once = new Set(told)
    assert.equal(once.size, told.length, 'nobody is told twice')
    for (const o of all.operations) {
      if (counts(r, o)) assert.ok(once.has(o.name), `${o.name} began ${Math.round(o.began - r.answered)} ms after ${r.id} (${r.asynchronous ? 'a job' : 'asked'}) was there`)
      if (doesNot(r, o)) assert.ok(!once.has(o.name), `${o.name} was told to ${r.id}, which was not there`)
      pairs += counts(r, o)
    }
  }
  return pairs
}

await run.story(`of ${wanted} operations that begin after a registration all are told to it`, async () => {
  const cluster = await startCluster(run, { gateways: 0, redis: 'simple', balancer: false, coreProperties: { 'outgoing.allow': '127.0.0.0/8' } })
  office = await openOffice(cluster.cores, ['Invoice'])
  effects = await openEffects(run)
  await Promise.all([...Array.from({ length: registrars }, (_, n) => comeAndGo(n)), ...Array.from({ length: operators }, operate)])
  await leaseAll()
  const pairs = check()
  assert.ok(all.owed >= wanted)
  console.log(`        ${all.owed} of ${all.operations.length} operations began after a registration; ${all.registrations.length} registrations, ${pairs} tellings owed, none missing`)
  await cluster.stop()
}, 60000 + wanted * 60)
await run.finish()
