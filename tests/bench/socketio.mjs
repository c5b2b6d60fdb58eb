/* Socket.IO: a gateway beside the Node.js server with its ws engine, the same load generator, the same run.
 *   socketio [--quick] [--case SIO1] [--subject umbel]
 * One reactor against one process; medians of three runs, each on a server that has just been started. Release build unless UMBEL_BUILD
 * says otherwise. Cases: SIO1 (one room, 500 receivers, 50 events/s), SIO1-max (100 receivers, 16 events in flight), SIO3 (500 clients
 * join and leave 50 rooms, 5,000 acknowledged operations/s), SIO4 (200 long-polling receivers, 20 events/s), idle (1,000 clients). */
import { spawn, spawnSync } from 'node:child_process'
import path from 'node:path'
import { root } from '../harness/run.mjs'

process.env.UMBEL_BUILD ??= path.join(root, 'build/release')
const { openRun } = await import('../harness/run.mjs')
const { UmbelGateway } = await import('../harness/subjects.mjs')
const { bin, median, option } = await import('./measure.mjs')
const { createRequire } = await import('node:module')

const quick = process.argv.includes('--quick')
const runs = 3
const longer = quick ? 1 : 3
const perDelivery = [['cpu_per_delivery', 'us', r => r.cpu_us / r.done], ['deliveries_per_second', '1/s', r => r.done * 1e6 / r.elapsed_us]]
const perOperation = [['cpu_per_operation', 'us', r => r.cpu_us / r.done]]
const cases = {
  SIO1: { load: { scenario: 'fanout', clients: 500, rate: 50, updates: 150 * longer }, metrics: perDelivery },
  'SIO1-max': { load: { scenario: 'fanout', clients: 100, inflight: 16, updates: 10000 * longer }, metrics: perDelivery },
  SIO3: { load: { scenario: 'rooms', clients: 500, rate: 5000, updates: 10000 * longer }, metrics: perOperation },
  SIO4: { load: { scenario: 'polling', clients: 200, rate: 20, updates: 60 * longer }, metrics: perDelivery },
  idle: { load: { scenario: 'idle', clients: 1000 }, metrics: [['memory_per_client', 'KB', r => (r.rss_after - r.rss_before) / r.done / 1024]] }
}

const subjects = {
  umbel: async run => {
    const gateway = new UmbelGateway(run, [], { reactors: 1, args: ['--sio.lab.enabled=true', '--sio.ping-interval=10m', '--sio.ping-timeout=10m', '--server.http.max-per-address=0'] })
    await gateway.start()
    return { port: gateway.port, pid: gateway.child.pid, kill: () => gateway.kill() }
  },
  'socket.io': async run => {
    const child = spawn(process.execPath, [path.join(root, 'tests/bench/socketio-peer.mjs')], { stdio: ['ignore', 'pipe', 'inherit'] })
    run.atEnd(() => child.kill('SIGKILL'))
    const port = await new Promise(resolve => child.stdout.once('data', data => resolve(Number(data))))
    return { port, pid: child.pid, kill: () => child.kill('SIGKILL') }
  }
}
const versions = {
  umbel: () => ({ umbel: spawnSync(bin('umbel-gateway'), ['--version'], { encoding: 'utf8' }).stdout.trim() }),
  'socket.io': () => ({ 'socket.io': createRequire(import.meta.url)('socket.io/package.json').version, node: process.version })
}

async function measure (run, subject, load) {
  const server = await subjects[subject](run)
  try {
    const args = Object.entries({ ...load, port: server.port, pid: server.pid }).flatMap(([key, value]) => [`--${key}`, String(value)])
    const child = spawn(bin('bench_sioload'), args, { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', data => { text += data })
    const code = await new Promise(resolve => child.on('close', resolve))
    if (code !== 0) throw new Error(`bench_sioload ended with ${code}`)
    return JSON.parse(text)
  } finally {
    await server.kill()
  }
}

console.log = console.error                              /* standard output is for the figures alone */
const run = openRun('bench.socketio')
for (const [name, { load, metrics }] of Object.entries(cases)) {
  if (option('--case') && option('--case') !== name) continue
  for (const subject of Object.keys(subjects)) {
    if (option('--subject') && option('--subject') !== subject) continue
    await run.story(`${name} ${subject}`, async () => {
      const results = []
      for (let n = 0; n < runs; n++) results.push(await measure(run, subject, load))
      for (const [metric, unit, of] of metrics) {
        const value = Number(median(results.map(of)).toPrecision(4))
        process.stdout.write(JSON.stringify({ bench: 'socketio', case: name, subject, metric, unit, value, runs, versions: versions[subject]() }) + '\n')
      }
    }, 600000)
  }
}
await run.finish()
