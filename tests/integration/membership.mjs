/* Both daemons in one cluster over a real Redis: who they see, what they say about it, and how they end. */
import assert from 'node:assert/strict'
import path from 'node:path'
import { Child } from '../harness/process.mjs'
import { freePorts, startRedis } from '../harness/redis-server.mjs'
import { buildDir, openRun, until } from '../harness/run.mjs'
import { signToken, startGateway, startSubject, tokenKey } from '../harness/subjects.mjs'

const run = openRun('integration.membership')
const redis = await startRedis(run)
const clustered = ['--redis.enabled=true', `--spring.data.redis.url=${redis.url}`]
const core = await startSubject(run, { kind: 'umbel', args: [...clustered, '--cluster.id=core-a'] })
const gateway = await startGateway(run, core, { args: [...clustered, '--management.endpoint.health.show-details=always'] })

const cluster = async () => {
  const answer = await core.fetch('/core/rest/admin/cluster', { token: signToken() })
  assert.equal(answer.status, 200)
  return await answer.json()
}
const health = async (server, where, token) => await (await server.fetch(`${where}/actuator/health`, { token })).json()

await run.story('an administrator sees both processes, where they are, and the link to Redis', async () => {
  const seen = await until('two members', async () => {
    const c = await cluster()
    return c.members.length === 2 && c.redis.state === 'READY' && c
  })
  const [a, g] = [seen.members.find(m => m.role === 'core'), seen.members.find(m => m.role === 'gateway')]
  assert.deepEqual([a.id, a.address, a.self, a.draining, seen.self], ['core-a', `127.0.0.1:${core.port}`, true, false, 'core-a'])
  assert.equal(g.address, `127.0.0.1:${gateway.port}`)
  assert.match(g.id, /^gateway-/)
  assert.match(a.startedAt, /^\d{4}-\d\d-\d\dT/)
  assert.deepEqual([seen.redis.mode, seen.redis.master, seen.redis.state], ['simple', `127.0.0.1:${redis.port}`, 'READY'])
  assert.equal(seen.redis.links, seen.redis.ready)
  assert.equal((await core.fetch('/core/rest/admin/cluster')).status, 401)
  assert.equal((await core.fetch('/core/rest/admin/cluster', { token: signToken({ profiles: [] }) })).status, 403)
})

await run.story('health names Redis and the members, with details for administrators alone', async () => {
  const open = await health(core, '/core')
  assert.deepEqual([open.components.redis, open.components.cluster], [{ status: 'UP' }, { status: 'UP' }])
  const full = await health(core, '/core', signToken())
  assert.equal(full.components.redis.details.master, `127.0.0.1:${redis.port}`)
  assert.equal(full.components.cluster.details.members.length, 2)
  const side = await until('the gateway knows both', async () => {
    const told = await health(gateway, '/gui')
    return told.components.cluster.details.members.length === 2 && told
  })
  assert.equal(side.components.redis.details.mode, 'simple')
})

await run.story('Redis away is told, and makes nobody unready; the members stay', async () => {
  await redis.kill()
  await until('both tell', async () => (await health(core, '/core')).components.redis.status === 'DOWN' &&
    (await health(gateway, '/gui')).components.redis.status === 'DOWN')
  for (const [server, where] of [[core, '/core'], [gateway, '/gui']]) {
    assert.equal((await health(server, where)).status, 'DOWN')
    for (const door of ['health/readiness', 'health/liveness', 'status']) {
      assert.equal((await server.fetch(`${where}/actuator/${door}`)).status, 200, door)
    }
  }
  const seen = await until('the loss is told', async () => {
    const c = await cluster()
    return c.redis.state !== 'READY' && c.redis.lastLoss !== '' && c
  })
  assert.equal(seen.members.length, 2)
  await redis.start()
  await until('both are well again', async () => (await health(core, '/core')).status === 'UP' && (await health(gateway, '/gui')).status === 'UP')
  await until('the epoch has risen', async () => (await cluster()).redis.epoch === 2)
})

await run.story('a second process with a taken id ends with status 2; the first one stays', async () => {
  const args = ['--umbel.data-dir=' + run.folder('rival'), '--server.port=0', `--token.key=${tokenKey}`, '--store.url=memory:',
    '--cluster.id=core-a', '--redis', '--redis-host', '127.0.0.1', '--redis-port', String(redis.port)]
  const rival = new Child(run, 'rival', path.join(process.env.UMBEL_BIN ?? path.join(buildDir(), 'bin'), 'umbel-core'), args,
    { log: path.join(run.folder('rival'), 'log') })
  await until('it has ended', () => rival.exit !== null, 30000)
  assert.equal(rival.exit.code, 2, rival.output())
  assert.match(rival.output(), /another process has our id.*core-a/)
  assert.match(rival.output(), /several cores need one PostgreSQL/)
  core.child.assertAlive()
  assert.equal((await cluster()).self, 'core-a')
})

await run.story('one that drains says so, and one that has ended is gone at once', async () => {
  const [port] = await freePorts(1)
  const second = await startGateway(run, core, { label: 'second', args: [...clustered, '--cluster.id=g2', '--server.drain-delay=1500ms',
    `--cluster.address=gw.example.org:${port}`] })
  const g2 = async () => (await cluster()).members.find(m => m.id === 'g2')
  assert.equal((await until('it is there', g2)).address, `gw.example.org:${port}`)
  const over = second.child.end('SIGTERM')
  await until('it drains', async () => (await g2())?.draining === true)
  assert.equal((await over).code, 0)
  assert.equal(await g2(), undefined)
})

await run.story('a cluster without token.key, or with an address that is none, does not start', async () => {
  for (const [program, bad, why] of [['umbel-core', '--token.key=', /a cluster needs token.key, the same everywhere/],
    ['umbel-gateway', '--token.key=', /a cluster needs token.key, the same everywhere/], ['umbel-core', '--cluster.address=nowhere', /expected host:port/],
    ['umbel-gateway', '--spring.data.redis.cluster.nodes=a:1', /redis/]]) {
    const dir = run.folder('refused')
    const child = new Child(run, 'refused', path.join(process.env.UMBEL_BIN ?? path.join(buildDir(), 'bin'), program),
      [...clustered, `--token.key=${tokenKey}`, `--umbel.data-dir=${dir}`, '--server.port=0', ...(program === 'umbel-core' ? ['--store.url=memory:'] : []), bad],
      { log: path.join(dir, 'log') })
    await until('it has ended', () => child.exit !== null, 20000)
    assert.equal(child.exit.code, 2, child.output())
    assert.match(child.output(), why)
  }
})

await run.story('both end with status 0 while Redis is away', async () => {
  await redis.kill()
  await gateway.stop()
  await core.stop()
})
await run.finish()
