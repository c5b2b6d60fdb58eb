/* interop.stock-postgres: stock Hocuspocus with its Database extension, and Umbel, on one table of PostgreSQL: each opens what
 * the other has left; and what stock writes while Umbel has the document open becomes a part of it. */
import assert from 'node:assert/strict'
import { openClient } from '../harness/clients.mjs'
import { difference, editRandomly } from '../harness/edits.mjs'
import { startPostgres } from '../harness/postgres-server.mjs'
import { openRun, until } from '../harness/run.mjs'
import { readStored } from '../harness/stored.mjs'
import { startSubject } from '../harness/subjects.mjs'

const run = openRun('interop.stock-postgres')
const rooms = ['first', 'zweites/ü', 'third']
/* Folds as soon as it can. */
const hurried = ['--collab.debounce=50ms', '--collab.max-debounce=100ms', '--collab.fold.rows=1', '--collab.resync-interval=500ms']

const startStock = (pg, label = 'stock', options = {}) =>
  startSubject(run, { kind: 'hocuspocus', label, stock: { postgres: pg.connection, options: { debounce: 100, maxDebounce: 300, ...options } } })
const startUmbel = (pg, args = []) => startSubject(run, { kind: 'umbel', storeUrl: pg.url, args })

const openAll = async subject => {
  const all = rooms.map(room => openClient('provider4', subject, room))
  await until('all are in sync', () => all.every(c => c.settled()))
  return all
}
const sameAs = (written, all) => until('all documents are as they were', () => {
  const d = all.map((c, i) => difference(written[i].doc, c.doc)).find(one => one !== null)
  if (d) throw new Error(d)
  return true
})

/* SUBJECT opens what WRITTEN holds, if anything, edits it and ends; the clients that hold it now. */
async function takeTurn (subject, written) {
  const all = await openAll(subject)
  if (written) await sameAs(written, all)
  all.forEach(c => { for (let n = 0; n < 40; n++) editRandomly(c.doc, run.random) })
  await until('saved', () => all.every(c => c.settled()))
  written?.forEach(c => c.close())
  for (const c of all) await c.offline()
  await subject.stop()
  return all
}

await run.story('stock and Umbel alternately, stock first', async () => {
  const pg = await startPostgres(run)
  let written
  for (let turn = 0; turn < 3; turn++) {
    written = await takeTurn(await startStock(pg), written)
    written = await takeTurn(await startUmbel(pg, turn === 1 ? hurried : []), written)
  }
  const stock = await startStock(pg)
  const all = await openAll(stock)
  await sameAs(written, all)
  all.concat(written).forEach(c => c.close())
  await stock.stop()
})

await run.story('Umbel first: stock opens what it finds, and Umbel what stock has added', async () => {
  const pg = await startPostgres(run)
  let written = await takeTurn(await startUmbel(pg))
  written = await takeTurn(await startStock(pg), written)
  const core = await startUmbel(pg)
  const list = await (await core.fetch('/core/rest/collab/documents', { token: core.token() })).json()
  assert.deepEqual(list.results.map(d => d.name).sort(), [...rooms].sort())
  const all = await openAll(core)
  await sameAs(written, all)
  all.concat(written).forEach(c => c.close())
  await core.stop()
})

const has = (doc, ...words) => words.every(w => doc.getText('text').toString().includes(w))
const write = async (c, word) => {
  c.doc.getText('text').insert(0, `${word} `)
  await until(`${word} is saved`, () => c.settled())
}
const stored = async (pg, ...words) => await until(`${words.join(', ')} in the database`, async () => has((await readStored(pg, 'both')).doc, ...words))

/* Both have the document open; stock has read it before Umbel's word was folded, so its own state lacks it. */
async function bothOpen (pg) {
  const core = await startUmbel(pg, hurried)
  const ours = openClient('provider4', core, 'both')
  await until('in sync', () => ours.settled())
  await write(ours, 'base')
  await until('folded', async () => (await readStored(pg, 'both')).log.length === 0)
  const stock = await startStock(pg)
  const theirs = openClient('provider4', stock, 'both')
  await until('stock has it', () => has(theirs.doc, 'base'))
  await write(ours, 'umbel')
  await until('folded', async () => has((await readStored(pg, 'both')).doc, 'umbel') && (await readStored(pg, 'both')).log.length === 0)
  await write(theirs, 'stock')
  await until('stock has stored it', async () => (await readStored(pg, 'both')).row.crc === null || has((await readStored(pg, 'both')).doc, 'stock'))
  return { core, ours, stock, theirs }
}

await run.story('stock writes while Umbel has the document open: the next fold merges', async () => {
  const pg = await startPostgres(run)
  const { core, ours, stock, theirs } = await bothOpen(pg)
  await write(ours, 'later')
  await stored(pg, 'base', 'umbel', 'stock', 'later')
  await until('an open editor sees it', () => has(ours.doc, 'stock'))
  theirs.close()
  ours.close()
  await stock.stop()
  await core.stop()
  const again = await startStock(pg, 'stock-again')
  const fresh = openClient('provider4', again, 'both')
  await until('stock opens all of it', () => has(fresh.doc, 'base', 'umbel', 'stock', 'later'))
  fresh.close()
  await again.stop()
})

await run.story('stock writes while Umbel has the document open and nobody types any more: nothing is lost either', async () => {
  const pg = await startPostgres(run)
  const { core, ours, stock, theirs } = await bothOpen(pg)
  await until('an open editor sees it', () => has(ours.doc, 'stock'))
  await stored(pg, 'base', 'umbel', 'stock')
  theirs.close()
  ours.close()
  await stock.stop()
  await core.stop()
  assert.ok(has((await readStored(pg, 'both')).doc, 'base', 'umbel', 'stock'))
})

await run.finish()
