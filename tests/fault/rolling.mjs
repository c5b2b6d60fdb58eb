/* fault.O02: every gateway and every core is restarted, one after the other, behind HAProxy, while clients type and requests
 * come: no request fails, nothing that was acknowledged is lost, and what happens to cores closes no socket. Then a core is killed.
 * UMBEL_CLIENTS: so many (8). */
import assert from 'node:assert/strict'
import { startCluster } from '../harness/cluster.mjs'
import { Crowd } from '../harness/crowd.mjs'
import { openRun, until } from '../harness/run.mjs'

const run = openRun('fault.O02')

/* One request after the other, of a kind each; every answer that is not a good one is kept. */
class Visitor {
  constructor (cluster, kinds) {
    this.served = 0
    this.failed = []
    this.done = this.visit(cluster, kinds)
  }

  async visit (cluster, kinds) {
    for (let i = 0; !this.isStopped; i++) {
      const [what, ask] = kinds[i % kinds.length]
      try {
        const answer = await ask(cluster)
        if (answer.status >= 400) throw new Error(`${answer.status} ${await answer.text()}`)
        await answer.arrayBuffer()
        this.served++
      } catch (err) {
        this.failed.push(`${what}: ${err.message} ${err.cause ?? ''}`)
      }
    }
  }

  async stop () {
    this.isStopped = true
    await this.done
  }
}

/* Of each client of CROWD the longest time without an acknowledgement, since FROM; sorted. */
function gapsOf (crowd, from = 0) {
  return crowd.all.flatMap(typists => typists.clients.map((c, i) => {
    const at = typists.acknowledged.filter(t => t.by === i && t.ackedAt >= from).map(t => t.ackedAt).sort((a, b) => a - b)
    return Math.round(Math.max(0, ...at.slice(1).map((t, k) => t - at[k])))
  })).sort((a, b) => a - b)
}
const p99 = sorted => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))]

await run.story('gateways and cores are restarted one after the other under load: no request fails, nothing is lost', async () => {
  const cluster = await startCluster(run, { gatewayProperties: { 'server.drain-delay': '2s' } })
  await cluster.gatewaysAreUp('gateway-1', 'gateway-2')
  const token = await cluster.login()
  const { headers } = await cluster.signIn()
  const crowd = new Crowd(run, cluster, 'rolling', Math.ceil(Number(process.env.UMBEL_CLIENTS ?? 8) / 2), ['provider4', 'provider3'])
  await crowd.settled()
  const closed = []
  for (const c of crowd.clients) c.socket.on('close', ({ event } = {}) => closed.push(`${event?.code} ${event?.reason}`))
  crowd.startTyping(40)
  await crowd.more(20, 'before')
  const visitors = [0, 1].map(() => new Visitor(cluster, [
    ['page', () => cluster.fetch('/gui/')],
    ['session', () => cluster.fetch('/gui/rest/session', { headers })],
    ['documents', () => cluster.fetch('/core/rest/collab/documents', { token })],
    ['new document', () => cluster.fetch('/core/rest/collab/documents', { method: 'POST', token, json: { title: 'Under way' } })],
    ['login', () => cluster.fetch('/core/rest/authentication', { method: 'POST', json: { user: 'bob', password: 'correct-horse-battery' } })]
  ]))
  for (const gateway of cluster.gateways) {
    await gateway.stop()
    await gateway.start()
    await cluster.gatewaysAreUp('gateway-1', 'gateway-2')
    await crowd.more(20, `after ${gateway.label}`)
  }
  await until('all are back from the gateways', () => crowd.clients.every(c => c.isOnline()))
  closed.splice(0)
  for (const core of cluster.cores) {
    await core.stop()
    await core.start()
    await cluster.assembled()
    await crowd.more(20, `after ${core.label}`)
  }
  for (const visitor of visitors) await visitor.stop()
  console.log(`        ${crowd.tokens.length} tokens, longest wait of a client for an acknowledgement ${gapsOf(crowd).at(-1)} ms; ` +
    `${visitors.reduce((sum, v) => sum + v.served, 0)} requests`)
  assert.deepEqual(visitors.flatMap(v => v.failed), [])
  const killedAt = performance.now()
  await cluster.core(1).kill()
  await crowd.more(20, 'after the kill')
  console.log(`        a core killed: longest wait of a client, p99: ${p99(gapsOf(crowd, killedAt - 200))} ms`)
  assert.deepEqual(closed, [])
  await cluster.core(1).start()
  await cluster.assembled()
  await crowd.verify()
  await until('every acknowledged token is in the database', async () => { await crowd.verifyStored(cluster.postgres); return true })
  crowd.close()
  await cluster.stop()
}, 120000)

await run.finish()
