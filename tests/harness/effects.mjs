/* Those who do jobs outside, and a ledger of what they were told: a service over HTTP, and a worker that leases jobs over REST.
 *
 *   const effects = await openEffects(run)
 *   effects.url('mail')                       // a handler; its answers: effects.answer = (delivery) => status
 *   effects.lease(office, 'scans')            // works off the queue worker:scans until effects.stop()
 *   effects.of(registration)                  // [{ registration, key, attempt, object, name, before, at }], as they came
 *   effects.isKept = registration => false    // for very many, which the answer looks at
 * AT is performance.now(). NAME and BEFORE are the component's name after the operation, and before it. */
import http from 'node:http'
import { once } from 'node:events'
import { pass } from './run.mjs'

const leaseSeconds = 3

export async function openEffects (run) {
  const effects = new Effects(run)
  effects.server.listen(0, '127.0.0.1')
  await once(effects.server, 'listening')
  run.atEnd(() => effects.stop())
  return effects
}

class Effects {
  constructor (run) {
    this.random = run.random.fork()
    this.ledger = new Map()                  /* registration -> deliveries */
    this.answer = async () => 204
    this.isKept = () => true
    this.leasing = []
    this.server = http.createServer((request, reply) => this.hear(request, reply))
    this.server.keepAliveTimeout = 60000
  }

  url (path) {
    return `http://127.0.0.1:${this.server.address().port}/${path}`
  }

  of (registration) {
    return this.ledger.get(registration) ?? []
  }

  note (key, attempt, context) {
    const { registration, component, previous } = context
    const delivery = { registration, key, attempt, object: component.id, name: component.name, before: previous?.name, at: performance.now() }
    if (this.isKept(registration)) this.put(registration, delivery)
    return delivery
  }

  put (registration, delivery) {
    if (!this.ledger.has(registration)) this.ledger.set(registration, [])
    this.ledger.get(registration).push(delivery)
  }

  async hear (request, reply) {
    let text = ''
    try {
      for await (const piece of request) text += piece
    } catch {
      return                                 /* who asked has died meanwhile: nothing is done */
    }
    const delivery = this.note(request.headers['idempotency-key'], Number(request.headers['x-operation-attempt']), JSON.parse(text))
    const status = await this.answer(delivery, request.url)
    reply.writeHead(status).end()
  }

  /* A worker that loses one job in fifty: it does it, and says nothing. What it has had for most of the lease it does not begin. */
  lease (office, queue) {
    this.leasing.push(this.work(office, queue))
  }

  async work (office, queue) {
    while (!this.stopped) {
      const at = () => this.random.pick(office.cores)
      const asked = performance.now()
      const lease = { queue, max: 5, leaseSeconds, waitSeconds: 1 }
      const leased = await office.ask('POST', '/jobs/lease', { json: lease, at: at() }).catch(() => ({ body: [] }))
      if (!Array.isArray(leased.body)) await pass(50)
      for (const job of Array.isArray(leased.body) ? leased.body : []) {
        if (performance.now() - asked > 500 * leaseSeconds) break
        this.note(job.id, job.attempts, job.payload)
        if (!this.random.chance(2)) await this.end(office, job, at)
      }
    }
  }

  /* Again and again: an end whose answer was lost is refused as somebody else's, and that is the same to us. */
  async end (office, job, at) {
    for (let n = 0; n < 20 && !this.stopped; n++) {
      const said = await office.ask('POST', `/jobs/${job.id}/end`, { json: { fence: job.fence }, at: at() }).catch(() => null)
      if (said !== null && said.status < 500) return
      await pass(100)
    }
  }

  async stop () {
    this.stopped = true
    await Promise.all(this.leasing)
    this.server.close()
    this.server.closeAllConnections?.()
  }
}
