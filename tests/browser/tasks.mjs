/* browser.tasks: a task is taken, given, filled, answered with a reason, and says so afterwards. */
import assert from 'node:assert/strict'
import { openRun, until } from '../harness/run.mjs'
import { part, picture } from '../harness/windows.mjs'
import { openOffice } from './office.mjs'

const run = openRun('browser.tasks')
const office = await openOffice(run)
await office.invoice('inv-1', 'Dupont')
await office.ask('ann', 'POST', 'tasks', [{ id: 'approve', name: 'Approve it', data: { classId: 'ApproveInvoice' }, tags: [] }])
const task = async () => (await office.ask('mia', 'GET', 'tasks/approve'))[0]

const [ann, mia] = [await office.open('ann', '/gui/c/TASK/approve'), await office.open('mia', '/gui/c/TASK/approve')]

await run.story('who may not answer sees no answers, and may give it to somebody', async () => {
  await part(ann, 'task').waitFor()
  for (const id of ['answer-Accept', 'answer-Refuse', 'component-delete']) assert.equal(await part(ann, id).count(), 0, id)
  await part(ann, 'task-give').click()
  await part(ann, 'assign-to').fill('management')
  await picture(ann, 'task-give')
  await part(ann, 'dialog-confirm').click()
  await until('it is theirs', async () => (await part(ann, 'assignee').innerText()).includes('management'))
})

await run.story('who is in the team takes it, and gives it back', async () => {
  await mia.reload()
  await part(mia, 'task-take').click()
  await until('it is hers', async () => (await part(mia, 'assignee').innerText()).includes('yours'))
  assert.equal((await task()).assignee, 'mia')
  await part(mia, 'task-drop').click()
  await until('it is nobody’s', async () => (await part(mia, 'assignee').innerText()).includes('Nobody'))
  assert.equal((await task()).assignee, undefined)
})

await run.story('a slot takes what fits it, and the form keeps it', async () => {
  await ann.reload()
  await part(ann, 'attach-invoice').click()
  await part(ann, 'pick').locator('input').check()
  await part(ann, 'dialog-confirm').click()
  await until('it is attached', async () => await part(ann, 'component-row').count() === 1)
  await part(ann, 'component-save').click()
  await until('it is saved', async () => (await task()).attachments?.[0]?.componentIds?.[0] === 'inv-1')
  await picture(ann, 'task')
})

await run.story('what is typed is saved before the task is answered', async () => {
  await mia.reload()
  await mia.locator('#tag-Comment').fill('Who ordered it?')
  await until('answers wait', async () => await part(mia, 'answer-Accept').isDisabled())
  await part(mia, 'component-save').click()
  await until('answers are open', async () => !await part(mia, 'answer-Accept').isDisabled())
})

await run.story('an answer says what follows from it before it is given', async () => {
  await part(mia, 'answer-Accept').click()
  await mia.getByText('It may be paid then.').waitFor()
  await part(mia, 'dialog-cancel').click()
  assert.equal((await task()).answer, undefined)
})

await run.story('an answer asks for its reasons, and stays open when one is missing', async () => {
  await part(mia, 'answer-Refuse').click()
  await mia.locator('#reason-Reason').waitFor()
  await part(mia, 'dialog-confirm').click()
  assert.ok(await mia.locator('#reason-Reason').evaluate(field => !field.validity.valid))
  assert.equal((await task()).answer, undefined)
  await mia.locator('#reason-Reason').selectOption('wrong-amount')
  await mia.locator('#reason-Comment').fill('It was 90 last year')
  await picture(mia, 'task-answer')
  await part(mia, 'dialog-confirm').click()
  await part(mia, 'answered').waitFor()
  const { answer } = await task()
  assert.equal(answer.id, 'Refuse')
  assert.equal(answer.user, 'mia')
})

await run.story('a task that is answered says how, by whom and why, and asks nothing more', async () => {
  const said = await part(mia, 'answered').innerText()
  for (const text of ['Refuse', 'mia', 'The amount is wrong', 'It was 90 last year']) assert.ok(said.includes(text), `${text} in ${said}`)
  for (const id of ['answer-Accept', 'answer-Refuse', 'task-take', 'task-give']) assert.equal(await part(mia, id).count(), 0, id)
  await part(mia, 'tab-history').click()
  await until('the history has it', async () => /mia answered it/.test(await part(mia, 'facts').innerText()))
  await mia.setViewportSize({ width: 390, height: 800 })
  await mia.emulateMedia({ colorScheme: 'dark' })
  await picture(mia, 'task-answered-phone-dark')
})

await run.story('who may not see tasks finds none, and gets in by no address', async () => {
  const carl = await office.open('carl', '/gui/library?in=TASK')
  await part(carl, 'component-none').waitFor()
  await office.go(carl, '/gui/c/TASK/approve')
  await carl.getByText('This does not exist').waitFor()
})

await run.story('no page has complained', async () => assert.deepEqual(office.windows.complaints, []))
await run.finish()
