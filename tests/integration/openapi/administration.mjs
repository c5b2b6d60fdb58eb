import crypto from 'node:crypto'
import { password } from '../../harness/subjects.mjs'

export default {
  'authentication.create': { body: { user: 'admin', password, scope: '' } },
  'caches.list': {},
  'caches.clear': {},
  'admin.collab.get': {},
  'admin.collab.close': async t => ({ body: { document: await t.document() } }),
  'admin.cluster.get': {},
  'admin.archive.run': { query: { dryRun: true } },
  'internal.sessions.end': { path: { hash: crypto.randomBytes(16).toString('hex') }, body: { forMs: 60000, reason: 'logout' } },
  'internal.audit.create': { body: { user: 'admin', action: 'LOG_LEVEL', objectType: 'LOGGER', objectId: 'http', detail: { from: '127.0.0.1' } } },
  'internal.revocations.list': {},
  'internal.caches.list': {},
  'internal.caches.clear': { query: { name: 'reservations' } },
  'description.get': {},
  'description.view': { path: { file: 'index.html' } }
}
