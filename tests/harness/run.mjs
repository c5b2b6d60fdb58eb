/* One test program: stories in order, bounded waits, children that never outlive it, logs that stay when it fails.
 *
 *   const run = openRun('interop.provider4');
 *   await run.story('a promise kept', async () => { ... });
 *   await run.finish();                       // prints the result and ends the process
 *
 * Environment: UMBEL_BUILD build folder (logs go to UMBEL_BUILD/testlogs/<name>), UMBEL_SEED repeats a random run,
 * UMBEL_STORY=text runs only the stories whose name contains it. */
import fs from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeRandom } from './random.mjs'

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')

/* The build folder: given by CTest, else the newest of those that hold a core. */
export function buildDir () {
  if (process.env.UMBEL_BUILD) return path.resolve(process.env.UMBEL_BUILD)
  const age = dir => fs.statSync(path.join(dir, 'bin/umbel-core'), { throwIfNoEntry: false })?.mtimeMs ?? 0
  const all = ['debug', 'asan', 'release', 'tsan'].map(kind => path.join(root, 'build', kind))
  return all.sort((a, b) => age(b) - age(a))[0]
}

const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

/* Polls FN until it returns something true; its last error or answer is in the message when MS have passed. An error that says
 * isFinal ends it at once. */
export async function until (what, fn, ms = 15000, stepMs = 15) {
  const end = Date.now() + ms * slowness
  let last
  for (;;) {
    try {
      last = await fn()
      if (last) return last
    } catch (err) {
      if (err?.isFinal) throw err
      last = err
    }
    if (Date.now() >= end) throw new Error(`not within ${ms * slowness} ms: ${what} (last: ${describe(last)})`)
    await sleep(stepMs)
  }
}

/* Lets MS pass, for tests that promise that something does NOT happen meanwhile. */
export const pass = ms => sleep(ms)

/* Sanitizer builds and busy machines get more patience. */
export const slowness = Number(process.env.UMBEL_PATIENCE ?? 1)

function describe (value) {
  if (value instanceof Error) return value.message
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text && text.length > 300 ? text.slice(0, 300) + '...' : String(text)
}

export function openRun (name) {
  const seed = Number(process.env.UMBEL_SEED ?? Math.floor(Math.random() * 2 ** 31))
  const dir = path.join(buildDir(), 'testlogs', name)
  fs.rmSync(dir, { recursive: true, force: true })
  fs.mkdirSync(dir, { recursive: true })
  console.log(`${name}: UMBEL_SEED=${seed}`)
  return new Run(name, dir, seed)
}

class Run {
  constructor (name, dir, seed) {
    this.name = name
    this.dir = dir
    this.seed = seed
    this.random = makeRandom(seed)
    this.cleanups = []
    this.failures = []
    this.passed = 0
    this.dirs = 0
    for (const out of [process.stdout, process.stderr]) out.on('error', () => process.exit(1))   // nobody reads any more
    process.on('unhandledRejection', err => this.fail('an unhandled rejection', err))
    process.on('uncaughtException', err => this.fail('an uncaught exception', err))
    for (const sig of ['SIGTERM', 'SIGINT']) process.on(sig, () => this.abort(sig))
  }

  /* FN runs at the end, last registered first, whatever happened. */
  atEnd (fn) {
    this.cleanups.push(fn)
  }

  /* A folder of its own under the logs. */
  folder (label) {
    const dir = path.join(this.dir, `${label}-${++this.dirs}`)
    fs.mkdirSync(dir, { recursive: true })
    return dir
  }

  fail (title, err) {
    this.failures.push(title)
    console.log(`FAILED  ${title}\n        ${String(err?.stack ?? err).split('\n').join('\n        ')}`)
  }

  /* One story with a bound of its own; a failing one does not keep the others from running. */
  async story (title, fn, limitMs = 120000) {
    if (process.env.UMBEL_STORY && !title.includes(process.env.UMBEL_STORY)) return
    const started = Date.now()
    let timer
    const late = new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`not done within ${limitMs * slowness} ms`)), limitMs * slowness)
    })
    try {
      await Promise.race([fn(), late])
      this.passed++
      console.log(`ok      ${title} (${Date.now() - started} ms)`)
    } catch (err) {
      this.fail(title, err)
    } finally {
      clearTimeout(timer)
    }
  }

  async cleanUp () {
    for (const fn of this.cleanups.splice(0).reverse()) {
      try {
        await fn()
      } catch (err) {
        this.fail('cleaning up', err)
      }
    }
  }

  async abort (why) {
    this.fail('the run', new Error(`ended by ${why}`))
    await this.finish()
  }

  async finish () {
    await this.cleanUp()
    if (this.passed === 0 && this.failures.length === 0) this.fail('the run', new Error('no story ran'))
    console.log(`${this.name}: ${this.passed} stories passed, ${this.failures.length} failed`)
    if (this.failures.length > 0) {
      console.log(`logs: ${this.dir}\nrepeat with: UMBEL_SEED=${this.seed}`)
      process.exit(1)
    }
    fs.rmSync(this.dir, { recursive: true, force: true })
    process.exit(0)
  }
}
