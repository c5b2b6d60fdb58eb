// What other libraries cost on the work that crdt_inputs.mjs wrote: one case of one subject per process.
//
//   node --expose-gc crdt_peer.mjs --dir DIR --subject yjs|ywasm|loro --case NAME [--quick]
//   node crdt_peer.mjs --list
//
// Prints one JSON line per figure, as bench_crdt does; user CPU time of the process, its collector and compiler included.
// loro has a format of its own: its lines say so, and cases that need Yjs updates leave it out.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(import.meta.url)
const option = name => { const at = process.argv.indexOf('--' + name); return at < 0 ? undefined : process.argv[at + 1] }
const dir = option('dir')
const subject = option('subject')
const quick = process.argv.includes('--quick')

// ---- inputs -----------------------------------------------------------------------------------------------------

const file = name => readFileSync(join(dir, name))
const reader = b => {
  let at = 0
  const uint = () => { let v = 0; for (let m = 1; ; m *= 128) { const x = b[at++]; v += (x & 127) * m; if (x < 128) return v } }
  const bytes = () => { const n = uint(); return new Uint8Array(b.subarray(at, at += n)) }
  return { more: () => at < b.length, uint, bytes, string: () => Buffer.from(bytes()).toString() }
}
const list = name => { const r = reader(file(name)); const all = []; while (r.more()) all.push(r.bytes()); return all }
const patches = name => { const r = reader(file(name)); const all = []; while (r.more()) all.push([r.uint(), r.uint(), r.string()]); return all }

// ---- subjects ---------------------------------------------------------------------------------------------------

const edit = (text, [at, deleted, inserted]) => {
  if (deleted > 0) text.delete(at, deleted)
  if (inserted.length > 0) text.insert(at, inserted)
}

const yjs = () => {
  const Y = require('yjs')
  return {
    create (clientId, heard) {
      const doc = new Y.Doc()
      if (clientId !== undefined) doc.clientID = clientId
      if (heard !== undefined) doc.on('update', u => heard(u))
      const text = doc.getText('text')
      return {
        edit: p => doc.transact(() => edit(text, p)),
        editAll: all => doc.transact(() => { for (const p of all) edit(text, p) }),
        apply: u => Y.applyUpdate(doc, u, 'net'),
        applyAll: all => doc.transact(() => { for (const u of all) Y.applyUpdate(doc, u, 'net') }),
        applyV2: u => Y.applyUpdateV2(doc, u),
        encode: () => Y.encodeStateAsUpdate(doc),
        encodeV2: () => Y.encodeStateAsUpdateV2(doc),
        content: () => text.toString()
      }
    },
    merge: all => Y.mergeUpdates(all)
  }
}

const ywasm = () => {
  const Y = require('ywasm')
  return {
    create (clientId, heard) {
      const doc = new Y.YDoc(clientId === undefined ? {} : { clientID: clientId })
      const text = doc.getText('text')
      if (heard !== undefined) doc.onUpdate(u => heard(u))
      const inside = f => { const t = doc.beginTransaction(); try { f(t) } finally { t.commit(); t.free() } }
      const one = (t, [at, deleted, inserted]) => {
        if (deleted > 0) text.delete(at, deleted, t)
        if (inserted.length > 0) text.insert(at, inserted, undefined, t)
      }
      return {
        edit: p => inside(t => one(t, p)),
        editAll: all => inside(t => { for (const p of all) one(t, p) }),
        apply: u => Y.applyUpdate(doc, u, 'net'),
        applyAll: all => inside(t => { for (const u of all) t.applyV1(u) }),
        applyV2: u => Y.applyUpdateV2(doc, u, 'net'),
        encode: () => Y.encodeStateAsUpdate(doc),
        encodeV2: () => Y.encodeStateAsUpdateV2(doc),
        content: () => text.toString()
      }
    }
  }
}

const loro = () => {
  const { LoroDoc } = require('loro-crdt')
  return {
    own: true,
    create (clientId, heard) {
      const doc = new LoroDoc()
      if (clientId !== undefined) doc.setPeerId(BigInt(clientId))
      const text = doc.getText('text')
      if (heard !== undefined) doc.subscribeLocalUpdates(u => heard(u))
      return {
        edit: p => { edit(text, p); doc.commit() },
        editAll: all => { for (const p of all) edit(text, p); doc.commit() },
        apply: u => doc.import(u),
        encode: () => doc.export({ mode: 'snapshot' }),
        content: () => text.toString()
      }
    }
  }
}

// ---- measuring --------------------------------------------------------------------------------------------------

const userMs = f => { const start = process.cpuUsage(); f(); return process.cpuUsage(start).user / 1000 }
const median = values => [...values].sort((a, b) => a - b)[values.length >> 1]
const times = (n, f) => Array.from({ length: n }, f)
// As often as takes a quarter of a second, at most N times.
const perCall = (n, f) => {
  let done = 0
  const ms = userMs(() => { for (const end = performance.now() + 250; done < n && (done === 0 || performance.now() < end); done++) f() })
  return ms / done
}
const runs = quick ? 1 : 3
const residentMb = () => { for (let i = 0; i < 4; i++) globalThis.gc(); return process.memoryUsage().rss / 1e6 }

const print = (name, metric, unit, values) => {
  const versions = { [subject]: JSON.parse(readFileSync(require.resolve(subject === 'loro' ? 'loro-crdt/package.json' : `${subject}/package.json`))).version, node: process.version }
  console.log(JSON.stringify({ bench: 'crdt', case: name, subject, ...(subject === 'loro' ? { format: 'loro' } : {}), metric, unit, value: Number(median(values).toFixed(4)), runs: values.length, versions }))
}

// The state that PEER loads: loro makes its own first.
const stored = peer => {
  if (!peer.own) return file('state.v1')
  const doc = peer.create(1234567)
  doc.editAll(patches('patches'))
  return doc.encode()
}

const SMALL = 2000
const B4 = {
  edits (peer, name) {
    const all = patches('patches')
    let bytes = 0
    print(`${name}-edits`, 'user_cpu', 'ms', times(subject === 'ywasm' ? 1 : runs, () => userMs(() => {
      const doc = peer.create(1234567, u => { bytes += u.length })
      for (const p of all) doc.edit(p)
    })))
    if (bytes === 0) throw new Error('no updates')
  },
  relay (peer, name) {
    const all = list('updates')
    let heard = 0
    const ms = times(subject === 'ywasm' ? 1 : runs, () => userMs(() => {
      const doc = peer.create(undefined, () => { heard++ })
      for (const u of all) doc.apply(u)
    }))
    if (heard === 0) throw new Error('no events')
    print(`${name}-apply`, 'user_cpu', 'ms', ms)
    print(`${name}-relay`, 'user_cpu_per_update', 'us', ms.map(x => x * 1000 / all.length))
  },
  parse (peer, name) {
    const state = stored(peer)
    const parse = f => times(runs, () => perCall(10, f))
    print(`${name}-parse`, 'user_cpu', 'ms', parse(() => { const doc = peer.create(); doc.apply(state); if (peer.own) doc.content() }))
    if (peer.own) return
    const v2 = file('state.v2')
    print(`${name}-parse-v2`, 'user_cpu', 'ms', parse(() => peer.create().applyV2(v2)))
  },
  encode (peer, name) {
    const doc = peer.create()
    doc.apply(stored(peer))
    print(`${name}-encode`, 'user_cpu', 'ms', times(runs, () => perCall(100, () => doc.encode())))
    if (!peer.own) print(`${name}-encode-v2`, 'user_cpu', 'ms', times(runs, () => perCall(100, () => doc.encodeV2())))
  },
  memory (peer, name) {
    const state = stored(peer)
    const one = peer.create()
    one.apply(state)                     // code is compiled, tables are made
    const before = residentMb()
    const held = times(quick ? 60 : 10, () => { const doc = peer.create(); doc.apply(state); return doc })
    print(`${name}-memory-loaded`, 'resident', 'MB', [(residentMb() - before) / held.length])
    if (one.content() !== held[0].content()) throw new Error('the documents differ')       // and all are alive
  }
}

const RELAYED = { 10: 30000, 100: 10000, 1000: 2000, 10000: 300 }         // of present-N: enough to measure
const relayAmongClients = n => peer => {
  const before = list(`past-${n}`)
  const now = list(`present-${n}`).slice(0, RELAYED[n] / (quick ? 10 : 1))
  const doc = peer.create(undefined, () => {})
  doc.applyAll(before)
  print(`clients-relay-${n}`, 'user_cpu_per_update', 'us', [userMs(() => { for (const u of now) doc.apply(u) }) * 1000 / now.length])
}

const CASES = {
  ...Object.fromEntries(Object.entries(B4).map(([name, f]) => [name, peer => f(peer, file('name').toString())])),
  'relay-10': relayAmongClients(10),
  'relay-100': relayAmongClients(100),
  'relay-1000': relayAmongClients(1000),
  'relay-10000': relayAmongClients(10000),
  merge (peer) {
    if (peer.merge === undefined) return
    const keystrokes = list('updates').slice(0, 5000)
    const clients = list('merge-clients')
    print(`${file('name')}-merge-5000`, 'user_cpu', 'ms', times(runs, () => userMs(() => peer.merge(keystrokes))))
    print('clients-merge-4000', 'user_cpu', 'ms', times(runs, () => userMs(() => peer.merge(clients))))
  },
  'b2.4' (peer) {
    const all = [0, 1, 2].map(k => patches(`b2.4-${k}`))
    print('B2.4-edits', 'user_cpu', 'ms', times(runs, () => {
      let one, two
      let from = null
      const to = (me, other) => u => { if (from === null) { from = me; other().apply(u); from = null } }
      one = peer.create(1, to(1, () => two))
      two = peer.create(2, to(2, () => one))
      one.editAll(all[0])
      const ms = userMs(() => { one.editAll(all[1]); two.editAll(all[2]) })
      if (one.content() !== two.content()) throw new Error('the documents differ')
      return ms
    }))
  },
  'b3.5' (peer) {
    const all = list('b3.5')
    print('B3.5-apply', 'user_cpu', 'ms', times(runs, () => { const doc = peer.create(1); return userMs(() => doc.applyAll(all)) }))
  },
  'same-place' (peer) {
    const all = list('same-place').slice(0, quick ? 2000 : 10000)
    print(`clients-same-place-${all.length}`, 'user_cpu', 'ms', [userMs(() => { const doc = peer.create(1); for (const u of all) doc.apply(u) })])
  },
  small (peer) {
    const first = peer.create(1)
    first.edit([0, 0, 'hello'])
    const state = first.encode()
    const before = residentMb()
    const held = times(SMALL, () => { const doc = peer.create(); doc.apply(state); return doc })
    print('small-memory', 'resident', 'KB', [(residentMb() - before) * 1e3 / held.length])
  },
  garbage (peer) {
    const ms = list('garbage').map(b => {
      const doc = peer.create()
      return userMs(() => { try { doc.apply(b) } catch { /* refused */ } })
    })
    print('garbage-apply', 'user_cpu_per_mb', 'ms', [Math.max(...ms)])
  }
}
const OWN = new Set(['edits', 'parse', 'encode', 'memory', 'small'])        // what loro takes part in

if (process.argv.includes('--list')) {
  for (const name of Object.keys(CASES)) for (const s of ['yjs', 'ywasm', 'loro']) if (s !== 'loro' || OWN.has(name)) console.log(`${s} ${name}`)
} else CASES[option('case')]({ yjs, ywasm, loro }[subject]())
