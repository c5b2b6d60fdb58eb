/* A link of ours, driven by redis_tool (tests/integration/redis_tool.c).
 *
 *   const link = openLink(run, { 'spring.data.redis.url': redis.url });
 *   await link.ready();
 *   await link.do('SET', 'k', 'v')                      // { err: 'ok', reply: 'OK', epoch }
 *   await link.with('i').do('GET', 'k')                 // flags: see the tool
 *   link.subscribe('news');  link.messages              // [{ of, channel, text }]
 *   link.events                                         // [{ event, at, ... }] in order */
import { spawn } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import readline from 'node:readline'
import { buildDir, until } from './run.mjs'

const field = value => Buffer.from(String(value)).reduce((s, b) =>
  s + (/[\w.~:+*#-]/.test(String.fromCharCode(b)) ? String.fromCharCode(b) : '%' + b.toString(16).padStart(2, '0').toUpperCase()), '')

export function openLink (run, conf, env = {}) {
  return new Link(run, conf, env)
}

class Link {
  constructor (run, conf, env) {
    const tool = path.join(process.env.UMBEL_BIN ?? path.join(buildDir(), 'bin'), 'redis_tool')
    this.log = path.join(run.folder('link'), 'link.log')
    this.child = spawn(tool, Object.entries(conf).map(([k, v]) => `--${k}=${v}`), {
      stdio: ['pipe', 'pipe', fs.openSync(this.log, 'w')], env: { ...process.env, ...env }
    })
    this.events = []
    this.waiting = new Map()
    this.number = 0
    this.lines = 0                       /* of its output: the order in which the link told things */
    this.exit = null
    this.gone = new Promise(resolve => this.child.on('exit', (code, signal) => {
      this.exit = { code, signal }
      for (const w of this.waiting.values()) w({ err: 'the tool is gone' })
      resolve(this.exit)
    }))
    this.child.stdin.on('error', () => {})
    readline.createInterface({ input: this.child.stdout }).on('line', line => this.take(JSON.parse(line)))
    run.atEnd(() => this.child.kill('SIGKILL'))
  }

  take (o) {
    this.lines++
    if (o.event !== undefined) {
      this.events.push({ ...o, at: Date.now(), order: this.lines })
      return
    }
    this.waiting.get(o.id)(o, this.lines)
    this.waiting.delete(o.id)
  }

  call (...fields) {
    return new Promise(resolve => {
      this.waiting.set(++this.number, (answer, order) => resolve(Object.defineProperty(answer, 'order', { value: order })))
      this.send(this.number, ...fields)
    })
  }

  send (...fields) {
    this.child.stdin.write(fields.map(field).join('\t') + '\n')
  }

  with (flags) {
    return { do: (...args) => this.call('do', flags, ...args) }
  }

  do (...args) { return this.call('do', '-', ...args) }
  eval (key) { return this.call('eval', '-', key) }
  burst (count, key) { return this.call('burst', count, key) }
  stats () { return this.call('stats') }
  quarantine (key) { this.send(0, 'quarantine', key) }
  subscribe (name) { this.send(0, 'sub', name) }
  psubscribe (name) { this.send(0, 'psub', name) }
  unsubscribe (name) { this.send(0, 'unsub', name) }

  get messages () { return this.events.filter(e => e.event === 'message') }
  count (event) { return this.events.filter(e => e.event === event).length }

  async ready () {
    await until('the link is ready', async () => {
      if (this.exit !== null) throw new Error(`redis_tool is gone: ${this.output().slice(-2000)}`)
      return (await this.stats()).state === 'READY'
    }, 20000)
  }

  /* NAME's subscription works for the Nth time. */
  async live (name, times = 1) {
    await until(`${name} is live`, () => this.events.filter(e => e.event === 'live' && e.of === name).length >= times)
  }

  output () {
    return fs.readFileSync(this.log, 'utf8')
  }

  /* Ends it; a leak found by the sanitizer is an exit status. */
  async close () {
    this.child.stdin.end()
    await this.gone
    if (this.exit.code !== 0) throw new Error(`redis_tool ended with ${JSON.stringify(this.exit)}: ${this.output().slice(-4000)}`)
  }
}
