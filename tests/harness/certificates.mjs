/* Certificates of a test's own, made by the openssl command. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'

function openssl (...args) {
  const done = spawnSync('openssl', args, { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`openssl ${args.join(' ')}: ${done.error ?? done.stderr}`)
}

/* An authority, and a certificate of it for NAMES ("DNS:localhost,IP:127.0.0.1"): { cert, key }, files in DIR. */
export function certificate (dir, label, names, ca = null) {
  const file = kind => path.join(dir, `${label}.${kind}`)
  if (ca === null) {
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', `/CN=${label}`,
      '-keyout', file('key'), '-out', file('crt'))
  } else {
    fs.writeFileSync(file('ext'), `subjectAltName=${names}\n`)
    openssl('req', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', `/CN=${label}`, '-keyout', file('key'), '-out', file('csr'))
    openssl('x509', '-req', '-in', file('csr'), '-CA', ca.cert, '-CAkey', ca.key, '-CAcreateserial', '-days', '2', '-extfile', file('ext'), '-out', file('crt'))
  }
  return { cert: file('crt'), key: file('key') }
}
