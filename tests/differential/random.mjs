// Seeded choices, and the values that documents are made of.
import * as Y from 'yjs'

export class Random {
  constructor (text) {
    let h = 0x811c9dc5
    for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
    this.a = h >>> 0
    this.b = Math.imul(h, 0x9e3779b1) >>> 0
    for (let i = 0; i < 8; i++) this.next()
  }

  // Two words of state, shifted and multiplied.
  next () {
    let t = this.a ^ (this.a << 11)
    t ^= t >>> 8
    this.a = this.b
    this.b = (this.b ^ (this.b >>> 19) ^ t) >>> 0
    return Math.imul(this.b + this.a | 0, 0x9e3779b1) >>> 0
  }

  below (n) { return Math.floor(this.next() / 4294967296 * n) }
  int (lo, hi) { return lo + this.below(hi - lo + 1) }
  chance (percent) { return this.below(100) < percent }
  pick (list) { return list[this.below(list.length)] }
  times (lo, hi, f) { return Array.from({ length: this.int(lo, hi) }, f) }
  // ENTRIES: [weight, value]...
  weighted (entries) {
    let at = this.below(entries.reduce((sum, e) => sum + e[0], 0))
    for (const [weight, value] of entries) if ((at -= weight) < 0) return value
  }

  // Each element moves at most about FAR places.
  shuffle (list, far = Infinity) {
    if (far === Infinity) far = list.length
    return list.map((v, i) => [i + this.below(far + 1), i, v]).sort((x, y) => x[0] - y[0] || x[1] - y[1]).map(e => e[2])
  }

  subset (list, percent) { return list.filter(() => this.chance(percent)) }
}

const WORDS = ['a', 'b', 'to', 'the ', 'umbel', ' of flowers ', 'line\n', 'é', 'ñ\u0301', '漢字', '😀', 'x😀y😀', '👩‍🚀', '\u0000', '\ufeff', '"q"', '<p>', '\\u', '\t', '&amp;',
  'a rather long run of words that passes one hundred and twenty-seven bytes, so that every length takes two of them on the wire; éé']
// Half of a pair alone: becomes U+FFFD on the v1 wire.
const BROKEN = ['\ud83d', '\ude00', 'a\ud83d', '\ude00b', '\ud83d\ud83d\ude00']
export const word = r => r.chance(4) ? r.pick(BROKEN) : r.pick(WORDS)
export const wholeWord = r => r.pick(WORDS)

const NUMBERS = [0, -0, 1, -1, 63, 64, -64, 127, 128, 8191, 8192, 2147483647, -2147483647, 2147483648, -2147483648, 4294967296, 9007199254740991, -9007199254740991,
  0.5, 0.1, -1.5, 3.4028234663852886e38, 1e300, 5e-324, 1e21, 1e-7, 123456789.125, NaN, Infinity, -Infinity]
export const number = r => r.chance(50) ? r.pick(NUMBERS) : r.chance(50) ? r.int(-1000, 1000) : r.next() / (r.int(1, 9) * 7)
export const bytes = r => Uint8Array.from(r.times(0, 5, () => r.int(0, 255)))
const bigint = r => r.pick([0n, 1n, -1n, 9223372036854775807n, -9223372036854775808n, BigInt(r.next())])
const KEYS = ['k', 'x', 'y', 'name', 'ü', '', '10', '2', 'ключ', 'a"b', '😀']
export const key = r => r.chance(85) ? r.pick(KEYS) : 'k' + r.below(40)

const object = (r, depth, value) => {
  const o = {}
  for (let i = r.below(4); i > 0; i--) o[key(r)] = value(r, depth + 1)
  return o
}
// What a value of kind "any" may be; undefined and big integers only INSIDE something or where the caller allows it.
export const any = (r, depth = 0) => {
  switch (r.weighted([[6, 'word'], [6, 'number'], [2, 'bool'], [2, 'null'], [1, 'big'], [1, 'undefined'], [1, 'bytes'], [3, 'list'], [3, 'object']])) {
    case 'word': return word(r)
    case 'number': return number(r)
    case 'bool': return r.chance(50)
    case 'null': return null
    case 'big': return depth > 0 ? bigint(r) : 7
    case 'undefined': return depth > 0 ? undefined : null
    case 'bytes': return depth > 0 ? bytes(r) : 'bytes'
    case 'list': return depth > 2 ? [] : r.times(0, 3, () => any(r, depth + 1))
    default: return depth > 2 ? {} : object(r, depth, any)
  }
}
// What JSON can hold: values of embeds and of formatting attributes. No broken pairs: real yjs replaces them while the
// update waits for another, and otherwise not.
export const json = (r, depth = 0) => {
  switch (r.weighted([[4, 'word'], [3, 'number'], [2, 'bool'], [1, 'null'], [1, 'list'], [2, 'object']])) {
    case 'word': return wholeWord(r)
    case 'number': return number(r)
    case 'bool': return r.chance(50)
    case 'null': return null
    case 'list': return depth > 1 ? [] : r.times(0, 3, () => json(r, depth + 1))
    default: return depth > 1 ? {} : object(r, depth, json)
  }
}

const MARKS = ['b', 'i', 'link', 'c']
const markValue = r => r.weighted([[5, true], [4, null], [2, 'v'], [1, 'w'], [1, 2], [2, 'link'], [1, 'any']])
export const attributes = r => {
  const o = {}
  for (let i = r.int(1, 2); i > 0; i--) {
    const v = markValue(r)
    o[r.chance(95) ? r.pick(MARKS) : r.pick(['10', 'ü', ''])] = v === 'link' ? { href: r.pick(['u', 'w']) } : v === 'any' ? json(r) : v
  }
  return o
}
// Few marks and values: they meet often.
export const marks = r => ({ [r.pick(['b', 'i'])]: r.pick([true, true, null, 2]) })

export const subDocument = r => new Y.Doc({ guid: `guid-${r.next()}`, gc: !r.chance(30), autoLoad: r.chance(30), ...(r.chance(30) ? { meta: any(r) } : {}), ...(r.chance(10) ? { shouldLoad: r.chance(50) } : {}) })

// toString() lower-cases letters of ASCII only, there: docs/crdt.md.
const NODES = ['p', 'H1', 'li', 'blockQuote', 'éa']
export const xmlNode = (r, depth = 0) => {
  const kind = r.weighted([[5, 'element'], [4, 'text'], [1, 'hook']])
  if (kind === 'hook') return new Y.XmlHook(r.pick(['hook', 'H', '']))
  if (kind === 'text') return r.chance(70) ? new Y.XmlText(word(r)) : new Y.XmlText()
  const e = new Y.XmlElement(r.pick(NODES))
  if (r.chance(30)) e.setAttribute(key(r), word(r))
  if (depth < 2 && r.chance(40)) e.insert(0, r.times(1, 2, () => xmlNode(r, depth + 1)))
  return e
}
export const type = (r, depth = 0) => {
  switch (r.weighted([[3, 'array'], [3, 'map'], [3, 'text'], [1, 'xml'], [1, 'fragment']])) {
    case 'array': { const a = new Y.Array(); if (r.chance(70)) a.insert(0, values(r, depth + 1)); return a }
    case 'map': { const m = new Y.Map(); for (let i = r.below(3); i > 0; i--) m.set(key(r), value(r, depth + 1)); return m }
    case 'text': return r.chance(70) ? new Y.Text(word(r)) : new Y.Text()
    case 'fragment': return new Y.XmlFragment()
    default: return xmlNode(r)
  }
}
// What goes into an array; a map takes undefined and big integers as well.
export const value = (r, depth = 0) => {
  switch (r.weighted([[20, 'any'], [depth < 3 ? 5 : 0, 'type'], [2, 'bytes'], [1, 'doc']])) {
    case 'type': return type(r, depth)
    case 'bytes': return bytes(r)
    case 'doc': return subDocument(r)
    default: return any(r)
  }
}
export const values = (r, depth = 0) => r.times(1, 4, () => value(r, depth))
export const mapValue = r => r.chance(4) ? undefined : r.chance(4) ? bigint(r) : r.chance(2) ? new Date(0) : value(r)
