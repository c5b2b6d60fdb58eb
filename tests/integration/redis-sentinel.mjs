/* integration.redis-sentinel: one master, two replicas, three sentinels, and masters that die, freeze, step down and come back.
 * Times are printed, not judged. The replicas may be missing (min-replicas-to-write 0), so that an old master goes on
 * taking writes: only the link can keep callers from it. */
import assert from 'node:assert/strict'
import { openRun, pass, until } from '../harness/run.mjs'
import { ask, startSentinels } from '../harness/redis-server.mjs'
import { openLink } from '../harness/redis-link.mjs'

const run = openRun('integration.redis-sentinel')
const set = await startSentinels(run, { 'min-replicas-to-write': 0 })

/* Writes and asks who answers, ten times in 100 ms, until stop(). Results: { kind, err, port, at, order }. */
function traffic (link) {
  const results = []
  let going = true
  const note = (kind, at, answer) => results.push({ kind, sent: at, at: Date.now(), order: answer.order, err: answer.err, port: kind === 'port' ? Number(answer.reply?.[1]) : 0 })
  const done = (async () => {
    for (let n = 0; going; n++) {
      const at = Date.now()
      link.do('SET', `w${n}`, n).then(a => note('write', at, a))
      link.do('CONFIG', 'GET', 'port').then(a => note('port', at, a))
      await pass(10)
    }
  })()
  return { results, stop: async () => { going = false; await done; await until('all are answered', async () => (await link.stats())['redis.queued'] === 0) } }
}

async function story (title, fn) {
  await run.story(title, async () => {
    await set.settled()
    const link = openLink(run, { 'spring.redis.sentinel.master': set.name, 'spring.data.redis.sentinel.nodes': set.nodes })
    await link.ready()
    link.subscribe('news')
    await link.live('news')
    const old = await set.master()
    assert.equal((await link.stats()).address, `127.0.0.1:${old.port}`)
    const load = traffic(link)
    await until('writes go through', () => load.results.filter(r => r.err === 'ok').length > 10)
    const began = await fn(link, old, load)
    const isLater = r => r.err === 'ok' && r.order > link.events.find(e => e.event === 'away')?.order
    await until('writes go through again', () => load.results.filter(isLater).length > 40, 30000)
    await load.stop()
    const fresh = await set.master()
    assert.notEqual(fresh.port, old.port)
    await check(link, load.results, old, fresh, began)
    await link.close()
  }, 180000)
}

async function check (link, results, old, fresh, began) {
  const away = link.events.find(e => e.event === 'away')
  const stale = results.filter(r => r.port === old.port && r.order > away.order)
  assert.deepEqual(stale, [], 'an answer of the old master after it was given up')
  assert.ok(results.some(r => r.port === fresh.port))
  const after = results.filter(r => r.kind === 'write' && r.at > began)
  const back = after.find(r => r.err === 'ok' && r.order > away.order)
  const kinds = {}
  for (const r of after) kinds[r.err] = (kinds[r.err] ?? 0) + 1
  const st = await link.stats()
  console.log(`        writes back after ${back.at - began} ms; link away after ${away.at - began} ms; since then ${JSON.stringify(kinds)}; ` +
    `reason "${st.lastLoss}", switches ${st.switches}`)
  assert.ok(st.epoch >= 2, 'another master is another epoch')
  assert.equal(await fresh.cli('PUBLISH', 'news', 'hello'), 1, 'the subscription is on the new master')
  await until('a message comes in', () => link.messages.some(m => m.text === 'hello'))
  const order = link.events.map(e => e.event)
  assert.ok(order.lastIndexOf('live') < order.lastIndexOf('ready'), 'subscriptions come back before the link is ready')
  assert.ok(link.events.some(e => e.event === 'live' && e.again), 'it is told that it may have missed something')
}

await story('SENTINEL FAILOVER: the old master lives on and is not believed any more', async (link, old) => {
  const began = Date.now()
  await ask(set.sentinels[0].port, [['SENTINEL', 'FAILOVER', set.name]])
  await until('the switch has arrived', async () => (await link.stats()).switches === 1, 30000)
  return began
})

await story('kill -9 of the master, which later returns as a replica', async (link, old) => {
  const began = Date.now()
  await old.kill()
  await until('another master', async () => (await set.master()).port !== old.port, 30000, 50)
  await link.ready()
  await old.start()
  await until('it is a replica', async () => (await old.cli('ROLE'))[0] === 'slave', 60000, 100)
  assert.notEqual((await link.stats()).address, `127.0.0.1:${old.port}`)
  return began
})

await story('a master that stands still is left; when it wakes up as a master nobody goes back to it', async (link, old) => {
  const began = Date.now()
  old.freeze()
  try {
    await until('another master', async () => (await set.master()).port !== old.port, 30000, 50)
    await link.ready()
  } finally {
    old.thaw()
  }
  await until('it has become a replica', async () => (await old.cli('ROLE'))[0] === 'slave', 60000, 100)
  return began
})

await run.story('one sentinel is enough, none is told; with their return the link works again', async () => {
  await set.settled()
  for (const s of set.sentinels.slice(0, 2)) await s.kill()
  const link = openLink(run, { 'spring.redis.sentinel.master': set.name, 'redis.nodes': set.nodes })
  await link.ready()
  await set.sentinels[2].kill()
  assert.equal((await link.do('SET', 'k', 'v')).err, 'ok', 'a working connection needs no sentinel')
  const port = Number((await link.stats()).address.split(':')[1])
  await ask(port, [['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes']])
  await until('the reason is known', async () => /no sentinel knows/.test((await link.stats()).lastLoss))
  for (const s of set.sentinels) await s.start()
  await link.ready()
  await link.close()
}, 180000)

await run.story('a name that the sentinels do not know is told', async () => {
  const link = openLink(run, { 'spring.redis.sentinel.master': 'nobody', 'spring.redis.sentinel.nodes': set.nodes })
  await until('the reason is known', async () => /no sentinel knows/.test((await link.stats()).lastLoss))
  await link.close()
})

await run.finish()
