/* integration.document-files: files of documents over real HTTP, at two cores on one PostgreSQL: uploaded at one, bound and read at the
 * other; who may; what a refusal leaves behind; a document and its files in one request. */
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { startCluster } from '../harness/cluster.mjs'
import { openRun, until } from '../harness/run.mjs'
import { signToken } from '../harness/subjects.mjs'

const run = openRun('integration.document-files')
const cluster = await startCluster(run, { gateways: 0, redis: 'none', balancer: false })
const [one, two] = cluster.cores
const scope = 'Office'
const person = (sub, profiles = []) => signToken({ sub, scope, profiles, sid: `session-of-${sub}` })
const [root, ann, bob, eve] = [signToken({ sub: 'root', profiles: ['SYSTEM_ADMIN'] }), person('ann', ['ADMIN']), person('bob'), person('eve')]

async function ask (method, target, { token = ann, at = one, ...rest } = {}) {
  const answer = await at.fetch('/core/rest' + target, { method, token, ...rest })
  const text = await answer.clone().text()
  const isJson = answer.headers.get('content-type')?.includes('json')
  return { status: answer.status, body: isJson ? JSON.parse(text) : text, code: isJson ? JSON.parse(text).code : undefined, etag: answer.headers.get('etag'), answer }
}

async function done (method, target, options) {
  const answer = await ask(method, target, options)
  assert.ok(answer.status < 300, `${method} ${target}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}

function form (files, document) {
  const body = new FormData()
  if (document) body.append('document', typeof document === 'string' ? document : JSON.stringify([document]))
  for (const [content, name, type] of files) body.append('file', new Blob([content], { type }), name)
  return body
}

const upload = (content, options) => done('POST', '/files/tmp', { body: form([[content, 'a.bin']]), ...options })
const invoice = more => ({ name: 'Invoice', data: { classId: 'Invoice' }, ...more })
const create = async (files, options) => (await done('POST', '/documents', { json: [invoice({ files })], ...options }))[0]
const count = async (table, where = 'true') => Number((await cluster.postgres.sql(`SELECT count(*) AS n FROM ${table} WHERE ${where}`))[0].n)
const waiting = () => count('content_files', 'expires_ms IS NOT NULL AND content IS NOT NULL')

await done('POST', '/scope', { json: [{ id: scope }], token: root })
await done('POST', '/acl', {
  json: [{ id: 'office', entries: [{ principal: 'eve', permission: ['READ', 'DOWNLOAD_CONTENT'], grant: 'ALLOW' }, { principal: 'eve', permission: '*', grant: 'DENY' }, { principal: '*', permission: '*', grant: 'ALLOW' }] }]
})
await done('POST', '/documentclass', { json: [{ id: 'Invoice', category: 'DOCUMENT', data: { ACL: 'office' } }] })

await run.story('what is uploaded at one core is bound and read at the other', async () => {
  const bytes = crypto.randomBytes(700000)
  const { id, sha256 } = await upload(bytes)
  const document = await create([{ id, Name: 'invoice.bin' }], { at: two })
  const [file] = document.files
  assert.deepEqual(file, { id: file.id, name: 'invoice.bin', Name: 'invoice.bin', FormatCode: 'application/octet-stream', size: 700000, sha256 })
  for (const at of cluster.cores) {
    assert.deepEqual(await done('GET', `/documents/${document.id}/files`, { at }), [file])
    const { answer } = await ask('GET', `/documents/${document.id}/files/${file.id}/content`, { at })
    assert.ok(Buffer.from(await answer.arrayBuffer()).equals(bytes))
    const part = await ask('GET', `/documents/${document.id}/files/${file.id}/content`, { at, headers: { range: 'bytes=262000-262999' } })
    assert.equal(part.status, 206)
    assert.ok(Buffer.from(await part.answer.arrayBuffer()).equals(bytes.subarray(262000, 263000)))
  }
  assert.equal((await ask('GET', `/files/tmp/${id}`)).code, 'T00707')
  assert.equal((await ask('POST', '/documents', { json: [invoice({ files: [{ id }] })], at: two })).status, 410)
})

await run.story('of two cores that bind one file at the same time one does', async () => {
  for (let i = 0; i < 10; i++) {
    const { id } = await upload('x')
    const answers = await Promise.all([one, two].map(at => ask('POST', '/documents', { json: [invoice({ files: [{ id }] })], at })))
    assert.deepEqual(answers.map(a => a.status).sort(), [200, 410], JSON.stringify(answers.map(a => a.body)))
  }
})

await run.story('a create that is refused leaves the temporary file for another try', async () => {
  const { id } = await upload('hello')
  assert.equal((await ask('POST', '/documents', { json: [{ name: 'x', data: { classId: 'None' }, files: [{ id }] }] })).code, 'F00206')
  assert.equal((await ask('POST', '/documents', { json: [invoice({ files: [{ id }] })], token: bob })).status, 400, 'it is not his')
  await create([{ id }])
})

await run.story('files are added, renamed, replaced and taken out', async () => {
  const { id } = await create([{ id: (await upload('one')).id }])
  const files = `/documents/${id}/files`
  const added = await ask('POST', files, { body: form([['two', 'two.txt', 'text/plain'], ['three', 'drei ü.txt', 'text/plain']]), at: two })
  assert.equal(added.status, 200, JSON.stringify(added.body))
  assert.equal(added.etag, '"2"')
  assert.deepEqual(added.body.map(f => [f.Name, f.size]), [['a.bin', 3], ['two.txt', 3], ['drei ü.txt', 5]])
  assert.equal((await ask('POST', files, { body: form([['x', 'x']]), headers: { 'if-match': '"1"' } })).status, 412)
  const renamed = await done('POST', `${files}/${added.body[1].id}/name`, { body: 'zwei.txt', headers: { 'content-type': 'text/plain' } })
  assert.equal(renamed[1].name, 'zwei.txt')
  assert.equal((await done('POST', `${files}/${added.body[1].id}/name`, { body: '"deux.txt"', headers: { 'content-type': 'application/json' } }))[1].name, 'deux.txt')
  const inline = await done('GET', `${files}?includeContent=true`)
  assert.deepEqual(inline.map(f => atob(f.content)).sort(), ['one', 'three', 'two'])
  assert.equal((await ask('DELETE', `${files}/${added.body[0].id}`)).status, 204)
  assert.equal((await ask('DELETE', `${files}/${added.body[0].id}`)).status, 204)
  assert.equal((await ask('GET', `${files}/${added.body[0].id}/content`)).code, 'U00404')
  assert.deepEqual((await done('POST', `${files}?replace=true`, { body: form([['four', '4.txt']]) })).map(f => f.Name), ['4.txt'])
  assert.equal((await done('GET', `/documents/${id}`))[0].files.length, 1)
})

await run.story('content has permissions of its own, and who may not change it leaves nothing', async () => {
  const document = await create([{ id: (await upload('<b>secret</b>')).id }])
  const files = `/documents/${document.id}/files`
  const before = await waiting()
  const got = await ask('GET', `${files}/${document.files[0].id}/content`, { token: eve })
  assert.equal(got.status, 200)
  assert.match(got.answer.headers.get('content-disposition'), /^attachment/)
  assert.equal((await ask('GET', `${files}/${document.files[0].id}/content`, { token: signToken({ sub: 'eve', scope: 'Elsewhere' }) })).status, 404)
  assert.equal((await ask('POST', files, { token: eve, body: form([['x', 'x']]) })).code, 'U00403')
  assert.equal((await ask('DELETE', `${files}/${document.files[0].id}`, { token: eve })).code, 'U00403')
  assert.equal((await ask('POST', `/documents/none/files`, { body: form([['x', 'x']]) })).code, 'F00012')
  await until('what was uploaded in vain is gone', async () => await waiting() === before)
})

await run.story('what somebody else has reserved is not changed', async () => {
  const document = await create([{ id: (await upload('x')).id }])
  const { id } = document
  await done('POST', '/reservation/reserve', { token: bob, json: [{ category: 'DOCUMENT', id }] })
  const files = `/documents/${id}/files`
  assert.equal((await ask('POST', files, { body: form([['x', 'x']]), at: two })).code, 'U00423')
  assert.equal((await ask('DELETE', `${files}/${document.files[0].id}`, { at: two })).status, 423)
  assert.equal((await ask('GET', `${files}/${document.files[0].id}/content`, { at: two })).status, 200)
  assert.equal((await ask('POST', files, { body: form([['x', 'x']]), token: bob, at: two })).status, 200)
})

await run.story('a document and its files come in one request', async () => {
  const [made] = await done('POST', '/documents/unique', { body: form([['one', '1.txt'], ['two', '2.txt']], invoice({ id: 'unique one' })) })
  assert.deepEqual([made.id, made.files.map(f => f.Name)], ['unique one', ['1.txt', '2.txt']])
  const [updated] = await done('POST', '/documents/unique%20one/unique', { body: form([['three', '3.txt']], { ...made, files: made.files.slice(1) }), at: two })
  assert.deepEqual(updated.files.map(f => f.Name), ['2.txt', '3.txt'])
  const before = await waiting()
  for (const [document, status] of [['{', 400], ['{}', 400], ['[]', 400], [[invoice(), invoice()].map(d => JSON.stringify(d)).join().replace(/^/, '[').replace(/$/, ']'), 400],
    [JSON.stringify([{ name: 7 }]), 400], [JSON.stringify([invoice({ id: 'unique one' })]), 409], ['['.repeat(100000), 400]]) {
    const answer = await ask('POST', '/documents/unique', { body: form([['x', 'x']], document) })
    assert.equal(answer.status, status, document.slice(0, 60) + JSON.stringify(answer.body))
  }
  assert.equal((await ask('POST', '/documents/unique', { body: form([['x', 'x']]) })).status, 400)
  await until('what was uploaded in vain is gone', async () => await waiting() === before)
})

await run.story('contents go with the last document that has them', async () => {
  const ids = (await cluster.postgres.sql("SELECT id FROM components WHERE category = 'DOCUMENT'")).map(row => encodeURIComponent(row.id))
  await done('POST', '/reservation/release', { token: bob, json: ids.map(id => ({ category: 'DOCUMENT', id: decodeURIComponent(id) })) })
  for (let i = 0; i < ids.length; i += 50) await done('DELETE', `/documents/${ids.slice(i, i + 50).join()}`)
  const { id } = await upload('x')
  await done('DELETE', `/files/tmp/${id}`)                              /* which makes it look */
  await until('only what waits is left', async () => await count('contents') === await waiting() && await count('contents', 'due_ms = 0') === 0, 30000)
})

await run.story('both end well', () => cluster.stop())
await run.finish()
