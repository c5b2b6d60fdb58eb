/* Real pages in Chromium, and the words that browser tests use of them. UMBEL_SCREENSHOTS=DIR keeps the pictures there
 * (default: screenshots/ in the build folder). */
import fs from 'node:fs'
import path from 'node:path'
import { chromium } from 'playwright-core'
import { buildDir, until } from './run.mjs'
import { password, webDir } from './subjects.mjs'

const pictures = process.env.UMBEL_SCREENSHOTS ?? path.join(buildDir(), 'screenshots')

export const part = (page, id) => page.locator(`[data-testid=${id}]`)
export const state = (page, id) => part(page, id).getAttribute('data-state')
export const picture = (page, name) => page.screenshot({ path: path.join(pictures, `${name}.png`) })
export const ready = page => until('the editor is connected and saved', async () =>
  await state(page, 'conn-state') === 'connected' && await state(page, 'save-state') === 'saved', 20000)

/* What a reader of the page reads: the carets' labels are no text. */
export const pageText = page => part(page, 'editor').evaluate(element => {
  const copy = element.cloneNode(true)
  copy.querySelectorAll('[class*="caret"], [class*="cursor"]').forEach(e => e.remove())
  return [...copy.children].map(e => e.textContent.replace(/[\u2060\u200b\ufeff]/g, '')).join('\n')
})

export async function openBrowser (run) {
  if (!fs.existsSync(path.join(webDir, 'manifest.json'))) throw new Error(`there is no web app in ${webDir}: ./umbel build (or UMBEL_WEB=DIR)`)
  fs.mkdirSync(pictures, { recursive: true })
  const browser = await chromium.launch({
    executablePath: process.env.UMBEL_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync']
  })
  run.atEnd(() => browser.close())
  return new Windows(browser)
}

class Windows {
  constructor (browser) {
    this.browser = browser
    this.complaints = []                 /* what no page may say */
  }

  async open (name, options = {}) {
    const context = await this.browser.newContext({ viewport: { width: 1180, height: 800 }, colorScheme: 'light', reducedMotion: 'reduce', ...options })
    const page = await context.newPage()
    page.setDefaultTimeout(15000)
    page.on('pageerror', err => this.complaints.push(`${name}: ${err.message}`))
    page.on('console', msg => {
      if (msg.type() === 'error' && /Content Security Policy|Refused to/.test(msg.text())) this.complaints.push(`${name}: ${msg.text()}`)
    })
    return page
  }

  async signIn (page, gateway, user) {
    await page.goto(`${gateway.origin}/gui/`)
    await part(page, 'login-user').fill(user)
    await part(page, 'login-password').fill(password)
    await part(page, 'login-submit').click()
    await part(page, 'doc-new').waitFor()
  }

  async openDocument (page, gateway, name) {
    await page.goto(`${gateway.origin}/gui/d/${encodeURIComponent(name)}`)
    await part(page, 'editor').waitFor()
    await ready(page)
  }
}
