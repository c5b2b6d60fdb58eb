/* integration.handlers: handlers as shared objects at a real core, built as docs/handlers.md says: one that changes and refuses, one
 * that keeps a list, and libraries that crash, hang, eat memory, are of another ABI, or could be anybody's. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { buildDir, openRun, root, until } from '../harness/run.mjs'
import { signToken, startSubject } from '../harness/subjects.mjs'

const run = openRun('integration.handlers')
const prefix = path.join(run.dir, 'prefix')
const build = path.join(run.dir, 'build')
const dir = path.join(run.dir, 'handlers')
const list = path.join(run.dir, 'stamps')
for (const folder of [build, dir]) fs.mkdirSync(folder, { mode: 0o700 })
/* The header is found where it was installed, as it is in /usr/local/include. */
const sh = (program, ...args) => execFileSync(program, args, { cwd: build, encoding: 'utf8', env: { ...process.env, CPATH: path.join(prefix, 'include') }, stdio: ['ignore', 'pipe', 'pipe'] })

function install (file, name = file, mode = 0o755) {
  const fresh = path.join(dir, '.fresh')
  fs.copyFileSync(path.join(build, file), fresh)
  fs.chmodSync(fresh, mode)
  fs.renameSync(fresh, path.join(dir, name))
}

await run.story('the example is built by the line of the guide, with the installed header alone', async () => {
  sh('cmake', '--install', buildDir(), '--component', 'umbel-handler', '--prefix', prefix)
  assert.deepEqual(fs.readdirSync(path.join(prefix, 'include/umbel')), ['handler.h'])
  fs.copyFileSync(path.join(root, 'docs/examples/handler-stamp.c'), path.join(build, 'handler-stamp.c'))
  const [line] = /^ {4}(cc -shared .*)$/m.exec(fs.readFileSync(path.join(root, 'docs/handlers.md'), 'utf8')).slice(1)
  const [program, ...args] = line.split(' ')
  sh(program, ...args, '-Wall', '-Wextra', '-Werror')
  install('stamp.so')
  fs.writeFileSync(path.join(dir, 'stamp.conf'), `${list}\n`)
  const moods = path.join(root, 'tests/unit/native/moods.c')
  sh('cc', '-shared', '-fPIC', '-pthread', '-o', 'moods.so', moods)
  sh('cc', '-shared', '-fPIC', '-pthread', '-DABI=99', '-o', 'other-abi.so', moods)
})

/* ---- the platform ---- */

const core = await startSubject(run, {
  kind: 'umbel',
  args: ['dir=' + dir, 'timeout=4s', 'memory=64MB'].map(arg => `--operation.handlers.${arg}`)
    .concat('--operation.async.backoff=50ms', '--operation.async.max-attempts=3')
})
const scope = 'Office'
const ann = signToken({ sub: 'ann', scope, profiles: ['ADMIN'], sid: 'session-of-ann' })

async function ask (method, target, { token = ann, ...rest } = {}) {
  const answer = await core.fetch('/core/rest' + target, { method, token, ...rest })
  const text = await answer.text()
  const body = answer.headers.get('content-type')?.includes('json') ? JSON.parse(text) : text
  return { status: answer.status, body, code: body?.code }
}
async function done (method, target, options) {
  const answer = await ask(method, target, options)
  assert.ok(answer.status < 300, `${method} ${target}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}

const tags = ['OperationHandler', 'ExecutionPhase', 'Action', 'ObjectType', 'Enabled', 'Asynchronous', 'RegistrationOrder', 'StopOnException']
await done('POST', '/scope', { json: [{ id: scope }], token: signToken({ sub: 'root', profiles: ['SYSTEM_ADMIN'] }) })
await done('POST', '/acl', { json: [{ id: 'all', entries: [{ principal: '*', permission: '*', grant: 'ALLOW' }] }] })
await done('POST', '/tagclass', { json: [...tags, 'Stamp', 'Colour'].map(id => ({ id, type: 'STRING' })) })
const documentClass = (id, tagNames) => ({ id, category: 'DOCUMENT', data: { ACL: 'all' }, tagReferences: tagNames.map(tagName => ({ tagName })) })
await done('POST', '/documentclass', {
  json: [documentClass('OperationHandlerRegistration', tags), ...['Invoice', 'Note', 'Crash', 'Hang', 'Eat', 'Other'].map(id => documentClass(id, ['Stamp', 'Colour']))]
})

const registration = (handler, phase, action, more = {}) => ({
  name: 'registration',
  data: { classId: 'OperationHandlerRegistration' },
  tags: Object.entries({ OperationHandler: handler, ExecutionPhase: phase, Action: action, ObjectType: 'DOCUMENT', Enabled: 'true', ...more })
    .map(([name, value]) => ({ name, value: [String(value)] }))
})
const only = classId => JSON.stringify({ filterClauses: [{ criteria: [{ name: 'classid', operator: 'EQUALS_TO', type: 'STRING', values: [classId] }] }] })
async function register (classId, ...what) {
  const body = new FormData()
  body.append('file', new Blob([only(classId)], { type: 'application/json' }), 'request')
  const { id } = await done('POST', '/files/tmp', { body })
  return (await done('POST', '/documents', { json: [{ ...registration(...what), files: [{ id, name: 'request' }] }] }))[0].id
}
const unregister = id => done('DELETE', `/documents/${id}`)
const creating = (classId, name, more) => ask('POST', '/documents', { json: [{ name, data: { classId }, ...more }] })
const create = async (...what) => {
  const answer = await creating(...what)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body[0]
}
const tagOf = (document, tag) => document.tags.find(t => t.name === tag)?.value
const stamps = () => fs.existsSync(list) ? fs.readFileSync(list, 'utf8').trim().split('\n').map(line => line.split(' ')) : []
const before = { StopOnException: true }
const job = { Asynchronous: true }

/* ---- what is registered ---- */

await run.story('a library that is not there, or could be anybody\'s, is refused when it is registered', async () => {
  install('stamp.so', 'shared.so', 0o757)
  for (const handler of ['libumbel:nothing', 'libumbel:', 'libumbel:../handlers/stamp', 'libumbel:.fresh', 'libumbel:shared']) {
    const refused = await ask('POST', '/documents', { json: [registration(handler, 'AFTER', 'CREATE')] })
    assert.deepEqual([refused.status, refused.code], [400, 'U00400'], handler)
  }
})

await run.story('the example changes what is written, and refuses with its own words', async () => {
  const id = await register('Invoice', 'libumbel:stamp', 'BEFORE', 'CREATE', before)
  const invoice = await create('Invoice', 'n', { tags: [{ name: 'Colour', value: ['red'] }] })
  for (const document of [invoice, (await done('GET', `/documents/${invoice.id}`))[0]]) {
    assert.deepEqual([tagOf(document, 'Stamp'), tagOf(document, 'Colour')], [['CREATE by ann'], ['red']])
  }
  const refused = await creating('Invoice', 'forbidden')
  assert.deepEqual([refused.status, refused.code, refused.body.message], [400, 'F00039', 'nothing is called forbidden'])
  assert.equal(tagOf(await create('Note', 'forbidden'), 'Stamp'), undefined, 'the filter is another class')
  await unregister(id)
  assert.match(core.child.output(), /a library says library=stamp line="?stamp begins/)
})

await run.story('a job of the example is done once for each operation', async () => {
  const id = await register('Invoice', 'libumbel:stamp', 'AFTER', 'CREATE', job)
  const names = Array.from({ length: 20 }, (_, i) => `job-${i}`)
  await Promise.all(names.map(name => create('Invoice', name)))
  await until('all are in the list', () => stamps().length >= names.length)
  assert.deepEqual(stamps().map(([, , name]) => name).sort(), names.sort())
  assert.equal(new Set(stamps().map(([key]) => key)).size, names.length)
  await unregister(id)
})

/* ---- what goes wrong ---- */

await run.story('a library that crashes at each call ends in ERROR, and core and other libraries go on (K06)', async () => {
  install('moods.so', 'crash.so')
  const ids = [await register('Crash', 'libumbel:crash', 'AFTER', 'CREATE', job), await register('Note', 'libumbel:stamp', 'AFTER', 'CREATE', job)]
  const { pid } = core
  const poison = await create('Crash', 'poison')
  for (let i = 0; i < 5; i++) await create('Note', `beside-${i}`)
  await until('the job is given up', async () => await done('GET', '/jobs/errors/count') === 1)
  const { results: [failed] } = await done('GET', '/jobs/errors')
  assert.deepEqual([failed.objectId, failed.attempts, failed.error.code], [poison.id, 3, 'T00751'])
  assert.match(failed.error.message, /ended with signal 11/)
  await until('the others are done', () => stamps().filter(([, , name]) => name.startsWith('beside-')).length === 5)
  assert.equal(core.pid, pid)
  core.child.assertAlive()
  /* Mended, it is loaded and the job is done. */
  install('stamp.so', 'crash.so')
  fs.writeFileSync(path.join(dir, 'crash.conf'), `${list}\n`)
  await done('POST', `/jobs/retry/${failed.id}`)
  await until('the retry is done', () => stamps().some(([key, , name]) => key === failed.id && name === 'poison'))
  await Promise.all(ids.map(unregister))
})

await run.story('one that hangs costs its caller a code, and nobody else anything', async () => {
  install('moods.so', 'hang.so')
  const ids = [await register('Hang', 'libumbel:hang', 'BEFORE', 'CREATE', before), await register('Note', 'libumbel:stamp', 'BEFORE', 'CREATE', before)]
  const hangs = creating('Hang', 'never')
  assert.deepEqual(tagOf(await create('Note', 'meanwhile'), 'Stamp'), ['CREATE by ann'])
  const answer = await hangs
  assert.deepEqual([answer.status, answer.code], [500, 'T00752'])
  await Promise.all(ids.map(unregister))
})

await run.story('one that eats memory is ended at its limit', async () => {
  install('moods.so', 'eat.so')
  const id = await register('Eat', 'libumbel:eat', 'BEFORE', 'CREATE', before)
  const answer = await creating('Eat', 'much')
  assert.deepEqual([answer.status, answer.code], [500, 'T00751'])
  await unregister(id)
})

await run.story('one of another ABI, and one that is opened to others later, are not loaded', async () => {
  install('other-abi.so')
  install('stamp.so', 'later.so')
  const id = await register('Other', 'libumbel:other-abi', 'BEFORE', 'CREATE', before)
  const answer = await creating('Other', 'n')
  assert.deepEqual([answer.status, answer.code], [500, 'T00750'])
  assert.match(answer.body.message, /ABI 99/)
  await unregister(id)
  const later = await register('Other', 'libumbel:later', 'BEFORE', 'CREATE', before)
  assert.deepEqual(tagOf(await create('Other', 'n'), 'Stamp'), ['CREATE by ann'])
  fs.chmodSync(path.join(dir, 'later.so'), 0o777)
  assert.equal((await creating('Other', 'n')).code, 'T00750')
  fs.chmodSync(path.join(dir, 'later.so'), 0o755)
  assert.deepEqual(tagOf(await create('Other', 'n'), 'Stamp'), ['CREATE by ann'])
  await unregister(later)
})

await run.story('all of it is counted', async () => {
  const text = await (await core.fetch('/core/actuator/prometheus', { token: signToken({ sub: 'root', profiles: ['SYSTEM_ADMIN', 'ADMIN'] }) })).text()
  const figure = name => Number(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, 'm').exec(text)?.[1])
  assert.ok(figure('operation_handlers_ended_total') >= 4, text.match(/^operation_handlers.*$/mg)?.join('\n'))
  assert.ok(figure('operation_handlers_late_total') >= 1)
  assert.match(text, /^operation_handlers_calls_seconds_count{library="stamp",outcome="SUCCESS"} \d+$/m)
})

/* Processes of libraries whose parent is the core. */
function children (pid) {
  return fs.readdirSync('/proc').filter(name => /^\d+$/.test(name)).filter(name => {
    try {
      const stat = fs.readFileSync(`/proc/${name}/stat`, 'utf8')
      return stat.includes('(umbel-handler)') && stat.slice(stat.lastIndexOf(')')).split(' ')[2] === String(pid)
    } catch {
      return false
    }
  })
}
const lives = pid => fs.existsSync(`/proc/${pid}`)

await run.story('the processes end with their core, also when it is killed', async () => {
  const there = children(core.pid)
  assert.ok(there.length > 0)
  await core.kill()
  await until('they are gone', () => !there.some(lives))
  await core.start()
  const id = await register('Invoice', 'libumbel:stamp', 'BEFORE', 'CREATE', before)
  await create('Invoice', 'n')
  await unregister(id)
  const again = children(core.pid)
  assert.equal(again.length, 1)
  await core.stop()
  assert.deepEqual(again.filter(lives), [])
})

await run.finish()
