/* Connections that a session of the gateway opens: for its own pages only, and not for longer than the session. */
import assert from 'node:assert/strict'
import { io } from 'socket.io-client'
import { openRun, until } from '../harness/run.mjs'
import { password, startGateway, startSubject } from '../harness/subjects.mjs'

const run = openRun('interop.socketio.sessions')
const core = await startSubject(run, {})
const gateway = await startGateway(run, core, { reactors: 2, args: ['--sio.lab.enabled=true'] })

async function signIn () {
  const answer = await gateway.fetch('/gui/rest/session', { method: 'POST', body: JSON.stringify({ user: 'admin', password }), headers: { 'content-type': 'application/json' } })
  assert.ok(answer.ok, String(answer.status))
  const cookie = answer.headers.get('set-cookie').split(';')[0]
  const shown = await (await gateway.fetch('/gui/rest/session', { headers: { cookie } })).json()
  return { cookie, csrf: shown.csrf ?? shown.csrfToken ?? shown.token }
}
function connect (headers, transports) {
  const socket = io(gateway.origin + '/lab', { transports, forceNew: true, extraHeaders: headers })
  run.atEnd(() => socket.disconnect())
  return socket
}

for (const transport of ['polling', 'websocket']) {
  await run.story(`${transport}: a page of another origin may not use the session`, async () => {
    const { cookie } = await signIn()
    const socket = connect({ cookie, origin: 'http://elsewhere.example' }, [transport])
    const err = await new Promise(resolve => socket.once('connect_error', resolve))
    assert.ok(err)
    assert.equal(socket.connected, false)
    socket.disconnect()
  })

  await run.story(`${transport}: logging out ends the connection, and it does not come back by itself`, async () => {
    const { cookie, csrf } = await signIn()
    const [mine, other] = [connect({ cookie, origin: gateway.origin }, [transport]), connect({}, [transport])]
    await until('connected', () => mine.connected && other.connected)
    const gone = new Promise(resolve => mine.once('disconnect', resolve))
    const out = await gateway.fetch('/gui/rest/session', { method: 'DELETE', headers: { cookie, 'X-CSRF-TOKEN': csrf } })
    assert.ok(out.ok, String(out.status))
    assert.equal(await gone, 'io server disconnect')
    assert.ok(other.connected)
    other.disconnect()
  })
}
await gateway.stop()
await run.finish()
