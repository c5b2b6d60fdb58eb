/* integration.ws: RFC 6455 at the echo endpoint, with the npm client where it can, with plain sockets where it cannot. */
import assert from 'node:assert/strict'
import { clientFrame, handshake, lengthBytes, openRawWebSocket, RawSocket } from '../harness/http.mjs'
import { QuietSocket } from '../harness/clients.mjs'
import { openRun, until } from '../harness/run.mjs'
import { startSubject } from '../harness/subjects.mjs'

const TEXT = 1; const BINARY = 2; const CLOSE = 8; const PING = 9; const PONG = 10
const run = openRun('integration.ws')
const core = await startSubject(run, { echo: true, reactors: 3, args: ['--ws.max-message=1MB'] })

const open = async () => {
  const { c, answer } = await openRawWebSocket(core.port, '/echo')
  assert.equal(answer.status, 101)
  return c
}

/* The server closes with CODE: a Close frame, then the end of TCP. */
async function refused (what, code, ...bytes) {
  const c = await open()
  for (const b of bytes) c.write(b)
  let f
  do f = await c.frame(); while (f.opcode !== CLOSE)
  assert.equal(f.payload.readUInt16BE(0), code, `${what}: code ${f.payload.readUInt16BE(0)} ${f.payload.subarray(2)}`)
  c.write(clientFrame(CLOSE, f.payload))
  await until(`${what}: TCP ends`, () => c.ended, 8000)
}

async function echoes (c, opcode, payload) {
  const f = await c.frame()
  assert.deepEqual([f.fin, f.rsv, f.opcode, f.masked], [1, 0, opcode, 0])
  assert.ok(f.payload.equals(Buffer.from(payload)), `payload of ${f.payload.length} bytes`)
}

await run.story('the handshake answers with the right key and no extension or protocol that was not asked for', async () => {
  const { c, answer } = await openRawWebSocket(core.port, '/echo', {
    headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits', 'Sec-WebSocket-Protocol': 'chat' }
  })
  assert.equal(answer.status, 101)
  assert.equal(answer.headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  assert.equal(answer.headers['sec-websocket-extensions'], undefined)
  assert.equal(answer.headers['sec-websocket-protocol'], undefined)
  c.destroy()
})

await run.story('bad handshakes are refused: version 426, key, method, missing upgrade 4xx', async () => {
  const bad = [
    [{ version: '8' }, 426], [{ version: '12' }, 426], [{ key: 'short' }, 400], [{ key: 'x'.repeat(24) + '==' }, 400],
    [{ headers: { 'Sec-WebSocket-Key': null } }, 400], [{ method: 'POST' }, [400, 405]],
    [{ headers: { Upgrade: null, Connection: null } }, [400, 426]]
  ]
  for (const [options, want] of bad) {
    const { c, answer } = await openRawWebSocket(core.port, '/echo', options)
    assert.ok([want].flat().includes(answer.status), `${JSON.stringify(options)}: ${answer.status}`)
    if (options.version) assert.equal(answer.headers['sec-websocket-version'], '13', JSON.stringify(answer))
    c.destroy()
  }
})

await run.story('text and binary of every length form come back', async () => {
  const ws = new QuietSocket(`ws://127.0.0.1:${core.port}/echo`, { perMessageDeflate: false })
  const got = []
  ws.on('message', (data, binary) => got.push([Buffer.from(data), binary]))
  await until('open', () => ws.readyState === 1)
  const lengths = [0, 1, 125, 126, 127, 65535, 65536, 1000000]
  for (const n of lengths) {
    ws.send(Buffer.alloc(n, 0xfe), { binary: true })
    ws.send('é'.repeat(n / 2), { binary: false })
  }
  await until('all are back', () => got.length === lengths.length * 2)
  lengths.forEach((n, i) => {
    assert.ok(got[2 * i][1] && got[2 * i][0].equals(Buffer.alloc(n, 0xfe)))
    assert.ok(!got[2 * i + 1][1] && got[2 * i + 1][0].toString() === 'é'.repeat(n / 2))
  })
  ws.close(3001, 'bye')
  const closed = await new Promise(resolve => ws.on('close', (code, reason) => resolve([code, String(reason)])))
  assert.equal(closed[0], 3001, 'a Close is answered with its code')
})

await run.story('a message may come in fragments, with control frames between them, cut at any byte', async () => {
  const c = await open()
  const bytes = Buffer.concat([
    clientFrame(TEXT, 'grü'.slice(0, 2), { fin: 0 }), clientFrame(PING, 'hello'), clientFrame(0, '', { fin: 0 }),
    clientFrame(0, Buffer.from([0xc3]), { fin: 0 }), clientFrame(PONG, 'unasked'), clientFrame(0, Buffer.from([0xbc]))
  ])
  for (const b of bytes) c.write(Buffer.from([b]))
  await echoes(c, PONG, 'hello')
  await echoes(c, TEXT, 'grü')
  c.destroy()
})

await run.story('a message in very many fragments is put together', async () => {
  const c = await open()
  c.write(clientFrame(BINARY, 'x', { fin: 0 }))
  c.write(Buffer.concat(Array.from({ length: 20000 }, () => clientFrame(0, 'y', { fin: 0 }))))
  c.write(clientFrame(0, 'z'))
  await echoes(c, BINARY, 'x' + 'y'.repeat(20000) + 'z')
  c.destroy()
})

await run.story('the handshake and the first frames may arrive in one piece', async () => {
  const c = await RawSocket.open(core.port)
  c.write(Buffer.concat([Buffer.from(handshake('/echo')), clientFrame(TEXT, 'early'), clientFrame(TEXT, 'bird')]))
  assert.equal((await c.head()).status, 101)
  await echoes(c, TEXT, 'early')
  await echoes(c, TEXT, 'bird')
  c.destroy()
})

await run.story('pings are answered with their payload, up to 125 bytes', async () => {
  const c = await open()
  c.write(clientFrame(PING))
  await echoes(c, PONG, '')
  c.write(clientFrame(PING, 'p'.repeat(125)))
  await echoes(c, PONG, 'p'.repeat(125))
  c.destroy()
})

const violations = [
  ['an unmasked frame', clientFrame(TEXT, 'x', { mask: false })],
  ['a reserved bit', clientFrame(TEXT, 'x', { rsv: 4 })],
  ['a reserved opcode', clientFrame(3, 'x')],
  ['a reserved control opcode', clientFrame(11, 'x')],
  ['a fragmented ping', clientFrame(PING, 'x', { fin: 0 })],
  ['a long ping', clientFrame(PING, 'x'.repeat(126))],
  ['a stray continuation', clientFrame(0, 'x')],
  ['a new message inside another', clientFrame(TEXT, 'a', { fin: 0 }), clientFrame(TEXT, 'b')],
  ['a length of 16 bits that fits in 7', clientFrame(TEXT, 'x', { form: '16' })],
  ['a length of 64 bits that fits in 16', clientFrame(TEXT, 'x'.repeat(200), { form: '64' })],
  ['a length with the top bit', Buffer.concat([Buffer.from([0x82, 0xff]), Buffer.from('8000000000000001', 'hex'), Buffer.alloc(4)])],
  ['a Close body of one byte', clientFrame(CLOSE, 'x')],
  ...[0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535].map(code =>
    [`close code ${code}`, clientFrame(CLOSE, Buffer.from([code >> 8, code & 255]))])
]
await run.story('violations of the framing are closed with 1002', async () => {
  for (const [what, ...bytes] of violations) await refused(what, 1002, ...bytes)
})

await run.story('text that is not UTF-8 is closed with 1007, as soon as the bad byte has come', async () => {
  for (const bad of ['c0af', 'eda080', 'f4908080', 'ff', '61c328', 'e28228']) {
    await refused(bad, 1007, clientFrame(TEXT, Buffer.from(bad, 'hex')))
  }
  await refused('cut at the end', 1007, clientFrame(TEXT, Buffer.from('c3', 'hex')))
  await refused('in an unfinished message', 1007, clientFrame(TEXT, Buffer.from('ff', 'hex'), { fin: 0 }))
  await refused('a reason that is not UTF-8', 1007, clientFrame(CLOSE, Buffer.from('03e8ff', 'hex')))
})

await run.story('each valid close code is answered with itself, none with an empty or 1000 Close', async () => {
  for (const code of [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 3999, 4000, 4999]) {
    const c = await open()
    c.write(clientFrame(CLOSE, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from('ü')])))
    const f = await c.frame()
    assert.equal(f.opcode, CLOSE)
    assert.equal(f.payload.readUInt16BE(0), code)
    await until('TCP ends', () => c.ended, 8000)
  }
  const c = await open()
  c.write(clientFrame(CLOSE))
  const f = await c.frame()
  assert.equal(f.opcode, CLOSE)
  assert.ok(f.payload.length === 0 || f.payload.readUInt16BE(0) === 1000)
})

await run.story('nothing comes after a Close, not even a pong', async () => {
  const c = await open()
  c.write(Buffer.concat([clientFrame(CLOSE, Buffer.from([3, 232])), clientFrame(PING, 'late'), clientFrame(TEXT, 'late')]))
  assert.equal((await c.frame()).opcode, CLOSE)
  await until('TCP ends', () => c.ended, 8000)
  assert.equal(c.bytes.length, 0)
})

await run.story('a message above the limit is closed with 1009, in one frame (before its bytes come) or in fragments', async () => {
  await refused('one frame', 1009, Buffer.concat([Buffer.from([0x82, 0xff]), lengthBytes(1 << 30), Buffer.alloc(4)]))
  await refused('fragments', 1009, clientFrame(BINARY, Buffer.alloc(600000), { fin: 0 }), clientFrame(0, Buffer.alloc(600000)))
})

await run.story('a flood of control frames is closed with 1008', async () => {
  await refused('pings', 1008, Buffer.concat(Array.from({ length: 5000 }, () => clientFrame(PING, 'x'))))
})

await run.story('a client that vanishes leaves nothing behind', async () => {
  const all = await Promise.all(Array.from({ length: 50 }, open))
  for (const c of all) c.socket.resetAndDestroy()
  const c = await open()
  c.write(clientFrame(TEXT, 'alive'))
  await echoes(c, TEXT, 'alive')
  c.destroy()
})

await run.story('the echo endpoint is absent unless it is switched on', async () => {
  const plain = await startSubject(run, { label: 'plain' })
  const { c, answer } = await openRawWebSocket(plain.port, '/echo')
  assert.equal(answer.status, 404)
  c.destroy()
  await plain.stop()
})

await run.finish()
