/* fault.<row>.cluster: rows of the reliability reference, chapter 6, in a cluster of everything, while people work.
 *   cluster.mjs K01|K03|K04|P01|K10|balancer|R01|R02|P04|R05|K09|K07|R11|R21|N08|N10
 * Documents are equal everywhere within 5 s of the end of the fault, nothing acknowledged is lost, nobody is logged out, no
 * reservation has two holders, no cache is stale (checks/). The figures are printed for docs/reliability.md. */
import assert from 'node:assert/strict'
import { openRun, pass, until } from '../harness/run.mjs'
import { failOver } from './faults.mjs'
import { goesOn, promotion, since, story, whole } from './story.mjs'

const row = process.argv[2] ?? 'K01'
const run = openRun(`fault.${row}.cluster`)
const { random } = run
const simple = { redis: 'simple' }

/* kill -9 of each of PARTS at the same moment; what was acknowledged by then is stored. They start again after AWAYMS. */
async function killAndStart (world, parts, awayMs = 300) {
  await Promise.all(parts.map(part => part.kill()))
  await world.afterDeath()
  await pass(awayMs)
  await Promise.all(parts.map(part => part.start()))
}

async function freezeAndThaw (part, ms, meanwhile = async () => {}) {
  part.freeze()
  try {
    await Promise.all([pass(ms), meanwhile()])
  } finally {
    part.thaw()
  }
}

const rows = {
  async K01 () {
    await story(run, 'cores are killed in turn: their clients go on, their people do not stay', {}, async world => {
      let back = 0
      for (const n of [1, 2, 1]) {
        world.documents.haunt(world.cluster.core(n))
        await pass(random.below(400))
        const killed = performance.now()
        const restart = killAndStart(world, [world.cluster.core(n)], 1500)
        world.documents.banish()
        await goesOn(world, 'the others go on', [`core-${3 - n}`, 'balancer'])
        back = Math.max(back, since(killed))
        await restart
        await goesOn(world, 'all work again')
      }
      return { others: back }
    })
  },

  async K03 () {
    await story(run, 'all cores and gateways are killed together', {}, async world => {
      const killed = performance.now()
      await killAndStart(world, [...world.cluster.cores, ...world.cluster.gateways])
      await goesOn(world, 'all work again')
      return { back: since(killed) }
    })
  },

  async K04 () {
    await story(run, 'gateways are killed in turn: nobody is logged out, their clients come back through the other', {}, async world => {
      for (const n of [1, 2, 1]) {
        await pass(random.below(400))
        const restart = killAndStart(world, [world.cluster.gateway(n)], 800)
        await goesOn(world, 'through the other one')
        await restart
        await until('HAProxy knows it as up', async () => (await world.cluster.balancer.servers('gateways'))[`gateway-${n}`] === 'UP', 20000)
      }
    })
  },

  async P01 () {
    await story(run, 'a core stands still for 6 s', {}, async world => {
      await freezeAndThaw(world.cluster.core(1), 6000, () => goesOn(world, 'the others go on', ['core-2']))
      const from = performance.now()
      await goesOn(world, 'and it too')
      return { back: since(from) }
    })
    await story(run, 'a gateway stands still for 6 s', {}, async world => {
      const from = performance.now()
      await freezeAndThaw(world.cluster.gateway(1), 6000, () => goesOn(world, 'the cores go on', ['core-1', 'core-2']))
      await goesOn(world, 'everybody does')
      return { through: since(from) }
    })
  },

  async K10 () {
    const ways = {
      'is stopped at once, and started': pg => pg.stop('immediate'), 'is killed, and started': pg => pg.kill(), 'stands still for 3 s': async pg => pg.freeze()
    }
    for (const [title, goAway] of Object.entries(ways)) {
      await story(run, `PostgreSQL ${title}`, {}, async world => {
        const { postgres } = world.cluster
        const acknowledged = () => world.documents.tokens.filter(t => t.ackedAt !== null).length
        await goAway(postgres)
        await pass(500)                        /* what was on its way to the clients */
        const before = acknowledged()
        await pass(2500)
        assert.equal(acknowledged(), before, 'acknowledged without a database')
        if (postgres.child.exit === null) postgres.thaw()
        else await postgres.start()
        const from = performance.now()
        await goesOn(world, 'it is back')
        return { back: since(from) }
      })
    }
  },

  async balancer () {
    await story(run, 'HAProxy is killed, and stands still for 6 s', {}, async world => {
      await killAndStart(world, [world.cluster.balancer])
      await goesOn(world, 'through the new one')
      await freezeAndThaw(world.cluster.balancer, 6000, () => goesOn(world, 'who does not need it', ['core-1', 'core-2']))
      await goesOn(world, 'everybody')
    })
  },

  async R01 () {
    await story(run, 'SENTINEL FAILOVER, twice, while all write', {}, async world => {
      let switched = 0
      for (let n = 0; n < 2; n++) {
        const old = await world.cluster.redis.master()
        const from = performance.now()
        await failOver(world.cluster.redis)
        await goesOn(world, 'meanwhile')
        switched = Math.max(switched, await promotion(world.cluster, old, from))
        await goesOn(world, 'with the new master')
        await whole(world)
      }
      return { switched }
    })
  },

  /* R02 and R03. */
  async R02 () {
    await story(run, 'the master is killed, another one is promoted, and the old one comes back as its replica', {}, async world => {
      const old = await world.cluster.redis.master()
      const from = performance.now()
      await old.kill()
      await goesOn(world, 'without Redis')
      const switched = await promotion(world.cluster, old, from)
      await goesOn(world, 'with the new master')
      await old.start()
      await goesOn(world, 'with two who call themselves master')
      await whole(world)
      assert.equal((await old.cli('ROLE'))[0], 'slave')
      return { switched }
    })
  },

  async P04 () {
    await story(run, 'the master stands still for 6 s, and wakes up as the old one', {}, async world => {
      const old = await world.cluster.redis.master()
      const from = performance.now()
      let switched
      await freezeAndThaw(old, 6000, async () => {
        await goesOn(world, 'meanwhile')
        switched = await promotion(world.cluster, old, from)
      })
      await goesOn(world, 'with two who call themselves master')
      return { switched }
    })
  },

  async R05 () {
    await story(run, 'Redis is busy for 5 s', simple, async world => {
      const busy = world.cluster.redis.cli('DEBUG', 'SLEEP', '5').catch(() => {})
      await goesOn(world, 'meanwhile')
      await busy
    })
  },

  async K09 () {
    await story(run, 'one sentinel stands still, is dead, then two: works; then the master fails over with two of three', {}, async world => {
      const [one, two] = world.cluster.redis.sentinels
      await freezeAndThaw(one, 6000, () => goesOn(world, 'with one that stands still'))
      await one.kill()
      await goesOn(world, 'with two')
      await two.kill()
      await goesOn(world, 'with one')
      await two.start()
      const old = await world.cluster.redis.master()
      const from = performance.now()
      await old.kill()
      const switched = await promotion(world.cluster, old, from)
      await goesOn(world, 'after a failover by two')
      await old.start()
      await one.start()
      return { switched }
    })
  },

  async K07 () {
    await story(run, 'Redis without persistence is killed and comes back empty: people log in again, nothing else', { ...simple, redisSettings: { appendonly: 'no' } }, async world => {
      world.redisIsEmptied()
      await world.cluster.redis.kill()
      await goesOn(world, 'without Redis')
      await world.cluster.redis.start()
      await goesOn(world, 'with an empty one')
    })
  },

  async R11 () {
    await story(run, 'FLUSHALL, three times, while all write', {}, async world => {
      for (let n = 0; n < 3; n++) {
        world.redisIsEmptied()
        await (await world.cluster.redis.master()).cli('FLUSHALL')
        await goesOn(world, 'with an empty one')
      }
    })
  },

  async R21 () {
    await story(run, 'Redis that writes a log every second is killed and started: nobody is logged out', { ...simple, redisSettings: { appendfsync: 'everysec' } }, async world => {
      await world.cluster.redis.kill()
      await goesOn(world, 'without Redis')
      await pass(1000)
      await world.cluster.redis.start()
      await goesOn(world, 'with Redis')
    })
  },

  async N08 () {
    await story(run, 'every answer of Redis takes 200 ms', { ...simple, proxy: true }, async world => {
      world.cluster.proxy.delay(100)
      await goesOn(world, 'slowly')
      await pass(4000)
      await goesOn(world, 'and on')
      world.cluster.proxy.delay(0)
    })
  },

  async N10 () {
    await story(run, 'Redis takes everything and answers nothing for 8 s', { ...simple, proxy: true }, async world => {
      world.cluster.proxy.hole()
      await pass(8000)
      await goesOn(world, 'all the same')
      world.cluster.proxy.ok()
    })
  }
}

if (!rows[row]) throw new Error(`no such row: ${row}`)
await rows[row]()
await run.finish()
