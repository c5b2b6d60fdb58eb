/* What the way through a gateway costs, beside HAProxy before the same core, and beside no proxy at all, in the same run.
 *   proxy [--quick] [--case message] [--subject umbel-gateway]
 * CPU is the proxy's own (with `direct` the core's). One thread each. Medians of three runs. Release build unless UMBEL_BUILD says otherwise.
 * Cases: message (20 documents with a writer and 9 readers each), idle (2000 sockets on 100 documents), request (a list of the REST API). */
import { spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { root } from '../harness/run.mjs'

process.env.UMBEL_BUILD ??= path.join(root, 'build/release')
const { openRun, until } = await import('../harness/run.mjs')
const { Child } = await import('../harness/process.mjs')
const { freePorts } = await import('../harness/redis-server.mjs')
const { signToken, startGateway, startSubject } = await import('../harness/subjects.mjs')
const { billBetween, billOf, bin, Load, median, option, versionsOf } = await import('./measure.mjs')

const quick = process.argv.includes('--quick')
const runs = quick ? 1 : 3
console.log = console.error                              /* standard output is for the figures alone */
const run = openRun('bench.proxy')
const wide = ['--collab.rate.updates=100000000', '--collab.rate.updates-burst=100000000']
const core = await startSubject(run, { kind: 'umbel', authentication: 'anonymous', args: wide })
const gateway = await startGateway(run, core, { args: ['--gui.max-tunnels=5000'] })

async function startHAProxy () {
  const [port] = await freePorts(1)
  const dir = run.folder('haproxy')
  const file = path.join(dir, 'haproxy.cfg')
  fs.writeFileSync(file, `global\n  maxconn 5000\n  nbthread 1\ndefaults\n  mode http\n  timeout connect 2s\n  timeout client 1m\n  timeout server 1m\n  timeout tunnel 1h\n` +
    `frontend in\n  bind 127.0.0.1:${port}\n  default_backend out\nbackend out\n  server core 127.0.0.1:${core.port}\n`)
  const child = new Child(run, 'haproxy', 'haproxy', ['-db', '-f', file], { cwd: dir, log: path.join(dir, 'haproxy.log') })
  await until('HAProxy leads to the core', async () => (await fetch(`http://127.0.0.1:${port}/core/actuator/health`)).ok)
  return { port, pid: child.pid }
}

const haproxy = await startHAProxy()
const subjects = {
  direct: { port: core.port, pid: core.pid, versions: versionsOf.umbel },
  'umbel-gateway': { port: gateway.port, pid: gateway.pid, versions: versionsOf.umbel },
  haproxy: { ...haproxy, versions: () => ({ haproxy: spawnSync('haproxy', ['-v'], { encoding: 'utf8' }).stdout.split('\n')[0] }) }
}

let serial = 0
const loadgen = async (subject, load) =>
  await new Load({ port: subject.port, kind: 'umbel' }, { ...load, pid: subject.pid, prefix: `proxy-${serial++}` }).result()

/* The same request again and again on 16 connections. */
async function requests (subject) {
  const args = ['--port', subject.port, '--connections', 16, '--seconds', quick ? 2 : 5, '--path', '/core/rest/collab/documents?max=1',
    '--header', `token: ${signToken()}`]
  const from = billOf([subject.pid])
  const result = await new Promise((resolve, reject) => {
    const child = spawn(bin('bench_httpload'), args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', data => { text += data })
    child.on('close', code => code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`bench_httpload ended with ${code}`)))
  })
  if (result.bad > 0) throw new Error(`${result.bad} requests were refused`)
  return { ...result, cpuUs: billBetween(from, billOf([subject.pid])).cpu * 1e6 / result.requests }
}

const cases = {
  message: {
    measure: subject => loadgen(subject, { scenario: 'fanout', docs: 20, readers: 9, rate: 1000, updates: quick ? 100 : 300 }),
    metrics: [['cpu_per_delivery', 'us', r => r.cpu_us / r.deliveries], ['delivery_p50', 'ms', r => r.p50_ms], ['delivery_p99', 'ms', r => r.p99_ms],
      ['ack_p50', 'ms', r => r.ack_p50_ms]]
  },
  idle: {
    measure: subject => loadgen(subject, { scenario: 'idle', docs: 100, clients: 2000 }),
    metrics: [['memory_per_connection', 'KB', r => (r.rss_after - r.rss_before) / r.clients / 1024]]
  },
  request: {
    measure: requests,
    metrics: [['cpu_per_request', 'us', r => r.cpuUs], ['answered_p50', 'us', r => r.halfUs], ['answered_p99', 'us', r => r.mostUs],
      ['requests_per_second', '1/s', r => r.perSecond]]
  }
}

for (const [name, { measure, metrics }] of Object.entries(cases)) {
  for (const [subject, of] of Object.entries(subjects)) {
    if ((option('--case') ?? name) !== name || (option('--subject') ?? subject) !== subject) continue
    await run.story(`${name} ${subject}`, async () => {
      const results = []
      for (let n = 0; n < runs; n++) results.push(await measure(of))
      for (const [metric, unit, value] of metrics) {
        process.stdout.write(JSON.stringify({
          bench: 'proxy', case: name, subject, metric, unit, value: Number(median(results.map(value)).toPrecision(4)), runs, versions: of.versions()
        }) + '\n')
      }
    }, 900000)
  }
}
await run.finish()
