/* fault.L05: many operations wait: 30,000, or UMBEL_WAITING=n. Two cores do them: those of one component in their order and one at a
 * time, those of somebody else meanwhile without waiting for them, in memory that does not grow with what waits. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { startCluster } from '../harness/cluster.mjs'
import { openEffects } from '../harness/effects.mjs'
import { openOffice } from '../harness/office.mjs'
import { buildDir, openRun, until } from '../harness/run.mjs'
import { Processes } from './checks/processes.mjs'

const waiting = Number(process.env.UMBEL_WAITING ?? 30000)
const [objects, growthMax] = [Math.min(1000, waiting / 10), 64]     /* MiB, reference 2.4: memory is bounded */
const run = openRun('fault.L05')

function fill (url, ...args) {
  const tool = path.join(process.env.UMBEL_BIN ?? path.join(buildDir(), 'bin'), 'bench_jobs')
  const child = spawn(tool, [url, 'fill', ...args].map(String), { stdio: 'inherit' })
  return new Promise((resolve, reject) => child.on('exit', code => code === 0 ? resolve() : reject(new Error(`bench_jobs ended with ${code}`))))
}

/* The service hears of each object its names in their order, one at a time. */
class Order {
  constructor () {
    this.last = new Map()
    this.busy = new Set()
    this.heard = 0
  }

  async take ({ object, name, before }) {
    assert.ok(!this.busy.has(object), `two jobs of ${object} at a time`)
    assert.equal(before, this.last.get(object) ?? '0', `${object}: ${name} out of its order`)
    this.busy.add(object)
    this.last.set(object, name)
    this.heard++
    await new Promise(resolve => setImmediate(resolve))
    this.busy.delete(object)
    return 204
  }
}

const mebibytes = core => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${core.pid}/status`, 'utf8'))[1]) / 1024

await run.story(`${waiting} jobs wait`, async () => {
  const cluster = await startCluster(run, {
    gateways: 0,
    redis: 'simple',
    balancer: false,
    coreProperties: { 'outgoing.allow': '127.0.0.0/8', 'operation.async.workers': 64 },
    env: { ASAN_OPTIONS: 'quarantine_size_mb=4:thread_local_quarantine_size_kb=64' }        /* what is freed counts as free */
  })
  const office = await openOffice(cluster.cores, ['Invoice'])
  const effects = await openEffects(run)
  const order = new Order()
  effects.answer = async (delivery, url) => url.startsWith('/many') ? await order.take(delivery) : 204
  effects.isKept = registration => registration === other
  const many = await office.register({ handler: effects.url('many'), classId: 'Invoice', action: 'UPDATE' })
  const other = await office.register({ handler: effects.url('other'), classId: 'Invoice', action: 'CREATE' })
  await office.done('POST', `/jobs/pause?registration=${many}`)
  const before = cluster.cores.map(mebibytes)
  await fill(cluster.postgres.url, waiting, 'Office', many, effects.url('many'), objects)
  assert.equal(await office.done('GET', `/jobs/waiting/count?registration=${many}`), waiting)
  await office.done('POST', `/jobs/resume?registration=${many}`)
  const began = performance.now()
  const delays = []
  const growth = [0, 0]
  await until('all are done', async () => {
    const [{ name }] = await office.done('POST', '/documents', { json: [{ name: `fresh${delays.length}`, data: { classId: 'Invoice' } }] })
    const answered = performance.now()
    if (order.heard < waiting) delays.push(await until('somebody else is served', () => effects.of(other).find(d => d.name === name)?.at - answered + 1 || 0))
    cluster.cores.forEach((core, i) => { growth[i] = Math.max(growth[i], mebibytes(core) - before[i]) })
    if (order.heard < waiting) return false      /* who counts a million rows again and again keeps them from being swept */
    const counts = await office.counts()
    assert.equal(counts.errors, 0, 'a job was given up')
    return Object.values(counts).every(n => n === 0)
  }, 60000 + waiting * 5, 200)
  const seconds = (performance.now() - began) / 1000
  assert.equal(order.heard, waiting, 'each is heard once')
  assert.equal(order.last.size, objects)
  for (const mib of growth) assert.ok(mib < growthMax, `a core grew by ${mib} MiB`)
  await new Processes(run, cluster).quiet(began)
  delays.sort((a, b) => a - b)
  console.log(`        ${Math.round(waiting / seconds)} jobs/s; cores grew by ${growth.map(Math.round)} MiB; a fresh job of somebody else waited ` +
    `${Math.round(delays[delays.length >> 1])} ms, ${Math.round(delays.at(-1))} at most, of ${delays.length}`)
  await effects.stop()
  await cluster.stop()
}, 60000 + waiting * 5)
await run.finish()
