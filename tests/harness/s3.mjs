/* An S3 store for tests: s3rver, which believes every signature, behind a gate that works each out anew and refuses wrong ones.
 * The gate also makes trouble: what a test puts into `faults` happens to the requests that match, in order.
 *
 *   const s3 = await startS3(run, { bucket: 'archive', accessKey: 'K', secretKey: 'S', region: 'eu-test-1' })
 *   s3.faults.push({ when: rq => rq.method === 'PUT', times: 2, status: 503 })
 *   s3.requests                           what has come: method, path, query (Map), headers, bytes, verdict
 *
 * A fault: { when, times, and one of status (with code), cut: bytes of the answer before the connection ends, change: body =>
 * body, stall: true (no answer), after: true (the request is carried out, then the connection ends), header: [name, value]
 * (of the answer; null: leaves it out), reply: [status, body] } */
import crypto from 'node:crypto'
import http from 'node:http'
import S3rver from 's3rver'

/* s3rver makes its continuation tokens with DES, which OpenSSL 3 has put away; three times the same key is the same. */
for (const name of ['createCipheriv', 'createDecipheriv']) {
  const make = crypto[name]
  crypto[name] = (cipher, key, iv, ...rest) =>
    cipher === 'des' ? make('des-ede3-cbc', Buffer.concat([key, key, key]), iv) : make(cipher, key, iv, ...rest)
}

const sha256 = data => crypto.createHash('sha256').update(data).digest('hex')
const hmac = (key, data) => crypto.createHmac('sha256', key).update(data).digest()
/* As the signature wants it: every byte but the unreserved ones, in upper case. */
const encode = text => encodeURIComponent(text).replace(/[!'()*]/g, c => '%' + c.charCodeAt(0).toString(16).toUpperCase())
const sortPairs = (a, b) => a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0

/* The canonical request of RQ, from what it means rather than from how it was written. */
function canonicalRequest (rq, signed) {
  const [path, query = ''] = rq.url.split('?')
  const pairs = query === '' ? [] : query.split('&').map(p => p.split('=', 2).map(t => decodeURIComponent(t ?? '')))
  return [rq.method, path.split('/').map(s => encode(decodeURIComponent(s))).join('/'),
    pairs.map(p => [encode(p[0]), encode(p[1] ?? '')]).sort(sortPairs).map(p => p.join('=')).join('&'),
    ...signed.map(name => `${name}:${String(rq.headers[name] ?? '').trim().replace(/ +/g, ' ')}`), '',
    signed.join(';'), rq.headers['x-amz-content-sha256']].join('\n')
}

/* Why the request is to be refused, or null. */
export function judgeSignature (rq, body, { accessKey, secretKey, region }) {
  const found = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/
    .exec(rq.headers.authorization ?? '')
  if (!found) return 'no authorization of version 4'
  const [, key, day, place, names, signature] = found
  const at = rq.headers['x-amz-date'] ?? ''
  const signed = names.split(';')
  if (key !== accessKey) return 'unknown access key'
  if (place !== region) return `signed for ${place}`
  if (!/^\d{8}T\d{6}Z$/.test(at) || !at.startsWith(day)) return 'date'
  if (rq.headers['x-amz-content-sha256'] !== sha256(body)) return 'content hash'
  const must = ['host', ...Object.keys(rq.headers).filter(n => n.startsWith('x-amz-'))]
  if (!must.every(n => signed.includes(n))) return `not signed: ${must.filter(n => !signed.includes(n))}`
  const scope = `${day}/${region}/s3/aws4_request`
  const text = ['AWS4-HMAC-SHA256', at, scope, sha256(canonicalRequest(rq, signed))].join('\n')
  const signingKey = ['aws4_request'].reduce(hmac, hmac(hmac(hmac('AWS4' + secretKey, day), region), 's3'))
  return hmac(signingKey, text).toString('hex') === signature ? null : 'signature'
}

/* CRC-32C, so that the gate compares checksums as a server that knows them does. */
const table = Array.from({ length: 256 }, (_, n) => {
  for (let i = 0; i < 8; i++) n = n & 1 ? (n >>> 1) ^ 0x82f63b78 : n >>> 1
  return n >>> 0
})
export function crc32c (bytes) {
  let crc = 0xffffffff
  for (const b of bytes) crc = table[(crc ^ b) & 0xff] ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}
const crcText = bytes => Buffer.from(crc32c(bytes).toString(16).padStart(8, '0'), 'hex').toString('base64')

const errorXml = code => `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>by the gate</Message></Error>`
const read = stream => new Promise((resolve, reject) => {
  const parts = []
  stream.on('data', d => parts.push(d)).on('end', () => resolve(Buffer.concat(parts))).on('error', reject)
})

export async function startS3 (run, options) {
  const { bucket } = options
  const server = new S3rver({ port: 0, address: '127.0.0.1', silent: true, directory: run.folder('s3'),
    configureBuckets: [{ name: bucket }], allowMismatchedSignatures: true, vhostBuckets: false })
  const { port: inner } = await server.run()
  run.atEnd(() => server.close())
  const s3 = { requests: [], faults: [], bucket }

  const takeFault = rq => {
    const fault = s3.faults.find(f => f.times > 0 && f.when(rq))
    if (fault) fault.times--
    return fault
  }
  /* s3rver sees its own access key, and the bucket in the path. */
  const forward = (rq, body) => new Promise((resolve, reject) => {
    const headers = { ...rq.headers, host: `127.0.0.1:${inner}`,
      authorization: rq.headers.authorization.replace(/Credential=[^/]+/, 'Credential=S3RVER') }
    const out = http.request({ port: inner, host: '127.0.0.1', method: rq.method, path: rq.inBucket, headers }, async answer => {
      resolve({ status: answer.statusCode, headers: answer.headers, body: await read(answer) })
    })
    out.on('error', reject)
    out.end(body)
  })
  const send = (rs, status, headers, body, isHead) => {
    const copy = { ...headers }
    delete copy['transfer-encoding']
    rs.writeHead(status, isHead ? copy : { ...copy, 'content-length': body.length })
    rs.end(isHead ? undefined : body)
  }
  const refuse = (rs, status, code) => send(rs, status, { 'content-type': 'application/xml' }, Buffer.from(errorXml(code)))

  const carryOut = async (rq, body) => {
    /* s3rver does not know how to give up parts: it would delete the object. */
    if (rq.method === 'DELETE' && rq.query.has('uploadId')) return { status: 204, headers: {}, body: Buffer.alloc(0) }
    return forward(rq, body)
  }

  const handle = async (rq, rs) => {
    const body = await read(rq)
    const [path, query] = rq.url.split('?')
    const virtual = rq.headers.host.startsWith(`${bucket}.`)
    rq.inBucket = virtual ? `/${bucket}${rq.url}` : rq.url
    rq.query = new URLSearchParams(query)
    const refused = judgeSignature(rq, body, options)
    s3.requests.push({ method: rq.method, path, query: rq.query, headers: rq.headers, bytes: body.length, refused, virtual })
    if (refused) return refuse(rs, 403, 'SignatureDoesNotMatch')
    const given = rq.headers['x-amz-checksum-crc32c']
    if (given && given !== crcText(body)) return refuse(rs, 400, 'BadDigest')
    const fault = takeFault(rq)
    if (fault?.stall) return
    if (fault?.status) return refuse(rs, fault.status, fault.code ?? 'InternalError')
    if (fault?.reply) return send(rs, fault.reply[0], {}, Buffer.from(fault.reply[1]))
    const answer = await carryOut(rq, body)
    if (fault?.after) return rs.destroy()
    if (fault?.change) answer.body = fault.change(answer.body)
    if (fault?.header) {
      const [name, value] = fault.header
      if (value === null) delete answer.headers[name]
      else answer.headers[name] = value
    }
    if (fault?.cut !== undefined) {
      rs.writeHead(answer.status, { ...answer.headers, 'content-length': answer.body.length })
      rs.write(answer.body.subarray(0, fault.cut), () => rs.destroy())
      return
    }
    send(rs, answer.status, answer.headers, answer.body, rq.method === 'HEAD')
  }
  const gate = http.createServer((rq, rs) => handle(rq, rs).catch(err => { s3.broken = err; rs.destroy() }))
  await new Promise(resolve => gate.listen(0, '127.0.0.1', resolve))
  run.atEnd(() => { gate.closeAllConnections?.(); gate.close() })
  s3.port = gate.address().port
  return s3
}
