import assert from 'node:assert/strict'

export default {
  'actuator.index': {},
  'actuator.health': {},
  'actuator.liveness': {},
  'actuator.readiness': {},
  'actuator.status': {},
  'actuator.info': {},
  'actuator.health.component': { path: { component: 'db' }, check: ({ body }) => assert.equal(body.status, 'UP') },
  'actuator.health.part': { path: { component: 'readiness', part: 'readinessState' } },
  'actuator.metrics.list': { check: ({ body }) => assert.ok(body.names.includes('http.server.requests')) },
  'actuator.metrics.get': {
    path: { name: 'http.server.requests' },
    query: { tag: 'uri:/core/v3/api-docs,method:GET' },
    check: ({ body }) => {
      assert.ok(body.measurements.find(m => m.statistic === 'COUNT').value >= 1)
      assert.deepEqual(body.availableTags.map(t => t.tag), ['status', 'outcome', 'exception'])
    }
  },
  'actuator.loggers.list': {},
  'actuator.loggers.get': { path: { name: 'ROOT' }, check: ({ body }) => assert.equal(body.effectiveLevel, 'INFO') },
  'actuator.loggers.set': { path: { name: 'archive' }, body: { configuredLevel: 'warn' } },
  'actuator.env.list': { check: ({ body }) => assert.equal(body.propertySources[0].name, 'commandLineArgs') },
  'actuator.env.get': {
    path: { name: 'token.key' },
    check: ({ body }) => {
      assert.deepEqual(body.property, { source: 'commandLineArgs', value: '******' })
      assert.equal(body.propertySources[0].property.origin, 'command line')
    }
  },
  'actuator.configprops.list': {},
  'actuator.prometheus': {
    query: { includedNames: 'http_server_requests_seconds' },
    headers: { accept: 'application/openmetrics-text;version=1.0.0' },
    check: ({ body }) => assert.match(String(body), /http_server_requests_seconds_bucket\{.*le="\+Inf"\} [0-9]+/)
  },
  'actuator.httpexchanges': { check: ({ body }) => assert.ok(body.exchanges.length > 1) },
  'actuator.threaddump': { check: ({ body }) => assert.ok(body.threads.some(t => t.threadName.startsWith('reactor'))) },
  'actuator.logfile': { status: 404 },
  'actuator.shutdown': { status: 404 },
  'actuator.caches.list': {},
  'actuator.caches.clear': {},
  'actuator.caches.get': { path: { name: 'reservations' } },
  'actuator.caches.clearOne': { path: { name: 'reservations' } }
}
