/* Nodes of one Socket.IO cluster behind one set of words, whoever they are:
 *
 *   const node = await startStock(run, redis, 'classic', { key: 'x' })      // a real Socket.IO server, in a process of its own
 *   const ours = await startOurs(run, redis, { 'sio.adapter': 'classic' })  // the adapter of the gateway (sio_node), with sockets that are names
 *   const gateway = await startGateway(run, redis, { 'sio.adapter': 'classic' })   // all of it; its first client is told what to do (sio.lab.enabled)
 *   const a = await node.client(['r1'], '/')     // { id, got: [[event, ...args], ...], ended }
 *   await node.do('broadcast', { rooms: ['r1'], event: ['hello', 1, bytes('0102')] })
 *   (await node.ask('fetch', {})).values         // what came; missing, silent: what did not (ours), error (stock)
 *   node.heard                                   // server-side events */
import { fork, spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import readline from 'node:readline'
import { fileURLToPath } from 'node:url'
import { io } from 'socket.io-client'
import { buildDir, until } from './run.mjs'
import { UmbelGateway } from './subjects.mjs'

export const bytes = hex => ({ hex })
const isBytes = v => v instanceof Object && v.hex !== undefined

/* --- real servers ---------------------------------------------------------------------------------------- */

export async function startStock (run, redis, adapter, options = {}, { namespaces = ['/', '/admin'], ...server } = {}) {
  const node = new Stock(run, { redisPort: redis.port, adapter, options, server, namespaces })
  await until('the Socket.IO server listens', () => { node.assertAlive(); return node.port })
  return node
}

class Stock {
  constructor (run, settings) {
    this.kind = 'stock'
    this.nsp = settings.namespaces[0]
    this.log = path.join(run.folder('stock'), 'server.log')
    const out = fs.openSync(this.log, 'w')
    const program = fileURLToPath(new URL('../integration/socketio-stock.mjs', import.meta.url))
    this.child = fork(program, [JSON.stringify(settings)], { stdio: ['ignore', out, out, 'ipc'] })
    this.waiting = new Map()
    this.number = 0
    this.heard = []
    this.clients = []
    this.exit = null
    this.child.on('exit', (code, signal) => {
      this.exit = { code, signal }
      for (const w of this.waiting.values()) w({ error: 'it is gone' })
    })
    this.child.on('message', m => this.take(m))
    run.atEnd(() => { for (const c of this.clients) c.socket.disconnect(); this.child.kill('SIGKILL') })
  }

  take (m) {
    if (m.event === 'listening') this.port = m.port
    else if (m.event === 'server') this.heard.push(m.args)
    else this.waiting.get(m.id)(m)
  }

  assertAlive () {
    if (this.exit !== null) throw Object.assign(new Error(`a Socket.IO server is gone: ${fs.readFileSync(this.log, 'utf8').slice(-2000)}`), { isFinal: true })
  }

  ask (op, args = {}) {
    this.assertAlive()
    return new Promise(resolve => {
      this.waiting.set(++this.number, m => resolve({ values: m.value, n: m.value, error: m.error, responses: m.responses }))
      this.child.send({ id: this.number, op, args: { nsp: this.nsp, ...args } })
    })
  }

  async do (op, args) {
    const answer = await this.ask(op, args)
    if (answer.error) throw new Error(answer.error)
  }

  async client (rooms, nsp = this.nsp) {
    const c = await openClient(`http://127.0.0.1:${this.port}`, rooms, nsp)
    this.clients.push(c)
    return c
  }
}

export async function openClient (url, rooms, nsp = '/', options = {}, enter = 'enter') {
  const socket = io(`${url}${nsp}`, { transports: ['websocket'], forceNew: true, reconnection: false, ...options })
  const c = { socket, got: [], ended: null }
  socket.onAny((...args) => {
    const done = typeof args.at(-1) === 'function' ? args.pop() : null
    c.got.push(args)
    done?.(`ack of ${socket.id}`)
  })
  socket.on('disconnect', reason => { c.ended = reason })
  await until('the client is connected', () => socket.connected)
  c.id = socket.id
  if (rooms.length > 0) await socket.emitWithAck(enter, rooms)
  return c
}

/* --- gateways ------------------------------------------------------------------------------------------------ */

export async function startGateway (run, redis, conf, reactors = 2) {
  const all = { 'sio.lab.enabled': true, 'redis.enabled': true, 'spring.data.redis.url': redis.url, 'sio.drain-time': '100ms', ...conf }
  const server = new UmbelGateway(run, [], { label: `gateway-${++gateways}`, reactors, args: Object.entries(all).map(([k, v]) => `--${k}=${v}`) })
  await server.start()
  return new Gateway(run, server)
}
let gateways = 0

/* What the namespace /lab understands (gui-gateway/sio/lab.c). */
const words = { broadcast: 'cast', ack: 'cast-ack', fetch: 'fetch', rooms: 'rooms', join: 'others-join', leave: 'others-leave',
  disconnect: 'others-disconnect', serverEmit: 'server-emit', serverAsk: 'server-emit' }
const revive = v => isBytes(v) ? Buffer.from(v.hex, 'hex') : v

class Gateway {
  constructor (run, server) {
    this.kind = 'gateway'
    this.server = server
    this.nsp = '/lab'
    this.clients = []
    run.atEnd(() => { for (const c of this.clients) c.socket.disconnect() })
  }

  get heard () { return this.clients[0].got.filter(([e]) => e === 'said') }

  assertAlive () { this.server.child.assertAlive() }

  fields (op, { rooms, except, flags, timeout, event, names, close }) {
    if (op.startsWith('server')) return [event.map(revive)]
    return [{ rooms, except, flags, timeout }, ...(event ? [event.map(revive)] : names ? [names] : close !== undefined ? [close] : [])]
  }

  at (nsp = this.nsp) { return this.clients.find(c => c.nsp === nsp && c.ended === null).socket }

  async ask (op, { nsp, ...args } = {}) {
    const [values, missing] = await new Promise((resolve, reject) => {
      this.at(nsp).timeout(10000).emit(words[op], ...this.fields(op, args), (err, ...back) => err ? reject(err) : resolve(back))
    })
    return { values, missing }
  }

  async do (op, { nsp, ...args }) { this.at(nsp).emit(words[op], ...this.fields(op, args)) }

  async client (rooms, nsp = this.nsp) {
    const c = await openClient(this.server.origin, rooms, nsp, {}, 'join')
    c.nsp = nsp
    await c.socket.emitWithAck('set-data', { of: 'umbel' })
    this.clients.push(c)
    return c
  }

  async close () { await this.server.stop() }
}

/* --- ours ---------------------------------------------------------------------------------------------------- */

export async function startOurs (run, redis, conf = {}, nsps = ['/', '/admin']) {
  const node = new Ours(run, { 'spring.data.redis.url': redis.url, ...conf })
  for (const nsp of nsps) node.send({ op: 'open', nsp })
  await until('ours is one of them', async () => { node.assertAlive(); return (await node.ask('count', { nsp: nsps.at(-1) })).n > 0 && (await node.isLive(redis)) })
  return node
}

class Ours {
  constructor (run, conf) {
    this.kind = 'ours'
    this.log = path.join(run.folder('ours'), 'node.log')
    const tool = path.join(process.env.UMBEL_BIN ?? path.join(buildDir(), 'bin'), 'sio_node')
    this.child = spawn(tool, Object.entries(conf).map(([k, v]) => `--${k}=${v}`), { stdio: ['pipe', 'pipe', fs.openSync(this.log, 'w')] })
    this.waiting = new Map()
    this.number = 0
    this.heard = []
    this.clients = new Map()
    this.exit = null
    this.child.on('exit', (code, signal) => {
      this.exit = { code, signal }
      for (const w of this.waiting.values()) w({ error: 'it is gone' })
    })
    this.child.stdin.on('error', () => {})
    readline.createInterface({ input: this.child.stdout }).on('line', line => this.take(JSON.parse(line)))
    run.atEnd(() => this.child.kill('SIGKILL'))
  }

  take (m) {
    if (m.event === 'to') this.deliver(m)
    else if (m.event === 'server') this.heard.push(m.data)
    else if (m.event === 'ended') Object.assign(this.clients.get(m.sid), { ended: m.close ? 'close' : 'namespace' })
    else this.waiting.get(m.id)(m)
  }

  deliver (m) {
    const args = m.data.map(v => v?._placeholder === true ? Buffer.from(m.bin[v.num], 'hex') : v)
    for (const sid of m.sids) this.clients.get(sid).got.push(m.offset ? [...args, m.offset] : args)
    if (m.offset) this.offset = m.offset
  }

  assertAlive () {
    if (this.exit !== null) throw Object.assign(new Error(`sio_node is gone: ${fs.readFileSync(this.log, 'utf8').slice(-3000)}`), { isFinal: true })
  }

  send (o) { this.child.stdin.write(JSON.stringify(o) + '\n') }

  ask (op, args = {}) {
    this.assertAlive()
    return new Promise(resolve => {
      this.waiting.set(++this.number, resolve)
      this.send({ id: this.number, op, ...args, ...this.words(args) })
    })
  }

  /* Binary values as the tool takes them. */
  words ({ event }) {
    if (event === undefined) return {}
    const bin = []
    return { event: event.map(v => isBytes(v) ? { _placeholder: true, num: bin.push(v.hex) - 1 } : v), bin }
  }

  async do (op, args) { this.send({ op, ...args, ...this.words(args) }) }

  async client (rooms, nsp = '/') {
    const id = `umbel-${this.clients.size}-${Math.random().toString(36).slice(2, 12)}`.padEnd(20, 'x').slice(0, 20)
    const c = { id, got: [], ended: null }
    this.clients.set(id, c)
    this.send({ op: 'socket', sid: id, nsp })
    for (const room of rooms) this.send({ op: 'enter', sid: id, room })
    await this.ask('stats')
    return c
  }

  /* Others are told of its subscriptions. */
  async isLive (redis) {
    return (await redis.cli('CLIENT', 'LIST')).split('\n').some(l => /name=\S*sio\S*-sub/.test(l) && / (sub|psub|ssub)=[1-9]/.test(l))
  }

  async close () {
    this.child.stdin.end()
    await until('sio_node ends', () => this.exit !== null)
    if (this.exit.code !== 0) throw new Error(`sio_node ended with ${JSON.stringify(this.exit)}: ${fs.readFileSync(this.log, 'utf8').slice(-4000)}`)
  }
}
