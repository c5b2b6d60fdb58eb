/* integration.openapi: the description of the REST interface is a valid one, and true: every call answers as it says, and lets in
 * whom it says. Each operation needs a fixture in openapi/<tag>.mjs, by its operationId:
 *
 *   'things.get': async t => ({ path: { id: await t.thing() } })
 *
 * It returns what to ask with: { path, query, headers, body (JSON), raw + type (bytes), claims (of the token), status (which of
 * the described ones; without it any of success), check (of what was answered), socket (it is an upgrade) }. T is below. */
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import fs from 'node:fs'
import { pathToFileURL } from 'node:url'
import path from 'node:path'
import { openClient } from '../harness/clients.mjs'
import { openRawWebSocket } from '../harness/http.mjs'
import { Description, holdAgainst, targetOf, tokenFor } from '../harness/openapi.mjs'
import { openRun, root, until } from '../harness/run.mjs'
import { signToken, startSubject } from '../harness/subjects.mjs'

const run = openRun('integration.openapi')
const core = await startSubject(run, {
  echo: true,
  args: [`--archive.url=file://${run.folder('archive')}`, '--features.custom.paperless=yes', '--features.custom.fulltext=false', '--features.custom.Fax.Out=off', '--collab.debounce=50ms', '--management.endpoints.web.exposure.include=*', '--store.versions.every=0', '--store.versions.every-changes=0']
})
const api = await Description.of(core)

/* ---- what fixtures may ask for ---- */

const t = {
  core,
  unique: crypto.randomUUID,
  /* Calls an operation as somebody who may; its reply's body. */
  call: async (id, request = {}) => {
    const operation = api.operations.find(o => o.id === id)
    const answer = await send(operation, request)
    assert.ok(answer.status < 300, `${id}: ${answer.status} ${await answer.clone().text()}`)
    return answer.status === 204 ? null : await answer.json()
  },
  /* The id of a scope of one's own. */
  scope: async () => (await t.call('scope.create', { body: [{ id: 'S' + t.unique() }] }))[0].id,
  /* The name of a document of one's own. */
  document: async () => (await t.call('collab.documents.create', { body: { title: 'Minutes' } })).name,
  /* { name, seq }: a document with a version that shows a text. */
  version: async () => {
    const name = await t.document()
    const client = openClient('provider4', core, name, { token: core.token('write', 'ann') })
    client.doc.getText('default').insert(0, 'Present: Ann')
    await until('it is stored', () => client.settled())
    const { seq } = await t.call('collab.versions.keep', { path: { name } })
    client.close?.()
    return { name, seq: String(seq) }
  }
}

async function send (operation, { body, raw, type, headers = {}, claims, as, ...parameters }) {
  const bytes = raw ?? (body !== undefined ? JSON.stringify(body) : undefined)
  const token = as ?? tokenFor(api.roles(operation)[0], claims)
  return await core.fetch(targetOf(operation, parameters), {
    method: operation.method, token, body: bytes, headers: { ...(bytes !== undefined ? { 'content-type': type ?? 'application/json' } : {}), ...headers }
  })
}

async function upgrade (operation, request) {
  const { c, answer } = await openRawWebSocket(core.port, targetOf(operation, request), { headers: { token: core.token('write') } })
  c.destroy()
  return answer.status
}

/* ---- stories ---- */

const folder = path.join(root, 'tests/integration/openapi')
const fixtures = Object.assign({}, ...await Promise.all(fs.readdirSync(folder).map(async file =>
  (await import(pathToFileURL(path.join(folder, file)))).default)))

await run.story('the description is a valid OpenAPI document', async () => {
  assert.equal(api.document.openapi, '3.1.0')
  assert.equal(api.judge(), null)
})

await run.story('every operation has a fixture, and every fixture an operation', async () => {
  const ids = api.operations.map(o => o.id)
  assert.deepEqual(ids.filter(id => !(id in fixtures)), [], 'operations without a fixture')
  assert.deepEqual(Object.keys(fixtures).filter(id => !ids.includes(id)), [], 'fixtures without an operation')
})

for (const operation of api.operations.filter(o => o.id in fixtures)) {
  await run.story(`${operation.id} answers as it is described`, async () => {
    const given = fixtures[operation.id]
    const request = typeof given === 'function' ? await given(t) : given
    if (request.socket) {
      assert.equal(await upgrade(operation, request), 101)
      return
    }
    const answer = await holdAgainst(api, operation, await send(operation, request))
    if (request.status) assert.equal(answer.status, request.status, JSON.stringify(answer.body))
    else assert.ok(answer.status < 300, `${answer.status} ${JSON.stringify(answer.body)}`)
    await request.check?.(answer)
  })
}

/* ---- who may ---- */

const roles = ['ADMIN', 'FUNCTIONAL_ADMIN', 'SECURITY_ADMIN', 'SYSTEM_ADMIN']
const callers = { nobody: undefined, user: tokenFor('user'), gateway: tokenFor('(gateway)'), ...Object.fromEntries(roles.map(r => [r, tokenFor(r)])) }

/* What a row with ROLES says to CALLER. */
function verdict (roles, caller) {
  if (roles.includes('anybody')) return 'allowed'
  if (roles.includes('(gateway)')) return caller === 'gateway' ? 'allowed' : 401
  if (caller === 'nobody' || caller === 'gateway') return 401
  return roles.includes('user') || roles.includes(caller) || caller === 'SYSTEM_ADMIN' ? 'allowed' : 403
}

/* Who may is judged first, then the parameters: one that no call knows shows who came through, and nothing is done. */
async function knock (operation, token) {
  const anything = Object.fromEntries((operation.parameters ?? []).filter(p => p.in === 'path').map(p => [p.name, 'x']))
  const answer = await send(operation, { path: anything, query: { 'no-such-parameter': '1' }, as: token ?? '' })
  if ([401, 403].includes(answer.status)) {
    await holdAgainst(api, operation, answer)
    return answer.status
  }
  assert.ok(answer.status < 500, `${operation.id}: ${answer.status}`)
  return 'allowed'
}

await run.story('every operation lets in whom its row names, and nobody else', async () => {
  const wrong = []
  for (const operation of api.operations) {
    for (const [caller, token] of Object.entries(callers)) {
      const want = verdict(api.roles(operation), caller)
      const got = await knock(operation, token)
      if (got !== want) wrong.push(`${operation.id} (${api.roles(operation)}) says ${got} to ${caller}, not ${want}`)
    }
  }
  assert.deepEqual(wrong, [])
})

await run.story('a token of another key, or one that is over, opens no door', async () => {
  const bad = [
    core.token('bad'), signToken({ exp: Math.floor(Date.now() / 1000) - 3600, profiles: ['SYSTEM_ADMIN'] }), 'x', 'a.b.c',
    signToken({ use: 'gateway' }, 'somebody-elses-key-0123456789abcdef')
  ]
  for (const operation of api.operations.filter(o => o.security.length > 0)) {
    for (const token of bad) assert.equal(await knock(operation, token), 401, operation.id)
  }
})

await run.finish()
