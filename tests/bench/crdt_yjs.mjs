// The work of bench_crdt, made and measured with real yjs.
//
//   node crdt_yjs.mjs --out FILE [--trace automerge-paper.json.gz]
//
// Replays an editing trace (--trace, or UMBEL_TRACES as a directory or file; else a generated one of the same shape,
// which the case's name tells) with yjs, writes the updates it emits to FILE, each behind its length as lib0's uint,
// and prints the figures of yjs doing what bench_crdt does. Last line on stderr: the name of the case.
import { readFileSync, writeFileSync, existsSync, statSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'

const args = Object.fromEntries(process.argv.slice(2).join(' ').split('--').filter(Boolean).map(a => a.trim().split(/[ =]/)))
const require = createRequire(join(resolve(process.env.YJS_HOME ?? join(import.meta.dirname ?? '.', '..')), 'package.json'))
const Y = require('yjs')
const version = JSON.parse(readFileSync(require.resolve('yjs/package.json'))).version

const tracePath = () => {
  const given = args.trace ?? process.env.UMBEL_TRACES
  if (given === undefined || given === '') return null
  const file = existsSync(given) && statSync(given).isDirectory() ? join(given, 'automerge-paper.json.gz') : given
  return existsSync(file) ? file : null
}

// One author who mostly goes on typing, sometimes jumps, sometimes takes back a few: shares as in the recorded trace.
const generatedTrace = () => {
  let seed = 4711
  const random = () => { seed = (seed * 1103515245 + 12345) % 2147483648; return seed / 2147483648 }
  const patches = []
  let length = 0
  let at = 0
  let burst = 0
  for (let i = 0; i < 259778; i++) {
    if (random() < 0.007) at = Math.floor(random() * (length + 1))
    if (burst === 0 && random() < 0.028) burst = 15
    if (burst > 0) burst--
    if (burst > 0 && at > 0) { patches.push([--at, 1, '']); length-- } else { patches.push([at++, 0, String.fromCharCode(97 + Math.floor(random() * 26))]); length++ }
  }
  return patches
}

const path = tracePath()
const name = path === null ? 'B4-generated' : 'B4'
const patches = path === null ? generatedTrace() : JSON.parse(gunzipSync(readFileSync(path))).txns.flatMap(t => t.patches)

const print = (what, metric, unit, values) => console.log(JSON.stringify({
  bench: 'crdt', case: `${name}-${what}`, subject: 'yjs', metric, unit,
  value: Number([...values].sort((a, b) => a - b)[values.length >> 1].toFixed(4)), runs: values.length, versions: { yjs: version, node: process.version }
}))
const userMs = f => { const start = process.cpuUsage(); f(); return process.cpuUsage(start).user / 1000 }
const times = (n, f) => Array.from({ length: n }, f)

const author = new Y.Doc()
author.clientID = 1234567
const updates = []
author.on('update', u => updates.push(u))
const text = author.getText('text')
for (const [at, deleted, inserted] of patches) {
  author.transact(() => {
    if (deleted > 0) text.delete(at, deleted)
    if (inserted.length > 0) text.insert(at, inserted)
  })
}
const uint = n => { const b = []; for (; n >= 128; n = Math.floor(n / 128)) b.push(n % 128 + 128); b.push(n); return Buffer.from(b) }
if (args.out !== undefined) writeFileSync(args.out, Buffer.concat(updates.flatMap(u => [uint(u.length), u])))

let doc
const apply = times(3, () => userMs(() => {
  doc = new Y.Doc()
  doc.on('update', () => {})
  for (const u of updates) Y.applyUpdate(doc, u)
}))
print('apply', 'user_cpu', 'ms', apply)
print('relay', 'user_cpu_per_update', 'us', apply.map(ms => ms * 1000 / updates.length))
const state = Y.encodeStateAsUpdate(doc)
print('parse', 'user_cpu', 'ms', times(3, () => userMs(() => { doc = new Y.Doc(); Y.applyUpdate(doc, state) })))
print('encode', 'user_cpu', 'ms', times(3, () => userMs(() => { for (let i = 0; i < 10; i++) Y.encodeStateAsUpdate(doc) }) / 10))
print('merge-5000', 'user_cpu', 'ms', times(3, () => userMs(() => Y.mergeUpdates(updates.slice(0, 5000)))))
console.error(name)
