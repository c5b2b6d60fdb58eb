/* Documents in a cluster under faults: I1 and I2 of the reliability reference, and who is seen as present.
 *
 * Every place (each core, the balancer) has unmodified clients in every room. They type unique tokens all the time; what the
 * server acknowledges is read off their own frames. In quiet, nobody types: then all clients, fresh ones at every node, and what
 * is stored must be one and the same document, with every token in it. */
import assert from 'node:assert/strict'
import * as Y from 'yjs'
import { othersSeenBy } from '../../harness/clients.mjs'
import { difference } from '../../harness/edits.mjs'
import { slowness, until } from '../../harness/run.mjs'
import { readStored, verifyStored } from '../../harness/stored.mjs'
import { tokensOf, Typists } from '../../harness/typists.mjs'

/* Promised are 5 s. The machine of a test may be slow and busy: more than this is a failure, the rest is measured and told. */
const generous = 15000

const sameState = (a, b) => Buffer.compare(Y.encodeStateVector(a.doc), Y.encodeStateVector(b.doc)) === 0

/* One document and those who write in it. */
class Room {
  constructor (run, cluster, name, crowd) {
    this.cluster = cluster
    this.room = name
    this.writers = crowd.map(({ place, at, kind }, i) => {
      const who = `${place}.${i}`
      return Object.assign(new Typists(run, at, name, [kind], { name: who }), { place, who })
    })
    const reader = crowd.length
    this.plain = cluster.client(name, { kind: 'y-websocket', name: `balancer.${reader}` })
    this.names = [...this.writers.map(w => w.who), `balancer.${reader}`].sort()
  }

  get clients () {
    return [...this.writers.map(w => w.clients[0]), this.plain]
  }

  get tokens () {
    return this.writers.flatMap(w => w.tokens)
  }

  get acknowledged () {
    return this.tokens.filter(t => t.ackedAt !== null)
  }

  isSettled () {
    return this.clients.every(c => c.settled())
  }

  isEqual () {
    const [first, ...others] = this.clients
    return others.every(c => sameState(first, c))
  }

  /* Throws what differs. */
  assertEqual (others, what) {
    const [first] = this.clients
    for (const [i, doc] of others.entries()) assert.equal(difference(first.doc, doc), null, `${this.room}: ${what} ${i}`)
  }

  assertNothingLost () {
    const got = tokensOf(this.clients[0].doc)
    const lost = this.tokens.filter(t => !got.has(t.text))
    const acknowledged = lost.filter(t => t.ackedAt !== null)
    if (acknowledged.length > 0) throw new Error(`ACKNOWLEDGED AND LOST in ${this.room}: ${acknowledged.map(t => t.text).join(' ')}`)
    if (lost.length > 0) throw new Error(`typed and not there in ${this.room}: ${lost.map(t => t.text).join(' ')}`)
  }

  /* Everybody sees everybody else, and nobody who has gone. */
  assertPresent () {
    for (const c of this.clients) {
      const own = c.awareness.getLocalState().user.name
      assert.deepEqual(othersSeenBy(c), this.names.filter(name => name !== own), `${this.room}: who ${own} (${c.kind}) sees`)
    }
  }

  /* Who comes back sees the others when they move next: a Yjs client takes nothing under a clock that it knows. */
  moveCursors () {
    for (const c of this.clients) c.awareness.setLocalStateField('cursor', this.tokens.length)
  }

  close () {
    this.writers.forEach(w => w.close())
    this.plain.close()
  }
}

export class Documents {
  /* rooms: documents at a time; everyMs: between two tokens of one client. */
  constructor (run, cluster, { rooms = 2, everyMs = 100 } = {}) {
    Object.assign(this, { run, cluster, everyMs, count: rooms, generation: 0 })
    this.total = { typed: 0, acknowledged: 0 }
    this.rooms = []
    this.ghosts = []
  }

  get crowd () {
    const cores = this.cluster.cores.flatMap((at, i) => [{ place: `core-${i + 1}`, at, kind: i === 0 ? 'provider4' : 'provider3' }])
    return [...cores, { place: 'balancer', at: this.cluster, kind: 'provider4' }, { place: 'balancer', at: this.cluster, kind: 'provider4' }]
  }

  async start () {
    await this.openRooms()
    this.work()
  }

  async openRooms () {
    const generation = ++this.generation
    this.rooms = Array.from({ length: this.count }, (_, i) => new Room(this.run, this.cluster, `doc-${generation}-${i}`, this.crowd))
    await until('everybody is in sync', () => this.rooms.every(r => r.isSettled()), 30000)
  }

  work () {
    this.rooms.forEach(r => r.writers.forEach(w => w.startTyping(this.everyMs)))
  }

  rest () {
    this.rooms.forEach(r => r.writers.forEach(w => w.stopTyping()))
  }

  get tokens () {
    return this.rooms.flatMap(r => r.tokens)
  }

  reconnect (place) {
    this.rooms.flatMap(r => r.writers).filter(w => w.place === place).forEach(w => w.clients[0].cut())
  }

  /* Somebody who comes, and will go without a word. */
  haunt (at) {
    const ghost = this.cluster.client(this.rooms[0].room, { at, name: `ghost ${this.ghosts.length}` })
    this.ghosts.push(ghost)
    return ghost
  }

  banish () {
    for (const ghost of this.ghosts.splice(0)) {
      ghost.awareness.destroy()          /* says nothing: its connection just ends */
      ghost.cut()
      ghost.close()
    }
  }

  /* N more acknowledgements at PLACES (all of them, when left out). */
  async more (n, what, places) {
    const count = () => this.rooms.flatMap(r => r.writers).filter(w => !places || places.includes(w.place))
      .reduce((sum, w) => sum + w.acknowledged.length, 0)
    const goal = count() + n
    await until(`${what}: ${n} more acknowledged tokens${places ? ` at ${places}` : ''}`, () => count() >= goal, 30000)
  }

  /* What is acknowledged at this moment is stored. To be asked right after a death, before clients bring their copies back. */
  async verifyStoredNow () {
    for (const room of this.rooms) await verifyStored(this.cluster.postgres, room)
  }

  /* Nobody types any more since FROM: after how many ms all have the same. */
  async agree (from) {
    const since = () => Math.round(performance.now() - from)
    const patience = () => Math.max(1000, generous - since() / slowness)
    await until('everybody is in sync and saved', () => this.rooms.every(r => r.isSettled()), patience())
    await until('all documents are equal', () => this.rooms.every(r => r.isEqual()), patience())
    return since()
  }

  /* The same, with everything checked. { agreed, present } in ms. */
  async quiet (from) {
    const agreed = await this.agree(from)
    for (const room of this.rooms) {
      room.assertEqual(room.clients.map(c => c.doc), 'client')
      room.assertNothingLost()
    }
    this.rooms.forEach(r => r.moveCursors())
    await until('everybody sees everybody', () => this.rooms.every(r => r.assertPresent() ?? true), 45000)
    const present = Math.round(performance.now() - from)
    await this.verifyFresh()
    await this.verifyAgainstStore()
    return { agreed, present }
  }

  /* Who has seen nothing yet reads the same at every node. */
  async verifyFresh () {
    const nodes = [...this.cluster.cores, ...this.cluster.gateways]
    for (const room of this.rooms) {
      const fresh = nodes.map(at => this.cluster.client(room.room, { at }))
      try {
        await until('fresh clients are in sync', () => fresh.every(c => c.settled()), 20000)
        await until('fresh clients have all', () => fresh.every(c => sameState(c, room.clients[0])))
        room.assertEqual(fresh.map(c => c.doc), 'fresh client')
      } finally {
        fresh.forEach(c => c.close())
      }
    }
  }

  async verifyAgainstStore () {
    for (const room of this.rooms) {
      const stored = await readStored(this.cluster.postgres, room.room)
      room.assertEqual([stored.doc], 'stored')
    }
  }

  /* The longest wait for an acknowledgement at each place since work began, in ms. */
  get waits () {
    const longest = {}
    for (const w of this.rooms.flatMap(r => r.writers)) {
      const waits = w.tokens.filter(t => t.ackedAt !== null).map(t => t.ackedAt - t.typedAt)
      longest[w.place] = Math.round(Math.max(longest[w.place] ?? 0, ...waits))
    }
    return longest
  }

  /* The rooms are left for new ones. What was typed in them stays known by number. */
  async move () {
    this.leave()
    await this.openRooms()
  }

  leave () {
    this.total.typed += this.tokens.length
    this.total.acknowledged += this.tokens.filter(t => t.ackedAt !== null).length
    this.rooms.forEach(r => r.close())
    this.rooms = []
  }
}
