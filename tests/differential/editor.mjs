// Random edits as data: done with real yjs, and written down for the library to do as well.
import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { childrenOf, delta, range } from './session.mjs'
import * as v from './random.mjs'
import { kindOf, KINDS } from './view.mjs'

// ---- values -----------------------------------------------------------------------------------------------------

// A value is { any }, { bytes }, { guid, options } or { type, name, text, items, entries }.
const typeValue = (r, depth) => {
  const items = () => depth < 3 && r.chance(60) ? r.times(1, 2, () => listValue(r, depth + 1)) : []
  const xmlItems = () => depth < 3 && r.chance(50) ? r.times(1, 2, () => xmlValue(r, depth + 1)) : []
  const entries = () => depth < 3 && r.chance(60) ? [...new Set(r.times(1, 2, () => v.key(r)))].map(k => [k, listValue(r, depth + 1)]) : []
  switch (r.weighted([[3, 'Array'], [3, 'Map'], [3, 'Text'], [1, 'XmlFragment'], [1, 'xml']])) {
    case 'Array': return { type: 'Array', items: items() }
    case 'Map': return { type: 'Map', entries: entries() }
    case 'Text': return { type: 'Text', text: r.chance(60) ? v.wholeWord(r) : '' }
    case 'XmlFragment': return { type: 'XmlFragment', items: xmlItems() }
    default: return xmlValue(r, depth)
  }
}
const xmlValue = (r, depth = 0) => {
  switch (r.weighted([[5, 'XmlElement'], [4, 'XmlText'], [1, 'XmlHook']])) {
    case 'XmlElement': return {
      type: 'XmlElement',
      name: r.pick(['p', 'H1', 'li']),
      items: depth < 2 && r.chance(40) ? r.times(1, 2, () => xmlValue(r, depth + 1)) : [],
      entries: r.chance(40) ? [[v.key(r), { any: v.wholeWord(r) }]] : []
    }
    case 'XmlText': return { type: 'XmlText', text: r.chance(70) ? v.wholeWord(r) : '' }
    default: return { type: 'XmlHook', name: 'hook' }
  }
}
const anyValue = r => { const any = v.any(r); return any instanceof Uint8Array ? { bytes: any } : { any } }
const docValue = r => ({ guid: `guid-${r.next()}`, options: { ...(r.chance(30) ? { autoLoad: true } : {}), ...(r.chance(30) ? { gc: false } : {}), ...(r.chance(30) ? { meta: v.json(r) } : {}) } })
const listValue = (r, depth = 0) => r.weighted([[20, () => anyValue(r)], [depth < 3 ? 6 : 0, () => typeValue(r, depth)], [2, () => ({ bytes: v.bytes(r) })], [depth === 0 ? 1 : 0, () => docValue(r)]])()
const mapValue = r => r.chance(4) ? { any: undefined } : r.chance(4) ? { any: -5n } : listValue(r)

const build = x => {
  if ('any' in x) return x.any
  if ('bytes' in x) return x.bytes
  if ('guid' in x) return new Y.Doc({ guid: x.guid, shouldLoad: x.options.autoLoad === true, ...x.options })    // as it will be read
  const items = (x.items ?? []).map(build)
  switch (x.type) {
    case 'Array': { const a = new Y.Array(); if (items.length > 0) a.insert(0, items); return a }
    case 'Map': { const m = new Y.Map(); for (const [k, e] of x.entries) m.set(k, build(e)); return m }
    case 'Text': return x.text === '' ? new Y.Text() : new Y.Text(x.text)
    case 'XmlText': return x.text === '' ? new Y.XmlText() : new Y.XmlText(x.text)
    case 'XmlHook': return new Y.XmlHook(x.name)
    case 'XmlFragment': { const f = new Y.XmlFragment(); if (items.length > 0) f.insert(0, items); return f }
    default: {
      const e = new Y.XmlElement(x.name)
      if (items.length > 0) e.insert(0, items)
      for (const [k, a] of x.entries) e.setAttribute(k, build(a))
      return e
    }
  }
}

// As others will have it: yjs keeps what it was given until it is loaded again.
const onWire = json => JSON.parse(JSON.stringify(json))
const anyBytes = any => { const e = encoding.createEncoder(); encoding.writeAny(e, any); return encoding.toUint8Array(e) }
const [ANY, BYTES, DOC, TYPE, JSON_TEXT] = [0, 1, 2, 3, 4]

const write = (c, x) => {
  if ('any' in x) return c.uint(ANY).bytes(anyBytes(x.any))
  if ('bytes' in x) return c.uint(BYTES).bytes(x.bytes)
  if ('json' in x) return c.uint(JSON_TEXT).string(JSON.stringify(x.json))
  if ('guid' in x) return c.uint(DOC).string(x.guid).bytes(anyBytes(x.options))
  c.uint(TYPE).uint(KINDS.indexOf(x.type)).string(x.name ?? '').string(x.text ?? '')
  c.uint((x.items ?? []).length)
  for (const e of x.items ?? []) write(c, e)
  c.uint((x.entries ?? []).length)
  for (const [k, e] of x.entries ?? []) write(c.string(k), e)
}

// ---- edits ------------------------------------------------------------------------------------------------------

class Editor {
  constructor (r, c, slot) { Object.assign(this, { r, c, slot }) }

  // COMMAND on type T; the operands follow.
  on (command, t) {
    this.c.command(command).uint(this.slot)
    if (t._item === null) return this.c.uint(0).string(this.rootName(t))
    return this.c.uint(1).uint(t._item.id.client).uint(t._item.id.clock)
  }

  rootName (t) { return [...t.doc.share].find(e => e[1] === t)[0] }

  values (some) {
    this.c.uint(some.length)
    for (const x of some) write(this.c, x)
    return some.map(build)
  }

  attributes (attributes) {
    if (attributes === undefined) this.c.uint(0)
    else this.c.uint(1).string(JSON.stringify(attributes))
    return attributes
  }

  list (t, one) {
    const r = this.r
    const some = () => r.times(1, 3, () => one(r))
    if (t.length > 0 && r.chance(35)) {
      const [at, n] = range(r, t.length, 4)
      this.on('LIST_DELETE', t).uint(at).uint(n)
      return t.delete(at, n)
    }
    if (r.chance(25)) {
      this.on('LIST_PUSH', t)
      return t.push(this.values(some()))
    }
    const at = r.int(0, t.length)
    this.on('LIST_INSERT', t).uint(at)
    t.insert(at, this.values(some()))
  }

  map (t, set, remove) {
    const r = this.r
    const key = v.key(r)
    if (r.chance(25)) {
      this.on('MAP_DELETE', t).string(key)
      return remove(key)
    }
    if (t instanceof Y.Map && r.chance(4)) {
      this.on('MAP_CLEAR', t)
      return t.clear()
    }
    const x = t instanceof Y.Map ? mapValue(r) : anyValue(r)
    write(this.on('MAP_SET', t).string(key), x)
    set(key, build(x))
  }

  text (t) {
    const r = this.r
    const at = r.int(0, t.length)
    const maybe = () => r.chance(50) ? undefined : r.chance(20) ? {} : onWire(v.attributes(r))
    switch (r.weighted([[9, 'insert'], [3, 'embed'], [3, 'delta'], [2, 'attribute'], [t.length > 0 ? 8 : 0, 'delete'], [t.length > 0 ? 9 : 0, 'format']])) {
      case 'insert': {
        const word = v.wholeWord(r)
        this.on('TEXT_INSERT', t).uint(at).string(word)
        return t.insert(at, word, this.attributes(maybe()))
      }
      case 'embed': {
        const x = r.chance(70) ? { json: onWire({ e: v.json(r) }) } : typeValue(r, 1)
        write(this.on('TEXT_EMBED', t).uint(at), x)
        const attributes = this.attributes(maybe())
        const value = x.json ?? build(x)
        return attributes === undefined ? t.insertEmbed(at, value) : t.insertEmbed(at, value, attributes)
      }
      case 'delta': {
        const ops = onWire(delta(r, t.length, v.wholeWord))
        this.on('TEXT_DELTA', t).string(JSON.stringify(ops))
        return t.applyDelta(ops)
      }
      case 'attribute': return this.map(t, (k, x) => t.setAttribute(k, x), k => t.removeAttribute(k))
      case 'delete': {
        const [from, n] = range(r, t.length, 6)
        this.on('TEXT_DELETE', t).uint(from).uint(n)
        return t.delete(from, n)
      }
      default: {
        const from = r.below(t.length)
        const n = Math.min(r.int(1, 8), t.length + (r.chance(3) ? 3 : 0) - from)
        const attributes = onWire(v.attributes(r))
        this.on('TEXT_FORMAT', t).uint(from).uint(n).string(JSON.stringify(attributes))
        return t.format(from, n, attributes)
      }
    }
  }

  one (root) {
    const r = this.r
    let t = root
    for (let depth = 0; depth < 5 && r.chance(45); depth++) {
      const children = childrenOf(t)
      if (children.length === 0) break
      t = r.pick(children)
    }
    switch (kindOf(t)) {
      case 'Array': return this.list(t, listValue)
      case 'Map': case 'XmlHook': return this.map(t, (k, x) => t.set(k, x), k => t.delete(k))
      case 'Text': case 'XmlText': return this.text(t)
      default: if (t instanceof Y.XmlElement && r.chance(40)) return this.map(t, (k, x) => t.setAttribute(k, x), k => t.removeAttribute(k))
    }
    this.list(t, xmlValue)
  }
}

// One transaction of one to three edits of the receiver's document.
export const editReceiver = (r, receiver) => {
  const { c, slot, doc } = receiver
  const editor = new Editor(r, c, slot)
  const roots = Object.values(receiver.types)
  receiver.events.length = 0
  c.command('BEGIN').uint(slot).uint(doc.clientID)
  doc.transact(() => { for (let i = r.weighted([[6, 1], [2, 2], [1, 3]]); i > 0; i--) editor.one(r.pick(roots)) })
  const events = receiver.events.map(e => c.blob(e))
  c.command('COMMIT').uint(slot).uint(events.length)
  for (const e of events) c.uint(e)
}
