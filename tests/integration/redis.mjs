/* integration.redis: the link and one real Redis, in good days and bad ones. */
import assert from 'node:assert/strict'
import { certificate } from '../harness/certificates.mjs'
import { openRun, pass, until } from '../harness/run.mjs'
import { ask, freePorts, startRedis } from '../harness/redis-server.mjs'
import { openLink } from '../harness/redis-link.mjs'

const run = openRun('integration.redis')
const at = (redis, more = {}) => ({ 'spring.data.redis.url': redis.url, ...more })

/* FN with a ready link to a new server; the link must end without a leak. */
function story (title, settings, fn, conf = {}) {
  return run.story(title, async () => {
    const redis = await startRedis(run, settings)
    const link = openLink(run, at(redis, conf))
    await link.ready()
    await fn(redis, link)
    await link.close()
    await redis.stop()
  })
}

const clientNames = async redis => (await redis.cli('CLIENT', 'LIST')).split('\n').map(l => / name=(\S*)/.exec(l)?.[1]).filter(Boolean)
const killNormal = redis => redis.cli('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')

await story('commands are answered in order, binary safe, with every kind of reply', {}, async (redis, link) => {
  const value = '\r\n\u0000$5 ü '
  const answers = await Promise.all([link.do('SET', 'a key', value), link.do('GET', 'a key'), link.do('GET', 'none'),
    link.do('INCR', 'n'), link.do('RPUSH', 'l', 'x', ''), link.do('LRANGE', 'l', 0, -1), link.do('NOSUCH', 'x')])
  assert.deepEqual(answers.map(a => a.reply), ['OK', value, null, 1, 2, ['x', ''], answers[6].reply])
  assert.match(answers[6].reply, /^ERR unknown command/)
  assert.deepEqual(answers.map(a => a.err), ['ok', 'ok', 'ok', 'ok', 'ok', 'ok', 'invalid argument'])
  assert.ok((await clientNames(redis)).includes('umbel-test-0'), 'it has told its name')
})

await story('ten thousand commands of one turn are pipelined; the one too many is refused at once', {}, async (redis, link) => {
  const got = await link.burst(10100, 'n')
  assert.deepEqual([got.ok, got.failed], [10000, 100])
  assert.equal(await redis.cli('GET', 'n'), '10000')
  assert.equal((await link.burst(9000, 'n')).ok, 9000)
  const st = await link.stats()
  assert.equal(st['redis.errors.unavailable'], 100)
  assert.deepEqual([st.waiting, st.inFlight, st.bytes, st['redis.queued']], [0, 0, 0, 0])
})

await story('a script is sent by its number, whole when the server has forgotten it', {}, async (redis, link) => {
  assert.equal((await link.eval('n')).reply, 1)
  assert.equal((await link.eval('n')).reply, 2)
  assert.equal((await link.stats())['redis.errors.noscript'], 1)
  await redis.cli('SCRIPT', 'FLUSH')
  const both = await Promise.all([link.eval('n'), link.eval('n')])
  assert.deepEqual(both.map(a => a.reply), [3, 4])
  assert.ok((await link.stats())['redis.errors.noscript'] > 1)
})

await story('messages of channels and patterns come in; a leaver hears nothing more', {}, async (redis, link) => {
  link.subscribe('news')
  link.subscribe('news')
  link.psubscribe('n*')
  await link.live('news', 2)
  await link.live('n*')
  assert.equal(await redis.cli('PUBLISH', 'news', 'one'), 2)
  await until('three copies', () => link.messages.length === 3)
  assert.deepEqual(link.messages.map(m => [m.of, m.channel, m.text]).sort(),
    [['n*', 'news', 'one'], ['news', 'news', 'one'], ['news', 'news', 'one']])
  link.unsubscribe('n*')
  link.unsubscribe('news')
  await until('the pattern is given up', async () => (await redis.cli('PUBSUB', 'NUMPAT')) === 0)
  await redis.cli('PUBLISH', 'news', 'two')
  await until('one copy more', () => link.messages.length === 4)
  link.unsubscribe('news')
  await until('the connection is given up', async () => !(await clientNames(redis)).includes('umbel-test-0-sub'))
  link.subscribe('again')
  await link.live('again')
  assert.equal(link.events.some(e => e.again), false)
})

await story('a killed subscriber is restored alone and told that it may have missed something', {}, async (redis, link) => {
  for (const name of ['a', 'b']) link.subscribe(name)
  await link.live('a')
  await link.live('b')
  await redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await link.live('a', 2)
  await link.live('b', 2)
  assert.equal(link.events.filter(e => e.event === 'live' && e.again).length, 2)
  assert.equal(link.count('away'), 0, 'commands were not touched')
  assert.equal(await redis.cli('PUBLISH', 'b', 'x'), 1)
  await until('the message', () => link.messages.length === 1)
})

await story('a killed connection comes back: idempotent commands are repeated once, others are said to be unknown', {}, async (redis, link) => {
  link.subscribe('a')
  await link.live('a')
  const sleeping = ask(redis.port, [['DEBUG', 'SLEEP', '0.5']])
  await until('the server sleeps', async () => await Promise.race([ask(redis.port, [['PING']], 100).then(() => false, () => true)]))
  const unknown = link.do('INCR', 'n')
  const again = link.with('i').do('SET', 'k', 'v')
  await until('both are in flight', async () => (await link.stats()).inFlight === 2)
  await sleeping
  await Promise.all([unknown, again])
  const answers = []
  for (let i = 0; i < 20 && !answers.includes('timed out'); i++) {
    const many = Array.from({ length: 50 }, (_, k) => (k % 2 ? link.with('i').do('SET', `k${k}`, 'v') : link.do('INCR', 'n')))
    await killNormal(redis)
    const got = await Promise.all(many)
    answers.push(...got.filter((a, k) => k % 2 === 0).map(a => a.err))
    assert.ok(got.filter((a, k) => k % 2 === 1).every(a => a.err === 'ok'), JSON.stringify(got))
    await link.ready()
  }
  assert.ok(answers.every(e => e === 'ok' || e === 'timed out'), JSON.stringify(answers))
  const st = await link.stats()
  assert.equal(st.epoch, 1, 'the same run of the same server: nothing can be gone')
  assert.ok(st.reconnects > 0)
  assert.equal(link.count('away') + 1, link.count('ready'))
})

await story('a server that stands still costs each command its time limit, not more', {}, async (redis, link) => {
  redis.freeze()
  const started = Date.now()
  const patient = link.do('INCR', 'n')
  assert.equal((await link.with('100').do('INCR', 'n')).err, 'timed out')
  assert.equal(link.count('away'), 0, 'an impatient caller does not cost the others their connection')
  assert.equal((await patient).err, 'timed out')
  const late = await link.do('INCR', 'n')
  assert.equal(late.err, 'unavailable')
  assert.equal((await link.with('n').do('INCR', 'n')).err, 'unavailable')
  console.log(`        frozen: answers after ${Date.now() - started} ms`)
  redis.thaw()
  await link.ready()
  assert.equal((await link.do('GET', 'k')).err, 'ok')
  const n = Number(await redis.cli('GET', 'n') ?? 0)
  assert.ok(n <= 2, `what was unavailable was not done: ${n}`)
}, { 'spring.redis.timeout': '500ms', 'redis.queue.max-age': '300ms' })

await story('after a pause of its own a process asks anew before it believes anything', {}, async (redis, link) => {
  link.subscribe('a')
  await link.live('a')
  link.child.kill('SIGSTOP')
  await pass(4000)
  link.child.kill('SIGCONT')
  await until('it has noticed', async () => /stood still/.test((await link.stats()).lastLoss))
  await link.ready()
  assert.equal((await link.stats()).epoch, 1)
  assert.equal(link.events.filter(e => e.event === 'live' && e.again).length, 1)
})

await story('a restart without persistence raises the epoch before the first answer, and subscriptions are back', {}, async (redis, link) => {
  link.subscribe('a')
  await link.live('a')
  assert.equal((await link.do('SET', 'k', 'v')).epoch, 1)
  assert.equal((await link.eval('n')).err, 'ok')
  await redis.kill()
  await until('it is noticed', () => link.count('away') === 1)
  const early = link.do('GET', 'k')
  await redis.start()
  await link.ready()
  assert.ok(['ok', 'unavailable'].includes((await early).err))
  assert.deepEqual(await link.do('GET', 'k').then(a => [a.err, a.reply, a.epoch]), ['ok', null, 2])
  assert.equal((await link.eval('n')).reply, 1, 'the script is sent whole to the new server')
  const order = link.events.filter(e => e.event !== 'message').map(e => e.event)
  assert.deepEqual(order, ['epoch', 'ready', 'live', 'away', 'live', 'epoch', 'ready'])
  assert.equal(await redis.cli('PUBLISH', 'a', 'x'), 1)
})

await story('what waits longer than the limit while Redis is away is refused, not kept', {}, async (redis, link) => {
  await redis.kill()
  await until('it is noticed', () => link.count('away') === 1)
  const got = await Promise.all([link.do('INCR', 'n'), link.with('i').do('INCR', 'n'), link.burst(20000, 'n')])
  assert.deepEqual([got[0].err, got[1].err, got[2].ok], ['unavailable', 'unavailable', 0])
  await redis.start()
  await link.ready()
  assert.equal(await redis.cli('GET', 'n'), null)
}, { 'redis.queue.max-age': '200ms' })

await story('a key of the wrong type is told, and renamed away once', {}, async (redis, link) => {
  await redis.cli('SET', 'umbel:list:1', 'text')
  assert.equal((await link.do('RPUSH', 'umbel:list:1', 'x')).err, 'stored data is damaged')
  link.quarantine('umbel:list:1')
  await until('it is counted', async () => (await link.stats())['redis.quarantined'] === 1)
  assert.equal((await link.do('RPUSH', 'umbel:list:1', 'x')).err, 'ok')
  const keys = await redis.cli('KEYS', 'umbel:quarantine:*')
  assert.match(keys[0], /^umbel:quarantine:[a-z0-9]{12}:umbel%3Alist%3A1$/)
})

await story('a master that turns into a replica is left, and taken again when it is one', {}, async (redis, link) => {
  const [nobody] = await freePorts(1)
  await redis.cli('REPLICAOF', '127.0.0.1', nobody)
  const refused = link.do('SET', 'k', 'v')
  await until('the link is gone', () => link.count('away') === 1)
  assert.equal((await refused).err, 'unavailable')
  await until('the reason is known', async () => /replica|READONLY|MASTERDOWN/.test((await link.stats()).lastLoss))
  const kept = link.do('SET', 'k', 'w')
  await redis.cli('REPLICAOF', 'NO', 'ONE')
  await link.ready()
  await kept
  assert.equal((await link.do('SET', 'k', 'x')).err, 'ok')
  assert.equal((await link.stats()).epoch, 2, 'its history is another one')
}, { 'redis.queue.max-age': '500ms' })

await story('without replicas the master refuses: the command waits for its limit, then says so', { 'min-replicas-to-write': 1 }, async (redis, link) => {
  assert.equal((await link.do('SET', 'k', 'v')).err, 'unavailable')
  const patient = link.do('SET', 'k', 'v')
  await redis.cli('CONFIG', 'SET', 'min-replicas-to-write', 0)
  assert.equal((await patient).err, 'ok')
  assert.equal(link.count('away'), 0)
}, { 'redis.queue.max-age': '700ms' })

await story('a full Redis is told as such; reading goes on', { maxmemory: '3mb', 'maxmemory-policy': 'noeviction' }, async (redis, link) => {
  let err = 'ok'
  for (let i = 0; i < 100 && err === 'ok'; i++) err = (await link.do('SET', `k${i}`, 'x'.repeat(100000))).err
  assert.equal(err, 'limit exceeded')
  assert.equal((await link.do('GET', 'k0')).err, 'ok')
  assert.equal((await link.stats())['redis.errors.memory'], 1)
})

await run.story('a changed password: it says so, keeps trying, comes back, and no log holds either', async () => {
  const redis = await startRedis(run, { requirepass: 'old-Secret1' })
  const link = openLink(run, at(redis, { 'spring.redis.password': 'ignored-Secret2', 'spring.data.redis.url': `redis://:old-Secret1@127.0.0.1:${redis.port}/3` }))
  await link.ready()
  await link.do('SET', 'k', 'v')
  assert.equal(await ask(redis.port, [['AUTH', 'old-Secret1'], ['SELECT', '3'], ['GET', 'k']]), 'v')
  await redis.cli('CONFIG', 'SET', 'requirepass', 'new-Secret3')
  redis.settings.requirepass = 'new-Secret3'
  await redis.cli('CLIENT', 'KILL', 'TYPE', 'normal')
  await until('the reason is known', async () => /wrong user or password/.test((await link.stats()).lastLoss))
  assert.equal((await link.with('300').do('GET', 'k')).err, 'unavailable')
  await redis.cli('CONFIG', 'SET', 'requirepass', 'old-Secret1')
  await link.ready()
  await link.close()
  assert.ok(!/Secret/.test(link.output()), 'no secret in the log')
  assert.match(link.output(), /ERROR redis cannot connect/)
})

await run.story('an ACL user with the rights of the manual is enough; without INFO every connection is a new epoch', async () => {
  const redis = await startRedis(run)
  const rights = ['+@connection', '+role', '+publish', '+subscribe', '+psubscribe', '+unsubscribe', '+punsubscribe', '+eval', '+evalsha',
    '+@read', '+@write', '-@dangerous', '+role', '~umbel:*', '&umbel:*']
  await redis.cli('ACL', 'SETUSER', 'umbel', 'on', '>pw', ...rights, '+info')
  const link = openLink(run, { 'spring.data.redis.port': redis.port, 'spring.redis.username': 'umbel', 'spring.redis.password': 'pw' })
  await link.ready()
  link.subscribe('umbel:c')
  await link.live('umbel:c')
  assert.equal((await link.eval('umbel:n')).reply, 1)
  assert.equal((await link.do('GET', 'other')).err, 'denied')
  await redis.cli('ACL', 'SETUSER', 'umbel', '-info')
  await redis.cli('CLIENT', 'KILL', 'USER', 'umbel')
  await until('a new epoch', async () => (await link.stats()).epoch === 2)
  await link.ready()
  await link.close()
})

await run.story('an unreachable, a silent and a babbling server are each given up in time', async () => {
  const { createServer } = await import('node:net')
  const sockets = []
  const server = createServer(s => { sockets.push(s); s.on('error', () => {}); answer(s) })
  let answer = () => {}
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  run.atEnd(() => { for (const s of sockets) s.destroy(); server.close() })
  const link = openLink(run, { 'spring.redis.host': '127.0.0.1', 'spring.redis.port': server.address().port, 'spring.redis.timeout': '200ms' })
  await until('silence is told', async () => /no answer in time/.test((await link.stats()).lastLoss))
  answer = s => s.write('HTTP/1.1 400 Bad Request\r\n\r\n')
  await until('babble is told', async () => /malformed/.test((await link.stats()).lastLoss))
  answer = s => s.write('*2147483647\r\n')
  await until('a giant is refused', async () => /too large|malformed/.test((await link.stats()).lastLoss))
  server.close()
  for (const s of sockets) s.destroy()
  await until('refusal is told', async () => /refused/.test((await link.stats()).lastLoss))
  await link.close()
})

await run.story('configurations that cannot work are refused with the reason', async () => {
  const cases = [
    [{ 'spring.redis.cluster.nodes': 'a:1,b:2' }, /Redis Cluster is not supported/],
    [{ 'spring.redis.sentinel.nodes': 'a:1' }, /needs spring.data.redis.sentinel.master/],
    [{ 'spring.data.redis.url': 'http://x' }, /begins with redis:/],
    [{ 'spring.data.redis.url': 'redis://u:s3cret@/x' }, /path|host/],
    [{ 'spring.redis.ssl': 'true', 'redis.ssl.ca-file': '/nonexistent.pem' }, /redis.ssl.ca-file/],
    [{ 'spring.redis.ssl.bundle': 'x' }, /redis.ssl.ca-file/]
  ]
  for (const [conf, reason] of cases) {
    const link = openLink(run, conf)
    assert.equal((await link.gone).code, 2)
    assert.match(link.output(), reason)
    assert.ok(!/s3cret/.test(link.output()))
  }
})

await run.story('two spellings of a key: the newer prefix wins, the difference is told', async () => {
  const redis = await startRedis(run)
  const link = openLink(run, { 'spring.redis.port': 1, 'spring.data.redis.port': redis.port })
  await link.ready()
  assert.match(link.output(), /spring\.redis\.port/)
  await link.close()
  const fromEnv = openLink(run, {}, { REDIS_URL: redis.url })
  await fromEnv.ready()
  await fromEnv.close()
})

/* --- TLS ------------------------------------------------------------------------------------------------------ */

await run.story('TLS: the right name is taken, a wrong name, a strange authority and a server in clear are refused', async () => {
  const dir = run.folder('certificates')
  const ca = certificate(dir, 'authority')
  const stranger = certificate(dir, 'stranger')
  const server = certificate(dir, 'server', 'DNS:redis.example,IP:127.0.0.1', ca)
  const client = certificate(dir, 'client', 'DNS:client', ca)
  const [port] = await freePorts(1)
  const redis = await startRedis(run, { 'tls-port': port, 'tls-cert-file': server.cert, 'tls-key-file': server.key, 'tls-ca-cert-file': ca.cert }, { port })
  const url = `rediss://127.0.0.1:${port}`
  const own = { 'redis.ssl.cert-file': client.cert, 'redis.ssl.key-file': client.key }
  const trusted = { ...own, 'redis.ssl.ca-file': ca.cert }

  for (const conf of [{ ...trusted, 'spring.data.redis.url': url }, { ...trusted, 'spring.redis.ssl': 'true', 'spring.redis.host': '127.0.0.1', 'spring.redis.port': port },
    { ...trusted, 'spring.data.redis.url': url.replace('127.0.0.1', 'localhost'), 'redis.ssl.server-name': 'redis.example' }]) {
    const link = openLink(run, conf)
    await link.ready()
    link.subscribe('a')
    await link.live('a')
    const big = 'x'.repeat(300000)
    assert.equal((await link.do('SET', 'k', big)).err, 'ok')
    assert.equal((await link.do('GET', 'k')).reply, big)
    assert.equal((await link.burst(5000, 'n')).ok, 5000)
    await link.close()
  }
  const refusals = [
    [{ ...trusted, 'spring.data.redis.url': url.replace('127.0.0.1', 'localhost') }, /hostname mismatch/i],
    [{ ...trusted, 'spring.data.redis.url': url, 'redis.ssl.server-name': 'other.example' }, /hostname mismatch/i],
    [{ ...own, 'redis.ssl.ca-file': stranger.cert, 'spring.data.redis.url': url }, /TLS: .*(certificate|issuer)/],
    [{ 'spring.redis.host': '127.0.0.1', 'spring.redis.port': port }, /malformed|closed|lost/]
  ]
  for (const [conf, reason] of refusals) {
    const link = openLink(run, { ...conf, 'spring.redis.password': 'never-in-clear' })
    await until('the reason is known', async () => reason.test((await link.stats()).lastLoss))
    assert.equal(link.count('ready'), 0)
    await link.close()
  }
  const clear = await startRedis(run)
  const link = openLink(run, { ...trusted, 'spring.data.redis.url': `rediss://127.0.0.1:${clear.port}` })
  await until('no answer in clear is taken', async () => /TLS/.test((await link.stats()).lastLoss))
  await link.close()
  await redis.stop()
})

await run.story('Sentinel with TLS and passwords of its own: neither password goes to the other, nothing in clear', async () => {
  const dir = run.folder('certificates')
  const ca = certificate(dir, 'authority')
  const pair = certificate(dir, 'server', 'IP:127.0.0.1', ca)
  const tls = { 'tls-cert-file': pair.cert, 'tls-key-file': pair.key, 'tls-ca-cert-file': ca.cert, 'tls-auth-clients': 'no', 'tls-replication': 'yes' }
  const [port, sentinelPort] = await freePorts(2)
  await startRedis(run, { ...tls, 'tls-port': port, requirepass: 'data-Secret1' }, { port })
  await startRedis(run, { ...tls, 'tls-port': sentinelPort, requirepass: 'watch-Secret2' }, { port: sentinelPort, label: 'sentinel',
    sentinel: [`sentinel monitor m 127.0.0.1 ${port} 1`, 'sentinel auth-pass m data-Secret1'] })
  const conf = { 'spring.redis.sentinel.master': 'm', 'spring.redis.sentinel.nodes': `127.0.0.1:${sentinelPort}`, 'redis.ssl.ca-file': ca.cert,
    'spring.redis.password': 'data-Secret1', 'spring.redis.sentinel.password': 'watch-Secret2' }
  const link = openLink(run, { ...conf, 'spring.redis.ssl': 'true' })
  await link.ready()
  assert.equal((await link.do('SET', 'k', 'v')).err, 'ok')
  await link.close()
  assert.ok(!/Secret/.test(link.output()))
  const swapped = openLink(run, { ...conf, 'spring.redis.ssl': 'true', 'spring.redis.sentinel.password': 'data-Secret1' })
  await until('the sentinel refuses', () => /sentinel does not answer.*wrong user or password/.test(swapped.output()))
  await swapped.close()
  const clear = openLink(run, conf)
  await until('no sentinel answers in clear', async () => /no sentinel knows/.test((await clear.stats()).lastLoss))
  await clear.close()
})

await run.finish()
