/* integration.archive-s3: the archive in an S3-compatible store, with every signature worked out anew and with trouble on the way. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import crypto from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import readline from 'node:readline'
import { buildDir, openRun, until } from '../harness/run.mjs'
import { startS3 } from '../harness/s3.mjs'

const run = openRun('integration.archive-s3')
const dir = run.folder('files')
const account = { bucket: 'umbel-test', accessKey: 'AKIDTEST', secretKey: 'secret/with+signs=', region: 'eu-test-1' }
const s3 = await startS3(run, account)
const tool = path.join(process.env.UMBEL_BIN ?? path.join(buildDir(), 'bin'), 'archive_tool')
let files = 0

/* One archive process. Calls answer with [error, ...more]. */
function openArchive (options = {}) {
  const conf = { url: `s3://${account.bucket}/pre fix?region=${account.region}`, 's3.endpoint': `http://127.0.0.1:${s3.port}`,
    's3.access-key': account.accessKey, 's3.secret-key': account.secretKey, timeout: '20s', ...options }
  const child = spawn(tool, Object.entries(conf).map(([k, v]) => `--archive.${k}=${v}`), {
    stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, no_proxy: '*' }
  })
  const waiting = new Map()
  const archive = { log: '', exit: null }
  let number = 0
  child.stderr.on('data', d => { archive.log += d })
  child.on('exit', code => { archive.exit = code; for (const w of waiting.values()) w(['the tool is gone', archive.log]) })
  readline.createInterface({ input: child.stdout }).on('line', line => {
    const [n, ...answer] = line.split('\t')
    waiting.get(n)(answer)
    waiting.delete(n)
  })
  run.atEnd(() => child.kill('SIGKILL'))
  const call = (...fields) => new Promise(resolve => {
    waiting.set(String(++number), resolve)
    child.stdin.write([number, ...fields].join('\t') + '\n')
  })
  archive.put = async (key, bytes) => {
    const file = path.join(dir, `in-${++files}`)
    fs.writeFileSync(file, bytes)
    return (await call('put', key, file))[0]
  }
  archive.get = async (key, max = 1 << 30) => {
    const file = path.join(dir, `out-${++files}`)
    const [err] = await call('get', key, max, file)
    return [err, err === 'ok' ? fs.readFileSync(file) : null]
  }
  archive.delete = async key => (await call('delete', key))[0]
  archive.list = async (prefix, after, max) => {
    const [err, next, ...rest] = await call('list', prefix, after, max)
    const entries = []
    for (let i = 0; i < rest.length; i += 3) entries.push({ key: rest[i], bytes: Number(rest[i + 1]), at: Number(rest[i + 2]) })
    return { err, next, keys: entries.map(e => e.key), entries }
  }
  archive.probe = async () => (await call('probe'))[0]
  archive.counter = async name => Number((await call('counter', name))[0])
  archive.close = async () => {
    child.stdin.end()
    await until('the tool ends', () => archive.exit !== null)
    assert.equal(archive.exit, 0, archive.log)
  }
  return archive
}

/* FN with what has come meanwhile; no fault may be left over. */
async function observed (fn) {
  s3.requests.length = 0
  s3.faults.length = 0
  await fn()
  assert.equal(s3.broken, undefined)
  assert.deepEqual(s3.faults.filter(f => f.times > 0 && Number.isFinite(f.times)), [])
  return s3.requests.slice()
}
const isPut = rq => rq.method === 'PUT'
const isGet = rq => rq.method === 'GET'
const a = openArchive()
run.atEnd(() => fs.writeFileSync(path.join(run.dir, 'archive.log'), a.log))

await run.story('what was put comes back, is replaced, is gone after its deletion; every request is signed right', async () => {
  const seen = await observed(async () => {
    assert.equal(await a.put('doc/1', 'hello'), 'ok')
    assert.deepEqual(await a.get('doc/1'), ['ok', Buffer.from('hello')])
    assert.equal(await a.put('doc/1', 'other'), 'ok')
    assert.equal((await a.get('doc/1'))[1].toString(), 'other')
    assert.equal(await a.delete('doc/1'), 'ok')
    assert.equal((await a.get('doc/1'))[0], 'not found')
    assert.equal(await a.delete('doc/1'), 'ok')
    assert.equal(await a.probe(), 'ok')
  })
  assert.ok(seen.length >= 10)
  assert.deepEqual(seen.filter(r => r.refused), [])
  assert.ok(seen.every(r => !r.virtual && r.path.startsWith(`/${account.bucket}/pre%20fix/`)))
  assert.ok(seen.filter(isPut).every(r => r.headers['x-amz-checksum-crc32c'] && r.headers['x-amz-meta-umbel-crc32c']))
})

await run.story('keys with blanks, signs and umlauts', async () => {
  const keys = ['a b', 'a+b', 'a%20b', '100%', 'ü/ß/語', "x'(y)*!", 'a&b=c;d', 'q?r#s', 'tilde~-._', '...', '\u{1f344}/a@b:c,d$']
  const seen = await observed(async () => {
    for (const key of keys) assert.equal(await a.put(key, key), 'ok', key)
    for (const key of keys) assert.equal(String((await a.get(key))[1]), key)
    for (const key of keys) assert.deepEqual((await a.list(key, '', 10)).keys, [key])
    for (const key of keys) assert.equal(await a.delete(key), 'ok')
  })
  assert.deepEqual(seen.filter(r => r.refused), [])
})

await run.story('a key too long together with the prefix is refused here', async () => {
  const long = Array(8).fill('k'.repeat(126)).join('/')           // 1015 bytes and those of "pre fix/"
  const seen = await observed(async () => {
    assert.equal(await a.put(long + 'k', 'x'), 'ok')
    assert.equal(await a.put(long + 'kk', 'x'), 'invalid argument')
    assert.equal(await a.counter('archive.unhealthy'), 0)
  })
  assert.equal(seen.length, 1)
})

await run.story('the bucket in the name of the host', async () => {
  const host = openArchive({ 's3.endpoint': `http://localhost:${s3.port}`, 's3.path-style': 'false' })
  const seen = await observed(async () => {
    assert.equal(await host.put('vh/ü', 'virtual'), 'ok')
    assert.equal(String((await a.get('vh/ü'))[1]), 'virtual')
    assert.deepEqual((await host.list('vh/', '', 10)).keys, ['vh/ü'])
    assert.equal(await host.delete('vh/ü'), 'ok')
  })
  assert.deepEqual(seen.filter(r => r.refused), [])
  assert.equal(seen.filter(r => r.virtual && r.headers.host === `${account.bucket}.localhost:${s3.port}`).length, 3)
  await host.close()
})

await run.story('a wrong secret is denied at once, and no secret is in the log', async () => {
  const wrong = openArchive({ 's3.secret-key': 'not-the-secret' })
  const seen = await observed(async () => {
    assert.equal(await wrong.put('w', 'x'), 'denied')
    assert.equal(await wrong.probe(), 'denied')
  })
  assert.deepEqual(seen.map(r => r.refused), ['signature', 'signature'])
  assert.match(wrong.log, /SignatureDoesNotMatch/)
  assert.doesNotMatch(wrong.log + a.log, /not-the-secret|with\+signs/)
  await wrong.close()
})

await run.story('20 MB go in parts and come back', async () => {
  const large = crypto.randomBytes(20 << 20)
  const seen = await observed(async () => {
    assert.equal(await a.put('large/one', large), 'ok')
    const [err, back] = await a.get('large/one')
    assert.equal(err, 'ok')
    assert.ok(back.equals(large))
    assert.equal((await a.get('large/one', (20 << 20) - 1))[0], 'limit exceeded')
  })
  assert.deepEqual(seen.filter(isPut).map(r => [r.query.get('partNumber'), r.bytes]),
    [['1', 8 << 20], ['2', 8 << 20], ['3', 4 << 20]])
  assert.deepEqual(seen.filter(r => r.refused), [])
  assert.equal(await a.counter('archive.multiparts'), 1)
})

await run.story('parts are given up at the store when one cannot be sent, and the old object stands', async () => {
  const seen = await observed(async () => {
    assert.equal(await a.put('large/two', 'old'), 'ok')
    s3.faults.push({ when: rq => rq.query.get('partNumber') === '2', times: 1, status: 403, code: 'AccessDenied' })
    assert.equal(await a.put('large/two', Buffer.alloc(20 << 20, 1)), 'denied')
    assert.equal(String((await a.get('large/two'))[1]), 'old')
  })
  assert.equal(seen.filter(r => r.method === 'DELETE' && r.query.has('uploadId')).length, 1)
  assert.equal(await a.counter('archive.aborted'), 1)
})

await run.story('a completion whose answer is lost is found to be done', async () => {
  const large = Buffer.alloc(9 << 20, 7)
  const seen = await observed(async () => {
    const completes = rq => rq.method === 'POST' && rq.query.has('uploadId')
    s3.faults.push({ when: completes, times: 1, after: true }, { when: completes, times: 1, status: 404, code: 'NoSuchUpload' })
    assert.equal(await a.put('large/three', large), 'ok')
    assert.ok((await a.get('large/three'))[1].equals(large))
  })
  assert.equal(seen.filter(r => r.method === 'HEAD').length, 1)
  assert.equal(seen.filter(r => r.method === 'DELETE').length, 0)
})

await run.story('a completion that fails with status 200 is a failure', async () => {
  const seen = await observed(async () => {
    s3.faults.push({ when: rq => rq.method === 'POST' && rq.query.has('uploadId'), times: 1,
      reply: [200, '<Error><Code>InternalError</Code></Error>'] })
    assert.equal(await a.put('large/four', Buffer.alloc(9 << 20, 7)), 'unavailable')
    assert.equal((await a.get('large/four'))[0], 'not found')
  })
  assert.equal(seen.filter(r => r.method === 'DELETE' && r.query.has('uploadId')).length, 1)
})

await run.story('a server in trouble twice, a connection cut in the middle and a lost answer are got over', async () => {
  const before = await a.counter('archive.retries')
  const seen = await observed(async () => {
    s3.faults.push({ when: isPut, times: 1, status: 500 }, { when: isPut, times: 1, status: 503, code: 'SlowDown' },
      { when: isPut, times: 1, after: true })
    assert.equal(await a.put('r', 'x'.repeat(100000)), 'ok')
    s3.faults.push({ when: isGet, times: 1, status: 429 }, { when: isGet, times: 2, cut: 50000 })
    assert.equal(String((await a.get('r'))[1]), 'x'.repeat(100000))
    s3.faults.push({ when: rq => rq.method === 'DELETE', times: 2, after: true })
    assert.equal(await a.delete('r'), 'ok')
    assert.equal((await a.get('r'))[0], 'not found')
  })
  assert.equal(seen.length, 12)
  assert.ok(await a.counter('archive.retries') - before >= 5)      // libcurl repeats some by itself
})

await run.story('trouble that stays is told after the last try; health says so and recovers', async () => {
  const once = openArchive({ retries: 2 })
  const seen = await observed(async () => {
    s3.faults.push({ when: isPut, times: 3, status: 500 })
    assert.equal(await once.put('r', 'x'), 'unavailable')
    assert.equal(await once.counter('archive.unhealthy'), 1)
    assert.equal(await once.put('r', 'x'), 'ok')
    assert.equal(await once.counter('archive.unhealthy'), 0)
  })
  assert.equal(seen.length, 4)
  await once.close()
})

await run.story('a server that does not answer ends by the timeout', async () => {
  const hasty = openArchive({ timeout: '300ms', retries: 1 })
  const seen = await observed(async () => {
    s3.faults.push({ when: isGet, times: 2, stall: true })
    assert.equal((await hasty.get('r'))[0], 'timed out')
  })
  assert.equal(seen.length, 2)
  await hasty.close()
})

await run.story('closing does not wait for a server that does not answer', async () => {
  const stuck = openArchive({ timeout: '10m' })
  await observed(async () => {
    s3.faults.push({ when: isGet, times: 1, stall: true })
    stuck.get('r')
    await until('the request is there', () => s3.requests.length === 1)
    await stuck.close()
  })
})

await run.story('bytes that are not those that were put are damage, by either checksum', async () => {
  const flip = body => { const b = Buffer.from(body); b[3] ^= 1; return b }
  await observed(async () => {
    assert.equal(await a.put('d', 'undamaged'), 'ok')
    s3.faults.push({ when: isGet, times: 2, change: flip })
    assert.equal((await a.get('d'))[0], 'stored data is damaged')
    s3.faults.push({ when: isGet, times: 1, change: flip })       // on the way: the second reading is right
    assert.equal(String((await a.get('d'))[1]), 'undamaged')
    s3.faults.push({ when: isGet, times: 2, header: ['x-amz-meta-umbel-crc32c', null] })
    assert.equal((await a.get('d'))[0], 'stored data is damaged')
    s3.faults.push({ when: isGet, times: 2, header: ['x-amz-checksum-crc32c', 'AAAAAA=='] })
    assert.equal((await a.get('d'))[0], 'stored data is damaged')
    s3.faults.push({ when: isGet, times: 1, header: ['x-amz-checksum-crc32c', 'AAAAAA==-3'] })
    assert.equal((await a.get('d'))[0], 'ok')
  })
  assert.equal(await a.counter('archive.corrupt'), 3)
  assert.equal(await a.counter('archive.unhealthy'), 0)
})

await run.story('a redirect is not followed, a missing bucket is not a missing object, nonsense is refused', async () => {
  await observed(async () => {
    s3.faults.push({ when: isGet, times: 1, status: 307, code: 'TemporaryRedirect' })
    assert.equal((await a.get('d'))[0], 'malformed input')
    s3.faults.push({ when: isGet, times: 1, status: 404, code: 'NoSuchBucket' })
    assert.equal((await a.get('d'))[0], 'unavailable')
    for (const body of ['', 'not XML', '<a/>', '<!DOCTYPE a [<!ENTITY b "c">]><ListBucketResult>&b;</ListBucketResult>',
      '<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>']) {
      s3.faults.push({ when: isGet, times: 1, reply: [200, body] })
      assert.equal((await a.list('', '', 10)).err, 'malformed input', body)
    }
    s3.faults.push({ when: rq => rq.method === 'POST', times: 1, reply: [200, '<InitiateMultipartUploadResult/>'] })
    assert.equal(await a.put('n', Buffer.alloc(9 << 20)), 'malformed input')
  })
})

await run.story('a list pages through the keys below a prefix, in order', async () => {
  await observed(async () => {
    const keys = ['l/a', 'l/b/1', 'l/b/2', 'l/c d', 'l/ü']
    for (const key of keys) assert.equal(await a.put(key, key), 'ok')
    const all = []
    for (let next = ''; ;) {
      const page = await a.list('l/', next, 2)
      assert.equal(page.err, 'ok')
      all.push(...page.entries)
      next = page.next
      if (next === '') break
    }
    assert.deepEqual(all.map(e => e.key), keys)
    assert.deepEqual(all.map(e => e.bytes), keys.map(k => Buffer.byteLength(k)))
    assert.ok(all.every(e => Math.abs(e.at - Date.now()) < 3600000))
    assert.deepEqual((await a.list('l/b', 'l/b/1', 10)).keys, ['l/b/2'])
  })
})

await run.story('a server that is not there is unavailable', async () => {
  const nowhere = openArchive({ 's3.endpoint': 'http://127.0.0.1:1', retries: 1 })
  assert.equal(await nowhere.probe(), 'unavailable')
  await nowhere.close()
})

await a.close()
await run.finish()
