/* Searches over many components on SQLite: their times and query plans, what indexes take on disk, and the core's memory while all of
 * them go out as CSV.
 *   search [--quick] [--file DB]
 * 1,000,000 documents (--quick: 20,000), the same ones every time (search_fill.c). Making them takes half an hour or so: with --file they
 * stay. Release build unless UMBEL_BUILD says otherwise. Plans and sizes need the program sqlite3. */
import fs from 'node:fs'
import path from 'node:path'
import { spawnSync } from 'node:child_process'
import { root } from '../harness/run.mjs'

process.env.UMBEL_BUILD ??= path.join(root, 'build/release')
const { openRun } = await import('../harness/run.mjs')
const { signToken, startSubject } = await import('../harness/subjects.mjs')
const { billBetween, billOf, bin, option } = await import('./measure.mjs')

const quick = process.argv.includes('--quick')
const components = quick ? 20000 : 1000000
const run = openRun('bench.search')
const dir = run.folder('search')
const file = path.resolve(option('--file') ?? path.join(dir, 'search.db'))
const say = line => console.log(JSON.stringify({ bench: 'search', ...line }))

function tool (...args) {
  const done = spawnSync(bin('bench_search'), [`sqlite://${file}`, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 26 })
  if (done.status !== 0) throw new Error(done.stderr)
  return done.stdout
}

const sqlite = text => spawnSync('sqlite3', ['-readonly', file], { input: text, encoding: 'utf8' }).stdout?.trim()

await run.story('the components are made', () => {
  if (!fs.existsSync(file)) process.stdout.write(tool('fill', String(components)))
}, 7200000)

await run.story('searches', () => { process.stdout.write(tool('ask', '21')) }, 600000)

await run.story('query plans', () => {
  for (const part of tool('words').split('-- ').slice(1)) {
    const [head, ...statement] = part.split('\n')
    say({ case: head, plan: sqlite(statement.join('\n'))?.split('\n') })
  }
})

await run.story('sizes', () => {
  const rows = sqlite("SELECT name, sum(pgsize) FROM dbstat WHERE name LIKE 'component%' GROUP BY name HAVING sum(pgsize) > 100000 ORDER BY 2 DESC")
  for (const row of rows?.split('\n') ?? []) say({ case: 'size', table: row.split('|')[0], unit: 'MB', value: Number((row.split('|')[1] / 1e6).toFixed(1)) })
}, 600000)

await run.story('an export of everything', async () => {
  const core = await startSubject(run, { kind: 'umbel', storeUrl: `sqlite://${file}` })
  const token = signToken({ sub: 'ann', scope: 'main', profiles: ['ADMIN'] })
  const submitted = await core.fetch('/core/rest/documents/search/csv', { method: 'POST', token, json: { selectClause: { fields: ['id', 'name', 'Customer', 'Amount'] } } })
  const { jobId } = await submitted.json()
  await core.fetch('/core/rest/documents/search', { method: 'POST', token, json: {} })
  const [from, began] = [billOf([core.pid]), Date.now()]
  const answer = await fetch(`${core.origin}/core/rest/documents/search/job?jobId=${jobId}`, { headers: { token } })     /* takes its time */
  let [bytes, lines, memory, next] = [0, 0, [], 0]
  for await (const piece of answer.body) {
    bytes += piece.length
    for (const byte of piece) if (byte === 10) lines++
    if (bytes < next) continue
    memory.push(Number((billOf([core.pid]).memory / 1e6).toFixed(1)))
    next += quick ? 100000 : 5000000
  }
  const bill = billBetween(from, billOf([core.pid]))
  say({
    case: 'export', rows: lines - 1, megabytes: bytes / 1e6, seconds: (Date.now() - began) / 1000, cpuSeconds: bill.cpu,
    memoryBefore: from.memory / 1e6, memoryMost: Math.max(...memory), memory
  })
  await core.stop()
}, 1800000)

await run.finish()
