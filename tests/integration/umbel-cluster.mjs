/* integration.umbel-cluster: what people do with ./umbel cluster, down and status, on the build at hand. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { openClient } from '../harness/clients.mjs'
import { buildDir, openRun, root, until } from '../harness/run.mjs'

const parts = ['postgres', 'redis-1', 'redis-2', 'redis-3', 'sentinel-1', 'sentinel-2', 'sentinel-3', 'core-1', 'core-2',
  'gateway-1', 'gateway-2', 'haproxy']
const run = openRun('integration.umbel-cluster')
const dir = run.folder('installation')
const home = part => path.join(dir, 'cluster', part)
run.atEnd(() => fs.existsSync(home('postgres')) && fs.rmSync(fs.realpathSync(home('postgres')), { recursive: true }))   /* a link, perhaps */
run.atEnd(() => umbel('down', '--dir', dir))
run.atEnd(() => { if (run.failures.length > 0) tellLogs() })

/* { status, text } of ./umbel ARGS. */
function umbel (...args) {
  const env = { ...process.env, UMBEL_BIN: process.env.UMBEL_BIN ?? path.join(buildDir(), 'bin') }
  return new Promise(resolve => execFile(path.join(root, 'umbel'), args, { env, timeout: 150000 }, (err, stdout, stderr) =>
    resolve({ status: err ? err.code : 0, text: stdout + stderr })))
}

function tellLogs () {
  for (const part of parts) {
    const log = path.join(home(part), 'log')
    if (fs.existsSync(log)) console.log(`--- ${part}\n${fs.readFileSync(log, 'utf8').slice(-800)}`)
  }
}

/* Processes that work in a folder below ours, children too; one that has ended and was not asked for has none. */
function processes () {
  const below = fs.realpathSync(home('postgres')).startsWith(fs.realpathSync(dir)) ? [dir] : [dir, home('postgres')]
  return fs.readdirSync('/proc').filter(name => /^\d+$/.test(name)).filter(pid => {
    try {
      const cwd = fs.readlinkSync(`/proc/${pid}/cwd`)
      return below.some(folder => cwd.startsWith(fs.realpathSync(folder) + '/'))
    } catch {
      return false
    }
  })
}

const pidOf = part => Number(fs.readFileSync(path.join(home(part), 'pid'), 'utf8'))
let origin, secret, token

async function ask (target, { json, ...rest } = {}) {
  const headers = { ...(token && { token }), ...(json && { 'content-type': 'application/json' }) }
  return await fetch(origin + target, { ...rest, headers, body: json && JSON.stringify(json), signal: AbortSignal.timeout(20000) })
}

async function login () {
  const answer = await ask('/core/rest/authentication', { method: 'POST', json: { user: 'admin', password: secret } })
  assert.equal(answer.status, 200, 'the login that was told')
  token = (await answer.json()).value
}

const connect = room =>
  openClient('provider4', { collabUrl: `${origin.replace('http', 'ws')}/collab`, token: () => token }, room)
const textOf = c => c.doc.getText('text').toString()

await run.story('one command starts everything and tells where it is', async () => {
  const { status, text } = await umbel('cluster', '--dir', dir, '--port', '0', '--detach', '--collab.debounce=100ms')
  assert.equal(status, 0, text)
  origin = /URL +(http:\/\/127\.0\.0\.1:\d+)\/gui\//.exec(text)?.[1]
  secret = /login +admin \/ (\S+)/.exec(text)?.[1]
  assert.ok(origin && secret, text)
  for (const part of parts) assert.match(text, new RegExp(`^ +${part} +127\\.0\\.0\\.1:\\d+ +pid ${pidOf(part)}$`, 'm'))
  assert.equal((await ask('/gui/')).status, 200)
})

await run.story('a property goes to every core and gateway, and no secret to a command line', () => {
  for (const part of parts) {
    const line = fs.readFileSync(`/proc/${pidOf(part)}/cmdline`, 'utf8')
    assert.equal(line.includes('--collab.debounce=100ms'), /core|gateway/.test(part), part)
    assert.doesNotMatch(line, /password|token\.key/, part)
  }
  for (const file of ['conf/core.properties', 'conf/gui-gateway.properties', 'redis-1/redis.conf', 'sentinel-1/sentinel.conf', 'postgres/password']) {
    assert.equal(fs.statSync(home(file)).mode & 0o077, 0, `${file} is its user's alone`)
  }
})

await run.story('a document is made and read through the balancer', async () => {
  await login()
  const made = await ask('/core/rest/collab/documents', { method: 'POST', json: { title: 'Minutes' } })
  assert.equal(made.status, 201)
  const { name } = await made.json()
  for (let i = 0; i < 4; i++) {                       /* both gateways answer */
    const read = await ask(`/core/rest/collab/documents/${name}`)
    assert.equal(read.status, 200)
    assert.equal((await read.json()).title, 'Minutes')
  }
})

await run.story('who has signed in at one gateway is known at both, without stickiness', async () => {
  const made = await ask('/gui/rest/session', { method: 'POST', json: { user: 'admin', password: secret } })
  assert.equal(made.status, 200)
  const headers = { cookie: made.headers.get('set-cookie').split(';')[0] }
  for (let i = 0; i < 8; i++) {
    const known = await fetch(`${origin}/gui/rest/session`, { headers })
    assert.equal(known.status, 200)
    assert.equal((await known.json()).user, 'admin')
  }
})

await run.story('two clients edit together through the balancer', async () => {
  const [ann, bob] = [connect('together'), connect('together')]
  await until('both in sync', () => ann.settled() && bob.settled())
  ann.doc.getText('text').insert(0, 'Ann. ')
  bob.doc.getText('text').insert(0, 'Bob. ')
  await until('both have both, saved', () => ann.settled() && bob.settled() && textOf(ann) === textOf(bob) && textOf(ann).length === 10)
  ann.close()
  bob.close()
})

await run.story('a second start tells where it runs', async () => {
  const before = parts.map(pidOf)
  const { status, text } = await umbel('cluster', '--dir', dir, '--detach')
  assert.equal(status, 0, text)
  assert.match(text, /runs already/)
  assert.ok(text.includes(`${origin}/gui/`))
  assert.deepEqual(parts.map(pidOf), before)
})

await run.story('what has died is told by status, and started again by the next start', async () => {
  for (const part of ['core-1', 'gateway-2', 'redis-3']) process.kill(pidOf(part), 'SIGKILL')
  await until('status tells it', async () => {
    const { status, text } = await umbel('status', '--dir', dir)
    return status === 3 && ['core-1', 'gateway-2', 'redis-3'].every(part => text.includes(`${part}: not running`))
  })
  const { status, text } = await umbel('cluster', '--dir', dir, '--detach')
  assert.equal(status, 0, text)
  assert.equal((await umbel('status', '--dir', dir)).status, 0)
})

await run.story('down leaves no process, and what was written is there after the next start', async () => {
  const { status, text } = await umbel('down', '--dir', dir)
  assert.equal(status, 0, text)
  assert.deepEqual(processes(), [])
  assert.match((await umbel('down', '--dir', dir)).text, /nothing is running/)
  const again = await umbel('cluster', '--dir', dir, '--detach')
  assert.equal(again.status, 0, again.text)
  assert.ok(again.text.includes(`${origin}/gui/`), 'the same port')
  await login()
  const eve = connect('together')
  await until('the text is there', () => eve.settled() && textOf(eve).length === 10)
  eve.close()
})

await run.finish()
