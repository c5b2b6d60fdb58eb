/* integration.actuator: what balancers, Prometheus and operators ask, of a core and a gateway, in Spring Boot's shapes. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { startCluster } from '../harness/cluster.mjs'
import { openRun, until } from '../harness/run.mjs'
import { freePorts } from '../harness/redis-server.mjs'
import { password, signToken } from '../harness/subjects.mjs'

const run = openRun('integration.actuator')
const [port] = await freePorts(1)
const scraper = { 'spring.security.user.name': 'prometheus', 'spring.security.user.password': 'a-password-of-its-own' }
const cluster = await startCluster(run, {
  cores: 1,
  gateways: 1,
  redis: 'none',
  balancer: false,
  coreProperties: { ...scraper, 'management.endpoints.web.exposure.include': '*', 'management.endpoint.env.show-values': 'when-authorized' },
  gatewayProperties: { ...scraper, 'management.server.port': port, 'management.endpoints.web.exposure.exclude': 'env' }
})
const core = cluster.core(1)
const gateway = cluster.gateway(1)
const own = { origin: `http://127.0.0.1:${port}` }
const admin = await cluster.login('admin', core)
const root = signToken({ sub: 'root', scope: 'Office', profiles: ['SYSTEM_ADMIN'] })
const basic = (user, secret) => ({ authorization: 'Basic ' + Buffer.from(`${user}:${secret}`).toString('base64') })
const ask = (target, options, at = core) => cluster.fetch(target, options, at)
const json = async (target, options, at) => (await ask(target, options, at)).json()

await run.story('an administrator may come with name and password, and nobody with a wrong one', async () => {
  assert.equal((await ask('/core/actuator/metrics')).status, 401)
  const answer = await ask('/core/actuator/metrics', { headers: basic('admin', password) })
  assert.equal(answer.status, 200)
  assert.match(answer.headers.get('content-type'), /^application\/vnd\.spring-boot\.actuator\.v3\+json/)
  assert.ok((await answer.json()).names.includes('process.uptime'))
  for (const headers of [basic('admin', 'wrong'), basic('nobody', password), { authorization: 'Basic !' }]) {
    const refused = await ask('/core/actuator/metrics', { headers })
    assert.equal(refused.status, 401)
    assert.match(refused.headers.get('www-authenticate'), /Basic/)
  }
  assert.equal((await ask('/core/rest/admin/collab', { headers: basic('admin', password) })).status, 401, 'of the actuator alone')
  assert.equal((await ask('/core/actuator/loggers/redis', { method: 'POST', headers: basic('admin', password), json: { configuredLevel: 'debug' } })).status, 204)
  assert.equal((await json('/core/actuator/loggers/redis', { token: admin })).configuredLevel, 'DEBUG')
})

await run.story('health tells its components to everybody, and their details to administrators', async () => {
  const open = await json('/core/actuator/health')
  assert.deepEqual(Object.keys(open.components), ['cluster', 'db', 'diskSpace', 'livenessState', 'ping', 'queue', 'readinessState'])
  assert.equal(open.components.diskSpace.details, undefined)
  const { details } = await json('/core/actuator/health/diskSpace', { token: admin })
  assert.ok(details.free > 0 && details.threshold === 10485760 && details.exists)
  assert.equal((await ask('/core/actuator/health/none')).status, 404)
  assert.equal((await json('/core/actuator/health/db', { token: admin })).details.database, 'PostgreSQL')
})

await run.story('figures are told one by one, by tags, and as Prometheus reads them', async () => {
  await ask('/core/rest/collab/documents', { token: admin })
  await ask('/core/rest/collab/documents/none', { token: admin })
  const one = await json('/core/actuator/metrics/http.server.requests?tag=uri:/core/rest/collab/documents,status:200', { token: admin })
  assert.equal(one.measurements.find(m => m.statistic === 'COUNT').value, 1)
  assert.equal((await ask('/core/actuator/metrics/http.server.requests?tag=uri:/none', { token: admin })).status, 404)
  assert.equal((await ask('/core/actuator/metrics/http.server.requests?tag=uri', { token: admin })).status, 400)
  assert.equal((await ask('/core/actuator/metrics/none', { token: admin })).status, 404)
  const answer = await ask('/core/actuator/prometheus', { token: admin })
  assert.match(answer.headers.get('content-type'), /version=0\.0\.4/)
  const text = await answer.text()
  assert.match(text, /http_server_requests_seconds_count\{method="GET",uri="\/core\/rest\/collab\/documents\/\{name\}",status="404",outcome="CLIENT_ERROR",exception="F00012"\} 1\n/)
  assert.match(text, /\nprocess_uptime_seconds [0-9]+\n/)
  assert.match(text, /\nprocess_files_open_files [0-9]+\n/)
  assert.match(text, /\nprocess_cpu_usage 0\.[0-9]{6}\n/)
  const open = await (await ask('/core/actuator/prometheus?includedNames=process_uptime_seconds', { token: admin, headers: { accept: 'application/openmetrics-text' } })).text()
  assert.match(open, /^# HELP process_uptime_seconds .*\n# TYPE process_uptime_seconds gauge\nprocess_uptime_seconds [0-9]+\n# EOF\n$/)
})

await run.story('calls of the platform have timers under the names that administrators chart, from the first call on', async () => {
  const names = async () => (await json('/core/actuator/metrics', { token: admin })).names
  assert.equal((await ask('/core/rest/scope', { method: 'POST', token: root, json: [{ id: 'Office' }] })).status, 200)
  assert.ok(!(await names()).includes('getFolders'), 'nobody has asked for a folder')
  assert.equal((await ask('/core/actuator/metrics/getFolders', { token: admin })).status, 404)
  assert.equal((await ask('/core/rest/folders/none', { token: root })).status, 404)
  assert.equal((await ask('/core/rest/folders/search', { method: 'POST', token: root, json: {} })).status, 200)
  assert.equal((await ask('/core/rest/folders/none', { token: root, headers: { scope: 'nowhere' } })).status, 404)
  const refused = await json('/core/actuator/metrics/getFolders?tag=scope:Office&tag=exception:F00012', { token: admin })
  assert.deepEqual(refused.measurements.map(m => m.statistic), ['COUNT', 'TOTAL_TIME', 'MAX'])
  assert.equal(refused.measurements[0].value, 1)
  const all = await json('/core/actuator/metrics/getFolders', { token: admin })
  assert.deepEqual(all.availableTags, [{ tag: 'scope', values: ['Office', 'other'] }, { tag: 'exception', values: ['F00012', 'U00404'] }], 'a scope that is none has no name')
  assert.equal((await json('/core/actuator/metrics/searchFolders?tag=exception:none', { token: admin })).measurements[0].value, 1)
  const text = await (await ask('/core/actuator/prometheus?includedNames=searchFolders_seconds', { token: admin })).text()
  assert.match(text, /\nsearchFolders_seconds_bucket\{scope="Office",exception="none",le="0\.00025"\} [01]\n/)
  assert.match(text, /\nsearchFolders_seconds_count\{scope="Office",exception="none"\} 1\n/)
})

await run.story('env tells where a property is set, and its value when that is allowed, but no secret', async () => {
  const { property, propertySources } = await json('/core/actuator/env/collab.authentication', { token: admin })
  assert.deepEqual(property, { source: 'commandLineArgs', value: 'required' })
  assert.equal(propertySources[0].property.origin, 'command line')
  assert.equal((await json('/core/actuator/env/token.key', { token: admin })).property.value, '******')
  assert.equal((await ask('/core/actuator/env/no.such.key', { token: admin })).status, 404)
  const { contexts } = await json('/core/actuator/configprops', { token: admin })
  assert.equal(contexts['Umbel Core'].beans.Collaboration.properties['collab.authentication'], 'required')
})

await run.story('a gateway has the same on a port of its own, and on its other port what balancers ask', async () => {
  assert.equal((await ask('/gui/actuator/prometheus', { token: admin }, gateway)).status, 404)
  assert.equal((await ask('/gui/actuator/status', {}, gateway)).status, 200)
  assert.equal((await ask('/gui/actuator/prometheus', {}, own)).status, 401)
  assert.match(await (await ask('/gui/actuator/prometheus', { token: admin }, own)).text(), /http_server_requests_seconds_count\{method="GET",uri="\/gui\/actuator\/status"/)
  assert.equal((await ask('/gui/actuator/env', { token: admin }, own)).status, 404, 'it is excluded')
  assert.equal((await ask('/gui/actuator/loggers/gateway', { method: 'POST', token: admin, json: { configuredLevel: null } }, own)).status, 204)
  const health = await json('/gui/actuator/health', { token: admin }, own)
  assert.equal(health.components.core.details.cores.length, 1)
  assert.equal((await json('/gui/actuator/health', {}, gateway)).components, undefined)
  assert.equal((await ask('/gui/', {}, own)).status, 404)
})

await run.story('name and password are good at a gateway too, and the actuator has a user of its own that is nobody elsewhere', async () => {
  for (const [target, at] of [['/core/actuator/prometheus', core], ['/gui/actuator/prometheus', own]]) {
    assert.equal((await ask(target, { headers: basic('admin', password) }, at)).status, 200)
    assert.equal((await ask(target, { headers: basic('prometheus', 'a-password-of-its-own') }, at)).status, 200)
    assert.equal((await ask(target, { headers: basic('prometheus', 'a-password-of-its-owm') }, at)).status, 401)
    const refused = await ask(target, { headers: basic('admin', 'wrong') }, at)
    assert.equal(refused.status, 401)
    assert.match(refused.headers.get('www-authenticate'), /Basic/)
    assert.equal((await ask(target, { headers: { authorization: 'Basic !' } }, at)).status, 401)
    assert.equal((await ask(target, { token: signToken({ sub: 'bob', profiles: [] }) }, at)).status, 403)
    assert.equal((await ask(target, { token: 'nonsense' }, at)).status, 401)
  }
  assert.equal((await ask('/core/rest/authentication', { method: 'POST', json: { user: 'prometheus', password: 'a-password-of-its-own', scope: '' } })).status, 401)
  const health = await json('/gui/actuator/health', { headers: basic('prometheus', 'a-password-of-its-own') }, own)
  assert.ok(health.components.core.details, 'details, for who proves himself at an open door')
  assert.ok((await json('/core/actuator/health', { headers: basic('prometheus', 'a-password-of-its-own') })).components.db.details)
  assert.equal((await ask('/gui/actuator/health', { headers: basic('admin', 'wrong') }, own)).status, 401)
})

await run.story('sessions are listed and ended with a token, and what an administrator does at a gateway is a fact at a core', async () => {
  const login = await gateway.fetch('/gui/rest/session', { method: 'POST', json: { user: 'admin', password } })
  assert.equal(login.status, 200)
  assert.equal((await ask('/gui/actuator/sessions?username=admin', {}, own)).status, 401)
  assert.equal((await ask('/gui/actuator/sessions', { token: admin }, own)).status, 400)
  const { sessions } = await json('/gui/actuator/sessions?username=admin', { token: admin }, own)
  assert.equal(sessions.length, 1)
  assert.equal((await json(`/gui/actuator/sessions/${sessions[0].id}`, { token: admin }, own)).id, sessions[0].id)
  assert.equal((await ask(`/gui/actuator/sessions/${sessions[0].id}`, { method: 'DELETE', headers: basic('prometheus', 'a-password-of-its-own') }, own)).status, 204)
  assert.equal((await ask(`/gui/actuator/sessions/${sessions[0].id}`, { token: admin }, own)).status, 404)
  assert.equal((await ask('/gui/actuator/loggers/gateway.auth', { method: 'POST', token: admin, json: { configuredLevel: 'trace' } }, own)).status, 204)
  const { results } = await json('/core/rest/admin/audit?max=2', { token: root })
  assert.deepEqual(results.map(f => [f.user, f.action, f.objectType, f.objectId]),
    [['admin', 'LOG_LEVEL', 'LOGGER', 'gateway.auth'], ['prometheus', 'END_SESSION', 'SESSION', sessions[0].id]])
  assert.deepEqual([results[0].detail.before, results[0].detail.after, results[0].detail.from], ['INFO', 'TRACE', '127.0.0.1'])
  assert.ok(results[0].detail.request)
  assert.deepEqual(results[1].detail.before, [{ user: 'admin', session: sessions[0].id }])
  assert.equal((await ask('/core/rest/internal/audit', { method: 'POST', token: admin, json: {} })).status, 401, 'for gateways alone')
})

await run.story('a core of which a loop stands still is not alive', async () => {
  const arm = body => ask('/core/actuator/failpoints/loop.beat', { method: 'PUT', token: admin, body })
  if (!(await arm('error')).ok) return                /* built without failure points */
  const door = async name => (await ask(`/core/actuator/${name}`)).status
  await until('it tells', async () => await door('health/liveness') === 503)
  assert.deepEqual([await door('status'), await door('health/readiness')], [503, 200])
  await arm('off')
  await until('it turns again', async () => await door('health/liveness') === 200)
})

await run.story('all end well', () => cluster.stop())

/* ---- the same with other settings ---- */

const [corePort, gatewayPort] = await freePorts(2)
const settings = {
  'management.endpoints.web.exposure.include': '*',
  'management.endpoint.shutdown.access': 'unrestricted',
  'management.endpoints.web.base-path': '/manage',
  'management.endpoint.loggers.access': 'read-only',
  'management.endpoint.metrics.access': 'none',
  'management.endpoint.info.cache.time-to-live': '1h',
  'management.endpoint.health.show-components': 'always',
  'management.endpoint.health.show-details': 'when-authorized',
  'management.endpoint.health.roles': 'WATCHER',
  'management.endpoint.health.group.balancer.include': 'readinessState,ping',
  'management.endpoint.health.group.balancer.additional-path': 'server:/healthz',
  'management.endpoint.health.group.all.include': '*',
  'management.endpoint.health.group.all.exclude': 'ping',
  'management.endpoint.health.group.all.show-details': 'always',
  'management.endpoint.health.group.all.additional-path': 'management:/allz',
  'management.endpoint.health.probes.add-additional-paths': 'true'
}
const other = await startCluster(run, {
  cores: 1,
  gateways: 1,
  redis: 'none',
  balancer: false,
  coreProperties: { ...settings, 'management.server.port': corePort, 'logging.file.name': path.join(run.folder('core-log'), 'core.log') },
  gatewayProperties: { ...settings, 'management.server.port': gatewayPort, 'logging.file.name': path.join(run.folder('gateway-log'), 'gateway.log') }
})
const doors = [
  { base: '/core/manage', main: other.core(1), own: { origin: `http://127.0.0.1:${corePort}` } },
  { base: '/gui/manage', main: other.gateway(1), own: { origin: `http://127.0.0.1:${gatewayPort}` } }
]
const boss = signToken({ sub: 'boss', profiles: ['ADMIN'] })
const watcher = signToken({ sub: 'watcher', profiles: ['WATCHER'] })
const at = (door, target, options) => other.fetch(target, options, door)
const read = async (door, target, options) => (await at(door, target, options)).json()

await run.story('the actuator is where its base path says, and at its own port alone but for what is open', async () => {
  for (const { base, main, own } of doors) {
    assert.equal((await at(main, base.replace('manage', 'actuator') + '/health')).status, 404)
    assert.equal((await at(main, base + '/health')).status, 200)
    assert.equal((await at(main, base + '/prometheus', { token: boss })).status, 404)
    assert.equal((await at(own, base + '/prometheus', { token: boss })).status, 200)
    assert.equal((await at(own, base.startsWith('/core') ? '/core/rest/scope' : '/gui/', { token: boss })).status, 404)
    const { _links: links } = await read(own, base)
    assert.ok(links.self.href.endsWith(base) && links.prometheus.href.endsWith(base + '/prometheus'))
    assert.deepEqual(Object.keys(links).filter(name => /metrics|heapdump/.test(name)), [], 'what cannot be asked is no link')
  }
  const { paths } = await read(doors[0].main, '/core/v3/api-docs', { token: boss })
  assert.ok(paths['/core/manage/health'] && !paths['/core/actuator/health'])
})

await run.story('access closes an endpoint, or what it changes', async () => {
  for (const { base, own } of doors) {
    assert.equal((await at(own, base + '/metrics', { token: boss })).status, 404)
    assert.equal((await at(own, base + '/loggers/http', { token: boss })).status, 200)
    assert.equal((await at(own, base + '/loggers/http', { method: 'POST', token: boss, json: { configuredLevel: 'DEBUG' } })).status, 405)
  }
})

await run.story('a reply is kept as long as it may be', async () => {
  for (const { base, main, own } of doors) {
    const uptime = async () => Number(/^process_uptime_seconds (\d+)/m.exec(await (await at(own, base + '/prometheus', { token: boss })).text())[1])
    const first = await read(main, base + '/info')
    await until('a second has passed', async () => await uptime() > first.process.uptime)
    assert.deepEqual(await read(main, base + '/info'), first)
  }
})

await run.story('groups of health have members, rights and paths of their own', async () => {
  for (const { base, main, own } of doors) {
    const whole = await read(main, base + '/health')
    assert.deepEqual(whole.groups, ['all', 'balancer', 'liveness', 'readiness'])
    assert.ok(whole.components.ping && Object.values(whole.components).every(c => c.details === undefined))
    const detailed = token => read(main, base + '/health', { token }).then(h => Object.values(h.components).some(c => c.details))
    assert.deepEqual([await detailed(boss), await detailed(watcher)], [false, true], 'roles say who')
    assert.deepEqual(Object.keys((await read(main, base + '/health/balancer')).components), ['ping', 'readinessState'])
    const all = await read(main, base + '/health/all')
    assert.ok(!all.components.ping && Object.values(all.components).some(c => c.details), 'details for everybody')
    assert.deepEqual(await read(main, base + '/health/balancer/ping'), { status: 'UP' })
    for (const path of ['/health/balancer/db', '/health/ping/more', '/health/none', '/health/all/ping', '/health/a/b/c']) {
      assert.equal((await at(main, base + path)).status, 404, path)
    }
    for (const path of ['/healthz', '/livez', '/readyz']) {
      assert.equal((await at(main, path)).status, 200, path)
      assert.equal((await at(own, path)).status, 404, path)
    }
    assert.equal((await at(own, '/allz')).status, 200)
    assert.equal((await at(main, '/allz')).status, 404)
  }
})

await run.story('the last requests, the threads and the log can be read, the log by ranges', async () => {
  for (const { base, own } of doors) {
    await at(own, base + '/health/none?token=secret', { headers: { 'user-agent': 'a test' } })
    const { exchanges: [last] } = await read(own, base + '/httpexchanges', { token: boss })
    assert.deepEqual([last.request.method, last.response.status, last.request.headers['user-agent']], ['GET', base.startsWith('/core') ? 400 : 404, ['a test']])
    assert.ok(last.request.uri.endsWith(base + '/health/none'), 'without its query')
    assert.match(last.timeTaken, /^PT0\.[0-9]{6}S$/)
    const { threads } = await read(own, base + '/threaddump', { token: boss })
    assert.ok(threads.some(t => t.threadName.startsWith('reactor') && ['RUNNABLE', 'WAITING'].includes(t.threadState)))
    assert.match(await (await at(own, base + '/threaddump', { token: boss, headers: { accept: 'text/plain' } })).text(), /^"[^"]+" #\d+ [A-Z_]+ cpu=\d+ms\n/)
    const whole = await at(own, base + '/logfile', { token: boss })
    assert.match(whole.headers.get('content-type'), /^text\/plain/)
    const log = await whole.text()
    assert.match(log, / listening /)
    const part = await at(own, base + '/logfile', { token: boss, headers: { range: 'bytes=10-19' } })
    assert.equal(part.status, 206)
    assert.match(part.headers.get('content-range'), /^bytes 10-19\/\d+$/)
    assert.equal(await part.text(), log.slice(10, 20))
    assert.equal((await at(own, base + '/logfile', { token: boss, headers: { range: 'bytes=99999999-' } })).status, 416)
    assert.equal((await at(own, base + '/logfile')).status, 401)
    for (const none of ['heapdump', 'beans', 'conditions', 'mappings']) assert.equal((await at(own, `${base}/${none}`, { token: boss })).status, 404)
  }
})

await run.story('a gateway tells of the caches and clears them for all, which is a fact', async () => {
  const [{ base: core, own: ofCore }, { base, own }] = doors
  const { cacheManagers } = await read(own, base + '/caches', { token: boss })
  assert.equal(cacheManagers.cacheManager.caches.revocations.target, 'umbel.cachegen')
  assert.equal((await read(own, base + '/caches/revocations', { token: boss })).name, 'revocations')
  assert.equal((await at(own, base + '/caches/revocations?cacheManager=other', { token: boss })).status, 404)
  const { version } = await read(ofCore, core + '/caches/revocations', { token: boss })
  assert.equal((await at(own, base + '/caches/revocations', { method: 'DELETE', token: boss })).status, 204)
  assert.equal((await read(ofCore, core + '/caches/revocations', { token: boss })).version, version + 1)
  assert.equal((await at(own, base + '/caches/none', { method: 'DELETE', token: boss })).status, 404)
  assert.equal((await at(own, base + '/caches', { method: 'DELETE', token: boss })).status, 204)
  const { results } = await read(doors[0].main, '/core/rest/admin/audit?max=2', { token: root })
  assert.deepEqual(results.map(f => [f.user, f.action, f.objectId]), [['boss', 'CLEAR', '*'], ['boss', 'CLEAR', 'revocations']])
})

await run.story('shutdown ends the process as SIGTERM does, and the fact survives it', async () => {
  const system = signToken({ sub: 'system', profiles: ['SYSTEM_ADMIN'] })
  for (const { base, own, main } of doors.slice().reverse()) {
    assert.equal((await at(own, base + '/shutdown', { method: 'POST', token: boss })).status, 403)
    assert.deepEqual(await read(own, base + '/shutdown', { method: 'POST', token: system }), { message: 'Shutting down, bye...' })
    await until('it has ended', () => main.child.exit !== null)
    assert.equal(main.child.exit.code, 0)
  }
  await doors[0].main.start()
  const { results } = await read(doors[0].main, '/core/rest/admin/audit?action=SHUTDOWN', { token: system })
  assert.deepEqual(results.map(f => [f.user, f.objectType]), [['system', 'MEMBER'], ['system', 'MEMBER']])
})

await run.story('these end well too', () => other.stop())
await run.finish()
