/* browser.jobs: an administrator sees jobs of a service that fails, tries them again when it is mended, and pauses and resumes a
 * registration. */
import assert from 'node:assert/strict'
import http from 'node:http'
import { once } from 'node:events'
import { startCluster } from '../harness/cluster.mjs'
import { openRun, until } from '../harness/run.mjs'
import { signToken } from '../harness/subjects.mjs'
import { openBrowser, part, picture } from '../harness/windows.mjs'

const run = openRun('browser.jobs')
const heard = []
let status = 503
const service = http.createServer(async (request, reply) => {
  let text = ''
  for await (const piece of request) text += piece
  heard.push(JSON.parse(text))
  reply.writeHead(status, status < 300 ? {} : { code: 'T00017', message: 'the ledger is closed' }).end()
}).listen(0, '127.0.0.1')
await once(service, 'listening')
const cluster = await startCluster(run, {
  cores: 1, gateways: 1, redis: 'none', balancer: false,
  coreProperties: { 'outgoing.allow': '127.0.0.0/8', 'operation.async.backoff': '20ms', 'operation.async.max-attempts': '3', 'operation.async.sweep': '100ms' }
})
const root = signToken({ sub: 'root', profiles: ['SYSTEM_ADMIN'], scope: 'main' })
const ask = async (method, target, json) => {
  const answer = await cluster.core(1).fetch(`/core/rest/${target}`, { method, token: root, json })
  const text = await answer.text()
  assert.ok(answer.ok, `${method} ${target}: ${answer.status} ${text}`)
  return text && JSON.parse(text)
}

const tags = ['OperationHandler', 'ExecutionPhase', 'Action', 'ObjectType', 'Enabled', 'Asynchronous']
await ask('POST', 'scope', [{ id: 'main', languages: ['EN'] }])
await ask('POST', 'acl', [{ id: 'all', entries: [{ principal: '*', permission: '*', grant: 'ALLOW' }] }])
await ask('POST', 'tagclass', tags.map(id => ({ id, type: 'STRING' })))
await ask('POST', 'documentclass', [
  { id: 'Invoice', category: 'DOCUMENT', data: { ACL: 'all' } },
  { id: 'OperationHandlerRegistration', category: 'DOCUMENT', data: { ACL: 'all' }, tagReferences: tags.map(tagName => ({ tagName })) }
])
const values = {
  OperationHandler: `http://127.0.0.1:${service.address().port}/ledger`, ExecutionPhase: 'AFTER', Action: 'CREATE', ObjectType: 'DOCUMENT',
  Enabled: 'true', Asynchronous: 'true'
}
const [registration] = await ask('POST', 'documents', [{
  name: 'Tell the ledger', data: { classId: 'OperationHandlerRegistration' }, tags: Object.entries(values).map(([name, value]) => ({ name, value: [value] }))
}])
const invoice = async name => (await ask('POST', 'documents', [{ name, data: { classId: 'Invoice' } }]))[0].id
const count = async state => await ask('GET', `jobs/${state}/count`)

const windows = await openBrowser(run)
const ann = await windows.open('ann', { viewport: { width: 1280, height: 1000 } })
const confirmed = async () => await part(ann, 'dialog-confirm').click()
const rows = () => part(ann, 'jobs-row')
const inRow = id => ann.locator(`[data-testid=jobs-row]:has-text("${id}")`)
const fits = async () => assert.ok(await ann.evaluate(() => document.documentElement.scrollWidth - innerWidth) <= 1, 'nothing sticks out')

await windows.signIn(ann, cluster, 'admin')
const ids = []
for (let n = 0; n < 3; n++) ids.push(await invoice(`Invoice ${n}`))

await run.story('what has failed for good is seen, with its error and how often it was tried', async () => {
  await until('all are given up', async () => await count('errors') === 3)
  await part(ann, 'section-admin').click()
  await part(ann, 'admin-jobs').click()
  await until('three are listed', async () => await rows().count() === 3)
  const text = await inRow(ids[0]).innerText()
  assert.match(text, /3 of 3/)
  assert.match(text, /T00017 the ledger is closed/)
  await until('the registration has its name', async () => /Tell the ledger/.test(await part(ann, 'job-registrations-row').innerText()))
  assert.match(await part(ann, 'figure-errors').innerText(), /3/)
  await picture(ann, 'admin-jobs-errors')
})

await run.story('one is dropped; the others are tried again when the service is mended, counted before', async () => {
  await inRow(ids[2]).locator('[data-testid=job-drop]').click()
  await confirmed()
  await until('two are left', async () => await rows().count() === 2)
  status = 204
  await inRow(ids[0]).locator('[data-testid=job-retry]').click()
  await until('one is left', async () => await rows().count() === 1)
  await part(ann, 'jobs-retry-all').click()
  assert.match(await ann.locator('dialog').innerText(), /Retry 1 job\?/)
  await picture(ann, 'admin-jobs-retry')
  await confirmed()
  await until('none is left', async () => await part(ann, 'admin-none').count() > 0 && await count('errors') === 0)
  await until('the service has heard both', () => [ids[0], ids[1]].every(id => heard.some(h => h.component.id === id && h.attempt === 1)))
})

await run.story('a paused registration begins no job, and goes on when it is resumed', async () => {
  await ask('GET', `documents/${registration.id}`)
  const id = await invoice('First')
  await until('it is told', () => heard.some(h => h.component.id === id))
  await until('it is listed no more', async () => await count('processing') + await count('waiting') === 0)
  await part(ann, 'jobs-pause-all').click()
  await confirmed()
  await until('it is said', async () => await part(ann, 'jobs-paused').count() === 1)
  const second = await invoice('Second')
  await part(ann, 'jobs-waiting').click()
  await until('it waits', async () => await inRow(second).count() === 1)
  await picture(ann, 'admin-jobs-paused')
  await part(ann, 'jobs-pause-all').click()
  await until('all is told', async () => heard.some(h => h.component.id === second) && await rows().count() === 0)
  await part(ann, 'jobs-paused').waitFor({ state: 'detached' })
})

await run.story('one registration alone is paused by its own button', async () => {
  status = 503
  const id = await invoice('Third')
  await until('it is given up', async () => await count('errors') === 1)
  await part(ann, 'job-pause').click()
  await until('the row says so', async () => /Paused/.test(await part(ann, 'job-registrations-row').innerText()))
  status = 204
  await part(ann, 'jobs-errors').click()
  await inRow(id).locator('[data-testid=job-retry]').click()
  await part(ann, 'jobs-waiting').click()
  await until('it waits', async () => await inRow(id).count() === 1)
  await part(ann, 'job-pause').click()
  await until('it is told', () => heard.some(h => h.component.id === id && h.attempt === 1 && status === 204))
  await until('nothing is left', async () => await rows().count() === 0)
})

await run.story('a phone and the dark show the same', async () => {
  status = 503
  await invoice('Fourth')
  await until('it is given up', async () => await count('errors') === 1)
  await part(ann, 'jobs-errors').click()
  await until('it is listed', async () => await rows().count() === 1)
  await ann.emulateMedia({ colorScheme: 'dark' })
  await fits()
  await picture(ann, 'admin-jobs-dark')
  await ann.setViewportSize({ width: 390, height: 1400 })
  await fits()
  await picture(ann, 'admin-jobs-phone-dark')
  await ann.emulateMedia({ colorScheme: 'light' })
  await picture(ann, 'admin-jobs-phone')
  assert.deepEqual(windows.complaints, [])
})

service.closeAllConnections()
service.close()
await run.finish()
