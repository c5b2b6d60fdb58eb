// Writes value.json: what JavaScript and the real lib0 make of JSON texts, `any` values and numbers.
//   node value.mjs > value.json        (with lib0 in ../node_modules)
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const require = createRequire(fileURLToPath(new URL('../package.json', import.meta.url)))
const encoding = require('lib0/encoding')
const decoding = require('lib0/decoding')

let seed = 20260101
const random = () => { seed = (Math.imul(seed, 1103515245) + 12345) >>> 0; return (seed >>> 8) / 2 ** 24 }
const pick = list => list[Math.floor(random() * list.length)]
const base64 = bytes => Buffer.from(bytes).toString('base64')
const any = v => { const e = encoding.createEncoder(); encoding.writeAny(e, v); return encoding.toUint8Array(e) }
const read = bytes => decoding.readAny(decoding.createDecoder(bytes))

// ---- JSON -> any
const texts = [
  'null', 'true', 'false', '""', '"a"', '0', '-0', '1', '-1', '63', '64', '-64', '2147483647', '2147483648', '-2147483647',
  '-2147483648', '4294967296', '9007199254740991', '9007199254740993', '123456789012345678901234567890', '0.5', '0.1', '-0.1', '1e3',
  '1E+3', '1.5e1', '12e-1', '1e21', '1e-7', '1e999', '-1e999', '1e-999', '-1e-999', '0e99999999999999999999', '1e-99999999999999999999',
  '3.4028234663852886e38', '3.4028235e38', '3.5e38', '5e-324', '2.2250738585072014e-308', '1.401298464324817e-45',
  '0.' + '0'.repeat(400) + '1e401', '1' + '0'.repeat(400) + 'e-400', '\u00a7', ' [ 1 , 2 ]\n', '\t{ "a" : [ ] , "b" : { } }\r', '[]', '{}', '[[]]',
  '[{}]', '{"":0}', '"\\ud83d\\ude00"', '"\\ud83d"', '"\\ude00\\ud83d"', '"\\ud83d\\u0041"', '"\\ud83d\\ud83d\\ude00"', '"\\u0000\\u001f\\u007f\\u0080\\u07ff\\u0800\\uffff"',
  '"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\u00e9\u4e2d\ud83d\ude00"', '{"b":1,"a":2}', '{"b":1,"a":2,"b":3}', '{"2":0,"1":0,"b":0,"0":0,"10":0}',
  '{"01":0,"1":0,"-1":0,"1.0":0,"4294967294":0,"4294967295":0,"4294967296":0,"99999999999":0}', '{"a":1,"\\u0061":2,"b":{"x":1,"\\u0078":[{"7":1,"6":2,"7":3}]}}',
  '{"__proto__":1,"a":2}', '{"__proto__":{"x":1},"__proto__":3}', '{"\\ud800":1,"\\udc00":2,"\\ufffd":3}', '{"\\ud83d\\ude00":1,"\ud83d\ude00":2}',
  '{"a":[1,2,{"b":[null,true,false,"x",-1.25e-5]}],"c":{}}', '{"toString":1,"constructor":2,"length":3}',
  '[' + Array.from({ length: 200 }, (_, i) => i).join() + ']', '{' + Array.from({ length: 200 }, (_, i) => `"k${i % 150}":${i}`).join() + '}',
  '{' + Array.from({ length: 200 }, (_, i) => `"${(i * 7919) % 130}":${i}`).join() + '}', '['.repeat(100) + ']'.repeat(100),
  '', ' ', '[', ']', '{', '}', '[1,]', '{"a"}', '{"a":}', '{"a":1,}', '{a:1}', '01', '1.', '.1', '+1', '1e', 'nul', 'undefined', '"', '"\\x"', '"\\u12g4"', '"\u0001"', '[1]]', '1 2', '\ufeff1'
].map(text => {
  try { return { json: text, any: base64(any(JSON.parse(text))) } } catch { return { json: text } }
})

const letters = ['a', 'b', 'c', '0', '1', '12', '__proto__', '\u00e9', '\ud83d\ude00', '"', '\n', 'long key number one']
const plain = depth => {
  const k = random()
  if (depth > 0 && k < 0.2) return Array.from({ length: Math.floor(random() * 5) }, () => plain(depth - 1))
  if (depth > 0 && k < 0.5) return Object.fromEntries(Array.from({ length: Math.floor(random() * 6) }, () => [pick(letters), plain(depth - 1)]).filter(([key]) => key !== '__proto__'))
  return pick([null, true, false, random(), Math.floor(random() * 2 ** 33), -Math.floor(random() * 100), pick(letters), Math.fround(random())])
}
for (let i = 0; i < 150; i++) {
  const text = JSON.stringify(plain(4))
  texts.push({ json: text, any: base64(any(JSON.parse(text))) })
}

// ---- any -> JSON. Without `json`: JSON.stringify throws or gives nothing.
const same = (a, b) => {
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return Object.is(a, b)
  if (ArrayBuffer.isView(a) || Array.isArray(a) !== Array.isArray(b)) return false
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every(k => Object.hasOwn(b, k) && same(a[k], b[k]))
}
const odd = depth => {
  const k = random()
  if (depth > 0 && k < 0.2) return Array.from({ length: Math.floor(random() * 5) }, () => odd(depth - 1))
  if (depth > 0 && k < 0.5) return Object.fromEntries(Array.from({ length: Math.floor(random() * 6) }, () => [pick(letters), odd(depth - 1)]))
  return pick([undefined, null, true, NaN, Infinity, -Infinity, -0, 0, new Uint8Array([1, 255, 3]), new Uint8Array(0), 1.5, random(), 'x\u2028\u0000\u001f"\\/'])
}
const hex = s => Uint8Array.from(Buffer.from(s.replace(/ /g, ''), 'hex'))
const values = [
  undefined, NaN, Infinity, -Infinity, -0, 1n, -(2n ** 63n), new Uint8Array([0, 255]), new Uint8Array(12).fill(7), [undefined, NaN, [-0]],
  { a: undefined }, { a: undefined, b: 1 }, { b: 1, a: undefined, c: [undefined] }, [1n], 2 ** 53, 1e21, 1e300
].map(any).concat([
  '76 02 0161 7d01 0161 7f', '76 03 0132 7d01 0131 7d02 0162 7d03', '76 02 0161 7f 0161 7d01', '7b 3ff0000000000000', '7d 8000',
  '76 03 0162 7d01 095f5f70726f746f5f5f 76 01 0178 7d01 0161 7d02', '76 01 095f5f70726f746f5f5f 7d05'
].map(hex)).concat(Array.from({ length: 150 }, () => any(odd(4)))).map(bytes => {
  const v = read(bytes)
  let text
  try { text = JSON.stringify(v) } catch { }
  return text === undefined ? { any: base64(bytes) } : { any: base64(bytes), json: text, lossy: !same(v, JSON.parse(text)) }
})

// ---- numbers
const float = new DataView(new ArrayBuffer(8))
const numbers = [0, 1, -1, 0.1, 0.2, 0.1 + 0.2, 1e21, 1e20, 123456789012345680000, 1e-6, 1e-7, 1.5e-7, 5e-324, 1e23, Number.MAX_VALUE, Number.MIN_VALUE, Number.EPSILON,
  2 ** 53, 2 ** 53 + 2, 2 ** 63, 2 ** 64, 100, 1e2, 4.35, 0.000001, 0.00001234, 123e-20, 9.5e-7, -1.7976931348623157e308, 2.2250738585072014e-308, 2.225073858507201e-308]
for (let e = -1074; e < 1024; e += 3) numbers.push(2 ** e)
for (let i = 0; i < 600; i++) {
  float.setUint32(0, random() * 2 ** 32)
  float.setUint32(4, random() * 2 ** 32)
  if (Number.isFinite(float.getFloat64(0))) numbers.push(float.getFloat64(0))
  numbers.push(Math.round(random() * 1e6) / 10 ** Math.floor(random() * 12))
}
const bits = v => { float.setFloat64(0, v); return float.getBigUint64(0).toString(16) }

const line = v => JSON.stringify(v).replace(/[\ud800-\udfff]+|\u007f/g, s => [...s].map(c => c.length === 2 ? c : '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0')).join(''))
console.log(`{"texts":[\n${texts.map(line).join(',\n')}\n],"values":[\n${values.map(line).join(',\n')}\n],"numbers":[\n${numbers.map(v => line([bits(v), String(v)])).join(',\n')}\n]}`)
