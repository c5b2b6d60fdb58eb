/* browser.api-viewer: the page that shows the REST interface, from the core alone: every operation is on it, words find them, a
 * call is tried with a token that the page itself has got. In the light and on a phone in the dark. */
import assert from 'node:assert/strict'
import { openRun, until } from '../harness/run.mjs'
import { password, startSubject } from '../harness/subjects.mjs'
import { openBrowser, picture } from '../harness/windows.mjs'

const run = openRun('browser.api-viewer')
const core = await startSubject(run)
const windows = await openBrowser(run)
const description = await (await core.fetch('/core/v3/api-docs')).json()
const ids = Object.values(description.paths).flatMap(item => Object.values(item).map(o => o.operationId))
const desk = await windows.open('desk')
const phone = await windows.open('phone', { viewport: { width: 390, height: 844 }, colorScheme: 'dark' })
const foreign = []
for (const page of [desk, phone]) page.on('request', rq => { if (!rq.url().startsWith(core.origin) && !rq.url().startsWith('data:')) foreign.push(rq.url()) })
const operation = (page, id) => page.locator(`[id="${id}"]`)

/* Sends what the operation's form has; the answer's text. */
async function tried (page, id, fill) {
  await page.goto(`${core.origin}/core/swagger-ui/index.html#${id}`)
  const form = operation(page, id).locator('form')
  await form.waitFor()
  await fill(form)
  await form.getByRole('button', { name: 'Send' }).click()
  await form.locator('.answer pre').first().waitFor()
  return await form.locator('.answer').innerText()
}

await run.story('every operation is on the page, in its group', async () => {
  await desk.goto(`${core.origin}/core/swagger-ui`)
  await desk.locator('.op').first().waitFor()
  assert.deepEqual((await desk.locator('.op').evaluateAll(all => all.map(e => e.id))).sort(), [...ids].sort())
  await picture(desk, 'api-viewer')
})

await run.story('words find operations; the others hide', async () => {
  await desk.fill('#find', 'versions restore')
  await until('one is left', async () => await desk.locator('.op:visible').count() === 1)
  assert.equal(await desk.locator('.op:visible').getAttribute('id'), 'collab.versions.restore')
  await desk.fill('#find', '')
})

for (const [name, page] of [['desk', desk], ['phone', phone]]) {
  await run.story(`a call is tried with a token that another one gave: ${name}`, async () => {
    const got = await tried(page, 'authentication.create', form =>
      form.locator('textarea').fill(JSON.stringify({ user: 'admin', password })))
    assert.match(got, /^200/)
    await page.getByRole('button', { name: 'Use this token' }).click()
    const made = await tried(page, 'collab.documents.create', form => form.locator('textarea').fill('{"title":"From the page"}'))
    assert.match(made, /^201/)
    assert.match(made, /curl -X POST .*token: \$TOKEN/)
    const list = await tried(page, 'collab.documents.list', form => form.locator('[name=search]').fill('From the'))
    assert.match(list, /"title": "From the page"/)
    await picture(page, `api-viewer-${name}`)
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, 'nothing is wider than the page')
  })
}

await run.story('nothing came from elsewhere, and the policy was not broken', async () => {
  assert.deepEqual(foreign, [])
  assert.deepEqual(windows.complaints, [])
})

await run.finish()
