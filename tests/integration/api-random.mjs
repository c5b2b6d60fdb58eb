/* integration.api-random: requests made at random from the core's own description, valid and invalid ones. Whatever is sent, the
 * core answers as described: no 5xx but 503, errors in their one shape, what fits is not refused as unfit, what does not fit is
 * refused; it neither crashes nor grows, and the sanitizers have nothing to say. UMBEL_REQUESTS: how many (3000). */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import { Description, holdAgainst, targetOf, tokenFor } from '../harness/openapi.mjs'
import { openRun } from '../harness/run.mjs'
import { fitting, noJson, spoilt } from '../harness/schema-random.mjs'
import { startSubject } from '../harness/subjects.mjs'

const run = openRun('integration.api-random')
const total = Number(process.env.UMBEL_REQUESTS ?? 3000)
const growthMaxMb = 96                       /* from a third of the run to its end */
const lanes = 6
const core = await startSubject(run, {
  echo: true, args: [`--archive.url=file://${run.folder('archive')}`, '--collab.debounce=50ms', '--collab.unload-delay=0ms'],
  env: { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=8:malloc_context_size=5` }
})
const api = await Description.of(core)
const r = run.random


const operations = api.operations
const roles = ['anybody', 'user', 'ADMIN', 'FUNCTIONAL_ADMIN', 'SECURITY_ADMIN', 'SYSTEM_ADMIN', '(gateway)']
const tokens = Object.fromEntries([...roles, ...operations.map(o => api.roles(o)[0])].map(role => [role, tokenFor(role, { scope: 'RANDOM' })]))

/* ---- what the core has told: ids of things that are there ---- */

const known = new Map()                      /* name of a parameter -> some values of members of that name */
const KNOWN_MAX = 50
for (const p of operations.flatMap(o => o.parameters ?? [])) known.set(p.name, [])
known.set('id', known.get('ids') ?? [])      /* one list for both */

function learn (value) {
  if (Array.isArray(value)) return value.slice(0, 20).forEach(learn)
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return
  for (const [name, v] of Object.entries(value)) {
    const list = known.get(name)
    if (list && (typeof v === 'string' || typeof v === 'number')) list.length < KNOWN_MAX ? list.push(v) : list[r.below(KNOWN_MAX)] = v
    else learn(v)
  }
}

/* A scope with an ACL that lets everybody do everything, so that what is made at random can be made. */
for (const [target, thing, role] of [
  ['/core/rest/scope', { id: 'RANDOM' }, 'SYSTEM_ADMIN'],
  ['/core/rest/acl', { id: 'all', entries: [{ principal: '*', permission: '*', grant: 'ALLOW' }] }, 'ADMIN']
]) {
  const answer = await core.fetch(target, { method: 'POST', token: tokenFor(role, { scope: 'RANDOM' }), json: [thing] })
  if (answer.ok) learn(await answer.json())
}

/* ---- requests ---- */

const schemaOf = operation => operation.requestBody?.content['application/json']?.schema
const bodyPointer = o => `/paths/${o.target.replaceAll('~', '~0').replaceAll('/', '~1')}/${o.method.toLowerCase()}/requestBody/content/application~1json/schema`
const fitsBody = (operation, value) => api.errors(bodyPointer(operation), value) === null

function paramValue (p) {
  const there = known.get(p.name)
  if (p.in === 'path' && there.length > 0 && r.chance(60)) return p.schema.type === 'array' ? [r.pick(there)] : r.pick(there)
  const [least, most] = [p.schema['x-min-ms'], p.schema['x-max-ms']]
  if (most !== undefined) return r.pick([ms => `${ms}ms`, String, ms => `PT${ms / 1000}S`])(Math.min(most, least + r.below(50)))
  const value = fitting(r, api, p.schema)
  if (p.in !== 'header') return value
  return String(value).replace(/[^\x21-\x7e]/g, 'x') || 'x'
}

/* Bytes count in parameters, characters in schemas; and what a path cannot carry is not sent in one. */
function fitsParam (p, value) {
  if (p.schema.type !== 'string') return true
  const bytes = Buffer.byteLength(value)
  return bytes <= (p.schema.maxLength ?? 1024) && bytes >= (p.schema['x-min-bytes'] ?? p.schema.minLength ?? 0) && !/[\x00-\x1f\x7f]/.test(value) &&
    !(p.in === 'path' && (value === '.' || value === '..' || value === ''))
}

function drawParam (p) {
  for (let i = 0; i < 30; i++) {
    const value = paramValue(p)
    if ([value].flat().every(v => fitsParam({ ...p, schema: p.schema.items ?? p.schema }, typeof v === 'string' ? v : String(v)))) return value
  }
  return p.schema.enum?.[0] ?? 'a'.repeat(p.schema['x-min-bytes'] ?? 1)
}

function valid (operation) {
  const request = { path: {}, query: {}, headers: {} }
  for (const p of operation.parameters ?? []) {
    if (p.in === 'path' || p.required || r.chance(40)) request[p.in === 'header' ? 'headers' : p.in][p.name] = drawParam(p)
  }
  const schema = schemaOf(operation)
  if (schema) {
    do request.body = fitting(r, api, schema); while (!fitsBody(operation, request.body))
  }
  return request
}

/* Each spoils a request, or returns null where there is nothing to spoil. */
const spoilers = {
  unknownParameter: (o, q) => ({ ...q, query: { ...q.query, ['no' + r.word(3)]: r.word(2) } }),
  parameterOfAnotherType: (o, q) => {
    const p = r.pick((o.parameters ?? []).filter(x => x.in === 'query' && ['integer', 'boolean'].includes(x.schema.type)))
    return p && { ...q, query: { ...q.query, [p.name]: r.pick(['', 'x', '1.5', '0x1', '+1', ' 1', '1e3', '99999999999999999999', '-', '\u00bd', 'truetrue']) } }
  },
  parameterOutOfBounds: (o, q) => {
    const p = r.pick((o.parameters ?? []).filter(x => x.in === 'query' && (x.schema.maximum ?? x.schema.maxLength ?? x.schema.enum)))
    if (!p) return null
    const value = p.schema.enum ? 'no' + p.schema.enum[0] : p.schema.type === 'integer' ? p.schema.maximum + 1 : 'x'.repeat(p.schema.maxLength + 1)
    return { ...q, query: { ...q.query, [p.name]: value } }
  },
  parameterTwice: (o, q) => {
    const p = r.pick((o.parameters ?? []).filter(x => x.in === 'query'))
    return p && { ...q, query: {}, more: `${p.name}=1&${p.name}=1` }
  },
  brokenUtf8InQuery: (o, q) => {
    const p = r.pick((o.parameters ?? []).filter(x => x.in === 'query'))
    return p && { ...q, query: {}, more: `${p.name}=%ff%fe` }
  },
  body: (o, q) => {
    if (q.body === undefined) return null
    for (let i = 0; i < 20; i++) {
      const body = spoilt(r, q.body)
      if (body !== undefined && !fitsBody(o, body)) return { ...q, body }
    }
    return null
  },
  noJson: (o, q) => q.body === undefined ? null : { ...q, body: undefined, raw: r.pick(noJson) },
  mediaType: (o, q) => q.body === undefined ? null : { ...q, type: r.pick(['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'x'.repeat(300), 'application/json/x']) }
}

/* Targets that the description does not have: only how they are refused is of interest. */
const tricks = [
  t => t.replace(/[a-z]/, c => '%' + c.charCodeAt(0).toString(16)), t => t + '/', t => t + '//', t => '/' + t, t => t.replaceAll('/', '%2F'),
  t => t + '/../../../etc/passwd', t => t + '/%2e%2e/%2e%2e', t => t + '%00', t => t + '%', t => t + '%zz', t => t + '/%c0%af', t => t + '/%ff', t => t + '?',
  t => t + '?' + '&'.repeat(500), t => t + '?a=1'.repeat(400), t => t + ';x=1', t => t + '#x', t => t.toUpperCase(), t => t + '/' + 'x'.repeat(5000),
  t => t + '/' + '%25'.repeat(900), t => t + '?x=' + '%ff'.repeat(1000), t => t + '?' + 'x'.repeat(20000), t => t.replace('rest', 'rest/.'), t => t + '\\x'
]

/* ---- sending ---- */

const agent = new http.Agent({ keepAlive: true, maxSockets: lanes })

function send ({ method, target, headers, body }) {
  return new Promise((resolve, reject) => {
    const rq = http.request({ host: '127.0.0.1', port: core.port, agent, method, path: target, headers, timeout: 60000 }, answer => {
      const pieces = []
      answer.on('data', piece => pieces.push(piece))
      answer.on('error', reject)
      answer.on('end', () => resolve({
        status: answer.statusCode, headers: { get: name => answer.headers[name] ?? null }, arrayBuffer: async () => Buffer.concat(pieces)
      }))
    })
    rq.on('timeout', () => rq.destroy(new Error('no answer within a minute')))
    rq.on('error', reject)
    rq.end(body)
  })
}

function wire (operation, { raw, body, type, more, headers, ...parameters }, role) {
  const bytes = raw ?? (body !== undefined ? Buffer.from(JSON.stringify(body)) : undefined)
  let target = targetOf(operation, parameters)
  if (more) target += (target.includes('?') ? '&' : '?') + more
  return {
    method: operation.method, target, body: bytes,
    headers: { ...headers, ...(tokens[role] ? { token: tokens[role] } : {}), ...(bytes ? { 'content-type': type ?? 'application/json', 'content-length': bytes.length } : {}) }
  }
}

/* ---- one request ---- */

const counts = {}
const spent = {}                             /* ms by operation */

function plan () {
  const operation = r.pick(operations)
  const own = r.pick(api.roles(operation))
  const role = r.chance(90) ? own : r.pick(roles)
  const good = valid(operation)
  const kind = r.pick(['valid', 'valid', 'valid', 'trick', ...Object.keys(spoilers)])
  if (kind === 'valid') return { kind, operation, role, own, rq: wire(operation, good, role) }
  if (kind === 'trick') {
    const rq = wire(operation, good, role)
    return { kind, operation, role, own, rq: { ...rq, target: r.pick(tricks)(rq.target), method: r.chance(20) ? r.pick(['PUT', 'PATCH', 'DELETE', 'OPTIONS', 'BREW']) : rq.method } }
  }
  const bad = spoilers[kind](operation, good)
  return bad ? { kind, operation, role, own, rq: wire(operation, bad, role) } : plan()
}

const isOpen = o => ['sockets.collab', 'actuator.status'].includes(o.id)     /* they take any query */
const saysUnfit = body => /^the (body does not fit|parameter )/.test(body?.message ?? '')

async function one () {
  const { kind, operation, role, own, rq } = plan()
  const what = `${kind}: ${rq.method} ${rq.target.slice(0, 300)} as ${role}, body ${String(rq.body ?? '').slice(0, 300)}`
  const started = Date.now()
  let answer
  try {
    answer = await send(rq)
    spent[operation.id] = (spent[operation.id] ?? 0) + Date.now() - started
  } catch (err) {
    core.child.assertAlive()
    if (kind === 'trick' || (rq.body?.length ?? 0) > 8000) return    /* refused before it was read to its end */
    throw new Error(`${what}: ${err.message}`)
  }
  counts[`${kind} ${answer.status}`] = (counts[`${kind} ${answer.status}`] ?? 0) + 1
  try {
    await judge({ kind, operation, role, own, answer })
  } catch (err) {
    throw new Error(`${what}: ${err.message}`)
  }
}

async function judge ({ kind, operation, role, own, answer }) {
  assert.ok(answer.status < 500 || answer.status === 503, `status ${answer.status}: ${await answer.arrayBuffer()}`)
  if (kind === 'trick') {
    if (answer.status >= 400) JSON.parse(await answer.arrayBuffer())
    return
  }
  const { body } = await holdAgainst(api, operation, answer)
  if (answer.status === 503 && !operation.responses['503']) assert.ok(answer.headers.get('retry-after'), '503 says when to come back')
  if (role !== own) return
  if (kind === 'valid') {
    assert.ok(!(answer.status === 400 && saysUnfit(body)), `what fits is refused: ${JSON.stringify(body)}`)
    if (answer.status < 300) learn(body)
  } else if (!isOpen(operation) && operation.responses['101'] === undefined) {
    assert.ok(answer.status >= 400 && answer.status < 500, `what does not fit is taken: ${answer.status}`)
  }
}

/* ---- the run ---- */

const rssMb = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${core.pid}/status`, 'utf8'))[1]) / 1024

await run.story(`${total} requests at random are answered as described`, async () => {
  let sent = 0
  let early
  const lane = async () => {
    while (sent < total) {
      sent++
      if (sent === Math.floor(total / 3)) early = rssMb()
      await one()
    }
  }
  const started = Date.now()
  await Promise.all(Array.from({ length: lanes }, lane))
  const late = rssMb()
  const seconds = (Date.now() - started) / 1000
  console.log(Object.entries(counts).sort().map(([k, n]) => `${k}: ${n}`).join(', '))
  console.log('most of the time:', Object.entries(spent).sort((a, b) => b[1] - a[1]).slice(0, 5).map(([id, ms]) => `${id} ${ms} ms`).join(', '))
  console.log(`${total} requests in ${seconds.toFixed(1)} s; resident ${early.toFixed(0)} MB after a third, ${late.toFixed(0)} MB at the end`)
  assert.ok(late - early < growthMaxMb, `it grows: ${early} MB, then ${late} MB`)
}, Math.max(120000, total * 30))

await run.story('the core is well, ends well, and the sanitizers have nothing to say', async () => {
  agent.destroy()
  assert.equal((await (await core.fetch('/core/actuator/health/liveness')).json()).status, 'UP')       /* it may have been drained */
  const made = await core.fetch('/core/rest/collab/documents', { method: 'POST', token: core.token('write'), json: { title: 'after all' } })
  assert.equal(made.status, 201)
  await core.stop()
  assert.doesNotMatch(fs.readFileSync(core.log, 'utf8'), /Sanitizer|runtime error/)
})

await run.finish()
