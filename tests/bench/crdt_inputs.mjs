// The work of the crdt measurement, for all subjects.
//
//   node crdt_inputs.mjs --out DIR [--trace automerge-paper.json.gz] [--quick]
//
// Replays an editing trace (--trace, or UMBEL_TRACES as a directory or file; else a generated one of the same shape) with
// yjs and writes to DIR, "list" meaning byte strings each behind its length as lib0's uint:
//
//   name                  of the trace: B4, B4-generated, with -first-20000 when --quick
//   patches               the trace: uint position, uint units deleted, string inserted
//   updates               list: what yjs emits for each patch
//   state.v1, state.v2    yjs' document after all of them
//   b2.4-0, -1, -2        patches: the text before, the edits of the one client, of the other
//   b3.5, same-place      lists: inserts at the beginning by 1,540 and 10,000 clients that know nothing of one another
//   past-N, present-N     lists: a text that N clients wrote letter by letter, and 30,000 updates of two more
//   merge-clients         list: one insert each of 4,000 clients
//   garbage               list: ten times 1 MB of noise
import { readFileSync, writeFileSync, existsSync, statSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { join } from 'node:path'
import * as Y from 'yjs'

const option = name => { const at = process.argv.indexOf('--' + name); return at < 0 ? undefined : process.argv[at + 1] }
const out = option('out')
const quick = process.argv.includes('--quick')
const put = (name, bytes) => writeFileSync(join(out, name), bytes)

const uint = n => { const b = []; for (; n >= 128; n = Math.floor(n / 128)) b.push(n % 128 + 128); b.push(n); return Buffer.from(b) }
const string = s => { const b = Buffer.from(s); return Buffer.concat([uint(b.length), b]) }
const list = all => Buffer.concat(all.flatMap(u => [uint(u.length), u]))
const patchBytes = all => Buffer.concat(all.map(([at, deleted, inserted]) => Buffer.concat([uint(at), uint(deleted), string(inserted)])))

const randomFrom = seed => () => { seed = (seed * 1103515245 + 12345) % 2147483648; return seed / 2147483648 }

// ---- the trace --------------------------------------------------------------------------------------------------

const tracePath = () => {
  const given = option('trace') ?? process.env.UMBEL_TRACES
  if (given === undefined || given === '') return null
  const file = existsSync(given) && statSync(given).isDirectory() ? join(given, 'automerge-paper.json.gz') : given
  return existsSync(file) ? file : null
}

// One author who mostly goes on typing, sometimes jumps, sometimes takes back a few: shares as in the recorded trace.
const generatedTrace = () => {
  const random = randomFrom(4711)
  const patches = []
  let length = 0
  let at = 0
  let burst = 0
  for (let i = 0; i < 259778; i++) {
    if (random() < 0.007) at = Math.floor(random() * (length + 1))
    if (burst === 0 && random() < 0.028) burst = 15
    if (burst > 0) burst--
    if (burst > 0 && at > 0) { patches.push([--at, 1, '']); length-- } else { patches.push([at++, 0, String.fromCharCode(97 + Math.floor(random() * 26))]); length++ }
  }
  return patches
}

const trace = () => {
  const path = tracePath()
  const patches = path === null ? generatedTrace() : JSON.parse(gunzipSync(readFileSync(path))).txns.flatMap(t => t.patches)
  put('name', (path === null ? 'B4-generated' : 'B4') + (quick ? '-first-20000' : ''))
  return quick ? patches.slice(0, 20000) : patches
}

const record = patches => {
  const doc = new Y.Doc()
  const text = doc.getText('text')
  const updates = []
  doc.clientID = 1234567
  doc.on('update', u => updates.push(u))
  for (const [at, deleted, inserted] of patches) {
    doc.transact(() => {
      if (deleted > 0) text.delete(at, deleted)
      if (inserted.length > 0) text.insert(at, inserted)
    })
  }
  put('updates', list(updates))
  put('state.v1', Y.encodeStateAsUpdate(doc))
  put('state.v2', Y.encodeStateAsUpdateV2(doc))
}

// ---- the workloads of crdt-benchmarks, N = 6000 -----------------------------------------------------------------

const N = 6000
const CLIENTS = Math.floor(Math.sqrt(N)) * 20

// B2.4: both insert words at random places, and after each insert another word or delete a few letters there.
const insertAndDelete = (random, text) => {
  const int = (lo, hi) => lo + Math.floor(random() * (hi - lo + 1))
  const word = (lo, hi) => Array.from({ length: int(lo, hi) }, () => String.fromCharCode(97 + int(0, 25))).join('')
  const patches = []
  let length = text.length
  for (let i = 0; i < N; i++) {
    const at = int(0, length)
    const first = word(3, 9)
    patches.push([at, 0, first])
    length += first.length
    if (random() < 0.5) {
      const second = word(2, 10)
      patches.push([at, 0, second])
      length += second.length
    } else {
      const n = int(1, Math.min(9, length - at))
      patches.push([at, n, ''])
      length -= n
    }
  }
  return patches
}

// ---- updates made by hand ---------------------------------------------------------------------------------------

const clientId = k => 1000 + Number(BigInt(k) * 2654435761n % 4000000000n)
const ORIGIN = 0x80
const RIGHT = 0x40
const STRING = 4

// An insert of TEXT into the text "t": ids are [client number, clock] or null.
const insert = (id, left, right, text = 'x') => {
  const parts = [Buffer.from([1, 1]), uint(clientId(id[0])), uint(id[1]), Buffer.from([STRING | (left ? ORIGIN : 0) | (right ? RIGHT : 0)])]
  for (const o of [left, right]) if (o) parts.push(uint(clientId(o[0])), uint(o[1]))
  if (!left && !right) parts.push(Buffer.from([1]), string('t'))
  parts.push(string(text), Buffer.from([0]))
  return Buffer.concat(parts)
}
const remove = id => Buffer.concat([Buffer.from([0, 1]), uint(clientId(id[0])), Buffer.from([1]), uint(id[1]), Buffer.from([1])])

const LETTERS = 10000
const letter = (i, n) => [i % n, Math.floor(i / n)]
const past = (letters, n) => Array.from({ length: letters }, (_, i) => insert(letter(i, n), i === 0 ? null : letter(i - 1, n), null))

// Two clients who write words somewhere in that text, and take letters back.
const present = n => {
  const updates = []
  const clock = [0, 0]
  const at = [0, 0]
  const random = randomFrom(1)
  for (let i = 0; i < 30000; i++) {
    const who = (i >> 3) % 2
    const me = [n + who, clock[who]]
    const before = [n + who, clock[who] - 1]
    if (i % 8 === 0) at[who] = Math.floor(random() * (LETTERS - 1))
    if (i % 8 === 4) updates.push(remove(before))
    else {
      updates.push(insert(me, i % 8 === 0 ? letter(at[who], n) : before, letter(at[who] + 1, n)))
      clock[who]++
    }
  }
  return updates
}

const noise = () => {
  const random = randomFrom(99)
  return Array.from({ length: 10 }, (_, k) => {
    const b = Buffer.alloc(1 << 20)
    for (let i = 0; i < b.length; i++) b[i] = random() * 256
    b[0] = 1 + k % 2                 // one or two sections, of structs at once
    return b
  })
}

const patches = trace()
put('patches', patchBytes(patches))
record(patches)
const before = 'umbel and other flowers '.repeat(5).slice(0, 100)
put('b2.4-0', patchBytes([[0, 0, before]]))
put('b2.4-1', patchBytes(insertAndDelete(randomFrom(42), before)))
put('b2.4-2', patchBytes(insertAndDelete(randomFrom(43), before)))
put('b3.5', list(Array.from({ length: CLIENTS }, (_, k) => insert([k, 0], null, null, String(k)))))
put('same-place', list(Array.from({ length: 10000 }, (_, k) => insert([k, 0], null, null))))
for (const n of [10, 100, 1000, 10000]) {
  put(`past-${n}`, list(past(LETTERS, n)))
  put(`present-${n}`, list(present(n)))
}
put('merge-clients', list(past(4000, 4000)))
put('garbage', list(noise()))
