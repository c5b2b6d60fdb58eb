/* The faults of the random mix, and of stories: what is done to one part of a cluster, and how it is healed.
 *
 *   const fault = faults[pickFault(random)];                // by weight
 *   await fault.ready?.(world);                             // may be done now: what was before has settled
 *   const heal = await fault.begin(world, random);          // it is done
 *   await heal();                                           // and over: the part works again
 *
 * group: two faults of one group never happen together. holdMs: how long it lasts, a range. */
import assert from 'node:assert/strict'
import { pass, until } from '../harness/run.mjs'

/* kill -9, told apart from a death that nobody asked for. */
async function kill (part) {
  part.child.assertAlive()
  await part.kill()
  if (part.child.exit.signal !== undefined) assert.equal(part.child.exit.signal, 'SIGKILL', `${part.label} died of something else`)
}

/* A core that finds no database does not start; whoever supervises it tries again, as systemd does. */
export async function startAgain (world, part) {
  for (;;) {
    try {
      return await part.start()
    } catch (err) {
      if (part.child.exit?.code !== 2 || !world.storeIsDisturbed) throw err
      await pass(200)
    }
  }
}

/* PART (a function of the world) killed, and started again. */
const killed = (group, part, holdMs) => ({
  group,
  holdMs,
  async begin (world, random) {
    const victim = part(world, random)
    await kill(victim)
    await world.afterDeath()
    return () => startAgain(world, victim)
  }
})

const frozen = (group, part, holdMs) => ({
  group,
  holdMs,
  async begin (world, random) {
    const victim = part(world, random)
    victim.freeze()
    return async () => victim.thaw()
  }
})

/* What is over as soon as it is done. */
const moment = (group, act) => ({
  group,
  holdMs: [0, 0],
  async begin (world, random) {
    await act(world, random)
    return async () => {}
  }
})

/* Where there is no network of our own nothing happens: the other faults of a seed stay the same. */
const cut = holdMs => ({
  group: 'core-2',
  holdMs,
  async begin ({ net }) {
    net?.cut('core', 'redis')
    return async () => net?.heal()
  }
})

const core = n => world => world.cluster.core(n)
const gateway = n => world => world.cluster.gateway(n)
const balancer = world => world.cluster.balancer
const oneOf = list => (world, random) => random.pick(list(world.cluster.redis))

/* One master that has both replicas, and every sentinel thinks so: only then may it be taken away again. */
export async function redisIsWhole ({ redis }) {
  if (redis.sentinels === undefined) return true
  const roles = await Promise.all(redis.servers.map(s => s.cli('ROLE').catch(() => ['away'])))
  const master = redis.servers[roles.findIndex(([role]) => role === 'master')]
  if (master === undefined || roles.filter(([role]) => role === 'master').length !== 1) return false
  if (!roles.every(([role, , port, link]) => role === 'master' || (role === 'slave' && Number(port) === master.port && link === 'connected'))) return false
  for (const sentinel of redis.sentinels) {
    const flat = await sentinel.cli('SENTINEL', 'MASTER', redis.name)
    const field = name => flat[flat.indexOf(name) + 1]
    if (Number(field('port')) !== master.port || field('flags') !== 'master') return false
    const replicas = await sentinel.cli('SENTINEL', 'REPLICAS', redis.name)
    if (!replicas.every(r => r[r.indexOf('flags') + 1] === 'slave')) return false
  }
  return true
}

/* A fault of the master, whoever that is at the moment. */
function ofMaster (fault) {
  return {
    ...fault,
    group: 'redis',
    ready: world => until('Redis is whole again', () => redisIsWhole(world.cluster), 90000, 100),
    async begin (world, random) {
      world.master = await world.cluster.redis.master()
      return await fault.begin(world, random)
    }
  }
}
const master = world => world.master

export const faults = {
  'core-1 killed': { weight: 3, ...killed('core-1', core(1), [100, 1000]) },
  'core-2 killed': { weight: 3, ...killed('core-2', core(2), [100, 1000]) },
  'core-1 stands still': { weight: 2, ...frozen('core-1', core(1), [300, 3000]) },
  'core-2 stands still': { weight: 2, ...frozen('core-2', core(2), [300, 3000]) },
  'core-2 cut off from Redis': { weight: 2, ...cut([500, 5000]) },
  'gateway-1 killed': { weight: 2, ...killed('gateway-1', gateway(1), [100, 1500]) },
  'gateway-2 killed': { weight: 2, ...killed('gateway-2', gateway(2), [100, 1500]) },
  'gateway-1 stands still': { weight: 1, ...frozen('gateway-1', gateway(1), [300, 3000]) },
  'gateway-2 stands still': { weight: 1, ...frozen('gateway-2', gateway(2), [300, 3000]) },
  'Redis master killed': { weight: 2, ...ofMaster(killed('redis', master, [100, 3000])) },
  'Redis master stands still': { weight: 2, ...ofMaster(frozen('redis', master, [300, 3000])) },
  'Redis stalls': { weight: 1, ...ofMaster(moment('redis', world => { world.master.cli('DEBUG', 'SLEEP', '0.8').catch(() => {}) })) },
  'SENTINEL FAILOVER': { weight: 2, ...ofMaster(moment('redis', world => failOver(world.cluster.redis))) },
  'Redis emptied': { weight: 1, ...ofMaster(moment('redis', world => { world.redisIsEmptied(); return world.master.cli('FLUSHALL') })) },
  'Redis connections cut': { weight: 2, ...ofMaster(moment('redis', (world, random) => cutConnections(world.master, random))) },
  'sentinel killed': { weight: 1, ...killed('sentinel', oneOf(redis => redis.sentinels), [100, 2000]) },
  'sentinel stands still': { weight: 1, ...frozen('sentinel', oneOf(redis => redis.sentinels), [300, 3000]) },
  'replica killed': { weight: 1, ...ofMaster(killed('redis', replicaOf, [100, 1500])) },
  'PostgreSQL killed': { weight: 1, ...killed('postgres', world => world.cluster.postgres, [100, 1000]) },
  'PostgreSQL stands still': { weight: 1, ...frozen('postgres', world => world.cluster.postgres, [300, 2000]) },
  'balancer killed': { weight: 1, ...killed('balancer', balancer, [100, 1000]) },
  'balancer stands still': { weight: 1, ...frozen('balancer', balancer, [300, 2000]) }
}

function replicaOf (world, random) {
  return random.pick(world.cluster.redis.servers.filter(s => s !== world.master))
}

/* A sentinel may be busy with what was before. */
export async function failOver (redis) {
  await until('a sentinel takes the order', async () => {
    for (const sentinel of redis.sentinels) {
      const taken = await sentinel.cli('SENTINEL', 'FAILOVER', redis.name).then(() => true, () => false)
      if (taken) return true
    }
    return false
  }, 30000, 200)
}

async function cutConnections (server, random) {
  await server.cli('CLIENT', 'KILL', 'TYPE', random.pick(['normal', 'pubsub']), 'SKIPME', 'yes')
}

const names = Object.keys(faults)
const whole = names.reduce((sum, name) => sum + faults[name].weight, 0)

export function pickFault (random) {
  let at = random.below(whole)
  return names.find(name => (at -= faults[name].weight) < 0)
}
