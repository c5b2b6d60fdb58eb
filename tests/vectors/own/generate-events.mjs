#!/usr/bin/env node
// Writes event vectors: what real yjs reports to observers while updates are applied one by one.
//
//   YJS_HOME=folder/with/node_modules node generate-events.mjs --out DIR [--seed N] [--from DIR] [--only REGEX]
//       [--random N] [--edits N]
//
// Without --from: the documents made below, and N random sessions (the files here: --random 4 --edits 80). With it: every document vector of that folder (files with `updates_v1`
// and `roots`, as ../yjs/generate.mjs writes them), delivered as emitted, shuffled, and merged into groups.
// The same options give the same bytes.
//
// A file: `roots` (name -> kind, all declared first), `gc`, `updates_v1`, and `events`: per update the list of
// transactions that told observers something. A transaction: `local`, `changes` (`root`, `path`, `kind`, `delta`
// when the list changed, `keys` when keys did), `subdocs` when some came or went. Values are tagged as README.md
// of ../yjs says; a nested type is its toJSON().
import { createRequire } from 'node:module'
import path from 'node:path'
import fs from 'node:fs'

const req = createRequire(path.join(process.env.YJS_HOME || process.cwd(), 'noop.js'))
const Y = req('yjs')

const argv = process.argv.slice(2)
const arg = (n, d) => { const i = argv.indexOf('--' + n); return i < 0 ? d : argv[i + 1] }
const OUT = arg('out', '.')
const SEED = Number(arg('seed', '1'))
const FROM = arg('from', '')
const ONLY = new RegExp(arg('only', '.'))

// ---------------------------------------------------------------- small things
class Rng {
  constructor (seed) { this.s = seed >>> 0 }
  next () {
    this.s = (this.s + 0x9e3779b9) >>> 0
    let z = this.s
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad) >>> 0
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97) >>> 0
    return (z ^ (z >>> 15)) >>> 0
  }
  below (n) { return this.next() % n }
  pick (a) { return a[this.below(a.length)] }
  shuffle (a) {
    a = a.slice()
    for (let i = a.length - 1; i > 0; i--) { const j = this.below(i + 1); [a[i], a[j]] = [a[j], a[i]] }
    return a
  }
}
const hash = s => { let h = 2166136261; for (const c of s) h = Math.imul(h ^ c.codePointAt(0), 16777619); return h >>> 0 }
const b64 = u => Buffer.from(u.buffer, u.byteOffset, u.byteLength).toString('base64')
const unb64 = s => new Uint8Array(Buffer.from(s, 'base64'))

const CTOR = { Text: Y.Text, Array: Y.Array, Map: Y.Map, XmlText: Y.XmlText, XmlElement: Y.XmlElement, XmlFragment: Y.XmlFragment, XmlHook: Y.XmlHook }
const kindOf = t => ['XmlText', 'Text', 'Array', 'XmlHook', 'Map', 'XmlElement', 'XmlFragment'].find(k => t instanceof CTOR[k])
const last = a => a[a.length - 1]

const tag = v => {
  if (v === undefined) return { $: 'undefined' }
  if (typeof v === 'string') return v.toWellFormed()
  if (v === null || typeof v === 'boolean') return v
  if (typeof v === 'bigint') return { $: 'bigint', v: v.toString() }
  if (typeof v === 'number') {
    if (!Number.isFinite(v)) return { $: 'number', v: String(v) }
    return Object.is(v, -0) ? { $: 'number', v: '-0' } : v
  }
  if (v instanceof Uint8Array) return { $: 'bytes', v: b64(v) }
  if (v instanceof Y.Doc) return { $: 'doc', guid: v.guid, autoLoad: v.autoLoad, shouldLoad: v.shouldLoad, gc: v.gc, meta: tag(v.meta) }
  if (v instanceof Y.AbstractType) return tag(v.toJSON())
  if (Array.isArray(v)) return v.map(tag)
  return Object.fromEntries(Object.keys(v).map(k => [k.toWellFormed(), tag(v[k])]))
}

// ---------------------------------------------------------------- what observers hear
// YTextEvent.delta deletes marks while it computes. Here they only look deleted meanwhile, so reading an event
// leaves the document as it was.
const deltaOf = event => {
  const original = Y.Item.prototype.delete
  const hidden = []
  Y.Item.prototype.delete = function () { if (!this.deleted) { hidden.push(this); this.markDeleted() } }
  try {
    return event.changes.delta
  } finally {
    Y.Item.prototype.delete = original
    hidden.forEach(item => { item.info &= ~4 })
  }
}

const keysOf = event => Object.fromEntries([...event.keys].map(([key, { action, oldValue }]) => [key.toWellFormed(), {
  action,
  ...(action === 'add' ? {} : { oldValue: tag(oldValue) }),
  ...(action === 'delete' ? {} : { newValue: tag(last(event.target._map.get(key).content.getContent())) })
}]))

const changeOf = (root, event) => {
  const subs = [...event.transaction.changed.get(event.target)]
  return {
    root,
    path: event.path.map(p => typeof p === 'string' ? p.toWellFormed() : p),
    kind: kindOf(event.target),
    ...(subs.includes(null) ? { delta: deltaOf(event).map(tag) } : {}),
    ...(subs.some(s => s !== null) ? { keys: keysOf(event) } : {})
  }
}

const record = (roots, gc, updates) => {
  const doc = new Y.Doc({ gc, guid: 'observed' })
  doc.clientID = 0xfffffffe
  let heard = new Map()
  const of = tr => { if (!heard.has(tr)) heard.set(tr, { local: tr.local, changes: [] }); return heard.get(tr) }
  doc.on('beforeObserverCalls', of)
  doc.on('subdocs', ({ loaded, added, removed }, _doc, tr) => {
    if (tr.local && tr.deleteSet.clients.size === 0) return // a removed document that is destroyed says so once more
    of(tr).subdocs = { loaded: [...loaded].map(tag), added: [...added].map(tag), removed: [...removed].map(tag) }
  })
  for (const [name, kind] of Object.entries(roots)) {
    doc.get(name, CTOR[kind]).observeDeep((events, tr) => { events.forEach(e => of(tr).changes.push(changeOf(name, e))) })
  }
  return updates.map(u => {
    heard = new Map()
    Y.applyUpdate(doc, u, 'net')
    return [...heard.values()].filter(t => t.changes.length > 0 || t.subdocs)
  })
}

const emit = (name, roots, gc, updates) => {
  const text = JSON.stringify({ schema: 1, name, roots, gc, updates_v1: updates.map(b64), events: record(roots, gc, updates) })
  fs.writeFileSync(path.join(OUT, name + '.json'), text + '\n')
}

// ---------------------------------------------------------------- deliveries
const grouped = (rng, updates) => {
  const out = []
  for (let i = 0; i < updates.length;) {
    const n = 1 + rng.below(4)
    out.push(Y.mergeUpdates(updates.slice(i, i + n)))
    i += n
  }
  return out
}
// An early part, then everything, then early updates again: partial overlaps and things long known.
const overlapping = (rng, updates) => {
  const k = 1 + rng.below(updates.length)
  return [Y.mergeUpdates(updates.slice(0, k)), Y.mergeUpdates(updates), ...updates.slice(0, 3)]
}
const deliverAll = (name, roots, updates) => {
  const rng = new Rng(hash(name) ^ SEED)
  emit(name, roots, true, updates)
  if (updates.length < 2) return
  emit(name + '-shuffled', roots, true, rng.shuffle(updates))
  emit(name + '-grouped', roots, true, grouped(rng, updates))
  emit(name + '-nogc', roots, false, grouped(rng, rng.shuffle(updates)))
  emit(name + '-overlapping', roots, true, overlapping(rng, updates))
}

// ---------------------------------------------------------------- documents of our own
const ROOTS = { t: 'Text', a: 'Array', m: 'Map', x: 'XmlFragment' }
// N authors; SCRIPT gets them and sync(), which brings all to the same state. Returns all updates in order.
const authors = (n, script) => {
  const log = []
  const docs = [...Array(n)].map((_, i) => {
    const doc = new Y.Doc({ guid: 'author' })
    doc.clientID = 10 + i
    doc.on('update', (u, _o, _d, tr) => { if (tr.local) log.push(u) })
    return { doc, ...Object.fromEntries(Object.entries(ROOTS).map(([k, kind]) => [k, doc.get(k, CTOR[kind])])) }
  })
  script(docs, () => docs.forEach(d => log.slice().forEach(u => Y.applyUpdate(d.doc, u))))
  return log
}

const own = {
  'subdocuments': () => authors(2, ([p, q], sync) => {
    p.m.set('d', new Y.Doc({ guid: 'one', autoLoad: true, meta: { v: 1 } }))
    p.a.insert(0, [new Y.Doc({ guid: 'two' }), 1, new Y.Doc({ guid: 'three', autoLoad: true })])
    sync()
    q.m.set('d', new Y.Doc({ guid: 'four' }))
    q.doc.transact(() => { q.a.insert(0, [new Y.Doc({ guid: 'five', autoLoad: true })]); q.a.delete(0, 2) })
    p.a.insert(1, [new Y.Map([['in', new Y.Doc({ guid: 'six' })]])])
    sync()
    p.a.delete(0, p.a.length)
    q.m.delete('d')
  }),
  'nested-paths': () => authors(2, ([p, q], sync) => {
    p.m.set('list', new Y.Array())
    p.m.get('list').insert(0, [1, new Y.Map(), 'zwei', new Y.Text('drei')])
    sync()
    p.doc.transact(() => {
      p.m.get('list').get(3).insert(2, 'XX')
      p.m.get('list').get(1).set('k', new Y.Array())
      p.m.get('list').insert(0, [0])
      p.m.get('list').get(2).get('k').push([new Uint8Array([1, 2]), undefined, null].filter(v => v !== undefined))
      p.m.set('other', -0)
    })
    q.m.get('list').get(1).set('k', 10n)
    sync()
    p.doc.transact(() => { p.m.set('list', 'gone'); p.m.set('list', 'again'); p.m.set('n', undefined); p.m.delete('n') })
    q.doc.transact(() => { q.m.get('list').delete(0, 2); q.m.get('list').push(['late']) })
    sync()
    p.m.set('list', new Y.Text('back'))
    p.m.clear()
  }),
  'marks': () => authors(3, ([p, q, r], sync) => {
    p.t.insert(0, 'The quick brown fox', { b: true })
    sync()
    q.t.format(4, 5, { b: null, c: { rgb: '#fff', n: 1 } })
    r.t.format(0, 9, { i: true })
    r.t.delete(2, 4)
    p.t.insertEmbed(5, { image: 'x' }, { w: 3 })
    sync()
    p.t.format(0, 3, { b: true, c: { rgb: '#fff', n: 1 } })
    q.t.format(0, p.t.length, { b: null, i: null })
    r.t.applyDelta([{ retain: 3 }, { insert: '😀', attributes: { i: true } }, { delete: 3 }, { retain: 4, attributes: { u: [1, 2] } }])
    sync()
    q.doc.transact(() => { q.t.insertEmbed(1, new Y.Map([['k', 1]])); q.t.insert(0, 'a', { i: true }); q.t.delete(4, 3); q.t.setAttribute('dir', 'rtl') })
    p.t.format(2, 6, { u: [1, 2], i: true })
    sync()
    r.t.removeAttribute('dir')
    r.t.delete(0, r.t.length)
    p.t.insert(p.t.length, '!')
  }),
  'redundant-marks': () => authors(2, ([p, q], sync) => {
    p.t.insert(0, 'word by word')
    p.x.insert(0, [new Y.XmlText('nested words')])
    sync()
    p.doc.transact(() => { p.t.format(0, 4, { b: true }); p.x.get(0).format(0, 6, { b: true, i: true }) })
    q.doc.transact(() => { q.t.format(0, 7, { b: true }); q.x.get(0).format(0, 3, { b: true }) })
    sync()
    p.t.delete(2, 4)
    q.t.format(2, 3, { b: null })
    q.x.get(0).delete(0, 6)
    sync()
    p.t.insert(2, 'XY', { i: 1 })
    q.t.delete(0, 5)
    sync()
    q.t.insert(0, 'z')
  }),
  'elements': () => authors(2, ([p, q], sync) => {
    const div = new Y.XmlElement('div')
    p.x.insert(0, [div, new Y.XmlText('text'), new Y.XmlHook('hook')])
    div.setAttribute('class', 'a')
    div.insert(0, [new Y.XmlElement('p'), new Y.XmlText('inside')])
    sync()
    p.doc.transact(() => { div.setAttribute('class', 'b'); div.setAttribute('id', 7); div.get(1).format(0, 3, { b: true }); div.get(0).insert(0, [new Y.XmlText('deep')]) })
    q.x.get(0).removeAttribute('class')
    q.x.get(2).set('h', 1)
    q.x.insert(1, [new Y.XmlElement('hr')])
    sync()
    q.x.get(0).get(0).get(0).insert(4, 'er', { em: { x: 1 } })
    p.x.delete(0, 1)
    sync()
    p.x.delete(0, p.x.length)
  })
}

// Random sessions over all of it: several authors, now and then in touch.
const value = rng => rng.pick([null, true, 1, -2.5, 'text', 'ü😀', { k: [1, { d: null }] }, [], new Uint8Array([7]), 2 ** 40])
const marks = rng => ({ [rng.pick(['b', 'i', 'c'])]: rng.pick([true, null, null, 'x', { v: rng.below(2) }]) })
const made = (rng, xml) => {
  if (xml) return rng.pick([() => new Y.XmlElement(rng.pick(['p', 'DIV'])), () => new Y.XmlText(rng.pick(['', 'xyz']))])()
  return rng.pick([() => new Y.Map([['v', 1]]), () => new Y.Array(), () => new Y.Text('nest'), () => new Y.Doc({ guid: 'g' + rng.below(9), autoLoad: rng.below(2) === 0 })])()
}
// A type of the document: a root or something below it.
const somewhere = (rng, d) => {
  let t = d[rng.pick(Object.keys(ROOTS))]
  while (rng.below(3) > 0) {
    const below = []
    for (let i = t._start; i !== null; i = i.right) if (!i.deleted && i.content instanceof Y.ContentType) below.push(i.content.type)
    t._map.forEach(i => { if (!i.deleted && i.content instanceof Y.ContentType) below.push(i.content.type) })
    if (below.length === 0) break
    t = rng.pick(below)
  }
  return t
}
const editText = (rng, t) => {
  const at = rng.below(t.length + 1)
  const some = Math.min(1 + rng.below(5), t.length - at)
  switch (rng.below(9)) {
    case 0: case 1: return t.insert(at, rng.pick(['a', 'bc', 'lang😀', 'ü']))
    case 2: return t.insert(at, rng.pick(['F', 'GG']), marks(rng))
    case 3: case 4: return some > 0 && t.format(at, some, marks(rng))
    case 5: case 6: return some > 0 && t.delete(at, some)
    case 7: return t.insertEmbed(at, rng.below(2) === 0 ? { e: rng.below(3) } : made(rng, t instanceof Y.XmlText) instanceof Y.XmlElement ? new Y.XmlElement('br') : new Y.Map())
    default: return t.setAttribute(rng.pick(['k', 'l']), value(rng))
  }
}
const editList = (rng, t, xml) => {
  const at = rng.below(t.length + 1)
  const some = Math.min(1 + rng.below(3), t.length - at)
  if (t instanceof Y.XmlElement && rng.below(3) === 0) return rng.below(3) === 0 ? t.removeAttribute('k') : t.setAttribute(rng.pick(['k', 'l']), rng.pick(['v', 'w']))
  if (some > 0 && rng.below(3) === 0) return t.delete(at, some)
  return t.insert(at, xml || rng.below(2) === 0 ? [made(rng, xml)] : [value(rng), value(rng)])
}
const editMap = (rng, t) => {
  const key = rng.pick(['k', 'l', '1'])
  if (rng.below(4) === 0) return t.delete(key)
  return t.set(key, rng.below(3) === 0 ? made(rng, false) : value(rng))
}
const edit = (rng, d) => {
  const t = somewhere(rng, d)
  if (t instanceof Y.Text) editText(rng, t)
  else if (t instanceof Y.Map) editMap(rng, t)
  else editList(rng, t, t instanceof Y.XmlFragment)
}
const session = (name, edits) => {
  const rng = new Rng(hash(name) ^ SEED)
  return authors(2 + rng.below(3), (docs, sync) => {
    for (let i = 0; i < edits; i++) {
      const d = rng.pick(docs)
      if (rng.below(4) === 0) d.doc.transact(() => { for (let k = rng.below(5); k >= 0; k--) edit(rng, d) })
      else edit(rng, d)
      if (rng.below(12) === 0) sync()
    }
  })
}

const RANDOM = Number(arg('random', '1'))
if (FROM === '') {
  for (const [name, make] of Object.entries(own)) if (ONLY.test(name)) deliverAll(name, ROOTS, make())
  for (let i = 0; i < RANDOM; i++) if (ONLY.test('session-' + i)) deliverAll('session-' + i, ROOTS, session('session-' + i, Number(arg('edits', '60'))))
} else {
  for (const file of fs.readdirSync(FROM).filter(f => f.endsWith('.json')).sort()) {
    const v = JSON.parse(fs.readFileSync(path.join(FROM, file)))
    if (v.updates_v1 && v.roots && !v.ops && ONLY.test(v.name)) deliverAll(v.name, v.roots, v.updates_v1.map(unb64))
  }
}
