/* integration.people: users and groups of a scope, at two cores: logging in, passwords, what a token of a scope's user opens and what it
 * does not, and that it ends with the account. */
import assert from 'node:assert/strict'
import { openClient } from '../harness/clients.mjs'
import { startCluster } from '../harness/cluster.mjs'
import { openRun, until } from '../harness/run.mjs'
import { signToken } from '../harness/subjects.mjs'

const run = openRun('integration.people')
const cluster = await startCluster(run, { gateways: 1, redis: 'simple', balancer: false })
const [core, other] = cluster.cores

const system = signToken({ sub: 'root', profiles: ['SYSTEM_ADMIN'] })
const adminOf = scope => signToken({ sub: 'root', scope, profiles: ['ADMIN'] })
const secret = 'correct horse battery'

async function ask (at, method, path, { token, body, headers } = {}) {
  const answer = await at.fetch(`/core/rest/${path}`, { method, token, headers, ...(body === undefined ? {} : { json: body }) })
  const text = await answer.text()
  return { status: answer.status, text, body: text && answer.headers.get('content-type')?.includes('json') ? JSON.parse(text) : null }
}
async function done (...call) {
  const answer = await ask(...call)
  assert.ok(answer.status < 300, `${call[1]} ${call[2]}: ${answer.status} ${answer.text}`)
  return answer.body
}
async function refused (status, ...call) {
  const answer = await ask(...call)
  assert.equal(answer.status, status, `${call[1]} ${call[2]}: ${answer.status} ${answer.text}`)
  return answer.body
}
const login = (at, user, scope, password = secret) => ask(at, 'POST', 'authentication', { body: { user, password, scope } })
async function tokenOf (at, user, scope, password = secret) {
  const answer = await login(at, user, scope, password)
  assert.equal(answer.status, 200, answer.text)
  return answer.body.value
}
const claims = token => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'))
const create = (scope, body) => done(core, 'POST', 'users', { token: adminOf(scope), body: { password: secret, ...body } })

/* Two scopes with the same names in them. `red` has a class that deck may use; `blue` has one that eva may. */
for (const scope of ['red', 'blue']) {
  const people = { profiles: [{ id: 'navy', principals: ['deck'] }, { id: 'ADMIN', principals: scope === 'blue' ? ['eva', 'ada'] : ['ada'] }] }
  await done(core, 'POST', 'scope', { token: system, body: [{ id: scope, people, data: { ACL: 'use' } }] })
  const token = adminOf(scope)
  const principal = scope === 'red' ? 'navy' : 'eva'
  await done(core, 'POST', 'acl', { token, body: [{ id: 'use', entries: [{ principal, permission: '*', grant: 'ALLOW' }] }] })
  await done(core, 'POST', 'documentclass', { token, body: [{ id: 'Note', category: 'DOCUMENT', collaborative: true, data: { ACL: 'use' } }] })
}
await create('red', { id: 'eva', displayName: 'Eva Lu', mail: 'eva@example.org' })
await create('red', { id: 'adam' })
await create('red', { id: 'ada' })
await done(core, 'POST', 'groups', { token: adminOf('red'), body: { id: 'deck', members: ['eva'] } })
const note = (await done(core, 'POST', 'documents', { token: signToken({ sub: 'eva', scope: 'blue', profiles: [] }), body: [{ id: 'n', name: 'n', data: { classId: 'Note' } }] }))[0]

/* ---- logging in ---- */

await run.story('a user of a scope logs in at any core, and gets his teams and groups', async () => {
  const token = await tokenOf(other, 'eva', 'red')
  const got = claims(token)
  assert.deepEqual([got.sub, got.name, got.scope, got.profiles, got.groups], ['eva', 'Eva Lu', 'red', ['navy'], ['deck']])
  assert.ok(got.account)
  await done(core, 'POST', 'documents', { token, body: [{ id: 'r', name: 'r', data: { classId: 'Note' } }] })
  assert.ok(!(await ask(core, 'GET', 'users/eva', { token })).text.includes('argon2'))
})

await run.story('a wrong password, another scope, no scope and nobody get the same answer', async () => {
  const answers = [await login(core, 'eva', 'red', 'x'), await login(core, 'eva', 'blue'), await login(core, 'eva', 'nowhere'), await login(core, 'no-one', 'red')]
  for (const a of answers) assert.deepEqual([a.status, a.body.code, a.body.message], [401, 'U00401', 'user or password is wrong'])
})

await run.story('a user without a password logs in with none', async () => {
  await done(core, 'POST', 'users', { token: adminOf('red'), body: { id: 'mute' } })
  assert.equal((await login(core, 'mute', 'red', 'anything')).status, 401)
})

await run.story('who is disabled hears what strangers hear, and a fact is kept', async () => {
  await create('red', { id: 'gone', enabled: false })
  assert.deepEqual([(await login(core, 'gone', 'red')).status], [401])
  const audit = await until('the fact is there', async () => {
    const { results } = await done(core, 'GET', 'admin/audit?action=LOGIN_REFUSED', { token: system })
    return results.length > 0 && results
  })
  assert.deepEqual([audit[0].user, audit[0].scope, audit[0].detail.reason], ['gone', 'red', 'disabled'])
})

await run.story('nobody is called like an account of the properties', async () => {
  assert.equal((await refused(409, core, 'POST', 'users', { token: adminOf('red'), body: { id: 'bob' } })).code, 'U00410')
})

await run.story('he uses rows that are no calls of the platform, as long as he is one: uploads, documents without a component', async () => {
  const token = await tokenOf(core, 'eva', 'red')
  const form = new FormData()
  form.append('file', new Blob(['hello']), 'hello.txt')
  const answer = await core.fetch('/core/rest/files/tmp', { method: 'POST', token, body: form })
  assert.equal(answer.status, 200)
  const { id } = await answer.json()
  assert.equal((await core.fetch(`/core/rest/files/tmp/${id}`, { token })).status, 200)
  await refused(403, core, 'GET', 'collab/documents', { token })     /* they are the default scope's */
})

/* ---- passwords ---- */

await run.story('an expired password is good for setting another one, and for nothing else', async () => {
  await create('red', { id: 'late', credentialsExpired: true })
  assert.deepEqual([(await login(core, 'late', 'red')).status, (await login(core, 'late', 'red')).body.code], [403, 'U00440'])
  await refused(401, core, 'PUT', 'users/late/password', { body: { old: 'wrong', new: 'another horse', scope: 'red' } })
  await refused(400, core, 'PUT', 'users/late/password', { body: { old: secret, new: secret, scope: 'red' } })
  await refused(400, core, 'PUT', 'users/late/password', { body: { old: secret, new: 'short', scope: 'red' } })
  await done(core, 'PUT', 'users/late/password', { body: { old: secret, new: 'another horse', scope: 'red' } })
  await tokenOf(other, 'late', 'red', 'another horse')
  assert.equal((await login(other, 'late', 'red')).status, 401)
})

await run.story('oneself needs the old password, and keeps the token; another one needs the role', async () => {
  const token = await tokenOf(core, 'adam', 'red')
  await refused(400, core, 'PUT', 'users/adam/password', { token, body: { new: 'my new password' } })
  await refused(403, core, 'PUT', 'users/adam/password', { token, body: { old: 'wrong', new: 'my new password' } })
  await refused(403, core, 'PUT', 'users/eva/password', { token, body: { new: 'my new password' } })
  await done(core, 'PUT', 'users/adam/password', { token, body: { old: secret, new: 'my new password' } })
  await done(other, 'GET', 'users/adam', { token })
  await tokenOf(core, 'adam', 'red', 'my new password')
})

/* ---- scopes ---- */

await run.story('a token of one scope does nothing in another, whatever the name and the headers', async () => {
  const token = await tokenOf(core, 'eva', 'red')      /* blue's ACLs and its team ADMIN name an eva */
  const headers = { scope: 'blue' }
  await refused(404, core, 'GET', 'documents/n', { token, headers })
  await refused(403, core, 'GET', 'scope/blue', { token, headers })
  await refused(403, core, 'POST', 'users', { token, headers, body: { id: 'x' } })
  await refused(403, core, 'GET', 'admin/model/blue', { token, headers })
  await refused(404, core, 'GET', `collab/documents/${encodeURIComponent('component/blue/n')}`, { token, headers })
  assert.equal((await done(core, 'GET', 'users/eva', { token, headers })).mail, 'eva@example.org')       /* she is red's all the same */
  const client = openClient('provider4', core, 'component/blue/n', { token })
  await until('the socket is refused', () => client.had('denied'))
  client.close?.()
})

await run.story('an administrator of a scope is one there, at once, and nowhere else', async () => {
  const token = await tokenOf(core, 'ada', 'red')
  await done(other, 'POST', 'users', { token, body: { id: 'made-by-ada' } })
  await refused(403, core, 'POST', 'users', { token, headers: { scope: 'blue' }, body: { id: 'x', profiles: ['SYSTEM_ADMIN'] } })
  for (const path of ['admin/config', 'admin/cluster', 'admin/collab', 'admin/loggers', 'admin/locks', 'scope', 'admin/audit?scope=blue']) await refused(403, core, 'GET', path, { token })
  const { results } = await done(core, 'GET', 'admin/audit?objectType=USER&max=1000', { token, headers: { scope: 'blue' } })
  assert.deepEqual([...new Set(results.map(f => f.scope))], ['red'])
  const [scope] = await done(core, 'GET', 'scope/red', { token: adminOf('red') })
  scope.people.profiles = scope.people.profiles.filter(p => p.id !== 'ADMIN')
  await done(core, 'POST', 'scope/red', { token: adminOf('red'), body: [scope] })
  await refused(403, other, 'POST', 'users', { token, body: { id: 'y' } })
  await refused(403, other, 'GET', 'admin/model/red', { token })
})

await run.story('who guards users gives nobody a role that he has not', async () => {
  await create('red', { id: 'guard', profiles: ['SECURITY_ADMIN'] })
  await create('red', { id: 'boss', profiles: ['ADMIN'] })
  const token = await tokenOf(core, 'guard', 'red')
  await done(core, 'POST', 'users', { token, body: { id: 'new', profiles: ['navy'] } })
  await refused(403, core, 'POST', 'users/guard', { token, body: { id: 'guard', profiles: ['SECURITY_ADMIN', 'ADMIN'] } })
  await refused(403, core, 'PUT', 'users/boss/password', { token, body: { new: 'now it is mine' } })
  await refused(403, core, 'POST', 'groups', { token, body: { id: 'us', members: ['guard'], profiles: ['ADMIN'] } })
  await refused(403, core, 'POST', 'users', { token: adminOf('red'), body: { id: 'z', profiles: ['SYSTEM_ADMIN'] } })
})

/* ---- ends ---- */

await run.story('a membership counts at every core from the next call on', async () => {
  const token = await tokenOf(core, 'adam', 'red', 'my new password')
  await refused(404, other, 'GET', 'documents/r', { token })
  await done(core, 'POST', 'groups/deck', { token: adminOf('red'), body: { id: 'deck', members: ['eva', 'adam'] } })
  await done(other, 'GET', 'documents/r', { token })
  await done(core, 'POST', 'groups/deck', { token: adminOf('red'), body: { id: 'deck', members: ['eva'] } })
  await refused(404, other, 'GET', 'documents/r', { token })
})

await run.story('a token ends when its user is disabled, gets a password from somebody else, or goes', async () => {
  const ends = [
    ['PUT', 'users/brief/enabled', { enabled: false }], ['PUT', 'users/brief/password', { new: 'somebody else set it' }], ['DELETE', 'users/brief']
  ]
  for (const [method, path, body] of ends) {
    await create('red', { id: 'brief' })
    const token = await tokenOf(core, 'brief', 'red')
    await done(other, 'GET', 'users/brief', { token })
    await done(core, 'GET', 'caches', { token: system })
    await done(core, method, path, { token: adminOf('red'), body })
    for (const what of ['users/brief', 'acl', 'collab/documents', 'files/tmp/tmp_x']) await refused(401, other, 'GET', what, { token })
    await ask(core, 'DELETE', 'users/brief', { token: adminOf('red') })
  }
})

await run.story('a body that is open is closed when its user is disabled', async () => {
  const token = await tokenOf(other, 'eva', 'red')
  const client = openClient('provider4', other, 'component/red/r', { token })
  client.doc.getText('default').insert(0, 'hello')
  await until('it is stored', () => client.settled())
  await done(core, 'PUT', 'users/eva/enabled', { token: adminOf('red'), body: { enabled: false } })
  await until('the document is closed', () => client.had('close') ?? client.had('denied'))
  client.close?.()
})

await run.story('a document that is no component\'s ends with the account too', async () => {
  await done(core, 'POST', 'scope', { token: system, body: [{ id: 'main' }] })
  await create('main', { id: 'eva' })
  const client = openClient('provider4', other, 'free', { token: await tokenOf(core, 'eva', 'main') })
  client.doc.getText('default').insert(0, 'hello')
  await until('it is stored', () => client.settled())
  await done(core, 'DELETE', 'users/eva', { token: adminOf('main') })
  await until('the document is closed', () => client.had('close') ?? client.had('denied'))
  client.close?.()
})

/* ---- at a gateway ---- */

const gateway = cluster.gateway(1)
const enter = (user, scope, password = secret) => gateway.fetch('/gui/rest/session', { method: 'POST', json: { user, password, scope } })
async function signIn (user, scope) {
  const answer = await enter(user, scope)
  assert.equal(answer.status, 200, await answer.clone().text())
  return { headers: { cookie: answer.headers.get('set-cookie').split(';')[0] } }
}
const session = async headers => (await gateway.fetch('/gui/rest/session', headers)).status

await run.story('a session is of its scope, and ends with the account it was begun for; one of the same name in another scope goes on', async () => {
  for (const scope of ['red', 'blue']) await create(scope, { id: 'twin', mail: `${scope}@example.org` })
  const red = await signIn('twin', 'red')
  const blue = await signIn('twin', 'blue')
  const mail = async (who, scope) => (await done(gateway, 'GET', 'users/twin', { headers: { ...who.headers, scope } })).mail
  assert.equal(await mail(red, 'blue'), 'red@example.org')
  assert.equal(await mail(blue, 'red'), 'blue@example.org')
  await done(core, 'PUT', 'users/twin/enabled', { token: adminOf('red'), body: { enabled: false } })
  await refused(401, gateway, 'GET', 'users/twin', { headers: red.headers })
  await until('the session has ended', async () => await session(red) === 401)
  assert.equal(await session(blue), 200)
  assert.equal(await mail(blue, 'blue'), 'blue@example.org')
  assert.equal((await enter('twin', 'red')).status, 401)
})

await run.story('a gateway says that a password has expired', async () => {
  await create('red', { id: 'later', credentialsExpired: true })
  const answer = await enter('later', 'red')
  assert.deepEqual([answer.status, (await answer.json()).code], [403, 'U00440'])
  assert.equal((await enter('later', 'red', 'wrong')).status, 401)
  await done(gateway, 'PUT', 'users/later/password', { body: { old: secret, new: 'another horse', scope: 'red' } })
  assert.equal((await enter('later', 'red', 'another horse')).status, 200)
})

assert.equal(note.id, 'n')
await run.finish()
