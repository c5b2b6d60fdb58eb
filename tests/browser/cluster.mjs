/* browser.cluster: two Chromium windows through HAProxy, two gateways and two cores, which are killed under them. */
import assert from 'node:assert/strict'
import { startCluster } from '../harness/cluster.mjs'
import { openRun, until } from '../harness/run.mjs'
import { openBrowser, pageText, part, picture, ready } from '../harness/windows.mjs'

const run = openRun('browser.cluster')
const title = 'Plan of the move'
let cluster, windows, ann, bob, documentName

const squeezed = text => text.replace(/\s+/g, ' ').trim()
const restStatus = page => page.evaluate(() => fetch('/core/rest/collab/documents').then(r => r.status))

/* PAGE types TEXT at the end; everybody reads it, and it is saved. */
async function typeAtEnd (page, text) {
  await part(page, 'editor').click()
  await page.keyboard.press('Control+End')
  await page.keyboard.type(text)
  await until(`both read: ${text}`, async () => {
    const [a, b] = [squeezed(await pageText(ann)), squeezed(await pageText(bob))]
    if (a !== b) throw new Error(`${a} | ${b}`)
    return a.includes(squeezed(text))
  }, 30000)
  await ready(ann)
  await ready(bob)
}

/* VICTIM dies; whoever was connected through it comes back by himself, still signed in. */
async function surviveDeathOf (victim, text) {
  await victim.kill()
  for (const page of [ann, bob]) assert.equal(await restStatus(page), 200, 'the next request is answered')
  await typeAtEnd(ann, text)
  await victim.start()
  await cluster.assembled()
}

await run.story('two people sign in through the balancer, one makes a document, both write', async () => {
  cluster = await startCluster(run)
  windows = await openBrowser(run)
  ann = await windows.open('ann')
  bob = await windows.open('bob')
  await windows.signIn(ann, cluster, 'admin')
  await windows.signIn(bob, cluster, 'bob')
  await part(ann, 'doc-new').click()
  await part(ann, 'editor').waitFor()
  await part(ann, 'title').fill(title)
  await part(ann, 'title').blur()
  await ready(ann)
  documentName = decodeURIComponent(new URL(ann.url()).pathname.split('/').pop())
  await windows.openDocument(bob, cluster, documentName)
  await typeAtEnd(ann, 'Ann packs the books. ')
  await typeAtEnd(bob, 'Bob carries them. ')
  await picture(ann, 'cluster-ann')
  await picture(bob, 'cluster-bob')
})

await run.story('each gateway is killed in turn: the next request is answered, and editing goes on', async () => {
  for (const gateway of cluster.gateways) {
    await surviveDeathOf(gateway, `Without ${gateway.label}. `)
    await cluster.gatewaysAreUp('gateway-1', 'gateway-2')
  }
})

await run.story('each core is killed in turn: likewise', async () => {
  for (const core of cluster.cores) await surviveDeathOf(core, `Without ${core.label}. `)
})

await run.story('the master of Redis is killed: likewise, and nobody has to sign in again', async () => {
  const master = await cluster.redis.master()
  await master.kill()
  await typeAtEnd(bob, 'Without the master. ')
  await until('there is a new one', async () => (await cluster.redis.master()).port !== master.port, 30000)
  await until('requests are answered', async () => await restStatus(ann) === 200 && await restStatus(bob) === 200)
  await picture(ann, 'cluster-after-all')
})

await run.story('a page opened afterwards reads all of it', async () => {
  const eve = await windows.open('eve')
  await windows.signIn(eve, cluster, 'admin')
  await windows.openDocument(eve, cluster, documentName)
  const text = squeezed(await pageText(ann))
  for (const words of ['packs the books', 'carries them', 'gateway-1', 'gateway-2', 'core-1', 'core-2', 'the master']) {
    assert.ok(text.includes(words), words)
  }
  await until('the same text', async () => squeezed(await pageText(eve)) === text)
})

await run.story('no page complained', async () => {
  assert.deepEqual(windows.complaints, [])
})

await run.finish()
