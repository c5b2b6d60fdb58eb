/* browser.two-editors: two Chromium windows and a Node client in one document, and a core that is killed under them. */
import assert from 'node:assert/strict'
import { openClient } from '../harness/clients.mjs'
import { openRun, until } from '../harness/run.mjs'
import { startGateway, startSubject } from '../harness/subjects.mjs'
import { openBrowser, pageText, part, picture, ready, state } from '../harness/windows.mjs'

const run = openRun('browser.two-editors')
const core = await startSubject(run, { reactors: 3 })
const gateway = await startGateway(run, core)
const windows = await openBrowser(run)
const openWindow = (name, options) => windows.open(name, options)
const signIn = (page, user) => windows.signIn(page, gateway, user)
const textOf = page => part(page, 'editor').innerText()

/* The plain text of the rich text field, block by block. */
const textOfNode = node => node.toDelta
  ? node.toDelta().map(d => typeof d.insert === 'string' ? d.insert : '').join('')
  : node.toArray().map(textOfNode).join('')
const textOfDoc = doc => doc.getXmlFragment('default').toArray().map(textOfNode).join('\n')
const squeezed = text => text.replace(/\s+/g, ' ').trim()

/* In which block the caret stands. */
const caretAt = page => part(page, 'editor').evaluate(element => {
  const node = getSelection().anchorNode
  return [...element.children].findIndex(child => child.contains(node))
})

let ann, bob, node, documentName
const title = 'Launch plan'

await run.story('a wrong password is told calmly', async () => {
  ann = await openWindow('ann')
  await ann.goto(`${gateway.origin}/gui/`)
  await part(ann, 'login-user').fill('admin')
  await part(ann, 'login-password').fill('wrong')
  await part(ann, 'login-submit').click()
  await until('the page says so', async () => (await part(ann, 'login-error').innerText()).trim() !== '')
  await picture(ann, 'login')
})

await run.story('two people sign in, one makes a document, both open it', async () => {
  bob = await openWindow('bob')
  await signIn(ann, 'admin')
  await signIn(bob, 'bob')
  await part(ann, 'doc-new').click()
  if (await part(ann, 'dialog-confirm').isVisible().catch(() => false)) {
    await part(ann, 'dialog-input').fill(title)
    await part(ann, 'dialog-confirm').click()
  }
  await part(ann, 'editor').waitFor()
  await part(ann, 'title').fill(title)
  await part(ann, 'title').blur()
  await ready(ann)
  documentName = decodeURIComponent(new URL(ann.url()).pathname.split('/').pop())
  await part(bob, 'doc-search').fill(title)
  await bob.locator(`[data-testid=doc-row][data-name="${documentName}"] [data-testid=doc-open]`).click()
  await part(bob, 'editor').waitFor()
  await ready(bob)
  await until('the title is the same', async () => await part(bob, 'title').inputValue() === title)
})

await run.story('both type at once and a Node client too; all three agree', async () => {
  node = openClient('provider4', core, documentName, { name: 'Node' })
  await until('the Node client is in sync', () => node.settled())
  await part(ann, 'editor').click()
  await ann.keyboard.type('Ann writes the first line.')
  await ann.keyboard.press('Enter')
  await until('Bob reads it', async () => (await textOf(bob)).includes('Ann writes the first line.'))
  await part(bob, 'editor').click()
  await until('each has the caret where it shall type', async () => {       /* the second line may come after the keys */
    await bob.keyboard.press('Control+End')
    await ann.keyboard.press('Control+Home')
    return await caretAt(ann) === 0 && await caretAt(bob) > 0
  })
  await Promise.all([
    bob.keyboard.type('Bob types below, at the same time. ', { delay: 15 }),
    ann.keyboard.type('And Ann above. ', { delay: 25 }),
    (async () => {
      for (const word of [' ', 'Node', ' helps', '.']) {
        const paragraph = node.doc.getXmlFragment('default').get(0)
        paragraph.get(0).insert(paragraph.get(0).length, word)
        await new Promise(resolve => setTimeout(resolve, 60))
      }
    })()
  ])
  await until('all three read the same', async () => {
    const [a, b, n] = [await pageText(ann), await pageText(bob), textOfDoc(node.doc)].map(squeezed)
    if (a !== b || a !== n) throw new Error(`${a} | ${b} | ${n}`)
    assert.equal(a, 'And Ann above. Ann writes the first line. Node helps. Bob types below, at the same time.')
    return true
  })
  await ready(ann)
  await ready(bob)
})

await run.story('they see who is here, and each other\'s names at the carets', async () => {
  await until('three are present', async () => Number(await part(ann, 'presence').getAttribute('data-count')) >= 3 &&
    Number(await part(bob, 'presence').getAttribute('data-count')) >= 3)
  const label = await part(ann, 'presence').getAttribute('aria-label')
  assert.match(label, /bob/i)
  assert.match(label, /Node/)
  await bob.keyboard.type('x')
  await until('Bob\'s caret is in Ann\'s window', async () => /bob/i.test(await part(ann, 'editor').evaluate(e =>
    [...e.querySelectorAll('[class*="caret"], [class*="cursor"]')].map(c => c.textContent).join(' '))))
  await bob.keyboard.press('Backspace')
})

await run.story('pictures: light, dark, phone, list', async () => {
  await writeSample()
  await ready(ann)
  await ready(bob)
  await picture(ann, 'editor')
  await part(ann, 'theme-toggle').click()
  await until('the theme is dark', async () => await part(ann, 'theme-toggle').getAttribute('data-theme') === 'dark')
  await picture(ann, 'editor-dark')
  await part(ann, 'theme-toggle').click()
  const phone = await openWindow('phone', { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 })
  await signIn(phone, 'bob')
  await picture(phone, 'list-phone')
  await phone.goto(`${gateway.origin}/gui/d/${encodeURIComponent(documentName)}`)
  await part(phone, 'editor').waitFor()
  await ready(phone)
  const wide = await phone.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  assert.ok(wide <= 1, `nothing sticks out on a phone (${wide} px)`)
  await picture(phone, 'editor-phone')
  await phone.context().close()
  const list = await openWindow('list')
  await signIn(list, 'admin')
  await picture(list, 'list')
  await list.context().close()
})

/* Something worth a picture. */
async function writeSample () {
  await part(bob, 'editor').click()
  await bob.keyboard.press('Control+End')
  await bob.keyboard.press('Enter')
  for (const line of ['## What comes next', 'Nothing is lost when a server dies: what says saved is stored.', '- open the same page twice', 'both type, and see each other']) {
    await bob.keyboard.type(line)
    await bob.keyboard.press('Enter')
  }
}

await run.story('the core is killed while both type: the page recovers by itself and nothing is lost', async () => {
  await part(ann, 'editor').click()
  await ann.keyboard.press('Control+Home')
  await ann.keyboard.type('Saved before. ')
  await ready(ann)
  await core.kill()
  await until('the page notices', async () => await state(ann, 'conn-state') !== 'connected', 10000)
  await ann.keyboard.type('Typed while away. ')
  assert.notEqual(await state(ann, 'save-state'), 'saved', 'it does not claim to have saved what it has not')
  await picture(ann, 'editor-away')
  await core.start()
  await ready(ann)
  await ready(bob)
  await bob.keyboard.type('Bob goes on.')
  await until('everybody has everything', async () => {
    const [a, b, n] = [await pageText(ann), await pageText(bob), textOfDoc(node.doc)].map(squeezed)
    if (a !== b) throw new Error(`${a} | ${b}`)
    for (const words of ['Saved before.', 'Typed while away.', 'Bob goes on.', 'And Ann above.']) {
      if (!a.includes(words) || !n.includes(words)) throw new Error(`${words} is missing in ${a} | ${n}`)
    }
    return true
  }, 20000)
  await ready(ann)
})

await run.story('a page opened afterwards reads the same', async () => {
  const eve = await openWindow('eve')
  await signIn(eve, 'admin')
  await eve.goto(`${gateway.origin}/gui/d/${encodeURIComponent(documentName)}`)
  await part(eve, 'editor').waitFor()
  await ready(eve)
  const wanted = squeezed(await pageText(ann))
  await until('the same text', async () => squeezed(await pageText(eve)) === wanted)
  await eve.context().close()
})

await run.story('signing out ends the page\'s rights', async () => {
  node.close()
  await part(bob, 'back').click()
  await part(bob, 'doc-new').waitFor()
  await part(bob, 'logout').click()
  await part(bob, 'login-user').waitFor()
  const status = await bob.evaluate(() => fetch('/core/rest/collab/documents').then(r => r.status))
  assert.equal(status, 401)
})

await run.story('no page complained', async () => {
  assert.deepEqual(windows.complaints, [])
})

await run.finish()
