/* integration.balancers: the samples for HAProxy and nginx before two gateways: what a user notices when one of them goes. */
import assert from 'node:assert/strict'
import { openClient } from '../harness/clients.mjs'
import { startBalancer } from '../harness/balancer.mjs'
import { startCluster } from '../harness/cluster.mjs'
import { openRun, until } from '../harness/run.mjs'

const run = openRun('integration.balancers')
const cluster = await startCluster(run, {
  redis: 'none',                                      /* the cores hear of each other through the store */
  coreProperties: { 'collab.resync-interval': '100ms' },
  gatewayProperties: { 'server.drain-delay': '2s' }
})
const haproxy = cluster.balancer
const nginx = await startBalancer(run, 'nginx', cluster)

const through = ({ origin }) => ({ origin, collabUrl: `${origin.replace('http', 'ws')}/collab`, yUrl: `${origin.replace('http', 'ws')}/y` })
const textOf = c => c.doc.getText('text').toString()

/* A client through BALANCER that types, and one of the core that reads. */
async function openPair (balancer, room) {
  const writer = cluster.client(room, { at: through(balancer) })
  const reader = cluster.client(room, { at: cluster.core(1) })
  await until('both in sync', () => writer.settled() && reader.settled())
  return {
    writer,
    async works (word) {
      writer.doc.getText('text').insert(0, word)
      await until(`the other one reads ${word}`, () => textOf(reader).includes(word) && writer.settled(), 20000)
    },
    close () {
      writer.close()
      reader.close()
    }
  }
}

for (const [name, balancer] of Object.entries({ haproxy, nginx })) {
  await run.story(`${name}: pages, REST, both kinds of WebSockets`, async () => {
    assert.equal((await cluster.fetch('/gui/', {}, balancer)).status, 200)
    const token = await cluster.login('admin', balancer)
    assert.equal((await cluster.fetch('/core/rest/collab/documents', { token }, balancer)).status, 200)
    for (const kind of ['provider4', 'y-websocket']) {
      const c = openClient(kind, { ...through(balancer), token: () => token }, `kinds-${name}`)
      await until(`${kind} in sync`, () => c.settled())
      c.close()
    }
  })

  await run.story(`${name}: a gateway is killed, and the next request is answered`, async () => {
    const pairs = [await openPair(balancer, `killed-${name}-1`), await openPair(balancer, `killed-${name}-2`)]
    for (const pair of pairs) await pair.works('before')
    await cluster.gateway(1).kill()
    try {
      for (let i = 0; i < 10; i++) assert.equal((await cluster.fetch('/gui/', {}, balancer)).status, 200)
      for (const pair of pairs) await pair.works('afterwards')
    } finally {
      await cluster.gateway(1).start()
      pairs.forEach(pair => pair.close())
    }
    await cluster.gatewaysAreUp('gateway-1', 'gateway-2')
  })
}

await run.story('haproxy: a gateway that stops gets nothing new, and keeps what it has until it ends', async () => {
  const [one, two] = cluster.gateways
  const pairs = [await openPair(haproxy, 'drained-1'), await openPair(haproxy, 'drained-2')]
  let closed = 0
  for (const { writer } of pairs) writer.provider.on('close', () => closed++)
  one.child.signal('SIGTERM')
  await until('HAProxy has noticed', async () => (await haproxy.servers('gateways'))['gateway-1'].startsWith('NOLB'))
  assert.equal(one.child.exit, null, 'it has not ended yet')
  assert.equal(closed, 0, 'no WebSocket was cut')
  for (let i = 0; i < 10; i++) assert.equal((await cluster.fetch('/gui/', {}, haproxy)).status, 200)
  await until('it has ended', () => one.child.exit !== null)
  assert.equal(one.child.exit.code, 0)
  for (const pair of pairs) await pair.works('afterwards')
  await one.start()
  await cluster.gatewaysAreUp('gateway-1', 'gateway-2')
  assert.ok(two.child.exit === null)
  for (const pair of pairs) pair.close()
})

await run.story('haproxy: a gateway that stands still is left, with its WebSockets', async () => {
  const pairs = [await openPair(haproxy, 'frozen-1'), await openPair(haproxy, 'frozen-2')]
  cluster.gateway(2).freeze()
  await cluster.gatewaysAreUp('gateway-1')
  for (const pair of pairs) await pair.works('elsewhere')
  cluster.gateway(2).thaw()
  await cluster.gatewaysAreUp('gateway-1', 'gateway-2')
  for (const pair of pairs) pair.close()
})

await run.story('the address of a client reaches the gateway, and none that it claims', async () => {
  for (const balancer of [haproxy, nginx]) {
    const refused = await cluster.fetch('/gui/rest/session',
      { method: 'POST', json: { user: 'admin', password: 'wrong' }, headers: { 'x-forwarded-for': '203.0.113.7' } }, balancer)
    assert.equal(refused.status, 401)
  }
  const logs = cluster.gateways.map(gateway => gateway.child.output()).join('')
  assert.match(logs, /login-refused .*address=127\.0\.0\.1/)
  assert.doesNotMatch(logs, /203\.0\.113\.7/)
})

await cluster.stop()
await run.finish()
