/* REST: requests per second and processor time of one, and of nginx serving a static file as long as the read's answer, in the
 * same run by the same load generator.
 *   rest [--quick] [--case read]
 * One reactor, one nginx worker, SQLite, 32 connections that stay open; medians of three runs. Release build unless UMBEL_BUILD says
 * otherwise. What `search` asks: a class, two tags and a word, of so many documents as `documents` says. */
import fs from 'node:fs'
import path from 'node:path'
import { spawn, spawnSync } from 'node:child_process'
import { root } from '../harness/run.mjs'

process.env.UMBEL_BUILD ??= path.join(root, 'build/release')
const { openRun, until } = await import('../harness/run.mjs')
const { freePorts } = await import('../harness/redis-server.mjs')
const { signToken, startSubject } = await import('../harness/subjects.mjs')
const { billBetween, billOf, bin, median, option, versionsOf } = await import('./measure.mjs')

const quick = process.argv.includes('--quick')
const only = option('--case')
const runs = 3
const seconds = quick ? 2 : 6
const documents = quick ? 2000 : 20000
const connections = 32
const run = openRun('bench.rest')
const dir = run.folder('rest')
const scope = 'Bench'
const token = signToken({ sub: 'ann', scope, profiles: ['ADMIN'] })

/* ---- the two servers ---- */

const core = await startSubject(run, { kind: 'umbel' })

async function call (method, target, json, as = token) {
  const answer = await core.fetch('/core/rest' + target, { method, token: as, json })
  if (answer.status >= 300) throw new Error(`${method} ${target}: ${answer.status} ${await answer.text()}`)
  return answer.status === 204 ? null : await answer.json()
}

const document = (n, more = {}) => ({
  name: `Invoice ${n}`,
  data: { classId: n % 2 ? 'Invoice' : 'Letter' },
  tags: [
    { name: 'Customer', value: [`C${n % 97}`] }, { name: 'Status', value: [n % 3 ? 'PAID' : 'OPEN'] }, { name: 'Year', value: [String(2015 + n % 10)] },
    { name: 'Subject', value: [`word${n % 50} word${n % 7} of customer ${n % 97}`] }
  ],
  ...more
})

async function fill () {
  await call('POST', '/scope', [{ id: scope }], signToken({ sub: 'root', profiles: ['SYSTEM_ADMIN'] }))
  await call('POST', '/acl', [{ id: 'all', entries: [{ principal: '*', permission: '*', grant: 'ALLOW' }] }])
  await call('POST', '/tagclass', [['Customer', 'STRING'], ['Status', 'STRING'], ['Year', 'INT'], ['Subject', 'STRING']].map(([id, type]) => ({ id, type })))
  const tagReferences = ['Customer', 'Status', 'Year', 'Subject'].map(tagName => ({ tagName }))
  await call('POST', '/documentclass', ['Invoice', 'Letter'].map(id => ({ id, category: 'DOCUMENT', data: { ACL: 'all' }, tagReferences })))
  for (let n = 0; n < documents; n += 200) await call('POST', '/documents', Array.from({ length: 200 }, (_, i) => document(n + i, { id: `doc-${n + i}` })))
}

async function startNginx (bytes) {
  const [port] = await freePorts(1)
  const file = path.join(dir, 'nginx.conf')
  fs.writeFileSync(path.join(dir, 'file.json'), 'x'.repeat(bytes))
  fs.writeFileSync(file, `worker_processes 1; daemon off; pid ${dir}/nginx.pid; error_log stderr error;
events { worker_connections 256; }
http { access_log off; keepalive_requests 100000000; sendfile on; tcp_nopush on; open_file_cache max=10;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${dir}/${name};`).join(' ')}
  server { listen 127.0.0.1:${port}; root ${dir}; } }\n`)
  const child = spawn('/usr/sbin/nginx', ['-c', file, '-e', 'stderr'], { stdio: ['ignore', 'ignore', 'inherit'] })
  await until('nginx answers', async () => (await fetch(`http://127.0.0.1:${port}/file.json`).catch(() => null))?.ok)
  const workers = fs.readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ').map(Number)
  return { port, child, pids: [child.pid, ...workers] }
}

/* ---- a case ---- */

function load (port, { method = 'GET', target, body }) {
  const args = ['--port', port, '--connections', connections, '--seconds', seconds, '--method', method, '--path', target, '--header', `token: ${token}`]
  if (body) {
    fs.writeFileSync(path.join(dir, 'body.json'), JSON.stringify(body))
    args.push('--body', path.join(dir, 'body.json'))
  }
  return new Promise((resolve, reject) => {
    const child = spawn(bin('bench_httpload'), args.map(String), { stdio: ['ignore', 'pipe', 'inherit'] })
    let text = ''
    child.stdout.on('data', data => { text += data })
    child.on('close', code => code === 0 ? resolve(JSON.parse(text)) : reject(new Error(`bench_httpload ended with ${code}`)))
  })
}

async function measure (name, subject, server, request) {
  if (only && only !== name) return
  const results = []
  for (let i = 0; i < runs; i++) {
    const from = billOf(server.pids)
    const result = await load(server.port, request)
    if (result.bad > 0) throw new Error(`${name}: ${result.bad} requests were refused`)
    results.push({ ...result, cpuUs: billBetween(from, billOf(server.pids)).cpu * 1e6 / result.requests })
  }
  const versions = subject === 'umbel' ? versionsOf.umbel() : { nginx: spawnSync('/usr/sbin/nginx', ['-v'], { encoding: 'utf8' }).stderr.trim() }
  const of = key => median(results.map(r => r[key]))
  for (const [metric, unit, value] of [
    ['requests per second', '1/s', Math.round(of('perSecond'))], ['CPU per request', 'us', Number(of('cpuUs').toFixed(1))],
    ['half answered within', 'us', of('halfUs')], ['99 % answered within', 'us', of('mostUs')], ['bytes of an answer', 'B', of('bytes')]
  ]) console.log(JSON.stringify({ bench: 'rest', case: name, subject, metric, unit, value, runs, documents, versions }))
}

await run.story('the documents are made', fill, 600000)
const umbel = { port: core.port, pids: [core.pid] }
const raw = await core.fetch('/core/rest/documents/doc-7', { token })
const bytes = (await raw.arrayBuffer()).byteLength
const nginx = await startNginx(bytes)
const is = (name, ...values) => ({ name, operator: 'EQUALS_TO', values })
try {
  await measure('file', 'nginx', nginx, { target: '/file.json' })
  await measure('read', 'umbel', umbel, { target: '/core/rest/documents/doc-7' })
  await measure('search', 'umbel', umbel, {
    method: 'POST',
    target: '/core/rest/documents/search',
    body: {
      max: 10,
      selectClause: { fields: ['name', 'Customer'] },
      filterClauses: [{ criteria: [is('classid', 'Invoice'), is('Customer', 'C7'), is('Year', '2022'), is('Content', 'word5')] }]
    }
  })
  await measure('write', 'umbel', umbel, { method: 'POST', target: '/core/rest/documents', body: [document(7)] })
} finally {
  nginx.child.kill()
}
await core.stop()
await run.finish()
