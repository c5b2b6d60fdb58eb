/* Reservations under faults: I3. Users fight for a few components at all nodes; what they were granted is a history with times of
 * one clock. Never two holders at once by it, tokens grow with every grant, and nobody loses a lease that was confirmed. */
import assert from 'node:assert/strict'
import { pass, until } from '../../harness/run.mjs'
import { signToken } from '../../harness/subjects.mjs'

export const ttlMs = 4000                /* reservation.ttl of the cluster */
const components = ['r-0', 'r-1']
const users = ['ann', 'bob', 'eve']
const ref = (id, token) => [{ category: 'DOCUMENT', id, token }]

/* One user in one session, with one wish at a time. */
class Rival {
  constructor (checker, user) {
    this.checker = checker
    this.user = user
    this.token = signToken({ sub: user, sid: `session-of-${user}`, profiles: [] })
    this.random = checker.run.random.fork()
  }

  /* { status, row }; status 0: nobody knows what came of it. */
  async ask (verb, id, token) {
    const { cluster } = this.checker
    const at = this.random.pick([...cluster.cores, ...cluster.gateways])
    try {
      const answer = await fetch(`${at.origin}/core/rest/reservation${verb}`, {
        method: 'POST', headers: { token: this.token, 'content-type': 'application/json' }, body: JSON.stringify(ref(id, token)), signal: AbortSignal.timeout(4000)
      })
      const body = await answer.json().catch(() => null)
      return { status: answer.status, row: Array.isArray(body) ? body[0] : null }
    } catch {
      return { status: 0, row: null }
    }
  }

  /* Takes ID, holds it for a moment, gives it back. */
  async turn (id) {
    const asked = performance.now()
    const { status, row } = await this.ask('/reserve', id)
    if (status === 200) {
      const grant = { id, user: this.user, token: row.token, from: performance.now(), lease: asked + ttlMs }
      this.checker.grants.push(grant)
      await pass(this.random.between(20, 300))
      grant.to = Math.min(performance.now(), grant.lease)
      await this.giveBack(id, row.token)
    } else if (status !== 423) {
      const { row: now } = await this.ask('', id)
      if (now?.token) await this.giveBack(id, now.token)
    }
  }

  /* By its token: a call that was given up may come late, and must not touch the next grant. What cannot be given back, or was
   * granted unseen, ends with its lease. */
  async giveBack (id, token) {
    const end = performance.now() + ttlMs
    while (performance.now() < end && (await this.ask('/release', id, token)).status !== 200) await pass(100)
  }

  async work () {
    while (this.checker.working) {
      await this.turn(this.random.pick(components))
      await pass(this.random.between(20, 200))
    }
  }
}

/* Somebody who keeps one component all the time. */
class Keeper extends Rival {
  async work () {
    while (this.checker.working) {
      await this.renew()
      await pass(300)
    }
  }

  async renew () {
    const asked = performance.now()
    const isHeld = asked < (this.leaseUntil ?? 0) - 500             /* a clock is not as fine as that on a busy machine */
    const { status, row } = await (isHeld ? this.ask('/renew', 'kept', this.grant) : this.ask('/reserve', 'kept'))
    if (status === 200) Object.assign(this, { leaseUntil: asked + ttlMs, grant: row.token })
    if (status === 423 && isHeld && performance.now() < this.leaseUntil) this.checker.failures.push(`${this.user} lost a lease that was confirmed`)
  }
}

export class Reservations {
  constructor (run, cluster) {
    Object.assign(this, { run, cluster, grants: [], failures: [], working: false, granted: 0 })
    this.people = [...users.map(user => new Rival(this, user)), new Keeper(this, 'kim')]
    run.atEnd(() => { this.working = false })
  }

  work () {
    this.working = true
    this.loop = Promise.all(this.people.map(p => p.work()))
  }

  async rest () {
    this.working = false
    await this.loop
  }

  async quiet () {
    await this.rest()
    assert.deepEqual(this.failures, [])
    for (const id of components) this.assertOneAtATime(this.grants.filter(g => g.id === id))
    for (const id of components) {
      for (const core of this.cluster.cores) await until(`${core.label} knows that nobody holds ${id}`, () => this.isFree(core, id), 20000)
    }
    this.granted += this.grants.length
    this.grants = this.grants.filter(g => components.some(id => g === this.newest(id)))
  }

  newest (id) {
    return this.grants.filter(g => g.id === id).reduce((a, b) => (a === null || b.token > a.token ? b : a), null)
  }

  assertOneAtATime (grants) {
    const inOrder = [...grants].sort((a, b) => a.from - b.from)
    for (const [i, grant] of inOrder.entries()) {
      const before = inOrder[i - 1]
      if (before === undefined || (before.user === grant.user && before.token === grant.token)) continue
      const told = `${JSON.stringify(before)} then ${JSON.stringify(grant)}`
      assert.ok(grant.token > before.token, `a token did not grow: ${told}`)
      assert.ok(grant.user === before.user || grant.from >= before.to, `held by two at once: ${told}`)
    }
  }

  async isFree (core, id) {
    const answer = await core.fetch('/core/rest/reservation', { method: 'POST', token: this.people[0].token, json: ref(id) })
    const body = await answer.json()
    return answer.status === 200 && body[0].reserved === false
  }
}
