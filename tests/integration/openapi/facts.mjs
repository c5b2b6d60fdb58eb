/* What was done with components. */
import assert from 'node:assert/strict'
import { made } from './components.mjs'

const words = { documents: 'documents', folders: 'folders', tasks: 'tasks', virtualFolders: 'virtualFolder' }

const calls = word => ({
  [`${word}.facts.list`]: async t => {
    const { claims, object } = await made(t, words[word])
    return { claims, path: { id: object.id }, check: answer => assert.deepEqual(answer.body.map(fact => fact.action), ['CREATE']) }
  },
  [`${word}.facts.create`]: async t => {
    const { claims, object } = await made(t, words[word])
    return { claims, path: { id: object.id }, body: [{ action: 'SCANNED', description: 'by hand' }] }
  }
})

export default Object.assign({
  'facts.search': async t => {
    const { claims, object } = await made(t, 'documents')
    return { claims, body: { searchCriteria: [{ name: 'objectId', value: object.id }] }, check: answer => assert.equal(answer.body.found, 1) }
  }
}, ...Object.keys(words).map(calls))
