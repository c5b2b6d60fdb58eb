/* fault.<row>: rows of the reliability reference, chapter 6, whose cause is a disk: SQLite's, under the core itself, and
 * PostgreSQL's.
 *   disk.mjs D01|D02|D03|D04|D06 */
import assert from 'node:assert/strict'
import path from 'node:path'
import { openClient } from '../harness/clients.mjs'
import { allAcknowledged, Crowd } from '../harness/crowd.mjs'
import { FileFaults } from '../harness/iofault.mjs'
import { startPostgres } from '../harness/postgres-server.mjs'
import { buildDir, openRun, pass, slowness, until } from '../harness/run.mjs'
import { startSubject } from '../harness/subjects.mjs'

const row = process.argv[2] ?? 'D01'
const run = openRun(`fault.${row}`)
const generous = 15000
const options = { reactors: 2, args: ['--collab.unload-delay=0', '--collab.debounce=300ms'] }

/* A core on a store whose files can be made to fail: fault(order), and what checks it against the store itself. */
const places = {
  async SQLite (label) {
    const faults = new FileFaults(run.folder('faults'))
    const env = faults.environmentOf(path.join(process.env.UMBEL_BIN ?? path.join(buildDir(), 'bin'), 'umbel-core'))
    const core = await startSubject(run, { ...options, label, env })
    return {
      core,
      fault: order => faults.order(order, core.database),
      async heal () { faults.order('off', core.database) },
      /* With the core dead. */
      async verify (crowd) { for (const t of crowd.all) await t.verifyOnDisk(core) }
    }
  },

  async PostgreSQL (label, part = 'data', settings = {}) {
    const pg = await startPostgres(run, { faults: true, settings, segmentMegabytes: 1 })
    const core = await startSubject(run, { ...options, label, storeUrl: pg.url })
    return {
      core,
      pg,
      fault: order => pg.fault(order, part),
      /* A server that could not go on has ended: the operator starts it again. */
      async heal () {
        pg.fault('off')
        await until('PostgreSQL is back', async () => {
          if (pg.child.exit !== null) await pg.start()
          return await pg.sql('SELECT 1')
        }, 30000)
      },
      async verify (crowd) { await crowd.verifyStored(pg) }
    }
  }
}

const isReady = async core => (await core.fetch('/core/actuator/health/readiness')).status === 200

async function gauge (core, token, name) {
  const text = await (await core.fetch('/core/actuator/prometheus', { token })).text()
  return Number(text.match(new RegExp(`^${name} (\\S+)$`, 'm'))[1])
}

async function nothingIsAcknowledged (crowd) {
  crowd.type()
  await until('everybody has something unsaved', () => crowd.clients.every(c => !c.settled()))
  const before = crowd.acknowledged.length
  crowd.type()
  await pass(1000)
  assert.equal(crowd.acknowledged.length, before, 'acknowledged while the disk failed')
}

/* A document that nobody has open when the disk fails. */
async function leaveOneBehind (core) {
  const c = openClient('provider4', core, 'cold')
  c.doc.getText('text').insert(0, 'lies on the disk')
  await until('saved', () => c.settled())
  c.close()
  await until('nobody has it open', async () => (await core.counts()).documents === 0)
}

async function readsGoOn (core) {
  const c = openClient('provider4', core, 'cold')
  await until('a document is read from the disk meanwhile', () => c.doc.getText('text').toString() === 'lies on the disk')
  c.close()
}

/* The disk fails under typing, and heals. PUSH makes it notice; PARTLY: what finds room in a file is stored nevertheless. */
async function badSpell (place, order, { reads = true, partly = false, push = async () => {} } = {}) {
  const { core } = place
  await leaveOneBehind(core)
  const crowd = new Crowd(run, core, 'spell', 3, ['provider4', 'provider3'])
  await crowd.settled()
  crowd.startTyping(30)
  await crowd.more(60, 'before')
  place.fault(order)
  await push()
  await until('the core is not ready', async () => !await isReady(core), generous)
  crowd.stopTyping()
  if (!partly) await nothingIsAcknowledged(crowd)
  if (reads) await readsGoOn(core)
  if (partly) await place.verify(crowd)
  await place.heal()
  const back = performance.now()
  console.log(`        all acknowledged ${await allAcknowledged(crowd.tokens, back)} ms after the disk works again`)
  await until('the core is ready', () => isReady(core), generous)
  crowd.startTyping(30)
  await crowd.more(60, 'after')
  await core.kill()
  await place.verify(crowd)
  await core.start()
  await crowd.verify()
  crowd.close()
  await core.stop()
}

/* Every sync takes MS longer: late is not lost, and what waits is bounded. */
async function slowSync (place, ms) {
  const { core } = place
  const crowd = new Crowd(run, core, 'slow', 3, ['provider4', 'provider3'])
  await crowd.settled()
  place.fault(`slow ${ms}`)
  crowd.startTyping(50)
  const admin = (await (await core.login()).json()).value
  let most = 0
  const end = performance.now() + 2500 + 2 * ms
  while (performance.now() < end) {
    most = Math.max(most, await gauge(core, admin, 'collab_unstored_bytes'))
    await pass(50)
  }
  await crowd.more(1, 'acknowledgements come')
  await core.kill()
  crowd.stopTyping()
  const typed = crowd.tokens.length
  await place.verify(crowd)
  await core.start()
  await crowd.verify()
  await core.kill()
  await place.heal()
  await place.verify(crowd)
  console.log(`        syncs ${ms} ms longer: ${typed} tokens, at most ${most} bytes waited`)
  assert.ok(most < 1 << 20, 'what waits is no more than what was typed')
  crowd.close()
}

const rows = {
  async D01 () {
    await run.story('the disk of SQLite is full: nothing acknowledged, nothing lost, reads go on, it recovers by itself',
      async () => await badSpell(await places.SQLite('full'), 'enospc'))
  },

  async D02 () {
    await run.story('the disk of PostgreSQL is full (tables): what is acknowledged is stored, reads go on', async () =>
      await badSpell(await places.PostgreSQL('tables', 'tables'), 'enospc', { partly: true }))
    await run.story('the disk of PostgreSQL is full (write-ahead log): its server dies of it; nothing is lost', async () => {
      const place = await places.PostgreSQL('wal', 'wal', { wal_recycle: 'off', min_wal_size: '2MB', max_wal_size: '2MB' })
      const push = () => place.pg.sql("CREATE TABLE filler AS SELECT repeat('x', 1000) AS x FROM generate_series(1, 4000)").catch(() => {})
      await badSpell(place, 'enospc', { reads: false, push })
    })
  },

  async D03 () {
    for (const order of ['eio', 'fsyncfail']) {
      await run.story(`SQLite: ${order}`, async () => await badSpell(await places.SQLite(order), order))
      await run.story(`PostgreSQL's write-ahead log: ${order}`, async () =>
        await badSpell(await places.PostgreSQL(order, 'wal'), order, { reads: false }))
    }
  },

  async D04 () {
    for (const where of ['SQLite', 'PostgreSQL']) {
      for (const ms of [20, 200, 2000]) {
        await run.story(`${where}, every fsync ${ms} ms slower: acknowledged late, never lost, bounded`, async () =>
          await slowSync(await places[where](`slow-${ms}`), ms), 90000)
      }
    }
  },

  async D06 () {
    await run.story('the core dies in the middle of a write to SQLite: the torn file opens, nothing is lost', async () => {
      const place = await places.SQLite('torn')
      const crowd = new Crowd(run, place.core, 'torn', 2, ['provider4', 'provider3'])
      await crowd.settled()
      crowd.startTyping(20)
      for (let n = 0; n < 4; n++) {
        await crowd.more(20, 'before')
        await pass(run.random.below(300))
        place.fault('torn')
        await until('the core dies in a write', () => place.core.child.exit !== null, generous)
        assert.equal(place.core.child.exit.signal, 'SIGKILL')
        await place.heal()
        await place.verify(crowd)
        await place.core.start()
      }
      await crowd.verify()
      crowd.close()
      await place.core.stop()
    }, 60000 * slowness)
  }
}

if (!rows[row]) throw new Error(`no such row: ${row}`)
await rows[row]()
await run.finish()
