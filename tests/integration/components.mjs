/* integration.components: two cores on one PostgreSQL; people who change the same components at the same time, at both. */
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { openRun } from '../harness/run.mjs'
import { startCluster } from '../harness/cluster.mjs'
import { signToken } from '../harness/subjects.mjs'

const run = openRun('integration.components')
const cluster = await startCluster(run, { gateways: 0, redis: 'none', balancer: false })
const [one, two] = cluster.cores
const scope = 'Office'
const root = signToken({ sub: 'root', profiles: ['SYSTEM_ADMIN'] })
const ann = signToken({ sub: 'ann', scope, profiles: ['ADMIN'], sid: 'session-of-ann' })
const bob = signToken({ sub: 'bob', scope, profiles: [], sid: 'session-of-bob' })
const rounds = 15

async function ask (method, target, json, { token = ann, at = one, headers } = {}) {
  const answer = await at.fetch('/core/rest' + target, { method, token, json, headers })
  const text = await answer.text()
  return { status: answer.status, body: text && JSON.parse(text), code: text && JSON.parse(text).code, etag: answer.headers.get('etag') }
}

async function done (method, target, json, options) {
  const answer = await ask(method, target, json, options)
  assert.ok(answer.status < 300, `${method} ${target}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer
}

const fresh = () => crypto.randomUUID()
const note = (more = {}) => ({ name: 'Note', data: { classId: 'Note' }, ...more })
/* The answers of both cores, asked at once. */
const both = work => Promise.all([work(one), work(two)])
const statuses = answers => answers.map(a => a.status).sort()

await done('POST', '/scope', [{ id: scope }], { token: root })
await done('POST', '/acl', [
  { id: 'all', entries: [{ principal: '*', permission: '*', grant: 'ALLOW' }] },
  { id: 'ann', entries: [{ principal: 'ann', permission: '*', grant: 'ALLOW' }] }
])
await done('POST', '/tagclass', [{ id: 'N', type: 'INT' }])
await done('POST', '/documentclass', [{ id: 'Note', category: 'DOCUMENT', data: { ACL: 'all' }, tagReferences: [{ tagName: 'N' }] }])
await done('POST', '/folderclass', [{ id: 'Shelf', category: 'FOLDER', data: { ACL: 'all' }, children: [{ category: 'DOCUMENT', id: '*' }] }])
await done('POST', '/taskclass', [{ id: 'Check', category: 'TASK', data: { ACL: 'all' }, answers: [{ id: 'Yes' }, { id: 'No' }] }])

await run.story('what one core has acknowledged is there at the other', async () => {
  const [{ id }] = (await done('POST', '/documents', [note({ tags: [{ name: 'N', value: ['7'] }] })])).body
  const read = await done('GET', `/documents/${id}`, undefined, { at: two })
  assert.equal(read.etag, '"1"')
  assert.deepEqual(read.body[0].tags, [{ name: 'N', value: ['7'], readOnly: false }])
  await done('DELETE', `/documents/${id}`, undefined, { at: two })
  assert.equal((await ask('GET', `/documents/${id}`)).code, 'F00012')
})

await run.story('an id that is created at both cores at once is created once', async () => {
  for (let i = 0; i < rounds; i++) {
    const id = fresh()
    const answers = await both(at => ask('POST', '/documents', [note({ id, name: at.port.toString() })], { at }))
    assert.deepEqual(statuses(answers), [200, 409])
    assert.match(answers.find(a => a.status === 409).code, /T00108|U00409/)
    const [kept] = (await done('GET', `/documents/${id}`)).body
    assert.equal(kept.name, answers.find(a => a.status === 200).body[0].name)
  }
})

await run.story('of two updates of one version one wins, and the other learns of it', async () => {
  const [{ id }] = (await done('POST', '/documents', [note()])).body
  for (let version = 1; version <= rounds; version++) {
    const answers = await both(at => ask('POST', `/documents/${id}`, [note({ name: `${at.port}`, data: { classId: 'Note', version } })], { at }))
    assert.deepEqual(statuses(answers), [200, 409])
    assert.equal(answers.find(a => a.status === 409).code, 'U00409')
    const [kept] = (await done('GET', `/documents/${id}`)).body
    assert.equal(kept.data.version, version + 1)
    assert.equal(kept.name, answers.find(a => a.status === 200).body[0].name)
  }
})

await run.story('updates without a version are all kept, one after the other', async () => {
  const [{ id }] = (await done('POST', '/documents', [note()])).body
  for (let i = 0; i < rounds; i++) await both(at => done('POST', `/documents/${id}`, [note({ name: `${i}` })], { at }))
  assert.equal((await done('GET', `/documents/${id}`)).body[0].data.version, 1 + 2 * rounds)
})

await run.story('what is reserved at one core is refused at the other, and to whom it is not shown it is absent', async () => {
  const [{ id }] = (await done('POST', '/documents', [note()])).body
  const [grant] = (await done('POST', '/reservation/reserve', [{ category: 'DOCUMENT', id }])).body
  const refused = await ask('POST', `/documents/${id}`, [note()], { at: two, token: bob })
  assert.deepEqual([refused.status, refused.code, refused.body.details.reservations[0].user], [423, 'U00423', 'ann'])
  const own = await done('POST', `/documents/${id}`, [note({ reservationToken: grant.token, data: { classId: 'Note', ACL: 'ann' } })], { at: two })
  assert.equal(own.body[0].reservationToken, undefined)
  const absent = await ask('GET', `/documents/${id}`, undefined, { token: bob })
  assert.deepEqual([absent.status, absent.code, absent.body.message], [404, 'F00012', `there is no DOCUMENT ${id}`])
  const late = await ask('POST', `/documents/${id}`, [note({ reservationToken: grant.token + 1 })], { at: two })
  assert.equal(late.status, 423)
})

await run.story('children that both cores put into one folder at once are all in it', async () => {
  const [{ id }] = (await done('POST', '/folders', [{ data: { classId: 'Shelf' } }])).body
  const wanted = []
  for (let i = 0; i < rounds; i++) {
    const notes = (await done('POST', '/documents', [note(), note()])).body.map(n => n.id)
    wanted.push(...notes)
    const answers = await both(at => done('PUT', `/folders/${id}/children`, [{ category: 'DOCUMENT', id: notes[at === one ? 0 : 1] }], { at }))
    assert.deepEqual(statuses(answers), [200, 200])
  }
  const [folder] = (await done('GET', `/folders/${id}`)).body
  assert.deepEqual(folder.children.map(child => child.id).sort(), wanted.sort())
})

await run.story('of two answers to one task one counts', async () => {
  for (let i = 0; i < rounds; i++) {
    const [{ id }] = (await done('POST', '/tasks', [{ data: { classId: 'Check' } }])).body
    const answers = await both(at => ask('PUT', `/tasks/${id}/answer`, { id: at === one ? 'Yes' : 'No' }, { at }))
    assert.deepEqual(statuses(answers), [200, 409])
    const [task] = (await done('GET', `/tasks/${id}`)).body
    assert.equal(task.answer.id, answers.find(a => a.status === 200).body[0].answer.id)
  }
})

await run.story('what is retained stays with its body until an administrator says force', async () => {
  await done('POST', '/documentclass', [{ id: 'Record', category: 'DOCUMENT', collaborative: true, data: { ACL: 'all' }, RetentionDuration: { value: 10, unit: 'YEAR' } }])
  const [{ id }] = (await done('POST', '/documents', [{ data: { classId: 'Record' } }])).body
  const body = `/collab/documents/${encodeURIComponent(`component/${scope}/${id}`)}`
  assert.equal((await ask('DELETE', `/documents/${id}`, undefined, { at: two })).code, 'U00411')
  assert.equal((await ask('DELETE', body)).status, 409)
  assert.equal((await ask('DELETE', `/documents/${id}?force=true`, undefined, { token: bob })).code, 'U00411')
  await done('DELETE', `/documents/${id}?force=true`)
  const [{ action, user }] = (await done('POST', '/facts', { searchCriteria: [{ name: 'objectId', value: id }] })).body.results
  assert.deepEqual([action, user], ['DELETE', 'ann'])
})

await run.story('faults come with their place, and nothing of the call is kept', async () => {
  const id = fresh()
  const refused = await ask('POST', '/documents', [note({ id }), note({ tags: [{ name: 'N', value: ['x'] }] })])
  assert.deepEqual([refused.status, refused.body.details[0].path], [400, '/1/tags/0/value/0'])
  assert.equal((await ask('GET', `/documents/${id}`)).status, 404)
})

await run.story('both cores end well', () => cluster.stop())
await run.finish()
