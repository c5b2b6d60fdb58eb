/* integration.history, integration.history-postgres: versions of documents over REST: kept, listed, named, read,
 * compared, restored, archived. UMBEL_STORE_URL: another store than SQLite. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import * as Y from 'yjs'
import { openClient } from '../harness/clients.mjs'
import { openRun, until } from '../harness/run.mjs'
import { signToken, startSubject } from '../harness/subjects.mjs'

const run = openRun(process.env.UMBEL_STORE_URL ? 'integration.history-postgres' : 'integration.history')
const archive = run.folder('archive')
const storeArgs = process.env.UMBEL_STORE_URL ? [`--store.url=${process.env.UMBEL_STORE_URL}`] : []
const core = await startSubject(run, {
  reactors: 3, args: [...storeArgs, '--collab.debounce=100ms', '--collab.unload-delay=0ms', '--store.versions.every=0', '--store.versions.every-changes=0']
})
const unique = Date.now().toString(36)              /* a shared store knows yesterday's names */
const room = name => `history ${name} ${unique}`

/* --- the resource ------------------------------------------------------------------------------------ */
async function ask (method, target, { user = 'ann', token = signToken({ sub: user }), ...rest } = {}) {
  const answer = await core.fetch(target, { method, token, ...rest })
  const json = answer.headers.get('content-type')?.includes('json')
  return { status: answer.status, headers: answer.headers, body: json ? await answer.json() : Buffer.from(await answer.arrayBuffer()) }
}
const versionsOf = name => `/core/rest/collab/documents/${encodeURIComponent(name)}/versions`
const list = async (name, query = '') => {
  const answer = await ask('GET', versionsOf(name) + query)
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  return answer.body
}
const keep = async (name, label, options = {}) => {
  const answer = await ask('POST', versionsOf(name), { json: label === undefined ? {} : { label }, ...options })
  assert.equal(answer.status, 201, JSON.stringify(answer.body))
  return answer.body
}
const content = (name, seq, query = '') => ask('GET', `${versionsOf(name)}/${seq}/content${query}`)

/* --- writing as Tiptap does ------------------------------------------------------------------------------ */
async function writer (name, user) {
  const c = openClient('provider4', core, name, { token: core.token('write', user) })
  await until(`${user} is in ${name}`, () => c.settled())
  return c
}
const saved = c => until('everything is acknowledged', () => c.settled())
function paragraph (text, node = 'paragraph', attributes = {}) {
  const element = new Y.XmlElement(node)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  element.insert(0, [new Y.XmlText(text)])
  return element
}
const body = c => c.doc.getXmlFragment('default')
const append = (c, ...elements) => body(c).push(elements)
const textOf = fragment => fragment.toArray().map(e => e.toArray().map(t => t.toString()).join('')).join('\n')

const minutes = room('minutes')
let ann, bob, first, second

await run.story('the present state is kept as a version, with and without a name', async () => {
  ann = await writer(minutes, 'ann')
  bob = await writer(minutes, 'bob')
  append(ann, paragraph('Minutes', 'heading', { level: 1 }), paragraph('Present: Ann <script>'))
  await saved(ann)
  first = await keep(minutes, 'First draft')
  assert.equal(first.label, 'First draft')
  assert.equal(first.author, 'ann')
  assert.equal(first.archived, false)
  assert.ok(first.bytes > 20 && first.seq > 0 && !Number.isNaN(Date.parse(first.at)), JSON.stringify(first))
  await until('Bob has it', () => textOf(body(bob)).includes('Present'))
  append(bob, paragraph('Bob was late'))
  await saved(bob)
  second = await keep(minutes, undefined, { user: 'bob' })
  assert.deepEqual([second.label, second.author], ['', 'bob'])
  assert.ok(second.seq > first.seq)
  assert.deepEqual(second.contributors.map(c => c.user), ['bob'])
})

await run.story('keeping the same state again is the same version; a name that is given goes to it, none leaves it', async () => {
  assert.equal((await keep(minutes, 'Second draft')).seq, second.seq)
  assert.equal((await keep(minutes)).label, 'Second draft')
})

await run.story('the list is newest first and goes page by page', async () => {
  const all = await list(minutes)
  assert.deepEqual(all.results.map(v => v.seq), [second.seq, first.seq])
  assert.equal(all.more, false)
  const newest = await list(minutes, '?max=1')
  assert.deepEqual([newest.results.map(v => v.seq), newest.more], [[second.seq], true])
  const older = await list(minutes, `?max=1&before=${second.seq}`)
  assert.deepEqual([older.results.map(v => v.seq), older.more], [[first.seq], false])
  assert.deepEqual((await list(minutes, '?before=0')).results, [])
})

await run.story('a version is renamed, and an empty name takes the name away', async () => {
  const one = `${versionsOf(minutes)}/${first.seq}`
  assert.equal((await ask('PUT', one, { json: { label: 'Ärger "1"' } })).body.label, 'Ärger "1"')
  assert.equal((await ask('GET', one)).body.label, 'Ärger "1"')
  assert.equal((await ask('PUT', one, { json: { label: '' } })).body.label, '')
})

await run.story('what is not there or cannot be understood is told in the error shape', async () => {
  const one = `${versionsOf(minutes)}/${first.seq}`
  const cases = [
    ['GET', versionsOf(room('nobody')), 404], ['GET', `${versionsOf(minutes)}/999999`, 404], ['GET', `${versionsOf(minutes)}/x`, 400],
    ['GET', `${versionsOf(minutes)}/-1`, 400], ['GET', `${versionsOf(minutes)}?max=0`, 400], ['GET', `${versionsOf(minutes)}?before=x`, 400],
    ['POST', versionsOf(room('nobody')), 404, { label: 'x' }], ['POST', versionsOf(minutes), 400, { label: 'x'.repeat(301) }],
    ['POST', versionsOf(minutes), 400, { label: 7 }], ['PUT', one, 400, {}], ['PUT', `${versionsOf(minutes)}/999999`, 404, { label: 'x' }],
    ['GET', `${one}/content?format=pdf`, 400], ['GET', `${one}/content?root=none`, 404], ['GET', `${versionsOf(minutes)}/999999/content`, 404],
    ['DELETE', one, 405]
  ]
  for (const [method, target, status, json] of cases) {
    const answer = await ask(method, target, { json })
    assert.equal(answer.status, status, `${method} ${target} ${JSON.stringify(answer.body)}`)
    assert.equal(answer.body.status, status)
    assert.ok(answer.body.code && answer.body.message)
  }
  assert.equal((await core.fetch(versionsOf(minutes))).status, 401)
})

/* --- content -------------------------------------------------------------------------------------------- */
await run.story('a version reads as HTML, Markdown, text, JSON and update, as it was', async () => {
  const as = async format => (await content(minutes, first.seq, `?format=${format}`)).body
  assert.equal((await content(minutes, first.seq)).body.toString(), '<h1>Minutes</h1><p>Present: Ann &lt;script&gt;</p>')
  assert.match((await as('markdown')).toString(), /^# Minutes\n\nPresent: Ann/)
  assert.equal((await as('text')).toString().trim(), 'Minutes\nPresent: Ann <script>')
  assert.match(await as('json'), /<heading level="1">Minutes<\/heading>/)
  const doc = new Y.Doc()
  Y.applyUpdate(doc, await as('update'))
  assert.equal(textOf(doc.getXmlFragment('default')), 'Minutes\nPresent: Ann <script>')
  assert.match((await content(minutes, second.seq, '?format=text')).body.toString(), /Bob was late/)
})

await run.story('what is shown cannot do anything in a browser', async () => {
  for (const format of ['html', 'markdown', 'text', 'json', 'update']) {
    const { headers } = await content(minutes, first.seq, `?format=${format}`)
    assert.equal(headers.get('x-content-type-options'), 'nosniff', format)
    assert.match(headers.get('content-security-policy'), /^sandbox; default-src 'none'/)
    assert.equal(headers.get('cache-control'), 'no-store')
  }
})

await run.story('other roots than Tiptap\'s are read by name; an empty document is empty', async () => {
  const name = room('roots')
  const c = await writer(name, 'ann')
  c.doc.getText('code').insert(0, 'let x = 1')
  c.doc.getMap('meta').set('n', 7)
  await saved(c)
  const { seq } = await keep(name)
  assert.equal((await content(name, seq, '?format=text&root=code')).body.toString().trim(), 'let x = 1')
  assert.deepEqual((await content(name, seq, '?format=json&root=meta')).body, { n: 7 })
  assert.equal((await content(name, seq, '?format=html&root=meta')).status, 422)
  assert.equal((await content(name, seq, '?format=html')).body.length, 0)
  c.close()
  const made = await ask('POST', '/core/rest/collab/documents', { json: { title: 'Empty' } })
  const empty = await keep(made.body.name, 'Nothing yet')
  assert.equal((await content(made.body.name, empty.seq, '?format=markdown')).body.length, 0)
})

/* --- compare ---------------------------------------------------------------------------------------------- */
const compare = (name, seq, query = '') => ask('GET', `${versionsOf(name)}/${seq}/compare${query}`)
const parts = (answer, op) => answer.body.roots.flatMap(r => r.blocks ?? []).flatMap(b => b.parts ?? []).filter(p => p.op === op)

await run.story('two versions are compared, whichever is named first, with who wrote', async () => {
  const answers = [await compare(minutes, first.seq, `?with=${second.seq}`), await compare(minutes, second.seq, `?with=${first.seq}`)]
  assert.equal(answers[0].status, 200, JSON.stringify(answers[0].body))
  assert.deepEqual(answers[0].body, answers[1].body)
  assert.equal(answers[0].body.changed, true)
  assert.deepEqual(parts(answers[0], 'insert').map(p => [p.text, p.by]), [['Bob was late', 'bob']])
  assert.deepEqual(answers[0].body.users.map(u => u.user), ['bob'])
})

await run.story('a version is compared with the present state', async () => {
  assert.equal((await compare(minutes, second.seq)).body.changed, false)
  append(ann, paragraph('And now this'))
  await saved(ann)
  for (const query of ['', '?with=current']) {
    const answer = await compare(minutes, second.seq, query)
    assert.deepEqual(parts(answer, 'insert').map(p => [p.text, p.by]), [['And now this', 'ann']])
  }
})

await run.story('what cannot be compared is told', async () => {
  assert.equal((await compare(minutes, first.seq, '?with=x')).status, 400)
  assert.equal((await compare(minutes, first.seq, '?with=999999')).status, 404)
  assert.equal((await compare(minutes, 999999)).status, 404)
})

/* --- restore ---------------------------------------------------------------------------------------------- */
const restore = (name, seq, options = {}) => ask('POST', `${versionsOf(name)}/${seq}/restore`, options)

await run.story('a restored version is in the open editors without a new connection, and what was before is kept', async () => {
  const opened = [ann, bob].map(c => c.events.length)
  const was = textOf(body(ann))
  const answer = await restore(minutes, first.seq, { user: 'bob' })
  assert.equal(answer.status, 200, JSON.stringify(answer.body))
  assert.deepEqual([answer.body.restored, answer.body.changed], [first.seq, true])
  assert.ok(answer.body.seq > answer.body.before, JSON.stringify(answer.body))
  for (const c of [ann, bob]) await until('it is there', () => textOf(body(c)) === 'Minutes\nPresent: Ann <script>')
  assert.deepEqual([ann, bob].map(c => c.events.length), opened, 'nobody was sent away')
  const before = (await ask('GET', `${versionsOf(minutes)}/${answer.body.before}`)).body
  assert.match(before.label, /^(Second draft|before restoring 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC)$/)
  assert.equal((await content(minutes, before.seq, '?format=text')).body.toString().trim(), was)
})

await run.story('the way back is a restore as well', async () => {
  append(ann, paragraph('Written after the restore'))
  await saved(ann)
  const answer = await restore(minutes, second.seq)
  assert.equal(answer.body.changed, true)
  await until('Bob\'s line is back', () => /Bob was late/.test(textOf(body(bob))) && !/after the restore/.test(textOf(body(bob))))
  const before = (await ask('GET', `${versionsOf(minutes)}/${answer.body.before}`)).body
  assert.match(before.label, /^before restoring 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC$/)
  assert.match((await content(minutes, before.seq, '?format=text')).body.toString(), /after the restore/)
})

await run.story('restoring what is shown already changes and keeps nothing', async () => {
  const count = (await list(minutes)).results.length
  assert.deepEqual((await restore(minutes, second.seq)).body.changed, false)
  assert.equal((await list(minutes)).results.length, count)
})

await run.story('a repeated request with the same Idempotency-Key restores once', async () => {
  const headers = { 'Idempotency-Key': `key-${unique}` }
  append(ann, paragraph('To go'))
  await saved(ann)
  body(ann).delete(0, 1)                             /* so that the change has something to write */
  await saved(ann)
  assert.equal((await restore(minutes, second.seq, { headers })).body.changed, true)
  await until('Ann has it', () => textOf(body(ann)) === 'Minutes\nPresent: Ann <script>\nBob was late')
  append(ann, paragraph('Written since'))
  await saved(ann)
  assert.equal((await restore(minutes, second.seq, { headers })).body.changed, false)
  assert.match(textOf(body(ann)), /Written since/)
})

await run.story('a document that nobody has open is restored, and those who type meanwhile lose nothing of theirs', async () => {
  const name = room('closed')
  const c = await writer(name, 'ann')
  append(c, paragraph('one'))
  await saved(c)
  const v = await keep(name)
  append(c, paragraph('two'))
  await saved(c)
  c.close()
  await until('it is closed', async () => (await ask('GET', `/core/rest/collab/documents/${encodeURIComponent(name)}`)).body.connections === 0)
  assert.equal((await restore(name, v.seq)).body.changed, true)
  const again = await writer(name, 'bob')
  assert.equal(textOf(body(again)), 'one')
  let restored = false
  const typing = (async () => {
    for (let n = 0; !restored || n < 20; n++) {
      body(again).get(0).get(0).insert(0, 'x')
      await new Promise(resolve => setTimeout(resolve, 2))
    }
  })()
  const late = await keep(name, 'While typing')
  const answer = await restore(name, v.seq)
  restored = true
  await typing
  await saved(again)
  assert.equal(answer.status, 200)
  const end = await keep(name)
  const stored = (await content(name, end.seq, '?format=text')).body.toString().trim()
  assert.equal(stored, textOf(body(again)), 'what is stored is what the editor shows')
  assert.ok(late.seq <= answer.body.before)
  again.close()
})

await run.story('maps, arrays and texts come back too', async () => {
  const name = room('kinds')
  const c = await writer(name, 'ann')
  c.doc.getMap('meta').set('title', 'A')
  c.doc.getArray('list').push([1, 2, 3])
  c.doc.getText('code').insert(0, 'let x = 1')
  await saved(c)
  const v = await keep(name)
  c.doc.getMap('meta').set('title', 'B')
  c.doc.getArray('list').delete(1, 1)
  c.doc.getText('code').insert(0, '// ')
  await saved(c)
  await restore(name, v.seq)
  await until('all are back', () => c.doc.getMap('meta').get('title') === 'A' && c.doc.getArray('list').length === 3 &&
    c.doc.getText('code').toString() === 'let x = 1')
  c.close()
})

await run.story('a token that may only read cannot restore; what is not there cannot be restored', async () => {
  assert.equal((await restore(minutes, first.seq, { token: core.token('read') })).status, 403)
  assert.equal((await restore(minutes, 999999)).status, 404)
  assert.equal((await restore(room('nobody'), 1)).status, 404)
})

/* --- in hard times --------------------------------------------------------------------------------------- */
await run.story('more requests for contents than the core works on at a time are answered or told to come back', async () => {
  const answers = await Promise.all(Array.from({ length: 60 }, () => content(minutes, second.seq, '?format=markdown')))
  for (const { status, headers, body } of answers) {
    assert.ok(status === 200 || (status === 503 && Number(headers.get('retry-after')) >= 1), `${status} ${body}`)
  }
  assert.ok(answers.some(a => a.status === 200))
  for (let n = 0; n < 9; n++) assert.equal((await content(minutes, second.seq)).status, 200, 'every place is free again')
})

await run.story('a client that leaves during a restore does no harm: it is done, or was not begun', async () => {
  append(ann, paragraph('Nobody waits for the answer'))
  await saved(ann)
  const leaving = new AbortController()
  const request = fetch(`${core.origin}${versionsOf(minutes)}/${first.seq}/restore`, {
    method: 'POST', headers: { token: signToken({ sub: 'bob' }) }, signal: leaving.signal
  }).catch(() => {})
  setTimeout(() => leaving.abort(), 2)
  await request
  await until('and the next one works', async () => {    /* the first may come in between */
    await restore(minutes, second.seq)
    return textOf(body(ann)) === 'Minutes\nPresent: Ann <script>\nBob was late' && textOf(body(ann)) === textOf(body(bob))
  })
})

await run.story('another core on the same database restores for the editors of this one', async () => {
  if (!process.env.UMBEL_STORE_URL) return            /* a file has one core */
  const other = await startSubject(run, { label: 'other', args: [...storeArgs, '--collab.resync-interval=200ms'] })
  const answer = await other.fetch(`${versionsOf(minutes)}/${first.seq}/restore`, { method: 'POST', token: signToken({ sub: 'bob' }) })
  assert.equal(answer.status, 200)
  for (const c of [ann, bob]) await until('it is there', () => textOf(body(c)) === 'Minutes\nPresent: Ann <script>', 20000)
  await other.stop()
})

/* --- the archive ------------------------------------------------------------------------------------------ */
const place = path.join(archive, 'place')
const objects = () => fs.existsSync(place)
  ? fs.readdirSync(place, { recursive: true, withFileTypes: true }).filter(e => e.isFile() && !e.name.startsWith('.')).map(e => e.name)
  : []
const platform = signToken({ sub: 'ann', profiles: ['SYSTEM_ADMIN'] })
const runArchive = async (query, token = platform) => ask('POST', `/core/rest/admin/archive/run${query}`, { token })
const shown = async (name, seq) => (await content(name, seq, '?format=text')).body.toString().trim()
const aged = room('aged')
let old

await run.story('without an archive a run is refused with the reason, and a dry one tells what would go', async () => {
  const c = await writer(aged, 'ann')
  append(c, paragraph('Long ago'))
  await saved(c)
  old = await keep(aged, 'Old')
  c.close()
  const refused = await runArchive('')
  assert.equal(refused.status, 503)
  assert.match(refused.body.message, /archive\.url/)
  assert.equal((await runArchive('?dryRun=maybe')).status, 400)
  assert.equal((await runArchive('?dryRun=true', signToken({ profiles: [] }))).status, 403)
  assert.deepEqual((await runArchive('?dryRun=true')).body.versions, [], 'nothing is thirty days old')
})

await run.story('old versions go to the archive by themselves and read as before', async () => {
  await core.stop()
  core.options.args.push(`--archive.url=file://${place}`, '--archive.after=1ms', '--archive.every=100ms')
  await core.start()
  await until('they have gone', async () => (await list(aged)).results.every(v => v.archived))
  assert.ok(objects().length >= 3, 'one object each')
  assert.equal(await shown(aged, old.seq), 'Long ago')
  const one = (await ask('GET', `${versionsOf(aged)}/${old.seq}`)).body
  assert.deepEqual({ ...one, archived: false }, old)
  const dry = (await runArchive('?dryRun=true')).body
  assert.deepEqual([dry.versions, dry.archived, dry.more], [[], 0, false])
  assert.equal((await (await core.fetch('/core/actuator/health')).json()).components.archive.status, 'UP')
})

await run.story('a run on order says what it moved', async () => {
  await core.stop()
  core.options.args.push('--archive.every=1d')
  await core.start()
  const c = await writer(aged, 'bob')
  append(c, paragraph('And lately'))
  await saved(c)
  const late = await keep(aged)
  c.close()
  const dry = (await runArchive('?dryRun=true')).body
  assert.deepEqual(dry.versions.filter(v => v.document === aged).map(v => [v.seq, v.bytes]), [[late.seq, late.bytes]])
  assert.equal((await ask('GET', `${versionsOf(aged)}/${late.seq}`)).body.archived, false, 'only told')
  const real = (await runArchive('')).body
  assert.ok(real.archived >= 1 && real.failed === 0 && real.archivedBytes >= late.bytes, JSON.stringify(real))
  assert.equal(await shown(aged, late.seq), 'Long ago\nAnd lately')
})

await run.story('a core that has no archive says so instead of failing', async () => {
  await core.stop()
  const withArchive = core.options.args
  core.options.args = withArchive.filter(a => !a.startsWith('--archive.url'))
  await core.start()
  const answer = await content(aged, old.seq)
  assert.equal(answer.status, 503)
  assert.match(answer.body.message, /archive/)
  assert.equal((await list(aged)).results.length, 2, 'the list needs none')
  await core.stop()
  core.options.args = withArchive
  await core.start()
})

await run.story('while the archive is away versions stay where they are, and health says so', async () => {
  const c = await writer(aged, 'bob')
  append(c, paragraph('Waits'))
  await saved(c)
  const waiting = await keep(aged)
  c.close()
  const folder = path.join(place, 'versions.d')
  fs.renameSync(folder, folder + '.away')
  fs.writeFileSync(folder, 'no directory')
  const failed = (await runArchive('')).body
  assert.ok(failed.archived === 0 && failed.failed >= 1, JSON.stringify(failed))
  assert.equal((await (await core.fetch('/core/actuator/health')).json()).components.archive.status, 'UNKNOWN')
  assert.match(await shown(aged, waiting.seq), /Waits/, 'from the database')
  const unreadable = await content(aged, old.seq)
  assert.equal(unreadable.status, 503, JSON.stringify(unreadable.body))
  assert.match(unreadable.body.message, /archive/)
  fs.rmSync(folder)
  fs.renameSync(folder + '.away', folder)
  assert.ok((await runArchive('')).body.archived >= 1)
  assert.match(await shown(aged, waiting.seq), /Waits/)
  assert.equal((await ask('GET', `${versionsOf(aged)}/${waiting.seq}`)).body.archived, true)
})

const armed = async () => (await core.fetch('/core/actuator/failpoints/version.after_put', { method: 'PUT', body: 'off', token: signToken() })).status === 204

await run.story('a core that is killed at any step of moving a version loses none and moves it the next time', async () => {
  if (!await armed()) return                          /* built without failure points */
  for (const point of ['version.before_put', 'version.after_put', 'version.after_archived']) {
    const c = await writer(aged, 'bob')
    append(c, paragraph(point))
    await saved(c)
    const v = await keep(aged)
    c.close()
    const before = objects().length
    await core.stop()
    await core.start({ UMBEL_FAIL: `${point}=kill*1` })
    await assert.rejects(runArchive(''), point)
    await core.child.gone
    await core.start()
    assert.match(await shown(aged, v.seq), new RegExp(point), `${point}: read after the kill`)
    const moved = (await runArchive('')).body
    assert.equal(moved.failed, 0)
    assert.equal((await ask('GET', `${versionsOf(aged)}/${v.seq}`)).body.archived, true)
    assert.match(await shown(aged, v.seq), new RegExp(point))
    assert.equal(objects().length, before + 1, `${point}: one object`)
  }
})

await run.story('a core that is killed in a restore has changed nothing; the repeated request restores', async () => {
  if (!await armed()) return
  const name = room('killed')
  const c = await writer(name, 'ann')
  append(c, paragraph('one'))
  await saved(c)
  const v = await keep(name)
  append(c, paragraph('two'))
  await saved(c)
  c.close()
  const headers = { 'Idempotency-Key': `killed-${unique}` }
  await core.stop()
  await core.start({ UMBEL_FAIL: 'restore.before_change=kill*1' })
  await assert.rejects(restore(name, v.seq, { headers }))
  await core.child.gone
  await core.start()
  const [newest] = (await list(name)).results
  assert.match(newest.label, /^before restoring/)
  assert.equal(await shown(name, newest.seq), 'one\ntwo')
  const again = await writer(name, 'bob')
  assert.equal(textOf(body(again)), 'one\ntwo')
  assert.equal((await restore(name, v.seq, { headers })).body.changed, true)
  await until('it is restored', () => textOf(body(again)) === 'one')
  again.close()
})

await run.story('damaged bytes in the archive are no version', async () => {
  const files = fs.readdirSync(place, { recursive: true, withFileTypes: true }).filter(e => e.isFile() && e.name.startsWith(String(old.seq)))
  assert.ok(files.length > 0)
  const file = files.map(e => path.join(e.parentPath ?? e.path, e.name)).find(f => fs.readFileSync(f).includes('Long ago') && !fs.readFileSync(f).includes('lately'))
  const good = fs.readFileSync(file)
  const bad = Buffer.from(good)
  bad[bad.indexOf('Long ago')] ^= 1
  fs.writeFileSync(file, bad)
  assert.equal((await content(aged, old.seq)).status, 500)
  fs.writeFileSync(file, good)
  assert.equal(await shown(aged, old.seq), 'Long ago')
})

await run.story('a deleted document takes its objects along', async () => {
  const before = objects().length
  assert.equal((await ask('DELETE', `/core/rest/collab/documents/${encodeURIComponent(aged)}`)).status, 204)
  await until('they are gone', () => objects().length === before - 6)
  assert.equal((await ask('GET', versionsOf(aged))).status, 404)
  assert.equal((await ask('POST', versionsOf(aged), { json: {} })).status, 404)
})

await run.story('the core ends in order', async () => {
  for (const c of [ann, bob]) c.close()
  await core.stop()
})
await run.finish()
