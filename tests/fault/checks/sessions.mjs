/* Sessions under faults: I6. Users who have logged in through the balancer stay so at every gateway; while Redis or the cores are
 * away, 503 with Retry-After is the only other answer. Who has logged out never comes in again. */
import assert from 'node:assert/strict'
import { pass, until } from '../../harness/run.mjs'

const users = ['admin', 'bob']
const askEveryMs = 150

export class Sessions {
  constructor (run, cluster) {
    Object.assign(this, { run, cluster, open: [], ended: [], failures: [], working: false, mayBeLost: false, unavailableMs: 0 })
    this.logouts = { n: 0, worstMs: 0 }
    run.atEnd(() => { this.working = false })
  }

  /* Sessions are kept in Redis, so that any gateway knows them. */
  async start () {
    for (const user of users) this.open.push(await this.signIn(user))
    await until('every gateway knows them', async () => (await Promise.all(this.open.map(s => this.isKnownEverywhere(s)))).every(Boolean))
    this.work()
  }

  async signIn (user) {
    return { user, awaySince: null, ...await until(`${user} can sign in`, () => this.cluster.signIn(user), 30000) }
  }

  async ask (session, at, options = {}) {
    try {
      const answer = await fetch(`${at.origin}/gui/rest/session`, { headers: session.headers, signal: AbortSignal.timeout(4000), ...options })
      const body = await answer.json().catch(() => null)
      return { status: answer.status, user: body?.user?.id ?? body?.user, retryAfter: answer.headers.get('retry-after'), body }
    } catch (err) {
      return { status: 0, error: err.cause?.code ?? err.name }
    }
  }

  async isKnownEverywhere (session) {
    const answers = await Promise.all(this.cluster.gateways.map(at => this.ask(session, at)))
    return answers.every(a => a.status === 200)
  }

  work () {
    this.working = true
    this.loop = this.watch()
  }

  async rest () {
    this.working = false
    await this.loop
  }

  /* Asks all gateways and the balancer in turn. */
  async watch () {
    const places = [...this.cluster.gateways, this.cluster]
    for (let n = 0; this.working; n++) {
      await Promise.all(this.open.map(session => this.look(session, places[n % places.length])))
      await pass(askEveryMs)
    }
  }

  async look (session, at) {
    const asked = performance.now()
    const answer = await this.ask(session, at)
    const where = at.label ?? 'the balancer'
    if (answer.status === 200) {
      if (answer.user !== session.user) this.failures.push(`${where} says ${answer.user} to ${session.user}`)
      this.unavailableMs = Math.max(this.unavailableMs, performance.now() - (session.awaySince ?? asked))
      session.awaySince = null
      return
    }
    session.awaySince ??= asked
    if (answer.status === 401) session.lost = true
    if (answer.status === 401 && !this.mayBeLost) this.failures.push(`${where} does not know ${session.user} any more`)
    if (answer.status === 503 && answer.retryAfter === null && at !== this.cluster) this.failures.push(`${where}: 503 without Retry-After`)
  }

  /* One more user logs in, and out at another gateway. From then on nobody lets that session in. */
  async logOutSomebody () {
    const session = await this.signIn(users[0])
    const [first, ...others] = this.cluster.gateways
    const answer = await this.ask(session, first, { method: 'DELETE' })
    if (answer.status >= 300 || answer.status === 0) return
    const from = performance.now()
    this.ended.push(session)
    await until('the other gateways know that it is over', async () => {
      const answers = await Promise.all(others.map(at => this.ask(session, at)))
      return answers.every(a => a.status === 401)
    }, 30000)
    this.logouts.n++
    this.logouts.worstMs = Math.max(this.logouts.worstMs, Math.round(performance.now() - from))
  }

  async quiet () {
    await this.rest()
    if (this.mayBeLost) await this.replaceLost()
    assert.deepEqual(this.failures, [])
    for (const session of this.open) {
      await until(`${session.user} is known at every gateway`, () => this.isKnownEverywhere(session))
    }
    for (const session of this.ended) {
      for (const at of this.cluster.gateways) {
        await until('who has logged out stays out', async () => {
          const { status } = await this.ask(session, at)
          assert.notEqual(status, 200, `${at.label} lets a session in that has ended`)
          return status === 401
        })
      }
    }
  }

  /* Redis was emptied: its users log in again, nothing else. */
  async replaceLost () {
    this.mayBeLost = false
    for (const [i, session] of this.open.entries()) {
      if (!session.lost && await this.isKnownEverywhere(session)) continue
      this.open[i] = await this.signIn(session.user)
    }
  }
}
