/* integration.store-stock: a database of stock Hocuspocus (its own extension's table and statements) opens in Umbel with its
 * documents, and stock opens it again after a clean stop of Umbel, with what was typed meanwhile. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { openClient } from '../harness/clients.mjs'
import { difference, editRandomly } from '../harness/edits.mjs'
import { openRun, until } from '../harness/run.mjs'
import { startSubject } from '../harness/subjects.mjs'

const run = openRun('integration.store-stock')
const database = path.join(run.folder('shared'), 'documents.sqlite')
const rooms = ['first', 'zweites/ü', 'third']
let written

const openAll = async subject => {
  const all = rooms.map(room => openClient('provider4', subject, room))
  await until('all are in sync', () => all.every(c => c.settled()))
  return all
}
const sameAsWritten = all => until('all documents are as they were', () => {
  const d = all.map((c, i) => difference(written[i].doc, c.doc)).find(one => one !== null)
  if (d) throw new Error(d)
  return true
})
const edit = all => all.forEach(c => { for (let n = 0; n < 40; n++) editRandomly(c.doc, run.random) })

await run.story('stock Hocuspocus writes three documents', async () => {
  const stock = await startSubject(run, { kind: 'hocuspocus', database })
  written = await openAll(stock)
  edit(written)
  await until('acknowledged', () => written.every(c => c.settled()))
  for (const c of written) await c.offline()
  await stock.stop()
})

await run.story('Umbel opens them unchanged and goes on', async () => {
  const core = await startSubject(run, { kind: 'umbel', database })
  const list = await (await core.fetch('/core/rest/collab/documents', { token: core.token('write') })).json()
  assert.deepEqual(list.results.map(d => d.name).sort(), [...rooms].sort())
  const all = await openAll(core)
  await sameAsWritten(all)
  edit(all)
  await until('acknowledged', () => all.every(c => c.settled()))
  written.forEach(c => c.close())
  written = all
  for (const c of all) await c.offline()
  await core.stop()
})

await run.story('stock Hocuspocus opens what Umbel has left', async () => {
  const stock = await startSubject(run, { kind: 'hocuspocus', database, label: 'stock-again' })
  const all = await openAll(stock)
  await sameAsWritten(all)
  for (const c of all) c.close()
  await stock.stop()
})

await run.finish()
