/* integration.search: two cores on one PostgreSQL. A search sees what was acknowledged, at either core; an export that one core
 * was given is read at the other, by pieces. */
import assert from 'node:assert/strict'
import { openRun } from '../harness/run.mjs'
import { startCluster } from '../harness/cluster.mjs'
import { signToken } from '../harness/subjects.mjs'

const run = openRun('integration.search')
const cluster = await startCluster(run, { gateways: 0, redis: 'none', balancer: false })
const [one, two] = cluster.cores
const scope = 'Office'
const root = signToken({ sub: 'root', profiles: ['SYSTEM_ADMIN'] })
const ann = signToken({ sub: 'ann', scope, profiles: ['ADMIN'] })
const bob = signToken({ sub: 'bob', scope, profiles: [] })
const rows = 1200

async function ask (method, target, json, { token = ann, at = one } = {}) {
  const answer = await at.fetch('/core/rest' + target, { method, token, json })
  const text = await answer.text()
  return { status: answer.status, type: answer.headers.get('content-type'), text, body: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : null }
}

async function done (...args) {
  const answer = await ask(...args)
  assert.ok(answer.status < 300, `${args[0]} ${args[1]}: ${answer.status} ${answer.text}`)
  return answer.body
}

const is = (name, ...values) => ({ name, operator: 'EQUALS_TO', values })
const search = (criteria, more) => ({ filterClauses: [{ criteria }], ...more })
const entry = (principal, grant = 'ALLOW') => ({ principal, permission: '*', grant })

await done('POST', '/scope', [{ id: scope }], { token: root })
await done('POST', '/acl', [{ id: 'all', entries: [entry('*')] }, { id: 'ann', entries: [entry('ann')] }])
await done('POST', '/tagclass', [{ id: 'Row', type: 'INT' }, { id: 'Text', type: 'STRING' }])
await done('POST', '/documentclass', [{ id: 'Note', category: 'DOCUMENT', data: { ACL: 'all' }, tagReferences: [{ tagName: 'Row' }, { tagName: 'Text' }] }])

await run.story('what one core has acknowledged is found at the other at once', async () => {
  for (let n = 0; n < 10; n++) {
    const [{ id }] = await done('POST', '/documents', [{ name: `First ${n}`, data: { classId: 'Note' }, tags: [{ name: 'Text', value: [`zebra${n}`] }] }])
    for (const at of [one, two]) {
      const found = await done('POST', '/documents/search', search([is('Content', `ZEBRA${n} first`)]), { at })
      assert.deepEqual(found.results.map(r => r.id), [id])
    }
    await done('DELETE', `/documents/${id}`, undefined, { at: two })
    assert.equal((await done('POST', '/documents/search', search([is('id', id)]))).found, 0)
  }
})

await run.story('an export is read by pieces at another core than took it, and in the language asked for', async () => {
  for (let first = 0; first < rows; first += 200) {
    await done('POST', '/documents', Array.from({ length: 200 }, (_, i) => ({
      name: `=cmd|${first + i}`, data: { classId: 'Note', ACL: (first + i) % 2 ? 'all' : 'ann' }, tags: [{ name: 'Row', value: [String(first + i)] }]
    })))
  }
  const { jobId } = await done('POST', '/documents/search/csv?locale=fr', search([is('classid', 'Note')], {
    selectClause: { fields: ['Row', 'name'] }, orderClauses: [{ name: 'Row', ascending: true }]
  }))
  assert.equal((await done('GET', `/documents/search/job/status?jobId=${jobId}`, undefined, { at: two })).status, 'FINISHED')
  const file = await ask('GET', `/documents/search/job?jobId=${jobId}`, undefined, { at: two })
  assert.equal(file.type, 'text/csv; charset=utf-8')
  assert.equal(file.text, ['Row,name', ...Array.from({ length: rows }, (_, i) => `${i},"'=cmd|${i}"`), ''].join('\r\n'))
  assert.equal((await ask('GET', `/documents/search/job?jobId=${jobId}`, undefined, { token: bob })).status, 404)
  assert.equal((await done('GET', `/documents/search/job/error?jobId=${jobId}`)).error, '')
})

await run.story('an export that a link submits is the same', async () => {
  const request = encodeURIComponent(JSON.stringify(search([is('Row', '7')], { selectClause: { fields: ['Row'] } })))
  const { jobId } = await done('GET', `/documents/search/csv?request=${request}`)
  assert.equal((await ask('GET', `/documents/search/job?jobId=${jobId}`)).text, 'Row\r\n7\r\n')
  for (const wrong of ['33', '{"', '{"max":-1}', '{"max":1,"max":1}']) {
    const { status, body } = await ask('GET', `/documents/search/csv?request=${encodeURIComponent(wrong)}`)
    assert.deepEqual([status, body.code], [400, 'T00104'], wrong)
  }
  assert.equal((await ask('GET', `/documents/search/csv?request=${'x'.repeat(4097)}`)).body.code, 'U00400')
})

await run.story('everybody finds what he may read, and counts it', async () => {
  const counts = async token => (await done('POST', '/documents/search', { max: 0, aggregation: { field: 'acl' } }, { token })).aggregation.buckets
  assert.deepEqual(await counts(ann), [{ value: 'all', count: rows / 2 }, { value: 'ann', count: rows / 2 }])
  assert.deepEqual(await counts(bob), [{ value: 'all', count: rows / 2 }])
})

await run.story('what cannot be searched is told with its place', async () => {
  const { status, body } = await ask('POST', '/documents/search', search([is('Row', 'seven')]))
  assert.equal(status, 400)
  assert.equal(body.code, 'T00104')
  assert.equal(body.details[0].path, '/filterClauses/0/criteria/0/values/0')
})

await run.story('both cores end well', () => cluster.stop())
await run.finish()
