/* What the caller may do. */
import assert from 'node:assert/strict'
import { classOf, made } from './components.mjs'

const words = ['documents', 'folders', 'tasks', 'virtualFolder']

export default {
  'rights.classes': async t => {
    const { claims, classId } = await classOf(t, 'documents')
    return { claims, check: answer => assert.ok(answer.body.find(one => one.classId === classId).permissions.includes('CREATE')) }
  },
  ...Object.fromEntries(words.map(word => [`${word}.rights`, async t => {
    const { claims, path } = await made(t, word)
    return { claims, path, check: answer => assert.ok(answer.body[0].permissions.includes('UPDATE')) }
  }]))
}
