// A document of real yjs that is fed with updates, as a server is; everything it says goes into the case as what the
// library must say as well.
import * as Y from 'yjs'
import { CONSTRUCTORS } from './session.mjs'
import { watched } from './undecided.mjs'
import * as view from './view.mjs'

const KINDS = ['Array', 'Map', 'Text', 'XmlElement', 'XmlFragment', 'XmlHook', 'XmlText']       // the wire's numbers
const RECEIVER_ID = 0xfffffffe         // never an author's

const same = (a, b) => Buffer.compare(a, b) === 0

export let undecided = 0               // documents given up

export class Receiver {
  constructor (c, slot, gc) {
    this.c = c
    this.slot = slot
    this.doc = new Y.Doc({ gc, guid: 'receiver' })
    this.doc.clientID = RECEIVER_ID
    this.types = {}
    this.events = []
    this.doc.on('update', u => this.events.push(u))
    c.command('DOCUMENT').uint(slot).uint(gc ? 1 : 0)
  }

  declare (name, kind) {
    if (this.types[name] !== undefined) return
    this.types[name] = this.doc.get(name, CONSTRUCTORS[kind])
    this.c.command('ROOT').uint(this.slot).uint(KINDS.indexOf(kind)).string(name)
  }

  // False when what waits now hangs on the engine: the document is of no use any more.
  apply (update) {
    this.events.length = 0
    if (watched(() => Y.applyUpdate(this.doc, update, 'net'))[1]) {
      undecided++
      return false
    }
    const incoming = this.c.blob(update)
    const events = this.events.map(e => same(e, update) ? incoming : this.c.blob(e))
    this.c.command('APPLY').uint(this.slot).uint(incoming).uint(events.length)
    events.forEach(e => this.c.uint(e))
    return true
  }

  stateVector () { this.c.command('STATE_VECTOR').uint(this.slot).bytes(Y.encodeStateVector(this.doc)) }

  // What a peer with the state vector SV lacks.
  state (sv) {
    const [state, isUndecided] = watched(() => Y.encodeStateAsUpdate(this.doc, sv.length === 0 ? undefined : sv))
    if (!isUndecided) this.c.command('STATE').uint(this.slot).bytes(sv).bytes(state)
  }

  pending () {
    const { pendingStructs, pendingDs } = this.doc.store
    const missing = [...pendingStructs?.missing ?? []].sort((a, b) => a[0] - b[0])
    this.c.command('PENDING').uint(this.slot).uint(pendingDs === null ? 0 : 1).uint(missing.length)
    for (const [client, clock] of missing) this.c.uint(client).uint(clock)
  }

  // TEXT of what is seen of a root.
  seen (command, name, text) { this.c.command(command).uint(this.slot).string(name).string(text) }

  dump () { for (const name in this.types) this.seen('DUMP', name, view.text(view.dump(this.types[name]))) }

  read () {
    for (const name in this.types) {
      const t = this.types[name]
      this.seen('JSON', name, view.text(view.tagged(t.toJSON())))
      this.seen('PLAIN', name, view.text(view.plain(t.toJSON())))
      if (t instanceof Y.Text) {
        this.seen('TEXT', name, view.plainText(t))
        this.seen('DELTA', name, view.text(view.delta(t, view.plain)))
      }
      if (t instanceof Y.XmlFragment || t instanceof Y.XmlText) this.seen('XML', name, t.toString())
    }
  }

  // The library compares its other ways to the same state with one another.
  enough () { this.c.command('ENOUGH').uint(this.slot) }
}
