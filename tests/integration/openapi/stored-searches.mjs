/* Searches that are kept. */
import assert from 'node:assert/strict'

const request = { filterClauses: [{ criteria: [{ name: 'name', operator: 'CONTAINS', values: ['invoice'] }] }] }
const search = more => ({ category: 'DOCUMENT', displayNames: [{ language: 'EN', value: 'Invoices' }], recipients: { users: ['bob'] }, request, ...more })

async function kept (t) {
  const claims = { scope: await t.scope() }
  const [{ id }] = await t.call('storedsearch.create', { claims, body: [search()] })
  return { claims, path: { ids: [id] } }
}

export default {
  'storedsearch.list': async t => {
    const { claims, path } = await kept(t)
    return { claims, check: answer => assert.deepEqual(answer.body.map(one => one.id), path.ids) }
  },
  'storedsearch.get': kept,
  'storedsearch.create': async t => ({ claims: { scope: await t.scope() }, body: [search({ id: 'mine' })] }),
  'storedsearch.update': async t => ({ ...await kept(t), body: [search({ category: 'TASK' })] }),
  'storedsearch.delete': kept
}
