/* fault.<row>: rows of the reliability reference, chapter 6, on PostgreSQL: its absence, and two cores on one.
 *   postgres.mjs K10|K12|N03|R09|E4-store
 * UMBEL_KILLS=n: that many rounds instead of 2. */
import assert from 'node:assert/strict'
import { openClient } from '../harness/clients.mjs'
import { allAcknowledged, Crowd } from '../harness/crowd.mjs'
import { difference } from '../harness/edits.mjs'
import { startPostgres } from '../harness/postgres-server.mjs'
import { startRedis } from '../harness/redis-server.mjs'
import { openRun, pass, slowness, until } from '../harness/run.mjs'
import { readStored } from '../harness/stored.mjs'
import { startSubject, UmbelCore } from '../harness/subjects.mjs'
import { tokensOf, Typists } from '../harness/typists.mjs'

const row = process.argv[2] ?? 'K10'
const rounds = Number(process.env.UMBEL_KILLS ?? 2)
const run = openRun(`fault.${row}`)
/* Promised are 2 s and 3 s; the machine of a test may be slow, so this much is only measured and told. */
const generous = 15000

const isReady = async core => (await core.fetch('/core/actuator/health/readiness')).status === 200

/* Milliseconds since FROM when the core says that it is ready, or not. */
async function readiness (core, wanted, from) {
  await until(`readiness says ${wanted ? 'yes' : 'no'}`, async () => await isReady(core) === wanted, generous)
  return Math.round(performance.now() - from)
}

/* The database is away: what is typed from now on is kept, told as unsaved, and not acknowledged. */
async function nothingIsAcknowledged (crowd) {
  crowd.type()
  await until('everybody has something unsaved', () => crowd.clients.every(c => !c.settled()))
  const before = crowd.acknowledged.length
  crowd.type()
  await pass(1000)
  assert.equal(crowd.acknowledged.length, before, 'acknowledged while the database was away')
}

/* A document is written in and left by all while the database is away. */
async function leaveUnsaved (core, room) {
  const typists = new Typists(run, core, room, ['provider4'])
  const reader = openClient('provider4', core, room)
  await until('both in sync', () => reader.settled() && typists.clients[0].settled())
  return {
    typists,
    async leave () {
      typists.type(0)
      await until('the other one has it', () => tokensOf(reader.doc).has(typists.tokens.at(-1).text))
      typists.close()
      reader.close()
    },
    async verify (pg) {
      const tokens = typists.tokens.map(t => t.text)
      await until('the document that was left is stored', async () => {
        const stored = await readStored(pg, room)
        return stored !== null && tokens.every(t => tokensOf(stored.doc).has(t))
      }, 30000)
    }
  }
}

/* A stored document that nobody has open; who comes while the database is away sees it later, and never an empty one. */
async function comeMeanwhile (core, room) {
  const author = openClient('provider4', core, room)
  author.doc.getText('text').insert(0, 'stored before')
  await until('stored', () => author.settled())
  author.close()
  return {
    open () {
      this.client = openClient('provider4', core, room)
    },
    async verify () {
      await until('it is shown', () => this.client.doc.getText('text').toString() === 'stored before', 30000)
      this.client.close()
    }
  }
}

async function away (how, documents) {
  const pg = await startPostgres(run)
  const core = await startSubject(run, { reactors: 2, storeUrl: pg.url, label: `core-${how}`, args: ['--collab.unload-delay=0'] })
  const crowd = new Crowd(run, core, 'k10', documents)
  await crowd.settled()
  crowd.startTyping(250)
  await crowd.more(documents, 'before it goes')
  const figures = []
  for (let n = 0; n < rounds; n++) {
    const left = await leaveUnsaved(core, `left-${n}`)
    const newcomer = await comeMeanwhile(core, `newcomer-${n}`)
    await until('it is not in memory', async () => (await core.counts()).documents === documents + 1)
    await pg[how === 'kill' ? 'kill' : 'stop'](how)
    const gone = performance.now()
    const down = await readiness(core, false, gone)
    await left.leave()
    newcomer.open()
    await nothingIsAcknowledged(crowd)
    assert.ok((await core.counts()).documents >= documents + 1, 'no document is unloaded')
    assert.equal(newcomer.client.had('synced'), undefined, 'a document that cannot be read is not shown as empty')
    await pg.start()
    const back = performance.now()
    const saved = await allAcknowledged(crowd.tokens, back)
    const up = await readiness(core, true, back)
    await crowd.verifyStored(pg)
    await left.verify(pg)
    await newcomer.verify()
    figures.push(`not ready ${down} ms after its end; all acknowledged ${saved} ms and ready ${up} ms after its return`)
    assert.ok(saved <= generous * slowness && up <= generous * slowness)
    await crowd.more(documents, 'work goes on')
  }
  await crowd.verify()
  await crowd.verifyStored(pg)
  figures.forEach(f => console.log(`        ${f}`))
  console.log(`        ${crowd.tokens.length} tokens typed in ${documents} documents`)
  crowd.close()
  await core.stop()
}

/* Milliseconds until the documents of all CLIENTS are the same: state vector, deep text, JSON. */
async function agreement (clients, from) {
  await until('all agree', () => {
    const different = clients.slice(1).map(c => difference(clients[0].doc, c.doc)).find(d => d !== null)
    if (different !== undefined) throw new Error(different)
    return true
  }, generous)
  return Math.round(performance.now() - from)
}

/* Two crowds of the same documents, one at each core. */
class Pair {
  constructor (cores, prefix, documents) {
    this.cores = cores
    this.crowds = cores.map(core => new Crowd(run, core, prefix, documents, ['provider4', 'provider3']))
    this.rooms = this.crowds[0].all.map(t => t.room)
  }

  clientsOf (i) {
    return this.crowds.flatMap(c => c.all[i].clients)
  }

  /* Nobody types: everything is saved; then all clients of a document and a fresh one at each core are the same. */
  async verify (pg) {
    this.crowds.forEach(c => c.stopTyping())
    for (const c of this.crowds) await c.settled()
    const from = performance.now()
    const ms = []
    for (const i of this.rooms.keys()) ms.push(await agreement(this.clientsOf(i), from))
    for (const c of this.crowds) {
      await c.verify(...this.cores)
      await c.verifyStored(pg)
    }
    for (const [i, room] of this.rooms.entries()) {
      const fresh = this.cores.map(core => openClient('provider4', core, room))
      await until('fresh clients are in sync', () => fresh.every(c => c.settled()))
      await agreement([...fresh, this.clientsOf(i)[0]], from)
      fresh.forEach(c => c.close())
    }
    return Math.max(...ms)
  }
}

async function metric (core, name) {
  const page = await (await core.fetch('/core/actuator/prometheus', { token: core.token('write', 'admin') })).text()
  return Number(page.match(new RegExp(`^${name} (\\S+)`, 'm'))?.[1])
}

async function startPair (pg, args) {
  return await Promise.all(['a', 'b'].map(label =>
    startSubject(run, { reactors: 2, storeUrl: pg.url, label: `core-${label}`, args: ['--collab.resync-interval=1s', ...args] })))
}

const rows = {
  async K10 () {
    for (const [how, title] of [['kill', 'kill -9'], ['immediate', '-m immediate']]) {
      await run.story(`PostgreSQL ended by ${title} under 50 documents`, () => away(how, 50), 150000)
    }
  },

  async N03 () {
    await run.story('a database that stands still: not ready, nothing acknowledged, nothing lost', async () => {
      const pg = await startPostgres(run)
      const core = await startSubject(run, { reactors: 2, storeUrl: pg.url })
      const crowd = new Crowd(run, core, 'n03', 10)
      await crowd.settled()
      for (let n = 0; n < rounds; n++) {
        crowd.startTyping(100)
        await crowd.more(20, 'before it stands still')
        pg.freeze()
        const down = await readiness(core, false, performance.now())
        await nothingIsAcknowledged(crowd)
        crowd.stopTyping()
        pg.thaw()
        const back = performance.now()
        const saved = await allAcknowledged(crowd.tokens, back)
        console.log(`        not ready after ${down} ms; all acknowledged ${saved} ms and ready ${await readiness(core, true, back)} ms after it went on`)
        await crowd.verifyStored(pg)
      }
      await crowd.verify()
      crowd.close()
      await core.stop()
    }, 120000)

    for (const how of ['freeze', 'kill']) {
      await run.story(`readiness tells of it though nobody types (${how})`, async () => {
        const pg = await startPostgres(run)
        const core = await startSubject(run, { reactors: 1, storeUrl: pg.url, label: `idle-${how}` })
        const c = openClient('provider4', core, 'idle')
        await until('in sync', () => c.settled())
        await pg[how]()
        const down = await readiness(core, false, performance.now())
        assert.equal((await core.fetch('/core/actuator/health/liveness')).status, 200, 'the process itself is well')
        if (how === 'freeze') pg.thaw()
        else await pg.start()
        console.log(`        not ready after ${down} ms; ready ${await readiness(core, true, performance.now())} ms after its return`)
        c.close()
        await core.stop()
      })
    }
  },

  async 'K10-start' () {
    await run.story('a core that starts while its database is away waits for it', async () => {
      const pg = await startPostgres(run)
      const core = new UmbelCore(run, { storeUrl: pg.url })
      await core.start()
      await core.stop()
      await pg.stop()
      core.launchCore()
      await until('it has tried', () => /connect_failed/.test(core.child.output()))
      assert.equal(core.child.exit, null, 'and waits')
      await pg.start()
      await until('it is ready', () => isReady(core).catch(() => false), 30000)
      await core.stop()
    })
    await run.story('a core whose user is refused does not wait', async () => {
      const pg = await startPostgres(run)
      const core = new UmbelCore(run, { storeUrl: pg.url.replace(/\/umbel\?/, '/nowhere?') })
      const from = performance.now()
      core.launchCore()
      await until('it ends', () => core.child.exit !== null)
      assert.equal(core.child.exit.code, 2)
      console.log(`        after ${Math.round(performance.now() - from)} ms`)
      assert.equal(core.child.output().match(/connect_failed/g).length, 1, 'after one attempt')
    })
  },

  async K12 () {
    await run.story('a core killed in the middle of its migration leaves what was there; the next one migrates', async () => {
      const pg = await startPostgres(run)
      const core = new UmbelCore(run, { storeUrl: pg.url })
      core.launchCore({ UMBEL_FAIL: 'startup.migrate=kill*1' })
      await until('the core dies', () => core.child.exit !== null)
      assert.equal(core.child.exit.signal, 'SIGKILL')
      const [{ n }] = await pg.sql("SELECT count(*)::int AS n FROM pg_class WHERE relname LIKE 'document%' OR relname LIKE 'umbel%'")
      assert.equal(n, 0, 'all or nothing')
      await core.start()
      const c = openClient('provider4', core, 'after')
      c.doc.getText('text').insert(0, 'works')
      await until('saved', () => c.settled())
      c.close()
      await core.stop()
    })
  },

  async R09 () {
    await run.story('two cores on a bus that loses, doubles and swaps every tenth message agree, and lose nothing', async () => {
      const pg = await startPostgres(run)
      const redis = await startRedis(run)
      const cores = await Promise.all(['a', 'b'].map(label => startSubject(run, {
        reactors: 2,
        storeUrl: pg.url,
        label: `core-${label}`,
        args: ['--redis.enabled=true', `--spring.data.redis.url=${redis.url}`, `--cluster.id=core-${label}`],
        env: { UMBEL_FAIL: 'bus.drop=error%10;bus.dup=error%10;bus.swap=error%10' }
      })))
      const pair = new Pair(cores, 'r09', 4)
      for (const c of pair.crowds) await c.settled()
      for (let n = 0; n < rounds; n++) {
        for (const c of pair.crowds) c.startTyping(40)
        for (const c of pair.crowds) await c.more(200, 'typed on a bad bus')
        console.log(`        the last of 16 clients agrees ${await pair.verify(pg)} ms after the last acknowledgement`)
      }
      const gaps = await Promise.all(cores.map(core => metric(core, 'collab_bus_gaps_total')))
      assert.ok(gaps.every(n => n > 0), 'the bus was bad, and was used')
      console.log(`        ${pair.crowds.flatMap(c => c.tokens).length} tokens, ${gaps.join(' and ')} times asked for what had been missed`)
      for (const c of pair.crowds) c.close()
      for (const core of cores) await core.stop()
    }, 120000)
  },

  async 'E4-store' () {
    const fold = ['--collab.debounce=200ms', '--collab.max-debounce=500ms', '--collab.fold.rows=20', '--collab.unload-delay=0']
    for (const [title, args] of [['', []], [', folding all the time', fold]]) {
      await run.story(`two cores on one PostgreSQL agree with nothing but the database between them${title}`, async () => {
        const pg = await startPostgres(run)
        const cores = await startPair(pg, args)
        const pair = new Pair(cores, 'e4', 4)
        for (const c of pair.crowds) await c.settled()
        for (const c of pair.crowds) c.startTyping(60)
        await pair.crowds[0].more(60, 'at the first')
        await pair.crowds[1].more(60, 'at the second')
        console.log(`        the last of 8 clients agrees ${await pair.verify(pg)} ms after the last acknowledgement`)

        for (const c of pair.crowds) c.startTyping(60)
        await pair.crowds[1].more(40, 'before the second is killed')
        await cores[1].kill()
        await pair.crowds[0].more(60, 'the first goes on alone')
        await cores[1].start()
        await pair.crowds[1].more(40, 'after the second is back')
        console.log(`        one core killed in the middle: ${await pair.verify(pg)} ms`)

        const gone = await cores[0].fetch(`/core/rest/collab/documents/${pair.rooms[0]}`, { method: 'DELETE', token: cores[0].token() })
        assert.equal(gone.status, 204)
        const from = performance.now()
        const ended = c => c.events.some(e => e.event === 'close' && e.reason === 'deleted')
        await until('its clients are told on both cores', () => pair.clientsOf(0).every(ended), generous)
        console.log(`        deleted on one, ended on the other ${Math.round(performance.now() - from)} ms later`)
        const late = openClient('provider4', cores[1], pair.rooms[0])
        await until('nobody comes in any more', () => ended(late))
        assert.equal((await readStored(pg, pair.rooms[0])).log.length, 0)
        late.close()
        for (const c of pair.crowds) c.close()
        for (const core of cores) await core.stop()
      }, 150000)
    }
  }
}

if (!rows[row]) throw new Error(`no such row: ${row}`)
await rows[row]()
await run.finish()
