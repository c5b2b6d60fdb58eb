/* The peer of jobs.mjs: BullMQ, as a shop would use it: a process that adds, one that works, a Redis between them. The same words as
 * bench_jobs; the same work: a processor that does nothing, 64 jobs at a time, finished jobs are removed. steady: in one process, as
 * bench_jobs is, 64 jobs on their way, the next one is added when one is done.
 *   jobs_bullmq.mjs PORT fill N | drain SECONDS | steady SECONDS | latency N
 * One JSON object a line. CPU is of both processes. */
import { fork } from 'node:child_process'
import { Queue, Worker } from 'bullmq'
import { billBetween, billOf } from './measure.mjs'

const [port, mode, amount] = process.argv.slice(2)
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null }
const together = 64
const n = Number(amount)
const queueOf = name => new Queue(name, { connection, defaultJobOptions: { removeOnComplete: true, attempts: 5, backoff: { type: 'exponential', delay: 1000 } } })
const payload = i => ({ component: { id: `o${i}`, name: "a body of some hundred bytes, as a component's is" } })
const us = () => Number(process.hrtime.bigint() / 1000n)           /* one clock for both processes */

/* ---- who works ---- */

if (mode === 'worker') {
  let done = 0
  const worker = new Worker(amount, async job => { if (job.name === 'timed') process.send({ began: us() }) }, { connection, concurrency: together })
  worker.on('completed', () => done++)
  worker.on('error', err => { throw err })
  await worker.waitUntilReady()
  process.on('message', () => process.send({ done }))
  process.send({ ready: true })
}

async function startWorker (queue) {
  const child = fork(new URL(import.meta.url).pathname, [port, 'worker', queue])
  const next = () => new Promise(resolve => child.once('message', resolve))
  await next()
  return { pid: child.pid, next, done: async () => { child.send('?'); return (await next()).done }, end: () => child.kill() }
}

/* ---- who adds ---- */

function say (metric, unit, value) {
  console.log(JSON.stringify({ metric, unit, value: Math.round(value * 10) / 10 }))
}

async function fill () {
  const queue = queueOf('bench')
  for (let i = 0; i < n; i += 500) await queue.addBulk(Array.from({ length: Math.min(500, n - i) }, (_, k) => ({ name: 'job', data: payload(i + k) })))
}

function tellRate (done, began, bill, pids) {
  say('jobs', '', done)
  say('throughput', 'jobs/s', done * 1e6 / (us() - began))
  say('cpu', 'us/job', billBetween(bill, billOf(pids)).cpu * 1e6 / Math.max(done, 1))
}

async function drain () {
  const worker = await startWorker('bench')
  const pids = [process.pid, worker.pid]
  const [bill, from, began] = [billOf(pids), await worker.done(), us()]
  await new Promise(resolve => setTimeout(resolve, n * 1000))
  tellRate(await worker.done() - from, began, bill, pids)
  worker.end()
}

async function steady () {
  const queue = queueOf('steady')
  const worker = new Worker('steady', async () => {}, { connection, concurrency: together })
  await worker.waitUntilReady()
  const [bill, began] = [billOf([process.pid]), us()]
  const until = began + n * 1e6
  let done = 0
  worker.on('completed', () => {
    done++
    if (us() < until) queue.add('job', payload(done))
  })
  for (let i = 0; i < together; i++) queue.add('job', payload(i))
  await new Promise(resolve => setTimeout(resolve, n * 1000))
  tellRate(done, began, bill, [process.pid])
  await worker.close()
}

async function latency () {
  const queue = queueOf('fresh')
  const worker = await startWorker(queue.name)
  const all = []
  for (let i = 0; i < n; i++) {
    const began = worker.next()
    await queue.add('timed', payload(i))
    const answered = us()
    all.push(Math.max(0, (await began).began - answered))
  }
  all.sort((a, b) => a - b)
  say('median', 'us', all[n >> 1])
  say('p99', 'us', all[Math.floor(n * 0.99)])
  worker.end()
}

const modes = { fill, drain, steady, latency }
if (modes[mode]) {
  await modes[mode]()
  process.exit(0)
}
