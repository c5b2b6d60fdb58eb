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
const openMany = (n, room) => (globalThis.room=room, 1) && Array.from({ length: n }, (_, i) =>
  openClient(kinds[i % kinds.length], core, room, { name: `${kinds[i % kinds.length]}-${i}` }))
const allSettled = (clients, ms) => until('all clients are in sync', () => clients.every(c => c.settled()), ms)

async function allEqual (clients) {
  await until('all documents are equal', () => {
    globalThis.dbg = clients; const unequal = clients.slice(1).map(c => difference(clients[0].doc, c.doc)).find(d => d !== null)
    if (unequal) throw new Error(unequal)
    return true
  }, 6000)
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


const X=globalThis.dbg.map(c=>{ const d=c.doc; const sn=Y.snapshot(d); return [...sn.ds.clients.entries()].map(([k,v])=>k+':'+v.reduce((a,r)=>a+r.len,0)).sort().join(' ') + ' '+JSON.stringify(d.getText('text').toDelta())});
if (new Set(X).size>1) { const fr=open('wander'===0?'':globalThis.room); await pass(1500); globalThis.dbg.push(fr);  for (const c of globalThis.dbg) { const d=c.doc; const sn=Y.snapshot(d); console.log(c.name ?? '', [...sn.ds.clients.entries()].map(([k,v])=>k+':'+v.reduce((a,r)=>a+r.len,0)).sort().join(' ')); }
const a=globalThis.dbg[0].doc; for (const c of globalThis.dbg.slice(1)) { for (const r of ['text']) { const x=JSON.stringify(a.getText(r).toDelta()), y=JSON.stringify(c.doc.getText(r).toDelta()); let k=0; while(k<x.length&&x[k]===y[k])k++; if (x!==y) console.log('DIFF', x.slice(Math.max(0,k-150),k+150), '\n    ', y.slice(Math.max(0,k-150),k+150)); } }
}
await run.finish()
