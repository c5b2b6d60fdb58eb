/* browser.service-away: what the page says of a service that does not answer, by the module that makes all calls (lib/api.ts), with answers
 * that are made up here. */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { openRun, root } from '../harness/run.mjs'

const run = openRun('browser.service-away')
const web = path.join(root, 'gui-gateway', 'web')
const { build } = createRequire(path.join(web, 'package.json'))('esbuild')
const outfile = path.join(run.folder('web'), 'api.mjs')
await build({ entryPoints: [path.join(web, 'src/lib/api.ts')], bundle: true, format: 'esm', platform: 'neutral', mainFields: ['module', 'main'], outfile, logLevel: 'error' })
const { call, serviceAway } = await import(pathToFileURL(outfile))

let answers = {}
globalThis.fetch = async target => {
  const status = answers[target.startsWith('/core/') ? 'core' : 'gateway']
  if (status === 0) throw new TypeError('no way')
  return new Response(status === 204 ? null : '{}', { status })
}
const ask = async (target, options) => { await call('GET', target, undefined, options).catch(() => {}) }
const core = options => ask('/core/rest/scope', options)
const gateway = options => ask('/gui/rest/session', options)
const away = () => serviceAway.get()

await run.story('only an answer of what was away ends it', async () => {
  answers = { core: 503, gateway: 200 }
  await gateway()
  assert.equal(away(), false)
  await core()
  assert.equal(away(), true)
  await gateway()
  assert.equal(away(), true, 'the gateway says nothing of the core')
  answers.core = 404
  await core()
  assert.equal(away(), false, 'a refusal is an answer')
  answers = { core: 200, gateway: 503 }
  await gateway()
  await core()
  assert.equal(away(), true, 'nor the core of the gateway')
  answers.gateway = 204
  await gateway()
  assert.equal(away(), false)
})

await run.story('any answer shows that there is a way', async () => {
  answers = { core: 0, gateway: 200 }
  await core()
  assert.equal(away(), true)
  await gateway()
  assert.equal(away(), false)
})

await run.story('a quiet call tells of no silence, and of its end', async () => {
  answers = { core: 503 }
  await core({ quiet: true })
  assert.equal(away(), false)
  await core()
  await core({ quiet: true })
  assert.equal(away(), true)
  answers.core = 200
  await core({ quiet: true })
  assert.equal(away(), false)
})

await run.finish()
