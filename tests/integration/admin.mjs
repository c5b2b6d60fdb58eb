/* integration.admin: administration over two cores and a gateway. What is asked at one core is answered for all, and what is done
 * there is done where it has to be, with a fact of it. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import * as Y from 'yjs'
import { startCluster } from '../harness/cluster.mjs'
import { openRun, root, until } from '../harness/run.mjs'
import { password, signToken, UmbelCore } from '../harness/subjects.mjs'

const run = openRun('integration.admin')
/* No more rights than the manual says. */
const [, acl] = /ACL SETUSER (umbel .*)/.exec(fs.readFileSync(path.join(root, 'docs/admin/redis.md'), 'utf8'))
const properties = { 'spring.data.redis.username': 'umbel', 'spring.data.redis.password': 'password' }
const cluster = await startCluster(run, { gateways: 1, redis: 'simple', balancer: false, redisSettings: { user: acl }, properties })
const [one, two] = cluster.cores
const gateway = cluster.gateway(1)
const admin = signToken({ sub: 'admin', profiles: ['SYSTEM_ADMIN'] })

async function call (method, target, json, at = one) {
  const answer = await cluster.fetch(`/core/rest${target}`, { method, token: admin, json }, at)
  const body = answer.status === 204 ? null : await answer.json()
  assert.ok(answer.status < 300, `${method} ${target}: ${answer.status} ${JSON.stringify(body)}`)
  return body
}
const get = (target, at) => call('GET', `/admin/${target}`, undefined, at)
const facts = async query => (await get(`audit?${query}`)).results
const bad = check => check.results.filter(r => r.status !== 'ok').map(r => `${r.status} ${r.member} ${r.name}`)

async function edit (name, at, text) {
  const client = cluster.client(name, { at, token: cluster.token('write', 'ann') })
  client.doc.getText('default').insert(0, text)
  await until('it is stored', () => client.settled())
  return client
}

await run.story('a check has every member try its parts, and all is well', async () => {
  await until('everybody knows everybody', async () => bad(await get('check', gateway)).length === 0)
  const check = await get('check', gateway)
  assert.deepEqual(bad(check), [])
  assert.equal(check.status, 'ok')
  assert.equal(check.members, 3)
  const has = (member, name) => check.results.some(r => r.member === member && r.name === name)
  for (const name of ['database', 'database.clock', 'database.shared', 'redis', 'redis.role', 'redis.clock', 'disk', 'members']) assert.ok(has('core-2', name), name)
  assert.ok(has('gateway-1', 'token.key') && has('gateway-1', 'clock'))
})

await run.story('a check names who has another key and another database, and says what to do', async () => {
  const stranger = new UmbelCore(run, {
    label: 'core-3',
    reactors: 1,
    args: ['--cluster.id=core-3', '--redis.enabled=true', `--spring.data.redis.url=${cluster.redis.url}`, '--token.key=another-key-another-key-another-key',
      ...Object.entries(properties).map(([key, value]) => `--${key}=${value}`)]
  })
  await stranger.start()
  await until('it is known', async () => (await cluster.members()).some(m => m.id === 'core-3'), 20000)
  const check = await get('check')
  assert.equal(check.status, 'fail')
  const result = check.results.find(r => r.member === 'core-3' && r.name === 'token.key')
  assert.equal(result.status, 'fail')
  assert.match(result.advice, /same token.key/)
  await stranger.stop()
  await until('it is gone', async () => !(await cluster.members()).some(m => m.id === 'core-3'), 20000)
})

await run.story('open documents and connections of all cores are listed, and closed from any of them', async () => {
  const a = await edit('story-a', one, 'at one')
  const b = await edit('story-b', two, 'at two')
  const list = await get('documents?contains=STORY')
  assert.deepEqual(list.results.map(d => [d.name, d.member, d.connections, d.unstoredBytes]), [['story-a', 'core-1', 1, 0], ['story-b', 'core-2', 1, 0]])
  const first = await get('documents?contains=story&max=1')
  assert.equal(first.next, 'story-a')
  assert.deepEqual((await get(`documents?contains=story&after=${first.next}`)).results.map(d => d.name), ['story-b'])
  const document = await get('documents/story-b', two)
  assert.equal(document.stored, true)
  assert.equal(document.open.length, 1)
  assert.ok(document.open[0].structs > 0)

  const [connection] = (await get('connections?document=story-b')).results
  assert.equal(connection.member, 'core-2')
  assert.equal(connection.user, 'ann')
  assert.ok(connection.bytesIn > 0 && connection.bytesOut > 0)
  await call('DELETE', `/admin/connections/core-2/${connection.id}?reason=maintenance`)
  await until('its client has come back', async () => {
    const now = (await get('connections?document=story-b')).results
    return now.length === 1 && now[0].id !== connection.id
  }, 20000)
  const [fact] = await facts('action=CLOSE&objectType=CONNECTION&max=1')
  assert.equal(fact.user, 'admin')
  assert.deepEqual([fact.objectId, fact.detail.member, fact.detail.reason], [connection.id, 'core-2', 'maintenance'])
  assert.ok(fact.detail.from && fact.detail.request)

  b.doc.getText('default').insert(0, 'and again ')
  await until('it is stored', () => b.settled())
  await call('POST', '/admin/documents/story-b/reload')
  await until('it was read again', async () => {
    const [row] = (await get('documents?contains=story-b')).results
    return row?.connections === 1 && row.stateForMs < 5000
  }, 20000)
  b.doc.getText('default').insert(0, 'still ')
  await until('it is stored', () => b.settled())
  for (const c of [a, b]) c.close()
})

await run.story('a document is exported, forked and imported, and its editors see what comes in', async () => {
  const bytes = async (name, query = '') => {
    const answer = await cluster.fetch(`/core/rest/admin/documents/${name}/content?format=update${query}`, { token: admin }, two)
    assert.equal(answer.status, 200)
    return new Uint8Array(await answer.arrayBuffer())
  }
  const put = (name, body, query = '') => cluster.fetch(`/core/rest/admin/documents/${name}/content${query}`,
    { method: 'POST', token: admin, body, headers: { 'content-type': 'application/octet-stream' } }, one)
  const client = await edit('origin', one, 'first')
  const before = await bytes('origin')
  const text = await cluster.fetch('/core/rest/admin/documents/origin/content?format=text', { token: admin })
  assert.equal((await text.text()).trim(), 'first')

  assert.deepEqual(await call('POST', '/admin/documents/origin/fork', { name: 'copy' }), { name: 'copy', of: 'origin' })
  assert.deepEqual(await bytes('copy'), before)
  assert.equal((await cluster.fetch('/core/rest/admin/documents/origin/fork', { method: 'POST', token: admin, json: { name: 'copy' } })).status, 409)

  client.doc.getText('default').insert(0, 'second ')
  await until('it is stored', () => client.settled())
  const after = await bytes('origin')
  assert.equal((await (await put('origin', before)).json()).changed, false, 'it has all of it')
  assert.equal((await (await put('copy', after)).json()).changed, true)
  assert.deepEqual(await bytes('copy'), after)
  assert.equal((await (await put('origin', before, '?replace=true')).json()).changed, true)
  await until('its editor sees it', () => client.doc.getText('default').toString() === 'first')
  assert.equal((await put('origin', new Uint8Array([1, 2, 3]))).status, 400)
  assert.equal((await put('none', before)).status, 404)
  const part = Y.diffUpdate(after, Y.encodeStateVectorFromUpdate(before))
  await call('POST', '/collab/documents', { title: 'empty' }).then(async d => assert.equal((await put(d.name, part)).status, 400, 'it builds on what is not there'))
  assert.deepEqual((await facts('objectId=origin&action=IMPORT')).map(f => f.detail.replace), [true, false])
  client.close()
})

await run.story('sessions of the gateways are listed and ended through a core', async () => {
  const session = await cluster.signIn('bob', gateway)
  await cluster.signIn('bob', gateway)
  const { results } = await get('sessions?user=bob', two)
  assert.equal(results.length, 2)
  assert.equal(results[0].user, 'bob')
  assert.equal((await call('DELETE', `/admin/sessions/${results[0].id}`)).ended, 1)
  assert.equal((await call('DELETE', '/admin/sessions?user=bob', undefined, two)).ended, 1)
  assert.equal((await gateway.fetch('/gui/rest/session', { headers: session.headers })).status, 401)
  assert.deepEqual((await get('sessions?user=bob')).results, [])
  assert.equal((await facts('action=END_SESSIONS&objectId=bob')).length, 1)
})

await run.story('a member that is drained is ready no more and serves on, and comes back', async () => {
  const client = await edit('drained', two, 'before')
  assert.deepEqual(await call('PUT', '/admin/drain', { member: 'core-2', draining: true }), { member: 'core-2', draining: true })
  assert.equal((await two.fetch('/core/actuator/health/readiness')).status, 503)
  await until('the others know', async () => (await cluster.members()).find(m => m.id === 'core-2').draining, 20000)
  client.doc.getText('default').insert(0, 'during ')
  await until('it is stored', () => client.settled())
  await call('PUT', '/admin/drain', { member: 'core-2', draining: false })
  assert.equal((await two.fetch('/core/actuator/health/readiness')).status, 200)
  await call('PUT', '/admin/drain', { member: 'gateway-1', draining: true })
  assert.equal((await gateway.fetch('/gui/actuator/status')).status, 503)
  await call('PUT', '/admin/drain', { member: 'gateway-1', draining: false })
  assert.equal((await gateway.fetch('/gui/actuator/status')).status, 200)
  assert.deepEqual((await facts('action=DRAIN')).map(f => [f.objectId, f.detail.before, f.detail.after]).reverse(),
    [['core-2', false, true], ['core-2', true, false], ['gateway-1', false, true], ['gateway-1', true, false]])
  client.close()
})

await run.story('levels of the log are set at one member or at all', async () => {
  await call('PUT', '/admin/loggers/redis', { level: 'DEBUG', member: 'core-2' })
  let { loggers } = await get('loggers')
  assert.equal(loggers['core-2'].redis.configuredLevel, 'DEBUG')
  assert.notEqual(loggers['core-1'].redis?.configuredLevel, 'DEBUG')
  await call('PUT', '/admin/loggers/redis', { level: null })
  loggers = (await get('loggers')).loggers
  assert.equal(loggers['core-2'].redis.configuredLevel, null)
  assert.equal(Object.keys(loggers).length, 3)
})

await run.story('configuration is told with its origin, and without its secrets', async () => {
  const { results } = await get('config?member=gateway-1&contains=token.key')
  assert.deepEqual(results.map(r => [r.name, r.value, r.origin]), [['token.key', '******', 'command line'], ['token.key.previous', '', 'default']])
})

await run.story('an unlock reaches the core that a user has been kept from', async () => {
  const attempt = async secret => (await cluster.fetch('/core/rest/authentication', { method: 'POST', json: { user: 'bob', password: secret, scope: '' } }, two)).status
  let status
  for (let i = 0; i < 7 && status !== 429; i++) status = await attempt('wrong wrong')
  assert.equal(status, 429)
  const [lock] = (await get('locks')).results
  assert.deepEqual([lock.user, lock.member], ['bob', 'core-2'])
  assert.equal((await call('POST', '/unlock/bob')).forgotten, 1)
  assert.equal(await attempt(password), 200)
})

await run.story('who stands still is told apart, and the others answer for themselves', async () => {
  two.freeze()
  const check = await get('check?wait=1s')
  const reach = check.results.find(r => r.member === 'core-2' && r.name === 'reach')
  if (reach) assert.equal(reach.status, 'fail')          /* the membership may have given it up by now */
  two.thaw()
  await cluster.assembled()
})

await run.story('all end well', () => cluster.stop())
await run.finish()
