/* integration.sessions-cluster: sessions over two gateways, one Redis, and then real sentinels. S2, S5, S6, S7, S8 of
 * reliability.md by name. */
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { startCluster } from '../harness/cluster.mjs'
import { authToken, AUTH, frame } from '../harness/frames.mjs'
import { RawClient } from '../harness/raw.mjs'
import { openRun, root, until } from '../harness/run.mjs'
import { password, signToken } from '../harness/subjects.mjs'

const run = openRun('integration.sessions-cluster')
const gatewayToken = () => signToken({ use: 'gateway', sub: 'umbel-gateway', profiles: undefined, groups: undefined })
const idOf = session => Buffer.from(session.cookie.slice(session.cookie.indexOf('=') + 1), 'base64').toString()
const hashOf = session => crypto.createHash('sha256').update(idOf(session)).digest('hex').slice(0, 32)

let cluster, one, two
const status = async (session, at) => (await at.fetch('/gui/rest/session', { headers: session.headers })).status
const signIn = (user, at) => cluster.signIn(user, at)
const tryToSignIn = at => at.fetch('/gui/rest/session', { method: 'POST', json: { user: 'admin', password } })
const logOut = (session, at) => at.fetch('/gui/rest/session', { method: 'DELETE', headers: session.headers })
async function openSocket (session, at, room) {
  const c = await RawClient.open(at.collabUrl, { headers: { Cookie: session.cookie, Origin: at.origin } })
  c.send(authToken(room, ''))
  await c.expect('admitted', frame(room, AUTH, 2, 'read-write'))
  return c
}
async function revocations () {
  const answer = await cluster.core(1).fetch('/core/rest/internal/revocations', { token: gatewayToken() })
  assert.equal(answer.status, 200)
  return (await answer.json()).revocations.map(([hash]) => hash)
}

async function open (redis, options = {}) {
  cluster = await startCluster(run, { cores: 1, gateways: 2, balancer: false, redis, ...options })
  one = cluster.gateway(1)
  two = cluster.gateway(2)
}

/* --- one Redis ------------------------------------------------------------------------------------------- */

/* Everything here is done with no more rights than the manual says. */
const [, acl] = /ACL SETUSER (umbel .*)/.exec(fs.readFileSync(path.join(root, 'docs/admin/redis.md'), 'utf8'))
await open('simple', {
  redisSettings: { user: acl },
  properties: { 'spring.data.redis.username': 'umbel', 'spring.data.redis.password': 'password' },
  gatewayProperties: { 'redis.queue.max-age': '1s' }
})

await run.story('S2: who has logged in at one gateway is known at the other, and after a restart', async () => {
  const ann = await signIn('admin', one)
  const me = await (await two.fetch('/gui/rest/session', { headers: ann.headers })).json()
  assert.deepEqual([me.user, me.csrf], ['admin', ann.csrf])
  await two.restart()
  assert.equal(await status(ann, two), 200)
  assert.equal((await logOut(ann, two)).status, 204)
  assert.equal(await status(ann, one), 401)
})

await run.story('S7: a logout at one gateway closes the sockets at the other with 1008', async () => {
  const ann = await signIn('admin', one)
  const bob = await signIn('bob', one)
  const [hers, his] = [await openSocket(ann, two, 'room'), await openSocket(bob, two, 'room')]
  assert.equal((await logOut(ann, one)).status, 204)
  await until('hers is closed', () => hers.closed !== null, 3000)
  assert.equal(hers.closed.code, 1008)
  assert.equal(his.closed, null)
  his.close()
})

await run.story('S7: an end that nobody heard of closes the sockets as soon as messages come again', async () => {
  const ann = await signIn('admin', one)
  const socket = await openSocket(ann, two, 'room')
  await cluster.redis.cli('DEL', `spring:session:sessions:${idOf(ann)}`)
  await cluster.redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await until('it is closed', () => socket.closed !== null, 10000)
  assert.equal(socket.closed.code, 1008)
})

await run.story('S7: a logout gives back what the session had reserved', async () => {
  const [ann, bob] = [await signIn('admin', one), await signIn('bob', two)]
  const reserve = (session, at) => at.fetch('/core/rest/reservation/reserve', { method: 'POST', headers: session.headers, json: [{ category: 'DOCUMENT', id: 'held' }] })
  const taken = await reserve(ann, one)
  assert.equal(taken.status, 200, await taken.text())
  assert.equal((await reserve(bob, two)).status, 423)
  assert.equal((await logOut(ann, two)).status, 204)
  await until('it is free', async () => (await reserve(bob, two)).status === 200, 3000)
})

await run.story('S5: what a logout has ended stays ended although Redis has it again', async () => {
  const ann = await signIn('admin', one)
  const key = `spring:session:sessions:${idOf(ann)}`
  const saved = await cluster.redis.cli('HGETALL', key)
  assert.equal((await logOut(ann, one)).status, 204)
  assert.ok((await revocations()).includes(hashOf(ann)))
  await cluster.redis.cli('HSET', key, ...saved)
  await cluster.redis.cli('DEL', `spring:session:destroyed:${idOf(ann)}`)
  await until('the other gateway refuses it', async () => await status(ann, two) === 401, 5000)
  assert.equal(await status(ann, one), 401)
  await two.restart()
  assert.equal(await status(ann, two), 401, 'a gateway that starts knows too')
  await until('the core refuses its tokens', async () =>
    (await cluster.core(1).fetch('/core/rest/collab/documents', { token: signToken({ sid: hashOf(ann) }) })).status === 401, 5000)
  assert.equal((await cluster.core(1).fetch('/core/rest/collab/documents', { token: signToken({ sid: '0'.repeat(32) }) })).status, 200)
})

await run.story('S8: a late save does not undo a logout', async () => {
  const ann = await signIn('admin', one)
  assert.equal(await status(ann, two), 200)                      /* its use is to be written, a little later */
  assert.equal((await logOut(ann, one)).status, 204)
  await Promise.all(Array.from({ length: 20 }, () => status(ann, two)))
  assert.equal(await cluster.redis.cli('HGET', `spring:session:sessions:${idOf(ann)}`, 'maxInactiveInterval'), '0')
  assert.equal(await status(ann, two), 401)
})

await run.story('a logout without a core ends the session, is not called certain, and becomes so by itself', async () => {
  const ann = await signIn('admin', one)
  await cluster.core(1).kill()
  const answer = await logOut(ann, one)
  assert.equal(answer.status, 503)
  assert.ok(Number(answer.headers.get('retry-after')) >= 1)
  assert.equal(answer.headers.get('set-cookie'), null, 'with the cookie it can be tried again')
  assert.equal(await status(ann, two), 401)
  await cluster.core(1).start()
  await until('the revocation is written', async () => (await revocations()).includes(hashOf(ann)), 20000)
  assert.equal((await logOut(ann, one)).status, 204)
})

await run.story('administrators list and end sessions, by id and by user', async () => {
  const ann = await signIn('admin', one)
  const bobs = [await signIn('bob', one), await signIn('bob', two)]
  const sessions = async () => {
    const answer = await one.fetch('/gui/actuator/sessions?username=bob', { headers: ann.headers })
    assert.equal(answer.status, 200)
    return (await answer.json()).sessions
  }
  const list = (await sessions()).filter(s => bobs.some(b => hashOf(b) === s.id))
  assert.equal(list.length, 2)
  assert.ok(list[0].attributeNames.includes('profiles') && list[0].maxInactiveInterval === 1800 && list[0].expired === false)
  const target = `/gui/actuator/sessions/${hashOf(bobs[0])}`
  assert.equal((await (await two.fetch(target, { headers: ann.headers })).json()).id, hashOf(bobs[0]))
  assert.equal((await one.fetch(target)).status, 401)
  assert.equal((await one.fetch(target, { method: 'DELETE', headers: { cookie: ann.cookie } })).status, 403, 'no CSRF token')
  assert.equal((await one.fetch('/gui/actuator/sessions', { headers: ann.headers })).status, 400)
  assert.equal((await two.fetch(target, { method: 'DELETE', headers: ann.headers })).status, 204)
  assert.deepEqual([await status(bobs[0], one), await status(bobs[1], one)], [401, 200])
  assert.equal((await one.fetch(target, { headers: ann.headers })).status, 404)
  assert.equal((await one.fetch('/gui/actuator/sessions?username=bob', { method: 'DELETE', headers: ann.headers })).status, 204)
  assert.equal(await status(bobs[1], two), 401)
  assert.deepEqual(await sessions(), [])
})

await run.story('S6: while Redis is away known sessions are served for reading, others and logins get 503; then all is well', async () => {
  const [ann, bob] = [await signIn('admin', one), await signIn('bob', one)]
  assert.equal(await status(ann, two), 200)
  await cluster.redis.kill()
  await until('the gateways have noticed', async () => await status(bob, two) === 503, 20000)
  assert.equal(await status(ann, two), 200)
  assert.equal(await status(ann, one), 200)
  const login = await tryToSignIn(one)
  assert.equal(login.status, 503)
  assert.ok(Number(login.headers.get('retry-after')) >= 1)
  assert.equal((await logOut(ann, one)).status, 204, 'the revocation is in the database')
  assert.equal(await status(ann, one), 401)
  await cluster.redis.start()
  await until('bob is served', async () => await status(bob, two) === 200, 20000)
  await until('ann is nowhere', async () => await status(ann, two) === 401, 20000)
  assert.equal(await status(ann, one), 401)
  await until('logins work at the other gateway too', async () => (await tryToSignIn(one)).status === 200, 20000)
})

await run.story('S2: FLUSHALL means: log in again, nothing else', async () => {
  const ann = await signIn('admin', one)
  await cluster.redis.cli('FLUSHALL')
  assert.equal(await status(ann, one), 401)
  assert.equal(await status(ann, two), 401)
  const again = await signIn('admin', two)
  assert.equal(await status(again, one), 200)
})

await run.story('R14: keys of other types under our names are renamed away, and sessions go on', async () => {
  const ann = await signIn('admin', one)
  await cluster.redis.cli('SET', `spring:session:sessions:${idOf(ann)}`, 'text')
  await cluster.redis.cli('SET', 'umbel:session:live', 'text')
  assert.equal(await status(ann, two), 401)
  const again = await signIn('admin', two)
  assert.equal(await status(again, one), 200)
  assert.ok((await cluster.redis.cli('KEYS', 'umbel:quarantine:*')).length >= 2)
})

await run.story('nothing was wanted that the manual does not grant', async () => {
  assert.match(await cluster.redis.cli('CLIENT', 'LIST'), /name=\S*sessions\S* .*user=umbel/)
  assert.deepEqual(await cluster.redis.cli('ACL', 'LOG'), [])
})

await cluster.stop()
await cluster.redis.kill()

/* --- sentinels --------------------------------------------------------------------------------------------- */

await open('sentinel', { reactors: 3, redisSettings: { appendonly: 'no', 'min-replicas-to-write': 0 } })

/* A replica that cannot log in at its master has what it has, and may be promoted. */
async function detachReplicas (master) {
  const replicas = cluster.redis.servers.filter(r => r !== master)
  for (const r of replicas) {
    await r.cli('CONFIG', 'SET', 'masterauth', 'no-such-password')
    await r.cli('CLIENT', 'KILL', 'TYPE', 'master')
  }
  await until('the master is alone', async () => (await master.cli('ROLE'))[2].length === 0, 10000)
}

await run.story('S1, S7: a failover that loses a logout does not undo it, and one that loses a login is made good', async () => {
  const ann = await signIn('admin', one)
  const carl = await signIn('bob', two)
  const master = await cluster.redis.master()
  assert.doesNotMatch(one.child.output() + two.child.output(), /no replica has confirmed/)
  const socket = await openSocket(carl, one, 'room')
  await detachReplicas(master)
  assert.equal((await logOut(ann, one)).status, 204)
  const bob = await signIn('bob', two)                           /* no replica has it */
  await until('it is known that it is not safe', () => /no replica has confirmed a new session/.test(two.child.output()), 5000)
  await master.kill()
  await until('another master', async () => (await cluster.redis.master()) !== master, 30000, 50)
  await until('carl is served', async () => await status(carl, two) === 200, 30000)
  const fresh = await cluster.redis.master()
  assert.equal(await fresh.cli('HGET', `spring:session:sessions:${idOf(ann)}`, 'maxInactiveInterval'), '1800', 'the deletion was lost')
  await until('bob is served', async () => await status(bob, one) === 200, 10000)
  assert.deepEqual([await status(ann, one), await status(ann, two)], [401, 401])
  assert.match(two.child.output(), /written again after a failover/)
  assert.equal(socket.closed, null, 'nobody else was thrown out')
  socket.close()
}, 120000)

await cluster.stop()
await run.finish()
