export default {
  'collab.documents.list': { query: { search: 'Min', max: 2 } },
  'collab.documents.create': async t => ({ body: { title: 'Minutes' }, headers: { 'Idempotency-Key': t.unique() }, status: 201 }),
  'collab.documents.get': async t => ({ path: { name: await t.document() } }),
  'collab.documents.rename': async t => ({ path: { name: await t.document() }, body: { title: 'Ä'.repeat(300) } }),
  'collab.documents.delete': async t => ({ path: { name: await t.document() } })
}
