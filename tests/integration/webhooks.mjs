/* integration.webhooks: the webhook of a cluster. People type through a gateway while the service fails and cores are killed: nothing
 * that was acknowledged is missing in what the service has heard, and each document's changes came in their order. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import http from 'node:http'
import { once } from 'node:events'
import { openClient } from '../harness/clients.mjs'
import { startCluster } from '../harness/cluster.mjs'
import { openRun, until } from '../harness/run.mjs'
import { signToken } from '../harness/subjects.mjs'

const run = openRun('integration.webhooks')
const heard = []
let fails = () => false
const service = http.createServer(async (request, reply) => {
  let text = ''
  for await (const piece of request) text += piece
  const { event, payload } = JSON.parse(text)
  const key = request.headers['idempotency-key'], attempt = Number(request.headers['x-operation-attempt'])
  const ok = event === 'connect' || !fails()
  heard.push({ event, payload, key, attempt, ok })
  reply.writeHead(ok ? 200 : 503, { 'content-type': 'application/json' }).end(event === 'connect' ? '{"team":"blue"}' : '')
}).listen(0, '127.0.0.1')
await once(service, 'listening')
const of = (event, document) => heard.filter(h => h.event === event && h.payload.documentName === document)
const typed = h => h.payload.document.t ?? ''

const cluster = await startCluster(run, {
  gateways: 1, redis: 'simple', balancer: false,
  coreProperties: {
    'outgoing.allow': '127.0.0.0/8', 'operation.async.backoff': '20ms', 'operation.async.backoff-max': '200ms', 'operation.async.max-attempts': '50',
    'operation.async.lease': '1s', 'operation.async.sweep': '100ms', 'collab.unload-delay': '50ms', 'management.endpoints.web.exposure.include': 'health,env',
    'collab.webhook.url': `http://127.0.0.1:${service.address().port}/hook?key=not-for-logs`, 'collab.webhook.secret': 'not-for-logs-either',
    'collab.webhook.events': 'change,connect,disconnect', 'collab.webhook.debounce': '60ms', 'collab.webhook.debounce-max-wait': '150ms'
  }
})
const gateway = cluster.gateway(1)
const root = signToken({ sub: 'root', profiles: ['SYSTEM_ADMIN'] })
const open = (room, at = gateway, q = room) => openClient('provider4', at, room, { token: cluster.core(1).token(), socketOptions: { url: `${at.collabUrl}?team=${q}&token=secret` } })
const type = (client, text) => client.doc.getText('t').insert(client.doc.getText('t').length, text)
const settled = all => until('acknowledged', () => all.every(c => c.settled()), 40000)

await run.story('what comes through a gateway is told with its address\'s parameters, but for the token, and its context', async () => {
  const client = open('door')
  await settled([client])
  type(client, 'x')
  const change = await until('the change', () => of('change', 'door')[0])
  client.close()
  const end = await until('the end', () => of('disconnect', 'door')[0])
  for (const { payload } of [change, end]) {
    assert.deepEqual(payload.requestParameters, { team: 'door' })
    assert.deepEqual(payload.context, { team: 'blue', user: 'ann' })
  }
})

await run.story('one change of a document waits at a time while the service is away, and tells the newest', async () => {
  fails = () => true
  const client = open('calm')
  await settled([client])
  for (let n = 0; n < 12; n++) {
    type(client, `${n} `)
    await settled([client])
    await until('it is tried', () => of('change', 'calm').some(h => typed(h) === client.doc.getText('t').toString()))
  }
  fails = () => false
  const last = client.doc.getText('t').toString()
  await until('the newest is told', () => of('change', 'calm').some(h => h.ok && typed(h) === last))
  assert.ok(new Set(of('change', 'calm').map(h => h.key)).size <= 3, 'further changes need no further jobs')
  client.close()
})

await run.story('cores are killed and the service fails: nothing acknowledged is missing, and the order held', async () => {
  const rooms = Array.from({ length: 6 }, (_, n) => `room-${n}`)
  const clients = rooms.map((room, n) => open(room, cluster.core(1 + n % 2)))
  await settled(clients)
  fails = () => run.random.chance(20)
  for (let round = 0; round < 6; round++) {
    const victim = cluster.core(1 + round % 2)
    for (let n = 0; n < 3; n++) {
      clients.forEach(c => type(c, `${round}${n} `))
      await settled(clients)
    }
    await victim.kill()
    await victim.start()
    await settled(clients)
  }
  const final = clients.map(c => c.doc.getText('t').toString())
  const dead = cluster.core(1)
  await dead.kill()
  await until('the other core tells what the dead one had to tell', () =>
    rooms.every((room, n) => of('change', room).some(h => h.ok && typed(h) === final[n])), 40000)
  clients.forEach(c => c.close())
  await dead.start()
  for (const room of rooms) {
    const calls = of('change', room), lengths = calls.map(h => typed(h).length)
    assert.deepEqual(lengths, [...lengths].sort((a, b) => a - b), `${room} is told in order`)
    for (const [n, call] of calls.entries()) {
      if (calls.slice(0, n).some(h => h.key === call.key)) assert.ok(call.attempt > 1, 'who comes again says so')
    }
  }
  fails = () => false
})

await run.story('secrets are in no log and in no answer', async () => {
  const env = await (await cluster.core(1).fetch('/core/actuator/env', { token: root })).text()
  assert.match(env, /collab\.webhook\.debounce/)
  assert.doesNotMatch(env, /not-for-logs/)
  for (const core of cluster.cores) assert.doesNotMatch(fs.readFileSync(core.log, 'utf8').replace(/^--- .*$/gm, 'how it was started'), /not-for-logs/)
})

await cluster.stop()
service.closeAllConnections()
service.close()
await run.finish()
