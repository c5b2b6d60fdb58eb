/* Documents in the shapes that y-prosemirror and Tiptap give them, built with the real yjs.
 *   node export-cases.mjs        writes export.json anew; the expected outputs, checked by hand, stay */
import { createRequire } from 'node:module'
import fs from 'node:fs'
const require = createRequire(new URL('../../package.json', import.meta.url))
const Y = require('yjs')

const n = (name, attrs, ...children) => ({ name, attrs, children })
const t = (...deltas) => ({ deltas: deltas.map(d => typeof d === 'string' ? { insert: d } : d) })
const m = (insert, attributes) => ({ insert, attributes: Object.fromEntries(Object.entries(attributes).map(([k, v]) => [k, v === true ? {} : v])) })
const p = (...deltas) => n('paragraph', {}, t(...deltas))

function build (node) {
  if (node.deltas) {
    const text = new Y.XmlText()
    text.applyDelta(node.deltas, { sanitize: false })
    return text
  }
  const element = new Y.XmlElement(node.name)
  for (const [key, value] of Object.entries(node.attrs ?? {})) element.setAttribute(key, value)
  element.insert(0, node.children.map(build))
  return element
}

function nested (depth, name) {
  let node = p('deep')
  for (let i = 0; i < depth; i++) node = n(name, {}, node)
  return node
}

const marks = ['bold', 'italic', 'underline', 'strike', 'code', 'highlight', 'subscript', 'superscript']
const item = (...children) => n('listItem', {}, ...children)
const cell = (text, attrs = {}) => n('tableCell', attrs, p(text))
const head = (text, attrs = {}) => n('tableHeader', attrs, p(text))

export const cases = {
  'paragraphs and headings': [p('One'), n('heading', { level: 2 }, t('Two')), p(), p('Three'), n('heading', { level: 9 }, t('x'))],
  'marks of Tiptap': marks.map(mark => p('a ', m(mark, { [mark]: true }), ' b')),
  'marks of prosemirror-schema-basic': [p(m('strong', { strong: true }), ' ', m('em', { em: true }), ' ', m('both', { strong: true, em: true }))],
  'marks that begin and end apart': [p(m('a', { bold: true }), m('b', { bold: true, italic: true }), m('c', { italic: true }), m(' d', { bold: true }), m('!', { strike: true }))],
  'overlapping marks with hashes': [p(m('x', { 'comment--Ab3+': { id: '1' }, 'comment--Zz9/': { id: '2' }, 'bold--q': {} }))],
  'an unknown mark': [p('a', m('b', { blink: { rate: 3 } }))],
  links: [p(m('good', { link: { href: 'https://example.org/a_b?c=d&e=f', target: '_blank', title: null } }), ' ', m('relative', { link: { href: '/x' } })),
    p(m('script', { link: { href: ' java\tscript:alert(1)' } }), m('data', { link: { href: 'data:text/html,x' } }), m('upper', { link: { href: 'JavaScript:x' } }), m('vb', { link: { href: 'vbscript:x' } }))],
  colours: [p(m('red', { textStyle: { color: '#f00' } }), m('bad', { textStyle: { color: 'red; background: url(x)' } }), m('hl', { highlight: { color: 'rgb(1, 2, 3)' } }))],
  lists: [n('bulletList', {}, item(p('one')), item(p('two'), n('bulletList', {}, item(p('nested')))), item(p('three'), p('more'))),
    n('orderedList', { start: 3 }, item(p('c')), item(p('d')))],
  'lists of prosemirror-schema-list': [n('bullet_list', {}, n('list_item', {}, p('a'))), n('ordered_list', { order: 5 }, n('list_item', {}, p('b')))],
  'two lists in a row, empty items': [n('bulletList', {}, item(p()), item()), n('bulletList', {}, item(p('x')))],
  tasks: [n('taskList', {}, n('taskItem', { checked: true }, p('done')), n('taskItem', { checked: false }, p('open')), n('taskItem', {}, n('blockquote', {}, p('q'))))],
  quotes: [n('blockquote', {}, p('a'), p('b')), n('blockquote', {}, p('c'), n('blockquote', {}, p('d')), p('e'))],
  code: [n('codeBlock', { language: 'js' }, t('if (a < b) {\n  `x`\n}')), n('code_block', {}, t('```\nfence\n```')), n('codeBlock', { language: '"><script>' }, t())],
  'rules and breaks': [p('a'), n('horizontalRule', {}), n('paragraph', {}, t('b'), n('hardBreak', {}), t('c'), n('hard_break', {})), n('heading', { level: 1 }, t('d'), n('hardBreak', {}), t('e'))],
  images: [n('image', { src: 'https://x/y z.png', alt: 'a "quoted" <alt>', title: 't' }), n('paragraph', {}, t('in '), n('image', { src: 'data:image/png;base64,AA==', alt: null }), n('image', { src: 'data:image/svg+xml,<svg>', alt: 'svg' }), n('image', { src: 'javascript:x', alt: 'js', width: 20 }))],
  tables: [n('table', {}, n('tableRow', {}, head('A'), head('B', { colspan: 2 })), n('tableRow', {}, cell('1'), cell('a|b'), cell('c\\|d')), n('tableRow', {}, n('tableCell', { rowspan: 2, colspan: 1 }, p('x'), p('y'))))],
  mentions: [n('paragraph', {}, t('hi '), n('mention', { id: 'u1', label: 'Ann *Lee*' }))],
  'unknown nodes': [n('callout', { kind: 'warn', 'on click': 'x', n: 3, o: { a: 1 } }, p('inside')), n('paragraph', {}, t('a'), n('emoji', { name: 'smile' }), t('b'))],
  alignment: [n('paragraph', { textAlign: 'center' }, t('c')), n('paragraph', { textAlign: 'x" onload="y' }, t('d'))],
  'hostile text': [p('<script>alert("x")</script> & &amp; \0'), p('# no heading'), p('1. no list'), p('- no list'), p('    no code'), p('> no quote'), p('a\nb\n\nc'), p('***'), p('`code` [link](x) ![i](y) _e_ *s* ~~d~~ a|b \\'), p('https://example.org/a_b www.x_y.org'), p('+ x'), p('=== '), p('12) x')],
  'hostile code': [p(m('`tick`', { code: true }), ' ', m('a``b', { code: true }), ' ', m(' ', { code: true }), m('a|b', { code: true }), m('<b>', { code: true }))],
  'emphasis that Markdown would not see': [p('a', m('b ', { bold: true }), 'c', m('!', { bold: true }), 'd', m('e', { italic: true }), m('f', { bold: true }), 'snake', m('case', { italic: true }), 'd')],
  'other scripts': [p(m('grüße', { bold: true }), ' ', m('日本', { italic: true }), m('。', { bold: true }), '😀', m('é', { strike: true }))],
  'deep quotes': [nested(300, 'blockquote')],
  'deep lists': [nested(120, 'bulletList')],
  'text where none belongs': [t('loose '), n('bulletList', {}, t('bare'), p('q')), n('table', {}, p('no row')), n('tableRow', {}, cell('alone'))],
  'a block in a text': [n('paragraph', {}, n('paragraph', {}, t('inner')))],
  'an empty paragraph': [p()]
}

export function documents () {
  const out = []
  for (const [name, nodes] of Object.entries(cases)) {
    const doc = new Y.Doc({ gc: true })
    doc.clientID = 7
    doc.getXmlFragment('default').insert(0, nodes.map(build))
    out.push({ name, kind: 'XmlFragment', root: 'default', update: Buffer.from(Y.encodeStateAsUpdate(doc)).toString('base64') })
  }
  for (const [name, delta] of Object.entries({
    'a text as root': [{ insert: 'One ' }, { insert: 'two\nthree', attributes: { bold: true } }, { insert: '\n\n' }, { insert: 'four', attributes: { link: 'https://x' } }, { insert: { image: 'x' } }, { insert: ' five\n' }]
  })) {
    const doc = new Y.Doc()
    doc.clientID = 7
    doc.getText('t').applyDelta(delta, { sanitize: false })
    out.push({ name, kind: 'Text', root: 't', update: Buffer.from(Y.encodeStateAsUpdate(doc)).toString('base64') })
  }
  return out
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const file = new URL('export.json', import.meta.url)
  const before = JSON.parse(fs.readFileSync(file, 'utf8'))
  const expected = name => before.find(d => d.name === name) ?? {}
  fs.writeFileSync(file, JSON.stringify(documents().map(d => ({ ...expected(d.name), ...d })), null, 1) + '\n')
}
