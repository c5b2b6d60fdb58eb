/* Redis servers and sentinels of a test's own: a new folder under the system's temporary one, free ports on loopback. They
 * end with the test; when the test is killed, the kernel ends them.
 *
 *   const redis = await startRedis(run, { requirepass: 'x' });        // server settings
 *   redis.port, redis.url                                             // for spring.data.redis.url
 *   await redis.cli('SET', 'k', 'v');                                 // a connection of its own; replies as JavaScript
 *   await redis.kill();  await redis.stop();  await redis.start();    // the same folder, the same port
 *   redis.freeze();  redis.thaw();
 *
 *   const set = await startSentinels(run);   // 1 master, 2 replicas, 3 sentinels; down-after 1000 ms, quorum 2
 *   set.nodes, set.name                      // for spring.data.redis.sentinel.*
 *   await set.master()                       // the Redis that the sentinels name now
 */
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { Child } from './process.mjs'
import { until } from './run.mjs'

/* Ports that were free a moment ago. Redis takes no port 0; a lost race shows as a server that ends, and is told. */
export async function freePorts (n) {
  const servers = []
  for (let i = 0; i < n; i++) {
    const server = net.createServer()
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
    servers.push(server)
  }
  const ports = servers.map(s => s.address().port)
  await Promise.all(servers.map(s => new Promise(resolve => s.close(resolve))))
  return ports
}

/* --- a client that is not ours ------------------------------------------------------------------------- */

/* One reply of RESP2 at OFFSET of BUFFER: [value, next offset], or null when it is not whole. */
function parse (buffer, at = 0) {
  const end = buffer.indexOf('\r\n', at)
  if (end < 0) return null
  const head = buffer.toString('latin1', at + 1, end)
  const next = end + 2
  switch (String.fromCharCode(buffer[at])) {
    case '+': return [head, next]
    case '-': return [new Error(head), next]
    case ':': return [Number(head), next]
    case '$': {
      const n = Number(head)
      if (n < 0) return [null, next]
      return buffer.length < next + n + 2 ? null : [buffer.toString('utf8', next, next + n), next + n + 2]
    }
    case '*': {
      const items = []
      let pos = next
      if (Number(head) < 0) return [null, next]
      for (let i = 0; i < Number(head); i++) {
        const item = parse(buffer, pos)
        if (item === null) return null
        items.push(item[0])
        pos = item[1]
      }
      return [items, pos]
    }
  }
  throw new Error(`no RESP: ${buffer.toString('latin1', at, at + 40)}`)
}

const encode = args => `*${args.length}\r\n` + args.map(a => `$${Buffer.byteLength(String(a))}\r\n${a}\r\n`).join('')

/* Runs COMMANDS on a connection of their own; the last reply. An error reply is thrown. */
export function ask (port, commands, ms = 5000, host = '127.0.0.1') {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, host)
    let got = Buffer.alloc(0)
    const replies = []
    const done = (fn, value) => { socket.destroy(); fn(value) }
    socket.setTimeout(ms, () => done(reject, new Error(`no answer from port ${port}`)))
    socket.on('error', err => done(reject, err))
    socket.on('close', () => reject(new Error(`port ${port} closed the connection`)))
    socket.on('connect', () => socket.write(commands.map(encode).join('')))
    socket.on('data', data => {
      got = Buffer.concat([got, data])
      for (let one; (one = parse(got)) !== null; got = got.subarray(one[1])) replies.push(one[0])
      if (replies.length < commands.length) return
      const last = replies[commands.length - 1]
      done(last instanceof Error ? reject : resolve, last)
    })
  })
}

/* --- one server ------------------------------------------------------------------------------------------ */

export async function startRedis (run, settings = {}, options = {}) {
  const redis = new Redis(run, settings, options)
  redis.port = options.port ?? (await freePorts(1))[0]
  await redis.start()
  return redis
}

class Redis {
  /* settings: lines of the configuration; options: label, sentinel (a configuration for redis-sentinel), host (of namespaces.mjs) */
  constructor (run, settings, { label = 'redis', sentinel = null, host = null } = {}) {
    this.run = run
    this.settings = settings
    this.sentinel = sentinel
    this.label = label
    this.host = host
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'umbel-redis-'))
    run.atEnd(() => fs.rmSync(this.dir, { recursive: true, force: true }))
    this.log = path.join(run.folder(label), 'server.log')
  }

  get address () {
    return this.host?.address ?? '127.0.0.1'
  }

  get url () {
    return `redis://${this.address}:${this.port}`
  }

  /* Both kinds write to their configuration: it is made once. */
  writeConfiguration (file) {
    const tls = this.settings['tls-port'] !== undefined
    const own = this.sentinel !== null
      ? this.settings
      : { save: '""', appendonly: 'no', 'repl-diskless-sync-delay': 0, 'enable-debug-command': 'local', ...this.settings }
    const lines = Object.entries({ bind: this.address, port: tls ? 0 : this.port, dir: this.dir, 'protected-mode': 'no', ...own })
      .map(([key, value]) => `${key} ${value}`)
    fs.writeFileSync(file, [...lines, ...(this.sentinel ?? [])].join('\n') + '\n')
  }

  async start () {
    const file = path.join(this.dir, 'redis.conf')
    if (!fs.existsSync(file)) this.writeConfiguration(file)
    const program = this.sentinel !== null ? 'redis-sentinel' : 'redis-server'
    const [command, ...args] = [...(this.host?.inside ?? []), 'setpriv', '--pdeathsig', 'KILL', '--', program, file]
    this.child = new Child(this.run, this.label, command, args, { cwd: this.dir, log: this.log })
    if (this.settings['tls-port'] === undefined) {
      await until(`${this.label} answers`, async () => {
        this.child.assertAlive()
        await ask(this.port, [['PING']], 1000, this.address).catch(err => { if (!/NOAUTH/.test(err.message)) throw err })
        return true
      })
    } else {
      await until(`${this.label} listens`, () => { this.child.assertAlive(); return /Ready to accept|Sentinel ID is/.test(this.child.output()) })
    }
  }

  async cli (...args) {
    const password = this.settings.requirepass
    return await ask(this.port, password === undefined ? [args] : [['AUTH', password], args], 5000, this.address)
  }

  async kill () {
    await this.child.end('SIGKILL')
  }

  async stop () {
    await this.child.end('SIGTERM')
  }

  freeze () {
    this.child.signal('SIGSTOP')
  }

  thaw () {
    this.child.signal('SIGCONT')
  }
}

/* --- a guarded master ---------------------------------------------------------------------------------------- */

/* hostOf: the host (namespaces.mjs) of each by its label, redis0 or sentinel2; or null. */
export async function startSentinels (run, settings = {}, hostOf = () => null) {
  const set = new Sentinels(run, hostOf)
  await set.start(settings)
  return set
}

class Sentinels {
  constructor (run, hostOf) {
    this.run = run
    this.hostOf = hostOf
    this.name = 'mymaster'
  }

  get nodes () {
    return this.sentinels.map(s => `${s.address}:${s.port}`).join(',')
  }

  async start (settings) {
    const ports = await freePorts(6)
    const guarded = { 'min-replicas-to-write': 1, 'min-replicas-max-lag': 2, ...settings }
    this.servers = []
    for (let i = 0; i < 3; i++) {
      const replica = i > 0 ? { replicaof: `${this.servers[0].address} ${ports[0]}` } : {}
      this.servers.push(await startRedis(this.run, { ...guarded, ...replica }, { label: `redis${i}`, port: ports[i], host: this.hostOf(`redis${i}`) }))
    }
    this.sentinels = []
    for (let i = 0; i < 3; i++) {
      const sentinel = [`sentinel monitor ${this.name} ${this.servers[0].address} ${ports[0]} 2`, `sentinel down-after-milliseconds ${this.name} 1000`,
        `sentinel failover-timeout ${this.name} 10000`]
      this.sentinels.push(await startRedis(this.run, {}, { label: `sentinel${i}`, port: ports[3 + i], sentinel, host: this.hostOf(`sentinel${i}`) }))
    }
    await this.settled()
  }

  /* One master with two replicas in step, known to every sentinel together with the other two. */
  async settled () {
    await until('replicas and sentinels know each other', async () => {
      const master = await this.master()
      const [role, , replicas] = await master.cli('ROLE')
      if (role !== 'master' || replicas.length !== 2) return false
      for (const s of this.sentinels) {
        const flat = await s.cli('SENTINEL', 'MASTER', this.name)
        const field = name => flat[flat.indexOf(name) + 1]
        if (Number(field('port')) !== master.port || field('num-other-sentinels') !== '2' || field('num-slaves') !== '2' ||
            field('flags') !== 'master') return false
        const slaves = await s.cli('SENTINEL', 'REPLICAS', this.name)
        if (!slaves.every(r => r[r.indexOf('flags') + 1] === 'slave' && r[r.indexOf('master-link-status') + 1] === 'ok')) return false
      }
      return true
    }, 60000, 100)
  }

  async master () {
    for (const s of this.sentinels) {
      const answer = await ask(s.port, [['SENTINEL', 'get-master-addr-by-name', this.name]], 1000, s.address).catch(() => null)
      if (answer !== null) return this.servers.find(r => r.port === Number(answer[1]))
    }
    throw new Error('no sentinel knows the master')
  }
}
