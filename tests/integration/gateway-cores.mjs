/* Two cores on one PostgreSQL behind two gateways, one with a static list and one that knows the cores by membership: a core
 * that dies, leaves or comes is nothing that a request notices. */
import assert from 'node:assert/strict'
import { openRawWebSocket } from '../harness/http.mjs'
import { startPostgres } from '../harness/postgres-server.mjs'
import { startRedis } from '../harness/redis-server.mjs'
import { openRun, until } from '../harness/run.mjs'
import { password, signToken, startGateway, startSubject } from '../harness/subjects.mjs'

const run = openRun('integration.gateway-cores')
const [postgres, redis] = await Promise.all([startPostgres(run), startRedis(run)])
const clustered = ['--redis.enabled=true', `--spring.data.redis.url=${redis.url}`]
const startCore = (label, port = 0) => startSubject(run, { kind: 'umbel', label, port, storeUrl: postgres.url, args: [...clustered, `--cluster.id=${label}`] })
const a = await startCore('a')
const b = await startCore('b')
const details = '--management.endpoint.health.show-details=always'
const unasked = '--core.check-interval=0'              /* requests are counted here */
const listed = await startGateway(run, [a, b], { label: 'listed', args: [details, unasked] })
const found = await startGateway(run, [], { label: 'found', args: [...clustered, details, unasked] })

const token = signToken()
const documents = gateway => gateway.fetch('/core/rest/collab/documents?max=1', { token })
const login = gateway => gateway.fetch('/gui/rest/session', { method: 'POST', json: { user: 'admin', password } })
const coresOf = async gateway => Object.fromEntries((await (await gateway.fetch('/gui/actuator/health')).json())
  .components.core.details.cores.map(c => [c.address, c.state]))
const at = core => `127.0.0.1:${core.port}`
/* Requests for documents: gateways have questions of their own, now and then. */
const served = async core => {
  const text = await (await core.fetch('/core/actuator/prometheus', { token })).text()
  return [...text.matchAll(/^http_server_requests_seconds_count\{.*uri="\/core\/rest\/collab\/documents.*\} (\d+)/gm)]
    .reduce((sum, [, n]) => sum + Number(n), 0)
}

/* Asks through both gateways, KINDS, until told to stop; what came back with which status, and what did not come back. */
class Load {
  constructor (kinds, ofFound = []) {
    this.on = true
    this.count = 0
    this.bad = []
    this.loops = [listed, found].flatMap(gateway => kinds.map(kind => this.loop(gateway, kind)))
      .concat(ofFound.map(kind => this.loop(found, kind)))
  }

  async loop (gateway, kind) {
    while (this.on) {
      try {
        const answer = await kind(gateway)
        await answer.arrayBuffer()
        if (!answer.ok) this.bad.push(`${gateway.label}: ${answer.status}`)
      } catch (err) {
        this.bad.push(`${gateway.label}: ${err.cause?.message ?? err.message}`)
      }
      this.count++
    }
  }

  async more (n) {
    const goal = this.count + n
    await until(`${n} more requests`, () => this.count >= goal, 30000)
  }

  async end () {
    this.on = false
    await Promise.all(this.loops)
    assert.deepEqual(this.bad, [])
  }
}

await run.story('both gateways know both cores, and use them', async () => {
  const both = { [at(a)]: 'UP', [at(b)]: 'UP' }
  assert.deepEqual(await coresOf(listed), both)
  await until('the membership tells', async () => assert.deepEqual(await coresOf(found), both) === undefined)
  for (const gateway of [listed, found]) {
    const before = [await served(a), await served(b)]
    for (let i = 0; i < 10; i++) assert.equal((await documents(gateway)).status, 200)
    const after = [await served(a), await served(b)]
    assert.deepEqual(after.map((n, i) => n - before[i]), [5, 5])
  }
})

await run.story('what belongs to one document goes to one core, the same one from both gateways', async () => {
  for (const name of ['one', 'two', 'three', 'four', 'five', 'six']) {
    const before = [await served(a), await served(b)]
    for (const gateway of [listed, found, listed, found]) {
      assert.equal((await gateway.fetch(`/core/rest/collab/documents/${name}`, { token })).status, 404)
    }
    const [na, nb] = [await served(a) - before[0], await served(b) - before[1]]
    assert.ok((na === 4 && nb === 0) || (na === 0 && nb === 4), `${name}: ${na} and ${nb}`)
  }
})

await run.story('kill -9 of a core: no reading request and no login fails, sockets are opened at the other one', async () => {
  const load = new Load([documents, documents, login])
  await load.more(40)
  await a.kill()
  for (let i = 0; i < 10; i++) {
    const { c, answer } = await openRawWebSocket([listed, found][i % 2].port, `/collab/${i}`)
    assert.equal(answer.status, 101)
    c.destroy()
  }
  await load.more(100)
  await load.end()
  assert.equal((await coresOf(listed))[at(a)], 'AWAY')
  await until('it is gone', async () => assert.deepEqual(await coresOf(found), { [at(b)]: 'UP' }) === undefined)
})

await run.story('it comes back under the same name, and a third one comes: both are used within 3 s', async () => {
  await a.start()
  const c = await startCore('c')
  for (const [core, gateways] of [[a, [listed, found]], [c, [found]]]) {
    for (const gateway of gateways) {
      const before = await served(core)
      await until(`${gateway.label} uses ${core.label}`, async () => {
        assert.equal((await documents(gateway)).status, 200)
        return await served(core) > before
      }, 3000)
    }
  }
  await c.stop()
  await until('it has left', async () => Object.keys(await coresOf(found)).length === 2)
})

/* A list tells nobody that a core is about to go: a POST on a connection that is just being closed is refused with 503. */
await run.story('SIGTERM of a core: no request fails; where the membership tells, whatever its method', async () => {
  const create = gateway => gateway.fetch('/core/rest/collab/documents', { method: 'POST', token, json: { title: 'x' } })
  const load = new Load([documents, login], [create, create])
  await load.more(40)
  await a.stop()
  await load.more(60)
  await a.start()
  await load.more(60)
  await load.end()
})

await run.story('a frozen core costs no reading request that comes after the membership has noticed, and no socket', async () => {
  a.child.signal('SIGSTOP')
  const sockets = Promise.all([0, 1, 2, 3].map(i => openRawWebSocket(found.port, `/y/frozen-${i}`, { headers: { token } })))
  await until('it is gone', async () => assert.deepEqual(await coresOf(found), { [at(b)]: 'UP' }) === undefined)
  for (let i = 0; i < 6; i++) assert.equal((await documents(found)).status, 200)
  for (const { c, answer } of await sockets) {
    assert.equal(answer.status, 101)
    c.destroy()
  }
  a.child.signal('SIGCONT')
  await until('it is back', async () => (await coresOf(found))[at(a)] === 'UP')
})

await run.story('a core that stands still is known before anybody asks, and so is that it goes on', async () => {
  const checking = await startGateway(run, [a, b], { label: 'checking', args: [details, '--core.check-interval=200ms'] })
  a.child.signal('SIGSTOP')
  await until('it is away', async () => (await coresOf(checking))[at(a)] === 'AWAY')
  for (let i = 0; i < 6; i++) assert.equal((await documents(checking)).status, 200)
  a.child.signal('SIGCONT')
  await until('it is up', async () => (await coresOf(checking))[at(a)] === 'UP')
  await checking.stop()
})

await run.story('without any core: 503 with Retry-After, and nothing waits', async () => {
  await Promise.all([a.stop(), b.stop()])
  for (const gateway of [listed, found]) {
    const answer = await documents(gateway)
    assert.equal(answer.status, 503)
    assert.equal(answer.headers.get('retry-after'), '1')
    assert.equal((await login(gateway)).status, 503)
  }
  assert.deepEqual(await coresOf(found), {})
  await listed.stop()
  await found.stop()
})
await run.finish()
