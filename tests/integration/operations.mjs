/* integration.operations: handlers of operations over real HTTP, at two cores on one PostgreSQL and one Redis: a service that changes
 * and refuses, one that hears afterwards, jobs that are done once, workers outside, full text, requests that are asked twice. */
import assert from 'node:assert/strict'
import http from 'node:http'
import { once } from 'node:events'
import { startCluster } from '../harness/cluster.mjs'
import { openRun, until } from '../harness/run.mjs'
import { signToken } from '../harness/subjects.mjs'

const run = openRun('integration.operations')

/* ---- the service: what it heard, and what it answers by its path ---- */

const heard = []
const answers = {
  '/rename': (body, reply) => reply.end(JSON.stringify({ component: { name: body.component.name + '!' } })),
  '/refuse': (body, reply) => reply.writeHead(409, { code: 'F00039', message: 'not on a Sunday' }).end(),
  '/hear': (body, reply) => reply.writeHead(204).end(),
  '/flaky': (body, reply) => reply.writeHead(body.attempt < 3 ? 503 : 204).end()
}
const service = http.createServer(async (request, reply) => {
  let text = ''
  for await (const piece of request) text += piece
  const body = JSON.parse(text)
  const [path] = Object.keys(answers).filter(p => request.url.startsWith(p + '/'))
  heard.push({ path, url: request.url, headers: request.headers, body })
  answers[path](body, reply)
}).listen(0, '127.0.0.1')
await once(service, 'listening')
const at = path => `http://127.0.0.1:${service.address().port}${path}`
const heardOf = (path, id) => heard.filter(h => h.path === path && h.body.component.id === id)

/* ---- the platform ---- */

const cluster = await startCluster(run, {
  gateways: 0,
  redis: 'simple',
  balancer: false,
  coreProperties: { 'outgoing.allow': '127.0.0.0/8', 'operation.async.backoff': '50ms' }
})
const [one, two] = cluster.cores
const scope = 'Office'
const person = (sub, profiles = []) => signToken({ sub, scope, profiles, sid: `session-of-${sub}` })
const [root, ann, bob] = [signToken({ sub: 'root', profiles: ['SYSTEM_ADMIN'] }), person('ann', ['ADMIN']), person('bob')]

async function ask (method, target, { token = ann, at = one, ...rest } = {}) {
  const answer = await at.fetch('/core/rest' + target, { method, token, ...rest })
  const text = await answer.text()
  const body = answer.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text
  return { status: answer.status, body, code: body?.code }
}
async function done (method, target, options) {
  const answer = await ask(method, target, options)
  assert.ok(answer.status < 300, `${method} ${target}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}

const tags = ['OperationHandler', 'ExecutionPhase', 'Action', 'ObjectType', 'Enabled', 'Asynchronous', 'RegistrationOrder', 'StopOnException', 'Authorization', 'InjectToken', 'ReserveComponentsAsynchronous']
await done('POST', '/scope', { json: [{ id: scope }], token: root })
await done('POST', '/acl', { json: [{ id: 'all', entries: [{ principal: '*', permission: '*', grant: 'ALLOW' }] }] })
await done('POST', '/tagclass', { json: tags.map(id => ({ id, type: 'STRING' })) })
await done('POST', '/documentclass', {
  json: ['Invoice', 'Note', 'Text'].map(id => ({ id, category: 'DOCUMENT', data: { ACL: 'all' } }))
    .concat({ id: 'OperationHandlerRegistration', category: 'DOCUMENT', data: { ACL: 'all' }, tagReferences: tags.map(tagName => ({ tagName })) })
})

const registration = (handler, phase, action, more = {}) => ({
  name: 'registration',
  data: { classId: 'OperationHandlerRegistration' },
  tags: Object.entries({ OperationHandler: handler, ExecutionPhase: phase, Action: action, ObjectType: 'DOCUMENT', Enabled: 'true', ...more })
    .map(([name, value]) => ({ name, value: [String(value)] }))
})
const only = classId => JSON.stringify({ filterClauses: [{ criteria: [{ name: 'classid', operator: 'EQUALS_TO', type: 'STRING', values: [classId] }] }] })
async function register (classId, ...what) {
  const body = new FormData()
  body.append('file', new Blob([only(classId)], { type: 'application/json' }), 'request')
  const { id } = await done('POST', '/files/tmp', { body })
  const [made] = await done('POST', '/documents', { json: [{ ...registration(...what), files: [{ id, name: 'request' }] }] })
  return made.id
}
const unregister = id => done('DELETE', `/documents/${id}`)
const create = async (classId, name, options) => (await done('POST', '/documents', { json: [{ name, data: { classId } }], ...options }))[0]
const idle = async () => until('the queue is empty', async () => await done('GET', '/jobs/waiting/count') + await done('GET', '/jobs/delayed/count') + await done('GET', '/jobs/processing/count') === 0)

await run.story('a service changes what is written, as its filter says, at either core', async () => {
  const id = await register('Invoice', at('/rename'), 'BEFORE', 'CREATE', { Authorization: 'Basic c2VjcmV0' })
  for (const core of cluster.cores) {
    const invoice = await create('Invoice', 'n', { at: core })
    assert.equal(invoice.name, 'n!')
    assert.equal((await done('GET', `/documents/${invoice.id}`))[0].name, 'n!')
    const [call] = heardOf('/rename', invoice.id)
    assert.equal(call.url, `/rename/${scope}/documents/`)
    assert.equal(call.headers.authorization, 'Basic c2VjcmV0')
    assert.equal(call.headers['x-operation-id'], call.body.id)
    assert.deepEqual([call.body.action, call.body.phase, call.body.user, call.body.registration], ['CREATE', 'BEFORE', 'ann', id])
    assert.equal((await create('Note', 'n', { at: core })).name, 'n')
  }
  await unregister(id)
  assert.equal((await create('Invoice', 'n', { at: two })).name, 'n')
})

await run.story('a service refuses with a message for the user, and nothing is written', async () => {
  const id = await register('Invoice', at('/refuse'), 'BEFORE', 'DELETE', { StopOnException: true })
  const invoice = await create('Invoice', 'stays')
  const refused = await ask('DELETE', `/documents/${invoice.id}`)
  assert.deepEqual([refused.status, refused.code, refused.body.message], [400, 'F00039', 'not on a Sunday'])
  await done('GET', `/documents/${invoice.id}`)
  await unregister(id)
  await done('DELETE', `/documents/${invoice.id}`)
})

await run.story('rules change, refuse and make in the operation itself, at either core; wrong ones are never kept', async () => {
  const file = async text => {
    const body = new FormData()
    body.append('file', new Blob([text], { type: 'text/yaml' }), 'rules')
    return [{ id: (await done('POST', '/files/tmp', { body })).id, name: 'rules' }]
  }
  const when = "when: {criteria: [{name: classid, operator: EQUALS_TO, values: [Invoice]}, {name: name, operator: STARTS_WITH, values: ['"
  const rules = `- ${when}bad']}]}\n  do: [{refuse: '\${component.name} is not ours'}]\n- ${when}big']}]}\n  do:\n` +
    "  - setStatus: CHECK\n  - createFact: {action: ESCALATE, description: 'by ${user.id}'}\n  - createTask: {classId: Check, name: 'Check ${component.name}', attachTo: invoice}\n"
  await done('POST', '/taskclass', { json: [{ id: 'Check', category: 'TASK', data: { ACL: 'all' }, children: [{ id: 'invoice', classId: '*', category: 'DOCUMENT' }] }] })
  const body = registration('rules', 'BEFORE', 'CREATE', { StopOnException: true })
  const wrong = await ask('POST', '/documents', { json: [{ ...body, files: await file('- do: [{setTga: {A: b}}]') }] })
  assert.deepEqual([wrong.status, wrong.code], [400, 'U00400'])
  assert.match(wrong.body.message, /rule 1, action 1: setTga is none of setTag/)
  const [{ id }] = await done('POST', '/documents', { json: [{ ...body, files: await file(rules) }] })
  for (const core of cluster.cores) {
    const refused = await ask('POST', '/documents', { json: [{ name: 'bad one', data: { classId: 'Invoice' } }], token: bob, at: core })
    assert.deepEqual([refused.status, refused.code, refused.body.message], [400, 'F00039', 'bad one is not ours'])
    const invoice = await create('Invoice', 'big one', { token: bob, at: core })
    assert.equal(invoice.data.status, 'CHECK')
    const [{ action, description, technical }] = await done('GET', `/documents/${invoice.id}/facts`)
    assert.deepEqual([action, description, technical], ['ESCALATE', 'by bob', false])
    assert.equal((await create('Note', 'big one', { at: core })).data.status, undefined)
  }
  const tasks = await done('POST', '/tasks/search', { json: { selectClause: { fields: ['name'] }, max: 10 } })
  assert.deepEqual(tasks.results.map(t => t.fields[0].value), ['Check big one', 'Check big one'])
  await unregister(id)
})

await run.story('a search, a reading and a fetched file are heard of and refused, at either core', async () => {
  const put = async (action, handler, more) => (await done('POST', '/documents', { json: [registration(handler, 'BEFORE', action, { StopOnException: true, ...more })] }))[0].id
  const request = { selectClause: { fields: ['name'] }, filterClauses: [{ criteria: [{ name: 'name', operator: 'EQUALS_TO', type: 'STRING', values: ['only'] }] }], max: 10 }
  answers['/narrow'] = (body, reply) => reply.end(JSON.stringify({ request }))
  const invoice = await create('Invoice', 'only')
  await create('Invoice', 'another')
  const narrow = await put('SEARCH', at('/narrow'))
  for (const core of cluster.cores) {
    const { results } = await done('POST', '/documents/search', { json: { max: 10 }, at: core })
    assert.deepEqual(results.map(r => r.id), [invoice.id])
  }
  await unregister(narrow)
  const hears = await register('Invoice', at('/hear'), 'AFTER', 'READ', { Asynchronous: true })
  for (const core of cluster.cores) await done('GET', `/documents/${invoice.id}`, { at: core, token: bob })
  await until('both readings are told', () => heardOf('/hear', invoice.id).length === 2)
  assert.deepEqual(heardOf('/hear', invoice.id).map(h => [h.body.action, h.body.user]), [['READ', 'bob'], ['READ', 'bob']])
  await unregister(hears)
  const classes = await put('UPDATE', at('/refuse'), { ObjectType: 'DOCUMENT_CLASS' })
  const refused = await ask('POST', '/documentclass/Note', { json: [{ id: 'Note', category: 'DOCUMENT', data: { ACL: 'all' } }], at: two })
  assert.deepEqual([refused.status, refused.code], [400, 'F00039'])
  await unregister(classes)
})

await run.story('who reserves is refused, or heard of, and so is who gives back, and who breaks', async () => {
  const { id } = await create('Invoice', 'held')
  const reserve = (what, options) => ask('POST', `/reservation/${what}`, { json: [{ category: 'DOCUMENT', id }], token: bob, ...options })
  const actions = () => heardOf('/hear', id).map(h => [h.body.action, h.body.user])
  assert.equal((await reserve('reserve')).status, 200)
  const ids = [await register('Invoice', at('/hear'), 'AFTER', 'LOCK', { Asynchronous: true }), await register('Invoice', at('/hear'), 'AFTER', 'UNLOCK')]
  assert.equal((await reserve('reserve')).status, 200)
  assert.equal((await reserve('release', { at: two })).status, 200)
  assert.deepEqual(actions(), [['UNLOCK', 'bob']])            /* what he held already was not taken */
  assert.equal((await reserve('release', { at: two })).status, 200)
  assert.equal((await reserve('reserve', { at: two })).status, 200)
  await until('the job is done', () => actions().length === 2)
  await done('DELETE', `/reservation/DOCUMENT/${id}`)
  assert.deepEqual(actions(), [['UNLOCK', 'bob'], ['LOCK', 'bob'], ['UNLOCK', 'ann']])
  ids.push(await register('Invoice', at('/refuse'), 'BEFORE', 'LOCK', { StopOnException: true }))
  assert.deepEqual([(await reserve('reserve')).code, (await reserve('reserve', { at: two })).code], ['F00039', 'F00039'])
  const [state] = (await reserve('', {})).body
  assert.equal(state.reserved, false)
  for (const registered of ids) await unregister(registered)
  assert.equal((await reserve('reserve')).status, 200)
  assert.equal((await reserve('release')).status, 200)
})

await run.story('a job has its component reserved while it is done, and waits while somebody else has', async () => {
  const bobs = (what, id, options) => ask('POST', `/reservation/${what}`, { json: [{ category: 'DOCUMENT', id }], token: bob, ...options })
  const write = (id, name, options) => ask('POST', `/documents/${id}`, { json: [{ name, data: { classId: 'Invoice' } }], ...options })
  const seen = []
  answers['/reserved'] = async (body, reply) => {
    const { id } = body.component
    const { headers } = heard.at(-1)
    const [state] = (await bobs('', id)).body
    seen.push({
      id,
      user: state.user,
      attempt: body.attempt,
      others: (await write(id, 'bob was here', { token: bob, at: two })).code,
      own: (await write(id, 'by its token', { token: headers.token, at: two })).status,
      chained: (await write(id, 'by its chain', { headers: { 'x-operation-chain': headers['x-operation-chain'] } })).status
    })
    reply.writeHead(204).end()
  }
  const registered = await register('Invoice', at('/reserved'), 'AFTER', 'CREATE', { Asynchronous: true, InjectToken: true, ReserveComponentsAsynchronous: true })
  const { id } = await create('Invoice', 'reserved')
  await idle()
  assert.deepEqual(seen.shift(), { id, user: 'ann', attempt: 1, others: 'U00423', own: 200, chained: 200 })
  await until('it is free', async () => (await bobs('', id)).body[0].reserved === false)

  await done('POST', `/jobs/pause?registration=${registered}`)
  const { id: taken } = await create('Invoice', 'taken')
  assert.equal((await bobs('reserve', taken)).status, 200)
  await done('POST', `/jobs/resume?registration=${registered}`)
  await until('the job waits for bob', async () => (await done('GET', '/jobs/delayed')).results[0]?.error?.message === `DOCUMENT ${taken} is reserved by bob`)
  assert.deepEqual(seen, [])
  assert.equal((await bobs('release', taken)).status, 200)
  await idle()
  assert.deepEqual(seen.map(s => [s.id, s.attempt, s.others]), [[taken, 1, 'U00423']])
  await unregister(registered)
})

await run.story('a handler that does not exist, and one that may not be reached, are refused at once', async () => {
  for (const handler of ['com.example.Nowhere', 'ftp://example.org/', 'http://user:secret@example.org/', 'worker:']) {
    const refused = await ask('POST', '/documents', { json: [registration(handler, 'AFTER', 'CREATE', { Asynchronous: true })] })
    assert.deepEqual([refused.status, refused.code], [400, 'U00400'], handler)
  }
})

await run.story('jobs are done once for each operation, whoever wrote it, and carry the user when they are told to', async () => {
  const id = await register('Invoice', at('/hear'), 'AFTER', 'CREATE', { Asynchronous: true, InjectToken: true })
  const made = []
  for (let i = 0; i < 20; i++) made.push(await create('Invoice', `i${i}`, { at: cluster.cores[i % 2], token: bob }))
  await idle()
  for (const invoice of made) {
    const calls = heardOf('/hear', invoice.id)
    assert.equal(calls.length, 1, invoice.id)
    assert.equal(calls[0].headers['x-operation-attempt'], '1')
    assert.ok(calls[0].headers['idempotency-key'])
    assert.equal(JSON.parse(Buffer.from(calls[0].headers.token.split('.')[1], 'base64url')).sub, 'bob')
    assert.equal(calls[0].body.caller, undefined)
  }
  await unregister(id)
})

await run.story('a failed job is tried again, and one that never succeeds waits among the errors until it is retried', async () => {
  const flaky = await register('Invoice', at('/flaky'), 'AFTER', 'CREATE', { Asynchronous: true })
  const refused = await register('Note', at('/refuse'), 'AFTER', 'CREATE', { Asynchronous: true })
  const invoice = await create('Invoice', 'again')
  const note = await create('Note', 'never')
  await until('three attempts', async () => heardOf('/flaky', invoice.id).length === 3)
  assert.deepEqual(heardOf('/flaky', invoice.id).map(c => c.body.attempt), [1, 2, 3])
  assert.equal(new Set(heardOf('/flaky', invoice.id).map(c => c.headers['idempotency-key'])).size, 1)
  await until('an error', async () => await done('GET', '/jobs/errors/count') === 1)
  const { results: [job] } = await done('GET', '/jobs/errors', { at: two })
  assert.deepEqual([job.registration, job.objectId, job.status, job.error.code], [refused, note.id, 'ERROR', 'F00039'])
  assert.deepEqual(await done('POST', '/jobs/retry?dryRun=true'), { jobs: 1 })
  answers['/refuse'] = answers['/hear']
  await done('POST', `/jobs/retry/${job.id}`)
  await idle()
  assert.equal(await done('GET', '/jobs/errors/count'), 0)
  assert.equal((await ask('GET', `/jobs/${job.id}`)).status, 404)
  await unregister(flaky)
  await unregister(refused)
})

await run.story('a pause holds jobs back, and nobody but an administrator sees or ends it', async () => {
  const id = await register('Invoice', at('/hear'), 'AFTER', 'UPDATE', { Asynchronous: true })
  const invoice = await create('Invoice', 'paused')
  await done('POST', `/jobs/pause?registration=${id}`, { at: two })
  await done('POST', `/documents/${invoice.id}`, { json: [{ name: 'p2', data: { classId: 'Invoice' } }] })
  await until('it waits', async () => await done('GET', `/jobs/waiting/count?registration=${id}`) === 1)
  assert.equal((await ask('POST', `/jobs/resume?registration=${id}`, { token: bob })).status, 403)
  assert.equal(heardOf('/hear', invoice.id).length, 0)
  await done('POST', `/jobs/resume?registration=${id}`)
  await until('it is done', async () => heardOf('/hear', invoice.id).length === 1)
  assert.equal(heardOf('/hear', invoice.id)[0].body.previous.name, 'paused')
  await unregister(id)
})

await run.story('a worker outside leases a job; who has lost it ends nothing', async () => {
  const id = await register('Invoice', 'worker:scans', 'AFTER', 'CREATE', { Asynchronous: true })
  const waits = done('POST', '/jobs/lease', { json: { queue: 'scans', waitSeconds: 20 }, at: two })
  const invoice = await create('Invoice', 'scan')
  const [job] = await waits
  assert.equal(job.payload.component.id, invoice.id)
  assert.deepEqual(await done('POST', '/jobs/lease', { json: { queue: 'scans' } }), [])
  assert.equal((await ask('POST', `/jobs/${job.id}/end`, { json: { fence: job.fence + 1 } })).status, 409)
  await done('POST', `/jobs/${job.id}/extend`, { json: { fence: job.fence } })
  await done('POST', `/jobs/${job.id}/end`, { json: { fence: job.fence } })
  assert.equal((await ask('POST', `/jobs/${job.id}/end`, { json: { fence: job.fence } })).status, 409)
  await unregister(id)
})

await run.story('the words of files are found when fulltext is registered', async () => {
  const ids = [await register('Text', 'fulltext', 'AFTER', 'CREATE', { Asynchronous: true })]
  const body = new FormData()
  body.append('file', new Blob(['<html><style>hidden</style><p>Quarterly <b>figures</b> &amp; Z&#252;rich</p></html>'], { type: 'text/html' }), 'a.html')
  const file = await done('POST', '/files/tmp', { body })
  const [text] = await done('POST', '/documents', { json: [{ name: 'x', data: { classId: 'Text' }, files: [{ id: file.id }] }] })
  const search = async words => (await done('POST', '/documents/search', {
    json: { selectClause: { fields: ['name'] }, filterClauses: [{ criteria: [{ name: 'Content', operator: 'CONTAINS', type: 'STRING', values: [words] }] }], max: 10 }
  })).results.map(r => r.id)
  await until('the words are found', async () => (await search('quarterly zurich')).includes(text.id))
  assert.deepEqual(await search('hidden'), [])
  await Promise.all(ids.map(unregister))
})

await run.story('a handler that writes does not cause operations without end', async () => {
  answers['/loop'] = async (body, reply) => {
    const { component } = body
    const chain = heard.at(-1).headers['x-operation-chain']
    await ask('POST', `/documents/${component.id}`, { json: [{ name: component.name + '.', data: { classId: 'Note' } }], headers: { 'x-operation-chain': chain } })
    reply.writeHead(204).end()
  }
  const id = await register('Note', at('/loop'), 'AFTER', 'UPDATE')
  const note = await create('Note', 'n')
  await done('POST', `/documents/${note.id}`, { json: [{ name: 'n', data: { classId: 'Note' } }] })
  assert.deepEqual(heardOf('/loop', note.id).map(c => c.body.depth), [0, 1, 2, 3, 4, 5, 6, 7])
  await unregister(id)
})

await run.story('a request under one Idempotency-Key is done once, at whichever core', async () => {
  const headers = { 'idempotency-key': 'order-4711' }
  const json = [{ name: 'once', data: { classId: 'Invoice' } }]
  const twins = await Promise.all([one, two, one, two].map(core => ask('POST', '/documents', { json, headers, at: core })))
  assert.deepEqual(twins.map(a => a.status), [200, 200, 200, 200], JSON.stringify(twins.map(a => a.body)))
  assert.equal(new Set(twins.map(a => a.body[0].id)).size, 1)
  assert.equal((await ask('POST', '/documents', { json: [{ ...json[0], name: 'other' }], headers })).status, 409)
  assert.equal((await ask('POST', '/documents', { json, headers: { 'idempotency-key': 'x'.repeat(65) } })).status, 400)
})

await run.story('the actuator has the time and the failures of every handler, by its registration', async () => {
  const metric = async (name, query = '') => await (await one.fetch(`/core/actuator/metrics/${name}${query}`, { token: root })).json()
  const sync = await metric('invokeSyncOperationHandler', '?tag=phase:BEFORE&tag=exception:F00039')
  assert.ok(sync.measurements.find(m => m.statistic === 'COUNT').value >= 1)
  const async_ = await metric('processAsyncOperationHandler', '?tag=action:CREATE&tag=exception:none')
  assert.ok(async_.measurements.find(m => m.statistic === 'TOTAL_TIME').value > 0)
  const tags = (await metric('processAsyncOperationHandler')).availableTags.map(t => t.tag).sort()
  assert.deepEqual(tags, ['ObjectType', 'action', 'exception', 'phase', 'registration', 'scope'])
  for (const name of ['waiting', 'delayed', 'processing', 'errors', 'oldest.seconds']) assert.equal((await metric(`operation.queue.${name}`)).name, `operation.queue.${name}`)
})

await run.story('both end well', () => cluster.stop())
service.close()
await run.finish()
