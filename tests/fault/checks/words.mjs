/* Texts whose words a job makes findable: an effect in the database. Each text has a word of its own. A text that exists is found by its
 * word; one that was not written is not there at all. */
import assert from 'node:assert/strict'
import { pass } from '../../harness/run.mjs'

const byClass = { name: 'classid', operator: 'EQUALS_TO', type: 'STRING', values: ['Text'] }

export class Words {
  constructor (run, office) {
    Object.assign(this, { run, office })
    this.random = run.random.fork()
    this.acked = new Set()                   /* words */
  }

  async work (isOver, most) {
    for (let n = 0; n < most && !isOver(); n++) {
      await this.write(`word${n}x${this.random.word(6)}`).catch(() => {})        /* some core, or all of them, are away */
      await pass(this.random.below(200))
    }
  }

  async write (word) {
    const at = this.random.pick(this.office.cores)
    const id = await this.office.upload(`<p>${word}</p>`, 'text/html', 'a.html', { at })
    const { status } = await this.office.ask('POST', '/documents', { json: [{ name: word, data: { classId: 'Text' }, files: [{ id }] }], at })
    if (status < 300) this.acked.add(word)
  }

  async search (criteria, max = 1000) {
    return await this.office.done('POST', '/documents/search', { json: { selectClause: { fields: ['name'] }, filterClauses: [{ criteria }], max } })
  }

  /* How many there are. */
  async quiet () {
    const { results } = await this.search([byClass])
    const there = results.map(row => row.fields[0].value)
    for (const word of this.acked) assert.ok(there.includes(word), `${word} was acknowledged and is missing`)
    for (const [i, { id }] of results.entries()) {
      const found = await this.search([{ name: 'Content', operator: 'CONTAINS', type: 'STRING', values: [there[i]] }])
      assert.deepEqual(found.results.map(row => row.id), [id], `who searches ${there[i]}`)
    }
    return there.length
  }
}
