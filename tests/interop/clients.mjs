/* interop.<client>: unmodified clients of one generation (or all together) against the server.
 *   clients.mjs provider4|provider3|provider2|y-websocket|mixed [reactors]
 * Waits are polls; only the story of the idle provider lets time pass. */
import assert from 'node:assert/strict'
import * as Y from 'yjs'
import { hocuspocusKinds, openClient, openSocket, othersSeenBy } from '../harness/clients.mjs'
import { difference, editRandomly, portrait } from '../harness/edits.mjs'
import { openRun, pass, until } from '../harness/run.mjs'
import { startSubject, subjectKind } from '../harness/subjects.mjs'

const kind = process.argv[2] ?? 'provider4'
const reactors = Number(process.argv[3] ?? 1)
const everyKind = [...hocuspocusKinds, ...(subjectKind === 'umbel' ? ['y-websocket'] : [])]
const kinds = kind === 'mixed' ? everyKind : [kind]
const addressed = hocuspocusKinds.includes(kind)

const run = openRun(`interop.${kind}-reactors-${reactors}`)
const core = await startSubject(run, { reactors })
const { random } = run

const open = (room, options = {}, k = kinds[0]) => openClient(k, core, room, options)
/* Their ids come from the seed: they decide who stands left when two type at one place. */
function openMany (n, room) {
  return Array.from({ length: n }, (_, i) => {
    const k = kinds[i % kinds.length]
    const doc = new Y.Doc()
    doc.clientID = random.below(2 ** 32)
    return openClient(k, core, room, { doc, name: `${k}-${i}` })
  })
}
const allSettled = (clients, ms) => until('all clients are in sync', () => clients.every(c => c.settled()), ms)

async function allEqual (clients) {
  await until('all documents are equal', () => {
    const unequal = clients.slice(1).map(c => difference(clients[0].doc, c.doc)).find(d => d !== null)
    if (unequal) throw new Error(unequal)
    return true
  }, 20000)
  assert.ok(!portrait(clients[0].doc).endsWith('pending true'), 'nothing waits for a missing part')
}

/* A client that has seen nothing yet gets what the others have. */
async function freshEquals (room, doc, k = kinds[0]) {
  const fresh = openClient(k, core, room)
  await until('a fresh client has the same document', () => {
    const d = fresh.settled() ? difference(doc, fresh.doc) : 'not in sync'
    if (d) throw new Error(d)
    return true
  }, 15000)
  fresh.close()
}

/* Some leave and come back, some lose their connection, all type; R repeats it. */
async function typeAndWander (clients, rounds, r) {
  for (let round = 0; round < rounds; round++) {
    for (const c of clients) {
      for (let n = r.below(4); n > 0; n--) editRandomly(c.doc, r)
      const fate = r.below(100)
      if (fate < 5) await c.offline()
      else if (fate < 30) await c.online()
      else if (fate < 34) c.cut()
    }
    await pass(r.below(12))
  }
  for (const c of clients) await c.online()
}

await run.story('eight clients type, leave and come back, and end with one document', async () => {
  const clients = openMany(8, 'crowd')
  await allSettled(clients)
  await typeAndWander(clients, 60, random.fork())
  await allSettled(clients, 30000)
  await allEqual(clients)
  for (const k of kinds) await freshEquals('crowd', clients[0].doc, k)
  const last = clients[0].doc
  for (const c of clients.slice(1)) c.close()
  await freshEquals('crowd', last)
  await clients[0].offline()
  await core.stop()
  await core.start()
  for (const k of kinds) await freshEquals('crowd', last, k)
  clients[0].close()
})

await run.story('edits made before the first connection and while away arrive', async () => {
  const doc = new Y.Doc()
  doc.getText('text').insert(0, 'written before: ')
  const a = open('away', { doc })
  const b = open('away')
  await allSettled([a, b])
  await until('b has it', () => b.doc.getText('text').toString() === 'written before: ')
  await a.offline()
  a.doc.getText('text').insert(16, 'written while away')
  b.doc.getText('text').delete(0, 8)
  await a.online()
  await allSettled([a, b])
  await allEqual([a, b])
  assert.equal(a.doc.getText('text').toString(), 'before: written while away')
  for (const c of [a, b]) c.close()
})

await run.story('a large document reaches a newcomer whole, and before it is called synced', async () => {
  const a = open('large')
  await allSettled([a])
  a.doc.transact(() => {
    for (let i = 0; i < 400; i++) a.doc.getText('text').insert(0, `${i} `.padEnd(6000, 'x'))
  })
  await allSettled([a], 30000)
  const b = open('large', {}, kinds.at(-1))
  await until('the newcomer is synced', () => b.provider.synced, 30000)
  if (addressed) assert.equal(b.doc.getText('text').length, 2400000)   /* y-websocket does not tell when the server has it */
  await until('it is whole', () => b.doc.getText('text').length === 2400000)
  await allEqual([a, b])
  for (const c of [a, b]) c.close()
})

await run.story('names are seen by the others, go when one leaves and are back at once after a reconnect', async () => {
  const [ann, bob, eve] = ['Ann', 'Bob', 'Eve'].map((name, i) => openClient(kinds[i % kinds.length], core, 'people', { name }))
  await until('all see all', () => othersSeenBy(ann).join() === 'Bob,Eve' && othersSeenBy(eve).join() === 'Ann,Bob' && othersSeenBy(bob).join() === 'Ann,Eve')
  if (subjectKind === 'umbel') {                         /* stock shows him late, and then as a ghost */
    bob.cut()
    await until('Bob has come back', () => bob.settled())
    await until('Bob is seen again', () => othersSeenBy(ann).includes('Bob') && othersSeenBy(eve).includes('Bob'), 4000)
  }
  eve.close()
  await until('Eve is gone', () => othersSeenBy(ann).join() === 'Bob', 5000)
  bob.cut()
  await bob.offline()
  await until('Bob is gone', () => othersSeenBy(ann).join() === '', 5000)
  for (const c of [ann, bob]) c.close()
})

await run.story('presence set to null by its owner is gone for the others', async () => {
  if (subjectKind !== 'umbel') return                    /* stock 4.1 to 4.7 loses nulls */
  const [ann, bob] = ['Ann', 'Bob'].map(name => open('silent', { name }))
  await until('they see each other', () => othersSeenBy(ann).join() === 'Bob' && othersSeenBy(bob).join() === 'Ann')
  ann.awareness.setLocalState(null)
  await until('Ann is not shown any more', () => othersSeenBy(bob).join() === '', 5000)
  ann.awareness.setLocalState({ user: { name: 'Ann again' } })
  await until('Ann is shown again', () => othersSeenBy(bob).join() === 'Ann again', 5000)
  for (const c of [ann, bob]) c.close()
})

if (addressed) {
  await run.story('a read-only token reads and never writes', async () => {
    const writer = open('shelf')
    const reader = open('shelf', { token: core.token('read') })
    await allSettled([writer])
    await until('the reader is admitted', () => reader.had('authenticated'))
    if (kind !== 'provider2') assert.equal(reader.provider.authorizedScope, 'readonly')
    writer.doc.getText('text').insert(0, 'fact')
    await until('the reader reads', () => reader.doc.getText('text').toString() === 'fact')
    reader.doc.getText('text').insert(0, 'not a ')
    writer.doc.getText('text').insert(4, '!')
    await until('the reader reads on', () => reader.doc.getText('text').toString().endsWith('fact!'))
    await allSettled([writer])
    assert.equal(writer.doc.getText('text').toString(), 'fact!')
    assert.ok(reader.provider.hasUnsyncedChanges, 'the reader is not told that its edit is saved')
    await freshEquals('shelf', writer.doc)
    for (const c of [writer, reader]) c.close()
  })

  await run.story('a bad token is denied with a reason', async () => {
    const c = open('vault', { token: core.token('bad') })
    await until('denied', () => c.had('denied'))
    assert.equal(c.had('denied').reason, 'permission-denied')
    assert.ok(!c.had('authenticated'))
    c.close()
  })

  await run.story('several documents share one socket', async () => {
    const socket = openSocket(kind, core)
    const mine = ['one', 'two', 'three'].map(room => open(room, { socket }))
    const other = ['one', 'two', 'three'].map(room => open(room))
    await allSettled([...mine, ...other])
    mine.forEach((c, i) => c.doc.getText('text').insert(0, `mine ${i}`))
    await until('each arrives in its document', () => other.every((c, i) => c.doc.getText('text').toString() === `mine ${i}`))
    if (kind !== 'provider2') {                          /* 2.x cannot leave one document of several */
      mine[1].provider.detach()
      other[1].doc.getText('text').insert(0, 'unseen ')
      other[2].doc.getText('text').insert(0, 'seen ')
      await until('the socket goes on', () => mine[2].doc.getText('text').toString() === 'seen mine 2')
      assert.equal(mine[1].doc.getText('text').toString(), 'mine 1')
      mine[1].provider.attach()
      await until('attached again', () => mine[1].doc.getText('text').toString() === 'unseen mine 1')
    }
    for (const c of [...mine, ...other]) c.close()
    socket.destroy()
  })

  await run.story('a stateless message harms nothing', async () => {
    const [a, b] = [open('notes'), open('notes')]
    await allSettled([a, b])
    a.provider.sendStateless('{"hello":1}')
    a.provider.sendStateless('ü'.repeat(1000))
    a.doc.getText('text').insert(0, 'after')
    await until('editing goes on', () => b.doc.getText('text').toString() === 'after')
    await allSettled([a, b])
    assert.ok(!a.had('close'))
    assert.deepEqual(b.stateless, [], 'the server relays nothing by itself')
    for (const c of [a, b]) c.close()
  })
}

if (kind === 'provider4' || kind === 'provider3') {
  await run.story('a token sent again is checked again', async () => {
    let token = core.token('write')
    const c = open('again', { token: () => token })
    await allSettled([c])
    await c.provider.sendToken()
    c.doc.getText('text').insert(0, 'x')
    await allSettled([c])
    assert.ok(!c.had('close'))
    if (subjectKind !== 'umbel') return c.close()        /* our stock server has no onTokenSync hook */
    token = core.token('bad')
    await c.provider.sendToken()
    await until('the document is closed', () => c.had('close'))
    assert.equal(c.had('close').reason, 'Unauthorized')
    c.close()
  })
}

if (kind === 'provider4') {
  await run.story('sessions of one document on one socket are told apart', async () => {
    const socket = openSocket(kind, core)
    const [a, b] = ['Ann', 'Bob'].map(name => open('sessions', { socket, sessionAwareness: true, name }))
    const plain = open('sessions', { name: 'Eve' })
    await allSettled([a, b, plain])
    a.doc.getText('text').insert(0, 'a')
    b.doc.getText('text').insert(0, 'b')
    plain.doc.getText('text').insert(0, 'c')
    await allEqual([a, b, plain])
    assert.equal(a.doc.getText('text').length, 3)
    await until('each sees the others', () => othersSeenBy(a).join() === 'Bob,Eve' && othersSeenBy(plain).join() === 'Ann,Bob')
    a.provider.destroy()
    await until('one session left, the other stays', () => othersSeenBy(plain).join() === 'Bob')
    b.doc.getText('text').insert(0, 'd')
    await until('and goes on', () => plain.doc.getText('text').length === 4)
    for (const c of [b, plain]) c.close()
    socket.destroy()
  })
}

if (addressed && subjectKind === 'umbel') {
  /* Stock servers rely on the echo of presence; the pair of times is 20 s and 30 s by default. */
  await run.story('an idle provider without presence stays connected', async () => {
    const calm = await startSubject(run, { label: 'calm', args: ['--collab.keep-alive=400ms'] })
    let closed = 0
    const c = openClient(kind, calm, 'idle', { awareness: null, socketOptions: { onClose: () => closed++, messageReconnectTimeout: 1500 } })
    await until('in sync', () => c.settled())
    await pass(5000)
    assert.equal(closed, 0, 'it was never closed')
    assert.ok(c.settled())
    c.close()
    await calm.stop()
  })
}

await run.finish()
