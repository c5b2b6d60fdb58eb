/* umbelctl against a real core: calls by their words, tables and JSON, exit statuses, profiles, completion. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { buildDir, openRun } from '../harness/run.mjs'
import { signToken, startSubject } from '../harness/subjects.mjs'

const run = openRun('integration.umbelctl')
const core = await startSubject(run, {
  kind: 'umbel', args: ['--system.admin.username=root', '--system.admin.password=a password']
})
const home = path.join(run.dir, 'home')
fs.mkdirSync(home, { recursive: true })

/* { status, out, err } */
const tool = (words, { env = {}, input = '' } = {}) => new Promise(resolve => {
  const child = execFile(path.join(buildDir(), 'bin', 'umbelctl'), words, {
    env: { PATH: process.env.PATH, HOME: home, UMBEL_URL: core.origin, ...env }, timeout: 60000
  }, (error, out, err) => resolve({ status: error === null ? 0 : error.code, out, err }))
  child.stdin.on('error', () => {})
  child.stdin.end(input)
})
const asAdmin = (...words) => tool(words, { env: { UMBEL_TOKEN: signToken({ profiles: ['SYSTEM_ADMIN'] }) } })

await run.story('a call is its words; bodies come from the command line, a file or standard input', async () => {
  assert.equal((await asAdmin('scope', 'create', '--body', '[{"id":"main","description":"first"}]')).status, 0)
  const file = path.join(run.dir, 'acls.json')
  fs.writeFileSync(file, '[{"id":"a,b","entries":[]},{"id":"all","entries":[{"principal":"*","permission":"*","grant":"ALLOW"}]}]')
  assert.equal((await asAdmin('acl', 'create', '-f', file)).status, 0)
  const piped = await tool(['acl', 'create', '-f', '-', '--json'], {
    env: { UMBEL_TOKEN: signToken({ profiles: ['SYSTEM_ADMIN'] }) }, input: '[{"id":"none"}]'
  })
  assert.equal(piped.status, 0, piped.err)
  assert.equal(JSON.parse(piped.out)[0].id, 'none')
  const two = await asAdmin('acl.get', 'none,all', '--json')
  assert.deepEqual(JSON.parse(two.out).map(a => a.id), ['none', 'all'])
})

await run.story('lists are tables, and JSON for scripts', async () => {
  const table = (await asAdmin('acl', 'list')).out.trimEnd().split('\n')
  assert.equal(table.length, 4)
  assert.match(table[0], /^id +owner +creationDate +lastUpdateDate +version$/)
  assert.match(table[2], /^all +\S+ .* 1$/)
  assert.deepEqual(JSON.parse((await asAdmin('acl', 'list', '--json')).out).map(a => a.id), ['a,b', 'all', 'none'])
})

await run.story('options are parameters of the call, and headers too', async () => {
  assert.equal((await asAdmin('acl', 'update', 'none', '--if-match', '"7"', '--body', '[{}]')).status, 1)
  assert.equal((await asAdmin('acl', 'update', 'none', '--if-match="1"', '--body', '[{"name":"nobody"}]')).status, 0)
  assert.equal((await asAdmin('acl', 'delete', 'none', '--force')).status, 0)
  const created = await asAdmin('collab', 'documents', 'create', '--body', '{"title":"Plan"}', '--json')
  assert.equal(created.status, 0, created.err)
  assert.match((await asAdmin('collab', 'documents', 'list', '--search=pla', '--max', '1')).out, /Plan/)
})

await run.story('the exit status tells what went wrong, and standard error in words', async () => {
  const refused = await asAdmin('acl', 'get', 'nothing')
  assert.deepEqual([refused.status, refused.out], [1, ''])
  assert.match(refused.err, /404 T01002 .*nothing/)
  const wrong = await asAdmin('tagclass', 'create', '--body', '[{"id":"x","type":"NOPE"}]')
  assert.equal(wrong.status, 1)
  assert.match(wrong.err, /\/0\/type: must be one of/)
  assert.equal((await asAdmin('acl')).status, 2)
  assert.equal((await asAdmin('acl', 'get')).status, 2)
  assert.equal((await asAdmin('acl', 'get', 'all', '--nothing', '1')).status, 2)
  assert.equal((await asAdmin('acl', 'get', 'all', 'more')).status, 2)
  const away = await tool(['acl', 'list'], { env: { UMBEL_URL: 'http://127.0.0.1:1', UMBEL_TOKEN: 'x' } })
  assert.equal(away.status, 3)
  assert.equal((await tool(['acl', 'list'], { env: { UMBEL_TOKEN: 'x' } })).status, 1)
  assert.equal((await tool(['acl', 'list'])).status, 2)
})

await run.story('the queue from the terminal: looked at, worked on, tried again, paused, dropped', async () => {
  const admin = words => tool(words, { env: { UMBEL_TOKEN: signToken({ profiles: ['SYSTEM_ADMIN'], scope: 'main' }) } })
  const done = async (...words) => {
    const answer = await admin(words)
    assert.equal(answer.status, 0, `${words.join(' ')}: ${answer.err}`)
    return answer.out
  }
  const json = async (...words) => JSON.parse(await done(...words, '--json'))
  const values = { OperationHandler: 'worker:ledger', ExecutionPhase: 'AFTER', Action: 'CREATE', ObjectType: 'DOCUMENT', Enabled: 'true', Asynchronous: 'true' }
  const tags = Object.keys(values)
  await done('tagclass', 'create', '--body', JSON.stringify(tags.map(id => ({ id, type: 'STRING' }))))
  await done('documentclass', 'create', '--body', JSON.stringify([
    { id: 'Invoice', category: 'DOCUMENT', data: { ACL: 'all' } },
    { id: 'OperationHandlerRegistration', category: 'DOCUMENT', data: { ACL: 'all' }, tagReferences: tags.map(tagName => ({ tagName })) }
  ]))
  const [{ id: registration }] = await json('documents', 'create', '--body', JSON.stringify([{
    name: 'Ledger', data: { classId: 'OperationHandlerRegistration' }, tags: Object.entries(values).map(([name, value]) => ({ name, value: [value] }))
  }]))
  await done('documents', 'create', '--body', JSON.stringify([1, 2, 3].map(n => ({ name: `Invoice ${n}`, data: { classId: 'Invoice' } }))))
  assert.match(await done('jobs', 'summary'), /^waiting +3\n/)
  assert.match(await done('jobs', 'registrations'), new RegExp(`main +${registration} +worker:ledger +3 `))
  assert.equal((await done('jobs', 'waiting', 'count', '--registration', registration)).trim(), '3')

  const [first, second] = await json('jobs', 'lease', '--body', '{"queue":"ledger","max":2}')
  assert.match(await done('jobs', 'processing'), new RegExp(first.id))
  await done('jobs', 'extend', first.id, '--body', `{"fence":${first.fence},"leaseSeconds":30}`)
  await done('jobs', 'end', first.id, '--body', `{"fence":${first.fence}}`)
  const late = await admin(['jobs', 'end', first.id, '--body', `{"fence":${first.fence}}`])
  assert.equal(late.status, 1)
  assert.match(late.err, /409/)
  await done('jobs', 'end', second.id, '--body', `{"fence":${second.fence},"code":"F00007","message":"the ledger is closed"}`)

  const errors = (await done('jobs', 'errors')).split('\n')
  assert.match(errors.find(line => line.startsWith('id')), /^id +status +attempts +maxAttempts +error /)
  assert.match(errors.find(line => line.startsWith(second.id)), /ERROR +1 +5 +F00007 the ledger is closed /)
  assert.match(await done('jobs', 'get', second.id), /error +F00007 the ledger is closed/)
  assert.match(await done('jobs', 'retry-all', '--dry-run'), /^jobs +1\n/)
  assert.match(await done('jobs', 'purge', '--dryRun', '--object-id', 'another'), /^jobs +0\n/)
  assert.match(await done('jobs', 'summary', '--scope', '*'), /errors +1\n/)
  await done('jobs', 'pause', '--registration', registration)
  await done('jobs', 'retry', second.id)
  assert.equal((await admin(['jobs', 'retry', second.id])).status, 1)
  assert.deepEqual(await json('jobs', 'lease', '--body', '{"queue":"ledger"}'), [])
  await done('jobs', 'rate', '--registration', registration, '--body', '{"perSecond":1}')
  const [row] = await json('jobs', 'registrations')
  assert.deepEqual([row.registration, row.waiting, row.paused, row.perSecond], [registration, 2, true, 1])
  await done('jobs', 'rate', '--registration', registration, '--body', '{"perSecond":0}')
  await done('jobs', 'resume', '--registration', registration)
  for (const job of await json('jobs', 'lease', '--body', '{"queue":"ledger","max":2}')) {
    await done('jobs', 'end', job.id, '--body', `{"fence":${job.fence},"code":"F00007","message":"closed again"}`)
  }
  await done('jobs', 'purge-one', second.id)
  await done('jobs', 'retry-all', '--registration', registration)
  assert.equal((await done('jobs', 'delayed', 'count')).trim(), '0')
  const [last] = await json('jobs', 'lease', '--body', '{"queue":"ledger"}')
  await done('jobs', 'end', last.id, '--body', `{"fence":${last.fence},"code":"F1","message":"no more"}`)
  await done('jobs', 'purge')
  assert.equal((await done('jobs', 'errors', 'count')).trim(), '0')
  const help = (await admin(['jobs', 'retry-all', '--help'])).out
  assert.match(help, /--dry-run +says how many/)
  assert.equal(help.match(/--scope/g).length, 1)
})

await run.story('who logs in keeps a token that only he can read, and no password', async () => {
  const wrong = await tool(['login', '--user', 'root'], { input: 'not this\n' })
  assert.equal(wrong.status, 1)
  const login = await tool(['login', '--user', 'root', '--url', core.origin, '--profile', 'office'], { input: 'a password\n', env: { UMBEL_URL: '' } })
  assert.equal(login.status, 0, login.err)
  const file = path.join(home, '.config/umbel/umbelctl.json')
  assert.equal(fs.statSync(file).mode & 0o777, 0o600)
  assert.ok(!fs.readFileSync(file, 'utf8').includes('a password'))
  const list = await tool(['acl', 'list', '--profile', 'office'], { env: { UMBEL_URL: '' } })
  assert.equal(list.status, 0, list.err)
  const once = await tool(['acl', 'list', '--user', 'root'], { env: { UMBEL_PASSWORD: 'a password' } })
  assert.equal(once.status, 0, once.err)
})

await run.story('help and completion come from the same rows', async () => {
  const help = await tool(['--help'])
  assert.equal(help.status, 0)
  assert.match(help.out, /documentclass update IDS/)
  assert.match((await tool(['acl', 'delete', '--help'])).out, /--force/)
  assert.deepEqual((await tool(['__complete', 'acl'])).out.trim().split('\n').sort(), ['create', 'delete', 'get', 'list', 'update'])
  assert.match((await tool(['__complete', 'acl', 'delete'])).out, /^--force$/m)
  assert.match((await tool(['completion', 'bash'])).out, /complete .*umbelctl/)
})

await run.story('top shows the members once for a script', async () => {
  const top = await asAdmin('top', '--once')
  assert.equal(top.status, 0, top.err)
  assert.match(top.out, /members\nid .*role/)
})

await run.finish()
