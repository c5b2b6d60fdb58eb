/* Components of the four categories: four calls each, all alike; and what only one has. */
import assert from 'node:assert/strict'

const kinds = {
  documents: ['documentclass', 'DOCUMENT'], folders: ['folderclass', 'FOLDER'], tasks: ['taskclass', 'TASK'], virtualFolder: ['virtualfolderclass', 'VIRTUAL_FOLDER']
}

/* A class in a scope of its own, under an ACL that lets everybody do everything. */
export async function classOf (t, word, more = {}) {
  const [kind, category] = kinds[word]
  const claims = { scope: await t.scope() }
  const acl = t.unique()
  await t.call('acl.create', { claims, body: [{ id: acl, entries: [{ principal: '*', permission: '*', grant: 'ALLOW' }] }] })
  const [{ id }] = await t.call(`${kind}.create`, { claims, body: [{ id: t.unique(), category, data: { ACL: acl }, ...more }] })
  return { claims, classId: id, acl }
}

/* { claims, object, path }: a component of a class of its own. */
export async function made (t, word, { ofClass = {}, ...more } = {}) {
  const { claims, classId, acl } = await classOf(t, word, ofClass)
  const [object] = await t.call(`${word}.create`, { claims, body: [{ name: 'One', data: { classId }, ...more }] })
  return { claims, object, acl, path: { ids: [object.id] } }
}

const calls = word => ({
  [`${word}.create`]: async t => {
    const { claims, classId } = await classOf(t, word)
    return { claims, body: [{ id: t.unique(), name: 'One', data: { classId } }] }
  },
  [`${word}.get`]: async t => {
    const { claims, path } = await made(t, word)
    return { claims, path }
  },
  [`${word}.update`]: async t => {
    const { claims, path, object } = await made(t, word)
    return { claims, path, body: [{ ...object, name: 'Another' }] }
  },
  [`${word}.delete`]: async t => {
    const { claims, path } = await made(t, word)
    return { claims, path }
  }
})

/* A folder, and a document that may lie in it. */
async function shelved (t) {
  const { claims, object, acl, path } = await made(t, 'folders', { ofClass: { children: [{ category: 'DOCUMENT', id: '*' }] } })
  const [{ id: classId }] = await t.call('documentclass.create', { claims, body: [{ id: t.unique(), category: 'DOCUMENT', data: { ACL: acl } }] })
  const [{ id }] = await t.call('documents.create', { claims, body: [{ data: { classId } }] })
  return { claims, object, path, body: [{ category: 'DOCUMENT', id }] }
}

const shelf = async t => {
  const { claims, path, body } = await shelved(t)
  return { claims, path, body, check: answer => assert.deepEqual(answer.body[0].children, body) }
}

const parts = {
  'folders.children.add': shelf,
  'folders.children.set': shelf,
  'folders.children.remove': async t => {
    const { claims, path, body } = await shelved(t)
    await t.call('folders.children.add', { claims, path, body })
    return { claims, path, body, check: answer => assert.deepEqual(answer.body[0].children, []) }
  },
  'tasks.answer': async t => {
    const { claims, path } = await made(t, 'tasks', { ofClass: { answers: [{ id: 'Accept' }] } })
    return { claims, path, body: { id: 'Accept' }, check: answer => assert.equal(answer.body[0].answer.id, 'Accept') }
  },
  'tasks.assign': async t => {
    const { claims, path } = await made(t, 'tasks')
    return { claims, path: { ...path, user: 'bob' }, check: answer => assert.equal(answer.body[0].assignee, 'bob') }
  },
  'tasks.unassign': async t => {
    const { claims, path } = await made(t, 'tasks', { assignee: 'bob' })
    return { claims, path, check: answer => assert.equal(answer.body[0].assignee, undefined) }
  },
  'virtualFolder.searches': async t => {
    const ofClass = { searches: [{ id: 'mine', category: 'DOCUMENT', request: { filterClauses: [{ criteria: [{ name: 'owner', values: ['${user.id}'] }] }] } }] }
    const { claims, path } = await made(t, 'virtualFolder', { ofClass })
    return { claims, path, check: answer => assert.equal(answer.body[0].request.filterClauses[0].criteria[0].values[0], 'ann') }
  },
  'virtualFolder.contents': async t => {
    const { claims, path } = await made(t, 'virtualFolder', { ofClass: { searches: [{ id: 'all', category: 'VIRTUAL_FOLDER', request: {} }] } })
    return { claims, path, query: { search: 'all', max: 1 }, check: answer => assert.equal(answer.body[0].found, 1) }
  }
}

export default Object.assign(parts, ...Object.keys(kinds).map(calls))
