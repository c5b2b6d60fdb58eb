// A document of real yjs that is fed with updates, as a server is; everything it says goes into the case as what the
// library must say as well.
import * as Y from 'yjs'
import { CONSTRUCTORS } from './session.mjs'
import { watched } from './undecided.mjs'
import * as view from './view.mjs'

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
    this.snapshots = []
    this.positions = []
    this.doc.on('update', u => this.events.push(u))
    c.command('DOCUMENT').uint(slot).uint(gc ? 1 : 0)
  }

  declare (name, kind) {
    if (this.types[name] !== undefined) return
    this.types[name] = this.doc.get(name, CONSTRUCTORS[kind])
    this.c.command('ROOT').uint(this.slot).uint(view.KINDS.indexOf(kind)).string(name)
  }

  // False when what waits now hangs on the engine: the document is of no use any more.
  apply (update, v2 = false) {
    const input = v2 ? Y.convertUpdateFormatV1ToV2(update) : update
    this.events.length = 0
    if (watched(() => (v2 ? Y.applyUpdateV2 : Y.applyUpdate)(this.doc, input, 'net'))[1]) {
      undecided++
      return false
    }
    const incoming = this.c.blob(input)
    const events = this.events.map(e => same(e, input) ? incoming : this.c.blob(e))
    this.c.command(v2 ? 'APPLY_V2' : 'APPLY').uint(this.slot).uint(incoming).uint(events.length)
    events.forEach(e => this.c.uint(e))
    return true
  }

  stateVector () { this.c.command('STATE_VECTOR').uint(this.slot).bytes(Y.encodeStateVector(this.doc)) }

  // What a peer with the state vector SV lacks.
  state (sv, v2 = false) {
    const [state, isUndecided] = watched(() => (v2 ? Y.encodeStateAsUpdateV2 : Y.encodeStateAsUpdate)(this.doc, sv.length === 0 ? undefined : sv))
    if (!isUndecided) this.c.command(v2 ? 'STATE_V2' : 'STATE').uint(this.slot).bytes(sv).bytes(state)
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

  // ---- history: snapshots and positions that are remembered until the end

  snapshot () {
    const snapshot = Y.snapshot(this.doc)
    this.c.command('SNAPSHOT').uint(this.slot).uint(1).bytes(Y.encodeSnapshot(snapshot))
    this.c.command('SNAPSHOT').uint(this.slot).uint(2).bytes(Y.encodeSnapshotV2(snapshot))
    this.snapshots.push(snapshot)
  }

  position (name, index, assoc) {
    const position = Y.encodeRelativePosition(Y.createRelativePositionFromTypeIndex(this.types[name], index, assoc))
    this.c.command('POSITION').uint(this.slot).string(name).uint(index).uint(assoc === 0 ? 0 : 1).bytes(position)
    this.positions.push(position)
  }

  resolve () {
    for (const position of this.positions) {
      const found = Y.createAbsolutePositionFromRelativePosition(Y.decodeRelativePosition(position), this.doc)
      this.c.command('RESOLVE').uint(this.slot).bytes(position).uint(found === null ? 0 : found.index + 1)
    }
  }

  // A document that never collected, nor heard of what others collected: see docs/crdt.md for the rest.
  isWhole () { return !this.doc.gc && [...this.doc.store.clients.values()].every(structs => structs.every(s => s instanceof Y.Item)) }

  restore (snapshot) {
    const doc = Y.createDocFromSnapshot(this.doc, snapshot, new Y.Doc({ guid: 'restored' }))
    this.c.command('RESTORE').uint(this.slot).bytes(Y.encodeSnapshot(snapshot)).bytes(Y.encodeStateAsUpdate(doc))
  }

  // Changes how yjs' document is cut: nothing of it may be compared afterwards. Texts that hold types are left out:
  // those are shown there as they are now.
  deltaAt (snapshot, before) {
    for (const [name, t] of Object.entries(this.types)) {
      if (!(t instanceof Y.Text)) continue
      const delta = t.toDelta(snapshot, before)
      if (delta.some(op => op.insert instanceof Y.AbstractType)) continue
      this.c.command('DELTA_AT').uint(this.slot).string(name).bytes(Y.encodeSnapshot(snapshot)).uint(before === undefined ? 0 : 1)
      if (before !== undefined) this.c.bytes(Y.encodeSnapshot(before))
      this.c.string(view.text(view.plain(delta)))
    }
  }

  // The library compares its other ways to the same state with one another.
  enough () { this.c.command('ENOUGH').uint(this.slot) }
}
