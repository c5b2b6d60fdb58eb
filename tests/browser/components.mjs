/* browser.components: the library and the forms of components, by three people: one may everything, one reads, one sees nothing. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { openRun, until } from '../harness/run.mjs'
import { password, signToken, startGateway, startSubject } from '../harness/subjects.mjs'
import { openBrowser, pageText, part, picture, ready } from '../harness/windows.mjs'

const run = openRun('browser.components')
const core = await startSubject(run, {
  reactors: 2,
  args: ['--internal.realm.users[2].id=eve', `--internal.realm.users[2].password=${password}`,
    '--internal.realm.users[3].id=zoe', `--internal.realm.users[3].password=${password}`]
})
const gateway = await startGateway(run, core)
const root = signToken({ sub: 'root', profiles: ['SYSTEM_ADMIN'], scope: 'main' })
const put = async (target, json) => {
  const answer = await core.fetch(`/core/rest/${target}`, { method: 'POST', token: root, json })
  assert.equal(answer.status, 200, `${target}: ${await answer.clone().text()}`)
  return await answer.json()
}
const names = (en, fr) => [{ language: 'EN', value: en }, { language: 'FR', value: fr }]
const entry = (principal, permission, grant = 'ALLOW') => ({ principal, permission, grant })

await put('scope', [{ id: 'main', languages: ['EN', 'FR'] }])
await put('acl', [
  { id: 'invoices', entries: [entry('admin', '*'), entry('bob', '*'), entry('zoe', ['READ', 'READ_CONTENT', 'READ_HISTORY'])] },
  { id: 'notes', entries: [entry('eve', '*', 'DENY'), entry('zoe', 'CREATE', 'DENY'), entry('*', '*')] }
])
await put('tagclass', [
  { id: 'InvoiceNumber', type: 'STRING', displayNames: names('Invoice number', 'Numéro') },
  { id: 'Amount', type: 'CURRENCY', displayNames: names('Amount', 'Montant') },
  { id: 'DueDate', type: 'DATE', displayNames: names('Due', 'Échéance') },
  { id: 'Status', type: 'CHOICELIST', displayNames: names('Status', 'État'),
    allowedValues: [{ symbolicName: 'received', displayNames: names('Received', 'Reçue') }, { symbolicName: 'paid', displayNames: names('Paid', 'Payée') }] },
  { id: 'Comment', type: 'TEXT', displayNames: names('Comment', 'Remarque') }
])
await put('tagcategory', [{ id: 'Money', displayNames: names('Money', 'Argent'), tags: ['Amount', 'DueDate'] }])
await put('documentclass', [
  { id: 'Invoice', category: 'DOCUMENT', displayNames: names('Invoice', 'Facture'), versioningMode: 'MANUAL', data: { ACL: 'invoices' }, tagCategories: ['Money'],
    tagReferences: [{ tagName: 'InvoiceNumber', mandatory: true, order: 1 }, { tagName: 'Amount', mandatory: true, order: 2 },
      { tagName: 'DueDate', order: 3 }, { tagName: 'Status', order: 4, defaultValue: 'received' }, { tagName: 'Comment', order: 5 }] },
  { id: 'Note', category: 'DOCUMENT', displayNames: names('Note', 'Note'), collaborative: true, data: { ACL: 'notes' }, tagReferences: [] }
])

const windows = await openBrowser(run)
const [ann, bob, eve] = [await windows.open('ann'), await windows.open('bob'), await windows.open('eve', { viewport: { width: 390, height: 800 }, colorScheme: 'dark' })]
const library = page => page.goto(`${gateway.origin}/gui/library`)
const field = (page, name) => page.locator(`#tag-${name}`)

await run.story('a form is made from the class, and faults stand at their fields', async () => {
  await windows.signIn(ann, gateway, 'admin')
  await library(ann)
  await part(ann, 'component-new').locator('summary').click()
  await part(ann, 'new-Invoice').click()
  await part(ann, 'component-name').fill('Rent of May')
  await field(ann, 'InvoiceNumber').fill('2026-05')
  await field(ann, 'Amount').fill('nine hundred')
  await part(ann, 'component-save').click()
  await ann.locator('#tag-Amount-fault').waitFor()
  await picture(ann, 'component-fault')
  assert.equal(await field(ann, 'Status').inputValue(), 'received')
})

await run.story('a file goes with it, and comes back byte for byte', async () => {
  const file = path.join(run.dir, 'invoice.txt')
  fs.writeFileSync(file, 'Rent 900 EUR\n')
  await field(ann, 'Amount').fill('900.00')
  await field(ann, 'DueDate').fill('2026-05-31')
  await part(ann, 'file-add').setInputFiles(file)
  await until('it is listed', async () => await part(ann, 'file').count() === 1)
  await part(ann, 'component-save').click()
  await part(ann, 'file-get').waitFor()
  await picture(ann, 'component')
  const [download] = await Promise.all([ann.waitForEvent('download'), part(ann, 'file-get').click()])
  assert.equal(fs.readFileSync(await download.path(), 'utf8'), 'Rent 900 EUR\n')
})

await run.story('another finds it by a word, and while one changes it the other reads', async () => {
  await windows.signIn(bob, gateway, 'bob')
  await library(bob)
  await part(bob, 'library-search').fill('rent')
  await until('one is found', async () => await part(bob, 'component-row').count() === 1)
  await picture(bob, 'library')
  await field(ann, 'Comment').fill('Paid in cash')
  await part(bob, 'component-open').click()
  await part(bob, 'held').waitFor()
  assert.match(await part(bob, 'held').innerText(), /admin/)
  assert.ok(await part(bob, 'component-name').isDisabled())
  await part(ann, 'component-save').click()
  await until('it is kept', async () => (await ann.locator('.about').innerText()).includes('Version 2'))
  await bob.evaluate(() => dispatchEvent(new Event('focus')))          /* he comes back to the window */
  await until('he may write now, and sees what is new', async () => !await part(bob, 'component-name').isDisabled() && await field(bob, 'Comment').inputValue() !== '')
  assert.equal(await field(bob, 'Comment').inputValue(), 'Paid in cash')
})

await run.story('a version is kept with a label, opened, and gone back to', async () => {
  await part(ann, 'tab-versions').click()
  await part(ann, 'version-keep').click()
  await part(ann, 'dialog-input').fill('Paid')
  await part(ann, 'dialog-confirm').click()
  await part(ann, 'version-open').filter({ hasText: 'Paid' }).waitFor()
  await field(ann, 'Comment').fill('Not paid at all')
  await part(ann, 'component-save').click()
  await until('it is kept', async () => (await ann.locator('.about').innerText()).includes('Version 4'))
  await part(ann, 'version-open').first().click()
  await part(ann, 'version-shown').waitFor()
  assert.equal(await field(ann, 'Comment').inputValue(), 'Paid in cash')
  assert.ok(await field(ann, 'Comment').isDisabled())
  await picture(ann, 'component-version')
  await part(ann, 'version-go-back').click()
  await part(ann, 'dialog-confirm').click()
  await until('it is what it was', async () => await field(ann, 'Comment').inputValue() === 'Paid in cash')
})

await run.story('the history says who did what, with the new values', async () => {
  await part(ann, 'tab-history').click()
  await part(ann, 'facts').waitFor()
  const told = await part(ann, 'facts').innerText()
  for (const text of ['admin created it', 'admin kept a version', 'went back to a version', 'Not paid at all']) assert.ok(told.includes(text), `${text} in ${told}`)
  await picture(ann, 'component-history')
})

await run.story('who may only read sees why, and nothing that would be refused', async () => {
  const zoe = await windows.open('zoe')
  await windows.signIn(zoe, gateway, 'zoe')
  await library(zoe)
  await part(zoe, 'component-row').waitFor()
  assert.equal(await part(zoe, 'component-new').count(), 0)
  await part(zoe, 'component-open').click()
  assert.match(await part(zoe, 'read-only').innerText(), /invoices/)
  assert.ok(await part(zoe, 'component-name').isDisabled())
  for (const id of ['component-delete', 'component-save', 'file-add', 'version-keep']) assert.equal(await part(zoe, id).count(), 0, id)
  await zoe.goto(`${gateway.origin}/gui/c/DOCUMENT/new?class=Invoice`)
  assert.match(await part(zoe, 'read-only').innerText(), /right to create/)
  await picture(zoe, 'component-read-only')
  await zoe.context().close()
})

await run.story('a note is written together', async () => {
  await library(ann)
  await part(ann, 'component-new').locator('summary').click()
  await part(ann, 'new-Note').click()
  await part(ann, 'component-name').fill('Meeting')
  await part(ann, 'component-save').click()
  await part(ann, 'text-open').click()
  await part(ann, 'editor').waitFor()
  await ready(ann)
  await bob.goto(ann.url())
  await part(bob, 'editor').waitFor()
  await ready(bob)
  await part(ann, 'editor').click()
  await ann.keyboard.type('We buy the house.')
  await until('Bob reads it', async () => (await pageText(bob)).includes('We buy the house.'))
  await ready(ann)
  await picture(bob, 'component-note')
  await part(ann, 'back').click()
  await part(ann, 'text-open').waitFor()
})

await run.story('a note is found by what was written in it', async () => {
  await library(ann)
  await until('by its words', async () => {
    await part(ann, 'library-search').fill('')
    await part(ann, 'library-search').fill('buy house')
    return await part(ann, 'component-row').filter({ hasText: 'Meeting' }).count() === 1
  })
  await part(ann, 'component-open').first().click()
  await part(ann, 'text-open').click()
  await part(ann, 'editor').waitFor()
  await ready(ann)
})

await run.story('who may see neither finds nothing, and gets in by no address', async () => {
  await windows.signIn(eve, gateway, 'eve')
  await library(eve)
  await part(eve, 'component-none').waitFor()
  await picture(eve, 'library-nothing-phone-dark')
  await eve.goto(ann.url())
  await until('she is refused', async () => (await eve.locator('main').innerText()).match(/does not exist|cannot open/i))
})

await run.story('a right that is taken away ends in the open editor', async () => {
  const answer = await core.fetch('/core/rest/acl/notes', {
    method: 'POST', token: root, json: [{ id: 'notes', entries: [entry('bob', ['READ', 'READ_CONTENT']), entry('admin', '*')] }]
  })
  assert.equal(answer.status, 200)
  await until('Bob reads only', async () => await part(bob, 'editor').getAttribute('contenteditable') !== 'true')
})

await run.story('deleted is gone', async () => {
  await library(ann)
  await part(ann, 'class-Invoice').click()
  await part(ann, 'component-open').first().click()
  await part(ann, 'component-delete').click()
  await part(ann, 'dialog-confirm').click()
  await part(ann, 'component-none').or(part(ann, 'component-row')).first().waitFor()
  await part(ann, 'class-Invoice').click()
  await part(ann, 'component-none').waitFor()
})

await run.story('no page has complained', async () => assert.deepEqual(windows.complaints, []))
await run.finish()
