/* Documents as they were. */
import assert from 'node:assert/strict'
import { made } from './components.mjs'

/* A document with a version under the label "First". */
async function kept (t) {
  const { claims, object } = await made(t, 'documents', { ofClass: { versioningMode: 'MANUAL' } })
  const [{ currentVersion }] = await t.call('documents.versions.create', { claims, path: { id: object.id }, body: 'First' })
  return { claims, path: { id: object.id, versionId: currentVersion } }
}

const ofDocument = async t => {
  const { claims, path } = await kept(t)
  return { claims, path: { id: path.id } }
}

export default {
  'documents.versions.list': async t => ({ ...await ofDocument(t), check: answer => assert.equal(answer.body.versions[0].Document.versionLabel, 'First') }),
  'documents.versions.create': async t => ({ ...await ofDocument(t), body: 'Second' }),
  'documents.versions.clear': ofDocument,
  'documents.versions.get': kept,
  'documents.versions.delete': kept,
  'documents.versions.revert': kept
}
