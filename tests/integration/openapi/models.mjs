import assert from 'node:assert/strict'

const claims = { profiles: ['SYSTEM_ADMIN'] }
const type = 'application/yaml'
const text = scope => `scope: {id: ${scope}}\nacls:\n  - {id: all, entries: [{allow: READ, to: '*'}]}\ntagClasses:\n  - {id: T, type: STRING}\n`

async function scope (t) {
  const id = 'm' + t.unique()
  await t.call('model.import', { path: { scope: id }, raw: text(id), type, claims })
  return id
}

export default {
  'model.export': async t => ({ path: { scope: await scope(t) }, query: { format: 'json' }, claims, check: a => assert.equal(a.body.tagClasses[0].id, 'T') }),
  'model.import': async t => {
    const id = await scope(t)
    return { path: { scope: id }, raw: 'tagClasses: [{id: T, type: INT}, {id: U, type: INT}]', type, claims, check: a => assert.equal(a.body.applied, 2) }
  },
  'model.replace': async t => {
    const id = await scope(t)
    return { path: { scope: id }, query: { dryRun: true, mode: 'replace' }, raw: `scope: {id: ${id}}`, type, claims, check: a => assert.equal(a.body.removed, 2) }
  }
}
