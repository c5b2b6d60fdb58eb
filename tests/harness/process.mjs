/* A child process with its output in a file. It is ended by its id, at the latest when the run ends. */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import { until } from './run.mjs'

export class Child {
  constructor (run, label, command, args, { env = {}, cwd, log }) {
    this.label = label
    this.log = log
    const out = fs.openSync(log, 'a')
    fs.writeSync(out, `--- ${[command, ...args].join(' ')}\n`)
    this.process = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', out, out] })
    fs.closeSync(out)
    this.pid = this.process.pid
    this.exit = null                     /* { code, signal } once it is gone */
    this.gone = new Promise(resolve => {
      this.process.on('error', err => resolve(this.exit = { code: null, signal: null, error: err.message }))
      this.process.on('exit', (code, signal) => resolve(this.exit = { code, signal }))
    })
    run.atEnd(() => this.end('SIGKILL'))
  }

  /* Sends SIGNAL and waits for the end; returns { code, signal }. */
  async end (signal = 'SIGTERM', ms = 20000) {
    if (this.exit === null) this.process.kill(signal)
    await until(`${this.label} ends after ${signal}`, () => this.exit !== null, ms)
    return this.exit
  }

  signal (name) {
    this.process.kill(name)
  }

  output () {
    return fs.readFileSync(this.log, 'utf8')
  }

  assertAlive () {
    if (this.exit !== null) {
      const err = new Error(`${this.label} is gone: ${JSON.stringify(this.exit)}\n${this.output().slice(-2000)}`)
      throw Object.assign(err, { isFinal: true })       /* nothing that is polled for will come */
    }
  }
}
