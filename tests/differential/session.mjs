// A session: up to five clients, real yjs each, that edit one document and hear of each other late, in another order,
// twice or never. What they send is the log.
import * as Y from 'yjs'
import * as v from './random.mjs'

export const CONSTRUCTORS = { Text: Y.Text, Array: Y.Array, Map: Y.Map, XmlText: Y.XmlText, XmlElement: Y.XmlElement, XmlFragment: Y.XmlFragment }

// ---- edits ------------------------------------------------------------------------------------------------------

const nestedOf = list => list.filter(x => x instanceof Y.AbstractType)
export const range = (r, length, max) => { const at = r.below(length); return [at, Math.min(r.int(1, max), length - at)] }

const editArray = (r, a) => {
  if (a.length > 0 && r.chance(35)) return a.delete(...range(r, a.length, 4))
  if (r.chance(15)) return a.push(v.values(r))
  if (r.chance(10)) return a.unshift(v.values(r))
  a.insert(r.int(0, a.length), v.values(r))
}

const editMap = (r, m) => {
  const k = v.key(r)
  if (r.chance(25)) return m.delete(k)
  if (r.chance(3)) return m.clear()
  m.set(k, v.mapValue(r))
}

export const delta = (r, length, word = v.word) => {
  const ops = []
  for (let i = r.int(1, 4), left = length; i > 0; i--) {
    const n = Math.min(left, r.int(1, 4))
    const attributes = r.chance(40) ? { attributes: v.attributes(r) } : {}
    if (n === 0 || r.chance(40)) ops.push({ insert: r.chance(85) ? word(r) : { e: v.json(r) }, ...attributes })
    else {
      ops.push(r.chance(50) ? { delete: n } : { retain: n, ...attributes })
      left -= n
    }
  }
  return ops
}

const embed = r => r.chance(75) ? { e: v.json(r) } : v.type(r, 2)

const editText = (r, t) => {
  const at = r.int(0, t.length)
  if (t.length === 0 || r.chance(45)) return r.chance(50) ? t.insert(at, v.word(r)) : t.insert(at, v.word(r), r.chance(20) ? {} : v.attributes(r))
  switch (r.weighted([[10, 'delete'], [10, 'format'], [3, 'embed'], [3, 'delta'], [2, 'attribute']])) {
    case 'delete': return t.delete(...range(r, t.length, 6))
    case 'format': return t.format(...range(r, t.length + (r.chance(3) ? 3 : 0), 8), v.attributes(r))
    case 'embed': return r.chance(60) ? t.insertEmbed(at, embed(r)) : t.insertEmbed(at, embed(r), v.attributes(r))
    case 'delta': return t.applyDelta(delta(r, t.length))
    default: return r.chance(30) ? t.removeAttribute(v.key(r)) : t.setAttribute(v.key(r), v.any(r))
  }
}

// Marks that meet, overlap and cancel each other, on a short text.
const editMarks = (r, t) => {
  if (t.length < 6) return t.insert(r.int(0, t.length), r.pick(['abc', 'de', 'fgh']))
  switch (r.weighted([[60, 'format'], [t.length > 14 ? 40 : 15, 'delete'], [10, 'delta'], [15, 'insert']])) {
    case 'format': return t.format(...range(r, t.length, 6), v.marks(r))
    case 'delete': return t.delete(...range(r, t.length, 3))
    case 'delta': return t.applyDelta(delta(r, t.length))
    default: return t.insert(r.int(0, t.length), r.pick(['x', 'yz']), r.chance(50) ? v.marks(r) : undefined)
  }
}

const editXml = (r, x) => {
  if (x instanceof Y.XmlElement && r.chance(30)) return r.chance(25) ? x.removeAttribute(v.key(r)) : x.setAttribute(v.key(r), r.chance(80) ? v.word(r) : v.any(r))
  if (x.length > 0 && r.chance(30)) return x.delete(...range(r, x.length, 2))
  if (r.chance(15)) return x.push([v.xmlNode(r)])
  x.insert(r.int(0, x.length), r.times(1, 2, () => v.xmlNode(r)))
}

export const childrenOf = t => t instanceof Y.Map ? nestedOf([...t.values()]) : t instanceof Y.Array || t instanceof Y.XmlFragment ? nestedOf(t.toArray()) : t instanceof Y.Text ? nestedOf(t.toDelta().map(op => op.insert)) : []

const edit = (r, t, flavour) => {
  for (let depth = 0; depth < 5 && r.chance(45); depth++) {
    const children = childrenOf(t)
    if (children.length === 0) break
    t = r.pick(children)
  }
  if (t instanceof Y.Text) return flavour === 'marks' ? editMarks(r, t) : editText(r, t)
  if (t instanceof Y.Array) return editArray(r, t)
  if (t instanceof Y.Map) return editMap(r, t)
  return editXml(r, t)
}

// ---- clients ----------------------------------------------------------------------------------------------------

const clientIds = (r, n) => {
  const one = r.pick([() => r.int(1, 9), () => r.next(), () => r.next() * 1048576 + r.int(1, 1000), () => r.pick([r.int(1, 200), r.next()])])
  const ids = new Set()
  while (ids.size < n) ids.add(one())
  return [...ids]
}

const PLANS = [
  [4, { t: 'Text' }], [3, { a: 'Array' }], [3, { m: 'Map' }], [3, { x: 'XmlFragment' }], [1, { e: 'XmlElement' }], [1, { xt: 'XmlText' }],
  [4, { a: 'Array', m: 'Map', t: 'Text', x: 'XmlFragment' }], [1, { '': 'Text', 'naïve ☃': 'Map' }], [2, { t: 'Text', u: 'Text' }]
]

const update = bytes => ({ v1: bytes })

export class Session {
  constructor (r) {
    this.r = r
    this.roots = r.weighted(PLANS)
    this.names = Object.keys(this.roots)
    this.flavour = r.chance(30) ? 'marks' : 'any'
    this.log = []
    this.authors = clientIds(r, r.weighted([[2, 1], [4, 2], [4, 3], [2, 4], [2, 5]])).map(id => this.author(id))
    this.undo = r.chance(8) ? new Y.UndoManager(this.names.map(n => this.authors[0].types[n]), { captureTimeout: 0 }) : null
    if (this.flavour === 'marks' && this.roots.x !== undefined && r.chance(60)) {
      this.authors[0].types.x.insert(0, [new Y.XmlText('some text')])
      this.everybodyHears()
    }
  }

  author (id) {
    const doc = new Y.Doc({ gc: this.r.chance(85), guid: 'author' })
    const me = { doc, inbox: [], types: {} }
    doc.clientID = id
    for (const name of this.names) me.types[name] = doc.get(name, CONSTRUCTORS[this.roots[name]])
    doc.on('update', (bytes, _origin, _doc, transaction) => { if (transaction.local) this.send(me, update(bytes)) })
    return me
  }

  send (from, u) {
    this.log.push(u)
    for (const a of this.authors) if (a !== from) a.inbox.push(u)
  }

  deliver (author, list) { for (const u of list) Y.applyUpdate(author.doc, u.v1, 'net') }

  hear (author) {
    const r = this.r
    const inbox = author.inbox
    switch (r.weighted([[5, 'in order'], [2, 'reordered'], [1, 'lossy'], [1, 'twice'], [2, 'sync']])) {
      case 'in order': return this.deliver(author, inbox.splice(0, r.int(1, 6)))
      case 'reordered': return this.deliver(author, r.shuffle(inbox.splice(0), 4))
      case 'lossy': return this.deliver(author, r.subset(inbox.splice(0), 70))
      case 'twice': return this.deliver(author, inbox.slice(0, 3))
      default: {
        const other = r.pick(this.authors)
        const u = update(Y.encodeStateAsUpdate(other.doc, Y.encodeStateVector(author.doc)))
        if (other === author) return
        this.log.push(u)
        this.deliver(author, [u])
      }
    }
  }

  everybodyHears () {
    for (let again = true; again;) {
      again = false
      for (const a of this.authors) {
        again ||= a.inbox.length > 0
        this.deliver(a, a.inbox.splice(0))
      }
    }
  }

  step () {
    const r = this.r
    const author = r.pick(this.authors)
    const one = () => edit(r, author.types[r.pick(this.names)], this.flavour)
    if (r.chance(30)) this.hear(author)
    if (r.chance(3)) this.everybodyHears()
    if (this.undo !== null && author === this.authors[0] && r.chance(40)) return r.chance(60) ? this.undo.undo() : this.undo.redo()
    if (r.chance(25)) author.doc.transact(() => { for (let i = r.int(2, 5); i > 0; i--) one() })
    else one()
  }

  run () {
    for (let i = this.r.int(6, this.r.chance(10) ? 60 : 24); i > 0; i--) this.step()
    if (this.r.chance(50)) this.everybodyHears()
    return this
  }
}
