/* integration.model, integration.model-postgres: a scope's model as text. It is made at the start, exported, imported into an empty
 * installation, compared, merged and replaced; what is exported twice is the same, byte for byte. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { onPostgres } from '../harness/postgres.mjs'
import { openRun, root } from '../harness/run.mjs'
import { signToken, startSubject } from '../harness/subjects.mjs'

const run = openRun(onPostgres ? 'integration.model-postgres' : 'integration.model')
const sample = path.join(root, 'conf/model')
const core = await startSubject(run, { label: 'first', args: [`--model.import=${sample}`] })
const second = await startSubject(run, { label: 'second' })

const system = signToken({ sub: 'root', profiles: ['SYSTEM_ADMIN'] })
const admin = signToken({ sub: 'admin', scope: 'main' })

async function ask (at, method, scope, { query = {}, body, token = system, type = 'application/yaml' } = {}) {
  const parameters = new URLSearchParams(query)
  const answer = await at.fetch(`/core/rest/admin/model/${encodeURIComponent(scope)}?${parameters}`,
    { method, token, body, headers: body === undefined ? {} : { 'content-type': type } })
  const text = await answer.text()
  return { status: answer.status, text, headers: answer.headers, json: answer.headers.get('content-type')?.includes('json') ? JSON.parse(text) : null }
}
async function exported (at, scope, query) {
  const answer = await ask(at, 'GET', scope, { query })
  assert.equal(answer.status, 200, answer.text)
  return answer.text
}
async function imported (at, scope, body, options = {}, method = 'POST') {
  const answer = await ask(at, method, scope, { body, ...options })
  assert.equal(answer.status, 200, answer.text)
  return answer.json
}
async function refused (at, scope, body, status, options = {}) {
  const answer = await ask(at, 'POST', scope, { body, ...options })
  assert.equal(answer.status, status, answer.text)
  return answer.json
}
const objects = async (at, kind, scope) => (await (await at.fetch(`/core/rest/${kind}`, { token: system, headers: { scope } })).json())
const summary = r => `${r.added} ${r.changed} ${r.removed}`

/* ---- at the start ---- */

await run.story('a scope that does not exist is made of model.import', async () => {
  const classes = await objects(core, 'documentclass', 'main')
  assert.deepEqual(classes.map(c => c.id), ['Contract', 'Invoice', 'Note', 'OperationHandlerRegistration'])
  assert.equal(classes[2].collaborative, true)
  assert.equal(classes[1].data.ACL, 'invoices')
  const invoices = (await objects(core, 'acl', 'main')).find(a => a.id === 'invoices')
  assert.equal(invoices.entries[0].principal, 'guests')
  assert.equal(invoices.entries[0].grant, 'DENY')
})

await run.story('a scope that exists is left alone at the next start', async () => {
  await imported(core, 'main', 'tagClasses: [{id: Comment, type: STRING}]', { token: admin })
  const before = await exported(core, 'main')
  await core.stop()
  await core.start()
  assert.equal(await exported(core, 'main'), before)
  assert.match(before, /- id: Comment\n {4}type: STRING\n/)
})

await run.story('a model that is wrong stops the start, and the log says where', async () => {
  const dir = run.folder('wrong')
  fs.writeFileSync(path.join(dir, 'bad.yaml'), 'scope: {id: x}\ntagClasses:\n  - id: a\n    tpye: INT\n')
  const third = await startSubject(run, { label: 'third' })
  await third.stop()
  third.options.args = [`--model.import=${dir}`]
  const exit = await third.launchCore().gone
  assert.equal(exit.code, 2)
  const log = fs.readFileSync(third.log, 'utf8')
  assert.match(log, /bad\.yaml:4:5: tagClasses\[0\]\.tpye: unknown key of a tag class; is type meant\?/)
})

/* ---- byte for byte ---- */

await run.story('export, import into an empty installation, export: byte for byte the same', async () => {
  const text = await exported(core, 'main')
  const report = await imported(second, 'main', text)
  assert.equal(report.removed + report.changed, 0)
  assert.equal(report.applied, report.added)
  assert.equal(report.units, 1)
  assert.equal(await exported(second, 'main'), text)
  const again = await imported(second, 'main', text, {}, 'PUT')
  assert.deepEqual([again.changes, again.applied], [[], 0])
})

await run.story('the same into another scope, when it is renamed', async () => {
  const text = await exported(core, 'main')
  const mistake = await refused(core, 'copy', text, 400)
  assert.match(mistake.details[0].message, /another scope/)
  await imported(core, 'copy', text, { query: { rename: 'true' } })
  assert.equal(await exported(core, 'copy'), text.replace('  id: main\n', '  id: copy\n'))
})

await run.story('as JSON it is the same model', async () => {
  const json = await exported(core, 'main', { format: 'json' })
  assert.equal(JSON.parse(json).scope.displayNames.FR, 'Bureau')
  assert.equal(summary(await imported(core, 'main', json)), '0 0 0')
})

await run.story('what REST clients have put into objects survives', async () => {
  const body = JSON.stringify([{ id: 'Odd', type: 'STRING', 'our-own': { deep: [1, 2.5, null, 'yes'] }, displayNames: [{ language: 'EN', value: 'line\nline  ' }] }])
  const answer = await core.fetch('/core/rest/tagclass', { method: 'POST', token: system, body, headers: { 'content-type': 'application/json', scope: 'main' } })
  assert.equal(answer.status, 200, await answer.text())
  const text = await exported(core, 'main')
  await imported(second, 'main', text)
  assert.equal(await exported(second, 'main'), text)
  const odd = (await objects(second, 'tagclass', 'main')).find(c => c.id === 'Odd')
  assert.deepEqual(odd['our-own'], { deep: [1, 2.5, null, 'yes'] })
  assert.equal(odd.displayNames[0].value, 'line\nline  ')
})

/* ---- people ---- */

const login = async (at, user, password) => (await at.fetch('/core/rest/authentication', { method: 'POST', json: { user, password, scope: 'main' } })).status
const people = password => `groups: [{id: deck, members: [eva]}]\nusers: [{id: eva, displayName: Eva, password: '${password}'}]\n`

await run.story('the people of the sample are there, and log in when the model was given a password', async () => {
  assert.equal(await login(core, 'ann', ''), 400)
  assert.equal(await login(core, 'ann', 'anything at all'), 401)
  const third = await startSubject(run, { label: 'with-people', args: [`--model.import=${sample}`, '--model.variables.demo_password=horse battery staple'] })
  /* bob is an account of the properties here, and that comes first. */
  for (const user of ['ann', 'mia', 'carl']) assert.equal(await login(third, user, 'horse battery staple'), 200)
  await third.stop()
})

await run.story('users come in with a password, are changed without it, and do not go out', async () => {
  assert.equal(summary(await imported(core, 'main', people('correct horse'))), '2 0 0')
  assert.equal(await login(core, 'eva', 'correct horse'), 200)
  assert.equal(summary(await imported(core, 'main', people('another horse'))), '0 0 0')
  assert.equal(await login(core, 'eva', 'correct horse'), 200)
  const report = await imported(core, 'main', people('another horse').replace('Eva', 'E.'))
  assert.deepEqual(report.changes.map(c => [c.kind, c.paths.map(p => p.path)]), [['users', ['/displayName']]])
  const text = await exported(core, 'main')
  assert.match(text, /^ {2}- id: deck$/m)
  assert.doesNotMatch(text, /eva@|argon2|^users:/m)
  assert.equal(summary(await imported(core, 'main', text, {}, 'PUT')), '0 0 0')
  assert.equal(await login(core, 'eva', 'correct horse'), 200)
})

await run.story('a model gives no role that its bearer has not, and no password that is none', async () => {
  await refused(core, 'main', 'users: [{id: x, profiles: [SYSTEM_ADMIN]}]', 403, { token: admin })
  await refused(core, 'main', 'groups: [{id: y, profiles: [SYSTEM_ADMIN], members: [eva]}]', 403)
  for (const bad of ['short', '$argon2id$v=19$m=4194304,t=3,p=1$AAAA$BBBB']) {
    assert.equal((await refused(core, 'main', `users: [{id: x, password: '${bad}'}]`, 400)).details[0].path, '/users/x/password')
  }
  await refused(core, 'main', 'users: [{id: x, groups: [deck]}]', 400)
})

/* ---- what changes ---- */

await run.story('a dry run tells what would change, and changes nothing', async () => {
  const before = await exported(core, 'main')
  const text = 'tagClasses:\n  - {id: Subject, type: TEXT}\n  - {id: New, type: INT}\n'
  const report = await imported(core, 'main', text, { query: { dryRun: 'true' } })
  assert.deepEqual([summary(report), report.applied, report.dryRun], ['1 1 0', 0, true])
  assert.deepEqual(report.changes.find(c => c.id === 'New'), { change: 'added', kind: 'tagclass', id: 'New', file: 'body', line: 3 })
  assert.ok(report.changes.find(c => c.id === 'Subject').paths.some(p => p.path === '/type' && p.old === 'STRING' && p.new === 'TEXT'))
  const people = await ask(core, 'POST', 'main', { body: text, query: { dryRun: 'true', format: 'text' } })
  assert.match(people.text, /^~ tagclass Subject$/m)
  assert.match(people.text, /^ {4}\/type: "STRING" -> "TEXT"$/m)
  assert.match(people.text, /^1 added, 1 changed, 0 removed$/m)
  assert.equal(await exported(core, 'main'), before)
})

await run.story('a merge keeps what the text does not name, a replacement does not', async () => {
  const text = await exported(core, 'main')
  const report = await imported(core, 'main', 'tagClasses: [{id: New, type: INT}]\ndocumentClasses: [{id: Letter, acl: notes, tagReferences: [New]}]')
  assert.equal(summary(report), '2 0 0')
  assert.equal((await objects(core, 'documentclass', 'main')).length, 5)
  const back = await imported(core, 'main', text, { query: { mode: 'replace' } })
  assert.equal(summary(back), '0 0 2')
  assert.equal(await exported(core, 'main'), text)
})

await run.story('variables are given beside the text', async () => {
  const text = 'variables: {what: null}\ntagCategories: [{id: V, tags: [Subject], displayNames: {EN: "${what} of ${user.id}"}}]'
  assert.match((await refused(core, 'main', text, 400)).message, /variable what has no value/)
  await imported(core, 'main', text, { query: { variables: JSON.stringify({ what: 'Things' }) } })
  assert.match(await exported(core, 'main'), /EN: 'Things of \$\{user\.id\}'/)
})

await run.story('every import leaves a fact: who, from where, what', async () => {
  await imported(core, 'main', 'tagClasses: [{id: Subject, type: STRING, pattern: x}, {id: Fact, type: INT}]', { token: admin })
  const answer = await core.fetch('/core/rest/admin/audit?action=IMPORT&objectId=main&max=1', { token: system })
  const { results: [fact] } = await answer.json()
  assert.deepEqual([fact.user, fact.objectType, fact.detail.from, fact.detail.changes], ['admin', 'MODEL', '127.0.0.1', 2])
  assert.deepEqual([fact.detail.created, fact.detail.updated], [['tagclass/Fact'], ['tagclass/Subject']])
})

/* ---- refusals ---- */

await run.story('a model is taken whole or not at all', async () => {
  const before = await exported(core, 'main')
  const answer = await refused(core, 'main', 'tagClasses:\n  - {id: Fine, type: INT}\ndocumentClasses:\n  - id: Bad\n    acl: nobody-has-it\n', 400)
  assert.equal(answer.code, 'F00208')
  assert.deepEqual([answer.details[0].path, answer.details[0].line], ['/documentclass/Bad/data/ACL', 4])
  assert.equal(await exported(core, 'main'), before)
})

await run.story('a mistake is told with its line', async () => {
  const answer = await refused(core, 'main', 'tagClasses:\n  - id: a\n    serchable: true\n', 400)
  assert.match(answer.message, /body:3:5: tagClasses\[0\]\.serchable: unknown key of a tag class; is searchable meant\?/)
  assert.deepEqual([answer.details[0].line, answer.details[0].column], [3, 5])
  const untyped = await refused(core, 'main', 'acls:\n  - id: x\ntagClasses:\n  - id: a\n', 400)
  assert.deepEqual([untyped.details[0].path, untyped.details[0].line], ['/tagclass/a/type', 4])
  await refused(core, 'main', 'documents: [{id: d, class: c}]', 400)
  await refused(core, 'main', '\tnot: yaml', 400)
  await refused(core, 'main', '[]', 400)
  await refused(core, 'main', 'scope: {id: main}', 400, { query: { variables: '[1]' } })
})

await run.story('hostile texts meet named limits', async () => {
  const laughs = ['a0: &a0 [lol]']
  for (let i = 1; i < 20; i++) laughs.push(`a${i}: &a${i} [${Array(8).fill(`*a${i - 1}`).join(',')}]`)
  assert.match((await refused(core, 'main', laughs.join('\n'), 413)).message, /200000 values/)
  assert.match((await refused(core, 'main', '['.repeat(100), 413)).message, /32 maps and lists/)
  assert.equal((await ask(core, 'POST', 'main', { body: ' '.repeat((16 << 20) + 1) })).status, 413)
})

await run.story('who administers a scope may import into it, and into no other', async () => {
  const body = 'tagCategories: []'
  await imported(core, 'main', body, { token: admin })
  await refused(core, 'copy', body, 403, { token: admin })
  await refused(core, 'other', 'scope: {id: other}', 403, { token: admin })
  await refused(core, 'main', body, 403, { token: signToken({ sub: 'ann', scope: 'main', profiles: [] }) })
  await refused(core, 'main', body, 403, { token: signToken({ sub: 'ann', scope: 'main', access: 'readonly' }) })
  await refused(core, 'nowhere', body, 404)
  assert.equal((await ask(core, 'GET', 'copy', { token: admin })).status, 403)
  assert.equal((await ask(core, 'GET', 'nowhere')).status, 404)
})

/* ---- many ---- */

const many = n => `scope: {id: many}\nacls:\n  - {id: a, entries: [{allow: READ, to: '*'}]}\ntagClasses:\n` +
  Array.from({ length: n }, (_, i) => `  - {id: tag-${String(i).padStart(5, '0')}, type: STRING, displayNames: {EN: Tag ${i}}}\n`).join('')

await run.story('more than a unit holds comes in several, in order', async () => {
  const report = await imported(core, 'many', many(1200))
  assert.deepEqual([report.added, report.applied, report.units], [1202, 1202, 3])
  const text = await exported(core, 'many')
  await imported(second, 'many', text)
  assert.equal(await exported(second, 'many'), text)
  const smaller = await imported(core, 'many', many(10), {}, 'PUT')
  assert.equal(summary(smaller), '0 0 1190')
  assert.equal((await objects(core, 'tagclass', 'many')).length, 10)
})

await run.story('several at the same time do not mix', async () => {
  const texts = [1, 2, 3, 4].map(n => `tagClasses:\n` + Array.from({ length: 20 }, (_, i) => `  - {id: both-${i}, type: STRING, pattern: p${n}}\n`).join(''))
  const answers = await Promise.all(texts.map(body => ask(core, 'POST', 'many', { body })))
  for (const a of answers) assert.ok([200, 409, 503].includes(a.status), a.text)
  assert.ok(answers.some(a => a.status === 200))
  const patterns = new Set((await objects(core, 'tagclass', 'many')).filter(c => c.id.startsWith('both-')).map(c => c.pattern))
  assert.equal(patterns.size, 1)
})

await run.story('the cores end in order', async () => {
  await core.stop()
  await second.stop()
})
await run.finish()
