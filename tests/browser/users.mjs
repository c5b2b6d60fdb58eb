/* browser.users: an administrator makes users and groups, lets them in and out; people change their own password. */
import assert from 'node:assert/strict'
import { openRun, until } from '../harness/run.mjs'
import { signToken, startGateway, startSubject } from '../harness/subjects.mjs'
import { openBrowser, part, picture } from '../harness/windows.mjs'

const run = openRun('browser.users')
const core = await startSubject(run, { kind: 'umbel' })
const gateway = await startGateway(run, core)
const root = signToken({ sub: 'root', profiles: ['SYSTEM_ADMIN'], scope: 'main' })
const ask = async (method, target, json) => {
  const answer = await core.fetch(`/core/rest/${target}`, { method, token: root, json })
  assert.ok(answer.ok, `${method} ${target}: ${answer.status} ${await answer.clone().text()}`)
  return await answer.json()
}
await ask('POST', 'scope', [{ id: 'main', people: { profiles: [{ id: 'accounting', principals: ['house'] }] } }])

const windows = await openBrowser(run)
const [ann, eva] = [await windows.open('ann', { viewport: { width: 1180, height: 1000 } }), await windows.open('eva')]
const first = 'the first password', second = 'the second password'
const confirmed = page => part(page, 'dialog-confirm').click()
const to = (page, where) => page.goto(`${gateway.origin}/gui/admin/${where}`)
const signIn = async (page, user, secret) => {
  await page.goto(`${gateway.origin}/gui/`)
  await part(page, 'login-user').fill(user)
  await part(page, 'login-password').fill(secret)
  await part(page, 'login-submit').click()
}
const add = async (page, where, name) => {
  await part(page, `${where}-input`).fill(name)
  await part(page, `${where}-add`).click()
}
const named = (page, where, name) => part(page, where).locator(`[data-name=${name}]`)
const make = async (kind, fields) => {
  await to(ann, `${kind}s`)
  await part(ann, `${kind}-new`).click()
  for (const [name, value] of Object.entries(fields)) await part(ann, `new-${name}`).fill(value)
  await confirmed(ann)
}
const save = async page => {
  await part(page, 'principal-save').click()
  await until('it is saved', async () => await part(page, 'principal-save').isDisabled() && /Saved/.test(await page.locator('.toast').last().innerText()))
}

await run.story('a user is made, told what is wrong first, and signs in', async () => {
  await windows.signIn(ann, gateway, 'admin')
  await make('user', { id: 'eva', displayName: 'Eva Lu', password: 'short' })
  await until('the fault is told', async () => /8/.test(await part(ann, 'dialog-fault').innerText()))
  await picture(ann, 'users-new')
  await part(ann, 'new-password').fill(first)
  await confirmed(ann)
  await part(ann, 'principal-save').waitFor()
  await signIn(eva, 'eva', first)
  await part(eva, 'doc-new').waitFor()
  assert.match(await eva.locator('.me').innerText(), /Eva Lu/)
})

await run.story('names, mail and teams are edited, and a change made meanwhile is not overwritten', async () => {
  await part(ann, 'principal-mail').fill('eva@example.org')
  await part(ann, 'principal-lastname').fill('Lu')
  await add(ann, 'teams', 'accounting')
  await save(ann)
  const kept = await ask('GET', 'users/eva')
  assert.deepEqual([kept.mail, kept.lastname, kept.profiles], ['eva@example.org', 'Lu', ['accounting']])
  await ask('POST', 'users/eva', { id: 'eva', displayName: 'Eva Luise', profiles: ['accounting'] })
  await part(ann, 'principal-mail').fill('other@example.org')
  await part(ann, 'principal-save').click()
  await part(ann, 'principal-conflict').waitFor()
  assert.equal((await ask('GET', 'users/eva')).mail ?? null, null)
  await part(ann, 'principal-reload').click()
  await until('theirs is shown', async () => await part(ann, 'principal-displayName').inputValue() === 'Eva Luise')
})

await run.story('groups have users and groups; a membership is seen, given and taken at the user', async () => {
  await make('group', { id: 'desk', displayName: 'Front desk' })
  await add(ann, 'members', 'eva')
  await save(ann)
  await make('group', { id: 'house' })
  await add(ann, 'members', 'desk')
  await save(ann)
  await picture(ann, 'users-group')
  assert.deepEqual((await ask('GET', 'users/eva')).groups.sort(), ['desk', 'house'])
  await to(ann, 'users/eva')
  await named(ann, 'memberships', 'house').waitFor()
  assert.equal(await named(ann, 'memberships', 'house').locator('button').count(), 0, 'by another group: taken away there')
  await picture(ann, 'users-one')
  await named(ann, 'memberships', 'desk').locator('button').click()
  await until('she is in none', async () => (await ask('GET', 'users/eva')).groups.length === 0)
  await add(ann, 'memberships', 'house')
  await until('she is in one', async () => (await ask('GET', 'users/eva')).groups.join() === 'house')
})

await run.story('she changes her own password at her name, by the old one', async () => {
  const change = async (old, next) => {
    for (const [name, text] of [['old', old], ['first', next], ['again', next]]) await part(eva, `password-${name}`).fill(text)
    await confirmed(eva)
  }
  await part(eva, 'me').locator('summary').click()
  await picture(eva, 'users-me')
  await part(eva, 'password-change').click()
  await change('not this one', second)
  await until('it is refused', async () => /old password is wrong/.test(await part(eva, 'dialog-fault').innerText()))
  await picture(eva, 'users-password')
  await change(first, second)
  await until('it is changed', async () => /is changed/.test(await eva.locator('.toast').innerText()))
  assert.equal((await core.fetch('/core/rest/authentication', { method: 'POST', json: { user: 'eva', password: second, scope: 'main' } })).status, 200)
  assert.equal(await part(ann, 'me').count(), 0, 'an account of the properties changes there')
})

await run.story('whoever administrates sets another one, and ends all sessions: signed out at once', async () => {
  await to(ann, 'users/eva')
  await part(ann, 'user-password').click()
  await part(ann, 'password-first').fill(first)
  await part(ann, 'password-again').fill(second)
  await confirmed(ann)
  await until('they differ', async () => /not the same/.test(await part(ann, 'dialog-fault').innerText()))
  await part(ann, 'password-again').fill(first)
  await confirmed(ann)
  await until('it is set', async () => await part(ann, 'dialog-confirm').count() === 0)
  await eva.goto(`${gateway.origin}/gui/`)
  await part(eva, 'login-user').waitFor()
  await part(eva, 'login-user').fill('eva')
  await part(eva, 'login-password').fill(first)
  await part(eva, 'login-submit').click()
  await part(eva, 'doc-new').waitFor()
  await part(ann, 'user-end-sessions').click()
  await confirmed(ann)
  await until('hers is over', async () => await eva.evaluate(() => fetch('/gui/rest/session').then(r => r.status)) === 401)
})

await run.story('after wrong passwords she has to wait, until she is unlocked', async () => {
  const attempt = secret => core.fetch('/core/rest/authentication', { method: 'POST', json: { user: 'eva', password: secret, scope: 'main' } })
  await until('she has to wait', async () => (await attempt('wrong')).status === 429)
  await part(ann, 'user-unlock').click()
  await until('she may', async () => (await attempt(first)).status === 200)
})

await run.story('whoever may not sign in does not, and is listed so; who is deleted is gone', async () => {
  await part(ann, 'user-enabled').uncheck()
  await save(ann)
  assert.equal((await core.fetch('/core/rest/authentication', { method: 'POST', json: { user: 'eva', password: first, scope: 'main' } })).status, 401)
  await ask('POST', 'users', { id: 'zoe', displayName: 'Zoë Ott' })
  await to(ann, 'users')
  await until('both', async () => await part(ann, 'users-row').count() === 2)
  assert.match(await ann.locator('[data-testid=users-row][data-key=eva]').innerText(), /disabled/)
  await picture(ann, 'users')
  await part(ann, 'admin-filter').fill('ot')
  await until('one', async () => await part(ann, 'users-row').count() === 1 && await ann.locator('[data-key=zoe]').count() === 1)
  await part(ann, 'user-open').click()
  await part(ann, 'principal-delete').click()
  await confirmed(ann)
  await until('one is left', async () => /users$/.test(ann.url()) && await part(ann, 'users-row').count() === 1)
})

await run.story('all of it fits a phone, in the dark', async () => {
  const phone = await windows.open('phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, colorScheme: 'dark' })
  await windows.signIn(phone, gateway, 'admin')
  for (const at of ['users', 'users/eva', 'groups', 'groups/house']) {
    await to(phone, at)
    await until(`${at} is drawn`, async () => await phone.locator('.admin-main h1').count() === 1 && await phone.locator('.waiting').count() === 0)
    assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth) <= 1, `${at}: nothing sticks out`)
    await picture(phone, `users-phone-${at.replace('/', '-')}`)
  }
})

await run.story('no page complained', async () => assert.deepEqual(windows.complaints, []))
await run.finish()
