/* integration.roles: core.roles splits the work among cores: one serves calls, one takes sockets, one does jobs; gateways know who does what. */
import assert from 'node:assert/strict'
import { startCluster } from '../harness/cluster.mjs'
import { openRawWebSocket } from '../harness/http.mjs'
import { openRun, until } from '../harness/run.mjs'
import { signToken, UmbelCore } from '../harness/subjects.mjs'

const run = openRun('integration.roles')
const cluster = await startCluster(run, { cores: 0, gateways: 1, redis: 'simple', balancer: false })
const makeCore = (label, roles) => {
  const common = cluster.common(label)
  return new UmbelCore(run, { ...common, args: [...common.args, `--core.roles=${roles}`], storeUrl: cluster.postgres.url })
}
const [rest, collab, worker] = ['rest', 'collab', 'worker'].map(role => makeCore(`core-${role}`, role))
await Promise.all([rest.start(), collab.start()])
const gateway = cluster.gateway(1)
const scope = 'Office'
const [root, ann] = [signToken({ sub: 'root', profiles: ['SYSTEM_ADMIN'] }), signToken({ sub: 'ann', scope, profiles: ['ADMIN'] })]
const plain = signToken()

async function done (method, target, options, at = rest) {
  const answer = await at.fetch('/core/rest' + target, { method, token: ann, ...options })
  const text = await answer.text()
  assert.ok(answer.status < 300, `${method} ${target}: ${answer.status} ${text}`)
  return JSON.parse(text)
}
const members = async () => (await done('GET', '/admin/cluster', { token: root })).members
const door = (at, token = signToken({ sub: 'ann' })) => openRawWebSocket(at.port, '/y/a-room', { headers: { token } })

await run.story('each serves what it is for and refuses the rest; the actuator is everywhere', async () => {
  assert.equal((await rest.fetch('/core/rest/collab/documents', { token: plain })).status, 200)
  assert.equal((await collab.fetch('/core/rest/collab/documents', { token: plain })).status, 503)
  assert.equal((await door(rest)).answer.status, 503)
  const { c, answer } = await door(collab)
  assert.equal(answer.status, 101)
  c.destroy()
  for (const core of [rest, collab]) assert.equal((await core.fetch('/core/actuator/health')).status, 200)
  await until('members say it', async () => {
    const said = Object.fromEntries((await members()).map(m => [m.id, m.serves]))
    return said['core-rest'] === 'rest' && said['core-collab'] === 'collab' && said['gateway-1'] === ''
  })
})

await run.story('a gateway sends calls and sockets where they are served', async () => {
  for (let i = 0; i < 6; i++) {
    assert.equal((await gateway.fetch('/core/rest/collab/documents', { token: plain })).status, 200)
    const { c, answer } = await door(gateway)
    assert.equal(answer.status, 101)
    c.destroy()
  }
})

await run.story('jobs wait until a worker is there', async () => {
  await done('POST', '/scope', { json: [{ id: scope }], token: root })
  await done('POST', '/acl', { json: [{ id: 'all', entries: [{ principal: '*', permission: '*', grant: 'ALLOW' }] }] })
  const values = { OperationHandler: 'log', ExecutionPhase: 'AFTER', Action: 'CREATE', ObjectType: 'DOCUMENT', Enabled: 'true', Asynchronous: 'true' }
  await done('POST', '/tagclass', { json: Object.keys(values).map(id => ({ id, type: 'STRING' })) })
  const tagReferences = Object.keys(values).map(tagName => ({ tagName }))
  await done('POST', '/documentclass', {
    json: [{ id: 'Note', category: 'DOCUMENT', data: { ACL: 'all' } }, { id: 'OperationHandlerRegistration', category: 'DOCUMENT', data: { ACL: 'all' }, tagReferences }]
  })
  const tags = Object.entries(values).map(([name, value]) => ({ name, value: [value] }))
  await done('POST', '/documents', { json: [{ name: 'registration', data: { classId: 'OperationHandlerRegistration' }, tags }] })
  await done('POST', '/documents', { json: [{ name: 'n', data: { classId: 'Note' } }] })
  const waiting = async () => await done('GET', '/jobs/waiting/count') + await done('GET', '/jobs/processing/count')
  const before = await waiting()
  assert.ok(before > 0, 'somebody did it')
  await worker.start()
  await until('the worker does it', async () => await waiting() === 0)
})

await run.story('a role that there is not is refused at the start', async () => {
  const wrong = makeCore('core-wrong', 'rest,cook')
  wrong.launchCore()
  await until('it ends', () => wrong.child.exit !== null)
  assert.equal(wrong.child.exit.code, 2)
})

for (const core of [rest, collab, worker]) await core.stop()
await cluster.stop()
await run.finish()
