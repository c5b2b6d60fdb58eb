/* browser.folders: what lies in a folder is seen, put in and taken out; a virtual folder shows what its searches find. */
import assert from 'node:assert/strict'
import { openRun, until } from '../harness/run.mjs'
import { part, picture } from '../harness/windows.mjs'
import { openOffice } from './office.mjs'

const run = openRun('browser.folders')
const office = await openOffice(run)
await office.invoice('inv-1', 'Dupont')
await office.invoice('inv-2', 'Acme', { Status: 'paid' })
await office.ask('ann', 'POST', 'folders', [{ id: 'dupont', name: 'Dupont', data: { classId: 'SupplierFile' }, tags: [{ name: 'Supplier', value: ['Dupont'] }] }])
await office.ask('ann', 'POST', 'virtualFolder', [{ id: 'mine', name: 'Mine', data: { classId: 'OpenInvoices' }, tags: [] }])

const ann = await office.open('ann', '/gui/c/FOLDER/dupont')
const rows = page => part(page, 'component-row')

await run.story('a folder that is empty says so, and offers what its class admits', async () => {
  await part(ann, 'folder-empty').waitFor()
  await part(ann, 'child-add').click()
  await part(ann, 'picker').waitFor()
  await until('both fit', async () => await part(ann, 'pick').count() === 2)
  assert.ok(await part(ann, 'dialog-confirm').isDisabled(), 'nothing is chosen yet')
  await part(ann, 'picker-search').fill('dupont')
  await until('one is found', async () => await part(ann, 'pick').count() === 1)
})

await run.story('what is chosen lies in it at once, with its class, and leads to its page', async () => {
  await part(ann, 'pick').locator('input').check()
  await picture(ann, 'folder-add')
  await part(ann, 'dialog-confirm').click()
  await rows(ann).waitFor()
  assert.match(await rows(ann).innerText(), /Invoice of Dupont\s+Invoice/)
  assert.deepEqual((await office.ask('ann', 'GET', 'folders/dupont'))[0].children, [{ category: 'DOCUMENT', id: 'inv-1' }])
  await picture(ann, 'folder')
  await part(ann, 'component-open').click()
  await part(ann, 'tab-files').waitFor()
  await ann.goBack()
  await rows(ann).waitFor()
})

await run.story('what somebody holds says who', async () => {
  const reference = [{ category: 'DOCUMENT', id: 'inv-1' }]
  assert.equal(await part(ann, 'holder').count(), 0)
  await office.ask('ann', 'POST', 'reservation/reserve', reference)          /* in another session */
  await ann.reload()
  await part(ann, 'holder').waitFor()
  assert.match(await part(ann, 'holder').innerText(), /ann/)
  await office.ask('ann', 'POST', 'reservation/release', reference)
})

await run.story('a name that is being typed is kept when something is put in', async () => {
  await part(ann, 'component-name').fill('Dupont and sons')
  await part(ann, 'child-add').click()
  await part(ann, 'pick').filter({ hasText: 'Acme' }).locator('input').check()
  await part(ann, 'dialog-confirm').click()
  await until('two lie in it', async () => await rows(ann).count() === 2)
  assert.equal(await part(ann, 'component-name').inputValue(), 'Dupont and sons')
  await part(ann, 'component-save').click()
  await until('it is saved', async () => (await office.ask('ann', 'GET', 'folders/dupont'))[0].name === 'Dupont and sons')
  assert.equal((await office.ask('ann', 'GET', 'folders/dupont'))[0].children.length, 2)
})

await run.story('what is taken out is out, and still there', async () => {
  await rows(ann).filter({ hasText: 'Acme' }).locator('[data-testid=child-remove]').click()
  await until('one is left', async () => await rows(ann).count() === 1)
  assert.equal((await office.ask('ann', 'GET', 'documents/inv-2'))[0].id, 'inv-2')
})

await run.story('who may only read it changes nothing', async () => {
  const mia = await office.open('mia', '/gui/c/FOLDER/dupont', { viewport: { width: 390, height: 800 }, colorScheme: 'dark' })
  await part(mia, 'read-only').waitFor()
  await rows(mia).waitFor()
  for (const id of ['child-add', 'child-remove', 'component-save', 'component-delete']) assert.equal(await part(mia, id).count(), 0, id)
  await picture(mia, 'folder-phone-dark')
})

await run.story('a virtual folder shows what its searches find now', async () => {
  await office.go(ann, '/gui/c/VIRTUAL_FOLDER/mine')
  await rows(ann).waitFor()
  assert.equal(await rows(ann).count(), 1, 'the one that is paid is none of them')
  assert.match(await part(ann, 'folder-search').innerText(), /To be paid[^]*Invoice of Dupont/)
  await picture(ann, 'folder-virtual')
})

await run.story('no page has complained', async () => assert.deepEqual(office.windows.complaints, []))
await run.finish()
