/* Components that users keep at hand. */
import assert from 'node:assert/strict'
import { made } from './components.mjs'

/* A favourite of ann's. */
async function kept (t) {
  const { claims, object } = await made(t, 'documents')
  const body = { category: 'DOCUMENT', id: object.id }
  await t.call('favorites.put', { claims, body })
  return { claims, body, id: object.id }
}
const shown = id => answer => assert.deepEqual(answer.body.map(one => one.id), [id])

export default {
  'favorites.list': async t => {
    const { claims, id } = await kept(t)
    return { claims, check: shown(id) }
  },
  'favorites.users': async t => {
    const { claims, id } = await kept(t)
    return { claims, path: { authorities: ['ann'] }, check: shown(id) }
  },
  'favorites.put': async t => {
    const { claims, body } = await kept(t)
    return { claims, body }
  },
  'favorites.remove': async t => {
    const { claims, body } = await kept(t)
    return { claims, path: body }
  },
  'favorites.delete': async t => {
    const { claims, id } = await kept(t)
    return { claims, path: { ids: [id] } }
  }
}
