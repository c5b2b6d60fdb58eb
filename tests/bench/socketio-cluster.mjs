/* Two Socket.IO servers and a Redis: a sender at the first, receivers at the second. A pair of gateways beside a pair of stock servers
 * (ws engine), by the same adapter, the same clients, the same run.
 *   socketio-cluster (and the end of socketio) [--quick] [--case SIO2,SIO2-sharded,SIO2-streams] [--subject umbel,socket.io] [--runs 3]
 * Medians of three runs, each on servers that have just been started, the subjects in turn. Release build unless UMBEL_BUILD says otherwise.
 *
 *   SIO2   500 receivers in one room, 50 events/s of 64 bytes, by the classic adapter; SIO2-sharded, SIO2-streams: by the others
 *
 * Processor time is that of both servers and of Redis. Receivers are bare WebSockets that count; the sender is one as well. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { WebSocket } from 'ws'
import { root } from '../harness/run.mjs'

process.env.UMBEL_BUILD ??= path.join(root, 'build/release')
const { openRun, until, pass } = await import('../harness/run.mjs')
const { startRedis } = await import('../harness/redis-server.mjs')
const { UmbelGateway } = await import('../harness/subjects.mjs')
const { billBetween, billOf, median, option, versionsOf } = await import('./measure.mjs')

const quick = process.argv.includes('--quick')
const runs = Number(option('--runs') ?? 3)
const load = { receivers: 500, rate: 50, seconds: quick ? 4 : 12 }
const cases = { SIO2: 'classic', 'SIO2-sharded': 'sharded', 'SIO2-streams': 'streams' }
const metrics = [
  ['cpu_per_delivery', 'us', r => r.cpu * 1e6 / r.deliveries],
  ['cpu_senders_server', 'us', r => r.cpuFirst * 1e6 / r.deliveries],
  ['cpu_receivers_server', 'us', r => r.cpuSecond * 1e6 / r.deliveries],
  ['cpu_redis', 'us', r => r.cpuRedis * 1e6 / r.deliveries],
  ['delivery_p50', 'ms', r => r.delays[Math.floor(r.delays.length / 2)]],
  ['delivery_p99', 'ms', r => r.delays[Math.floor(r.delays.length * 0.99)]]
]

/* --- subjects: { pid, port } ------------------------------------------------------------------------------------ */

async function gateway (run, redis, adapter, n) {
  const conf = { 'sio.lab.enabled': true, 'redis.enabled': true, 'spring.data.redis.url': redis.url, 'sio.adapter': adapter,
    'server.http.max-per-address': 0, 'cluster.id': `gateway-${n}` }
  const server = new UmbelGateway(run, [], { label: `gateway-${n}`, reactors: 1, args: Object.entries(conf).map(([k, v]) => `--${k}=${v}`) })
  await server.start()
  return server
}

async function stock (run, redis, adapter) {
  const out = fs.openSync(path.join(run.folder('stock'), 'server.log'), 'w')
  const program = fileURLToPath(new URL('socketio-cluster-stock.mjs', import.meta.url))
  const child = fork(program, [JSON.stringify({ redisPort: redis.port, adapter })], { stdio: ['ignore', out, out, 'ipc'] })
  run.atEnd(() => child.kill('SIGKILL'))
  const { port } = await new Promise(resolve => child.once('message', resolve))
  return { pid: child.pid, port, kill: () => child.kill('SIGKILL') }
}
const versionOf = name => JSON.parse(fs.readFileSync(path.join(root, 'tests/node_modules', name, 'package.json'))).version
const subjects = {
  umbel: { start: gateway, versions: versionsOf.umbel },
  'socket.io': {
    start: stock,
    versions: () => ({ ...Object.fromEntries(['socket.io', '@socket.io/redis-adapter', '@socket.io/redis-streams-adapter'].map(n => [n, versionOf(n)])), node: process.version })
  }
}

/* --- clients: just enough of the protocol -------------------------------------------------------------------------- */

function client (port, onEvent) {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`, { perMessageDeflate: false })
    ws.on('error', reject)
    ws.on('message', data => {
      const text = data.toString('latin1')
      if (text[0] === '0') ws.send('40/lab,')
      else if (text === '2') ws.send('3')
      else if (text.startsWith('40/lab,')) ws.send('42/lab,0["join",["room"]]')
      else if (text.startsWith('43/lab,')) resolve(ws)
      else if (text.startsWith('42/lab,')) onEvent(text)
      else if (text.startsWith('44')) reject(new Error(text))
    })
  })
}

async function connect (port, n, onEvent) {
  const all = []
  while (all.length < n) all.push(...await Promise.all(Array.from({ length: Math.min(50, n - all.length) }, () => client(port, onEvent))))
  return all
}

async function cast (sender, events) {
  const filler = 'x'.repeat(64 - 16)
  for (let i = 0; i < events; i++) {
    sender.send(`42/lab,["cast",{"rooms":["room"]},["e","${performance.now().toFixed(3).padStart(14, '0')}","${filler}"]]`)
    await pass(1000 / load.rate)
  }
}

async function measure (run, subject, adapter) {
  const redis = await startRedis(run)
  const servers = [await subject.start(run, redis, adapter, 1), await subject.start(run, redis, adapter, 2)]
  const delays = []
  let got = 0
  const note = text => { if (++got % 50 === 0) delays.push(performance.now() - Number(text.slice(text.indexOf(',"') + 2, text.indexOf(',"') + 16))) }
  const receivers = await connect(servers[1].port, load.receivers, note)
  const [sender] = await connect(servers[0].port, 1, () => {})
  await until('the first event is everywhere', async () => { await cast(sender, 1); return got >= load.receivers })
  await pass(1000)
  const groups = { First: [servers[0].pid], Second: [servers[1].pid], Redis: [redis.child.pid] }
  const from = Object.fromEntries(Object.entries(groups).map(([name, pids]) => [name, billOf(pids)]))
  const events = load.rate * load.seconds
  got = delays.length = 0
  await cast(sender, events)
  await until('all is there', () => got >= events * load.receivers)
  const bills = Object.entries(groups).map(([name, pids]) => [name, billBetween(from[name], billOf(pids))])
  assert.equal(got, events * load.receivers, 'everybody has got everything once')
  for (const ws of [...receivers, sender]) ws.terminate()
  for (const server of servers) await server.kill()
  await redis.stop()
  delays.sort((a, b) => a - b)
  return { deliveries: got, delays, cpu: bills.reduce((sum, [, b]) => sum + b.cpu, 0), ...Object.fromEntries(bills.map(([name, b]) => [`cpu${name}`, b.cpu])) }
}

console.log = console.error                              /* standard output is for the figures alone */
const run = openRun('bench.socketio-cluster')
const wanted = (name, flag) => option(flag)?.split(',').includes(name) ?? true
const asked = Object.entries(subjects).filter(([title]) => wanted(title, '--subject'))
for (const [name, adapter] of Object.entries(cases).filter(([name]) => wanted(name, '--case'))) {
  const results = Object.fromEntries(asked.map(([title]) => [title, []]))
  for (let n = 0; n < runs; n++) {
    for (const [title, subject] of asked) {
      await run.story(`${name} ${title}, run ${n + 1}`, async () => { results[title].push(await measure(run, subject, adapter)) }, 120000)
    }
  }
  for (const [title, subject] of asked.filter(([title]) => results[title].length > 0)) {
    for (const [metric, unit, of] of metrics) {
      const value = Number(median(results[title].map(of)).toPrecision(4))
      process.stdout.write(JSON.stringify({ bench: 'socketio', case: name, subject: title, metric, unit, value, runs: results[title].length, versions: subject.versions() }) + '\n')
    }
  }
}
await run.finish()
