// What a reader sees of real yjs' types, as the JSON texts that umbel/crdt.h describes: the tagged form and dumps of
// everything, the plain form.
import * as Y from 'yjs'

const base64 = b => Buffer.from(b.buffer, b.byteOffset, b.byteLength).toString('base64')

// A half of a surrogate pair that stands alone is escaped here as there.
export const text = v => JSON.stringify(v)

export const KINDS = ['Array', 'Map', 'Text', 'XmlElement', 'XmlFragment', 'XmlHook', 'XmlText']       // the wire's numbers
export const kindOf = t =>
  t instanceof Y.XmlText ? 'XmlText' : t instanceof Y.Text ? 'Text' : t instanceof Y.Array ? 'Array' : t instanceof Y.XmlHook ? 'XmlHook'
    : t instanceof Y.Map ? 'Map' : t instanceof Y.XmlElement ? 'XmlElement' : 'XmlFragment'

const taggedNumber = v => Number.isFinite(v) && !Object.is(v, -0) ? v : { $: 'number', v: Object.is(v, -0) ? '-0' : String(v) }
const record = (entries, f) => {
  const o = Object.create(null)               // "__proto__" is a key like any other
  for (const [k, x] of entries) o[k] = f(x)
  return o
}

export const tagged = v => {
  switch (typeof v) {
    case 'undefined': return { $: 'undefined' }
    case 'bigint': return { $: 'bigint', v: v.toString() }
    case 'number': return taggedNumber(v)
    case 'object': break
    default: return v
  }
  if (v === null) return v
  if (v instanceof Uint8Array) return { $: 'bytes', v: base64(v) }
  if (v instanceof Y.Doc) return { $: 'doc', guid: v.guid, autoLoad: v.autoLoad, shouldLoad: v.shouldLoad, gc: v.gc, meta: tagged(v.meta) }
  if (v instanceof Y.AbstractType) return { $: 'type', dump: dump(v) }
  if (Array.isArray(v)) return v.map(tagged)
  return record(Object.entries(v), tagged)
}

export const plain = v => {
  switch (typeof v) {
    case 'undefined': return null
    case 'bigint': return v.toString()
    case 'object': break
    default: return v
  }
  if (v === null) return v
  if (v instanceof Uint8Array) return base64(v)
  if (v instanceof Y.Doc) return { guid: v.guid }
  if (Array.isArray(v)) return v.map(plain)
  return record(Object.entries(v).filter(e => e[1] !== undefined), plain)
}

export const delta = (t, value) => t.toDelta().map(op => ({
  insert: op.insert instanceof Y.AbstractType && value !== tagged ? value(op.insert.toJSON()) : value(op.insert),
  ...(op.attributes !== undefined ? { attributes: value(op.attributes) } : {})
}))

// The text alone, without marks and embeds.
export const plainText = t => Y.Text.prototype.toString.call(t)

export function dump (t) {
  const kind = kindOf(t)
  const all = { kind, length: t._length }
  switch (kind) {
    case 'Text': case 'XmlText':
      all.text = plainText(t)
      all.delta = delta(t, tagged)
      all.attrs = record(Object.entries(t.getAttributes()), tagged)
      if (kind === 'XmlText') all.xml = t.toString()
      return all
    case 'Array':
      all.items = t.toArray().map(tagged)
      return all
    case 'XmlHook':
      all.hookName = t.hookName
      // fall through
    case 'Map':
      all.entries = record(t.entries(), tagged)
      return all
    case 'XmlElement':
      all.nodeName = t.nodeName
      all.attrs = record(Object.entries(t.getAttributes()), tagged)
      // fall through
    default:
      all.children = t.toArray().map(tagged)
      all.xml = t.toString()
      return all
  }
}
