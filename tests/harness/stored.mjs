/* What a PostgreSQL database holds of a document, read past every server: the folded state and the log above it. */
import assert from 'node:assert/strict'
import * as Y from 'yjs'
import { tokensHeld } from './typists.mjs'

/* Row and log of one moment: a fold may change both between two questions. */
async function readRows (pg, name) {
  const client = await pg.connect()
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ')
    const [row] = (await client.query('SELECT id, version, seq, crc, data FROM documents WHERE name = $1', [name])).rows
    const log = row && (await client.query('SELECT seq, crc, data FROM document_updates WHERE document_id = $1 AND seq > $2 ORDER BY seq',
      [row.id, row.seq])).rows
    return { row, log }
  } finally {
    await client.end()
  }
}

/* { row, log, doc }: the row of documents, the rows of the log above its state, the document that they make; null: none. */
export async function readStored (pg, name) {
  const { row, log } = await readRows(pg, name)
  if (row === undefined) return null
  log.forEach((entry, i) => assert.equal(Number(entry.seq), Number(row.seq) + i + 1, `the log of ${name} has a gap`))
  /* In one piece: two cores that had to repeat themselves leave rows before what they build upon, and Yjs, given one row after the
   * other, may keep some of them waiting though all that they wait for is there. */
  const doc = new Y.Doc()
  Y.applyUpdate(doc, Y.mergeUpdates([row.data, ...log.map(entry => entry.data)]))
  return { row, log, doc }
}

/* Every token of TYPISTS that is acknowledged until now is in the database. */
export async function verifyStored (pg, typists) {
  const acknowledged = typists.acknowledged
  if (acknowledged.length === 0) return
  const stored = await readStored(pg, typists.room)
  const got = stored ? tokensHeld(stored.doc) : new Set()
  const lost = acknowledged.filter(t => !got.has(t.text))
  if (lost.length > 0) {
    throw new Error(`ACKNOWLEDGED AND LOST in ${typists.room}, ${lost.length} of ${acknowledged.length}: ${lost.slice(0, 20).map(t => t.text).join(' ')}`)
  }
}
