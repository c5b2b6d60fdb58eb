/* Documents as they were. */
import assert from 'node:assert/strict'
import { made } from './components.mjs'
import { withFile } from './files.mjs'

/* A document with a version under the label "First". */
async function kept (t) {
  const { claims, object } = await made(t, 'documents', { ofClass: { versioningMode: 'MANUAL' } })
  const [{ currentVersion }] = await t.call('documents.versions.create', { claims, path: { id: object.id }, body: 'First' })
  return { claims, path: { id: object.id, versionId: currentVersion } }
}

/* The same of a document with a file, which it has no more. */
async function keptWithFile (t) {
  const { claims, path, object } = await withFile(t, { versioningMode: 'MANUAL' })
  const [{ currentVersion }] = await t.call('documents.versions.create', { claims, path: { id: path.id } })
  await t.call('documents.update', { claims, path: { ids: [path.id] }, body: [{ ...object, data: { classId: object.data.classId }, files: [] }] })
  return { claims, path: { ...path, versionId: currentVersion } }
}

const ofDocument = async t => {
  const { claims, path } = await kept(t)
  return { claims, path: { id: path.id } }
}

export default {
  'documents.versions.list': async t => ({ ...await ofDocument(t), check: answer => assert.equal(answer.body.versions[0].Document.versionLabel, 'First') }),
  'documents.versions.create': async t => ({
    ...await ofDocument(t), raw: 'Second, as it is', type: 'text/plain', check: answer => assert.equal(answer.body[0].versionLabel, 'Second, as it is')
  }),
  'documents.versions.files': async t => {
    const { claims, path: { id, versionId } } = await keptWithFile(t)
    return { claims, path: { id, versionId }, query: { includeContent: true }, check: ({ body: [one] }) => assert.equal(atob(one.content), 'hello') }
  },
  'documents.versions.content': async t => ({ ...await keptWithFile(t), headers: { Range: 'bytes=0-1' }, status: 206 }),
  'documents.versions.clear': ofDocument,
  'documents.versions.get': kept,
  'documents.versions.delete': kept,
  'documents.versions.revert': kept
}
