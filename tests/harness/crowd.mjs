/* Many documents that are typed in at once: one Typists each, and the questions that concern them all. */
import { openClient } from './clients.mjs'
import { until } from './run.mjs'
import { verifyStored } from './stored.mjs'
import { tokensOf, Typists } from './typists.mjs'

export class Crowd {
  /* Documents <prefix>-0 ... <prefix>-(n-1), with a client of each of KINDS. */
  constructor (run, server, prefix, n, kinds = ['provider4']) {
    this.server = server
    this.all = Array.from({ length: n }, (_, i) => new Typists(run, server, `${prefix}-${i}`, kinds))
  }

  get tokens () {
    return this.all.flatMap(t => t.tokens)
  }

  get acknowledged () {
    return this.all.flatMap(t => t.acknowledged)
  }

  get clients () {
    return this.all.flatMap(t => t.clients)
  }

  async settled (what = 'all clients are in sync and saved', ms = 30000) {
    await until(what, () => this.clients.every(c => c.settled()), ms)
  }

  startTyping (everyMs) {
    this.all.forEach(t => t.startTyping(everyMs))
  }

  stopTyping () {
    this.all.forEach(t => t.stopTyping())
  }

  /* One token by everybody. */
  type () {
    this.all.forEach(t => t.clients.forEach((_, i) => t.type(i)))
  }

  async more (n, what, ms = 30000) {
    const goal = this.acknowledged.length + n
    await until(`${what}: ${n} more acknowledged tokens`, () => this.acknowledged.length >= goal, ms)
  }

  /* What is acknowledged now is in the database. */
  async verifyStored (pg) {
    for (const t of this.all) await verifyStored(pg, t)
  }

  /* Everybody comes to rest; then a fresh client of each document, on every one of SERVERS, has every token. */
  async verify (...servers) {
    this.stopTyping()
    await this.settled()
    for (const server of servers.length > 0 ? servers : [this.server]) {
      const fresh = this.all.map(t => openClient('provider4', server, t.room))
      await until('the fresh clients are in sync', () => fresh.every(c => c.settled()), 30000)
      await until('no token is missing', () => this.all.every((t, i) => {
        const got = tokensOf(fresh[i].doc)
        const lost = t.tokens.filter(one => !got.has(one.text))
        const acknowledged = lost.filter(one => one.ackedAt !== null)
        if (acknowledged.length > 0) throw new Error(`ACKNOWLEDGED AND LOST in ${t.room}: ${acknowledged.map(one => one.text).join(' ')}`)
        if (lost.length > 0) throw new Error(`typed and not there in ${t.room}: ${lost.map(one => one.text).join(' ')}`)
        return true
      }))
      fresh.forEach(c => c.close())
    }
  }

  close () {
    this.all.forEach(t => t.close())
  }
}

/* Milliseconds from FROM until the last of TOKENS was acknowledged; waits for it. */
export async function allAcknowledged (tokens, from, ms = 60000) {
  await until('everything that was typed is acknowledged', () => tokens.every(t => t.ackedAt !== null), ms)
  return Math.round(Math.max(0, ...tokens.map(t => t.ackedAt - from)))
}
