/* integration.scopes: two scopes with components of the same ids, on two cores and a gateway. Nobody sees, takes or ends what is
 * another scope's, by whatever name he asks for it; platform administrators do. */
import assert from 'node:assert/strict'
import { openRun, until } from '../harness/run.mjs'
import { startCluster } from '../harness/cluster.mjs'
import { password, signToken } from '../harness/subjects.mjs'

const run = openRun('integration.scopes')
const cluster = await startCluster(run, { gateways: 1, redis: 'simple', balancer: false })
const [one, two] = cluster.cores
const gateway = cluster.gateway(1)
const scopes = ['GEC', 'HR']
const root = signToken({ sub: 'root', profiles: ['SYSTEM_ADMIN'] })
const person = (sub, scope, profiles = []) => signToken({ sub, scope, profiles, sid: `session-of-${sub}` })
/* ann administers GEC and eve HR; bob and hal work there; max is of the default scope. */
const ann = person('ann', 'GEC', ['ADMIN'])
const bob = person('bob', 'GEC')
const eve = person('eve', 'HR', ['ADMIN'])
const hal = person('hal', 'HR')
const max = person('max', undefined, ['ADMIN'])

async function ask (method, target, token, json, { at = one, headers } = {}) {
  const answer = await at.fetch('/core/rest' + target, { method, token, json, headers })
  const text = await answer.text()
  const body = text && JSON.parse(text)
  return { status: answer.status, code: body.code, body }
}

async function done (...args) {
  const answer = await ask(...args)
  assert.ok(answer.status < 300, `${args[0]} ${args[1]}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}

const refs = ids => [ids].flat().map(id => ({ category: 'DOCUMENT', id }))
const reserve = (token, ids, options) => ask('POST', '/reservation/reserve', token, refs(ids), options)
const release = (token, ids, options) => ask('POST', '/reservation/release', token, refs(ids), options)
const renew = (token, ids, options) => ask('POST', '/reservation/renew', token, refs(ids), options)
const holders = async (token, ids, options) => (await done('POST', '/reservation', token, refs(ids), options)).map(row => row.user ?? '')

const entry = (principal, ...permissions) => permissions.map(permission => ({ principal, permission, grant: 'ALLOW' }))
for (const [scope, admin] of [['GEC', ann], ['HR', eve]]) {
  await done('POST', '/scope', root, [{ id: scope }])
  await done('POST', '/acl', admin, [
    { id: 'all', entries: entry('*', '*') },
    { id: 'read', entries: [...entry('*', 'READ'), ...entry('ADMIN', '*')] },
    { id: 'write', entries: [...entry('*', 'READ', 'READ_CONTENT', 'UPDATE_CONTENT'), ...entry('ADMIN', '*')] },
    { id: 'hidden', entries: entry('ADMIN', '*') }
  ])
  await done('POST', '/documentclass', admin, [
    { id: 'Note', category: 'DOCUMENT', collaborative: true, data: { ACL: 'all' } }, { id: 'Paper', category: 'DOCUMENT', data: { ACL: 'all' } }
  ])
  const note = (id, acl, classId = 'Note') => ({ id, name: id, data: { classId, ACL: acl } })
  await done('POST', '/documents', admin, [note('n1', 'all'), note('n2', 'all'), note('seen', 'read'), note('written', 'write'), note('paper', 'write', 'Paper'), note('secret', 'hidden')])
}

await run.story('scopes are made by the platform, under ids that can stand in names', async () => {
  const refused = await ask('POST', '/scope', ann, [{ id: 'Mine' }])
  assert.deepEqual([refused.status, refused.code], [403, 'F00302'])
  for (const id of ['a/b', ' a', 'a ', 'x'.repeat(65), 'ä'.repeat(33), 'a\n']) {
    const bad = await ask('POST', '/scope', root, [{ id }])
    assert.deepEqual([bad.status, bad.body.details.map(d => d.path)], [400, ['/0/id']], id)
  }
  assert.equal((await ask('GET', '/scope/GEC', root, undefined, { headers: { scope: 'x'.repeat(65) } })).status, 400)
})

/* --- reservations ---------------------------------------------------------------------------------------------- */

await run.story('components of one id are held in each scope by itself, under the names that people use', async () => {
  const taken = await reserve(ann, ['n1', 'n2'])
  assert.deepEqual(taken.body.map(r => [r.id, r.user, 'scope' in r]), [['n1', 'ann', false], ['n2', 'ann', false]])
  assert.deepEqual((await reserve(bob, 'n1', { at: two })).body.details.reservations.map(r => [r.id, r.user]), [['n1', 'ann']])
  assert.deepEqual(await holders(hal, ['n1', 'n2']), ['', ''])
  assert.equal((await reserve(hal, 'n1', { at: two })).body[0].user, 'hal')
  assert.deepEqual([await holders(bob, 'n1'), await holders(eve, 'n1')], [['ann'], ['hal']])
  assert.deepEqual((await done('GET', '/reservation/session', ann)).map(r => r.id), ['n1', 'n2'])
  assert.deepEqual((await done('GET', '/reservation/session', hal)).map(r => r.id), ['n1'])
})

await run.story('no other name reaches it: neither the scope before the id nor the body\'s name', async () => {
  for (const token of [hal, max]) {
    for (const id of ['GEC/n2', 'component/GEC/n2', '/GEC/n2', '../GEC/n2']) {
      assert.deepEqual(await holders(token, id), [''], id)
      const answer = await reserve(token, id)
      assert.ok(answer.status === 404 || (token === max && answer.status === 200), `${id}: ${answer.status}`)
      await release(token, id)
      assert.notEqual((await renew(token, id)).status, 200)
    }
  }
  for (const id of ['n2', 'GEC/n2']) assert.equal((await ask('DELETE', `/reservation/DOCUMENT/${encodeURIComponent(id)}`, eve)).status, 204)
  assert.deepEqual(await holders(ann, 'n2'), ['ann'])
  assert.equal((await reserve(hal, 'x'.repeat(201))).status, 400)
})

await run.story('a document of the default scope whose name begins with a scope is not its component', async () => {
  const editor = cluster.client('GEC/n2', { at: one, token: max, name: 'max' })
  editor.doc.getText('t').insert(0, 'mine')
  await until('it is stored', () => editor.settled())
  assert.equal((await release(ann, 'n2')).body[0].reserved, false)
  assert.equal((await reserve(bob, 'n2')).status, 200, 'nobody edits that')
  assert.equal((await reserve(max, 'GEC/n2')).status, 200)
  editor.doc.getText('t').insert(0, 'still ')
  await until('its holder writes', () => editor.settled())
  await release(max, 'GEC/n2')
  await release(bob, 'n2')
  editor.close()
})

await run.story('who may not change it may not reserve it, and who may not read it learns of nothing', async () => {
  const seen = await reserve(bob, 'seen')
  assert.deepEqual([seen.status, seen.code], [403, 'U00403'])
  for (const id of ['secret', 'none']) {
    const hidden = await reserve(bob, ['n2', id])
    assert.deepEqual([hidden.status, hidden.code, hidden.body.message], [404, 'F00012', `there is no DOCUMENT ${id}`])
  }
  assert.deepEqual(await holders(ann, 'n2'), [''], 'all or none')
  assert.equal((await reserve(bob, 'written')).status, 200, 'who edits the body with others')
  assert.equal((await reserve(bob, 'paper')).status, 403, 'which this has not')
  await release(bob, 'written')
  assert.equal((await reserve(ann, ['secret', 'seen'])).status, 200)
  assert.deepEqual([await holders(bob, ['seen', 'secret']), await holders(ann, ['seen', 'secret'])], [['ann', ''], ['ann', 'ann']])
  assert.deepEqual((await release(bob, 'secret')).body, [{ category: 'DOCUMENT', id: 'secret', reserved: false }])
  assert.deepEqual(await holders(ann, 'secret'), ['ann'])
  assert.equal((await ask('POST', '/reservation/reserve', ann, [{ category: 'FOLDER', id: 'none' }])).status, 404)
  await done('POST', '/documents/seen', ann, [{ name: 'seen', data: { classId: 'Note', ACL: 'all' } }])
  await release(ann, 'seen')
  assert.equal((await reserve(bob, 'seen')).status, 200)
  await done('POST', '/acl/all', ann, [{ id: 'all', entries: [...entry('*', 'READ'), ...entry('ADMIN', '*')] }])
  assert.equal((await renew(bob, 'seen')).status, 403, 'his right has ended')
  assert.equal((await release(bob, 'seen')).body[0].reserved, false)
  await done('POST', '/acl/all', ann, [{ id: 'all', entries: entry('*', '*') }])
})

await run.story('an administrator lists and breaks in his scope; a platform administrator in any', async () => {
  await reserve(ann, ['n1', 'n2', 'secret'])
  await reserve(hal, 'n1')
  await reserve(max, 'free')
  const list = async (token, query = '', headers) => (await done('GET', `/reservation${query}`, token, undefined, { headers, at: two })).results.map(r => `${r.scope ?? ''} ${r.id}`)
  await until('the other core knows', async () => (await list(root, '?scope=*')).length === 5)
  assert.deepEqual(await list(ann), [' n1', ' n2', ' secret'])
  assert.deepEqual(await list(eve, '?scope=HR'), [' n1'])
  assert.deepEqual(await list(max), [' free'])
  for (const scope of ['GEC', '*', 'main']) assert.equal((await ask('GET', `/reservation?scope=${scope}`, eve)).status, 403)
  assert.deepEqual(await list(eve, '', { scope: 'GEC' }), [' n1'], 'a header is for platform administrators')
  assert.deepEqual((await list(root, '?scope=*')).sort(), ['GEC n1', 'GEC n2', 'GEC secret', 'HR n1', 'main free'])
  assert.deepEqual(await list(root, '?scope=GEC'), [' n1', ' n2', ' secret'])
  assert.deepEqual(await list(root, '', { scope: 'HR' }), [' n1'])
  assert.equal((await done('GET', '/reservation?scope=*&max=1', root)).found, 5)
  assert.equal((await ask('DELETE', '/reservation/DOCUMENT/n1?scope=GEC', eve)).status, 403)
  assert.equal((await ask('DELETE', '/reservation/DOCUMENT/n1?scope=*', root)).status, 400)
  assert.equal((await ask('DELETE', '/reservation/DOCUMENT/n1', eve)).status, 204)
  assert.deepEqual([await holders(hal, 'n1'), await holders(ann, 'n1')], [[''], ['ann']])
  assert.equal((await ask('DELETE', '/reservation/DOCUMENT/n2?scope=GEC', root)).status, 204)
  assert.equal((await ask('DELETE', '/reservation/DOCUMENT/secret', root, undefined, { headers: { scope: 'GEC' } })).status, 204)
  assert.deepEqual(await holders(ann, ['n1', 'n2', 'secret']), ['ann', '', ''])
  const rows = await cluster.postgres.sql("SELECT scope, object_id, user_id FROM audit WHERE action = 'UNLOCK' ORDER BY id")
  assert.deepEqual(rows.map(r => `${r.scope} ${r.object_id} ${r.user_id}`), ['HR n1 eve', 'GEC n2 root', 'GEC secret root'])
})

await run.story('the body\'s editors hear of their own component alone', async () => {
  const open = (scope, token) => cluster.client(`component/${scope}/n2`, { at: two, token, name: scope })
  const editors = [open('GEC', ann), open('HR', hal)]
  await until('both edit', () => editors.every(e => e.settled()))
  const notes = editor => editor.stateless.map(text => JSON.parse(text))
  const taken = await until('who edits at the other core counts', async () => {
    const answer = await reserve(bob, 'n2')
    if (answer.status === 200) await release(bob, 'n2')
    return answer.status === 423 && answer
  })
  assert.deepEqual(taken.body.details.reservations.map(r => [r.id, r.user, r.editing]), [['n2', 'ann', true]])
  assert.equal((await ask('POST', '/reservation/reserve?break=true', bob, refs('n2'))).status, 200)
  await until('its editors are told', () => notes(editors[0]).some(n => n.event === 'reserved' && n.user === 'bob'))
  assert.deepEqual(notes(editors[1]), [])
  await release(bob, 'n2')
  for (const e of editors) e.close()
})

await run.story('a body goes with its component, and a component of the same id begins with an empty one at both cores', async () => {
  const make = () => done('POST', '/documents', ann, [{ id: 'again', name: 'again', data: { classId: 'Note', ACL: 'all' } }])
  const open = at => cluster.client('component/GEC/again', { at, token: ann, name: 'ann' })
  const text = client => client.doc.getText('default').toString()
  for (const word of ['first', 'second']) {
    await make()
    const [here, there] = [open(one), open(two)]
    await until('both have it', () => here.settled() && there.settled())
    assert.deepEqual([text(here), text(there)], ['', ''])
    here.doc.getText('default').insert(0, word)
    await until('both see it', () => here.settled() && text(there) === word)
    await done('DELETE', '/documents/again', ann)
    const [row] = await cluster.postgres.sql("SELECT deleted_at IS NOT NULL AS deleted FROM documents WHERE name = 'component/GEC/again'")
    assert.equal(row.deleted, true, 'with the commit')
    here.close()
    there.close()
  }
})

/* --- administration -------------------------------------------------------------------------------------------- */

const open = (name, token, at) => cluster.client(name, { at, token, name })

await run.story('open documents and connections are listed and ended by whose they are', async () => {
  const names = { ann: 'component/GEC/n1', hal: 'component/HR/n1', max: 'free' }
  const editors = [open(names.ann, ann, one), open(names.hal, hal, two), open(names.max, max, two)]
  for (const e of editors) { e.doc.getText('default').insert(0, 'x'); await until('it is stored', () => e.settled()) }
  const listed = async (token, query = '') => (await done('GET', `/admin/documents${query}`, token)).results.map(d => d.name).filter(name => !name.endsWith('n2'))     /* the story before */
  const sockets = async (token, query = '') => (await done('GET', `/admin/connections${query}`, token)).results
  const all = Object.values(names).sort()
  for (const [token, query, wanted] of [[ann, '', [names.ann]], [eve, '?scope=HR', [names.hal]], [max, '', [names.max]], [root, '', all], [root, '?scope=*', all],
    [root, '?scope=GEC', [names.ann]], [ann, '?contains=n1', [names.ann]], [eve, '?contains=GEC', []]]) {
    const found = await listed(token, query)
    assert.deepEqual(found, wanted)
    if (!query.startsWith('?contains')) assert.deepEqual((await sockets(token, query)).flatMap(s => s.documents.map(d => d.name)).sort(), wanted)
  }
  for (const token of [ann, eve, max]) for (const where of ['documents', 'connections', 'audit']) assert.equal((await ask('GET', `/admin/${where}?scope=*`, token)).status, 403)
  assert.deepEqual(await sockets(eve, `?document=${encodeURIComponent(names.ann)}`), [])

  const doc = `/admin/documents/${encodeURIComponent(names.ann)}`
  const theirs = [['GET', doc], ['POST', `${doc}/close`, {}], ['POST', `${doc}/reload`], ['POST', `${doc}/fork`, {}], ['GET', `${doc}/content`]]
  for (const [method, target, json] of theirs) for (const token of [eve, max]) assert.equal((await ask(method, target, token, json)).status, 404, target)
  assert.equal((await ask('POST', '/admin/collab/close', eve, { document: names.ann })).status, 404)
  assert.equal((await ask('POST', '/admin/collab/close', eve, { document: null })).status, 403)
  assert.equal((await ask('POST', '/admin/archive/run', eve)).status, 403)
  assert.equal((await ask('POST', `${doc}/fork`, ann, {})).status, 403, 'a copy is of the default scope')
  assert.equal((await ask('POST', `${doc}/fork`, root, { name: 'component/HR/made' })).status, 400)
  for (const token of [ann, root]) assert.equal((await done('GET', doc, token)).open.length, 1)
  const [{ id, member }] = await sockets(ann)
  await done('DELETE', `/admin/connections/${member}/${id}`, eve)
  assert.equal((await sockets(ann))[0].id, id, 'it is not hers')
  await done('DELETE', `/admin/connections/${member}/${id}`, ann)
  await until('its client has come back', async () => { const now = await sockets(ann); return now.length === 1 && now[0].id !== id }, 20000)
  for (const e of editors) e.close()
})

await run.story('facts are about a scope, or about the installation', async () => {
  await done('PUT', '/admin/loggers/redis', root, { level: null })
  const facts = async (token, query = '') => (await done('GET', `/admin/audit${query}`, token)).results.map(f => `${f.scope} ${f.action}`)
  assert.ok((await facts(ann)).every(f => f.startsWith('GEC ')) && (await facts(ann)).includes('GEC CLOSE'))
  assert.ok((await facts(eve)).every(f => f.startsWith('HR ')) && (await facts(eve)).includes('HR UNLOCK'))
  assert.ok((await facts(root)).includes(' LOG_LEVEL') && (await facts(root)).includes('GEC CLOSE'))
  assert.deepEqual(await facts(ann, '?action=LOG_LEVEL'), [])
  assert.ok((await facts(root, '?scope=HR')).every(f => f.startsWith('HR ')))
})

await run.story('sessions are listed and ended by the scope that they were opened in, at cores and at the gateway', async () => {
  const signIn = async (user, scope) => {
    const answer = await gateway.fetch('/gui/rest/session', { method: 'POST', json: { user, password, scope } })
    assert.equal(answer.status, 200)
    const cookie = answer.headers.get('set-cookie').split(';')[0]
    return { cookie, 'x-csrf-token': (await answer.json()).csrf }
  }
  const of = { GEC: await signIn('bob', 'GEC'), HR: await signIn('bob', 'HR'), main: await signIn('bob', 'main') }
  const lives = async scope => (await gateway.fetch('/gui/rest/session', { headers: of[scope] })).status === 200
  const sessions = async (token, query = '') => (await done('GET', `/admin/sessions?user=bob${query}`, token)).results
  assert.equal((await sessions(root)).length, 3)
  for (const [token, scope] of [[ann, 'GEC'], [eve, 'HR'], [max, 'main']]) assert.deepEqual((await sessions(token)).map(s => s.scope), [scope])
  assert.deepEqual((await sessions(root, '&scope=HR')).map(s => s.scope), ['HR'])
  const [hrs] = await sessions(eve)
  assert.equal((await done('DELETE', `/admin/sessions/${hrs.id}`, ann)).ended, 0)
  assert.equal((await done('DELETE', '/admin/sessions?user=bob', ann)).ended, 1)
  assert.deepEqual([await lives('GEC'), await lives('HR'), await lives('main')], [false, true, true])

  const spring = (method, target, token) => gateway.fetch(`/gui/actuator/sessions${target}`, { method, token })
  const seen = async token => (await (await spring('GET', '?username=bob', token)).json()).sessions.length
  assert.deepEqual([await seen(ann), await seen(eve), await seen(root)], [0, 1, 2])
  assert.equal((await spring('GET', `/${hrs.id}`, ann)).status, 404)
  assert.equal((await spring('DELETE', `/${hrs.id}`, ann)).status, 204)
  assert.equal((await spring('DELETE', '?username=bob', ann)).status, 204)
  assert.ok(await lives('HR'))
  assert.equal((await spring('DELETE', `/${hrs.id}`, eve)).status, 204)
  assert.deepEqual([await lives('HR'), await lives('main')], [false, true])
})

await run.story('all end well', () => cluster.stop())
await run.finish()
