/* Operations and their jobs under faults: I4 (nothing accepted is lost, each effect once by its key) and I11 (order).
 *
 * A component's name is changed to a new one each time, so what a registration was told of a component is a chain: each operation
 * begins with the name that the one before has given. Whatever is in the database, answered or not, is a link of it; whatever was not
 * written is none. So a gap, a stranger or a wrong order breaks the chain, also where an operation's outcome is unknown. */
import assert from 'node:assert/strict'
import { pass, until } from '../../harness/run.mjs'

export class Jobs {
  constructor (run, office, effects) {
    Object.assign(this, { run, office, effects })
    this.random = run.random.fork()
    this.objects = []                        /* { id, classId, first, n, acked: Map(name -> at) } */
    this.total = { acknowledged: 0, unknown: 0, refusedConnections: 0 }
    this.registrations = []
  }

  async add (classId, n) {
    for (let i = 0; i < n; i++) {
      const first = `${classId}-${i}-0`
      const [{ id }] = await this.office.done('POST', '/documents', { json: [{ name: first, data: { classId } }] })
      this.objects.push({ id, classId, first, n: 0, acked: new Map() })
    }
  }

  /* WRITERS, each with components of its own, until isEnough(); some ms between two operations of one. */
  work (writers, paceMs, isEnough) {
    const of = w => this.objects.filter((_, i) => i % writers === w)
    const write = async own => {
      while (!isEnough(this.total)) {
        await this.change(this.random.pick(own))
        await pass(this.random.below(2 * paceMs))
      }
    }
    return Promise.all(Array.from({ length: writers }, (_, w) => write(of(w))))
  }

  async change (object) {
    const name = `${object.first.replace(/0$/, '')}${++object.n}`
    try {
      const { status, body } = await this.office.ask('POST', `/documents/${object.id}`, {
        json: [{ name, data: { classId: object.classId } }], at: this.random.pick(this.office.cores)
      })
      assert.ok(status < 300 || status >= 500, `an operation was refused: ${status} ${JSON.stringify(body)}`)
      if (status < 300) object.acked.set(name, performance.now())
      this.total[status < 300 ? 'acknowledged' : 'unknown']++
    } catch (err) {
      if (err instanceof assert.AssertionError) throw err
      this.total[err.cause?.code === 'ECONNREFUSED' ? 'refusedConnections' : 'unknown']++
      await pass(50)
    }
  }

  async quiet (ms) {
    await until('all queues are empty', async () => {
      const { errors, ...open } = await this.office.counts()
      if (errors > 0) await this.tellErrors()
      if (Object.values(open).some(n => n > 0)) throw new Error(JSON.stringify(open))
      return true
    }, ms, 200)
    for (const registration of this.registrations) for (const object of this.objects) await this.checkChain(registration, object)
    for (const registration of this.registrations) this.checkKeys(registration)
  }

  async tellErrors () {
    const { results } = await this.office.done('GET', '/jobs/errors')
    throw Object.assign(new Error(`jobs were given up: ${JSON.stringify(results.slice(0, 3))}`), { isFinal: true })
  }

  async checkChain (registration, object) {
    const told = firstOf(this.effects.of(registration)).filter(d => d.object === object.id)
    let name = object.first
    for (const d of told) {
      assert.equal(d.before, name, `${object.id}: ${d.name} came where ${name} was the last`)
      name = d.name
    }
    const [{ name: stored }] = await this.office.done('GET', `/documents/${object.id}`)
    assert.equal(name, stored, `${object.id}: the last that was told is what is stored`)
    const names = new Set(told.map(d => d.name))
    for (const acked of object.acked.keys()) assert.ok(names.has(acked), `${object.id}: ${acked} was acknowledged and is missing`)
  }

  /* One key for each operation, and one operation for each key; a repetition says that it is one, by an attempt of its own. */
  checkKeys (registration) {
    const byKey = new Map()
    const byName = new Map()
    for (const d of this.effects.of(registration)) {
      const before = byKey.get(d.key)
      if (before) {
        assert.deepEqual([d.object, d.name], [before.object, before.name], 'a key of two operations')
        assert.ok(!before.attempts.has(d.attempt), `${d.key}: attempt ${d.attempt} twice`)
        before.attempts.add(d.attempt)
      } else {
        byKey.set(d.key, { object: d.object, name: d.name, attempts: new Set([d.attempt]) })
        assert.equal(byName.get(d.name), undefined, `${d.name} has two keys`)
        byName.set(d.name, d.key)
      }
    }
  }

  /* { jobs, deliveries, repeated, median and longest delay in ms from the operation's answer; the longest of each registration } */
  figures () {
    const figures = { jobs: 0, deliveries: 0, repeated: 0 }
    const delays = this.registrations.map(registration => {
      const all = this.effects.of(registration)
      const first = firstOf(all)
      figures.deliveries += all.length
      figures.jobs += first.length
      figures.repeated += all.length - first.length
      const at = new Map(first.map(d => [d.object + d.name, d.at]))
      return this.objects.flatMap(o => [...o.acked].map(([name, acked]) => Math.max(0, at.get(o.id + name) - acked))).sort((a, b) => a - b)
    })
    const together = delays.flat().sort((a, b) => a - b)
    return { ...figures, medianMs: Math.round(together[together.length >> 1]), longestMs: delays.map(list => Math.round(list.at(-1))) }
  }
}

/* Of each key the first. */
function firstOf (deliveries) {
  const seen = new Set()
  return deliveries.filter(d => !seen.has(d.key) && seen.add(d.key))
}
