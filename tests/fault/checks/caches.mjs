/* Caches under faults: I5. A version that was raised is applied at every core within a bound, whatever has become of the news. */
import { until } from '../../harness/run.mjs'

const name = 'GEC-DocumentClass'
const boundMs = 30000                    /* cut off from Redis; connected: 1 s, which is measured and told */

export class Caches {
  constructor (run, cluster) {
    Object.assign(this, { run, cluster, raised: 0, worstMs: 0 })
    this.token = cluster.token('write', 'admin')
  }

  async start () {
    await this.cluster.postgres.sql("INSERT INTO cache_versions VALUES('GEC', 'DocumentClass', 1)")    /* cores find it by comparing */
  }

  async applied (core) {
    const answer = await core.fetch(`/core/actuator/caches/${name}`, { token: this.token })
    return answer.status === 200 ? (await answer.json()).applied : 0
  }

  /* At AT. False: it could not be done there. */
  async raise (at) {
    const answer = await this.cluster.fetch(`/core/actuator/caches/${name}`, { method: 'DELETE', token: this.token }, at).catch(() => null)
    const version = Number(/=(\d+)/.exec(answer?.headers.get('x-cluster-version'))?.[1])
    if (answer?.status !== 204 || !version) return false
    const from = performance.now()
    for (const core of this.cluster.cores) {
      await until(`${core.label} has applied version ${version}`, async () => (await this.applied(core)) >= version, boundMs)
    }
    this.raised++
    this.worstMs = Math.max(this.worstMs, Math.round(performance.now() - from))
    return true
  }
}
