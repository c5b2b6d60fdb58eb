/* fault.<row>.cluster: cables between the machines of a cluster are pulled (network namespaces). Rows of the reliability reference.
 *   network.mjs N01|N02|N04                UMBEL_CUT_S=s: for so long instead of 20 s */
import assert from 'node:assert/strict'
import { inNamespaces, openNetwork } from '../harness/namespaces.mjs'
import { openRun, pass, until } from '../harness/run.mjs'
import { goesOn, promotion, since, story, whole } from './story.mjs'

await inNamespaces()
const row = process.argv[2] ?? 'N02'
const run = openRun(`fault.${row}.cluster`)
const net = await openNetwork(run, ['core', 'redis'])
const cutMs = Number(process.env.UMBEL_CUT_S ?? 20) * 1000
const isRedis = label => /^(redis|sentinel)/.test(label)

/* core-2 and all of Redis have machines of their own; the others are on ours. */
const apart = label => label === 'core-2' ? net.host('core') : isRedis(label) ? net.host('redis') : null

/* core-2 has a machine of its own, and reaches everything through its one cable. */
const reachable = { hostOf: label => label === 'core-2' ? net.host('core') : isRedis(label) ? net.here : null, postgres: { listen: net.here.address } }

/* Nobody types for a moment, and the documents become equal on both sides of the cut. */
async function agreeMeanwhile (world) {
  world.documents.rest()
  const ms = await world.documents.agree(performance.now())
  world.documents.work()
  return ms
}

/* What must hold on both sides while only Redis is out of reach for one: edits, logouts, caches. */
async function liveOnBothSides (world) {
  await pass(cutMs / 3)
  await goesOn(world, 'on both sides')
  const apart = await agreeMeanwhile(world)
  await world.sessions.logOutSomebody()
  await until('a version is raised', () => world.caches.raise(world.cluster.core(1)))
  await goesOn(world, 'still on both sides')
  return { apart, cache: world.caches.worstMs }
}

async function during (ms, act) {
  const [found] = await Promise.all([act(), pass(ms)])
  return found
}

const rows = {
  async N01 () {
    await story(run, `core-2 is cut off from everything for ${cutMs / 1000} s`, reachable, async world => {
      net.isolate('core')
      const found = await during(cutMs, () => goesOn(world, 'without it', ['core-1', 'balancer']))
      net.heal()
      const from = performance.now()
      world.documents.reconnect('core-2')      /* or they would wait for TCP's next try, which is half a minute away */
      await goesOn(world, 'with it')
      return { ...found, back: since(from) }
    })
  },

  async N02 () {
    await story(run, `core-2 is cut off from Redis alone for ${cutMs / 1000} s`, { hostOf: apart }, async world => {
      net.cut('core', 'redis')
      const found = await during(cutMs, () => liveOnBothSides(world))
      net.heal()
      return found
    })
  },

  async N04 () {
    await story(run, `core-2 and the old master are cut off from the rest of Redis for ${cutMs / 1000} s`, { hostOf: label => label === 'redis0' ? net.host('core') : apart(label) }, async world => {
      const old = world.cluster.redis.servers[0]
      assert.equal(await world.cluster.redis.master(), old)
      const from = performance.now()
      net.cut('core', 'redis')
      const switched = promotion(world.cluster, old, from)
      const found = await during(cutMs, () => liveOnBothSides(world))
      net.heal()
      await goesOn(world, 'with two who call themselves master')
      await whole(world)
      return { switched: await switched, ...found }
    })
  }
}

if (!rows[row]) throw new Error(`no such row: ${row}`)
await rows[row]()
await run.finish()
