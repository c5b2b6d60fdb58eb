/* Shows the description of the REST interface, and tries its calls. Text of the description only ever becomes text nodes. */
'use strict'

const $ = id => document.getElementById(id)
let api

/* el('dt', { class: 'x' }, 'text', node, ...): null and false are left out. */
function el (name, attributes = {}, ...inside) {
  const node = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value)
    else if (value === true) node.setAttribute(key, '')
    else if (value !== false && value !== null && value !== undefined) node.setAttribute(key, value)
  }
  node.append(...inside.flat().filter(x => x !== null && x !== false && x !== undefined))
  return node
}

/* ---- schemas ---- */

const nameOf = schema => schema?.$ref?.split('/').pop()
const resolve = schema => schema?.$ref ? resolve(api.components.schemas[nameOf(schema)]) : schema ?? {}

/* One line: "array of Reservation, 1 to 1000 elements". */
function kindOf (schema) {
  if (schema?.$ref) return nameOf(schema)
  const s = resolve(schema)
  if ('const' in s) return JSON.stringify(s.const)
  if (s.enum) return s.enum.map(v => JSON.stringify(v)).join(' | ')
  const choices = s.oneOf ?? s.anyOf
  if (choices) return choices.map(kindOf).join(' or ')
  const type = [s.type ?? 'anything'].flat().map(x => x === 'array' && s.items ? `array of ${kindOf(s.items)}` : x).join(' or ')
  return [type, s.format, ...limits(s)].filter(Boolean).join(', ')
}

function limits (s) {
  const range = (low, high, what) => low === undefined && high === undefined ? null
    : `${low === undefined ? 'up to ' + high : high === undefined ? 'at least ' + low : low + ' to ' + high}${what}`
  return [
    range(s.minimum, s.maximum, ''), range(s.minLength, s.maxLength, ' characters'), range(s.minItems, s.maxItems, ' elements'),
    range(s['x-min-ms'], s['x-max-ms'], ' ms'), s.default !== undefined && `without it ${JSON.stringify(s.default)}`
  ]
}

/* What is inside a schema: its members, or its elements'. */
function inner (schema) {
  const s = resolve(schema)
  if (s.properties) return Object.entries(s.properties).map(([name, sub]) => ({ name, sub, must: s.required?.includes(name) }))
  if (s.items && inner(s.items).length > 0) return inner(s.items)
  if (typeof s.additionalProperties === 'object') return [{ name: '(any name)', sub: s.additionalProperties }]
  return (s.oneOf ?? s.anyOf ?? []).flatMap((sub, i) => inner(sub).length > 0 ? [{ name: `(${i + 1})`, sub }] : [])
}

function row (name, must, kind, about, more) {
  return el('div', {}, el('dt', { class: must && 'must' }, name), el('dd', {}, el('span', { class: 'kind' }, kind), about && el('div', {}, about), more))
}

function members (schema) {
  return el('dl', {}, inner(schema).map(({ name, sub, must }) => row(name, must, kindOf(sub), resolve(sub).description, part(sub))))
}

/* Opened when it is looked at: schemas may contain themselves. */
function part (schema) {
  if (inner(schema).length === 0) return null
  const node = el('details', { class: 'part' }, el('summary', {}, 'members'))
  node.addEventListener('toggle', () => node.childElementCount === 1 && node.append(members(schema)))
  return node
}

/* A value that shows the shape. */
function example (schema, depth = 0) {
  const s = resolve(schema)
  if (s.examples) return s.examples[0]
  if ('const' in s) return s.const
  if (s.default !== undefined) return s.default
  if (s.enum) return s.enum[0]
  const choices = s.oneOf ?? s.anyOf
  if (choices) return example(choices[0], depth + 1)
  switch ([s.type].flat()[0]) {
    case 'object': return Object.fromEntries(Object.entries(s.properties ?? {}).filter(([name]) => depth === 0 || s.required?.includes(name))
      .map(([name, sub]) => [name, depth > 4 ? null : example(sub, depth + 1)]))
    case 'array': return depth > 4 ? [] : [example(s.items, depth + 1)]
    case 'string': return s.format === 'date-time' ? '2026-01-31T12:00:00Z' : s.format === 'date' ? '2026-01-31' : ''
    case 'integer': case 'number': return s.minimum ?? 0
    case 'boolean': return false
    default: return null
  }
}

/* ---- trying a call ---- */

function field (p) {
  const values = p.schema.enum ?? (p.schema.type === 'boolean' ? [true, false] : null)
  const empty = p.schema.default !== undefined ? String(p.schema.default) : ''
  const input = values
    ? el('select', { name: p.name }, el('option', { value: '' }, p.required ? 'choose' : `(${empty || 'not given'})`), values.map(v => el('option', { value: v }, String(v))))
    : el('input', { name: p.name, required: p.required, placeholder: empty, autocomplete: 'off', spellcheck: 'false' })
  input.dataset.in = p.in
  return el('label', {}, el('span', { class: p.required && 'must' }, `${p.name} (${p.in})`), input)
}

function requestOf (form, o) {
  const given = [...form.querySelectorAll('[data-in]')].filter(f => f.value !== '')
  const at = place => given.filter(f => f.dataset.in === place)
  const list = f => o.parameters.find(p => p.name === f.name && p.in === f.dataset.in).schema.type === 'array'
  const text = f => list(f) ? f.value.split(',').map(x => encodeURIComponent(x.trim())).join(',') : encodeURIComponent(f.value)
  const path = o.path.replace(/\{(\w+)\}/g, (all, name) => at('path').filter(f => f.name === name).map(text)[0] ?? '')
  const query = at('query').map(f => `${encodeURIComponent(f.name)}=${text(f)}`).join('&')
  const body = form.elements.body?.value.trim()
  const headers = Object.fromEntries(at('header').map(f => [f.name, f.value]))
  if ($('token').value && o.security.length > 0) headers.token = $('token').value
  if (body) headers['Content-Type'] = Object.keys(o.requestBody.content)[0]
  return { url: path + (query && '?' + query), options: { method: o.method.toUpperCase(), headers, body: body || undefined } }
}

const quoted = text => `'${text.replaceAll("'", "'\\''")}'`

function curl ({ url, options }) {
  const headers = Object.entries(options.headers).map(([name, value]) => name === 'token' ? ' -H "token: $TOKEN"' : ` -H ${quoted(`${name}: ${value}`)}`)
  return `curl${options.method === 'GET' ? '' : ' -X ' + options.method}${headers.join('')}${options.body ? ' --data ' + quoted(options.body) : ''} ${quoted(location.origin + url)}`
}

async function readable (answer) {
  const type = answer.headers.get('content-type') ?? ''
  if (type.includes('octet-stream')) return `(${(await answer.blob()).size} bytes)`
  const text = await answer.text()
  try {
    return type.includes('json') ? JSON.stringify(JSON.parse(text), null, 2) : text
  } catch {
    return text
  }
}

async function send (form, o, out) {
  const request = requestOf(form, o)
  const button = form.querySelector('button')
  const started = performance.now()
  button.disabled = true
  out.replaceChildren(el('p', { class: 'soft' }, 'Waiting …'))
  try {
    const answer = await fetch(request.url, request.options)
    const text = await readable(answer)
    const ms = Math.round(performance.now() - started)
    out.replaceChildren(
      el('p', {}, el('span', { class: answer.ok ? 'ok' : 'bad' }, `${answer.status} ${answer.statusText}`), ` in ${ms} ms`),
      text && el('pre', { tabindex: '0' }, text.slice(0, 200000)), tokenOffer(o, answer, text), el('pre', { tabindex: '0' }, curl(request)))
  } catch (err) {
    out.replaceChildren(el('p', { class: 'bad' }, `No answer: ${err.message}`), el('pre', {}, curl(request)))
  }
  button.disabled = false
}

function tokenOffer (o, answer, text) {
  if (o.operationId !== 'authentication.create' || !answer.ok) return ''
  return el('p', {}, el('button', { type: 'button', class: 'plain', onclick: () => { $('token').value = JSON.parse(text).value } }, 'Use this token'))
}

function tryForm (o) {
  const out = el('div', { class: 'answer' })
  const content = o.requestBody?.content
  const schema = content?.['application/json']?.schema
  const shown = schema && (o.requestBody.required ? JSON.stringify(example(schema), null, 2) : '')
  const form = el('form', { onsubmit: event => { event.preventDefault(); send(form, o, out) } },
    (o.parameters ?? []).map(field),
    content && el('label', {}, `body (${Object.keys(content)[0]})`, el('textarea', { name: 'body', spellcheck: 'false' }, shown ?? '')),
    el('div', { class: 'row' }, el('button', {}, 'Send'), o.method !== 'get' && el('span', { class: 'soft' }, 'This is done for real.')), out)
  return form
}

/* ---- operations ---- */

function roleOf (o) {
  if (o.security.length === 0) return 'anybody'
  const roles = [...new Set(o.security.map(way => Object.values(way)[0][0]))].filter(Boolean)
  return roles.length === 0 ? 'any user' : roles.join(' or ')
}

function replies (o) {
  return el('dl', {}, Object.entries(o.responses).filter(([status]) => status !== 'default').map(([status, r]) => {
    const kinds = Object.entries(r.content ?? {})
    const schema = kinds.find(([, c]) => c.schema)?.[1].schema
    return row(status, false, kinds.map(([type, c]) => c.schema ? `${kindOf(c.schema)} (${type})` : type).join(', ') || 'no body', r.description, schema && part(schema))
  }))
}

function inside (o) {
  const schema = o.requestBody?.content['application/json']?.schema
  const upgrade = o.responses[101] !== undefined
  return el('div', { class: 'inside' },
    el('p', { class: 'id' }, o.operationId),
    o.parameters && [el('h3', {}, 'Parameters'), el('dl', {}, o.parameters.map(p => row(p.name, p.required, `${p.in}: ${kindOf(p.schema)}`, p.description)))],
    schema && [el('h3', {}, 'Body'), el('dl', {}, row(nameOf(schema) ?? 'body', o.requestBody.required, kindOf(resolve(schema)), resolve(schema).description)), members(schema)],
    el('h3', {}, 'Replies'), replies(o),
    !upgrade && [el('h3', {}, 'Try it'), tryForm(o)])
}

function operation (o) {
  const node = el('details', { class: 'op', id: o.operationId },
    el('summary', {}, el('span', { class: `method ${o.method}` }, o.method.toUpperCase()), el('span', { class: 'path' }, o.path),
      el('span', { class: 'role' }, roleOf(o)), el('span', { class: 'say' }, o.summary)))
  node.dataset.words = `${o.method} ${o.path} ${o.operationId} ${o.summary} ${roleOf(o)}`.toLowerCase()
  node.addEventListener('toggle', () => node.open && node.childElementCount === 1 && node.append(inside(o)))
  return node
}

function show () {
  const all = Object.entries(api.paths).flatMap(([path, item]) => Object.entries(item).map(([method, o]) => ({ ...o, path, method })))
  $('version').textContent = `version ${api.info.version}`
  $('about').textContent = api.info.description
  document.title = `${api.info.title}: REST interface`
  const groups = api.tags.map(tag => ({ ...tag, all: all.filter(o => o.tags[0] === tag.name) })).filter(tag => tag.all.length > 0)
  $('groups').replaceChildren(...groups.map(tag => el('a', { href: `#group-${tag.name}` }, tag.name, el('span', {}, String(tag.all.length)))))
  $('operations').replaceChildren(...groups.map(tag => el('section', { id: `group-${tag.name}` },
    el('h2', {}, tag.name), tag.description && el('p', {}, tag.description), tag.all.map(operation))))
}

/* All words must be there, in any order. */
function find () {
  const words = $('find').value.toLowerCase().split(/\s+/).filter(Boolean)
  for (const section of $('operations').querySelectorAll('section')) {
    const shown = [...section.querySelectorAll('.op')].filter(op => !(op.hidden = !words.every(w => op.dataset.words.includes(w))))
    section.hidden = shown.length === 0
  }
}

function openNamed () {
  const node = location.hash.length > 1 ? $(decodeURIComponent(location.hash.slice(1))) : null
  if (node?.classList.contains('op')) node.open = true
  node?.scrollIntoView()
}

async function start () {
  try {
    const answer = await fetch('/core/v3/api-docs')
    if (!answer.ok) throw new Error(`status ${answer.status}`)
    api = await answer.json()
  } catch (err) {
    $('operations').replaceChildren(el('p', { class: 'bad' }, `The description cannot be read: ${err.message}`))
    return
  }
  show()
  openNamed()
  $('find').addEventListener('input', find)
  window.addEventListener('hashchange', openNamed)
}

start()
