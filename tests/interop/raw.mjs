/* interop.raw: recorded client frames, byte for byte, and what stock Hocuspocus 4.7.0 answered (tests/vectors/hocuspocus).
 * Where Umbel answers otherwise on purpose, the reason stands beside the step: DELIBERATE.
 * UMBEL_SUBJECT=hocuspocus runs the same against the stock server itself. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import * as Y from 'yjs'
import { AUTH, AWARENESS, CLOSE, STEP1, SYNC, SYNC_STATUS, UPDATE, authToken, describeFrame, frame, hex, readFrame, unhex, writeAwareness } from '../harness/frames.mjs'
import { RawClient } from '../harness/raw.mjs'
import { openRun, root, until } from '../harness/run.mjs'
import { startSubject, subjectKind } from '../harness/subjects.mjs'

const reactors = Number(process.argv[2] ?? 1)
const ours = subjectKind === 'umbel'
const run = openRun(`interop.raw-reactors-${reactors}`)
const core = await startSubject(run, { reactors })

const vectors = name => JSON.parse(fs.readFileSync(path.join(root, 'tests/vectors/hocuspocus', `${name}.json`)))
const label = entry => /^\[(.*?)\]/.exec(entry.meaning)?.[1]

/* DELIBERATE: the recordings used tokens of their own hooks. The same admissions, with tokens of the server under test. */
const tokens = { tok: 'write', fresh: 'write', 'tökén': 'write', tok2: 'write', '': 'write', ro: 'read' }
function withOurToken (bytes) {
  const f = bytes.length === 1 ? {} : readFrame(bytes)
  if (f.type !== AUTH || f.kind !== 0) return bytes
  const version = /5\.|[0-9]\.[0-9]+\.[0-9]+$/.exec(Buffer.from(bytes).toString('latin1'))?.[0]
  return authToken(f.address, core.token(tokens[f.text] ?? 'bad'), version)
}

/* Steps of the recordings that are not replayed. */
const skipped = {
  'A stateless reply': 'a hook of the recorded server answered',
  'A stateless broadcast': 'a hook of the recorded server answered',
  stateless: 'a hook of the recorded server answered',
  requestToken: 'a hook of the recorded server asked',
  'bad token reason E': 'a hook of the recorded server chose the reason',
  'loadfail G': 'a hook of the recorded server failed',
  closeConnections: 'the recorded server was told to close',
  'A edit after close': 'follows closeConnections',
  'A disconnect socket': 'follows closeConnections',
  'A reconnect': 'follows closeConnections',
  'server destroy': 'the recorded server was ended',
  'empty name H': 'DELIBERATE: a blank name is denied at once, not admitted first (a story of its own below)',
  '-': 'a note'
}

/* DELIBERATE: no copy of its own update or presence goes back to the sender (collab.echo switches it on); it may. */
const isOwnEcho = (text, sent) => sent.has(text)

/* DELIBERATE: a null is passed on as its owner sent it; stock loses it and makes one of its own, at the clock before. */
const withoutNullClocks = text => text.replace(/"clock":\d+,"state":null/g, '"clock":*,"state":null')

/* DELIBERATE: after the bare pong the socket stays open (stock 4.7 closes with 4401 and so cannot be pinged at all).
 * What follows from that close is not expected either. */
const notExpected = entry => ours && label(entry) === 'ping'

async function replay (name) {
  const entries = vectors(name).filter(e => !(label(e) in skipped))
  const connections = new Map()
  for (const e of entries) {
    if (!connections.has(e.connection)) {
      connections.set(e.connection, { client: await RawClient.open(core.collabUrl), left: false, expected: [], sent: new Set() })
    }
    await step(connections.get(e.connection), e, `${name} [${label(e)}] connection ${e.connection}`)
  }
  for (const [id, c] of connections) {
    if (!c.left) await expectAll(`${name} at the end, connection ${id}`, c, { atEnd: true })
    c.client.close()
  }
}

/* What the server had said before a client went on must be there before ours goes on. */
async function step (c, e, what) {
  if (c.left) return                     /* what the server still said to a client that had gone */
  if (e.direction === 'server->client') {
    if (e.hex !== '' && !notExpected(e)) c.expected.push(withoutNullClocks(describeFrame(unhex(e.hex))))
    return
  }
  if (e.hex === '' && !/closed/.test(e.meaning)) return
  await expectAll(what, c)
  if (e.hex === '') {
    c.client.socket.close()
    c.left = true
  } else {
    const bytes = withOurToken(unhex(e.hex))
    c.client.send(bytes)
    c.sent.add(bytes.length === 1 ? hex(bytes) : withoutNullClocks(describeFrame(bytes)))
  }
}

/* Stock sends what it has just loaded from its store once more as an update; the recorded one had none. */
const isLateLoad = (text, needed) => !ours && / Sync Update /.test(text) && !needed.includes(text)

/* DELIBERATE: a state may come in pieces, Updates that end with a Step2: read as the one Step2 that they make. */
function describeAll (frames) {
  const out = []
  let pieces = []
  for (const bytes of frames) {
    const f = readFrame(bytes)
    if (f.type === SYNC && f.kind === UPDATE) {
      pieces.push(bytes)
      continue
    }
    const whole = f.type === SYNC && f.kind === 1 && pieces.length > 0 && pieces.every(p => readFrame(p).address === f.address)
    if (whole) out.push(describeFrame(frame(f.address, SYNC, 1, Y.mergeUpdates([...pieces.map(p => readFrame(p).bytes), f.bytes]))))
    else out.push(...pieces.map(p => describeFrame(p)), describeFrame(bytes))
    pieces = []
  }
  return [...out, ...pieces.map(p => describeFrame(p))]
}

/* The same frames, and in the order that chapter 5 promises: those of one document and kind of body never overtake one another.
 * Presence may come earlier or later; own echoes may be missing. */
async function expectAll (what, c, { atEnd = false } = {}) {
  const needed = c.expected.filter(text => !isOwnEcho(text, c.sent))
  await until(what, () => {
    const got = describeAll(c.client.frames).map(withoutNullClocks)
      .filter(text => !isOwnEcho(text, c.sent) && !isLateLoad(text, needed) && !isPresenceRequest(text))
    const missing = needed.filter(text => !got.includes(text))
    if (missing.length > 0) throw new Error(`missing ${missing.join(' | ')}; has ${got.join(' | ')}`)
    const [has, wants] = [byAddress(got), byAddress(needed)]
    for (const [address, list] of has) {
      const want = wants.get(address) ?? []
      assert.deepEqual(atEnd ? list : list.slice(0, want.length), want)
    }
    return true
  }, 5000)
}

/* DELIBERATE: who comes back with the presence that the server has seen the end of is asked for it again, so that others see it at once. */
const isPresenceRequest = text => ours && / QueryAwareness$/.test(text)

/* All but presence, which may come earlier or later. */
function byAddress (list) {
  const out = new Map()
  for (const text of list.filter(one => !/ Awareness /.test(one))) {
    const address = text.slice(0, text.indexOf('" '))
    out.set(address, [...(out.get(address) ?? []), text])
  }
  return out
}

for (const name of ['ws-provider-4.8.0-server-4.7.0', 'ws-provider-3.4.4-server-4.7.0', 'ws-provider-2.15.3-server-4.7.0']) {
  await run.story(`the recorded clients of ${name} get the recorded answers`, async () => {
    await core.stop()
    core.database = core.database.replace(/[^/]*$/, `${name}.db`)
    await core.start()
    await replay(name)
  })
}

/* --- frames that no client sends -------------------------------------------------------------------- */
const edge = vectors('ws-raw-edge-cases-server-4.7.0')
const of = (step, direction) => edge.filter(e => label(e) === step && e.direction === direction && e.hex !== '').map(e => e.hex)
const sends = step => of(step, 'client->server').map(text => withOurToken(unhex(text)))
const answers = step => of(step, 'server->client')

const admit = async (address, kind = 'write') => {
  const c = await RawClient.open(core.collabUrl)
  c.send(authToken(address, core.token(kind), '4.8.0'))
  await c.expect('admission', frame(address, AUTH, 2, kind === 'read' ? 'readonly' : 'read-write'))
  return c
}
const reset = address => frame(address, CLOSE, 'Reset Connection')
/* A frame that surely is answered: what comes before the answer is all that the frames before it caused. */
const fence = async (c, address, ...before) => {
  c.send(frame(address, SYNC, STEP1, new Uint8Array([0])))
  await until('the fence is answered', () => c.frames.some(f => hex(f).startsWith(hex(frame(address, SYNC, 1)))), 5000)
  const all = c.frames.splice(0).map(hex)
  assert.deepEqual(all.slice(0, -2), before.map(f => typeof f === 'string' ? f : hex(f)))
}

await run.story('the rules of presence clocks: equal and lower clocks are ignored, a higher one is passed on', async () => {
  const [a, b] = [await admit('aw'), await admit('aw')]
  const say = (clock, state) => a.send(frame('aw', AWARENESS, writeAwareness([{ client: 7, clock, state }])))
  const heard = (clock, state) => b.expect(`clock ${clock}`, frame('aw', AWARENESS, writeAwareness([{ client: 7, clock, state }])))
  say(1, { a: 1 })
  await heard(1, { a: 1 })
  say(1, { a: 2 })
  say(2, { a: 1 })
  await heard(2, { a: 1 })
  if (ours) {                            /* DELIBERATE: nulls are applied, stock 4.1 to 4.7 loses them */
    say(2, null)
    await heard(2, null)
    say(2, { ghost: 1 })                 /* an echo at the same clock revives nobody */
  }
  say(4, { b: 1 })
  await heard(4, { b: 1 })
  for (const c of [a, b]) c.close()
})

await run.story('presence that is not JSON closes that document alone', async () => {
  const c = await admit('r1')
  c.send(authToken('r2', core.token('write')))
  await c.expect('second document', frame('r2', AUTH, 2, 'read-write'))
  c.send(frame('r1', AWARENESS, writeAwareness([{ client: 11, clock: 1, state: '{bad' }])))
  await c.expect('closed', reset('r1'))
  await fence(c, 'r2')
  c.close()
})

await run.story('an unknown kind of sync message closes the document', async () => {
  const c = await admit('r')
  c.send(...sends('sync sub type 9'))
  await c.expect('closed', ...answers('sync sub type 9'))
  c.close()
})

await run.story('an update that cannot be decoded is not said to be applied', async () => {
  const c = await admit('r')
  c.send(...sends('update garbage').filter(f => readFrame(f).type === SYNC))
  if (ours) {                            /* DELIBERATE: SyncStatus 0 (or a close); stock says 1 */
    await until('an answer', () => c.frames.length > 0)
    const f = readFrame(c.frames[0])
    assert.ok((f.type === 8 && f.status === 0) || f.type === CLOSE, describeFrame(c.frames[0]))
  } else {
    await c.expect('stock', '01720801')
  }
  c.close()
})

await run.story('an empty update is acknowledged and passed to nobody', async () => {
  const [a, b] = [await admit('r'), await admit('r')]
  a.send(...sends('update empty 0000'))
  await a.expect('acknowledged', ...answers('update empty 0000'))
  await fence(a, 'r')
  await fence(b, 'r')
  for (const c of [a, b]) c.close()
})

await run.story('types that a client must not or need not send are ignored', async () => {
  const c = await admit('r')
  c.send(...sends('unknown type 99'), ...sends('type 9 named / 10 named'), ...sends('type 8 from client'), ...sends('auth while authed with bad subtype'))
  await fence(c, 'r')
  c.close()
})

await run.story('a broadcast from a client closes the document and reaches nobody', async () => {
  const [a, b] = [await admit('r'), await admit('r')]
  a.send(...sends('type 6 from client'))
  await a.expect('closed', ...answers('type 6 from client'))
  await fence(b, 'r')
  for (const c of [a, b]) c.close()
})

await run.story('a frame queued before admission is worked off after it', async () => {
  const c = await RawClient.open(core.collabUrl)
  c.send(frame('late', SYNC, STEP1, new Uint8Array([0])), authToken('late', core.token('write'), '4.8.0'))
  await c.expect('in order', frame('late', AUTH, 2, 'read-write'), frame('late', SYNC, 0, new Uint8Array([0])), frame('late', SYNC, 1, new Uint8Array([0, 0])))
  c.close()
})

await run.story('two tokens for one document: one admission', async () => {
  const c = await RawClient.open(core.collabUrl)
  c.send(...sends('two auth same doc on one socket while first pending').slice(0, 2))
  await c.expect('one', ...answers('two auth same doc on one socket while first pending'))
  await fence(c, 'dd')
  c.close()
})

await run.story('trailing bytes are ignored', async () => {
  const c = await admit('t')
  c.send(new Uint8Array([...frame('t', SYNC, STEP1, new Uint8Array([0])), 1, 2, 3]))
  await c.expect('answered', frame('t', SYNC, 0, new Uint8Array([0])), frame('t', SYNC, 1, new Uint8Array([0, 0])))
  c.close()
})

await run.story('read-only: contained Step2 is confirmed, anything else is not, an update never', async () => {
  const c = await admit('ro1', 'read')
  const [step2, empty] = sends('readonly step2 with changes').filter(f => readFrame(f).type === SYNC)
  c.send(step2)
  await c.expect('new structs', '03726f310800')
  c.send(empty)
  await c.expect('nothing new', '03726f310801')
  c.send(frame('ro1', SYNC, UPDATE, new Uint8Array([0, 0])))
  await c.expect('an update', '03726f310800')
  c.close()
})

await run.story('a client leaves one document: Close is answered and the socket stays', async () => {
  const c = await admit('ro1')
  c.send(...sends('client CLOSE'))
  await c.expect('answered', ...answers('client CLOSE'))
  c.send(authToken('other', core.token('write')))
  await c.expect('the socket lives', frame('other', AUTH, 2, 'read-write'))
  c.close()
})

await run.story('a composite address falls back to the plain document', async () => {
  const c = await admit('pl')
  c.send(unhex('05706c00733100000100'))
  await c.expect('answered to the plain address', '02706c00000100', '02706c0001020000')
  c.close()
})

await run.story('a denied address may try again on the same socket', async () => {
  const c = await RawClient.open(core.collabUrl)
  c.send(authToken('dd', core.token('bad')))
  await c.expect('denied', frame('dd', AUTH, 1, 'permission-denied'))
  c.send(authToken('dd', core.token('write')))
  await c.expect('admitted', frame('dd', AUTH, 2, 'read-write'))
  c.close()
})

await run.story('a blank name is denied', async () => {
  const c = await RawClient.open(core.collabUrl)
  c.send(authToken(' ', core.token('write')))
  if (!ours) await c.expect('stock admits first', frame(' ', AUTH, 2, 'read-write'))
  await c.expect('denied', frame(' ', AUTH, 1, 'permission-denied'))
  c.close()
})

const malformed = [
  ['a name without a type', () => unhex('027a7a'), 4205, 'Reset Connection'],
  ['an empty frame', () => new Uint8Array(0), 4401, 'Unauthorized'],
  ['a name longer than the frame', () => unhex('7f41'), 4401, 'Unauthorized'],
  ['a name that is not UTF-8', () => unhex('02c328020003746f6b'), 4401, 'Unauthorized']
]
for (const [what, bytes, code, reason] of malformed) {
  await run.story(`${what} closes the socket with ${code}`, async () => {
    const c = await RawClient.open(core.collabUrl)
    c.send(bytes())
    await c.expectClose(what, code, reason)
  })
}

/* Each says what stands before the Close; a server that does not answer it leaves a client connected for half a minute. */
const step1 = name => frame(name, SYNC, STEP1, new Uint8Array([0]))
const partings = [
  ['nothing', () => {}],
  ['a token that is being judged', c => c.send(authToken('parting', core.token('write')))],
  ['a token that is refused', c => c.send(authToken('parting', core.token('bad')))],
  ['what waits for a token', c => c.send(step1('parting'))],
  ['the question for a document that is not open', c => c.send(authToken('unread', core.token('write'), '4.8.0'), step1('unread'))],
  ['the question for a large document', c => c.send(authToken('large', core.token('write'), '4.8.0'), step1('large'))],
  ['a question, and more behind the Close', c => {
    c.send(authToken('parting', core.token('write'), '4.8.0'), step1('parting'))
    c.socket.close(1000, 'goodbye')
    c.socket._socket.write(new Uint8Array([0x82, 0x81, 0, 0, 0, 0, 10, 0x89, 0x80, 0, 0, 0, 0, 0x82]))
  }]
]
await run.story('a Close is answered, whatever stands before it', async () => {
  const writer = await admit('large')
  const doc = new Y.Doc()
  doc.getText('t').insert(0, 'x'.repeat(12 << 20))
  writer.send(frame('large', SYNC, UPDATE, Y.encodeStateAsUpdate(doc)))
  await until('the document is large', () => writer.frames.some(f => hex(f) === hex(frame('large', SYNC_STATUS, 1))))
  for (const [what, say] of partings) {
    const c = await RawClient.open(core.collabUrl)
    say(c)
    c.socket.close(1000, 'goodbye')
    await c.expectClose(what, 1000)
  }
  writer.close()
})

await run.story('before admission: too many frames, bytes or documents close the socket with 4205', async () => {
  const flood = [
    Array.from({ length: 1100 }, () => frame('q', 5, 'x')),
    [frame('q', 5, 'x'.repeat(3 << 20)), frame('q', 5, 'x'.repeat(3 << 20))],
    Array.from({ length: 110 }, (_, i) => frame(`p${i}`, 5, 'x'))
  ]
  for (const frames of flood) {
    const c = await RawClient.open(core.collabUrl)
    c.send(...frames)
    await c.expectClose('flood', 4205, 'Reset Connection')
  }
})

if (ours) {
  await run.story('DELIBERATE: the bare pong is taken and the socket stays', async () => {
    const c = await admit('p')
    c.send(new Uint8Array([10]))
    await fence(c, 'p')
    c.close()
  })

  await run.story('DELIBERATE: the sender of an update does not get it back', async () => {
    const [a, b] = [await admit('e'), await admit('e')]
    const update = frame('e', SYNC, UPDATE, unhex('0101e907000401017402486900'))
    a.send(update)
    await a.expect('acknowledged', frame('e', 8, 1))
    await b.expect('passed on', update)
    a.send(frame('e', SYNC, STEP1, unhex('01e90702')))
    await a.expect('nothing between', frame('e', SYNC, 0, unhex('01e90702')), frame('e', SYNC, 1, unhex('0000')))
    for (const c of [a, b]) c.close()
  })

  await run.story('y-websocket frames carry no address: Step1 first, then presence, Step2 for Step1', async () => {
    const c = await RawClient.open(`${core.yUrl}/yroom?token=${core.token('write')}`, { addressed: false })
    await c.expect('on open', frame(null, SYNC, 0, unhex('00')))
    c.send(frame(null, SYNC, STEP1, unhex('00')))
    await c.expect('Step2 alone', frame(null, SYNC, 1, unhex('0000')))
    c.close()
  })

  await run.story('y-websocket without or with a bad token is refused at the handshake', async () => {
    for (const query of ['', `?token=${core.token('bad')}`]) {
      const c = new RawClient(`${core.yUrl}/yroom${query}`, { addressed: false })
      await until('refused', () => c.closed !== null || c.frames.length > 0)
      assert.ok(c.closed?.status === 401 || c.closed?.status === 403, JSON.stringify(c.closed))
    }
  })
}

await run.finish()
