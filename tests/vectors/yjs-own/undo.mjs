// Undo vectors: what yjs' UndoManager does to random documents. Writes DIR/undo-*.json.
//
//     node undo.mjs [--out DIR] [--seed N] [--random N] [--only REGEX]
//
// A file: `client`, `gc`, `roots`, `scope` (root names, or "doc"), `tracked` (origins; null is the usual one),
// `timeout`, `ignore_remote_map_changes`, and `ops`. Each op has `now` (milliseconds), `origin`, what it does, and what
// came of it: `emits` (updates v1, base64), `undo` and `redo` (lengths of the stacks), `result` (of undo and redo: was something popped?). Kinds: those of the edit vectors (see
// ../yjs/README.md; a new type is {"$":"new","kind":…}), `transact` (several edits in `ops`), `remote` (`update` of
// another client), `undo`, `redo`, `stop`, `clear` (`undo_stack`, `redo_stack`). After all: `state_v1`, `json`.
// Paths (`at`): root name, then keys or indices. The same options give the same bytes.
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

let now = 1000
Date.now = () => now                       // before yjs is loaded: lib0 keeps the function
const here = path.dirname(fileURLToPath(import.meta.url))
const home = process.env.YJS_HOME ?? path.join(here, '../..')
const Y = await import(pathToFileURL(createRequire(path.join(home, 'x.js')).resolve('yjs')).href.replace('.cjs', '.mjs'))

const args = Object.fromEntries(process.argv.slice(2).map((a, i, all) => a.startsWith('--') ? [a.slice(2), all[i + 1]] : null).filter(Boolean))
const out = args.out ?? here
const seed = Number(args.seed ?? 1)
const only = new RegExp(args.only ?? '')

const b64 = u => Buffer.from(u).toString('base64')
const rng = s => () => { s = (s + 0x6d2b79f5) | 0; let t = Math.imul(s ^ (s >>> 15), 1 | s); t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t; return ((t ^ (t >>> 14)) >>> 0) / 4294967296 }

const CTOR = { Text: Y.Text, Array: Y.Array, Map: Y.Map, XmlText: Y.XmlText, XmlElement: Y.XmlElement, XmlFragment: Y.XmlFragment }
const ROOTS = { t: 'Text', a: 'Array', m: 'Map', x: 'XmlFragment' }
const built = v => v !== null && typeof v === 'object' && v.$ === 'new' ? new CTOR[v.kind](...(v.kind === 'XmlElement' ? [v.name] : [])) : v
const find = (doc, at) => at.slice(1).reduce((t, k) => t.get(k), doc.get(at[0], CTOR[ROOTS[at[0]]]))

const EDITS = {
  'text.insert': (t, o) => t.insert(o.index, o.text, o.attrs),
  'text.delete': (t, o) => t.delete(o.index, o.n),
  'text.format': (t, o) => t.format(o.index, o.n, o.attrs),
  'text.embed': (t, o) => t.insertEmbed(o.index, built(o.value), {}),
  'list.insert': (t, o) => t.insert(o.index, o.values.map(built)),
  'list.delete': (t, o) => t.delete(o.index, o.n),
  'map.set': (t, o) => (t instanceof Y.XmlElement ? t.setAttribute(o.key, built(o.value)) : t.set(o.key, built(o.value))),
  'map.delete': (t, o) => (t instanceof Y.XmlElement ? t.removeAttribute(o.key) : t.delete(o.key))
}

// Where the scope is the document yjs counts transactions that change nothing; nobody wants that.
const changes = tr => tr.deleteSet.clients.size > 0 || [...tr.afterState].some(([c, k]) => k !== (tr.beforeState.get(c) ?? 0))

class Case {
  constructor (name, opts = {}) {
    Object.assign(this, { client: 5, gc: true, scope: ['t', 'a', 'm', 'x'], tracked: [null], timeout: 500, ignore: false }, opts)
    now = 1000
    this.name = name
    this.ops = []
    this.doc = new Y.Doc({ gc: this.gc, guid: 'undo' })
    this.doc.clientID = this.client
    this.peer = new Y.Doc({ gc: this.gc, guid: 'undo' })
    this.peer.clientID = this.client > 3 ? 3 : 9
    for (const d of [this.doc, this.peer]) for (const [n, k] of Object.entries(ROOTS)) d.get(n, CTOR[k])
    this.emits = []
    this.doc.on('update', u => this.emits.push(b64(u)))
    this.manager = new Y.UndoManager(this.scope === 'doc' ? this.doc : this.scope.map(n => this.doc.get(n)), {
      captureTimeout: this.timeout, ignoreRemoteMapChanges: this.ignore, trackedOrigins: new Set(this.tracked),
      captureTransaction: changes
    })
  }

  edit (doc, o) { EDITS[o.op](find(doc, o.at), o) }

  run (o) {
    const u = this.manager
    let result
    now = o.now
    this.emits = []
    switch (o.op) {
      case 'undo': result = u.undo() !== null; break
      case 'redo': result = u.redo() !== null; break
      case 'stop': u.stopCapturing(); break
      case 'clear': u.clear(o.undo_stack, o.redo_stack); break
      case 'remote': Y.applyUpdate(this.doc, Buffer.from(o.update, 'base64'), 'net'); break
      case 'transact': this.doc.transact(() => o.ops.forEach(e => this.edit(this.doc, e)), o.origin); break
      default: this.doc.transact(() => this.edit(this.doc, o), o.origin)
    }
    this.ops.push({ ...o, emits: this.emits, undo: u.undoStack.length, redo: u.redoStack.length, ...(result === undefined ? {} : { result }) })
  }

  // what the peer does is told as one update
  remote (f) {
    Y.applyUpdate(this.peer, Y.encodeStateAsUpdate(this.doc), 'net')
    const sv = Y.encodeStateVector(this.peer)
    const before = Y.encodeStateAsUpdate(this.peer)
    this.peer.transact(() => f(this.peer))
    if (b64(before) !== b64(Y.encodeStateAsUpdate(this.peer))) this.run({ op: 'remote', now: now + 10, update: b64(Y.encodeStateAsUpdate(this.peer, sv)) })
  }

  write () {
    if (!only.test(this.name)) return
    const json = Object.fromEntries(Object.keys(ROOTS).map(n => [n, this.doc.get(n).toJSON()]))
    const { client, gc, scope, tracked, timeout, ignore, ops } = this
    fs.writeFileSync(path.join(out, `undo-${this.name}.json`), JSON.stringify({ client, gc, roots: ROOTS, scope, tracked, timeout, ignore_remote_map_changes: ignore, ops, state_v1: b64(Y.encodeStateAsUpdate(this.doc)), json }) + '\n')
  }
}

// ---- random sessions ----

const session = (name, s, count) => {
  const r = rng(s)
  const int = n => Math.floor(r() * n)
  const pick = l => l[int(l.length)]
  const c = new Case(name, {
    client: pick([2, 5, 700]), gc: r() < 0.8, timeout: pick([0, 500, 500]), ignore: r() < 0.3,
    scope: r() < 0.15 ? 'doc' : r() < 0.3 ? [pick(['t', 'a', 'm', 'x'])] : ['t', 'a', 'm', 'x'], tracked: r() < 0.5 ? [null] : r() < 0.5 ? ['me'] : [null, 'me']
  })
  let word = 0
  const attrs = () => pick([{ b: true }, { b: null }, { i: 1 }, { i: null }, { c: 'x' }])
  const scalar = () => pick([word++, 'v' + word++, true, null, [1, 'z'], { k: 1 }])
  const fresh = kinds => { const kind = pick(kinds); return { $: 'new', kind, ...(kind === 'XmlElement' ? { name: pick(['p', 'q']) } : {}) } }
  const edit = doc => {                    // one edit at a random place of DOC's present
    let at = [pick(['t', 't', 'a', 'm', 'x'])]
    for (;;) {
      const t = find(doc, at)
      const go = r() < 0.5
      if (t instanceof Y.Text) {
        const n = t.length
        const k = int(10)
        if (k < 4 || n === 0) return { op: 'text.insert', at, index: int(n + 1), text: pick(['ab', 'x', 'héé', '😀', 'word ']) + word++, ...(r() < 0.25 ? { attrs: attrs() } : {}) }
        const index = int(n)
        if (k < 7) return { op: 'text.delete', at, index, n: 1 + int(Math.min(6, n - index)) }
        if (k < 9) return { op: 'text.format', at, index, n: 1 + int(Math.min(6, n - index)), attrs: attrs() }
        return { op: 'text.embed', at, index, value: { e: word++ } }
      }
      if (t instanceof Y.Array) {
        const nested = t.toArray().map((v, i) => v instanceof Y.AbstractType ? i : -1).filter(i => i >= 0)
        if (go && nested.length) { at = [...at, pick(nested)]; continue }
        if (t.length > 0 && r() < 0.4) { const index = int(t.length); return { op: 'list.delete', at, index, n: 1 + int(Math.min(3, t.length - index)) } }
        return { op: 'list.insert', at, index: int(t.length + 1), values: r() < 0.3 ? [fresh(['Map', 'Array', 'Text'])] : Array.from({ length: 1 + int(3) }, scalar) }
      }
      if (t instanceof Y.Map) {
        const nested = [...t.entries()].filter(([, v]) => v instanceof Y.AbstractType).map(([k]) => k)
        if (go && nested.length) { at = [...at, pick(nested)]; continue }
        const key = pick(['k', 'l', 'n'])
        if (r() < 0.3) return { op: 'map.delete', at, key }
        return { op: 'map.set', at, key, value: r() < 0.3 ? fresh(['Map', 'Array', 'Text']) : scalar() }
      }
      const nested = t.toArray().map((_, i) => i)
      if (go && nested.length) { at = [...at, pick(nested)]; continue }
      if (t instanceof Y.XmlElement && r() < 0.4) return r() < 0.3 ? { op: 'map.delete', at, key: 'id' } : { op: 'map.set', at, key: pick(['id', 'cl']), value: 'v' + word++ }
      if (t.length > 0 && r() < 0.35) { const index = int(t.length); return { op: 'list.delete', at, index, n: 1 + int(Math.min(2, t.length - index)) } }
      return { op: 'list.insert', at, index: int(t.length + 1), values: [fresh(['XmlElement', 'XmlText'])] }
    }
  }
  for (let i = 0; i < count; i++) {
    const k = int(20)
    const at = now + pick([1, 20, 100, 600])
    const origin = pick([null, null, 'me', 'other'])
    if (k < 9) c.run({ ...edit(c.doc), now: at, origin })
    else if (k < 11) {                     // several: the edits that fit the present, tried on a copy
      const copy = new Y.Doc({ gc: false })
      const ops = []
      Object.entries(ROOTS).forEach(([n, kind]) => copy.get(n, CTOR[kind]))
      Y.applyUpdate(copy, Y.encodeStateAsUpdate(c.doc))
      for (let n = 2 + int(3); n > 0; n--) { const e = edit(copy); c.edit(copy, e); ops.push(e) }
      c.run({ op: 'transact', now: at, origin, ops })
    } else if (k < 13) c.remote(d => { for (let n = 1 + int(3); n > 0; n--) c.edit(d, edit(d)) })
    else if (k < 16) c.run({ op: 'undo', now: at })
    else if (k < 18) c.run({ op: 'redo', now: at })
    else if (k < 19) c.run({ op: 'stop', now: at })
    else if (r() < 0.3) c.run({ op: 'clear', now: at, undo_stack: r() < 0.7, redo_stack: r() < 0.7 })
  }
  while (r() < 0.9 && c.manager.canUndo()) c.run({ op: 'undo', now: now + 1 })
  while (r() < 0.8 && c.manager.canRedo()) c.run({ op: 'redo', now: now + 1 })
  c.write()
}

// ---- sessions with a point ----

const solo = (name, ops, opts) => { const c = new Case(name, opts); ops(c, o => c.run({ now: now + 600, origin: null, ...o })); c.write() }
const set = (at, key, value) => ({ op: 'map.set', at, key, value })

solo('type-and-undo', (c, run) => {
  run({ op: 'text.insert', at: ['t'], index: 0, text: 'hello' })
  run({ op: 'text.insert', at: ['t'], index: 5, text: ' world', now: now + 10 })
  run({ op: 'text.delete', at: ['t'], index: 2, n: 6 })
  run({ op: 'undo' }); run({ op: 'undo' }); run({ op: 'redo' }); run({ op: 'redo' }); run({ op: 'undo' })
})
solo('nested-comes-back', (c, run) => {
  run(set(['m'], 'k', { $: 'new', kind: 'Map' }))
  run(set(['m', 'k'], 'a', { $: 'new', kind: 'Array' }))
  run({ op: 'list.insert', at: ['m', 'k', 'a'], index: 0, values: [1, 2, { $: 'new', kind: 'Text' }] })
  run({ op: 'text.insert', at: ['m', 'k', 'a', 2], index: 0, text: 'deep' })
  run({ op: 'map.delete', at: ['m'], key: 'k' })
  run({ op: 'undo' })
  run({ op: 'text.insert', at: ['m', 'k', 'a', 2], index: 4, text: 'er' })
  run({ op: 'undo' }); run({ op: 'redo' }); run({ op: 'redo' }); run({ op: 'undo' }); run({ op: 'undo' })
})
for (const ignore of [false, true]) {
  solo(`remote-map-change-${ignore ? 'overwritten' : 'kept'}`, (c, run) => {
    run(set(['m'], 'k', 1)); run(set(['m'], 'k', 2))
    c.remote(d => d.getMap('m').set('k', 'theirs'))
    run({ op: 'undo' }); run({ op: 'undo' }); run({ op: 'redo' })
  }, { ignore })
}
solo('map-back-and-forth', (c, run) => {
  for (const v of [1, 2, 3]) run(set(['m'], 'k', v))
  for (let i = 0; i < 3; i++) run({ op: 'undo' })
  for (let i = 0; i < 3; i++) run({ op: 'redo' })
  run({ op: 'undo' }); run(set(['m'], 'k', 4)); run({ op: 'undo' }); run({ op: 'undo' })
})
solo('marks', (c, run) => {
  run({ op: 'text.insert', at: ['t'], index: 0, text: 'plain bold' })
  run({ op: 'text.format', at: ['t'], index: 6, n: 4, attrs: { b: true } })
  c.remote(d => d.getText('t').insert(8, 'XX'))
  run({ op: 'undo' }); run({ op: 'redo' }); run({ op: 'text.delete', at: ['t'], index: 4, n: 5 }); run({ op: 'undo' }); run({ op: 'undo' })
})
solo('clear-frees', (c, run) => {
  run({ op: 'text.insert', at: ['t'], index: 0, text: 'one two three' })
  run({ op: 'text.delete', at: ['t'], index: 4, n: 4 })
  run({ op: 'clear', undo_stack: true, redo_stack: true })
  run({ op: 'text.delete', at: ['t'], index: 0, n: 9 })
  run({ op: 'undo' })
})
solo('steps-of-others-stay', (c, run) => {
  run({ op: 'text.insert', at: ['t'], index: 0, text: 'mine', origin: 'me' })
  run({ op: 'text.insert', at: ['t'], index: 4, text: 'other', origin: 'other' })
  run({ op: 'list.insert', at: ['a'], index: 0, values: ['out of scope'], origin: 'me' })
  run({ op: 'undo' }); run({ op: 'undo' }); run({ op: 'redo' })
}, { scope: ['t'], tracked: ['me'] })

for (let i = 0; i < Number(args.random ?? 12); i++) session(`random-${i}`, seed * 1000 + i, Number(args.count ?? 60))
