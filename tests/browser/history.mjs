/* browser.history: the history of a document in the hands of two people, and what editors see of a restore. */
import assert from 'node:assert/strict'
import { openRun, until } from '../harness/run.mjs'
import { signToken, startGateway, startSubject } from '../harness/subjects.mjs'
import { openBrowser, pageText, part, picture, ready, state } from '../harness/windows.mjs'

const run = openRun('browser.history')
const core = await startSubject(run, { reactors: 3, args: ['--store.versions.every=0', '--store.versions.every-changes=0'] })
const gateway = await startGateway(run, core)
const windows = await openBrowser(run)
const ann = await windows.open('ann')
const bob = await windows.open('bob')
const people = [ann, bob]

const ask = async (method, target, json) => {
  const answer = await core.fetch(target, { method, token: signToken({ sub: 'robot' }), json })
  const text = await answer.text()
  assert.ok(answer.ok, `${method} ${target}: ${answer.status} ${text}`)
  return JSON.parse(text)
}
const made = await ask('POST', '/core/rest/collab/documents', { title: 'Minutes of May' })
const versions = `/core/rest/collab/documents/${made.name}/versions`
const listed = async () => (await ask('GET', versions)).results

/* A page that reloads forgets its mark; one that reconnects opens another socket. */
const sockets = new Map(people.map(page => [page, []]))
for (const page of people) {
  page.on('websocket', socket => {
    if (socket.url().includes('/collab')) sockets.get(page).push(socket)
  })
}
async function watch () {
  for (const page of people) await page.evaluate(() => { window.mark = 'here' })
  return new Map(people.map(page => [page, sockets.get(page).length]))
}
async function assertStayed (before) {
  for (const page of people) {
    assert.equal(await page.evaluate(() => window.mark), 'here', 'the page was not loaded again')
    assert.equal(sockets.get(page).length, before.get(page), 'no other socket was opened')
    assert.equal(sockets.get(page).at(-1).isClosed(), false, 'and the one is open')
  }
}

const bothRead = (what, test) => until(what, async () => {
  const texts = await Promise.all(people.map(pageText))
  if (texts[0] !== texts[1] || !test(texts[0])) throw new Error(texts.join(' | '))
  return true
}, 20000)
const rows = page => part(page, 'history-row')
async function choose (page, label) {
  await rows(page).filter({ hasText: label }).first().click()
  await until('the version is shown', async () => ['text', 'changes', 'first'].includes(await state(page, 'history-view')))
}
async function mode (page, id) {
  await part(page, `history-mode-${id}`).click()
  await until(`it shows ${id}`, async () => await part(page, 'history-view').getAttribute('data-mode') === id &&
    ['text', 'changes', 'first'].includes(await state(page, 'history-view')))
}

await run.story('two people write in one document', async () => {
  await windows.signIn(ann, gateway, 'admin')
  await windows.signIn(bob, gateway, 'bob')
  for (const page of people) await windows.openDocument(page, gateway, made.name)
  await part(ann, 'editor').click()
  for (const line of ['# Minutes', 'The garden needs water.', 'We meet on Monday.']) {
    await ann.keyboard.type(line)
    await ann.keyboard.press('Enter')
  }
  await ready(ann)
  await bothRead('both read it', text => text.includes('We meet on Monday.'))
})

await run.story('a version is kept with a name from the panel, by keyboard alone', async () => {
  await part(ann, 'history-open').focus()
  await ann.keyboard.press('Enter')
  await part(ann, 'history').waitFor()
  await until('the panel has the focus', () => ann.evaluate(() => document.activeElement?.id === 'history-title'))
  await ann.keyboard.press('Tab')
  await ann.keyboard.press('Tab')
  assert.equal(await ann.evaluate(() => document.activeElement.dataset.testid), 'history-keep')
  await ann.keyboard.press('Enter')
  await part(ann, 'dialog-input').waitFor()
  await ann.keyboard.type('First draft')
  await ann.keyboard.press('Enter')
  await until('it is in the list', async () => (await rows(ann).allInnerTexts()).some(t => t.includes('First draft') && t.includes('admin')))
  assert.deepEqual((await listed()).map(v => [v.label, v.author]), [['First draft', 'admin']])
})

await run.story('Escape closes the panel and the focus is where it was', async () => {
  await rows(ann).first().focus()
  await ann.keyboard.press('Escape')
  await part(ann, 'history').waitFor({ state: 'detached' })
  assert.equal(await ann.evaluate(() => document.activeElement.dataset.testid), 'history-open')
})

await run.story('a version is read as it was, while others write on', async () => {
  await part(bob, 'editor').click()
  await bob.keyboard.press('Control+End')
  await bob.keyboard.type('Bob brings cake.')
  await ready(bob)
  await part(ann, 'history-open').click()
  await choose(ann, 'First draft')
  const text = await part(ann, 'history-text').innerText()
  assert.match(text, /The garden needs water\./)
  assert.doesNotMatch(text, /cake/)
  assert.equal(await part(ann, 'history-text').getAttribute('contenteditable'), 'false')
  assert.equal(await part(ann, 'editor').isVisible(), false)
  await picture(ann, 'history-text')
})

await run.story('what changed is shown with the writer\'s colour and name', async () => {
  await mode(ann, 'now')
  const inserted = ann.locator('[data-testid=history-changes] ins', { hasText: 'cake' })
  assert.equal(await inserted.getAttribute('data-by'), 'bob')
  assert.match(await inserted.getAttribute('title'), /bob/)
  const colour = await inserted.evaluate(e => getComputedStyle(e).getPropertyValue('--person'))
  const caret = await part(bob, 'presence').locator('.avatar').first().evaluate(e => getComputedStyle(e).getPropertyValue('--person'))
  assert.equal(colour, caret, 'the colour that Bob has everywhere')
  await mode(ann, 'before')
  assert.match(await part(ann, 'history-view').innerText(), /first version/)
})

await run.story('a version is renamed', async () => {
  await part(ann, 'history-rename').click()
  await part(ann, 'dialog-input').fill('Before the cake')
  await part(ann, 'dialog-confirm').click()
  await until('the view says so', async () => await part(ann, 'history-name').innerText() === 'Before the cake')
  await until('and the list', async () => (await rows(ann).allInnerTexts()).some(t => t.includes('Before the cake')))
})

await run.story('deletions are struck out', async () => {
  await part(bob, 'editor').locator('p', { hasText: 'We meet' }).click({ clickCount: 3 })
  await bob.keyboard.type('We meet on Sunday at noon.')
  await ready(bob)
  await ask('POST', versions, { label: 'With cake' })
  await part(ann, 'history-back').click()
  await part(ann, 'history-open').click()
  await choose(ann, 'With cake')
  await mode(ann, 'before')
  const changes = part(ann, 'history-changes')
  assert.ok((await changes.locator('del').allInnerTexts()).some(t => t.includes('Monday')))
  assert.ok((await changes.locator('ins').allInnerTexts()).some(t => t.includes('Sunday')))
})

await run.story('pictures: light, dark, phone', async () => {
  await picture(ann, 'history-changes')
  await part(ann, 'theme-toggle').click()
  await until('the theme is dark', async () => await part(ann, 'theme-toggle').getAttribute('data-theme') === 'dark')
  await picture(ann, 'history-changes-dark')
  await mode(ann, 'text')
  await picture(ann, 'history-text-dark')
  await part(ann, 'theme-toggle').click()
  const phone = await windows.open('phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 })
  await windows.signIn(phone, gateway, 'bob')
  await windows.openDocument(phone, gateway, made.name)
  const fits = async () => assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth) <= 1, 'nothing sticks out on a phone')
  await part(phone, 'history-open').click()
  await until('the list is there', async () => await rows(phone).count() === 2)
  await fits()
  await picture(phone, 'history-list-phone')
  await choose(phone, 'With cake')
  await mode(phone, 'before')
  await fits()
  await picture(phone, 'history-changes-phone')
  await part(phone, 'history-to-list').click()
  await until('back in the list', () => rows(phone).first().isVisible())
  await phone.context().close()
})

await run.story('a restore from the panel is in both windows, without another connection', async () => {
  await part(bob, 'editor').click()
  await bob.keyboard.press('Control+End')
  await bob.keyboard.type(' And plates.')
  await ready(bob)
  const before = await watch()
  await choose(ann, 'Before the cake')
  await part(ann, 'history-restore').click()
  await picture(ann, 'history-restore')
  await part(ann, 'dialog-confirm').click()
  await bothRead('both read the old text', text => text.includes('We meet on Monday.') && !text.includes('cake') && !text.includes('Sunday'))
  await part(ann, 'editor').waitFor()
  await ready(ann)
  await ready(bob)
  await assertStayed(before)
  const kept = (await listed()).find(v => v.label.startsWith('before restoring '))
  const was = await core.fetch(`${versions}/${kept.seq}/content?format=text`, { token: signToken() })
  assert.match(await was.text(), /Bob brings cake\. And plates\./, 'what was before is kept')
})

await run.story('a restore from REST while both type is in both windows, without another connection', async () => {
  const before = await watch()
  const wanted = (await listed()).find(v => v.label === 'With cake')
  const typing = people.map(async (page, i) => {
    await part(page, 'editor').locator('h1').click()
    await page.keyboard.press('End')
    await page.keyboard.type([' typed by Ann', ' typed by Bob'][i], { delay: 30 })
  })
  const answer = await ask('POST', `${versions}/${wanted.seq}/restore`)
  assert.deepEqual([answer.restored, answer.changed], [wanted.seq, true])
  await Promise.all(typing)
  await bothRead('both read it', text =>
    text.includes('We meet on Sunday at noon.') && text.includes('Bob brings cake.') && !/Monday|plates/.test(text))
  for (const page of people) await ready(page)
  await assertStayed(before)
})

await run.story('"not saved yet" is said while the store is away, and "saved" when it is back', async () => {
  const point = action => core.fetch('/core/actuator/failpoints/edit.before_commit', { method: 'PUT', body: action, token: signToken() })
  const before = await watch()
  const armed = await point('error')
  if (armed.status === 404) return                    /* a release build has no failure points */
  assert.equal(armed.status, 204)
  await part(ann, 'editor').click()
  await ann.keyboard.type('z')
  await until('it says so', async () => await state(ann, 'save-state') === 'unsaved')
  assert.equal(await state(ann, 'conn-state'), 'connected')
  assert.match(await part(ann, 'save-state').innerText(), /Not saved yet/)
  await picture(ann, 'editor-store-away')
  await point('off')
  await ready(ann)
  await assertStayed(before)
})

await run.story('no page complained', async () => {
  assert.deepEqual(windows.complaints, [])
})

await run.finish()
