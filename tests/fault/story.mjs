/* A story of one fault in a cluster of everything, and what such stories ask. */
import assert from 'node:assert/strict'
import { slowness, until } from '../harness/run.mjs'
import { redisIsWhole } from './faults.mjs'
import { openWorld } from './world.mjs'

/* ACT does the fault and heals it, while people work in a cluster with OPTIONS; then every promise is checked. */
export function story (run, title, options, act) {
  return run.story(title, async () => {
    const world = await openWorld(run, options)
    await goesOn(world, 'before')
    const found = await act(world)
    const figures = await world.quiet()
    assert.ok(figures.agreed <= 5000 * slowness, `equal only after ${figures.agreed} ms`)
    tell({ ...found, ...figures, waits: world.documents.waits, sessions: Math.round(world.sessions.unavailableMs) })
    await world.close()
  }, 150000)
}

function tell ({ waits, sessions, ...times }) {
  const ms = Object.entries(times).map(([what, t]) => `${what} ${t}`)
  console.log(`        ms: ${ms.join(', ')}; longest wait for an acknowledgement at ${Object.entries(waits).map(([at, t]) => `${at} ${t}`).join(', ')}; ` +
    `for an answer about a session ${sessions}`)
}

/* Acknowledgements come, at every one of PLACES. */
export async function goesOn (world, what, places = ['core-1', 'core-2', 'balancer']) {
  for (const place of places) await world.documents.more(6, what, [place])
}

export const since = from => Math.round(performance.now() - from)

export const whole = world => until('Redis is whole again', () => redisIsWhole(world.cluster), 90000, 100)

/* How long until somebody else is master. */
export async function promotion ({ redis }, old, from) {
  await until('another one is master', async () => {
    const master = await redis.master()
    return master !== old && (await master.cli('ROLE'))[0] === 'master'
  }, 60000)
  return since(from)
}
