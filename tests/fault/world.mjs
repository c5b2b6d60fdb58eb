/* A cluster, and people who work on it while parts of it fail. Each kind of promise has a module of its own in checks/.
 *
 *   const world = await openWorld(run, { redis: 'simple' });      // options of startCluster
 *   await world.documents.more(50, 'before');
 *   ... faults ...
 *   const figures = await world.quiet();                          // nobody works; every promise is checked
 *   world.work();                                                 // and on
 *   await world.close();
 */
import { startCluster } from '../harness/cluster.mjs'
import { Caches } from './checks/caches.mjs'
import { Documents } from './checks/documents.mjs'
import { Processes } from './checks/processes.mjs'
import { Reservations, ttlMs } from './checks/reservations.mjs'
import { Sessions } from './checks/sessions.mjs'

/* Documents that nobody uses are forgotten, and folded, and leases end, while faults happen. */
const hurried = {
  ...(process.env.UMBEL_TRANSPORT && { 'collab.cluster.transport': process.env.UMBEL_TRANSPORT }),
  'collab.debounce': '200ms', 'collab.max-debounce': '1s', 'collab.fold.rows': 50, 'collab.unload-delay': '200ms', 'reservation.ttl': `${ttlMs}ms`
}

export async function openWorld (run, { properties, documents, ...options } = {}) {
  const cluster = await startCluster(run, { properties: { ...hurried, ...properties }, ...options })
  const world = new World(run, cluster, documents)
  await world.start()
  return world
}

class World {
  constructor (run, cluster, documents) {
    this.run = run
    this.cluster = cluster
    this.documents = new Documents(run, cluster, documents)
    this.processes = new Processes(run, cluster)
    this.sessions = new Sessions(run, cluster)
    this.reservations = new Reservations(run, cluster)
    this.caches = new Caches(run, cluster)
  }

  async start () {
    await this.sessions.start()
    await this.caches.start()
    await this.documents.start()
    this.reservations.work()
  }

  work () {
    this.documents.work()
    this.sessions.work()
    this.reservations.work()
  }

  /* A process has just been killed. */
  async afterDeath () {
    const { exit } = this.cluster.postgres.child
    if (exit === null && !this.storeIsDisturbed) await this.documents.verifyStoredNow()
  }

  /* S2: an empty Redis means that people log in again. */
  redisIsEmptied () {
    this.sessions.mayBeLost = true
  }

  /* Everything is healed. { agreed, present, healthy } in ms from now. */
  async quiet () {
    const from = performance.now()
    this.documents.rest()
    const healthy = this.processes.quiet(from)
    healthy.catch(() => {})              /* told below, after what matters more */
    const figures = await this.documents.quiet(from)
    figures.healthy = await healthy
    await this.sessions.quiet()
    await this.reservations.quiet()
    return figures
  }

  async close () {
    await this.sessions.rest()
    await this.reservations.rest()
    this.documents.rest()
    this.documents.leave()
    await this.cluster.stop()
  }
}
