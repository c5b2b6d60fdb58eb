/* fault.<row>: processes die at bad moments while clients type; nothing that was acknowledged may be missing afterwards.
 *   kill.mjs K01|K02|K03|K04|K10|D13|S01     rows of the reliability reference, chapter 6
 * UMBEL_KILLS=n: that many kills instead of 10. Between two kills the clients work for a random while (UMBEL_SEED). */
import assert from 'node:assert/strict'
import { openClient } from '../harness/clients.mjs'
import { openRun, pass, until } from '../harness/run.mjs'
import { crash } from '../harness/postgres.mjs'
import { startGateway, startSubject, UmbelCore } from '../harness/subjects.mjs'
import { tokensIn, tokensOf, Typists } from '../harness/typists.mjs'

const row = process.argv[2] ?? 'K01'
const kills = Number(process.env.UMBEL_KILLS ?? 10)
const run = openRun(`fault.${row}`)
const { random } = run
const crowd = ['provider4', 'provider4', 'provider4', 'provider3', 'provider3', 'provider4', 'provider3', 'provider4']

/* Folds and unloads as soon as it can. */
const hurried = ['--collab.unload-delay=0', '--collab.debounce=50ms', '--collab.max-debounce=200ms', '--collab.fold.rows=1']

const rows = {
  async K01 () {
    for (const reactors of [1, 3]) {
      await run.story(`core killed ${kills} times while 8 clients type (reactors ${reactors})`, async () => {
        const core = await startSubject(run, { reactors })
        const typists = new Typists(run, core, 'k01', crowd)
        typists.startTyping(15)
        await typists.more(20, 'before the first kill')
        for (let n = 0; n < kills; n++) {
          await pass(random.below(400))
          await core.kill()
          await typists.verifyOnDisk(core)
          await core.start()
          await typists.more(8, `after kill ${n + 1}`)
        }
        await typists.verify()
        console.log(`        ${typists.tokens.length} tokens typed, ${typists.acknowledged.length} acknowledged by their own frame`)
        typists.close()
        await core.stop()
      }, 60000 + kills * 6000)
    }
  },

  async K02 () {
    /* edit.before_publish and snapshot.before_read belong to cores with peers. */
    const points = ['edit.before_append', 'edit.after_append', 'edit.before_commit', 'edit.after_commit', 'edit.before_ack',
      'snapshot.before_write', 'snapshot.after_write', 'trim.before', 'trim.after', 'unload.before']
    for (const point of points) {
      await run.story(`core dies at ${point}`, async () => {
        const core = await startSubject(run, { reactors: 1, label: `core-${point}`, args: hurried })
        const typists = new Typists(run, core, 'k02', crowd.slice(0, 3))
        typists.startTyping(20)
        await typists.more(6, 'a first while')
        /* Folding and trimming happen at unload too: all leave once so that the armed core must fold. */
        await core.stop()
        await core.start({ UMBEL_FAIL: `${point}=kill*1` })
        if (!point.startsWith('edit.')) {
          const goal = typists.acknowledged.length + 6
          await until('the armed core works, or is dead', () => core.child.exit !== null || typists.acknowledged.length >= goal, 20000)
          typists.stopTyping()
          /* The armed core may fold, and die of it, before it has said so. */
          await until('everything is saved, or the core is dead', () => core.child.exit !== null || typists.clients.every(c => c.settled()))
          await Promise.all(typists.clients.map(c => c.offline()))
        }
        await until(`the core dies at ${point}`, () => core.child.exit !== null, 20000)
        assert.equal(core.child.exit.signal, 'SIGKILL')
        await typists.verifyOnDisk(core)
        await core.start()
        for (const c of typists.clients) await c.online()
        typists.type(0)
        await typists.verify()
        typists.close()
        await core.stop()
      }, 90000)
    }
  },

  async 'K02-slow-commit' () {
    await run.story('a client that comes back is not told "saved" before what it sent earlier is stored', async () => {
      const core = await startSubject(run, { reactors: 1, env: { UMBEL_FAIL: 'edit.before_commit=sleep(4000)*1' } })
      const observer = openClient('provider4', core, 'slow')
      const typists = new Typists(run, core, 'slow', ['provider4'])
      await until('both in sync', () => observer.settled() && typists.clients[0].settled())
      typists.type(0)
      await until('the other one has it', () => tokensOf(observer.doc).size === 1)
      typists.clients[0].cut()
      await until('the connection is gone', () => !typists.clients[0].isOnline())
      await until('the writer is told that all is saved', () => typists.clients[0].settled(), 15000)
      await core.kill()
      typists.acknowledge(typists.tokens[0])
      await typists.verifyOnDisk(core)
      observer.close()
      typists.close()
    })
  },

  async K03 () {
    await run.story('core and gateway killed together: everybody is back, nothing is lost', async () => {
      const core = await startSubject(run, { reactors: 3 })
      const gateway = await startGateway(run, core)
      const through = { ...gatewayUrls(gateway), token: (...args) => core.token(...args) }
      const typists = new Typists(run, through, 'k03', crowd)
      typists.startTyping(20)
      for (let n = 0; n < 3; n++) {
        await typists.more(40, 'work')
        await Promise.all([core.kill(), gateway.kill()])
        await typists.verifyOnDisk(core)
        await Promise.all([core.start(), gateway.start()])
      }
      await typists.more(40, 'work after all')
      await typists.verify()
      typists.close()
      await gateway.stop()
      await core.stop()
    }, 150000)
  },

  async K10 () {
    await run.story('PostgreSQL dies twice under the typing of 50 documents', async () => {
      const core = await startSubject(run, { reactors: 3 })
      const documents = Array.from({ length: 50 }, (_, i) => new Typists(run, core, `k10-${i}`, ['provider4']))
      for (const typists of documents) typists.startTyping(100)
      for (let n = 0; n < 2; n++) {
        await Promise.all(documents.map(typists => typists.more(3, 'work')))
        assert.ok(crash() > 0, 'the core had a connection')
      }
      await Promise.all(documents.map(typists => typists.more(3, 'work after all')))
      for (const typists of documents) typists.stopTyping()
      await until('everything is saved', () => documents.every(typists => typists.clients.every(c => c.settled())), 30000)
      await core.kill()
      for (const typists of documents.slice(0, 5)) await typists.verifyOnDisk(core)
      await core.start()
      for (const typists of documents) {
        await typists.verify()
        typists.close()
      }
      await core.stop()
    }, 180000)
  },

  async K04 () {
    await run.story(`gateway killed ${kills} times while 8 clients type through it`, async () => {
      const core = await startSubject(run, { reactors: 3 })
      const gateway = await startGateway(run, core)
      const through = { ...gatewayUrls(gateway), token: (...args) => core.token(...args) }
      const typists = new Typists(run, through, 'k04', crowd)
      const direct = openClient('provider4', core, 'k04')
      typists.startTyping(20)
      for (let n = 0; n < kills; n++) {
        await typists.more(10, 'work')
        await pass(random.below(300))
        await gateway.kill()
        await pass(random.below(100))
        await gateway.start()
      }
      await typists.more(20, 'work after all')
      await typists.verify()
      assert.ok(direct.settled(), 'a client of the core itself noticed nothing')
      direct.close()
      typists.close()
      await gateway.stop()
      await core.stop()
    }, 60000 + kills * 6000)
  },

  async D13 () {
    await run.story('a second core on the same database file is refused, with a reason that names PostgreSQL', async () => {
      const core = await startSubject(run, {})
      const second = new UmbelCore(run, { label: 'second', database: core.database })
      second.launchCore()
      await until('the second core ends', () => second.child.exit !== null, 15000)
      assert.notEqual(second.child.exit.code, 0)
      assert.equal(second.child.exit.signal, null, 'it does not crash')
      assert.match(second.child.output(), /PostgreSQL/)
      const c = openClient('provider4', core, 'd13')
      c.doc.getText('text').insert(0, 'undisturbed')
      await until('the first goes on', () => c.settled())
      c.close()
      await core.kill()
      await second.start()
      assert.ok((await second.fetch('/core/actuator/health')).ok, 'the lock dies with its holder')
      await second.stop()
    })
  },

  async S01 () {
    await run.story('the last one leaves while its edit is being stored, and the next joins', async () => {
      const core = await startSubject(run, { reactors: 3, args: ['--collab.unload-delay=0'] })
      let total = 0
      for (let n = 0; n < 60; n++) {
        const typists = new Typists(run, core, 's01', [random.pick(['provider4', 'provider3'])])
        await until('joined', () => typists.clients[0].settled())
        assert.equal(tokensOf(typists.clients[0].doc).size, total, `round ${n}: the newcomer has what the one before was told is saved`)
        for (let k = random.between(1, 4); k > 0; k--, total++) typists.type(0)
        await until('saved', () => typists.clients[0].settled())
        if (random.chance(50)) typists.clients[0].cut()
        typists.close()
        await pass(random.below(12))
      }
      await core.kill()
      await core.start()
      assert.equal((await tokensIn(core, 's01')).size, total)
      await core.stop()
    })
  }
}

const gatewayUrls = gateway => ({ get collabUrl () { return gateway.collabUrl }, get yUrl () { return gateway.yUrl } })

if (!rows[row]) throw new Error(`no such row: ${row}`)
await rows[row]()
await run.finish()
