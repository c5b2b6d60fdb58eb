/* A scope with handlers of operations, for tests of what is done afterwards.
 *
 *   const office = await openOffice(cluster.cores, ['Invoice'])     // classes of documents; its first core makes them
 *   const id = await office.register({ handler, classId: 'Invoice', action: 'UPDATE' })     // AFTER, asynchronous, unless said otherwise
 *   await office.unregister(id)
 *   const { status, body } = await office.ask('POST', '/documents', { json: [...], at: core })
 *   await office.done(…)                                            // the same; fails unless it is done
 *   await office.counts()                                           // of its jobs: { waiting, delayed, processing, errors } */
import assert from 'node:assert/strict'
import { signToken } from './subjects.mjs'

const scope = 'Office'
const tags = ['OperationHandler', 'ExecutionPhase', 'Action', 'ObjectType', 'Enabled', 'Asynchronous', 'RegistrationOrder', 'StopOnException', 'Authorization', 'InjectToken', 'ReserveComponentsAsynchronous']
const registrations = 'OperationHandlerRegistration'

export async function openOffice (cores, classes) {
  const office = new Office(cores)
  await office.prepare(classes)
  return office
}

class Office {
  constructor (cores) {
    this.cores = cores
    this.token = signToken({ sub: 'ann', scope, sid: 'session-of-ann' })
    this.filters = new Map()                 /* class -> the text of a registration's file */
  }

  async ask (method, target, { at = this.cores[0], token = this.token, ...rest } = {}) {
    const answer = await at.fetch('/core/rest' + target, { method, token, ...rest })
    const text = await answer.text()
    return { status: answer.status, body: answer.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text }
  }

  async done (method, target, options) {
    const { status, body } = await this.ask(method, target, options)
    assert.ok(status < 300, `${method} ${target}: ${status} ${JSON.stringify(body)}`)
    return body
  }

  async prepare (classes) {
    const root = signToken({ sub: 'root', profiles: ['SYSTEM_ADMIN'] })
    const own = id => ({ id, category: 'DOCUMENT', data: { ACL: 'all' } })
    await this.done('POST', '/scope', { json: [{ id: scope }], token: root })
    await this.done('POST', '/acl', { json: [{ id: 'all', entries: [{ principal: '*', permission: '*', grant: 'ALLOW' }] }] })
    await this.done('POST', '/tagclass', { json: tags.map(id => ({ id, type: 'STRING' })) })
    await this.done('POST', '/documentclass', { json: [...classes.map(own), { ...own(registrations), tagReferences: tags.map(tagName => ({ tagName })) }] })
  }

  async upload (text, type, name, options) {
    const body = new FormData()
    body.append('file', new Blob([text], { type }), name)
    return (await this.done('POST', '/files/tmp', { body, ...options })).id
  }

  /* Only documents of CLASSID, unless it is left out. */
  async register ({ handler, classId, action, phase = 'AFTER', asynchronous = true, reserves = false, at }) {
    const all = { OperationHandler: handler, ExecutionPhase: phase, Action: action, ObjectType: 'DOCUMENT', Enabled: true, Asynchronous: asynchronous, ReserveComponentsAsynchronous: reserves }
    const filter = { filterClauses: [{ criteria: [{ name: 'classid', operator: 'EQUALS_TO', type: 'STRING', values: [classId] }] }] }
    const [made] = await this.done('POST', '/documents', {
      at,
      json: [{
        name: 'registration',
        data: { classId: registrations },
        tags: Object.entries(all).map(([name, value]) => ({ name, value: [String(value)] })),
        ...(classId && { files: [{ id: await this.upload(JSON.stringify(filter), 'application/json', 'request', { at }), name: 'request' }] })
      }]
    })
    return made.id
  }

  async unregister (id, options) {
    await this.done('DELETE', `/documents/${id}`, options)
  }

  async counts (options) {
    const counts = {}
    for (const status of ['waiting', 'delayed', 'processing', 'errors']) counts[status] = await this.done('GET', `/jobs/${status}/count`, options)
    return counts
  }
}
