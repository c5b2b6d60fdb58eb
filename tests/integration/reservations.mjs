/* integration.reservations: two cores, a gateway, PostgreSQL and Redis; people who reserve documents, and editors who read meanwhile. */
import assert from 'node:assert/strict'
import { openRun, until } from '../harness/run.mjs'
import { startCluster } from '../harness/cluster.mjs'
import { signToken } from '../harness/subjects.mjs'

const run = openRun('integration.reservations')
const cluster = await startCluster(run, { gateways: 1, redis: 'simple', balancer: false, reactors: 2, properties: { 'cache.compare-interval': '1s' } })
const [one, two] = cluster.cores
const gateway = cluster.gateway(1)
let documents = 0
const fresh = () => `doc-${++documents}`
const ref = (...names) => names.map(id => ({ category: 'DOCUMENT', id }))

/* Somebody with a browser session: the gateway's word for it is the claim sid. */
const person = (user, sid = `session-of-${user}`, claims = {}) => signToken({ sub: user, sid, profiles: [], ...claims })
const ann = person('ann')
const bob = person('bob')
const root = signToken({ sub: 'root', profiles: ['ADMIN'] })

async function ask (method, target, { token = ann, json, at = one, headers } = {}) {
  const answer = await at.fetch(target, { method, token, json, headers })
  const text = await answer.text()
  return { status: answer.status, body: text && JSON.parse(text), headers: answer.headers }
}
const reserve = (names, options = {}, query = '') => ask('POST', `/core/rest/reservation/reserve${query}`, { json: ref(...[names].flat()), ...options })
const release = (names, options) => ask('POST', '/core/rest/reservation/release', { json: ref(...[names].flat()), ...options })
const renew = (names, options) => ask('POST', '/core/rest/reservation/renew', { json: ref(...[names].flat()), ...options })
const state = (names, options) => ask('POST', '/core/rest/reservation', { json: ref(...[names].flat()), ...options })

const scope = client => client.events.filter(e => e.event === 'authenticated').at(-1)?.scope ?? client.provider.authorizedScope
const textOf = client => client.doc.getText('t').toString()
const write = (client, text) => client.doc.getText('t').insert(client.doc.getText('t').length, text)
const client = (name, user, at, kind = 'provider4') => cluster.client(name, { kind, at, token: person(user), name: user })

/* --- taking ------------------------------------------------------------------------------------------------ */

await run.story('what is reserved is told in the order of the request, and its token to the holder alone', async () => {
  const [a, b] = [fresh(), fresh()]
  const taken = await reserve([b, a])
  assert.equal(taken.status, 200, JSON.stringify(taken.body))
  assert.deepEqual(taken.body.map(r => [r.category, r.id, r.reserved, r.user, r.sessionId]),
    [b, a].map(id => ['DOCUMENT', id, true, 'ann', 'session-of-ann']))
  for (const row of taken.body) {
    assert.ok(Number.isInteger(row.token) && row.token > 0)
    const lease = Date.parse(row.expires) - Date.parse(row.since)
    assert.ok(lease > 100000 && lease < 140000, String(lease))
  }
  const seen = await state([a, 'never', b], { token: bob, at: two })
  assert.equal(seen.status, 200)
  assert.deepEqual(seen.body.map(r => [r.id, r.reserved, r.user, 'token' in r]), [[a, true, 'ann', false], ['never', false, undefined, false], [b, true, 'ann', false]])
  assert.deepEqual((await release([a, b])).body.map(r => r.reserved), [false, false])
})

await run.story('all or nothing over a list; who is refused learns of whom, on either core, and no token', async () => {
  const [a, b, c] = [fresh(), fresh(), fresh()]
  await reserve(b)
  const refused = await reserve([c, b, a], { token: bob, at: two })
  assert.equal(refused.status, 423)
  assert.equal(refused.body.code, 'U00423')
  assert.deepEqual(refused.body.details.reservations.map(r => [r.id, r.user, r.editing, 'since' in r, 'token' in r]), [[b, 'ann', false, true, false]])
  assert.deepEqual((await state([a, c])).body.map(r => r.reserved), [false, false])
})

await run.story('tokens grow with every grant, and one session asking again keeps its own', async () => {
  const a = fresh()
  const tokens = []
  for (const [token, at] of [[ann, one], [bob, two], [ann, two], [bob, one]]) {
    const first = await reserve(a, { token, at })
    const again = await reserve(a, { token, at })
    assert.equal(first.body[0].token, again.body[0].token)
    tokens.push(first.body[0].token)
    await release(a, { token, at })
  }
  assert.deepEqual(tokens, [...new Set(tokens)].sort((x, y) => x - y))
})

await run.story('a session holds it: the same user in another one gets 423, and cannot give it back; API clients are told apart by their token', async () => {
  const a = fresh()
  await reserve(a)
  const other = person('ann', 'another-session')
  assert.equal((await reserve(a, { token: other })).status, 423)
  assert.equal((await release(a, { token: other })).body[0].reserved, true)
  assert.equal((await renew(a, { token: other })).status, 423)
  assert.equal((await renew(a)).status, 200)
  await release(a)
  const [x, y] = [signToken({ sub: 'ann' }), signToken({ sub: 'ann' })]
  assert.equal((await reserve(a, { token: x })).status, 200)
  assert.equal((await reserve(a, { token: x, at: two })).status, 200)
  assert.equal((await reserve(a, { token: y })).status, 423)
})

await run.story('a renewal or release that names its grant leaves a later one of the same session alone', async () => {
  const a = fresh()
  const named = (verb, row, options) => ask('POST', `/core/rest/reservation/${verb}`, { json: [row], ...options })
  const { body: [first] } = await reserve(a)
  await release(a)
  const { body: [second] } = await reserve(a, { at: two })
  for (const at of [one, two, gateway]) {
    assert.equal((await named('renew', first, { at })).status, 423)
    const late = await named('release', first, { at })
    assert.deepEqual([late.status, late.body[0].reserved, late.body[0].token], [200, true, second.token])
  }
  assert.equal((await named('renew', second)).body[0].token, second.token)
  assert.equal((await named('release', second, { token: bob })).body[0].reserved, true)
  assert.equal((await named('release', second)).body[0].reserved, false)
})

await run.story('what cannot be is refused by name', async () => {
  const post = (json, options) => ask('POST', '/core/rest/reservation/reserve', { json, ...options })
  for (const json of [{}, [], [1], [{ id: 'x' }], [{ category: 'PLANET', id: 'x' }], [{ category: 'DOCUMENT', id: '' }],
    [{ category: 'DOCUMENT', id: 'x'.repeat(513) }], [{ category: 'DOCUMENT', id: 'x', token: 0 }], [{ category: 'DOCUMENT', id: 'x', token: '7' }], Array(1001).fill(ref('x')[0])]) {
    assert.equal((await post(json)).status, 400, JSON.stringify(json).slice(0, 60))
  }
  assert.equal((await reserve(fresh(), {}, '?wait=21s')).status, 400)
  assert.equal((await reserve(fresh(), {}, '?wait=soon')).status, 400)
  assert.equal((await reserve(fresh(), { token: person('ann', 's', { access: 'readonly' }) })).status, 403)
  assert.equal((await ask('GET', '/core/rest/reservation')).status, 403)
  assert.equal((await ask('DELETE', '/core/rest/reservation/DOCUMENT/x')).status, 403)
  assert.equal((await one.fetch('/core/rest/reservation/reserve', { method: 'POST', json: ref('x') })).status, 401)
})

/* --- administrators ------------------------------------------------------------------------------------------ */

await run.story('an administrator lists by user and page, and breaks: the act is on record and the token dead', async () => {
  const [a, b] = [fresh(), fresh()]
  const zoe = person('zoe')
  const { body: [first] } = await reserve([a, b], { token: zoe })
  const page = await ask('GET', '/core/rest/reservation?user=zoe&max=1&start=1', { token: root, at: two })
  assert.deepEqual([page.body.found, page.body.results.map(r => r.id), 'token' in page.body.results[0]], [2, [b], false])
  const watcher = client(a, 'bob', two)
  await until('it watches', () => watcher.settled())
  assert.equal((await ask('DELETE', `/core/rest/reservation/DOCUMENT/${a}`, { token: root, at: two })).status, 204)
  assert.equal((await ask('DELETE', `/core/rest/reservation/DOCUMENT/${a}`, { token: root, at: two })).status, 204, 'what is gone')
  const [row] = await cluster.postgres.sql("SELECT user_id, object_type, object_id, detail FROM audit WHERE action = 'UNLOCK'")
  assert.deepEqual(row, { user_id: 'root', object_type: 'DOCUMENT', object_id: a, detail: 'zoe' })
  assert.equal((await renew(a, { token: zoe })).status, 423)
  const note = await until('the editors are told', () => watcher.stateless.map(text => JSON.parse(text)).find(n => n.event === 'broken'))
  assert.deepEqual(note, { type: 'reservation', event: 'broken', user: 'zoe', by: 'root' })
  watcher.close()
  const next = await reserve(a, { token: bob })
  assert.ok(next.body[0].token > first.token + 1, 'the break took a number too')
})

/* --- the core's own writes ------------------------------------------------------------------------------------ */

await run.story('titles, deletion and restoring are the holder\'s; a token that is not the newest is refused', async () => {
  const { body: { name } } = await ask('POST', '/core/rest/collab/documents', { json: { title: 'First' } })
  const one_ = `/core/rest/collab/documents/${name}`
  const { body: [{ token: old }] } = await reserve(name)
  await release(name)
  const { body: [{ token: now }] } = await reserve(name)
  for (const [method, target] of [['PUT', one_], ['DELETE', one_], ['POST', `${one_}/versions/1/restore`]]) {
    const refused = await ask(method, target, { token: bob, at: two, json: { title: 'Bob\'s' } })
    assert.equal(refused.status, 423, `${method} ${target}`)
    assert.equal(refused.body.details.reservations[0].user, 'ann')
  }
  const rename = (title, token, options) => ask('PUT', one_, { json: { title }, headers: { 'x-reservation-token': String(token) }, ...options })
  assert.equal((await rename('stale', old)).status, 423)
  assert.equal((await rename('stale', now, { token: person('ann', 'another-session') })).status, 423)
  assert.equal((await rename('Second', now, { at: two })).status, 200)
  await release(name)
  await until('the other core knows', async () => (await rename('over', now, { at: two })).status === 423)
  assert.equal((await ask('PUT', one_, { token: bob, json: { title: 'Third' } })).status, 200)
  assert.equal((await ask('GET', one_)).body.title, 'Third')
})

/* --- editors ------------------------------------------------------------------------------------------------------ */

await run.story('who edits holds it shared: others cannot reserve it, unless they wait or break', async () => {
  const a = fresh()
  const here = client(a, 'ann', one)
  const there = client(a, 'bob', two)
  await until('both edit', () => here.settled() && there.settled())
  const refused = await until('the other core\'s editors count', async () => {
    const answer = await reserve(a)
    if (answer.status === 200) await release(a)
    return answer.status === 423 && answer
  })
  assert.deepEqual(refused.body.details.reservations, [{ category: 'DOCUMENT', id: a, user: 'bob', editing: true }])
  assert.equal((await reserve(a, {}, '?wait=300ms')).status, 423)
  const waiting = reserve(a, {}, '?wait=20s')
  there.close()
  const taken = await waiting
  assert.equal(taken.status, 200, JSON.stringify(taken.body))
  const again = client(a, 'bob', two)
  await until('who comes now may read', () => again.settled() && scope(again) === 'readonly')
  await release(a)
  await until('and write again', () => scope(again) === 'read-write')
  assert.equal((await reserve(a, {}, '?break=true')).status, 200)
  await until('broken in upon', () => scope(again) === 'readonly')
  await release(a)
  here.close()
  again.close()
})

for (const kind of ['provider4', 'provider3', 'provider2']) {
  await run.story(`${kind}: others read while it is reserved, and what they wrote comes when it is free`, async () => {
    const a = fresh()
    const holder = client(a, 'ann', one, kind)
    const near = client(a, 'bob', one, kind)
    const far = client(a, 'zoe', two, kind)
    const all = [holder, near, far]
    write(holder, 'begun ')
    await until('all begin the same', () => all.every(c => c.settled() && textOf(c) === 'begun '))
    assert.equal((await reserve(a, {}, '?break=true')).status, 200)
    await until('the others may read', () => scope(near) === 'readonly' && scope(far) === 'readonly')
    assert.equal(scope(holder), 'read-write')
    write(near, 'near ')
    write(near, 'too ')
    write(far, 'far ')
    write(holder, 'held ')
    await until('the holder writes on, and is read', () => holder.settled() && textOf(near).includes('held ') && textOf(far).includes('held '))
    assert.equal(textOf(holder), 'begun held ', 'nothing of the others')
    assert.ok(!near.settled() && !far.settled(), 'they know that theirs is not stored')
    const alsoHers = client(a, 'ann', two, kind)
    await until('the holder\'s second window', () => alsoHers.settled() && scope(alsoHers) === 'read-write')
    await release(a)
    await until('free again', () => scope(near) === 'read-write' && scope(far) === 'read-write')
    await until('everything is everywhere, and acknowledged', () => {
      const texts = [...all, alsoHers].map(textOf)
      if (texts.some(text => text !== texts[0])) throw new Error(texts.join(' | '))
      for (const word of ['near ', 'too ', 'far ', 'held ']) if (!texts[0].includes(word)) throw new Error(texts[0])
      const open = [...all, alsoHers].filter(c => !c.settled())
      if (open.length > 0) throw new Error(`unacknowledged: ${open.map(c => c.provider.unsyncedChanges)}`)
      return true
    })
    for (const c of [...all, alsoHers]) c.close()
  })
}

/* --- through the gateway -------------------------------------------------------------------------------------------- */

await run.story('a browser\'s session reserves through the gateway and lists what it has', async () => {
  const a = fresh()
  const session = await cluster.signIn('admin', gateway)
  const answer = await gateway.fetch('/core/rest/reservation/reserve', { method: 'POST', json: ref(a), headers: session.headers })
  assert.equal(answer.status, 200)
  const own = await gateway.fetch('/gui/rest/session/reservations', { headers: session.headers })
  assert.equal(own.status, 200)
  const rows = await own.json()
  assert.deepEqual(rows.map(r => [r.id, r.user, typeof r.token]), [[a, 'admin', 'number']])
  assert.equal((await gateway.fetch('/gui/rest/session/reservations')).status, 401)
  const elsewhere = await cluster.signIn('admin', gateway)
  assert.deepEqual(await (await gateway.fetch('/gui/rest/session/reservations', { headers: elsewhere.headers })).json(), [])
})

await run.story('logging out gives everything back, and its editors may write again', async () => {
  const a = fresh()
  const editor = client(a, 'bob', two)
  const session = await cluster.signIn('admin', gateway)
  const answer = await gateway.fetch('/core/rest/reservation/reserve?break=true', { method: 'POST', json: ref(a), headers: session.headers })
  assert.equal(answer.status, 200)
  await until('others may read', () => scope(editor) === 'readonly')
  assert.equal((await reserve(a, { token: bob })).status, 423)
  const out = await gateway.fetch('/gui/rest/session', { method: 'DELETE', headers: session.headers })
  assert.equal(out.status, 204)
  await until('and write again', () => scope(editor) === 'read-write')
  assert.equal((await state(a)).body[0].reserved, false)
  editor.close()
})

/* --- Redis away ---------------------------------------------------------------------------------------------------------- */

await run.story('Redis away: nothing new is granted, what is held holds and is written; Redis back: all as before', async () => {
  const [a, b] = [fresh(), fresh()]
  const holder = client(a, 'ann', one)
  const other = client(a, 'bob', one)
  await until('both edit', () => holder.settled() && other.settled())
  const { body: [{ token }] } = await reserve(a, {}, '?break=true')
  await cluster.redis.kill()
  const refused = await until('it is noticed', async () => {
    const answer = await reserve(b)
    if (answer.status === 200) await release(b)
    return answer.status === 503 && answer
  })
  assert.equal(refused.headers.get('retry-after'), '1')
  assert.equal((await state(a)).body[0].token, token)
  assert.equal((await renew(a)).status, 200)
  write(holder, 'while it is away')
  await until('the holder writes', () => holder.settled())
  assert.equal(scope(other), 'readonly')
  await cluster.redis.start()
  await until('it grants again', async () => (await reserve(b)).status === 200, 20000)
  for (const at of [one, two]) {
    await until('it grants there too, but not what somebody holds', async () => {
      const { status } = await reserve(a, { token: bob, at })
      assert.notEqual(status, 200)
      return status === 423
    }, 20000)
  }
  holder.close()
  other.close()
})

await run.story('both cores end well', async () => {
  await cluster.stop()
})

await run.finish()
