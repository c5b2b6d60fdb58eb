/* Random edits over every shared type, and what "the same document" means. */
import * as Y from 'yjs'

const rootText = doc => doc.getText('text')
const rootArray = doc => doc.getArray('array')
const rootMap = doc => doc.getMap('map')
const rootXml = doc => doc.getXmlFragment('xml')

const marks = [{ bold: true }, { italic: true }, { bold: null }, { color: 'red' }, { color: null }, { link: { href: 'x' } }]
/* No surrogate pairs in texts that are cut at random places: real clients do not agree on a pair that was cut in two. */
const odd = ['ä', '日本', '\u200d', 'e\u0301', ' ', '\n']
const pairs = ['👩‍🚀', '\u{1F600}']

function anyValue (r) {
  return r.pick([
    () => r.below(1e6), () => -r.below(1e6), () => r.below(1000) / 7, () => 2 ** 40 + r.below(99), () => r.word(5), () => true, () => null,
    () => new Uint8Array([r.below(256), r.below(256)]), () => ({ a: [1, { b: r.word(2) }], c: null }), () => r.pick([...odd, ...pairs])
  ])()
}

function sharedValue (r) {
  return r.pick([
    () => new Y.Text(r.word(6)), () => Y.Array.from([r.below(9), r.word(2)]),
    () => new Y.Map([['k', r.word(3)], ['n', r.below(99)]])
  ])()
}

function insertText (text, r) {
  const words = r.chance(20) ? r.pick(odd) : r.word(r.between(1, 8))
  text.insert(r.below(text.length + 1), words, r.chance(30) ? r.pick(marks) : undefined)
}

function deleteSome (list, r) {
  if (list.length === 0) return
  const at = r.below(list.length)
  list.delete(at, Math.min(r.between(1, 5), list.length - at))
}

function formatText (text, r) {
  if (text.length === 0) return
  const at = r.below(text.length)
  text.format(at, Math.min(r.between(1, 12), text.length - at), r.pick(marks))
}

/* Texts inside the map (by key: a map's own order is nobody's promise) and the array. */
const nestedTexts = doc => [...[...rootMap(doc)].sort(([a], [b]) => a < b ? -1 : 1).map(([, v]) => v), ...rootArray(doc).toArray()]
  .filter(v => v instanceof Y.Text)

function editNested (doc, r) {
  const all = [...[...rootMap(doc).values()], ...rootArray(doc).toArray()].filter(v => v instanceof Y.AbstractType)
  if (all.length === 0) return
  const type = r.pick(all)
  if (type instanceof Y.Text) insertText(type, r)
  else if (type instanceof Y.Array) r.chance(30) ? deleteSome(type, r) : type.push([r.chance(20) ? sharedValue(r) : anyValue(r)])
  else if (type instanceof Y.Map) type.set(r.pick(['k', 'n', 'x']), r.chance(20) ? sharedValue(r) : anyValue(r))
}

function editXml (doc, r) {
  const xml = rootXml(doc)
  const elements = xml.toArray().filter(e => e instanceof Y.XmlElement)
  r.pick([
    () => xml.insert(r.below(xml.length + 1), [new Y.XmlElement(r.pick(['p', 'h1', 'ul']))]),
    () => xml.insert(r.below(xml.length + 1), [new Y.XmlText(r.word(4))]),
    () => elements.length && r.pick(elements).setAttribute(r.pick(['class', 'id']), r.word(3)),
    () => elements.length && r.pick(elements).insert(0, [new Y.XmlText(r.word(5))]),
    () => elements.length && r.pick(elements).insert(0, [new Y.XmlElement('li')]),
    () => xml.length > 6 && xml.delete(r.below(xml.length), 1)
  ])()
}

const operations = [
  [30, (doc, r) => insertText(rootText(doc), r)],
  [12, (doc, r) => deleteSome(rootText(doc), r)],
  [12, (doc, r) => formatText(rootText(doc), r)],
  [4, (doc, r) => rootText(doc).insertEmbed(r.below(rootText(doc).length + 1), { image: r.word(3) })],
  [14, (doc, r) => rootArray(doc).insert(r.below(rootArray(doc).length + 1), Array.from({ length: r.between(1, 3) }, () => anyValue(r)))],
  [3, (doc, r) => rootArray(doc).push([sharedValue(r)])],
  [6, (doc, r) => deleteSome(rootArray(doc), r)],
  [10, (doc, r) => rootMap(doc).set('k' + r.below(8), anyValue(r))],
  [3, (doc, r) => rootMap(doc).set('t' + r.below(4), sharedValue(r))],
  [4, (doc, r) => rootMap(doc).delete('k' + r.below(8))],
  [14, editNested],
  [14, editXml]
]
const total = operations.reduce((sum, [weight]) => sum + weight, 0)

/* One random edit; now and then several in one transaction. */
export function editRandomly (doc, r) {
  doc.transact(() => {
    for (let n = r.chance(15) ? r.between(2, 5) : 1; n > 0; n--) {
      let at = r.below(total)
      operations.find(([weight]) => (at -= weight) < 0)[1](doc, r)
    }
  })
}

/* Everything a reader can see, as text: equal text means the same document. */
export function portrait (doc) {
  const bytes = value => value instanceof Uint8Array ? { bytes: Buffer.from(value).toString('hex') } : value
  const tidy = value => JSON.stringify(value, (key, v) => {
    const b = bytes(v)
    if (b === null || typeof b !== 'object' || Array.isArray(b)) return b
    return Object.fromEntries(Object.entries(b).sort(([a], [c]) => a < c ? -1 : a > c ? 1 : 0))
  })
  return [
    'state vector ' + Buffer.from(Y.encodeStateVector(doc)).toString('hex'),
    'text ' + tidy(rootText(doc).toDelta()),
    'array ' + tidy(rootArray(doc).toJSON()),
    'map ' + tidy(rootMap(doc).toJSON()),
    'nested deltas ' + tidy(nestedTexts(doc).map(t => t.toDelta())),
    'xml ' + rootXml(doc).toString(),
    'pending ' + (doc.store.pendingStructs !== null || doc.store.pendingDs !== null)
  ].join('\n')
}

/* null when they are the same, else the first line that differs. */
export function difference (a, b) {
  const left = portrait(a).split('\n')
  const right = portrait(b).split('\n')
  const at = left.findIndex((line, i) => line !== right[i])
  return at < 0 ? null : `${left[at].slice(0, 400)}\n  but ${right[at]?.slice(0, 400)}`
}
