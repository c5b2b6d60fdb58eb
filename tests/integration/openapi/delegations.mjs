/* Who may do whose tasks meanwhile. */
import assert from 'node:assert/strict'

async function delegated (t) {
  const claims = { scope: await t.scope() }
  const [{ id }] = await t.call('delegation.create', { claims, body: [{ delegate: 'bob', end: '2220-01-01 00:00:00.000 +0000' }] })
  return { claims, path: { ids: [id] } }
}
const listed = id => answer => assert.deepEqual(answer.body.map(one => one.id), id)

export default {
  'delegation.get': delegated,
  'delegation.delegate': async t => {
    const { claims, path } = await delegated(t)
    return { claims: { ...claims, sub: 'bob' }, path: { user: 'bob' }, query: { includeTerminated: 'true' }, check: listed(path.ids) }
  },
  'delegation.delegator': async t => {
    const { claims, path } = await delegated(t)
    return { claims, path: { user: 'ann' }, check: listed(path.ids) }
  },
  'delegation.create': async t => ({ claims: { scope: await t.scope() }, body: [{ id: 'away', delegate: 'bob', description: 'on holiday' }] }),
  'delegation.update': async t => ({ ...await delegated(t), body: [{ delegate: 'cleo' }] }),
  'delegation.delete': delegated
}
