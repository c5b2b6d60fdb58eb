/* fault.<row>: a core dies over requests that change something, and over the jobs that they cause.
 *   operations.mjs S14     accepted, then dead: at each failure point of a job's way
 *   operations.mjs S15     the same Idempotency-Key twice, when the first answer was lost
 * What was accepted is there once, and so is its effect, by its key; what was told twice says that it is another attempt. A request
 * without an answer is asked again under its key, at the other core. */
import assert from 'node:assert/strict'
import { startCluster } from '../harness/cluster.mjs'
import { openEffects } from '../harness/effects.mjs'
import { openOffice } from '../harness/office.mjs'
import { openRun, until } from '../harness/run.mjs'

const row = process.argv[2] ?? 'S14'
const run = openRun(`fault.${row}`)
const cluster = await startCluster(run, {
  gateways: 0,
  redis: 'simple',
  balancer: false,
  coreProperties: { 'outgoing.allow': '127.0.0.0/8', 'operation.async.lease': '2s', 'operation.async.sweep': '500ms', 'operation.async.backoff': '50ms' }
})
const [one, two] = cluster.cores
const office = await openOffice(cluster.cores, ['Invoice'])
const effects = await openEffects(run)
const registration = await office.register({ handler: effects.url('mail'), classId: 'Invoice', action: 'CREATE' })

/* ---- requests ---- */

let made = 0
const request = () => {
  const name = `${row}-${++made}`
  return { name, key: `key-of-${name}`, json: [{ name, data: { classId: 'Invoice' } }] }
}
/* The answer; null: there was none. */
const send = async ({ key, json }, at) => await office.ask('POST', '/documents', { json, at, headers: { 'idempotency-key': key } }).catch(() => null)
async function arm (point) {
  const token = one.token('write', 'admin')
  assert.equal((await one.fetch(`/core/actuator/failpoints/${point}`, { method: 'PUT', token, body: 'kill*1' })).status, 204)
}
const isDead = () => one.child.exit !== null
async function diesThen (what) {
  await until('core-1 is dead', isDead)
  assert.equal(one.child.exit.signal, 'SIGKILL')
  await what()
  await one.start()
}

/* ---- what must be true ---- */

async function found (name) {
  const filter = { criteria: [{ name: 'name', operator: 'EQUALS_TO', type: 'STRING', values: [name] }] }
  return (await office.done('POST', '/documents/search', { json: { selectClause: { fields: ['id'] }, filterClauses: [filter], max: 10 }, at: two })).results
}
const quiet = () => until('the queue is empty', async () => Object.values(await office.counts({ at: two })).every(n => n === 0))

/* REQUEST was done once, as document ID, and its effect as well. Answers how often that was told. */
async function isThereOnce ({ name }, id) {
  assert.deepEqual((await found(name)).map(hit => hit.id), [id], name)
  const told = effects.of(registration).filter(delivery => delivery.object === id)
  assert.equal(new Set(told.map(delivery => delivery.key)).size, 1, `${name}: ${JSON.stringify(told)}`)
  told.forEach((delivery, n) => assert.ok(delivery.attempt > n, `${name}: ${JSON.stringify(told)}`))
  return told.length
}

/* ---- rows ---- */

const behindTheEffect = ['job.after_effect', 'job.before_ack']

/* Accepted at core-1 until it is dead, by whatever request or job; done is what core-2 makes of it. */
async function acceptedThenDead (point) {
  const sent = []
  await arm(point)
  while (!isDead() && sent.length < 200) {
    const next = request()
    sent.push({ ...next, answer: await send(next, one) })
  }
  await diesThen(async () => {
    const ids = new Map()
    for (const { answer, ...again } of sent) {
      const said = answer ?? await send(again, two)
      assert.equal(said.status, 200, `${again.name}: ${JSON.stringify(said.body)}`)
      ids.set(again, said.body[0].id)
    }
    await quiet()
    let told = 0
    for (const [again, id] of ids) told += await isThereOnce(again, id)
    if (behindTheEffect.includes(point)) assert.ok(told > sent.length, 'something was told twice')
    console.log(`        ${point}: ${sent.length} asked, ${sent.filter(s => s.answer === null).length} of them again, ${told} times told`)
  })
}

async function sameKeyTwice (point) {
  const once = request()
  await arm(point)
  assert.equal(await send(once, one), null, 'the answer is lost')
  await diesThen(async () => {
    const first = await send(once, two)
    assert.equal(first.status, 200, JSON.stringify(first.body))
    assert.deepEqual((await send(once, two)).body, first.body)
    await quiet()
    await isThereOnce(once, first.body[0].id)
    once.first = first.body
  })
  assert.deepEqual((await send(once, one)).body, once.first, 'at the core that died, too')
  assert.equal((await send({ ...once, json: request().json }, one)).status, 409)
}

async function twinsAtBothCores (point) {
  const once = request()
  await arm(point)
  const [, other] = await Promise.all([send(once, one), send(once, two)])
  await diesThen(async () => {
    assert.equal(other.status, 200, JSON.stringify(other.body))
    assert.deepEqual((await send(once, two)).body, other.body)
    await quiet()
    await isThereOnce(once, other.body[0].id)
  })
}

/* The next attempt holds what the dead one held; somebody else would have to wait for the end of its lease. */
async function deadWithAReservation () {
  const state = async id => (await office.done('POST', '/reservation', { json: [{ category: 'DOCUMENT', id }], at: two }))[0]
  await office.unregister(registration)
  const reserving = await office.register({ handler: effects.url('mail'), classId: 'Invoice', action: 'CREATE', reserves: true })
  const held = []
  effects.answer = async delivery => { held.push((await state(delivery.object)).reserved); return 204 }
  const ids = []
  await arm('job.after_effect')
  while (!isDead() && ids.length < 200) {
    const answer = await send(request(), one)
    if (answer !== null) ids.push(answer.body[0].id)
  }
  await diesThen(quiet)
  for (const id of ids) assert.ok(effects.of(reserving).some(delivery => delivery.object === id), id)
  assert.ok(held.every(Boolean), JSON.stringify(held))
  for (const id of ids) await until('it is free', async () => (await state(id)).reserved === false)
}

const rows = {
  async S14 () {
    for (const point of ['job.before_outbox', 'job.after_outbox', 'operation.after_commit', 'job.before_offer', 'job.before_effect', 'job.after_effect', 'job.before_ack']) {
      await run.story(`a core dies at ${point}: what it has accepted is done, once by its key`, () => acceptedThenDead(point))
    }
    await run.story('a core dies with a job that has reserved its component', deadWithAReservation)
  },

  async S15 () {
    await run.story('the core dies before the commit: the second request does it', () => sameKeyTwice('job.after_outbox'))
    await run.story('the core dies behind the commit: the second request hears what was done', () => sameKeyTwice('operation.after_commit'))
    await run.story('twins at both cores, of which one dies', () => twinsAtBothCores('operation.after_commit'))
  }
}
await rows[row]()
await effects.stop()
await run.story('both end well', () => cluster.stop())
await run.finish()
