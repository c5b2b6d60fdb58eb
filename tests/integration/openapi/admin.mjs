import assert from 'node:assert/strict'
import * as Y from 'yjs'
import { openClient } from '../../harness/clients.mjs'
import { until } from '../../harness/run.mjs'

/* The name of a document that somebody has open, and who. */
async function opened (t) {
  const name = await t.document()
  const client = openClient('provider4', t.core, name, { token: t.core.token('write', 'ann') })
  client.doc.getText('default').insert(0, 'here')
  await until('it is stored', () => client.settled())
  return { name, client }
}

const self = async t => (await t.call('admin.cluster.get')).self

export default {
  'admin.check.get': { check: ({ body }) => assert.equal(body.status === 'fail', body.results.some(r => r.status === 'fail')) },
  'admin.documents.list': async t => {
    const { name } = await opened(t)
    return { query: { contains: name, max: '5' }, check: ({ body }) => assert.equal(body.results[0].name, name) }
  },
  'admin.documents.get': async t => {
    const { name } = await opened(t)
    return { path: { name }, check: ({ body }) => assert.equal(body.open[0].connections, 1) }
  },
  'admin.documents.close': async t => ({ path: { name: (await opened(t)).name }, body: { reason: 'go home' } }),
  'admin.documents.reload': async t => ({ path: { name: (await opened(t)).name } }),
  'admin.documents.fork': async t => ({ path: { name: (await opened(t)).name }, body: { name: `fork-${t.unique()}`, title: 'A copy' }, status: 201 }),
  'admin.documents.export': async t => ({
    path: { name: (await opened(t)).name },
    query: { format: 'json' },
    check: ({ body }) => assert.equal(body, 'here')
  }),
  'admin.documents.import': async t => {
    const doc = new Y.Doc()
    doc.getText('default').insert(0, 'imported')
    return { path: { name: await t.document() }, raw: Y.encodeStateAsUpdate(doc), type: 'application/octet-stream', check: ({ body }) => assert.equal(body.changed, true) }
  },
  'admin.connections.list': async t => {
    const { name } = await opened(t)
    return { query: { document: name }, check: ({ body }) => assert.equal(body.results[0].user, 'ann') }
  },
  'admin.connections.close': async t => {
    const { name } = await opened(t)
    const list = await t.call('admin.connections.list', { query: { document: name } })
    return { path: { member: list.results[0].member, id: list.results[0].id }, query: { reason: 'go home' } }
  },
  'admin.sessions.list': { query: { user: 'ann' }, status: 409 },
  'admin.sessions.endAll': { query: { user: 'ann' }, status: 409 },
  'admin.sessions.end': { path: { id: 'x' }, status: 409 },
  'admin.locks.list': {},
  'users.unlock': { path: { username: 'ann' } },
  'encrypt.create': { raw: 'geheim', type: 'text/plain', status: 409 },
  'admin.drain.set': async t => ({ body: { draining: false, member: await self(t) } }),
  'admin.loggers.list': {},
  'admin.loggers.set': { path: { name: 'http' }, body: { level: null } },
  'admin.config.list': { query: { contains: 'token.key' }, check: ({ body }) => assert.equal(body.results[0].value, '******') },
  'admin.audit.list': { query: { action: 'CLOSE', max: '3' } }
}
