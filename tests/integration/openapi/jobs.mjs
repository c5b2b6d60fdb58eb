/* The queue. Jobs are made by creating documents for which a queue of workers outside is registered. */
import assert from 'node:assert/strict'
import { classOf } from './components.mjs'

const tags = ['OperationHandler', 'ExecutionPhase', 'Action', 'ObjectType', 'Enabled', 'Asynchronous']

/* { claims, object }: a job in a scope of its own, for the creation of a document. */
async function waiting (t) {
  const { claims, classId, acl } = await classOf(t, 'documents')
  await t.call('tagclass.create', { claims, body: tags.map(id => ({ id, type: 'STRING' })) })
  await t.call('documentclass.create', {
    claims, body: [{ id: 'OperationHandlerRegistration', category: 'DOCUMENT', data: { ACL: acl }, tagReferences: tags.map(tagName => ({ tagName })) }]
  })
  const values = ['worker:scans', 'AFTER', 'CREATE', 'DOCUMENT', 'true', 'true']
  await t.call('documents.create', {
    claims, body: [{ data: { classId: 'OperationHandlerRegistration' }, tags: tags.map((name, i) => ({ name, value: [values[i]] })) }]
  })
  const [{ id }] = await t.call('documents.create', { claims, body: [{ data: { classId } }] })
  return { claims, object: id }
}
async function leased (t) {
  const { claims } = await waiting(t)
  const [{ id, fence }] = await t.call('jobs.lease', { claims, body: { queue: 'scans' } })
  return { claims, path: { id }, fence }
}
async function failed (t) {
  const { claims, path, fence } = await leased(t)
  await t.call('jobs.end', { claims, path, body: { fence, code: 'F00039', message: 'it cannot be read' } })
  return { claims, id: path.id }
}
const list = make => async t => {
  const { claims } = await make(t)
  return { claims, check: answer => assert.equal(answer.body.found, 1) }
}
const count = make => async t => {
  const { claims } = await make(t)
  return { claims, check: answer => assert.equal(answer.body, 1) }
}
const own = async t => ({ claims: { scope: await t.scope() } })

export default {
  'jobs.waiting': list(waiting),
  'jobs.waiting.count': count(waiting),
  'jobs.delayed': own,
  'jobs.delayed.count': own,
  'jobs.processing': list(leased),
  'jobs.processing.count': count(leased),
  'jobs.errors': list(failed),
  'jobs.errors.count': count(failed),
  'jobs.summary': async t => {
    const { claims } = await waiting(t)
    return { claims, check: answer => assert.equal(answer.body.waiting, 1) }
  },
  'jobs.registrations': async t => {
    const { claims } = await waiting(t)
    return { claims }
  },
  'jobs.retryAll': async t => {
    const { claims } = await failed(t)
    return { claims, query: { dryRun: true }, check: answer => assert.deepEqual(answer.body, { jobs: 1 }) }
  },
  'jobs.retry': async t => {
    const { claims, id } = await failed(t)
    return { claims, path: { id } }
  },
  'jobs.purge': async t => {
    const { claims } = await failed(t)
    return { claims }
  },
  'jobs.purgeOne': async t => {
    const { claims, id } = await failed(t)
    return { claims, path: { id } }
  },
  'jobs.pause': own,
  'jobs.resume': own,
  'jobs.rate': async t => ({ ...await own(t), query: { registration: 'r' }, body: { perSecond: 2.5 } }),
  'jobs.lease': async t => {
    const { claims, object } = await waiting(t)
    return { claims, body: { queue: 'scans', max: 2, leaseSeconds: 5 }, check: answer => assert.equal(answer.body[0].payload.component.id, object) }
  },
  'jobs.end': async t => {
    const { claims, path, fence } = await leased(t)
    return { claims, path, body: { fence } }
  },
  'jobs.extend': async t => {
    const { claims, path, fence } = await leased(t)
    return { claims, path, body: { fence, leaseSeconds: 9 } }
  },
  'jobs.get': async t => {
    const { claims, path } = await leased(t)
    return { claims, path }
  }
}
