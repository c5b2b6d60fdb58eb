/* The office of conf/model with its people: a core and a gateway that have imported it.
 *
 *   const office = await openOffice(run)                             ann: accounting, mia: management, carl: a guest
 *   await office.ask('ann', 'POST', 'documents', [{ ... }])          what she does, told by REST: the answer's JSON
 *   await office.invoice('inv-1', 'Dupont & Fils', { Status: 'paid' })
 *   const page = await office.open('ann', '/gui/library', options)   her window there, signed in
 */
import assert from 'node:assert/strict'
import path from 'node:path'
import { root } from '../harness/run.mjs'
import { password, signToken, startGateway, startSubject } from '../harness/subjects.mjs'
import { openBrowser } from '../harness/windows.mjs'

const people = ['ann', 'mia', 'carl']

export async function openOffice (run) {
  const windows = await openBrowser(run)
  const users = people.flatMap((id, i) => [`--internal.realm.users[${i + 2}].id=${id}`, `--internal.realm.users[${i + 2}].password=${password}`])
  const core = await startSubject(run, { reactors: 2, args: [`--model.import=${path.join(root, 'conf/model')}`, ...users] })
  return new Office(core, await startGateway(run, core), windows)
}

class Office {
  constructor (core, gateway, windows) {
    Object.assign(this, { core, gateway, windows })
  }

  async ask (who, method, target, json) {
    const answer = await this.core.fetch(`/core/rest/${target}`, { method, token: signToken({ sub: who, profiles: [], scope: 'main' }), json })
    const text = await answer.text()
    assert.ok(answer.status < 300, `${method} ${target}: ${answer.status} ${text}`)
    return text === '' ? null : JSON.parse(text)
  }

  async invoice (id, supplier, more = {}) {
    const tags = Object.entries({ InvoiceNumber: id.toUpperCase(), Supplier: supplier, Amount: '100.00', ...more })
    await this.ask('ann', 'POST', 'documents', [{
      id, name: `Invoice of ${supplier}`, data: { classId: 'Invoice' }, tags: tags.map(([name, value]) => ({ name, value: [value] }))
    }])
  }

  async open (who, address, options) {
    const page = await this.windows.open(who, options)
    await this.windows.signIn(page, this.gateway, who)
    await this.go(page, address)
    return page
  }

  go (page, address) {
    return page.goto(this.gateway.origin + address)
  }
}
