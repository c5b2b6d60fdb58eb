/* Components of the four categories: four calls each, all alike. */
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

export default Object.assign({}, ...Object.keys(kinds).map(calls))
