/* A whole cluster of a test's own: PostgreSQL, Redis with sentinels, cores, gateways, HAProxy. Real programs on loopback and
 * free ports; all of them end with the test. ./umbel cluster makes the same for people.
 *
 *   const cluster = await startCluster(run, {
 *     cores: 2, gateways: 2,                  // ids core-1, core-2, gateway-1, gateway-2
 *     redis: 'sentinel',                      // master, two replicas, three sentinels; or 'simple' (one), 'none'
 *     balancer: 'haproxy',                    // or 'nginx', or false: cluster.origin is the first gateway then
 *     properties: { 'collab.debounce': '50ms' },                    // of every core and gateway
 *     coreProperties: {}, gatewayProperties: {},                    // of one kind
 *     redisSettings: { appendonly: 'no' },    // lines of redis.conf
 *     proxy: true,                            // a simple Redis is behind one: cluster.proxy (proxy.mjs)
 *     postgres: { settings: {}, faults: false },                    // see postgres-server.mjs
 *     hostOf: label => host,                  // on which machine (namespaces.mjs) core-2, redis0, sentinel1 are; null: here
 *     reactors: 1, env: {},                   // of every core and gateway; env: UMBEL_FAIL and the like
 *     build: 'release'                        // build/release instead of the build at hand
 *   });
 *
 * The parts. Numbers begin with 1, as in the ids:
 *   cluster.core(1)  cluster.gateway(2)         UmbelCore and UmbelGateway of subjects.mjs: kill() is -9, freeze(), thaw(),
 *   cluster.cores    cluster.gateways           stop() asserts status 0, start(env), restart(): kill and start. Ports stay
 *   cluster.redis                               Sentinels (master(), servers[0..2], sentinels[0..2]), a Redis, or null
 *   cluster.postgres  cluster.balancer          kill(), stop(), start(), freeze(), thaw() like all
 *
 * What users do. AT is where they connect: a core, a gateway, or the balancer when it is left out:
 *   cluster.origin                                              what a browser opens: `${cluster.origin}/gui/`
 *   await cluster.fetch('/core/rest/…', { token, json }, at)    token: await cluster.login('admin', at); both users are ADMIN
 *   const session = await cluster.signIn('admin', at)           a browser's: { cookie, csrf, headers }
 *   const c = cluster.client('room', { kind: 'provider4', at, name: 'Ann' })     see clients.mjs
 *   await cluster.assembled()                                   all that live know each other; await cluster.members(core)
 *   await cluster.gatewaysAreUp('gateway-1', 'gateway-2')       HAProxy knows these as up, and no others
 *   await cluster.stop()                                        all cores and gateways end with status 0
 */
import assert from 'node:assert/strict'
import path from 'node:path'
import { startBalancer } from './balancer.mjs'
import { openClient } from './clients.mjs'
import { startProxy } from './proxy.mjs'
import { startPostgres } from './postgres-server.mjs'
import { startRedis, startSentinels } from './redis-server.mjs'
import { root, slowness, until } from './run.mjs'
import { password, UmbelCore, UmbelGateway } from './subjects.mjs'

const users = ['admin', 'bob']

export async function startCluster (run, options = {}) {
  const cluster = new Cluster(run, options)
  await cluster.start()
  return cluster
}

/* A stand-alone Redis keeps its data too; it has no replica to wait for. */
const startStores = {
  sentinel: (run, settings, hostOf) => startSentinels(run, { appendonly: 'yes', ...settings }, hostOf),
  simple: (run, settings) => startRedis(run, { appendonly: 'yes', ...settings }),
  none: async () => null
}

class Cluster {
  constructor (run, options) {
    this.run = run
    this.options = { cores: 2, gateways: 2, redis: 'sentinel', balancer: 'haproxy', reactors: 1, ...options }
    this.cores = []
    this.gateways = []
    this.balancer = null
  }

  core (n) {
    assert.ok(this.cores[n - 1], `there is no core-${n}`)
    return this.cores[n - 1]
  }

  gateway (n) {
    assert.ok(this.gateways[n - 1], `there is no gateway-${n}`)
    return this.gateways[n - 1]
  }

  /* --- starting --- */

  async start () {
    const { redis, redisSettings, postgres, cores, gateways, balancer } = this.options
    ;[this.postgres, this.redis] = await Promise.all([startPostgres(this.run, postgres ?? {}), startStores[redis](this.run, redisSettings, this.options.hostOf)])
    if (this.options.proxy) this.proxy = await startProxy(this.run, this.redis.port)
    this.cores = this.several('core', cores, label => new UmbelCore(this.run, { ...this.common(label), storeUrl: this.postgres.url }))
    await Promise.all(this.cores.map(core => core.start()))
    this.gateways = this.several('gateway', gateways, label => new UmbelGateway(this.run, this.cores, this.common(label)))
    await Promise.all(this.gateways.map(gateway => gateway.start()))
    if (this.redis !== null) await this.assembled()
    if (balancer) this.balancer = await startBalancer(this.run, balancer === true ? 'haproxy' : balancer, this)
  }

  /* Every core that lives sees all that live, and nobody else. */
  async assembled () {
    const ids = servers => servers.filter(server => server.child.exit === null).map(server => server.label)
    const wanted = ids([...this.cores, ...this.gateways]).sort().join()
    for (const core of this.cores.filter(core => core.child.exit === null)) {
      await until(`${core.label} sees ${wanted}`, async () => (await this.members(core)).map(member => member.id).sort().join() === wanted, 20000)
    }
  }

  /* What CORE says: [{ id, role, address, draining, ... }]. */
  async members (core = this.cores[0]) {
    const answer = await core.fetch('/core/rest/admin/cluster', { token: this.token('write', 'admin') })
    assert.equal(answer.status, 200)
    return (await answer.json()).members
  }

  several (role, n, make) {
    return Array.from({ length: n }, (_, i) => {
      const server = make(`${role}-${i + 1}`)
      server.restart = async env => { await server.kill(); await server.start(env) }
      return server
    })
  }

  common (label) {
    const { properties, coreProperties, gatewayProperties, reactors, env, build } = this.options
    const own = label.startsWith('core') ? coreProperties : { 'server.trusted-proxies': '127.0.0.1', ...gatewayProperties }
    const all = { 'cluster.id': label, 'server.http.max-per-address': 0, ...this.redisProperties(), ...own, ...properties }
    return {
      label, reactors, env, actuator: all['management.endpoints.web.base-path'], host: this.options.hostOf?.(label), args: Object.entries(all).map(([key, value]) => `--${key}=${value}`),
      ...(build && { bin: path.join(root, 'build', build, 'bin') })
    }
  }

  redisProperties () {
    if (this.redis === null) return {}
    const where = this.options.redis === 'simple'
      ? { 'spring.data.redis.url': this.proxy ? `redis://127.0.0.1:${this.proxy.port}` : this.redis.url }
      : { 'spring.data.redis.sentinel.master': this.redis.name, 'spring.data.redis.sentinel.nodes': this.redis.nodes }
    return { 'redis.enabled': true, ...where }
  }

  /* --- what users do --- */

  get origin () {
    return (this.balancer ?? this.gateways[0] ?? this.cores[0]).origin
  }

  get url () {
    return this.origin
  }

  get collabUrl () {
    return `${this.origin.replace('http', 'ws')}/collab`
  }

  get yUrl () {
    return `${this.origin.replace('http', 'ws')}/y`
  }

  /* Signed here, for every core: see subjects.mjs. */
  token (...args) {
    return this.cores[0].token(...args)
  }

  async fetch (target, { token, json, ...rest } = {}, at = this) {
    const headers = { ...rest.headers, ...(token && { token }), ...(json !== undefined && { 'content-type': 'application/json' }) }
    return await fetch(at.origin + target, {
      redirect: 'manual', ...rest, headers, body: json === undefined ? rest.body : JSON.stringify(json), signal: AbortSignal.timeout(10000 * slowness)
    })
  }

  async login (user = users[0], at = this) {
    const answer = await this.fetch('/core/rest/authentication', { method: 'POST', json: { user, password, scope: '' } }, at)
    assert.equal(answer.status, 200, `${user} logs in`)
    return (await answer.json()).value
  }

  async signIn (user = users[0], at = this) {
    const answer = await this.fetch('/gui/rest/session', { method: 'POST', json: { user, password } }, at)
    assert.equal(answer.status, 200, `${user} signs in`)
    const cookie = answer.headers.get('set-cookie').split(';')[0]
    const { csrf } = await answer.json()
    return { cookie, csrf, headers: { cookie, 'x-csrf-token': csrf } }
  }

  client (room, { kind = 'provider4', at = this, ...options } = {}) {
    const subject = { collabUrl: at.collabUrl, yUrl: at.yUrl, token: (...args) => this.token(...args) }
    return openClient(kind, subject, room, options)
  }

  /* HAProxy's view: which gateways are up. */
  async gatewaysAreUp (...names) {
    await until(`HAProxy knows as up: ${names}`, async () => {
      const servers = await this.balancer.servers('gateways')
      return Object.keys(servers).filter(name => servers[name] === 'UP').sort().join() === names.sort().join()
    }, 20000)
  }

  async stop () {
    await Promise.all(this.gateways.map(gateway => gateway.stop()))
    await Promise.all(this.cores.map(core => core.stop()))
  }
}
