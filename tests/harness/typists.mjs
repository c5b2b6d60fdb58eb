/* Clients that type unique tokens, and the history of what the server has acknowledged, seen at the frames:
 *
 *   every Update that leaves, and the Step2 that belongs to a Step1 of the client's own, is remembered with the structs it holds, in
 *   order; each SyncStatus 1 confirms the oldest one that is open on that connection. That is how providers count. A Step2 that the
 *   server alone has asked for holds what was sent before. A token is acknowledged when the structs that carry it are.
 *
 * After the faults: every acknowledged token must be in what a fresh client reads (I1 of the reliability reference). */
import fs from 'node:fs'
import path from 'node:path'
import * as Y from 'yjs'
import { openClient, QuietSocket } from './clients.mjs'
import { SYNC, STEP1, STEP2, SYNC_STATUS, readFrame } from './frames.mjs'
import { until } from './run.mjs'
import { startTwin } from './subjects.mjs'

let serial = 0                           /* no two tokens of a run are alike */

export class Typists {
  /* KINDS: one client each; ROOM: the one document. */
  constructor (run, server, room, kinds, clientOptions = {}) {
    this.run = run
    this.server = server
    this.room = room
    this.tokens = []                     /* { text, by, client, from, to, typedAt, ackedAt } */
    this.byClient = new Map()
    this.history = fs.openSync(path.join(run.dir, `history-${room}.jsonl`), 'a')
    this.refused = 0
    this.clients = kinds.map((kind, i) => this.open(kind, i, clientOptions))
    this.timers = []
    run.atEnd(() => this.stopTyping())
  }

  note (line) {
    fs.writeSync(this.history, JSON.stringify({ t: Math.round(performance.now()), ...line }) + '\n')
  }

  open (kind, i, options) {
    const watch = this
    class WatchedSocket extends QuietSocket {
      constructor (...args) {
        super(...args)
        this.awaiting = []
        this.steps = 0
        this.on('message', data => watch.heard(i, this, new Uint8Array(data)))
      }

      send (data, ...rest) {
        watch.sent(i, this, new Uint8Array(data))
        super.send(data, ...rest)
      }
    }
    const c = openClient(kind, this.server, this.room, { name: `typist ${i}`, ...options, socketOptions: { Socket: WatchedSocket } })
    this.byClient.set(c.doc.clientID, [])
    return c
  }

  sent (i, socket, bytes) {
    const f = readFrame(bytes)
    if (f.type !== SYNC) return
    if (f.kind === STEP1) return socket.steps++
    if (f.kind === STEP2 && socket.steps === 0) return
    if (f.kind === STEP2) socket.steps--
    socket.awaiting.push(Y.decodeUpdate(f.bytes).structs.map(s => ({ client: s.id.client, from: s.id.clock, to: s.id.clock + s.length })))
  }

  heard (i, socket, bytes) {
    if (bytes.length < 2) return
    const f = readFrame(bytes)
    if (f.type !== SYNC_STATUS) return
    const ranges = socket.awaiting.shift()
    if (f.status !== 1) return this.refuse(i, ranges)
    for (const { client, from, to } of ranges ?? []) {
      for (const token of this.byClient.get(client) ?? []) {
        if (token.ackedAt === null && token.from >= from && token.to <= to) this.acknowledge(token)
      }
    }
  }

  refuse (i, ranges) {
    this.refused++
    this.note({ client: i, op: 'refused', ranges })
  }

  acknowledge (token) {
    token.ackedAt = performance.now()
    this.note({ client: token.by, op: 'type', args: token.text, ok: true })
  }

  /* One token: at the end of the text, or as an element of the list. */
  type (i) {
    const { doc } = this.clients[i]
    const text = `<${i}.${serial++}>`
    const from = Y.getState(doc.store, doc.clientID)
    const inText = this.tokens.length % 2 === 0
    const to = from + (inText ? text.length : 1)          /* a character, or an element: one clock */
    const token = { text, by: i, client: doc.clientID, from, to, typedAt: performance.now(), ackedAt: null }
    this.tokens.push(token)
    this.byClient.get(doc.clientID).push(token)
    this.note({ client: i, op: 'type', args: text, call: true })
    if (inText) doc.getText('text').insert(doc.getText('text').length, text)
    else doc.getArray('array').push([text])
  }

  startTyping (everyMs = 20) {
    this.timers = this.clients.map((c, i) => setInterval(() => this.type(i), everyMs))
  }

  stopTyping () {
    this.timers.splice(0).forEach(clearInterval)
  }

  get acknowledged () {
    return this.tokens.filter(t => t.ackedAt !== null)
  }

  /* N more acknowledgements than now. */
  async more (n, what, ms = 20000) {
    const goal = this.acknowledged.length + n
    await until(`${what}: ${n} more acknowledged tokens`, () => this.acknowledged.length >= goal, ms)
  }

  /* Every client, reconnected by itself, ends with nothing unacknowledged; then a fresh one is asked. */
  async verify (server = this.server) {
    this.stopTyping()
    await until('all clients have come back and have nothing unsaved', () => this.clients.every(c => c.settled()), 30000)
    const fresh = openClient('provider4', server, this.room)
    await until('a fresh client is in sync', () => fresh.settled(), 15000)
    const wanted = this.tokens
    await until('no token is missing', () => {
      const got = tokensOf(fresh.doc)
      const lost = this.acknowledged.filter(t => !got.has(t.text))
      if (lost.length > 0) throw new Error(`ACKNOWLEDGED AND LOST: ${lost.map(t => t.text).join(' ')}`)
      const missing = wanted.filter(t => !got.has(t.text))
      if (missing.length > 0) throw new Error(`typed and not there: ${missing.map(t => t.text).join(' ')}`)
      return true
    }, 5000)
    fresh.close()
  }

  /* DEAD has just been killed: what was acknowledged until now must be in what it left on disk. */
  async verifyOnDisk (dead) {
    const acknowledged = this.acknowledged
    const twin = await startTwin(this.run, dead)
    const got = await tokensIn(twin, this.room, tokensHeld)
    await twin.kill()
    const lost = acknowledged.filter(t => !got.has(t.text))
    if (lost.length > 0) {
      throw new Error(`ACKNOWLEDGED AND LOST, ${lost.length} of ${acknowledged.length}: ${lost.slice(0, 20).map(t => t.text).join(' ')}`)
    }
  }

  close () {
    this.stopTyping()
    for (const c of this.clients) c.close()
  }
}

/* What a client that has seen nothing reads: the tokens in the document. */
export async function tokensIn (server, room, find = tokensOf) {
  const fresh = openClient('provider4', server, room)
  await until('a fresh client is in sync', () => fresh.settled(), 15000)
  const got = find(fresh.doc)
  fresh.close()
  return got
}

const tokensInText = text => text.match(/<\d+\.\d+>/g) ?? []

export const tokensOf = doc => new Set([...doc.getArray('array').toArray(), ...tokensInText(doc.getText('text').toString())])

/* And those that cannot be read yet: a client that comes back may type before it has sent again what was lost with the server.
 * Its token is acknowledged, for it is stored, and waits for what is before it, which is not. */
export function tokensHeld (doc) {
  const waiting = doc.store.pendingStructs === null ? [] : Y.decodeUpdateV2(doc.store.pendingStructs.update).structs
  const found = waiting.flatMap(({ content }) => content?.arr ?? tokensInText(content?.str ?? ''))
  return new Set([...tokensOf(doc), ...found])
}
