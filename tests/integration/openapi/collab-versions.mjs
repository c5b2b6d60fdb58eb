export default {
  'collab.versions.list': async t => ({ path: { name: (await t.version()).name }, query: { max: 10 } }),
  'collab.versions.keep': async t => ({ path: { name: await t.document() }, body: { label: 'First draft' } }),
  'collab.versions.get': async t => ({ path: await t.version() }),
  'collab.versions.name': async t => ({ path: await t.version(), body: { label: '' } }),
  'collab.versions.content': async t => ({ path: await t.version(), query: { format: 'text' } }),
  'collab.versions.compare': async t => ({ path: await t.version(), query: { with: 'current' } }),
  'collab.versions.restore': async t => ({ path: await t.version(), headers: { 'Idempotency-Key': t.unique() } })
}
