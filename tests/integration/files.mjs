/* integration.files: files in and out of real cores. Bytes in the database and in a directory; memory that does not grow with them;
 * ranges; uploads that break off; hostile forms; two cores on one PostgreSQL. */
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { Readable } from 'node:stream'
import { RawSocket } from '../harness/http.mjs'
import { startPostgres } from '../harness/postgres-server.mjs'
import { PythonSqlite } from '../harness/python-sqlite.mjs'
import { openRun, until } from '../harness/run.mjs'
import { signToken, startSubject } from '../harness/subjects.mjs'

const MB = 1 << 20
const run = openRun('integration.files')
const tmp = '/core/rest/files/tmp'
const ann = signToken({ sub: 'ann', profiles: [] })
const sha256 = bytes => crypto.createHash('sha256').update(bytes).digest('hex')
/* The sanitizer keeps what was freed: less of it, so that memory shows what the core holds. */
const env = { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=4:thread_local_quarantine_size_kb=64` }
const args = ['--file.max-size=64MB', '--file.max-transfers=20']

const directory = path.join(run.folder('contents'), 'files')
const inDatabase = await startSubject(run, { label: 'in-database', env, args })
const inDirectory = await startSubject(run, { label: 'in-directory', env, args: [...args, `--file.dir=${directory}`] })
const cores = [inDatabase, inDirectory]

const ask = (core, method, target, { token = ann, ...rest } = {}) => core.fetch(target, { method, token, ...rest })

function form (...parts) {
  const body = new FormData()
  for (const [name, content, file, type] of parts) {
    if (file === undefined) body.append(name, content)
    else body.append(name, new Blob([content], { type }), file)
  }
  return body
}

async function upload (core, content, { name = 'a.bin', type = '', token = ann } = {}) {
  const answer = await ask(core, 'POST', tmp, { token, body: form(['file', content, name, type]) })
  assert.equal(answer.status, 200, await answer.clone().text())
  return await answer.json()
}

const rows = (core, table) => new PythonSqlite(core.database).execute(`SELECT count(*) AS n FROM ${table}`).n
const filesBelow = dir => fs.existsSync(dir) ? fs.readdirSync(dir, { withFileTypes: true }).reduce((n, e) => n + (e.isDirectory() ? filesBelow(path.join(dir, e.name)) : 1), 0) : 0
const pieces = core => core === inDirectory ? filesBelow(directory) : rows(core, 'content_chunks')
const nothingIsLeft = core => until('nothing is left', () => rows(core, 'contents') === 0 && pieces(core) === 0, 30000)

const memory = core => Number(/^VmRSS:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${core.pid}/status`, 'utf8'))[1]) / 1024

async function figure (core, name) {
  const text = await (await ask(core, 'GET', '/core/actuator/prometheus', { token: core.token('write') })).text()
  const found = new RegExp(`^${name}(_total)? (\\d+)$`, 'm').exec(text)
  assert.ok(found, `there is no figure ${name}`)
  return Number(found[2])
}

/* ---- in and out ---- */

for (const core of cores) {
  await run.story(`${core.label}: what was uploaded is answered with its hash and comes back`, async () => {
    const bytes = crypto.randomBytes(700000)
    const file = await upload(core, bytes, { name: 'Rechnung "März" 文.pdf', type: 'application/pdf' })
    assert.match(file.id, /^tmp_[0-9a-f-]{36}$/)
    assert.deepEqual(file, { id: file.id, Name: 'Rechnung "März" 文.pdf', FormatCode: 'application/octet-stream', size: 700000, sha256: sha256(bytes) })
    const answer = await ask(core, 'GET', `${tmp}/${file.id}`)
    assert.equal(answer.status, 200)
    assert.equal(sha256(Buffer.from(await answer.arrayBuffer())), file.sha256)
    assert.equal(answer.headers.get('content-length'), '700000')
    assert.equal(answer.headers.get('etag'), `"${file.sha256}"`)
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
    assert.match(answer.headers.get('content-security-policy'), /^sandbox; default-src 'none'/)
    assert.equal(answer.headers.get('content-disposition'),
      'attachment; filename="Rechnung _M_rz_ _.pdf"; filename*=UTF-8\'\'Rechnung%20%22M%C3%A4rz%22%20%E6%96%87.pdf')
    const head = await ask(core, 'HEAD', `${tmp}/${file.id}`)
    assert.equal(head.status, 200)
    assert.equal(head.headers.get('content-length'), '700000')
    assert.equal((await ask(core, 'DELETE', `${tmp}/${file.id}`)).status, 204)
    assert.equal((await ask(core, 'DELETE', `${tmp}/${file.id}`)).status, 204)
    assert.equal((await ask(core, 'GET', `${tmp}/${file.id}`)).status, 404)
    await nothingIsLeft(core)
  })

  await run.story(`${core.label}: ranges`, async () => {
    const bytes = crypto.randomBytes(600001)
    const { id, sha256: hash } = await upload(core, bytes)
    const range = async (header, more = {}) => {
      const answer = await ask(core, 'GET', `${tmp}/${id}`, { headers: { range: header, ...more } })
      return { status: answer.status, range: answer.headers.get('content-range'), body: Buffer.from(await answer.arrayBuffer()) }
    }
    for (const [header, first, last] of [['bytes=0-0', 0, 0], ['bytes=262140-262150', 262140, 262150], ['bytes=600000-', 600000, 600000],
      ['bytes=-5', 599996, 600000], ['bytes=0-999999999', 0, 600000]]) {
      const answer = await range(header)
      assert.equal(answer.status, 206, header)
      assert.equal(answer.range, `bytes ${first}-${last}/600001`)
      assert.ok(answer.body.equals(bytes.subarray(first, last + 1)), header)
    }
    const none = await range('bytes=600001-')
    assert.deepEqual([none.status, none.range], [416, 'bytes */600001'])
    for (const header of ['bytes=0-1,5-6', 'lines=1-2', 'bytes=9-1']) assert.equal((await range(header)).body.length, 600001, header)
    assert.equal((await range('bytes=0-9', { 'if-range': `"${hash}"` })).status, 206)
    for (const other of [`"${hash.replace(/^./, 'x')}"`, `W/"${hash}"`, 'Sat, 31 Jan 2026 12:00:00 GMT']) {
      assert.equal((await range('bytes=0-9', { 'if-range': other })).status, 200, other)
    }
    const head = await ask(core, 'HEAD', `${tmp}/${id}`, { headers: { range: 'bytes=0-1' } })
    assert.deepEqual([head.status, head.headers.get('content-length')], [200, '600001'])
    await ask(core, 'DELETE', `${tmp}/${id}`)
  })

  await run.story(`${core.label}: memory does not grow with a file`, async () => {
    const block = crypto.randomBytes(MB)
    const n = 60
    const boundary = 'Boundary7'
    const hash = crypto.createHash('sha256')
    let most = 0
    async function * body () {
      yield Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="large.bin"\r\n\r\n`)
      for (let i = 0; i < n; i++) {
        block.writeUInt32BE(i, 0)
        hash.update(block)
        yield Buffer.from(block)
        most = Math.max(most, memory(core))
      }
      yield Buffer.from(`\r\n--${boundary}--\r\n`)
    }
    const warm = await upload(core, Buffer.alloc(20 * MB, 7))               /* what the database keeps in memory has its size now */
    await (await ask(core, 'GET', `${tmp}/${warm.id}`)).arrayBuffer()
    const before = memory(core)
    const answer = await fetch(core.origin + tmp, {
      method: 'POST', duplex: 'half', body: Readable.from(body()), headers: { token: ann, 'content-type': `multipart/form-data; boundary=${boundary}` }
    })
    assert.equal(answer.status, 200, await answer.clone().text())
    const file = await answer.json()
    assert.equal(file.size, n * MB)
    assert.equal(file.sha256, hash.digest('hex'))
    const back = crypto.createHash('sha256')
    let received = 0
    for await (const piece of (await fetch(`${core.origin}${tmp}/${file.id}`, { headers: { token: ann } })).body) {
      back.update(piece)
      received += piece.length
      if (received % (4 * MB) < piece.length) most = Math.max(most, memory(core))
    }
    assert.equal(received, n * MB)
    assert.equal(back.digest('hex'), file.sha256)
    console.log(`        ${core.label}: ${before.toFixed(1)} MB before, at most ${most.toFixed(1)} MB`)
    assert.ok(most - before < 16, `${before} MB before, ${most} MB then`)
    await ask(core, 'DELETE', `${tmp}/${file.id}`)
  })

  await run.story(`${core.label}: bytes that could begin a boundary hold nothing up`, async () => {
    const bytes = Buffer.alloc(3 * MB, 'x')
    for (let at = 262143; at < bytes.length; at += 262144) bytes[at] = 13       /* held back just where a chunk would be full */
    const { id, sha256: hash } = await upload(core, bytes)
    assert.equal(hash, sha256(bytes))
    await ask(core, 'DELETE', `${tmp}/${id}`)
  })

  await run.story(`${core.label}: nothing stays of an upload that breaks off`, async () => {
    const before = await figure(core, 'content_broken_off')
    const left = rows(core, 'content_files')
    const half = Buffer.concat([Buffer.from('--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'), crypto.randomBytes(3 * MB)])
    const head = `POST ${tmp} HTTP/1.1\r\nHost: x\r\ntoken: ${ann}\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: ${8 * MB}\r\n\r\n`
    const c = await RawSocket.open(core.port)
    c.write(head)
    c.write(half)
    await until('a part of it is stored', () => pieces(core) > 0)
    c.destroy()
    await until('its end was noticed', async () => await figure(core, 'content_broken_off') > before)
    assert.equal(rows(core, 'content_files'), left)
  })

  await run.story(`${core.label}: all is swept`, async () => {
    const { ids } = new PythonSqlite(core.database).execute('SELECT group_concat(id) AS ids FROM content_files')
    for (const id of ids?.split(',') ?? []) assert.equal((await ask(core, 'DELETE', `${tmp}/${id}`)).status, 204)
    await nothingIsLeft(core)
  })
}

/* ---- who may ---- */

await run.story('a temporary file is its owner\'s, in its scope', async () => {
  const { id } = await upload(inDatabase, 'mine')
  const others = [signToken({ sub: 'bob', profiles: [] }), signToken({ sub: 'ann', scope: 'OTHER', profiles: [] })]
  for (const token of others) {
    assert.equal((await ask(inDatabase, 'GET', `${tmp}/${id}`, { token })).status, 404)
    assert.equal((await ask(inDatabase, 'DELETE', `${tmp}/${id}`, { token })).status, 204, 'as if it were not there')
  }
  assert.equal((await ask(inDatabase, 'GET', `${tmp}/${id}`)).status, 200)
  assert.equal((await ask(inDatabase, 'GET', `${tmp}/${id}`, { token: 'none' })).status, 401)
  for (const odd of ['tmp_x', '..%2f..%2fetc%2fpasswd', 'tmp_00000000-0000-4000-8000-000000000000']) {
    assert.equal((await ask(inDatabase, 'GET', `${tmp}/${odd}`)).status, 404, odd)
  }
})

await run.story('what a file is, its bytes say', async () => {
  for (const [content, type, is, shown] of [['%PDF-1.7 x', 'text/html', 'application/pdf', 'inline'], ['<script>alert(1)</script>', 'text/html', 'text/html', 'attachment'],
    ['MZ\x90\x00', 'image/png', 'application/octet-stream', 'attachment'], ['hello', '', 'text/plain', 'inline'], ['<svg/>', 'image/svg+xml', 'image/svg+xml', 'attachment']]) {
    const file = await upload(inDatabase, content, { type })
    assert.equal(file.FormatCode, is, content)
    const answer = await ask(inDatabase, 'GET', `${tmp}/${file.id}`)
    assert.equal(answer.headers.get('content-type'), is)
    assert.ok(answer.headers.get('content-disposition').startsWith(shown), content)
  }
})

/* ---- hostile forms ---- */

const HEAD = '--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
const send = async (body, type = 'multipart/form-data; boundary=B') => {
  const answer = await ask(inDatabase, 'POST', tmp, { body, headers: { 'content-type': type } })
  return [answer.status, (await answer.json()).code]
}

await run.story('a form that is none, or not complete, is refused, and nothing stays', async () => {
  const before = rows(inDatabase, 'contents')
  for (const [body, type, status, code] of [
    ['{}', 'application/json', 415, 'U00400'], ['x', 'multipart/form-data', 415, 'U00400'], [undefined, undefined, 400, 'U00400'],
    ['nothing', undefined, 400, 'U00400'], [`${HEAD}half`, undefined, 400, 'U00400'], ['--B--\r\n', undefined, 400, 'U00400'],
    ['--B\r\nContent-Disposition: form-data; name="other"; filename="a"\r\n\r\nx\r\n--B--', undefined, 400, 'U00400'],
    ['--B\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\n\r\n--B--', undefined, 400, 'U00400'],
    [HEAD.replace('filename="a"', `filename="${'n'.repeat(513)}"`) + 'x\r\n--B--', undefined, 400, 'U00400'],
    [HEAD.replace('filename="a"', "filename*=UTF-8''a%00b") + 'x\r\n--B--', undefined, 400, 'U00400'],
    [HEAD.replace('\r\n\r\n', `\r\nX: ${'x'.repeat(9000)}\r\n\r\n`) + 'x\r\n--B--', undefined, 400, 'U00400'],
    [`${HEAD}one\r\n${HEAD}two\r\n--B--`, undefined, 413, 'U00413'],
    [HEAD + 'x'.repeat(3 * MB) + '\r\n--Bad', undefined, 400, 'U00400']
  ]) assert.deepEqual(await send(body, type), [status, code], String(body).slice(0, 80))
  await until('nothing stays', () => rows(inDatabase, 'contents') === before)
})

await run.story('the name of a file is no path', async () => {
  const answer = await ask(inDatabase, 'POST', tmp, {
    body: HEAD.replace('filename="a"', 'filename="../../etc/passwd"') + 'x\r\n--B--', headers: { 'content-type': 'multipart/form-data; boundary=B' }
  })
  assert.equal((await answer.json()).Name, 'passwd')
})

await run.story('a file that is too large is refused before it is sent, or while it is', async () => {
  const hits = await figure(inDatabase, 'limit_hit_file_max_size')
  const c = await RawSocket.open(inDatabase.port)
  c.write(`POST ${tmp} HTTP/1.1\r\nHost: x\r\ntoken: ${ann}\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: ${65 * MB}\r\nExpect: 100-continue\r\n\r\n`)
  assert.equal((await c.head()).status, 413)
  c.destroy()
  const [status, code] = await send(HEAD + 'x'.repeat(64 * MB + 1) + '\r\n--B--')
  assert.deepEqual([status, code], [413, 'U00413'])
  const [most] = await send(HEAD + 'x'.repeat(64 * MB) + '\r\n--B--')
  assert.equal(most, 200)
  assert.ok(await figure(inDatabase, 'limit_hit_file_max_size') >= hits + 2)
})

await run.story('a body without a length that does not end is cut, not swallowed', async () => {
  const c = await RawSocket.open(inDatabase.port)
  c.write(`POST ${tmp} HTTP/1.1\r\nHost: x\r\ntoken: ${ann}\r\nContent-Type: multipart/form-data; boundary=B\r\nTransfer-Encoding: chunked\r\n\r\n`)
  const chunk = Buffer.concat([Buffer.from((MB).toString(16) + '\r\n'), Buffer.alloc(MB), Buffer.from('\r\n')])
  for (let i = 0; i < 10 && !c.ended; i++) {
    c.write(chunk)
    await until('it was sent, or cut', () => c.ended || c.socket.writableLength === 0)
  }
  await until('it was cut', () => c.ended)
})

await run.story('there are only so many transfers at a time', async () => {
  const head = `POST ${tmp} HTTP/1.1\r\nHost: x\r\ntoken: ${ann}\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: 1000\r\n\r\n${HEAD}`
  const before = await figure(inDatabase, 'limit_hit_file_max_transfers')
  const slow = []
  for (let i = 0; i < 20; i++) {
    slow.push(await RawSocket.open(inDatabase.port))
    slow[i].write(head)
  }
  await until('all are under way', async () => await figure(inDatabase, 'content_transfers') === 20)
  const answer = await ask(inDatabase, 'POST', tmp, { body: form(['file', 'x', 'a']) })
  assert.equal(answer.status, 503)
  assert.ok(answer.headers.get('retry-after'))
  assert.equal(await figure(inDatabase, 'limit_hit_file_max_transfers'), before + 1)
  for (const c of slow) c.destroy()
  await until('there is room again', async () => await figure(inDatabase, 'content_transfers') === 0)
  await upload(inDatabase, 'x')
})

await run.story('bytes that are gone are an error, not an empty file', async () => {
  const { id } = await upload(inDirectory, 'x'.repeat(1000))
  for (const folder of fs.readdirSync(directory)) fs.rmSync(path.join(directory, folder), { recursive: true })
  const answer = await ask(inDirectory, 'GET', `${tmp}/${id}`)
  assert.deepEqual([answer.status, (await answer.json()).code], [500, 'T00702'])
  assert.ok(await figure(inDirectory, 'content_lost') > 0)
})

await run.story('both end well', async () => { for (const core of cores) await core.stop() })

/* ---- two cores ---- */

const pg = await startPostgres(run)
const [left, right] = await Promise.all(['left', 'right'].map(label => startSubject(run, { label, storeUrl: pg.url, args: ['--file.tmp.ttl=1h'] })))
const count = async table => Number((await pg.sql(`SELECT count(*) AS n FROM ${table}`))[0].n)

await run.story('what is uploaded at one core is read and removed at the other', async () => {
  const bytes = crypto.randomBytes(2 * MB)
  const file = await upload(left, bytes)
  const answer = await ask(right, 'GET', `${tmp}/${file.id}`)
  assert.equal(sha256(Buffer.from(await answer.arrayBuffer())), file.sha256)
  assert.equal((await ask(right, 'DELETE', `${tmp}/${file.id}`)).status, 204)
  assert.equal((await ask(left, 'GET', `${tmp}/${file.id}`)).status, 404)
  await until('nothing is left', async () => await count('contents') === 0 && await count('content_chunks') === 0)
})

await run.story('many uploads at both cores at once all arrive', async () => {
  const all = await Promise.all(Array.from({ length: 24 }, (_, i) => upload([left, right][i % 2], Buffer.alloc(300000 + i, i))))
  for (const [i, file] of all.entries()) assert.equal(file.sha256, sha256(Buffer.alloc(300000 + i, i)))
  assert.equal(await count('content_files'), 24)
})

await run.story('what a core left that was killed is removed by the other when it is due', async () => {
  const c = await RawSocket.open(left.port)
  c.write(`POST ${tmp} HTTP/1.1\r\nHost: x\r\ntoken: ${ann}\r\nContent-Type: multipart/form-data; boundary=B\r\nContent-Length: ${8 * MB}\r\n\r\n${HEAD}`)
  c.write(crypto.randomBytes(2 * MB))
  const open = 'contents WHERE due_ms > 0'
  await until('a part of it is stored', async () => await count(open) === 1 && await count('content_chunks') > 48)
  await left.kill()
  c.destroy()
  await pg.sql('UPDATE contents SET due_ms = 1 WHERE due_ms > 0')
  await pg.sql('UPDATE content_files SET expires_ms = 1')
  const { id } = await upload(right, 'x')
  await ask(right, 'DELETE', `${tmp}/${id}`)           /* which makes it look */
  await until('nothing is left', async () => await count('contents') === 0 && await count('content_chunks') === 0 && await count('content_files') === 0, 30000)
  await right.stop()
})

await run.finish()
