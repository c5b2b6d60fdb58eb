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
