/* Marks on the pages of documents. */
import assert from 'node:assert/strict'
import { made } from './components.mjs'

const mark = { page: 1, rect: { x: 1.5, y: 2, w: 30, h: 4 }, color: { r: 255, g: 0, b: 0 }, opacity: 0.5, flags: { print: true }, type: 'HIGHLIGHT', title: 'Look' }

async function marked (t) {
  const { claims, object } = await made(t, 'documents')
  const path = { id: object.id }
  const [{ id }] = await t.call('documents.annotations.put', { claims, path, body: [mark] })
  return { claims, path, id }
}
const ofDocument = async t => {
  const { claims, path } = await marked(t)
  return { claims, path }
}

export default {
  'documents.annotations.list': async t => ({ ...await ofDocument(t), check: answer => assert.deepEqual(answer.body[0].rect, mark.rect) }),
  'documents.annotations.put': async t => ({ ...await ofDocument(t), body: [mark] }),
  'documents.annotations.delete': async t => {
    const { claims, path, id } = await marked(t)
    return { claims, path: { ...path, ids: [id] } }
  },
  'documents.annotations.clear': ofDocument
}
