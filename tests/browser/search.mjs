/* browser.search: what is looked for lives in the address; counts say what there is before one clicks. */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import { openRun, until } from '../harness/run.mjs'
import { part, picture } from '../harness/windows.mjs'
import { openOffice } from './office.mjs'

const run = openRun('browser.search')
const office = await openOffice(run)
const suppliers = ['Dupont', 'Acme', 'Northwind']
for (let i = 0; i < 30; i++) {
  await office.invoice(`inv-${i}`, suppliers[i % 3], { Amount: `${100 + i}.00`, Status: i % 5 === 0 ? 'paid' : 'received', DueDate: `2026-03-${String(i + 1).padStart(2, '0')}` })
}
await office.ask('ann', 'POST', 'documents', [{ id: 'note', name: 'About Dupont', data: { classId: 'Note' }, tags: [] }])

const ann = await office.open('ann', '/gui/library')
const found = (page, text) => until(`${text} found`, async () => (await part(page, 'library-count').innerText()) === text)
const rows = page => part(page, 'component-row')
const counts = async (page, field) => Object.fromEntries((await part(page, `facet-${field}`).locator('li').allInnerTexts()).map(text => text.split('\n')))

await run.story('all is counted by class, and shown page by page', async () => {
  await found(ann, '31 results')
  await until('classes are counted', async () => /30/.test(await part(ann, 'class-Invoice').innerText()))
  assert.equal(await rows(ann).count(), 25)
  await part(ann, 'library-more').click()
  await until('the rest comes', async () => await rows(ann).count() === 31)
  await picture(ann, 'library-all')
})

await run.story('a class, a value and a condition narrow it, and the address says them', async () => {
  await part(ann, 'class-Invoice').click()
  await found(ann, '30 results')
  await until('values are counted', async () => (await counts(ann, 'Status')).Paid === '6')
  await part(ann, 'facet-Status-paid').click()
  await found(ann, '6 results')
  assert.equal((await counts(ann, 'Status')).Received, '24', 'the others can still be chosen')
  await part(ann, 'criterion-field').selectOption('Amount')
  await part(ann, 'criterion-operator').selectOption('over')
  await part(ann, 'criterion-value').fill('110')
  await part(ann, 'criterion-add').click()
  await found(ann, '3 results')
  assert.match(ann.url(), /class=Invoice.*Status.*paid.*Amount.*over.*110/)
  await picture(ann, 'library-narrowed')
})

await run.story('the order is kept, and the address shows another person the same', async () => {
  await part(ann, 'library-sort').selectOption('-Amount')
  await until('the dearest stands first', async () => (await rows(ann).first().innerText()).includes('INV-25'))
  const mia = await office.open('mia', new URL(ann.url()).pathname + new URL(ann.url()).search, { viewport: { width: 390, height: 800 }, colorScheme: 'dark' })
  await found(mia, '3 results')
  await until('with the fields of the class', async () => (await rows(mia).first().innerText()).includes('INV-25'))
  await part(mia, 'filters').click()
  await part(mia, 'facet-Status').waitFor()
  await picture(mia, 'library-phone-dark')
})

await run.story('the back button takes back one step after the other', async () => {
  await ann.goBack()
  await until('the order', async () => await part(ann, 'library-sort').inputValue() === '-lastUpdateDate')
  await ann.goBack()
  await found(ann, '6 results')
  await ann.goBack()
  await found(ann, '30 results')
  await ann.goBack()
  await found(ann, '31 results')
})

await run.story('words are found in names and tags, and typed words are one step', async () => {
  await part(ann, 'library-search').pressSequentially('dupont', { delay: 10 })
  await found(ann, '11 results')
  assert.match(ann.url(), /q=dupont/)
  await ann.goBack()
  await found(ann, '31 results')
  assert.equal(await part(ann, 'library-search').inputValue(), '')
})

await run.story('a condition is taken away where it stands', async () => {
  await office.go(ann, '/gui/library?class=Invoice&where=DueDate:between:2026-03-01:2026-03-10')
  await found(ann, '10 results')
  assert.match(await part(ann, 'asked').innerText(), /Due date between 1 Mar 2026 and 10 Mar 2026/)
  await part(ann, 'asked').click()
  await found(ann, '30 results')
})

await run.story('what is found comes as a table', async () => {
  await office.go(ann, '/gui/library?class=Invoice&where=Status:is:paid&sort=Amount')
  await found(ann, '6 results')
  const [download] = await Promise.all([ann.waitForEvent('download'), part(ann, 'library-csv').click()])
  const lines = fs.readFileSync(await download.path(), 'utf8').trim().split('\r\n')
  assert.equal(lines.length, 7)
  assert.match(lines[1], /INV-0/)
})

await run.story('everything can be reached by keys', async () => {
  await office.go(ann, '/gui/library?class=Invoice')
  await found(ann, '30 results')
  await ann.keyboard.press('/')
  assert.ok(await part(ann, 'library-search').evaluate(field => field === document.activeElement))
  await ann.keyboard.press('ArrowDown')
  await ann.keyboard.press('ArrowDown')
  assert.ok(await part(ann, 'component-open').nth(1).evaluate(link => link === document.activeElement))
  await part(ann, 'component-new').locator('summary').focus()
  await ann.keyboard.press('Enter')
  await ann.keyboard.press('ArrowDown')
  assert.ok(await part(ann, 'component-new').locator('a').first().evaluate(link => link === document.activeElement))
  await ann.keyboard.press('Escape')
  assert.equal(await part(ann, 'component-new').evaluate(menu => menu.open), false)
})

await run.story('a search is saved under a name, and somebody else gets it', async () => {
  await office.go(ann, '/gui/library?class=Invoice&where=Status:is:paid&where=Amount:over:110&sort=-Amount')
  await found(ann, '3 results')
  await part(ann, 'saved').locator('summary').click()
  await part(ann, 'saved-keep').click()
  await part(ann, 'saved-name').fill('Dear and paid')
  await part(ann, 'saved-users').fill('management')
  await picture(ann, 'library-save')
  await part(ann, 'dialog-confirm').click()
  await until('it is in her list', async () => await part(ann, 'saved-search').count() === 1)
  const mia = await office.open('mia', '/gui/library')
  await part(mia, 'saved').locator('summary').click()
  await until('it says whose it is', async () => /Dear and paid.*ann/.test(await part(mia, 'saved-search').innerText()))
  assert.equal(await part(mia, 'saved-search-remove').count(), 0)
  await picture(mia, 'library-saved')
  await part(mia, 'saved-search').click()
  await found(mia, '3 results')
  await until('in its order', async () => (await rows(mia).first().innerText()).includes('INV-25'))
  assert.equal(mia.url(), ann.url())
  await mia.context().close()
  await part(ann, 'saved').locator('summary').click()
  await part(ann, 'saved-search-remove').click()
  await part(ann, 'dialog-confirm').click()
  await until('it is gone', async () => await part(ann, 'saved-search').count() === 0)
})

await run.story('a saved search that says more than the page can is shown as it is', async () => {
  const either = ['DUPONT', 'ACME'].map(name => ({ name: 'Supplier', operator: 'CONTAINS', values: [name] }))
  await office.ask('ann', 'POST', 'storedsearch', [{
    id: 'either', category: 'DOCUMENT', displayNames: [{ language: 'EN', value: 'Either' }],
    request: { filterClauses: [{ type: 'com.flower.docs.domain.search.OrClause', criteria: either }], orderClauses: [{ name: 'Amount' }] }
  }])
  await ann.reload()
  await part(ann, 'saved').locator('summary').click()
  await part(ann, 'saved-search').click()
  await until('both are found', async () => await rows(ann).count() === 20)
})

await run.story('a favourite is one click away until it is none', async () => {
  await office.go(ann, '/gui/c/DOCUMENT/note')
  await part(ann, 'star').click()
  await until('it is one', async () => await part(ann, 'star').getAttribute('aria-pressed') === 'true')
  await office.go(ann, '/gui/library')
  await part(ann, 'favourites').click()
  await until('it is there', async () => await rows(ann).count() === 1 && (await rows(ann).innerText()).includes('About Dupont'))
  await picture(ann, 'library-favourites')
  await part(ann, 'component-open').click()
  await until('it still is one', async () => await part(ann, 'star').getAttribute('aria-pressed') === 'true')
  await part(ann, 'star').click()
  await until('it is none', async () => await part(ann, 'star').getAttribute('aria-pressed') === 'false')
  await office.go(ann, '/gui/library?favourites=1')
  await part(ann, 'component-none').waitFor()
})

await run.story('an address that nobody has made is no fault', async () => {
  await office.go(ann, '/gui/library?in=NOTHING&class=No&where=x&where=%25:is:%25&sort=&q=%22')
  await part(ann, 'component-none').or(part(ann, 'library-problem')).first().waitFor()
  await office.go(ann, '/gui/library?saved=nobody-has-it')
  await ann.getByRole('alert').first().waitFor()
})

await run.story('no page has complained', async () => assert.deepEqual(office.windows.complaints, []))
await run.finish()
