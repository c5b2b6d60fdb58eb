/* integration.actuator: what balancers, Prometheus and operators ask, of a core and a gateway, in Spring Boot's shapes. */
import assert from 'node:assert/strict'
import { startCluster } from '../harness/cluster.mjs'
import { openRun } from '../harness/run.mjs'
import { freePorts } from '../harness/redis-server.mjs'
import { password } from '../harness/subjects.mjs'

const run = openRun('integration.actuator')
const [port] = await freePorts(1)
const cluster = await startCluster(run, {
  cores: 1,
  gateways: 1,
  redis: 'none',
  balancer: false,
  coreProperties: { 'management.endpoints.web.exposure.include': '*', 'management.endpoint.env.show-values': 'when-authorized' },
  gatewayProperties: { 'management.server.port': port, 'management.endpoints.web.exposure.exclude': 'env' }
})
const core = cluster.core(1)
const gateway = cluster.gateway(1)
const own = { origin: `http://127.0.0.1:${port}` }
const admin = await cluster.login('admin', core)
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
  assert.deepEqual(Object.keys(open.components), ['cluster', 'db', 'diskSpace', 'livenessState', 'ping', 'readinessState'])
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
  assert.match(text, /http_server_requests_seconds_count\{method="GET",uri="\/core\/rest\/collab\/documents\/\{name\}",status="404",outcome="CLIENT_ERROR"\} 1\n/)
  assert.match(text, /\nprocess_uptime [0-9]+\n/)
  const open = await (await ask('/core/actuator/prometheus?includedNames=process_uptime', { token: admin, headers: { accept: 'application/openmetrics-text' } })).text()
  assert.match(open, /^# HELP process_uptime .*\n# TYPE process_uptime gauge\nprocess_uptime [0-9]+\n# EOF\n$/)
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

await run.story('all end well', () => cluster.stop())
await run.finish()
