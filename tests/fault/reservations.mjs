/* fault.<row>: reservations on two cores when processes stand still, die, or ask at the same time.
 *   reservations.mjs P02|S09     rows of the reliability reference, chapter 6 */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { openRun, pass, until } from '../harness/run.mjs'
import { startCluster } from '../harness/cluster.mjs'
import { signToken } from '../harness/subjects.mjs'

const row = process.argv[2] ?? 'P02'
const run = openRun(`fault.${row}`)
const ttl = row === 'P02' ? '2s' : '60s'
const cluster = await startCluster(run, { gateways: 0, redis: 'simple', balancer: false, coreProperties: { 'reservation.ttl': ttl, 'cache.compare-interval': '1s' } })
const [one, two] = cluster.cores

const person = user => signToken({ sub: user, sid: `session-of-${user}`, profiles: [] })
const post = async (what, name, user, at, query = '') => {
  const answer = await at.fetch(`/core/rest/reservation${what}${query}`, { method: 'POST', token: person(user), json: [{ category: 'DOCUMENT', id: name }] })
  return { status: answer.status, body: await answer.json() }
}
const reserve = (name, user, at) => post('/reserve', name, user, at, '?break=true')
/* SIGSTOP reaches each thread in its own time. */
const standsStill = pid => fs.readdirSync(`/proc/${pid}/task`).every(t => /\) T /.test(fs.readFileSync(`/proc/${pid}/task/${t}/stat`, 'utf8')))
const textOf = client => client.doc.getText('t').toString()
const write = (client, text) => client.doc.getText('t').insert(0, text)
const scope = client => client.events.filter(e => e.event === 'authenticated').at(-1)?.scope
const client = (name, user, at) => cluster.client(name, { at, token: person(user), name: user })

const rows = {
  async P02 () {
    await run.story('the holder\'s core stands still for longer than the lease: what it believed is worth nothing in its first turn', async () => {
      const answer = await one.fetch('/core/rest/collab/documents', { method: 'POST', token: person('ann'), json: { title: 'Plan' } })
      const { name } = await answer.json()
      const [ann, bob] = [client(name, 'ann', one), client(name, 'bob', two)]
      await until('both edit', () => ann.settled() && bob.settled())
      const first = await reserve(name, 'ann', one)
      assert.equal(first.status, 200)
      await until('bob reads', () => scope(bob) === 'readonly')
      one.freeze()
      await until('it stands still', () => standsStill(one.pid))
      write(ann, 'late ')                            /* lies in the socket of the one that stands still */
      const second = await until('the lease is over, and bob gets it', async () => {
        const got = await reserve(name, 'bob', two)
        return got.status === 200 && got
      })
      assert.ok(second.body[0].token > first.body[0].token)
      await until('bob may write', () => scope(bob) === 'read-write')
      write(bob, 'bob\'s ')
      await until('it is stored', () => bob.settled())
      const heartbeat = setInterval(() => post('/renew', name, 'bob', two), 500)
      one.thaw()
      await until('ann hears that she may only read', () => scope(ann) === 'readonly')
      for (let n = 0; n < 10; n++) {
        const stale = await one.fetch(`/core/rest/collab/documents/${name}`, {
          method: 'PUT', token: person('ann'), json: { title: 'Stale' }, headers: { 'x-reservation-token': String(first.body[0].token) }
        })
        assert.equal(stale.status, 423, await stale.text())
        assert.equal(textOf(bob), 'bob\'s ', 'the second holder\'s text')
        assert.ok(!ann.settled(), 'hers was not acknowledged')
        await pass(100)
      }
      clearInterval(heartbeat)
      assert.equal((await post('/release', name, 'bob', two)).status, 200)
      await until('free, hers comes too', () => ann.settled() && bob.settled() && textOf(ann) === textOf(bob) && textOf(ann).includes('late ') && textOf(ann).includes('bob\'s '))
      ann.close()
      bob.close()
    })

    await run.story('the holder\'s core is killed: nobody else gets it before the lease is over, and somebody does then', async () => {
      assert.equal((await reserve('k', 'ann', one)).status, 200)
      const began = Date.now()
      await one.kill()
      assert.equal((await reserve('k', 'bob', two)).status, 423)
      await until('the lease is over', async () => (await reserve('k', 'bob', two)).status === 200)
      assert.ok(Date.now() - began > 1500, 'not before')
      await one.start()
      assert.equal((await reserve('k', 'ann', one)).status, 423)
    })
  },

  /* S10, all orders of reports and calls, is in unit.reserve_copy and unit.store_shared. */
  async S09 () {
    await run.story('of many who ask at once on both cores one wins, again and again, and tokens only grow', async () => {
      let token = 0
      for (let n = 0; n < 15; n++) {
        const asking = Array.from({ length: 8 }, (_, i) => reserve('s', `user-${i}`, i % 2 ? one : two))
        const answers = await Promise.all(asking)
        const winners = answers.filter(a => a.status === 200)
        assert.equal(winners.length, 1, answers.map(a => a.status).join())
        assert.equal(answers.filter(a => a.status === 423).length, 7)
        const [won] = winners[0].body
        assert.ok(won.token > token)
        token = won.token
        for (const a of answers) if (a.status === 423) assert.deepEqual(a.body.details.reservations.map(r => r.user), [won.user])
        assert.equal((await post('/release', 's', won.user, n % 2 ? one : two)).status, 200)
      }
    })
  }
}

await rows[row]()
await run.finish()
