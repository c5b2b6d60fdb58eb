/* Users, groups and teams, in a scope of their own. */
import assert from 'node:assert/strict'

async function scoped (t) {
  return { scope: await t.scope(), profiles: ['ADMIN'] }
}

async function user (t, more = {}) {
  const claims = await scoped(t)
  const id = 'u' + t.unique()
  await t.call('users.create', { claims, body: { id, displayName: 'Eva Lu', password: 'correct horse', ...more } })
  return { claims, id }
}

async function group (t, more = {}) {
  const { claims, id: member } = await user(t)
  const id = 'g' + t.unique()
  await t.call('groups.create', { claims, body: { id, displayName: 'Deck', members: [member], profiles: ['crew'], ...more } })
  return { claims, id, member }
}

export default {
  'users.create': async t => ({
    claims: await scoped(t), body: { id: 'eva', firstname: 'Eva', lastname: 'Lu', mail: 'eva@example.org', attributes: { floor: 3 }, profiles: ['crew'], password: 'correct horse' },
    check: answer => assert.ok(!('password' in answer.body))
  }),
  'users.get': async t => {
    const { claims, id } = await user(t)
    return { claims, path: { ids: [id] }, query: { resolveAuthorities: 'true' }, check: answer => assert.equal(answer.body.displayName, 'Eva Lu') }
  },
  'users.search': async t => {
    const { claims, id } = await user(t)
    return { claims, query: { name: 'lu ev' }, check: answer => assert.deepEqual(answer.body.results.map(u => u.id), [id]) }
  },
  'users.update': async t => {
    const { claims, id } = await user(t)
    return { claims, path: { id }, body: { id, displayName: 'E. L.' } }
  },
  'users.password': async t => {
    const { claims, id } = await user(t)
    return { path: { id }, body: { old: 'correct horse', new: 'another horse', scope: claims.scope } }
  },
  'users.enable': async t => {
    const { claims, id } = await user(t)
    return { claims, path: { id }, body: { enabled: false }, check: answer => assert.equal(answer.body.enabled, false) }
  },
  'users.delete': async t => {
    const { claims, id } = await user(t)
    return { claims, path: { id } }
  },
  'groups.create': async t => ({ claims: await scoped(t), body: { id: 'deck', members: ['eva'], profiles: ['crew'] } }),
  'groups.get': async t => {
    const { claims, id } = await group(t)
    return { claims, path: { ids: [id] } }
  },
  'groups.search': async t => {
    const { claims, id } = await group(t)
    return { claims, query: { name: 'de' }, check: answer => assert.deepEqual(answer.body.results.map(g => g.id), [id]) }
  },
  'groups.update': async t => {
    const { claims, id } = await group(t)
    return { claims, path: { id }, body: { id, members: [] } }
  },
  'groups.delete': async t => {
    const { claims, id } = await group(t)
    return { claims, path: { id } }
  },
  'profiles.users': async t => {
    const { claims, member } = await group(t)
    return { claims, path: { profiles: ['crew'], username: '*' }, check: answer => assert.deepEqual(answer.body.map(u => u.id), [member]) }
  }
}
