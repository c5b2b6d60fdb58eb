/* fault.<row>: rows of the reliability reference, chapter 6, whose cause lies in the database: damaged or unreadable rows,
 * conflicts, too many connections, long logs, two who fold.
 *   database.mjs D07|D08|D09|D10|D15|D16|D17 */
import assert from 'node:assert/strict'
import * as Y from 'yjs'
import { openClient } from '../harness/clients.mjs'
import { crc32c } from '../harness/crc32c.mjs'
import { allAcknowledged, Crowd } from '../harness/crowd.mjs'
import { difference } from '../harness/edits.mjs'
import { startPostgres } from '../harness/postgres-server.mjs'
import { openRun, pass, slowness, until } from '../harness/run.mjs'
import { readStored, verifyStored } from '../harness/stored.mjs'
import { startSubject } from '../harness/subjects.mjs'
import { Typists } from '../harness/typists.mjs'

const row = process.argv[2] ?? 'D07'
const run = openRun(`fault.${row}`)
const generous = 15000
const long = process.env.UMBEL_LONG === '1'
const hurried = ['--collab.unload-delay=0', '--collab.debounce=100ms', '--collab.max-debounce=300ms', '--collab.fold.rows=1']

const isReady = async core => (await core.fetch('/core/actuator/health/readiness')).status === 200

/* A document with the text WORDS: the first one folded, the others rows of its log. */
async function putDocument (pg, name, words) {
  const doc = new Y.Doc()
  const updates = []
  doc.on('update', u => updates.push(Buffer.from(u)))
  for (const word of words) doc.getText('text').insert(doc.getText('text').length, word)
  const [{ id }] = await pg.sql('INSERT INTO documents(name, version, seq, crc, data) VALUES($1, 1, 1, $2, $3) RETURNING id',
    [name, crc32c(updates[0]), updates[0]])
  await pg.sql('UPDATE document_heads SET last_seq = $2 WHERE document_id = $1', [id, updates.length])
  for (const [i, u] of updates.entries()) {
    if (i > 0) await pg.sql('INSERT INTO document_updates(document_id, seq, at, crc, data) VALUES($1, $2, 0, $3, $4)', [id, i + 1, crc32c(u), u])
  }
  return id
}

/* All that is stored of a document, as text. */
const rowsOf = async (pg, id, log = 'document_updates') => JSON.stringify([
  await pg.sql('SELECT name, version, seq, crc, data FROM documents WHERE id = $1', [id]),
  await pg.sql('SELECT * FROM document_heads WHERE document_id = $1', [id]),
  await pg.sql(`SELECT seq, crc, data FROM ${log} WHERE document_id = $1 ORDER BY seq`, [id])
])

const wasClosed = (c, reason) => c.events.some(e => e.event === 'close' && e.reason === reason)

/* How a document is damaged, and repaired. A letter of the text changes, which only the checksum can tell. The version is raised
 * so that no trigger takes it for a stock server's work. */
const flip = 'data = set_byte(data, octet_length(data) - 3, get_byte(data, octet_length(data) - 3) # 1)'
const flipState = `UPDATE documents SET version = version + 1, ${flip} WHERE id = $1`
const flipRow = `UPDATE document_updates SET ${flip} WHERE document_id = $1 AND seq = 2`
const hideRow = seq => `UPDATE document_updates SET document_id = -document_id WHERE document_id = $1 AND seq = ${seq}`
const showRows = 'UPDATE document_updates SET document_id = -document_id WHERE document_id = -$1::bigint'
const damages = [
  { what: 'a byte of the state is damaged', damage: flipState, repair: flipState },
  { what: 'a byte of the log is damaged', damage: flipRow, repair: flipRow },
  { what: 'a row of the log is missing', damage: hideRow(2), repair: showRows },
  { what: 'the end of the log is missing', damage: hideRow(3), repair: showRows }
]

const rows = {
  async D07 () {
    for (const { what, damage, repair } of damages) {
      await run.story(`${what}: never shown, never written over, all others go on`, async () => {
        const pg = await startPostgres(run)
        const core = await startSubject(run, { reactors: 2, storeUrl: pg.url, args: hurried })
        const others = new Typists(run, core, 'sound', ['provider4', 'provider3'])
        const id = await putDocument(pg, 'damaged', ['first ', 'second ', 'third'])
        await pg.sql(damage, [id])
        const before = await rowsOf(pg, id)
        const mine = new Y.Doc()
        mine.getText('text').insert(0, 'mine ')
        const c = openClient('provider4', core, 'damaged', { doc: mine })
        await until('the client is told', () => wasClosed(c, 'load-failed'))
        assert.equal(mine.getText('text').toString(), 'mine ', 'nothing of the damaged document was shown')
        others.startTyping(20)
        await others.more(20, 'others go on')
        const again = openClient('provider3', core, 'damaged')
        await until('the next one too', () => wasClosed(again, 'load-failed'))
        assert.equal(await rowsOf(pg, id), before, 'not a byte of it was changed')
        await core.kill()
        await core.start()
        const third = openClient('provider4', core, 'damaged')
        await until('after a restart too', () => wasClosed(third, 'load-failed'))
        assert.equal(await rowsOf(pg, id), before)
        await pg.sql(repair, [id])
        for (const one of [c, again, third]) one.close()
        const healed = openClient('provider4', core, 'damaged')
        await until('repaired it is whole', () => healed.doc.getText('text').toString() === 'first second third')
        healed.close()
        await others.verify()
        others.close()
        await core.stop()
      })
    }
  },

  async D08 () {
    await run.story('a document whose log cannot be read: not shown as empty, not written, and there again afterwards', async () => {
      const pg = await startPostgres(run)
      const core = await startSubject(run, { reactors: 2, storeUrl: pg.url, args: hurried })
      const id = await putDocument(pg, 'hidden', ['first ', 'second ', 'third'])
      const before = await rowsOf(pg, id)
      await pg.sql('ALTER TABLE document_updates RENAME TO elsewhere')
      const mine = new Y.Doc()
      mine.getText('text').insert(0, 'mine ')
      const c = openClient('provider4', core, 'hidden', { doc: mine })
      await until('loading fails', () => /document cannot be loaded/.test(core.child.output()))
      await pass(500)
      assert.equal(c.provider.synced, false)
      assert.equal(mine.getText('text').toString(), 'mine ')
      assert.equal(await rowsOf(pg, id, 'elsewhere'), before, 'not a byte of it was changed')
      await pg.sql('ALTER TABLE elsewhere RENAME TO document_updates')
      await until('it comes back by itself', () => c.settled() && mine.getText('text').toString().includes('first second third'), generous)
      await until('with what the client had', async () => (await readStored(pg, 'hidden')).doc.getText('text').toString().includes('mine '))
      c.close()
      await core.stop()
    })
  },

  async D09 () {
    await run.story('deadlocks with a foreign transaction: the core makes its transaction again, once', async () => {
      const pg = await startPostgres(run)
      const core = await startSubject(run, { reactors: 2, storeUrl: pg.url })
      const crowd = new Crowd(run, core, 'lock', 2, ['provider4', 'provider3'])
      crowd.type()
      await crowd.settled()
      crowd.startTyping(20)
      const ids = (await pg.sql('SELECT document_id AS id FROM document_heads ORDER BY 1')).map(r => r.id)
      const lock = 'SELECT 1 FROM document_heads WHERE document_id = $1 FOR UPDATE'
      for (let n = 0; n < 5; n++) {
        await crowd.more(10, 'work')
        const other = await pg.connect()
        await other.query("SET deadlock_timeout = '30s'")        /* the core's side notices first, and is the one that gives way */
        await other.query('BEGIN')
        await other.query(lock, [ids[1]])
        await until('the core waits for it', async () =>
          (await pg.sql("SELECT 1 FROM pg_stat_activity WHERE application_name = 'umbel-core' AND wait_event_type = 'Lock'")).length > 0)
        await other.query(lock, [ids[0]])                        /* waits for the core, which waits for us */
        await other.query('COMMIT')
        await other.end()
      }
      await crowd.verify()
      assert.match(core.child.output(), /transaction_repeated.*deadlock/)
      await onceEach(pg, crowd)
      crowd.close()
      await core.stop()
    })

    await run.story('two of three transactions cannot be serialized: each is made again, and is in the text once', async () => {
      const pg = await startPostgres(run)
      const core = await startSubject(run, { reactors: 2, storeUrl: pg.url })
      await pg.sql(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF txid_current() % 3 <> 0 THEN RAISE EXCEPTION 'not now' USING ERRCODE = 'serialization_failure'; END IF;
        RETURN NULL; END $$`)
      await pg.sql('CREATE TRIGGER refuse AFTER INSERT ON document_updates FOR EACH STATEMENT EXECUTE FUNCTION refuse()')
      const crowd = new Crowd(run, core, 'serial', 2, ['provider4', 'provider3'])
      crowd.startTyping(40)
      await crowd.more(100, 'work')
      await crowd.verify()
      assert.match(core.child.output(), /transaction_repeated.*not now/)
      await onceEach(pg, crowd)
      crowd.close()
      await core.stop()
    })

    await run.story('killed backends: connections are made anew, nothing lost, nothing twice in a text', async () => {
      const pg = await startPostgres(run)
      const core = await startSubject(run, { reactors: 2, storeUrl: pg.url })
      const crowd = new Crowd(run, core, 'backend', 3, ['provider4', 'provider3'])
      crowd.startTyping(20)
      for (let n = 0; n < (long ? 50 : 8); n++) {
        await crowd.more(15, 'work')
        await pass(run.random.below(50))
        const ended = await pg.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'umbel-core'")
        assert.ok(ended.length > 0)
      }
      await crowd.verify()
      await onceEach(pg, crowd)
      crowd.close()
      await core.stop()
    }, long ? 300000 : 120000)
  },

  async D10 () {
    await run.story('no connection is left for the core: a bounded wait and 503, nothing acknowledged, nothing lost', async () => {
      const pg = await startPostgres(run, { settings: { max_connections: 12 } })
      await pg.sql('CREATE ROLE app LOGIN')
      await pg.sql('ALTER DATABASE umbel OWNER TO app')
      await pg.sql('GRANT ALL ON SCHEMA public TO app')
      const storeUrl = pg.url.replace('user=umbel', 'user=app')
      const core = await startSubject(run, { reactors: 2, storeUrl, args: ['--store.connections=2'] })
      const crowd = new Crowd(run, core, 'full', 2, ['provider4', 'provider3'])
      crowd.startTyping(50)
      await crowd.more(20, 'before')
      const greedy = await takeAll(pg)
      await until('the core is not ready', async () => !await isReady(core), generous)
      crowd.stopTyping()
      crowd.type()
      const from = performance.now()
      const answer = await core.fetch('/core/rest/collab/documents', { token: core.token() })
      console.log(`        the list of documents: ${answer.status} after ${Math.round(performance.now() - from)} ms`)
      assert.equal(answer.status, 503)
      const before = crowd.acknowledged.length
      await pass(500)
      assert.equal(crowd.acknowledged.length, before)
      for (const c of greedy) await c.end()
      const back = performance.now()
      console.log(`        all acknowledged ${await allAcknowledged(crowd.tokens, back)} ms after there are connections again`)
      await crowd.verify()
      await crowd.verifyStored(pg)
      crowd.close()
      await core.stop()
    })
  },

  async D15 () {
    const length = Number(process.env.UMBEL_LOG_ROWS ?? 200000)
    await run.story(`a log of ${length} rows: loads in bounded time, and its trimming holds nobody up`, async () => {
      const pg = await startPostgres(run)
      const core = await startSubject(run, { reactors: 2, storeUrl: pg.url, args: ['--collab.debounce=300ms'] })
      const id = await putDocument(pg, 'long', ['x'])
      await fillLog(pg, id, length)
      const others = new Crowd(run, core, 'beside', 3)
      others.startTyping(50)
      await others.more(30, 'others work')
      const began = performance.now()
      const c = openClient('provider4', core, 'long')
      await until('it is loaded', () => c.doc.getText('text').length === length, 60000)
      const loaded = performance.now()
      c.doc.getText('text').insert(0, 'y')
      await until('folded and trimmed to its end', async () =>
        Number((await pg.sql('SELECT count(*) AS n FROM document_updates WHERE document_id = $1', [id]))[0].n) === 0, 60000)
      others.stopTyping()
      await others.settled()
      const late = others.tokens.map(t => t.ackedAt - t.typedAt).sort((a, b) => a - b)
      console.log(`        loaded in ${Math.round(loaded - began)} ms, trimmed in ${Math.round(performance.now() - loaded)} ms; ` +
        `others waited ${Math.round(late[Math.floor(late.length / 2)])} ms (half of them), ${Math.round(late.at(-1))} ms at most`)
      assert.ok(late.at(-1) < generous * slowness)
      assert.equal((await readStored(pg, 'long')).doc.getText('text').length, length + 1)
      await others.verify()
      others.close()
      c.close()
      await core.stop()
    }, 200000)
  },

  async D16 () {
    await run.story('two cores fold one document all the time: its state only goes forward', async () => {
      const pg = await startPostgres(run)
      const cores = await startCores(pg, hurried)
      const crowds = cores.map(core => new Typists(run, core, 'both', ['provider4', 'provider3']))
      crowds.forEach(t => t.startTyping(40))
      await watchForward(pg, async seen => {
        for (const t of crowds) await t.more(long ? 1000 : 150, 'work')
        crowds.forEach(t => t.stopTyping())
        await until('everybody is saved', () => crowds.every(t => t.clients.every(c => c.settled())))
        await agree(crowds.flatMap(t => t.clients))
        assert.ok(seen() > 5, 'states were written')
      })
      for (const t of crowds) {
        await verifyStored(pg, t)
        for (const core of cores) await t.verify(core)
        t.close()
      }
      for (const core of cores) await core.stop()
    }, long ? 300000 : 120000)
  },

  async D17 () {
    await run.story('a core stands still in the middle of its folding and goes on when another has folded more', async () => {
      const pg = await startPostgres(run)
      const cores = await startCores(pg, [...hurried, '--store.timeout=2s'])
      const crowds = cores.map(core => new Typists(run, core, 'stale', ['provider4', 'provider3']))
      crowds.forEach(t => t.startTyping(40))
      await watchForward(pg, async () => {
        for (let n = 0; n < (long ? 20 : 3); n++) {
          for (const t of crowds) await t.more(20, 'work')
          await pass(run.random.below(300))
          cores[0].child.signal('SIGSTOP')
          await crowds[1].more(40, 'the other one goes on')
          cores[0].child.signal('SIGCONT')
        }
        crowds.forEach(t => t.stopTyping())
        await until('everybody is saved', () => crowds.every(t => t.clients.every(c => c.settled())), 30000)
        await agree(crowds.flatMap(t => t.clients))
      })
      for (const t of crowds) {
        await verifyStored(pg, t)
        for (const core of cores) await t.verify(core)
        t.close()
      }
      for (const core of cores) await core.stop()
    }, long ? 600000 : 120000)
  }
}

/* Every token of CROWD is in its text or list exactly once, in the database itself. */
async function onceEach (pg, crowd) {
  for (const t of crowd.all) {
    const { doc } = await readStored(pg, t.room)
    const all = [...doc.getArray('array').toArray(), ...(doc.getText('text').toString().match(/<\d+\.\d+>/g) ?? [])]
    assert.deepEqual(all.sort(), t.tokens.map(one => one.text).sort())
  }
}

/* The core's connections are ended and all that there are taken, but those kept for the superuser. */
async function takeAll (pg) {
  await pg.sql("ALTER ROLE app CONNECTION LIMIT 0")
  await pg.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'umbel-core'")
  const taken = []
  for (;;) {
    try {
      taken.push(await pg.connect())
    } catch (err) {
      if (!/too many|remaining connection slots/.test(err.message)) throw err
      break
    }
  }
  assert.ok(taken.length >= 8)
  await taken[0].query('ALTER ROLE app CONNECTION LIMIT -1')
  await taken.pop().end()
  return taken
}

/* Rows 2 to LENGTH of document ID's log: one letter each. */
async function fillLog (pg, id, length) {
  const doc = new Y.Doc()
  const client = await pg.connect()
  const stored = (await pg.sql('SELECT data FROM documents WHERE id = $1', [id]))[0].data
  let updates = []
  Y.applyUpdate(doc, stored)
  doc.on('update', u => updates.push(Buffer.from(u)))
  for (let seq = 2; seq <= length;) {
    updates = []
    for (let n = 0; n < 10000 && seq + n <= length; n++) doc.getText('text').insert(seq + n - 1, 'z')
    await client.query(`INSERT INTO document_updates(document_id, seq, at, crc, data)
      SELECT $1, $2::bigint + ord - 1, 0, crc, data FROM unnest($3::bigint[], $4::bytea[]) WITH ORDINALITY r(crc, data, ord)`,
    [id, seq, updates.map(crc32c), updates])
    seq += updates.length
  }
  await client.query('UPDATE document_heads SET last_seq = $2 WHERE document_id = $1', [id, length])
  await client.end()
}

const startCores = async (pg, args) => await Promise.all(['a', 'b'].map(label =>
  startSubject(run, { reactors: 2, storeUrl: pg.url, label: `core-${label}`, args: ['--collab.resync-interval=500ms', ...args] })))

async function agree (clients) {
  await until('all agree', () => {
    const different = clients.slice(1).map(c => difference(clients[0].doc, c.doc)).find(d => d !== null)
    if (different !== undefined) throw new Error(different)
    return true
  }, generous)
}

/* While FN runs, the state of every document is seen to go forward only: version and seq never fall, and one version has one
 * seq. FN is given how many states were seen. */
async function watchForward (pg, fn) {
  const client = await pg.connect()
  const last = new Map()
  let seen = 0
  let over = false
  const look = async () => {
    while (!over) {
      for (const { name, version, seq } of (await client.query('SELECT name, version, seq FROM documents')).rows) {
        const before = last.get(name) ?? { version: 0, seq: 0 }
        const now = { version: Number(version), seq: Number(seq) }
        assert.ok(now.version >= before.version && now.seq >= before.seq, `${name} went back: ${JSON.stringify([before, now])}`)
        if (now.version === before.version) assert.equal(now.seq, before.seq)
        else seen++
        last.set(name, now)
      }
      await pass(5)
    }
  }
  const watching = look()
  try {
    await Promise.race([fn(() => seen), watching.then(() => { throw new Error('the watch ended') })])
  } finally {
    over = true
    await watching
    await client.end()
  }
}

if (!rows[row]) throw new Error(`no such row: ${row}`)
await rows[row]()
await run.finish()
