/* browser.story: what people do with ./umbel up and the model it loads, nothing else prepared. Ann (accounting) and Bob (legal) work,
 * Carl (an auditor) is refused at every door, and an administrator sees and ends all of it in three ways: page, umbelctl, curl. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { openClient } from '../harness/clients.mjs'
import { buildDir, openRun, root, until } from '../harness/run.mjs'
import { webDir } from '../harness/subjects.mjs'
import { openBrowser, pageText, part, picture, ready, state } from '../harness/windows.mjs'

const run = openRun('browser.story')
const dir = run.folder('installation')
const bin = process.env.UMBEL_BIN ?? path.join(buildDir(), 'bin')
const program = (file, args, env = {}, input = '') => new Promise(resolve => {
  const child = execFile(file, args, { env: { ...process.env, ...env }, timeout: 60000 }, (error, out, err) => resolve({ status: error ? error.code : 0, out, err }))
  child.stdin.on('error', () => {})
  child.stdin.end(input)
})
const umbel = (...args) => program(path.join(root, 'umbel'), args, { UMBEL_BIN: bin, UMBEL_WEB: webDir })
const succeeds = async (what, { status, out, err }) => {
  assert.equal(status, 0, `${what}: ${out}${err}`)
  return out
}
run.atEnd(() => umbel('down', '--dir', dir))

/* ---- one command ---- */

const told = await umbel('up', '--dir', dir, '--port', '0', '--detach')
const origin = /URL +(http:\/\/127\.0\.0\.1:\d+)\/gui\//.exec(told.out)?.[1]
const secret = { admin: /login +admin \/ (\S+)/.exec(told.out)?.[1] }
secret.ann = secret.bob = secret.carl = /people +ann, bob, mia, carl \/ (\S+)/.exec(told.out)?.[1]
assert.ok(origin && secret.admin && secret.ann, `./umbel up told ${told.out}${told.err}`)

/* ---- three ways in: curl, umbelctl, pages ---- */

/* The body of what is answered with 2xx; { status } of anything else. */
async function curl (token, method, target, json) {
  const body = json === undefined ? [] : ['-H', 'Content-Type: application/json', '-d', JSON.stringify(json)]
  const out = await succeeds('curl', await program('curl', ['-sS', '-m', '30', '-X', method, '-H', `token: ${token}`, ...body, '-w', '\n%{http_code}', origin + target]))
  const [, text, status] = /^([^]*)\n(\d+)$/.exec(out)
  return status[0] === '2' ? (text && JSON.parse(text)) : { status: Number(status), text }
}
const done = (what, answer) => {
  assert.equal(answer?.status ?? 200, 200, `${what}: ${answer?.text}`)
  return answer
}
const tokenOf = async user => done('login', await curl('', 'POST', '/core/rest/authentication', { user, password: secret[user], scope: 'main' })).value
const chief = await tokenOf('admin')
const asAdmin = async (...args) => done(args.join(' '), await curl(chief, ...args))
const home = { HOME: run.folder('home'), XDG_CONFIG_HOME: '' }
const ctl = async (...args) => {
  const out = await succeeds(`umbelctl ${args.join(' ')}`, await program(path.join(bin, 'umbelctl'), [...args, '--json'], home))
  return out.trim() && JSON.parse(out)
}
await succeeds('umbelctl login', await program(path.join(bin, 'umbelctl'), ['login', '--url', origin, '--user', 'admin'], home, `${secret.admin}\n`))

const windows = await openBrowser(run)
const pages = { ann: await windows.open('ann'), bob: await windows.open('bob'), carl: await windows.open('carl'), admin: await windows.open('admin') }
const { ann, bob, carl, admin } = pages
const enter = async user => {
  const page = pages[user]
  await part(page, 'login-user').fill(user)
  await part(page, 'login-password').fill(secret[user])
  await part(page, 'login-submit').click()
  await part(page, 'login-user').waitFor({ state: 'detached' })
}
const signIn = async user => {
  await pages[user].goto(`${origin}/gui/`)
  await enter(user)
}
const create = async (page, classId, name, fields = {}) => {
  await page.goto(`${origin}/gui/library`)
  await part(page, 'component-new').locator('summary').click()
  await part(page, `new-${classId}`).click()
  await part(page, 'component-name').fill(name)
  for (const [field, text] of Object.entries(fields)) await page.locator(`#tag-${field}`).fill(text)
}
const saved = async page => {
  await part(page, 'component-save').click()
  await page.waitForURL(url => !/\/new\b/.test(url.pathname))
  return decodeURIComponent(page.url().split('/').pop())
}
let invoice, note, room

/* ---- the work ---- */

await run.story('Ann creates an invoice with a file', async () => {
  await Promise.all(['ann', 'bob', 'carl', 'admin'].map(signIn))
  const file = path.join(run.dir, 'invoice.txt')
  fs.writeFileSync(file, 'Paper 900 EUR\n')
  await create(ann, 'Invoice', 'Paper for May', { InvoiceNumber: 'P-2026-05', Supplier: 'Paper Ltd', Amount: '900.00' })
  await part(ann, 'file-add').setInputFiles(file)
  await until('it is listed', async () => await part(ann, 'file').count() === 1)
  invoice = await saved(ann)
  const [download] = await Promise.all([ann.waitForEvent('download'), part(ann, 'file-get').click()])
  assert.equal(fs.readFileSync(await download.path(), 'utf8'), 'Paper 900 EUR\n')
  await picture(ann, 'story-invoice')
})

await run.story('Ann and Bob write a note together', async () => {
  await create(ann, 'Note', 'Paper, what we agreed')
  note = await saved(ann)
  room = `component/main/${note}`
  await part(ann, 'text-open').click()
  await bob.goto(`${origin}/gui/d/${encodeURIComponent(room)}`)
  for (const page of [ann, bob]) {
    await part(page, 'editor').waitFor()
    await ready(page)
  }
  await part(ann, 'editor').click()
  await ann.keyboard.type('Ann: 30 days. ')
  await until('Bob reads her', async () => (await pageText(bob)).includes('Ann: 30 days.'))
  await part(bob, 'editor').click()
  await bob.keyboard.press('Control+End')
  await bob.keyboard.type('Bob: agreed.')
  await until('both read both', async () => (await Promise.all([ann, bob].map(pageText))).every(text => /Ann: 30 days.*Bob: agreed\./.test(text)))
  await Promise.all([ann, bob].map(ready))
  await picture(bob, 'story-note')
})

/* ---- who has no right ---- */

const provider = token => openClient('provider4', { collabUrl: `${origin.replace('http', 'ws')}/collab` }, room, { token })

await run.story('Carl reads the note, until the administrator gives it an ACL without guests', async () => {
  const client = provider(await tokenOf('carl'))
  await until('he is let in', () => client.settled())
  const [body] = [].concat(await asAdmin('GET', `/core/rest/documents/${note}`))
  await asAdmin('POST', '/core/rest/acl', [{ id: 'office', entries: [{ principal: 'guests', permission: '*', grant: 'DENY' }, { principal: '*', permission: '*', grant: 'ALLOW' }] }])
  await asAdmin('POST', `/core/rest/documents/${note}`, [{ ...body, data: { ...body.data, ACL: 'office' } }])
  await until('he is put out', () => client.had('close') ?? client.had('denied'))
  client.close()
  await Promise.all([ann, bob].map(ready))                  /* accounting and legal go on */
})

await run.story('REST tells Carl nothing and lets him do nothing', async () => {
  const token = await tokenOf('carl')
  const status = async (...args) => (await curl(token, ...args))?.status
  for (const id of [invoice, note]) {
    assert.equal(await status('GET', `/core/rest/documents/${id}`), 404)
    assert.equal(await status('GET', `/core/rest/documents/${id}/files`), 404)
    assert.equal(await status('DELETE', `/core/rest/documents/${id}`), 404)
  }
  assert.equal(await status('GET', `/core/rest/collab/documents/${encodeURIComponent(room)}`), 404)
  assert.equal(await status('POST', '/core/rest/documents', [{ name: 'mine', data: { classId: 'Invoice' } }]), 403)
  for (const what of ['documents', 'connections', 'sessions?user=ann', 'audit', 'cluster']) assert.equal(await status('GET', `/core/rest/admin/${what}`), 403, what)
  assert.equal(await status('POST', '/core/rest/users', { id: 'x' }), 403)
  assert.equal(await status('DELETE', `/core/rest/reservation/DOCUMENT/${note}`), 403)
  assert.equal(await status('GET', '/gui/actuator/sessions?username=ann'), 403)
})

await run.story('the WebSocket refuses Carl what it gives Ann', async () => {
  const [his, hers] = [provider(await tokenOf('carl')), provider(await tokenOf('ann'))]
  await until('Ann is let in', () => hers.settled())
  await until('Carl is refused', () => his.had('denied'))
  assert.equal(his.doc.getXmlFragment('default').length, 0)
  for (const client of [his, hers]) client.close()
})

await run.story('the pages show Carl neither, and no administration', async () => {
  await carl.goto(`${origin}/gui/library`)
  await part(carl, 'component-none').waitFor()
  assert.equal(await part(carl, 'section-admin').count(), 0)
  for (const at of [`c/DOCUMENT/${invoice}`, `c/DOCUMENT/${note}`, `d/${encodeURIComponent(room)}`]) {
    await carl.goto(`${origin}/gui/${at}`)
    await until(`${at} is refused`, async () => /does not exist|cannot open/i.test(await carl.locator('main').innerText()))
  }
  await carl.goto(`${origin}/gui/admin/users`)
  await until('he is told', async () => /For administrators/.test(await carl.locator('main').innerText()))
  await picture(carl, 'story-refused')
})

/* ---- the administrator sees ---- */

const sessionsOf = async user => (await asAdmin('GET', `/gui/actuator/sessions?username=${user}`)).sessions
const to = name => admin.goto(`${origin}/gui/admin/${name}`)
const confirmed = () => part(admin, 'dialog-confirm').click()
const rowOf = (table, key) => admin.locator(`[data-testid=${table}-row][data-key*="${key}"]`)
const reserve = async page => {
  await until('nobody has it', async () => await state(page, 'reserve') === 'free')
  await part(page, 'reserve').click()
  await part(page, 'dialog-confirm').click()               /* the other one writes too: really? */
  await until('it is reserved', async () => await state(page, 'reserve') === 'mine')
}

await run.story('all of it is seen in three ways', async () => {
  await reserve(ann)
  await to('')
  await until('the core', async () => await part(admin, 'member').count() >= 1)
  for (const [at, table, key] of [['documents', 'documents', note], ['reservations', 'reservations', note], ['users', 'users', 'carl'], ['groups', 'groups', 'auditors']]) {
    await to(at)
    await rowOf(table, key).first().waitFor()
  }
  await to('connections')
  await until('both', async () => /ann[^]*bob|bob[^]*ann/.test(await part(admin, 'connections').innerText()))
  await picture(admin, 'story-connections')
  await to('sessions')
  await part(admin, 'admin-filter').fill('bob')
  await until('his session', async () => await part(admin, 'sessions-row').count() === 1)

  const ways = { curl: (path) => asAdmin('GET', `/core/rest/${path}`), umbelctl: (path, ...words) => ctl(...words) }
  for (const [name, see] of Object.entries(ways)) {
    assert.ok((await see('admin/cluster', 'admin', 'cluster', 'get')).members.length >= 1, name)
    assert.ok((await see('admin/documents', 'admin', 'documents', 'list')).results.some(d => d.name === room), name)
    assert.deepEqual([...new Set((await see('admin/connections', 'admin', 'connections', 'list')).results.map(c => c.user))].sort(), ['ann', 'bob'], name)
    assert.equal((await see('admin/sessions?user=bob', 'admin', 'sessions', 'list', '--user=bob')).results.length, 1, name)
    assert.equal((await see('reservation', 'reservations', 'list')).results[0].user, 'ann', name)
    assert.ok((await see('users/search', 'users', 'search')).results.some(u => u.id === 'carl'), name)
  }
  assert.equal((await sessionsOf('bob')).length, 1)
})

/* ---- and ends ---- */

const heldBy = async () => (await asAdmin('GET', '/core/rest/reservation')).results
const ended = {
  page: {
    reservation: async () => {
      await to('reservations')
      await rowOf('reservations', note).locator('[data-testid=reservation-break]').click()
      await confirmed()
    },
    document: async () => {
      await to('documents')
      await rowOf('documents', note).locator('[data-testid=document-close]').click()
      await part(admin, 'dialog-input').fill('Tidying up')
      await confirmed()
    },
    session: async user => {
      await to('sessions')
      await part(admin, 'admin-filter').fill(user)
      await part(admin, 'session-end').first().click()
      await confirmed()
    }
  },
  umbelctl: {
    reservation: () => ctl('reservations', 'break', 'DOCUMENT', note),
    document: () => ctl('admin', 'documents', 'close', room, '--body', '{"reason":"Tidying up"}'),
    session: async user => {
      for (const { id } of (await ctl('admin', 'sessions', 'list', `--user=${user}`)).results) await ctl('admin', 'sessions', 'end', id)
    }
  },
  curl: {
    reservation: () => asAdmin('DELETE', `/core/rest/reservation/DOCUMENT/${note}`),
    document: async () => {
      const { results } = await asAdmin('GET', '/core/rest/admin/connections?user=ann')
      await asAdmin('DELETE', `/core/rest/admin/connections/${results[0].member}/${results[0].id}`)
    },
    session: async user => {
      for (const { id } of await sessionsOf(user)) await asAdmin('DELETE', `/core/rest/admin/sessions/${id}`)
    }
  }
}
const writers = { page: 'ann', umbelctl: 'bob', curl: 'ann' }

for (const [way, ends] of Object.entries(ended)) {
  const user = writers[way], page = pages[user]
  await run.story(`the administrator ends a reservation, an open document and a session by ${way}; nothing is lost`, async () => {
    if ((await heldBy()).length === 0) await reserve(page)
    await ends.reservation()
    await until('nobody holds it', async () => (await heldBy()).length === 0)
    await until('the page knows', async () => await state(page, 'reserve') === 'free')

    const before = (await asAdmin('GET', '/core/rest/admin/connections')).results.filter(c => c.user === 'ann').map(c => c.id)
    await ends.document()
    await until('hers has ended, and comes back by itself', async () => {
      const now = (await asAdmin('GET', '/core/rest/admin/connections')).results.filter(c => c.user === 'ann').map(c => c.id)
      return now.length > 0 && !now.some(id => before.includes(id))
    })
    await Promise.all([ann, bob].map(ready))

    await ends.session(user)
    await part(page, 'login-user').waitFor({ timeout: 30000 })
    await enter(user)
    await part(page, 'editor').waitFor()
    await ready(page)
    assert.match(await pageText(page), /Ann: 30 days.*Bob: agreed\./)
  })
}

await run.story('the trail has all of it, with the administrator\'s name', async () => {
  const { results } = await asAdmin('GET', '/core/rest/admin/audit?user=admin&max=100')
  const acts = results.map(fact => `${fact.action} ${fact.objectType}`)
  for (const [act, least] of [[/^END_SESSION /, 3], [/^CLOSE /, 3], [/^UNLOCK /, 3]]) {
    assert.ok(acts.filter(text => act.test(text)).length >= least, `${act} of ${acts.join(', ')}`)
  }
})

await run.story('no page complained', async () => assert.deepEqual(windows.complaints, []))
await run.finish()
