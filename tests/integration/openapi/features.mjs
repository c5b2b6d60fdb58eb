/* What this installation has switched on. */
import assert from 'node:assert/strict'

export default {
  'features.list': { check: ({ body }) => assert.deepEqual([body.fulltext, body.clustered, body.paperless], [true, false, true]) },
  'features.internal': { check: ({ body }) => assert.equal('paperless' in body, false) },
  'features.custom': { check: ({ body }) => assert.deepEqual(body, { paperless: true, fulltext: false, 'fax.out': false }) },
  'features.get': { path: { name: 'fulltext' }, check: ({ body }) => assert.equal(body, true) }
}
