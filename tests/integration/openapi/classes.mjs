/* Configuration objects: five calls each, all alike. What makes one complete: */
const least = {
  documentclass: { category: 'DOCUMENT' }, folderclass: { category: 'FOLDER' }, taskclass: { category: 'TASK' }, virtualfolderclass: { category: 'VIRTUAL_FOLDER' },
  tagclass: { type: 'STRING' }, tagcategory: {}, workflow: {}, acl: { entries: [{ principal: '*', permission: 'READ', grant: 'ALLOW' }] }
}

const isClass = kind => 'category' in least[kind]

/* A request to create one, in a scope of its own with the ACL that a class needs. */
async function wanted (t, kind) {
  const claims = { scope: await t.scope() }
  const acl = t.unique()
  if (isClass(kind)) await t.call('acl.create', { body: [{ id: acl, ...least.acl }], claims })
  return { claims, body: [{ id: t.unique(), ...least[kind], ...(isClass(kind) ? { data: { ACL: acl } } : {}) }] }
}

async function made (t, kind) {
  const { claims, body } = await wanted(t, kind)
  const [object] = await t.call(`${kind}.create`, { claims, body })
  return { object, claims, path: { ids: [object.id] } }
}

const calls = kind => ({
  [`${kind}.list`]: async t => ({ claims: (await made(t, kind)).claims }),
  [`${kind}.create`]: t => wanted(t, kind),
  [`${kind}.get`]: async t => {
    const { claims, path } = await made(t, kind)
    return { claims, path }
  },
  [`${kind}.update`]: async t => {
    const { claims, path, object } = await made(t, kind)
    return { claims, path, body: [{ ...object, displayNames: [{ language: 'EN', value: 'Note' }] }] }
  },
  [`${kind}.delete`]: async t => {
    const { claims, path } = await made(t, kind)
    return { claims, path }
  }
})

export default Object.assign({}, ...Object.keys(least).map(calls))
