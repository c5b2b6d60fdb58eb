const claims = scope => ({ scope, profiles: ['SYSTEM_ADMIN'] })

export default {
  'scope.list': {},
  'scope.create': t => ({ body: [{ id: 'S' + t.unique(), languages: ['EN'] }] }),
  'scope.get': async t => {
    const id = await t.scope()
    return { path: { ids: [id] }, claims: claims(id) }
  },
  'scope.update': async t => {
    const id = await t.scope()
    const [body] = await t.call('scope.get', { path: { ids: [id] }, claims: claims(id) })
    return { path: { ids: [id] }, claims: claims(id), body: [{ ...body, description: 'Office' }] }
  },
  'scope.delete': async t => ({ path: { ids: [await t.scope()] } })
}
