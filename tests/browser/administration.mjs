/* browser.administration: an administrator looks at the cluster, ends what others hold, and edits an ACL; somebody without the role
 * finds no way in. Two cores, a gateway, Redis; and once a core and a gateway without Redis. */
import assert from 'node:assert/strict'
import { startCluster } from '../harness/cluster.mjs'
import { openRun, until } from '../harness/run.mjs'
import { password, signToken, startGateway, startSubject } from '../harness/subjects.mjs'
import { openBrowser, pageText, part, picture, ready, state } from '../harness/windows.mjs'

const run = openRun('browser.administration')
const cluster = await startCluster(run, {
  cores: 2, gateways: 1, redis: 'simple', balancer: false,
  coreProperties: { 'internal.realm.users[2].id': 'carla', 'internal.realm.users[2].password': password }
})
const windows = await openBrowser(run)
const [ann, bob, carla] = [await windows.open('ann', { viewport: { width: 1180, height: 1000 } }), await windows.open('bob'), await windows.open('carla')]
const root = signToken({ sub: 'root', profiles: ['SYSTEM_ADMIN'], scope: 'main' })
const signIn = (page, user) => windows.signIn(page, cluster, user)

const ask = async (method, target, json) => {
  const answer = await cluster.core(1).fetch(`/core/rest/${target}`, { method, token: root, json })
  assert.ok(answer.ok, `${method} ${target}: ${answer.status} ${await answer.clone().text()}`)
  const text = await answer.text()
  return text && JSON.parse(text)
}
const to = async (page, name) => await part(page, `admin-${name}`).click()
const row = (page, table, key) => page.locator(`[data-testid=${table}-row][data-key^="${key}"]`)
const confirmed = async page => await part(page, 'dialog-confirm').click()
const audited = async action => (await ask('GET', `admin/audit?action=${action}`)).results[0]
const fits = async page => assert.ok(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth) <= 1, 'nothing sticks out')

const { name } = await ask('POST', 'collab/documents', { title: 'Budget' })
await ask('POST', 'scope', [{ id: 'main', languages: ['EN'] }])
const entry = (principal, permission, grant = 'ALLOW') => ({ principal, permission, grant })
await ask('POST', 'acl', [
  { id: 'invoices', name: 'Invoices', entries: [entry('guests', '*', 'DENY'), entry('accounting', '*'), entry('legal', ['READ', 'READ_CONTENT', 'PRINT'])] },
  { id: 'notes', name: 'Notes, written together', entries: [entry('*', '*')] }
])
await ask('POST', 'documentclass', [
  { id: 'Invoice', category: 'DOCUMENT', displayNames: [{ language: 'EN', value: 'Invoice' }], data: { ACL: 'invoices' }, tagReferences: [] },
  { id: 'Note', category: 'DOCUMENT', displayNames: [{ language: 'EN', value: 'Note' }], collaborative: true, data: { ACL: 'notes' }, tagReferences: [] }
])

await run.story('she sees the members, the links and figures that live', async () => {
  await signIn(bob, 'bob')
  await windows.openDocument(bob, cluster, name)
  await signIn(ann, 'admin')
  await part(ann, 'section-admin').click()
  await until('three members', async () => await part(ann, 'member').count() === 3)
  await until('one document, one connection', async () =>
    /\b1\b/.test(await part(ann, 'figure-documents').locator('.figure-now').innerText()) &&
    /\b1\b/.test(await part(ann, 'figure-connections').locator('.figure-now').innerText()))
  assert.match(await part(ann, 'lamp-redis').innerText(), /Connected/)
  assert.match(await part(ann, 'lamp-database').innerText(), /Connected/)
})

await run.story('the check tries every part at every member, and says how it is', async () => {
  await part(ann, 'check-now').click()
  await until('it has answered', async () => await part(ann, 'check-summary').getAttribute('data-status'))
  await ann.locator('.all-results summary').click()
  assert.ok(await part(ann, 'check-row').count() > 6)
  await picture(ann, 'admin-overview')
})

await run.story('a member is drained and made ready again', async () => {
  const card = ann.locator('[data-testid=member][data-key=core-2]')
  await card.locator('[data-testid=member-drain]').click()
  await confirmed(ann)
  await until('it drains', async () => /Draining/.test(await card.innerText()))
  await card.locator('[data-testid=member-drain]').click()
  await confirmed(ann)
  await until('it is ready', async () => !/Draining/.test(await card.innerText()))
  assert.equal((await audited('DRAIN')).user, 'admin')
})

await run.story('she closes a document with a reason; its reader comes back by himself and has lost nothing', async () => {
  await part(bob, 'editor').click()
  await bob.keyboard.type('Rent 900.')
  await ready(bob)
  await to(ann, 'documents')
  await row(ann, 'documents', name).first().locator('[data-testid=document-close]').click()        /* the core that was drained may still have it */
  await part(ann, 'dialog-input').fill('Tidying up')
  await picture(ann, 'admin-documents-close')
  await confirmed(ann)
  await until('it is recorded', async () => (await ask('GET', `admin/audit?objectId=${encodeURIComponent(name)}`)).results.length > 0)
  await ready(bob)
  assert.equal(await pageText(bob), 'Rent 900.')
  await to(ann, 'connections')
  await until('he is there again', async () => /bob/.test(await part(ann, 'connections').innerText()))
})

await run.story('she breaks a reservation, and its holder is told', async () => {
  await part(bob, 'reserve').click()
  await until('it is his', async () => await state(bob, 'reserve') === 'mine')
  await to(ann, 'reservations')
  await row(ann, 'reservations', `DOCUMENT ${name}`).locator('[data-testid=reservation-break]').click()
  await confirmed(ann)
  await until('Bob is told', async () => /admin has ended your reservation/.test(await bob.locator('.toast').innerText()))
  await until('the list is empty', async () => await part(ann, 'admin-none').count() === 1)
})

await run.story('she ends his session: he is signed out at once', async () => {
  await to(ann, 'sessions')
  await part(ann, 'admin-filter').fill('bob')
  await until('one is listed', async () => await part(ann, 'sessions-row').count() === 1)
  await picture(ann, 'admin-sessions')
  await part(ann, 'session-end').click()
  await confirmed(ann)
  await until('Bob is asked to sign in', async () => await part(bob, 'login-user').count() === 1, 30000)
  await until('none is left', async () => /no session/.test(await part(ann, 'admin-none').first().innerText()))
  assert.equal((await audited('END_SESSION')).user, 'admin')
})

await run.story('a level of the log holds at all members', async () => {
  await to(ann, 'loggers')
  const level = part(ann, 'loggers-row').first().locator('[data-testid=logger-level]')
  await level.selectOption('DEBUG')
  const name = await part(ann, 'loggers-row').first().getAttribute('data-key')
  await until('all have it', async () => Object.values((await ask('GET', 'admin/loggers')).loggers)
    .every(loggers => loggers[name] === undefined || loggers[name].configuredLevel === 'DEBUG'))
  await picture(ann, 'admin-loggers')
  await level.selectOption('')
})

await run.story('an ACL is put in order by buttons, says which entry never decides, and is saved', async () => {
  await to(ann, 'acls')
  await part(ann, 'acl-open').first().click()
  await until('its entries', async () => await part(ann, 'acl-entry').count() === 3)
  await part(ann, 'acl-add').click()
  await part(ann, 'acl-principal').last().fill('*')
  await ann.keyboard.press('Tab')
  await until('the new one is last', async () => await part(ann, 'acl-entry').count() === 4)
  for (let n = 3; n > 0; n--) await part(ann, 'acl-up').nth(n).click()
  assert.equal(await part(ann, 'acl-principal').first().inputValue(), '*')
  assert.equal(await ann.evaluate(() => document.activeElement.dataset.act), 'up', 'the focus moved with it')
  await part(ann, 'acl-permissions').first().click()
  await ann.locator('[data-testid=acl-entry]').first().locator('[data-permission="*"]').check()
  assert.equal(await part(ann, 'acl-idle').count(), 3)
  await picture(ann, 'admin-acl')
  await part(ann, 'acl-permissions').first().click()
  for (let n = 0; n < 3; n++) await part(ann, 'acl-down').nth(n).click()
  assert.equal(await part(ann, 'acl-idle').count(), 0)
  await part(ann, 'acl-save').click()
  await until('it is kept', async () => (await ask('GET', 'acl/invoices'))[0].entries.length === 4)
  assert.deepEqual((await ask('GET', 'acl/invoices'))[0].entries.map(e => e.principal), ['guests', 'accounting', 'legal', '*'])
})

await run.story('who saved meanwhile is not overwritten, and she is told', async () => {
  await until('the saved one is shown', async () => /version 2/.test(await ann.locator('.count').innerText()))
  await part(ann, 'acl-principal').first().fill('visitors')
  const [theirs] = await ask('GET', 'acl/invoices')
  await ask('POST', 'acl/invoices', [{ ...theirs, entries: theirs.entries.slice(0, 2) }])
  await part(ann, 'acl-save').click()
  await part(ann, 'acl-conflict').waitFor()
  await picture(ann, 'admin-acl-conflict')
  assert.equal((await ask('GET', 'acl/invoices'))[0].entries.length, 2)
  await part(ann, 'acl-reload').click()
  await until('theirs is shown', async () => await part(ann, 'acl-entry').count() === 2)
})

await run.story('what was done in the scope is in the audit trail, and what was done to the members is not its administrators’', async () => {
  await to(ann, 'audit')
  await part(ann, 'audit-row').filter({ hasText: 'End session' }).first().waitFor()
  assert.equal(await part(ann, 'audit-row').filter({ hasText: 'Drain' }).count(), 0)
  await picture(ann, 'admin-audit')
})

await run.story('while no core answers the picture stays, one calm line says so, and it goes on by itself', async () => {
  await part(ann, 'theme-toggle').click()
  await to(ann, 'overview')
  await until('the members', async () => await part(ann, 'member').count() === 3)
  await Promise.all(cluster.cores.map(core => core.kill()))
  await part(ann, 'admin-old').waitFor({ timeout: 45000 })
  assert.equal(await part(ann, 'member').count(), 3)
  await picture(ann, 'admin-away-dark')
  await Promise.all(cluster.cores.map(core => core.start()))
  await until('it goes on', async () => await part(ann, 'admin-old').count() === 0, 30000)
  await cluster.assembled()
  await until('both cores again', async () => /2 cores/.test(await part(ann, 'lamp-members').innerText()))
})

await run.story('every part fits a phone, in the dark', async () => {
  const phone = await windows.open('phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, colorScheme: 'dark' })
  await signIn(bob, 'bob')
  await windows.openDocument(bob, cluster, name)
  await signIn(phone, 'admin')
  for (const at of ['', 'documents', 'connections', 'reservations', 'sessions', 'classes', 'acls', 'acls/notes', 'caches', 'loggers', 'audit']) {
    await phone.goto(`${cluster.origin}/gui/admin/${at}`.replace(/\/$/, ''))
    await until(`${at} is drawn`, async () => await phone.locator('.admin-main h1').count() === 1 && await phone.locator('.waiting').count() === 0)
    await fits(phone)
    await picture(phone, `admin-phone-${at.replace('/', '-') || 'overview'}`)
  }
})

await run.story('without the role there is no entry, the address is refused, and so are the calls', async () => {
  await signIn(carla, 'carla')
  assert.equal(await part(carla, 'section-admin').count(), 0)
  await carla.goto(`${cluster.origin}/gui/admin/sessions`)
  await until('she is told', async () => /For administrators/.test(await carla.locator('main').innerText()))
  assert.equal(await carla.evaluate(() => fetch('/core/rest/admin/cluster').then(r => r.status)), 403)
  assert.equal(await carla.evaluate(() => fetch('/gui/actuator/sessions?username=admin').then(r => r.status)), 403)
})

await run.story('without Redis a core alone is shown too, and the gateway tells of its sessions and ends them', async () => {
  const core = await startSubject(run, {})
  const gateway = await startGateway(run, core, { label: 'lonely' })
  const [dan, eve] = [await windows.open('dan'), await windows.open('eve')]
  await windows.signIn(dan, gateway, 'admin')
  await windows.signIn(eve, gateway, 'bob')
  await part(dan, 'section-admin').click()
  await until('Redis is not used', async () => /Not used/.test(await part(dan, 'lamp-redis').innerText()))
  await picture(dan, 'admin-lonely')
  await to(dan, 'sessions')
  await part(dan, 'admin-filter').fill('bob')
  await until('one is listed', async () => await part(dan, 'sessions-row').count() === 1)
  await part(dan, 'session-end').click()
  await confirmed(dan)
  await until('hers is over', async () => await eve.evaluate(() => fetch('/gui/rest/session').then(r => r.status)) === 401)
})

await run.story('no page complained', async () => {
  assert.deepEqual(windows.complaints, [])
})

await run.finish()
