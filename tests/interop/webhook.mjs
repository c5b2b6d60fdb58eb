/* interop.webhook: a service that was written for the stock server's webhook extension hears the same of Umbel, letter by letter, and
 * hears it although it is away at times and cores are killed. */
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import http from 'node:http'
import { once } from 'node:events'
import * as Y from 'yjs'
import { openClient } from '../harness/clients.mjs'
import { openRun, until } from '../harness/run.mjs'
import { signToken, startSubject } from '../harness/subjects.mjs'

const run = openRun('interop.webhook')
const secret = 's3cret'

/* ---- the service: what it heard of whom, and what it answers ---- */

const heard = []
const template = { default: { type: 'doc', content: [{ type: 'paragraph', content: [{ type: 'text', text: 'seed' }] }] } }
const usual = { connect: { user: { id: 7 } }, create: template }
let answer = () => null                                          /* a status other than 200, of a call */
const service = http.createServer(async (request, reply) => {
  let text = ''
  for await (const piece of request) text += piece
  const { event, payload } = JSON.parse(text)
  const call = { of: request.url.slice(1), event, payload, text, headers: request.headers }
  const status = answer(call) ?? 200
  heard.push({ ...call, status })
  if (status !== 200) return reply.writeHead(status).end()
  reply.writeHead(200, { 'content-type': 'application/json' }).end(usual[event] ? JSON.stringify(usual[event]) : '')
})
const listen = async port => {
  service.listen(port, '127.0.0.1')
  await once(service, 'listening')
  return service.address().port
}
const port = await listen(0)
const at = name => `http://127.0.0.1:${port}/${name}`
const of = (name, event, document) => heard.filter(h => h.of === name && (!event || h.event === event) && (!document || h.payload.documentName === document))

/* ---- the servers ---- */

const settings = {
  'outgoing.allow': '127.0.0.0/8', 'operation.async.backoff': '20ms', 'operation.async.backoff-max': '100ms',
  'operation.async.lease': '1s', 'operation.async.sweep': '100ms', 'operation.async.max-attempts': 4,
  'collab.webhook.secret': secret, 'collab.webhook.debounce': '50ms', 'collab.webhook.debounce-max-wait': '200ms', 'collab.unload-delay': '50ms'
}
const startCore = (name, events, more = {}) => startSubject(run, {
  kind: 'umbel', label: name,
  args: Object.entries({ ...settings, 'collab.webhook.url': at(name), 'collab.webhook.events': events, ...more }).map(([k, v]) => `--${k}=${v}`)
})
const open = (subject, room, options = {}) => openClient('provider4', subject, room, { socketOptions: { url: `${subject.collabUrl}?q=1` }, ...options })
const type = (client, text) => client.doc.getText('t').insert(client.doc.getText('t').length, text)
const root = signToken({ sub: 'root', profiles: ['SYSTEM_ADMIN'] })
const typed = h => h.payload.document.t ?? ''
const jobs = async (core, word) => (await (await core.fetch(`/core/rest/jobs/${word}?scope=*`, { token: root })).json())

/* What an editor would write: a heading, marks, a break within a line. */
function write (doc) {
  doc.transact(() => {
    const heading = new Y.XmlElement('heading')
    heading.setAttribute('level', 2)
    heading.setAttribute('textAlign', 'left')
    const text = new Y.XmlText()
    text.applyDelta([{ insert: 'A ' }, { insert: 'bold', attributes: { bold: {} } }, { insert: ' “line” \u2028 / \\ \u0001 é' }])
    heading.insert(0, [text, new Y.XmlElement('hardBreak')])
    const bare = new Y.XmlText()
    bare.insert(0, 'yo')
    const link = new Y.XmlText()
    link.insert(0, 'here', { 'comment--q4ZlWk3+': { id: 0.1, on: true, at: null } })
    const paragraph = new Y.XmlElement('paragraph')
    paragraph.insert(0, [link])
    doc.getXmlFragment('default').insert(1, [heading, bare, paragraph, new Y.XmlElement('horizontalRule')])
  })
}

await run.story('bodies and signatures are the stock extension\'s, letter by letter', async () => {
  const events = ['connect', 'create', 'change', 'disconnect']
  const umbel = await startCore('umbel', events)
  const stock = await startSubject(run, {
    kind: 'hocuspocus', stock: { open: true, webhook: { url: at('stock'), secret, events, debounce: 50, debounceMaxWait: 200 } }
  })
  for (const subject of [umbel, stock]) {
    const client = open(subject, 'wh')
    await until('in sync', () => client.settled())
    assert.equal(client.doc.getXmlFragment('default').toString(), '<paragraph>seed</paragraph>')
    write(client.doc)
    await until('the change is told', () => of(subject === umbel ? 'umbel' : 'stock', 'change').length === 1)
    client.close()
    await until('the end is told', () => of(subject === umbel ? 'umbel' : 'stock', 'disconnect').length === 1)
  }
  for (const event of events) {
    const [[ours], [theirs]] = [of('umbel', event), of('stock', event)]
    assert.equal(ours.text, theirs.text, event)
    assert.equal(ours.headers['content-type'], theirs.headers['content-type'])
    assert.equal(ours.headers['x-hocuspocus-signature-256'], theirs.headers['x-hocuspocus-signature-256'])
    assert.equal(ours.headers['x-hocuspocus-signature-256'], 'sha256=' + crypto.createHmac('sha256', secret).update(ours.text).digest('hex'))
  }
  assert.deepEqual(of('umbel').map(h => h.event), of('stock').map(h => h.event))
  await stock.stop()
  await umbel.stop()
})

await run.story('a document has its first content once, whoever opens it', async () => {
  const core = await startCore('begin', 'create')
  const all = [open(core, 'one'), open(core, 'one'), openClient('y-websocket', core, 'one')]
  await until('in sync', () => all.every(c => c.settled()))
  await until('all have it', () => all.every(c => c.doc.getXmlFragment('default').toString() === '<paragraph>seed</paragraph>'))
  assert.equal(of('begin', 'create').length, 1)
  all.forEach(c => c.close())
  answer = call => call.payload.documentName === 'two' ? 500 : null
  const client = open(core, 'two')
  await until('in sync', () => client.settled())
  assert.equal(client.doc.getXmlFragment('default').length, 0)
  client.close()
  answer = () => null
  await core.stop()
})

await run.story('connect refuses; a service that is away keeps nobody out for good', async () => {
  const core = await startCore('doors', 'connect')
  answer = call => call.payload.documentName === 'secret' ? 403 : null
  const refused = open(core, 'secret')
  const denied = await until('he is told', () => refused.had('denied'))
  assert.equal(denied.reason, 'Forbidden')
  refused.close()
  answer = () => null
  service.closeAllConnections()
  await new Promise(resolve => service.close(resolve))
  const patient = open(core, 'doors')
  await until('he was sent away', async () => (await core.fetch('/core/actuator/metrics/collab.webhook.failed', { token: root })).ok && patient.had('close'))
  assert.equal(patient.had('denied'), undefined)
  await listen(port)
  await until('he is in', () => patient.settled())
  patient.close()
  await core.stop()
})

await run.story('what is not taken is told again, with the job\'s id; what is given up is seen, and retried', async () => {
  const core = await startCore('again', 'change')
  assert.ok((await core.fetch('/core/rest/scope', { method: 'POST', token: root, json: [{ id: 'main' }] })).ok)
  let failures = 2
  answer = () => failures-- > 0 ? 503 : null
  const client = open(core, 'flaky')
  await until('in sync', () => client.settled())
  type(client, 'a')
  const calls = await until('it is told at last', () => of('again').some(h => h.status === 200) && of('again'))
  assert.deepEqual(calls.map(h => Number(h.headers['x-operation-attempt'])), [1, 2, 3])
  assert.equal(new Set(calls.map(h => h.headers['idempotency-key'])).size, 1)
  answer = () => 503
  type(client, 'b')
  const page = await until('it is given up', async () => (await jobs(core, 'errors')).results?.length === 1 && await jobs(core, 'errors'))
  const [job] = page.results
  assert.deepEqual([job.registration, job.handler, job.action, job.objectId, job.attempts], ['collab.webhook', 'webhook', 'change', 'flaky', 4])
  assert.match(job.errorMessage ?? job.error?.message ?? '', /503/)
  answer = () => null
  assert.ok((await core.fetch(`/core/rest/jobs/retry/${job.id}?scope=*`, { method: 'POST', token: root })).ok)
  const last = await until('it is told', () => of('again').find(h => h.status === 200 && typed(h) === 'ab'))
  assert.equal(last.headers['idempotency-key'], job.id)
  client.close()
  await core.stop()
})

await run.story('cores that are killed lose nothing that was acknowledged, and tell each document\'s changes in their order', async () => {
  const core = await startCore('crash', 'change')
  const rooms = ['a', 'b', 'c', 'd']
  const clients = rooms.map(room => open(core, room))
  await until('in sync', () => clients.every(c => c.settled()))
  let n = 0
  answer = () => n++ % 5 === 4 ? 500 : null
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i <= round; i++) {
      clients.forEach(c => type(c, `${round}${i} `))
      await until('acknowledged', () => clients.every(c => c.settled()))
    }
    await core.kill()
    await core.start()
    await until('back', () => clients.every(c => c.settled()))
  }
  const final = clients.map(c => c.doc.getText('t').toString())
  clients.forEach(c => c.close())
  await until('all is told', () => rooms.every((room, i) => of('crash', 'change', room).some(h => h.status === 200 && typed(h) === final[i])), 30000)
  for (const room of rooms) {
    const lengths = of('crash', 'change', room).map(h => typed(h).length)
    assert.deepEqual(lengths, [...lengths].sort((x, y) => x - y), `${room} is told in order`)
  }
  answer = () => null
  await core.stop()
})

service.closeAllConnections()
service.close()
await run.finish()
