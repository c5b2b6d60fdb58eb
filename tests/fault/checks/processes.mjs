/* Processes under faults: I7 (nobody dies uninvited, no sanitizer reports), I8 (memory and descriptors), I9 (health). */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { until } from '../../harness/run.mjs'

const alarming = /ERROR: \w*Sanitizer|runtime error: |SUMMARY: \w*Sanitizer|WARNING: ThreadSanitizer|assertion .*failed|stack smashing/i

export class Processes {
  constructor (run, cluster) {
    Object.assign(this, { run, cluster })
    this.read = new Map()                /* log file -> bytes that were looked at */
    this.peak = new Map()                /* daemon -> the most of it, in MiB */
  }

  get daemons () {
    return [...this.cluster.cores, ...this.cluster.gateways]
  }

  get all () {
    const { postgres, redis, balancer } = this.cluster
    return [...this.daemons, postgres, ...(redis?.servers ?? [redis]), ...(redis?.sentinels ?? []), balancer].filter(Boolean)
  }

  /* Everything was healed at FROM: all live, say so, and know each other. Milliseconds since FROM. */
  async quiet (from) {
    for (const part of this.all) part.child.assertAlive()
    for (const daemon of this.daemons) this.assertNoAlarm(daemon)
    await until('health says UP everywhere', async () => {
      for (const [server, path] of this.doors()) {
        const answer = await server.fetch(path)
        if (answer.status !== 200) throw new Error(`${server.label}: ${path} says ${answer.status} ${await answer.text()}`)
      }
      return true
    }, 30000)
    await this.cluster.assembled()
    for (const daemon of this.daemons) this.weigh(daemon)
    return Math.round(performance.now() - from)
  }

  doors () {
    const both = ['health', 'health/readiness', 'health/liveness']
    return [
      ...this.cluster.cores.flatMap(core => both.map(door => [core, `/core/actuator/${door}`])),
      ...this.cluster.gateways.flatMap(gateway => both.map(door => [gateway, `/gui/actuator/${door}`]))
    ]
  }

  assertNoAlarm (daemon) {
    const text = fs.readFileSync(daemon.log).subarray(this.read.get(daemon.log) ?? 0).toString()
    this.read.set(daemon.log, fs.statSync(daemon.log).size)
    const line = text.split('\n').find(line => alarming.test(line))
    assert.equal(line, undefined, `in ${daemon.log}`)
  }

  weigh (daemon) {
    const status = fs.readFileSync(`/proc/${daemon.pid}/status`, 'utf8')
    const mib = Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)[1]) / 1024)
    const descriptors = fs.readdirSync(`/proc/${daemon.pid}/fd`).length
    const before = this.peak.get(daemon.label) ?? { mib: 0, descriptors: 0 }
    this.peak.set(daemon.label, { mib: Math.max(before.mib, mib), descriptors: Math.max(before.descriptors, descriptors) })
  }

  get summary () {
    return [...this.peak].map(([label, { mib, descriptors }]) => `${label} ${mib} MiB, ${descriptors} descriptors`).join('; ')
  }
}
