/* What is tested: Umbel's core (and gateway), or stock Hocuspocus behind the same few words, so that a test can be tried on
 * the server whose behaviour it describes: UMBEL_SUBJECT=umbel|hocuspocus.
 *
 *   const core = await startSubject(run, { reactors: 3 });
 *   core.collabUrl  core.yUrl  core.token('write'|'read'|'bad')
 *   await core.kill(); await core.start();          // the same port, the same data
 *   await core.stop();                              // SIGTERM; asserts exit status 0
 */
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { newDatabase, onPostgres } from './postgres.mjs'
import { Child } from './process.mjs'
import { buildDir, root, slowness, until } from './run.mjs'

export const tokenKey = 'a-key-for-tests-only-0123456789abcdef'
export const password = 'correct-horse-battery'
/* The web app that gateways serve: ./umbel build makes it. */
export const webDir = process.env.UMBEL_WEB ?? path.join(root, 'build/web')
export const subjectKind = process.env.UMBEL_SUBJECT ?? 'umbel'

export function startSubject (run, options = {}) {
  const subject = (options.kind ?? subjectKind) === 'umbel' ? new UmbelCore(run, options) : new Stock(run, options)
  return subject.start().then(() => subject)
}

/* A second server on a copy of what a dead one has left on disk, before any client could bring its own copy back. */
export async function startTwin (run, dead) {
  if (onPostgres) return await startSubject(run, { ...dead.options, env: {}, port: 0, label: 'twin', storeUrl: newDatabase(dead.storeUrl) })
  const dir = run.folder('twin')
  const database = path.join(dir, path.basename(dead.database))
  for (const suffix of ['', '-wal', '-journal']) {
    if (fs.existsSync(dead.database + suffix)) fs.copyFileSync(dead.database + suffix, database + suffix)
  }
  return await startSubject(run, { ...dead.options, env: {}, kind: dead.kind, dir, database, port: 0, label: 'twin' })
}

/* A token as the core signs them, for what its login does not hand out: read-only access, a foreign key, one that is over. */
export function signToken (claims = {}, key = tokenKey) {
  const now = Math.floor(Date.now() / 1000)
  const part = value => Buffer.from(JSON.stringify(value)).toString('base64url')
  const body = part({ alg: 'HS256', typ: 'JWT' }) + '.' + part({
    sub: 'ann', name: 'Ann', use: 'user', access: 'read-write', profiles: ['ADMIN'], groups: [],
    iat: now, exp: now + 3600, jti: crypto.randomUUID(), ...claims
  })
  return body + '.' + crypto.createHmac('sha256', key).update(body).digest('base64url')
}

class Server {
  constructor (run, label, options) {
    this.run = run
    this.label = label
    this.options = options
    this.dir = options.dir ?? run.folder(label)
    fs.mkdirSync(this.dir, { recursive: true })
    this.port = options.port ?? 0
    this.starts = 0
    this.child = null
  }

  /* options.host: on a machine of its own (namespaces.mjs). */
  get address () {
    return this.options.host?.address ?? '127.0.0.1'
  }

  get origin () {
    return `http://${this.address}:${this.port}`
  }

  get log () {
    return path.join(this.dir, `${this.label}.log`)
  }

  get pid () {
    return this.child.pid
  }

  launch (command, args, env) {
    const [program, ...rest] = [...(this.options.host?.inside ?? []), command, ...args]
    this.child = new Child(this.run, this.label, program, rest, { env, cwd: this.dir, log: this.log })
    this.starts++
    return this.child
  }

  async waitForPort (file) {
    const port = await until(`${this.label} writes its port`, () => {
      this.child.assertAlive()
      return fs.existsSync(file) && Number(fs.readFileSync(file, 'utf8'))
    }, 20000)
    this.port = port
  }

  /* kill -9. */
  async kill () {
    this.child.signal('SIGKILL')
    await this.child.gone
  }

  async stop () {
    const exit = await this.child.end('SIGTERM', 30000)
    assert.equal(exit.code, 0, `${this.label} ends with status 0 after SIGTERM, see ${this.log}`)
  }

  /* It stands still, and goes on. */
  freeze () {
    this.child.signal('SIGSTOP')
  }

  thaw () {
    this.child.signal('SIGCONT')
  }

  async fetch (target, { token, json, ...rest } = {}) {
    const headers = { ...rest.headers }
    if (token) headers.token = token
    if (json !== undefined) headers['content-type'] = 'application/json'
    return await fetch(this.origin + target, {
      redirect: 'manual', ...rest, headers, body: json === undefined ? rest.body : JSON.stringify(json),
      signal: AbortSignal.timeout(10000 * slowness)
    })
  }
}

/* Memory of a killed process' port must not be trusted after a restart: the file goes first. */
function portFile (dir, name) {
  const file = path.join(dir, `${name}.port`)
  fs.rmSync(file, { force: true })
  return file
}

/* A daemon of the build at hand, or of the folder options.bin. */
function program (name, { bin = process.env.UMBEL_BIN ?? path.join(buildDir(), 'bin') }) {
  const file = path.join(bin, name)
  if (!fs.existsSync(file)) throw new Error(`${file} is not built: ./umbel build`)
  return file
}

export class UmbelCore extends Server {
  constructor (run, options) {
    super(run, options.label ?? 'core', options)
    this.kind = 'umbel'
    this.database = options.database ?? path.join(this.dir, 'umbel.db')
    this.givenUrl = options.storeUrl ?? (onPostgres ? newDatabase() : null)
  }

  /* A test may put another file under a core that is stopped. */
  get storeUrl () {
    return this.givenUrl ?? `sqlite://${this.database}`
  }

  get collabUrl () {
    return `ws://${this.address}:${this.port}/collab`
  }

  get yUrl () {
    return `ws://${this.address}:${this.port}/y`
  }

  flags () {
    const o = this.options
    return [
      `--umbel.data-dir=${this.dir}`, `--server.port=${this.port}`, `--server.address=${this.address}`,
      `--store.url=${this.storeUrl}`, `--token.key=${tokenKey}`,
      '--internal.realm.users[0].id=admin', `--internal.realm.users[0].password=${password}`,
      '--internal.realm.users[0].profiles=ADMIN',
      '--internal.realm.users[1].id=bob', `--internal.realm.users[1].password=${password}`,
      '--internal.realm.users[1].profiles=ADMIN',
      `--collab.authentication=${o.authentication ?? 'required'}`, `--server.reactors=${o.reactors ?? 1}`,
      `--ws.echo.enabled=${o.echo ?? false}`, `--collab.ack=${o.ack ?? 'durable'}`, ...(o.args ?? [])
    ]
  }

  /* Launches without waiting, for tests that expect a refusal. */
  launchCore (env = {}) {
    return this.launch(program('umbel-core', this.options), this.flags(), { ...this.options.env, ...env })
  }

  async start (env = {}) {
    const file = portFile(this.dir, 'core')
    this.launchCore(env)
    try {
      await this.waitForPort(file)
      await until('the core is healthy', async () => {
        this.child.assertAlive()
        const answer = await (await this.fetch(`/core${this.options.actuator ?? '/actuator'}/health`)).json()
        return answer.status === 'UP'
      }, 20000)
    } catch (err) {
      if (!env.UMBEL_FAIL || this.child.exit === null) throw err     /* an armed core may die before it was asked how it is */
    }
  }

  token (kind = 'write', user = 'ann') {
    const name = user[0].toUpperCase() + user.slice(1)
    switch (kind) {
      case 'write': return signToken({ sub: user, name })
      case 'read': return signToken({ sub: user, name, access: 'readonly' })
      case 'bad': return signToken({ sub: user }, 'somebody-elses-key-0123456789abcdef')
      default: throw new Error(`no such token: ${kind}`)
    }
  }

  async login (user = 'admin', secret = password) {
    return await this.fetch('/core/rest/authentication', { method: 'POST', json: { user, password: secret, scope: '' } })
  }

  async counts () {
    const answer = await this.fetch('/core/rest/admin/collab', { token: (await (await this.login()).json()).value })
    assert.equal(answer.status, 200)
    return await answer.json()
  }
}

export class UmbelGateway extends Server {
  /* core: one, or a list of them; an empty one: it has to find them by itself. */
  constructor (run, core, options = {}) {
    super(run, options.label ?? 'gateway', options)
    this.cores = [core].flat()
  }

  get collabUrl () {
    return `ws://127.0.0.1:${this.port}/collab`
  }

  get yUrl () {
    return `ws://127.0.0.1:${this.port}/y`
  }

  async start (env = {}) {
    const file = portFile(this.dir, 'gui-gateway')
    this.launch(program('umbel-gateway', this.options), [
      `--umbel.data-dir=${this.dir}`, `--server.port=${this.port}`, '--server.address=127.0.0.1',
      ...(this.cores.length === 0 ? [] : [`--core.nodes=${this.cores.map(core => core.origin).join(',')}`]), `--token.key=${tokenKey}`,
      `--gui.web.dir=${webDir}`,
      `--server.reactors=${this.options.reactors ?? 1}`, ...(this.options.args ?? [])
    ], { ...this.options.env, ...env })
    await this.waitForPort(file)
    if (this.options.plain === false) return     /* its port does not speak HTTP from the first byte */
    await until('the gateway answers', async () => {
      this.child.assertAlive()
      return (await this.fetch('/gui/')).status < 500
    }, 20000)
  }
}

export async function startGateway (run, core, options) {
  const gateway = new UmbelGateway(run, core, options)
  await gateway.start()
  return gateway
}

/* Stock Hocuspocus 4.7.0 with an authentication hook that knows three tokens. */
export class Stock extends Server {
  constructor (run, options) {
    super(run, options.label ?? 'hocuspocus', options)
    this.kind = 'hocuspocus'
    this.database = options.database ?? path.join(this.dir, 'stock.db')
  }

  get collabUrl () {
    return `ws://127.0.0.1:${this.port}`
  }

  async start () {
    const file = portFile(this.dir, 'hocuspocus')
    const settings = { port: this.port, portFile: file, database: this.database, ...this.options.stock }
    this.launch(process.execPath, [...process.execArgv, path.join(root, 'tests/harness/stock-server.mjs'), JSON.stringify(settings)], {})
    await this.waitForPort(file)
  }

  token (kind = 'write') {
    return kind
  }
}
