/* integration.migrate-store: a SQLite installation moves to PostgreSQL while its core runs and people type. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import path from 'node:path'
import { openClient } from '../harness/clients.mjs'
import { difference, editRandomly } from '../harness/edits.mjs'
import { startPostgres } from '../harness/postgres-server.mjs'
import { PythonSqlite } from '../harness/python-sqlite.mjs'
import { buildDir, openRun, until } from '../harness/run.mjs'
import { startSubject } from '../harness/subjects.mjs'

const run = openRun('integration.migrate-store')
const database = path.join(run.folder('source'), 'umbel.db')
const pg = await startPostgres(run)
const rooms = ['minutes', 'zweites/ü', 'third']
const shared = {                         /* what belongs to no document */
  cache_versions: "'GEC','ACL',7", revocations: "'abc',4102444800000",
  reservations: "'DOCUMENT','ümläut',12,'ann','s1',1700000000000,1700000120000",
  audit: "3,1700000000000,'root','UNLOCK','DOCUMENT','d','ann','GEC'",
  scopes: "'GEC ümläut',9007199254740993,'{}',1700000000000,1700000000001",
  contents: "'c1','database',5,'2cf2',262144,1700000000000,1700000000001",
  content_chunks: "'c1',0,'hello'",
  content_files: "'~tmp/GEC/ann','tmp_1','c1','ü.txt','text/plain',1700000000000,4102444800000"
}
const DONE = 0, FAILED = 1, USAGE = 2, AGAIN = 3

const migrate = (...more) => new Promise((resolve, reject) => {
  const child = spawn(path.join(buildDir(), 'bin', 'umbelctl'), ['migrate-store', ...more])
  let out = ''
  child.stdout.on('data', text => { out += text })
  child.stderr.on('data', text => { out += text })
  child.on('error', reject)
  child.on('exit', status => resolve({ status, out }))
})
const move = (...more) => migrate('--from', database, '--to', pg.url, ...more)
const edit = all => all.forEach(c => { for (let n = 0; n < 40; n++) editRandomly(c.doc, run.random) })
const saved = all => until('acknowledged', () => all.every(c => c.settled()))

let core = await startSubject(run, { kind: 'umbel', database })
const writers = rooms.map(room => openClient('provider4', core, room))

await run.story('a pass beside the running core says that it is not the last', async () => {
  await until('in sync', () => writers.every(c => c.settled()))
  edit(writers)
  await saved(writers)
  const first = await move()
  assert.equal(first.status, AGAIN, first.out)
  assert.match(first.out, /3 documents, 3 copied, 0 removed/)            /* the core may fold between copying and comparing */
})

await run.story('what was typed and deleted since is found by the next pass', async () => {
  edit(writers.slice(0, 1))
  await saved(writers)
  await core.fetch(`/core/rest/collab/documents/${encodeURIComponent(rooms[2])}`, { method: 'DELETE', token: core.token('write') })
  const next = await move()
  assert.equal(next.status, AGAIN, next.out)
  const copied = Number(/3 documents, (\d) copied/.exec(next.out)?.[1])
  assert.ok(copied >= 2, next.out)                                      /* one changed, one is a tombstone now */
})

await run.story('after the core has stopped the last pass is final, and cannot be repeated', async () => {
  for (const c of writers) await c.offline()
  await core.stop()
  const file = new PythonSqlite(database)
  for (const [table, values] of Object.entries(shared)) file.execute(`INSERT INTO ${table} VALUES(${values.replace("'hello'", "CAST('hello' AS BLOB)")})`)
  const last = await move()
  assert.equal(last.status, DONE, last.out)
  for (const [table, values] of Object.entries(shared)) {
    const [row] = await pg.sql(`SELECT * FROM ${table}`)
    assert.equal(Object.values(row).map(v => v instanceof Buffer ? v.toString() : String(v)).join(), values.replace(/'/g, ''), table)
  }
  const more = await move()
  assert.equal(more.status, FAILED)
  assert.match(more.out, /was moved here already/)
  assert.equal((await move('--verify')).status, DONE)
})

await run.story('a byte that differs is seen', async () => {
  const [row] = await pg.sql('SELECT document_id AS id, seq FROM document_updates LIMIT 1')
  const table = row ? 'document_updates WHERE document_id = $1 AND seq = $2' : 'documents WHERE id = $1 AND seq = $2'
  const [at] = row ? [row] : await pg.sql('SELECT id, seq FROM documents WHERE deleted_at IS NULL LIMIT 1')
  const flip = () => pg.sql(`UPDATE ${table.replace('WHERE', 'SET data = set_byte(data, 0, 255 - get_byte(data, 0)), crc = crc WHERE')}`,
    [at.id, at.seq])
  if (!row) await pg.sql('ALTER TABLE documents DISABLE TRIGGER USER')
  await flip()
  assert.equal((await move('--verify')).status, FAILED)
  await flip()
  if (!row) await pg.sql('ALTER TABLE documents ENABLE TRIGGER USER')
  assert.equal((await move('--verify')).status, DONE)
})

await run.story('the core goes on with PostgreSQL where it was', async () => {
  core = await startSubject(run, { kind: 'umbel', storeUrl: pg.url, label: 'umbel-postgres' })
  const readers = rooms.slice(0, 2).map(room => openClient('provider4', core, room))
  await until('all documents are as they were', () => {
    const d = readers.map((c, i) => difference(writers[i].doc, c.doc)).find(one => one !== null)
    if (d) throw new Error(d)
    return true
  })
  edit(readers)
  await saved(readers)
  for (const c of [...readers, ...writers]) c.close()
  await core.stop()
})

await run.story('a target that others have filled is refused; so is what is none', async () => {
  await pg.sql('CREATE DATABASE others')
  const others = pg.url.replace(/\/umbel(?=\?|$)/, '/others')
  assert.notEqual(others, pg.url)
  const stranger = await startSubject(run, { kind: 'umbel', storeUrl: others, label: 'umbel-others' })
  const c = openClient('provider4', stranger, 'theirs')
  await until('in sync', () => c.settled())
  edit([c])
  await saved([c])
  c.close()
  await stranger.stop()
  const refused = await migrate('--from', database, '--to', others)
  assert.equal(refused.status, FAILED)
  assert.match(refused.out, /did not come from this source/)
  assert.equal((await migrate('--from', `${database}.none`, '--to', pg.url)).status, FAILED)
  assert.equal((await migrate('--from', database, '--to', 'mysql://x')).status, FAILED)
  assert.equal((await migrate('--from', database)).status, USAGE)
})

await run.finish()
