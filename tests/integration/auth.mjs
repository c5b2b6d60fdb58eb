/* integration.auth: who may come in, through the core and through the gateway. */
import assert from 'node:assert/strict'
import { openClient } from '../harness/clients.mjs'
import { authToken, AUTH, frame } from '../harness/frames.mjs'
import { openRawWebSocket } from '../harness/http.mjs'
import { RawClient } from '../harness/raw.mjs'
import { openRun, until } from '../harness/run.mjs'
import { password, signToken, startGateway, startSubject } from '../harness/subjects.mjs'

const run = openRun('integration.auth')
const core = await startSubject(run, { reactors: 3 })
const gateway = await startGateway(run, core)
const decode = token => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'))

/* --- the core's own login -------------------------------------------------------------------------- */
await run.story('login at the core gives a token that opens documents and REST', async () => {
  const answer = await core.login()
  assert.equal(answer.status, 200)
  const { value } = await answer.json()
  assert.equal(decode(value).sub, 'admin')
  assert.ok(decode(value).profiles.includes('ADMIN'))
  assert.equal((await core.fetch('/core/rest/collab/documents', { token: value })).status, 200)
  assert.equal((await core.fetch('/core/rest/collab/documents', { headers: { authorization: `Bearer ${value}` } })).status, 200)
  const c = openClient('provider4', core, 'mine', { token: value })
  await until('admitted', () => c.settled())
  c.close()
})

await run.story('a wrong password and an unknown user get the same 401', async () => {
  const wrong = await core.login('admin', 'wrong')
  const unknown = await core.login('nobody-here', 'wrong')
  assert.deepEqual([wrong.status, unknown.status], [401, 401])
  const [a, b] = [await wrong.json(), await unknown.json()]
  assert.equal(a.code, b.code)
  assert.equal(a.message, b.message)
})

await run.story('a plain password is judged the same at the first attempt and later, by several at once too', async () => {
  const fresh = await startSubject(run, { label: 'fresh' })
  const first = await Promise.all([fresh.login('bob', password), fresh.login('bob', password + 'x'), fresh.login('bob', password)])
  assert.deepEqual(first.map(answer => answer.status), [200, 401, 200])
  assert.equal((await fresh.login('bob', password)).status, 200)
  assert.equal((await fresh.login('bob', password.slice(0, -1))).status, 401)
  await fresh.stop()
})

await run.story('broken bodies are 400 or 415 and say so in the error shape', async () => {
  for (const [body, type] of [['{', 'application/json'], ['{"user":1}', 'application/json'], ['[]', 'application/json'], ['user=admin', 'text/plain']]) {
    const answer = await core.fetch('/core/rest/authentication', { method: 'POST', body, headers: { 'content-type': type } })
    assert.ok([400, 415].includes(answer.status), `${body}: ${answer.status}`)
    const error = await answer.json()
    for (const member of ['timestamp', 'status', 'error', 'path', 'code', 'message', 'requestId']) assert.ok(member in error, member)
    assert.equal(error.status, answer.status)
  }
})

await run.story('REST without, with a foreign, with an expired and with an unsigned token is 401', async () => {
  const now = Math.floor(Date.now() / 1000)
  const unsigned = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url') + '.' + signToken().split('.')[1] + '.'
  const bad = [undefined, 'x', core.token('bad'), signToken({ iat: now - 7200, exp: now - 3600 }), signToken({ nbf: now + 600 }), unsigned]
  for (const token of bad) {
    const answer = await core.fetch('/core/rest/collab/documents', { token })
    assert.equal(answer.status, 401, String(token))
  }
})

await run.story('administration asks for the profile', async () => {
  const plain = signToken({ profiles: [] })
  assert.equal((await core.fetch('/core/rest/admin/collab', { token: plain })).status, 403)
  assert.equal((await core.fetch('/core/rest/admin/collab', { token: signToken() })).status, 200)
})

await run.story('guessing passwords is slowed down with 429 and Retry-After, for this user alone', async () => {
  let answer
  for (let n = 0; n < 12; n++) {
    answer = await core.login('bob', `guess ${n}`)
    if (answer.status === 429) break
    assert.equal(answer.status, 401)
  }
  assert.equal(answer.status, 429)
  assert.ok(Number(answer.headers.get('retry-after')) >= 1)
  assert.equal((await core.login('bob', password)).status, 429, 'also with the right one, or it would tell')
  assert.equal((await core.login('admin', password)).status, 200, 'somebody else is not locked out')
})

/* --- sessions at the gateway ------------------------------------------------------------------------- */
class Browser {
  constructor () {
    this.cookies = new Map()
  }

  async fetch (target, options = {}) {
    const cookie = [...this.cookies].map(([k, v]) => `${k}=${v}`).join('; ')
    const answer = await gateway.fetch(target, { ...options, headers: { ...(cookie && { cookie }), ...options.headers } })
    for (const line of answer.headers.getSetCookie?.() ?? [answer.headers.get('set-cookie')].filter(Boolean)) {
      const [pair] = line.split(';')
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]
      if (value === '' || /max-age=0/i.test(line)) this.cookies.delete(name)
      else this.cookies.set(name, value)
      this.lastCookie = line
    }
    return answer
  }

  get cookieHeader () {
    return [...this.cookies].map(([k, v]) => `${k}=${v}`).join('; ')
  }

  async login (user = 'admin', secret = password) {
    const answer = await this.fetch('/gui/rest/session', { method: 'POST', json: { user, password: secret }, headers: { origin: gateway.origin } })
    this.me = await answer.json()
    return answer
  }

  async logout () {
    return await this.fetch('/gui/rest/session', { method: 'DELETE', headers: { origin: gateway.origin, 'x-csrf-token': this.me.csrf } })
  }
}

const ann = new Browser()
await run.story('login at the gateway sets a careful cookie and changes the session id', async () => {
  const answer = await ann.login()
  assert.equal(answer.status, 200, JSON.stringify(ann.me))
  assert.match(ann.lastCookie, /^SESSION=/)
  assert.match(ann.lastCookie, /HttpOnly/i)
  assert.match(ann.lastCookie, /SameSite=Lax/i)
  const again = await (await ann.fetch('/gui/rest/session')).json()
  for (const me of [ann.me, again]) assert.deepEqual([me.user, me.csrf], ['admin', ann.me.csrf])
  assert.equal((await gateway.fetch('/gui/rest/session')).status, 401, 'nobody without the cookie')
})

await run.story('a wrong password at the gateway is 401', async () => {
  assert.equal((await new Browser().login('admin', 'wrong')).status, 401)
})

await run.story('a change by cookie needs the token against forgery, and comes from our own pages', async () => {
  const create = headers => ann.fetch('/core/rest/collab/documents', { method: 'POST', json: { title: 'forged' }, headers })
  const token = ann.me.csrf
  assert.equal((await create({ origin: gateway.origin })).status, 403, 'no token')
  assert.equal((await create({ origin: gateway.origin, 'x-csrf-token': 'guess' })).status, 403, 'a wrong one')
  assert.equal((await create({ 'x-csrf-token': token, 'sec-fetch-site': 'cross-site' })).status, 403, 'from elsewhere')
  const good = await create({ origin: gateway.origin, 'x-csrf-token': token })
  assert.ok(good.status === 200 || good.status === 201, `with it: ${good.status}`)
})

await run.story('a WebSocket with a cookie is opened for our own origin only', async () => {
  const attempt = async headers => {
    const { c, answer } = await openRawWebSocket(gateway.port, '/collab', { host: `127.0.0.1:${gateway.port}`, headers: { Cookie: ann.cookieHeader, ...headers } })
    c.destroy()
    return answer.status
  }
  assert.equal(await attempt({ Origin: gateway.origin }), 101)
  assert.equal(await attempt({ Origin: 'http://evil.example' }), 403)
  assert.equal(await attempt({ Origin: 'null' }), 403)
  assert.equal(await attempt({ Origin: `http://127.0.0.1:${gateway.port}.evil.example` }), 403)
  assert.equal(await attempt({}), 403)
})

await run.story('the session admits to documents without a token, and logging out closes its sockets', async () => {
  const c = await RawClient.open(gateway.collabUrl, { headers: { Cookie: ann.cookieHeader, Origin: gateway.origin } })
  c.send(authToken('by-session', ''))
  await c.expect('admitted', frame('by-session', AUTH, 2, 'read-write'))
  const out = await ann.logout()
  assert.ok(out.status < 300, String(out.status))
  await until('the socket is closed', () => c.closed !== null, 3000)
  assert.ok(![4401, 4403].includes(c.closed.code) && !(c.closed.code >= 4400 && c.closed.code < 4500), `code ${c.closed.code}`)
})

await run.story('a stolen cookie is worth nothing after logging out', async () => {
  const eve = new Browser()
  await eve.login()
  const stolen = eve.cookieHeader
  assert.equal((await gateway.fetch('/core/rest/collab/documents', { headers: { cookie: stolen } })).status, 200)
  await eve.logout()
  const answer = await gateway.fetch('/core/rest/collab/documents', { headers: { cookie: stolen } })
  assert.equal(answer.status, 401)
})

await run.story('a client without a session brings its own token through the gateway', async () => {
  const urls = { collabUrl: gateway.collabUrl, yUrl: gateway.yUrl, token: k => core.token(k) }
  const [a, b] = [openClient('provider4', urls, 'through'), openClient('y-websocket', urls, 'through')]
  await until('both in sync', () => a.settled() && b.settled())
  a.doc.getText('text').insert(0, 'both ways')
  await until('it arrives', () => b.doc.getText('text').toString() === 'both ways')
  const denied = openClient('provider4', urls, 'through', { token: core.token('bad') })
  await until('the core denies', () => denied.had('denied'))
  for (const c of [a, b, denied]) c.close()
})

await run.story('headers that claim an identity are not believed', async () => {
  const answer = await gateway.fetch('/core/rest/collab/documents', { headers: { 'x-user-id': 'admin', 'x-user': 'admin', 'x-forwarded-user': 'admin' } })
  assert.equal(answer.status, 401)
})

await run.story('while the core is away the gateway says 503 with Retry-After, and all is well when it is back', async () => {
  const bob = new Browser()
  assert.equal((await bob.login()).status, 200)
  await core.kill()
  const away = await bob.fetch('/core/rest/collab/documents')
  assert.equal(away.status, 503)
  assert.ok(Number(away.headers.get('retry-after')) >= 1)
  assert.ok((await gateway.fetch('/gui/')).ok, 'the page itself is served')
  const { c, answer } = await openRawWebSocket(gateway.port, '/collab', { host: `127.0.0.1:${gateway.port}` })
  assert.equal(answer.status, 503)
  c.destroy()
  await core.start()
  await until('the gateway finds the core again', async () => (await bob.fetch('/core/rest/collab/documents')).status === 200, 10000)
})

await run.finish()
