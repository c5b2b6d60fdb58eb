/* What the measurements of running servers share: programs, versions, the load generator, what processes have cost. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { root } from '../harness/run.mjs'

export const option = name => process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined
export const median = list => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]
export const bin = name => path.join(process.env.UMBEL_BIN ?? path.join(process.env.UMBEL_BUILD, 'bin'), name)

const versionOf = name => JSON.parse(fs.readFileSync(path.join(root, 'tests/node_modules', name, 'package.json'))).version
export const versionsOf = {
  umbel: () => ({ umbel: execFileSync(bin('umbel-core'), ['--version'], { encoding: 'utf8' }).trim() }),
  hocuspocus: (...packages) => ({
    hocuspocus: versionOf('@hocuspocus/server'), ...Object.fromEntries(packages.map(name => [name, versionOf(name)])), node: process.version
  })
}

/* The vendor's extension writes through better-sqlite3, which is compiled when it is needed for the first time. */
export function buildNativeSqlite () {
  const tests = path.join(root, 'tests')
  if (fs.existsSync(path.join(tests, 'node_modules/better-sqlite3/build/Release/better_sqlite3.node'))) return
  console.error('compiling better-sqlite3 for the stock server (a minute or two)')
  const made = spawnSync('npm', ['rebuild', 'better-sqlite3', '--ignore-scripts=false'], { cwd: tests, stdio: ['ignore', 'ignore', 'inherit'] })
  if (made.status !== 0) throw new Error('better-sqlite3 could not be compiled')
}

/* The load generator, for a server at PORT. It says one thing at a time: await load.line(); load.go() lets it go on. */
export class Load {
  constructor (server, settings) {
    const args = Object.entries({ ...settings, port: server.port, path: server.kind === 'umbel' ? '/collab' : '/' })
      .flatMap(([key, value]) => value === true ? [`--${key}`] : [`--${key}`, String(value)])
    this.child = spawn(bin('bench_loadgen'), args)
    this.child.stdin.on('error', () => {})       /* it has ended: line() says why */
    this.complaint = ''
    this.child.stderr.on('data', data => { this.complaint += data })
    this.gone = new Promise((resolve, reject) => {
      this.child.on('error', reject)
      this.child.on('close', code => code === 0 ? resolve() : reject(new Error(this.complaint || `bench_loadgen ended with ${code}`)))
    })
    this.gone.catch(() => {})
    this.lines = createInterface({ input: this.child.stdout })[Symbol.asyncIterator]()
  }

  async line () {
    const { value, done } = await this.lines.next()
    if (done) await this.gone
    if (done) throw new Error('bench_loadgen ended too early')
    return value
  }

  async result () {
    return JSON.parse(await this.line())
  }

  go () {
    this.child.stdin.write('go\n')
  }

  async end () {
    this.child.stdin.end()
    await this.gone
  }
}

/* --- what processes have cost so far ---------------------------------------------------------------------- */

const read = file => {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return ''                                    /* ended meanwhile */
  }
}

/* Nanoseconds on a processor, from its threads' schedstat. */
function cpuNs (pid) {
  let sum = 0
  for (const thread of fs.existsSync(`/proc/${pid}/task`) ? fs.readdirSync(`/proc/${pid}/task`) : []) {
    sum += Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0])
  }
  return sum
}

/* Of children that have ended: their time is known to their parent alone, in ticks of 10 ms. Their bytes are in its io. */
function pastChildrenNs (pid) {
  const fields = read(`/proc/${pid}/stat`).split(') ').pop().split(' ')
  return (Number(fields[13] ?? 0) + Number(fields[14] ?? 0)) * 1e7
}

const field = (file, name) => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(read(file))?.[1] ?? 0)

/* How often one of its threads has gone to sleep by itself, and so has been woken. */
function sleeps (pid) {
  const tasks = fs.existsSync(`/proc/${pid}/task`) ? fs.readdirSync(`/proc/${pid}/task`) : []
  return tasks.reduce((total, thread) => total + field(`/proc/${pid}/task/${thread}/status`, 'voluntary_ctxt_switches'), 0)
}

/* cpu in seconds, bytes given to the disk (pages, as the kernel counts them), memory in bytes, sleeps. */
export function billOf (pids) {
  const sum = of => pids.reduce((total, pid) => total + of(pid), 0)
  return {
    cpu: (sum(cpuNs) + sum(pastChildrenNs)) / 1e9,
    written: sum(pid => field(`/proc/${pid}/io`, 'write_bytes')),
    memory: sum(pid => field(`/proc/${pid}/status`, 'VmRSS')) * 1024,
    sleeps: sum(sleeps)
  }
}

export const billBetween = (from, to) => Object.fromEntries(Object.keys(to).map(key => [key, to[key] - from[key]]))
