/* integration.migrate-together: cores that start together on one PostgreSQL migrate it once; a program that the schema has
 * left behind refuses with the reason; one that it has not goes on beside newer ones. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { openClient } from '../harness/clients.mjs'
import { startPostgres } from '../harness/postgres-server.mjs'
import { openRun, root, until } from '../harness/run.mjs'
import { readStored } from '../harness/stored.mjs'
import { startSubject, UmbelCore } from '../harness/subjects.mjs'

const run = openRun('integration.migrate-together')
const together = 10
const words = fs.readFileSync(path.join(root, 'core/store/modules.h'), 'utf8')
const newest = ['OWN', 'MODULES'].reduce((sum, part) => sum + Number(new RegExp(`STORE_SCHEMA_${part} = (\\d+)`).exec(words)[1]), 0)
const versions = Array.from({ length: newest }, (_, i) => i + 1)
const schema1 = fs.readFileSync(path.join(root, 'tests/vectors/store/postgres-schema-1.sql'), 'utf8')

const schemaRows = async pg => (await pg.sql('SELECT version FROM umbel_schema ORDER BY version')).map(row => Number(row.version))

/* How many times each schema version was reached, over all logs: { 1: n, 2: n }. */
function migrationsIn (cores) {
  const found = cores.flatMap(core => [...core.child.output().matchAll(/ migrated .*schema=(\d+)/g)].map(m => m[1]))
  return Object.fromEntries([...new Set(found)].sort().map(v => [v, found.filter(one => one === v).length]))
}

async function startTogether (pg, label) {
  const cores = Array.from({ length: together }, (_, i) => new UmbelCore(run, { label: `${label}-${i}`, storeUrl: pg.url }))
  await Promise.all(cores.map(core => core.start()))
  return cores
}

/* What is written at the first is read at the last. */
async function shareADocument (cores) {
  const writer = openClient('provider4', cores[0], 'shared')
  writer.doc.getText('text').insert(0, 'by the first')
  await until('saved', () => writer.settled())
  const reader = openClient('provider4', cores.at(-1), 'shared')
  await until('the last one reads it', () => reader.doc.getText('text').toString() === 'by the first')
  writer.close()
  reader.close()
}

await run.story(`${together} cores start on an empty database: one migrates, all become ready`, async () => {
  const pg = await startPostgres(run)
  const cores = await startTogether(pg, 'empty')
  assert.deepEqual(migrationsIn(cores), Object.fromEntries(versions.map(v => [v, 1])))
  assert.deepEqual(await schemaRows(pg), versions)
  await shareADocument(cores)
  await Promise.all(cores.map(core => core.stop()))
})

await run.story(`${together} cores start on a database of the schema before: one migrates, nothing is lost`, async () => {
  const pg = await startPostgres(run)
  await pg.sql(schema1)
  assert.deepEqual(await schemaRows(pg), [1])
  const cores = await startTogether(pg, 'before')
  assert.deepEqual(migrationsIn(cores), Object.fromEntries(versions.slice(1).map(v => [v, 1])))
  assert.deepEqual(await schemaRows(pg), versions)
  const c = openClient('provider4', cores[3], 'of schema 1')
  await until('the document of before is whole', () => c.doc.getText('text').toString() === 'folded and logged twice')
  c.doc.getText('text').insert(0, 'again ')
  await until('saved', () => c.settled())
  assert.equal((await readStored(pg, 'of schema 1')).doc.getText('text').toString(), 'again folded and logged twice')
  c.close()
  await shareADocument(cores)
  await Promise.all(cores.map(core => core.stop()))
})

await run.story('a schema that has left this program behind: it refuses to start, and one that runs refuses to connect', async () => {
  const pg = await startPostgres(run)
  const running = await startSubject(run, { label: 'running', storeUrl: pg.url })
  await pg.sql("INSERT INTO umbel_schema(version, compatible_from, applied_at, program) VALUES(99, 98, 0, '99.0.0')")
  const old = new UmbelCore(run, { label: 'old', storeUrl: pg.url })
  old.launchCore()
  await until('the old program ends', () => old.child.exit !== null)
  assert.notEqual(old.child.exit.code, 0)
  assert.equal(old.child.exit.signal, null, 'it does not crash')
  assert.match(old.child.output(), new RegExp(`schema 99.*at least 98.*knows ${newest}.*newer release`))
  assert.deepEqual(await schemaRows(pg), [...versions, 99], 'it has changed nothing')

  await pg.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'umbel-core'")
  await until('the running one is not ready any more', async () => (await running.fetch('/core/actuator/health/readiness')).status === 503)
  await until('and says why', () => /schema has become one that this program does not know/.test(running.child.output()))
  await pg.sql('DELETE FROM umbel_schema WHERE version = 99')
  await until('it comes back by itself', async () => (await running.fetch('/core/actuator/health/readiness')).status === 200)
  await running.stop()
})

await run.story('a newer schema that this program may use: it starts and works', async () => {
  const pg = await startPostgres(run)
  const first = await startSubject(run, { label: 'first', storeUrl: pg.url })
  await pg.sql(`INSERT INTO umbel_schema(version, compatible_from, applied_at, program) VALUES(99, ${newest}, 0, '99.0.0')`)
  const second = await startSubject(run, { label: 'second', storeUrl: pg.url })
  await shareADocument([first, second])
  await first.stop()
  await second.stop()
})

await run.finish()
