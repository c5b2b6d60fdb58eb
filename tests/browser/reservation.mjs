/* browser.reservation: a document reserved in one window, read in the other, given back, broken, and left. */
import assert from 'node:assert/strict'
import { openRun, until } from '../harness/run.mjs'
import { signToken, startGateway, startSubject } from '../harness/subjects.mjs'
import { openBrowser, pageText, part, picture, ready, state } from '../harness/windows.mjs'

const run = openRun('browser.reservation')
const core = await startSubject(run, { reactors: 2, args: ['--reservation.ttl=5s'] })
const gateway = await startGateway(run, core)
const windows = await openBrowser(run)
const [ann, bob] = [await windows.open('ann'), await windows.open('bob')]
const root = signToken({ sub: 'root' })

const ask = async (method, target, json) => {
  const answer = await core.fetch(target, { method, token: root, json })
  assert.ok(answer.ok, `${method} ${target}: ${answer.status}`)
  const text = await answer.text()
  return text && JSON.parse(text)
}
const { name } = await ask('POST', '/core/rest/collab/documents', { title: 'Budget' })
const held = async () => (await ask('POST', '/core/rest/reservation', [{ category: 'DOCUMENT', id: name }]))[0]
const editable = async page => await part(page, 'editor').getAttribute('contenteditable') === 'true'
const typeAtEnd = async (page, text) => {
  await part(page, 'editor').click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type(text)
}

await run.story('two people open the document and write', async () => {
  await windows.signIn(ann, gateway, 'admin')
  await windows.signIn(bob, gateway, 'bob')
  await windows.openDocument(ann, gateway, name)
  await windows.openDocument(bob, gateway, name)
  await typeAtEnd(ann, 'Rent 900. ')
  await until('Bob reads it', async () => (await pageText(bob)).includes('Rent 900.'))
  assert.equal(await state(ann, 'reserve'), 'free')
})

await run.story('one reserves it, after being told who else writes; the other sees by whom, and may read', async () => {
  await part(ann, 'reserve').click()
  await part(ann, 'dialog-confirm').waitFor()
  await picture(ann, 'reservation-question')
  await part(ann, 'dialog-confirm').click()
  await until('it is hers', async () => await state(ann, 'reserve') === 'mine')
  await until('Bob is told', async () => /reserved by admin/i.test(await part(bob, 'reserved').innerText()))
  await until('Bob reads only', async () => !await editable(bob))
  assert.ok(await editable(ann))
  await typeAtEnd(ann, 'Light 80. ')
  await until('he reads on', async () => (await pageText(bob)).includes('Light 80.'))
  await ready(ann)
  await picture(ann, 'reservation-mine')
  await picture(bob, 'reservation-theirs')
})

await run.story('the page renews it for as long as it is open', async () => {
  const first = Date.parse((await held()).expires)
  await until('beyond the first lease', async () => {
    const now = await held()
    assert.ok(now.reserved)
    return Date.parse(now.expires) > first + 5000
  })
})

await run.story('given back, the other may write again, and both read the same', async () => {
  await part(ann, 'reserve').click()
  await until('Bob may write', async () => await editable(bob) && await part(bob, 'reserved').count() === 0)
  await typeAtEnd(bob, 'Water 30.')
  await until('both read it', async () => (await pageText(ann)).includes('Water 30.') && await pageText(ann) === await pageText(bob))
  await ready(bob)
  assert.equal(await state(ann, 'reserve'), 'free')
})

await run.story('an administrator breaks it: its holder is told and may go on, like everybody', async () => {
  await part(bob, 'reserve').click()
  await part(bob, 'dialog-confirm').click()
  await until('it is Bob\'s', async () => await state(bob, 'reserve') === 'mine')
  await until('Ann reads only', async () => !await editable(ann))
  await ask('DELETE', `/core/rest/reservation/DOCUMENT/${name}`)
  await until('Bob is told', async () => /root has ended your reservation/.test(await bob.locator('.toast').innerText()))
  await until('it is free', async () => await state(bob, 'reserve') === 'free' && await editable(ann) && await editable(bob))
})

await run.story('leaving the document gives it back', async () => {
  await part(ann, 'reserve').click()
  await part(ann, 'dialog-confirm').click()
  await until('it is Ann\'s', async () => await state(ann, 'reserve') === 'mine')
  await until('Bob reads only', async () => !await editable(bob))
  await part(ann, 'back').click()
  await until('Bob may write', async () => await editable(bob))
  assert.equal((await held()).reserved, false)
})

await run.story('on a phone the banner fits', async () => {
  const phone = await windows.open('phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true })
  await windows.signIn(phone, gateway, 'bob')
  await ask('POST', '/core/rest/reservation/reserve?break=true', [{ category: 'DOCUMENT', id: name }])
  await phone.goto(`${gateway.origin}/gui/d/${encodeURIComponent(name)}`)
  await part(phone, 'reserved').waitFor()
  const wide = await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  assert.ok(wide <= 1, `nothing sticks out (${wide} px)`)
  await picture(phone, 'reservation-phone')
})

await run.story('no page complained', async () => {
  assert.deepEqual(windows.complaints, [])
})

await run.finish()
