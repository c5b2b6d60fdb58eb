/* Values made from schemas, with a seeded generator: some that fit, at the bounds as often as between, and some that do not. */

const texts = ['a', 'Ä', '語', '𝄞', ' ', '"', '\\', '/', '%', '<b>', "'", '\u0001', '\u2028', 'e\u0301', '.', '..', '-', '0', '%00', ';', '\n']
const formats = {
  'date-time': () => '2026-01-31T12:00:00.123Z',
  date: () => '2024-02-29',
  uuid: () => '123e4567-e89b-12d3-a456-426614174000',
  'scope-id': r => 'S' + r.word(8),
  uri: () => 'https://example.org/x'
}

const atBoundOrBetween = (r, low, high) => r.chance(30) ? low : r.chance(30) ? high : r.between(low, high)

function string (r, s) {
  if (formats[s.format]) return formats[s.format](r)
  const low = s.minLength ?? 0
  const n = atBoundOrBetween(r, low, Math.min(s.maxLength ?? low + 20, low + (r.chance(10) ? 600 : 20)))
  const out = Array.from({ length: n }, () => r.chance(70) ? r.word(1) : [...r.pick(texts)][0])
  if (n > 0 && s.format === 'not-blank') out[0] = 'x'
  return out.join('')
}

function number (r, s) {
  const low = s.minimum ?? -1000
  const high = s.maximum ?? (r.chance(10) ? Number.MAX_SAFE_INTEGER : low + 2000)
  return Math.max(low, Math.min(high, atBoundOrBetween(r, Math.ceil(low), Math.floor(high))))
}

function object (r, api, s, depth) {
  const out = {}
  for (const [name, sub] of Object.entries(s.properties ?? {})) {
    if (s.required?.includes(name) || (depth < 6 && r.chance(60))) out[name] = fitting(r, api, sub, depth + 1)
  }
  if (s.additionalProperties !== false && r.chance(10)) out['x' + r.word(3)] = fitting(r, api, s.additionalProperties ?? true, depth + 1)
  return out
}

function array (r, api, s, depth) {
  const low = s.minItems ?? 0
  const n = depth > 6 ? low : atBoundOrBetween(r, low, Math.min(s.maxItems ?? low + 4, low + 4))
  return Array.from({ length: n }, () => fitting(r, api, s.items ?? true, depth + 1))
}

/* A value that fits SCHEMA, as far as it is simple to tell: who needs to be sure asks the library. */
export function fitting (r, api, schema, depth = 0) {
  const s = api.resolve(schema)
  if (s === true || s === undefined || Object.keys(s).every(k => k === 'description')) return r.pick([null, true, 1, 'x', [], {}])
  if ('const' in s) return s.const
  if (s.enum) return r.pick(s.enum)
  const choices = s.oneOf ?? s.anyOf
  if (choices) return fitting(r, api, depth > 6 ? choices[0] : r.pick(choices), depth + 1)
  const type = Array.isArray(s.type) ? r.pick(s.type) : s.type ?? (s.properties ? 'object' : s.items ? 'array' : 'string')
  switch (type) {
    case 'string': return string(r, s)
    case 'integer': return number(r, s)
    case 'number': return r.chance(50) ? number(r, s) : Math.min(s.maximum ?? 2.5, Math.max(s.minimum ?? -2.5, 1.25))
    case 'boolean': return r.chance(50)
    case 'array': return array(r, api, s, depth)
    case 'object': return object(r, api, s, depth)
    default: return null
  }
}

const wrong = r => r.pick([
  null, true, -1, 0, 1.5, 1e308, -1e308, Number.MAX_SAFE_INTEGER, '', 'x', '\u0001', 'Ä'.repeat(700), 'x'.repeat(5000), [], {}, [[[[]]]], { a: { b: [null] } },
  '2026-13-01', '../../etc/passwd', "'; DROP TABLE documents; --", '${jndi:ldap://x}'
])

/* VALUE, changed in one place. */
export function spoilt (r, value) {
  if (value !== null && typeof value === 'object' && Object.keys(value).length > 0 && r.chance(75)) {
    const key = r.pick(Object.keys(value))
    const copy = Array.isArray(value) ? [...value] : { ...value }
    if (r.chance(20) && !Array.isArray(value)) delete copy[key]
    else if (r.chance(10) && !Array.isArray(value)) copy['no-' + r.word(4)] = wrong(r)
    else copy[key] = spoilt(r, value[key])
    return copy
  }
  if (Array.isArray(value) && r.chance(30)) return Array.from({ length: r.pick([0, 1001, 5000]) }, () => value[0] ?? null)
  return wrong(r)
}

/* Bodies that are no JSON, or none that may be taken. */
export const noJson = [
  '{"a":', '[1,]', '{"a":1,"a":2}', '{"user":"a","user":"b"}', '1e999', '123456789012345678901234567890', '[-99999999999999999999]', '"\\ud800"',
  '"\\u0000"', '{"\\u0000":1}', 'NaN', '\ufeff{}', '{} {}', "{'a':1}", '{"a":1}//', '[', '"', '\\', '\u0000', '{"a":0x10}', '[01]',
  '['.repeat(3000), '{"a":'.repeat(500) + '1' + '}'.repeat(500), '['.repeat(70) + ']'.repeat(70),
  Buffer.from([0x22, 0xff, 0x22]), Buffer.from([0x22, 0xc0, 0xaf, 0x22]), Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]),
  Buffer.from('{"title":"x"}', 'utf16le')
]
