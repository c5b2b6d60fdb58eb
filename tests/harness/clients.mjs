/* The real clients, one way to hold them all. Every generation uses the one copy of yjs.
 *
 *   const c = openClient('provider4', core, 'room', { token, name: 'Ann' });
 *   c.doc  c.awareness  c.provider
 *   c.offline()  c.online()  c.cut()      // leave, come back, lose the TCP connection (comes back by itself)
 *   c.settled()                           // synced, nothing unacknowledged
 *   c.close() */
import * as Y from 'yjs'
import WebSocket from 'ws'
import * as provider2 from 'provider2'
import * as provider3 from 'provider3'
import * as provider4 from 'provider4'
import { WebsocketProvider } from 'y-websocket'
import { Awareness } from 'y-protocols/awareness'
import { until } from './run.mjs'

/* A browser's WebSocket that is closed while it connects says so by an event alone; ws would throw when nobody listens. */
export class QuietSocket extends WebSocket {
  constructor (...args) {
    super(...args)
    this.on('error', () => {})
  }
}

export const hocuspocusKinds = ['provider4', 'provider3', 'provider2']
process.setMaxListeners(100)               /* y-websocket listens for the end of the process, once per client */
const modules = { provider2, provider3, provider4 }

/* Short waits between attempts: a test does not want to wait for a server that is back already. */
const eager = { delay: 50, minDelay: 50, maxDelay: 400, factor: 1.5, jitter: true }

/* A socket for one or more documents. */
export function openSocket (kind, subject, { url = subject.collabUrl, Socket = QuietSocket, ...rest } = {}) {
  /* 2.x would also talk to its siblings in this process over a BroadcastChannel, past the server. */
  return new modules[kind].HocuspocusProviderWebsocket({ url, WebSocketPolyfill: Socket, broadcast: false, quiet: true, ...eager, ...rest })
}

export function openClient (kind, subject, room, options = {}) {
  return kind === 'y-websocket' ? new YClient(subject, room, options) : new HocuspocusClient(kind, subject, room, options)
}

class HocuspocusClient {
  constructor (kind, subject, room, { token = subject.token('write'), name, doc = new Y.Doc(), socket, socketOptions, ...rest }) {
    this.kind = kind
    this.doc = doc
    this.events = []
    this.stateless = []
    this.ownsSocket = socket === undefined
    this.socket = socket ?? openSocket(kind, subject, socketOptions)
    const note = event => data => this.events.push({ event, ...data })
    this.provider = new modules[kind].HocuspocusProvider({
      websocketProvider: this.socket, name: room, document: doc, token, broadcast: false,
      onAuthenticated: ({ scope } = {}) => note('authenticated')({ scope }),
      onAuthenticationFailed: ({ reason }) => note('denied')({ reason }),
      onClose: ({ event }) => note('close')({ code: event?.code, reason: String(event?.reason ?? '') }),
      onSynced: note('synced'),
      onStateless: ({ payload }) => this.stateless.push(payload),
      ...rest
    })
    if (this.provider.isAttached === false) this.provider.attach()
    this.awareness = this.provider.awareness
    if (name) this.awareness.setLocalStateField('user', { name })
  }

  had (event) {
    return this.events.find(e => e.event === event)
  }

  /* The provider ignores connect() while a disconnect() is still on its way. */
  async online () {
    await until('the old connection is gone', () => this.socket.status !== 'connected' || this.socket.shouldConnect)
    if (!this.socket.shouldConnect) this.socket.connect()
  }

  /* 3.x carries out a reconnection that it had planned before disconnect(), and means to be connected from then on: so it is
   * told until it has no socket any more. */
  async offline () {
    const { socket } = this
    await until('the provider is offline', () => {
      if (socket.shouldConnect || socket.webSocket) socket.disconnect()
      return !socket.webSocket
    })
  }

  cut () {
    this.socket.webSocket?.terminate?.()
  }

  isOnline () {
    return this.socket.status === 'connected'
  }

  /* 2.x counts below 0 after edits made while away: their acknowledgements come after its count began anew. */
  settled () {
    const open = this.provider.unsyncedChanges
    return this.isOnline() && this.provider.synced && (open === 0 || (open < 0 && this.kind === 'provider2'))
  }

  close () {
    this.provider.destroy()
    if (this.ownsSocket) this.socket.destroy()
    this.doc.destroy()
  }
}

class YClient {
  constructor (subject, room, { token = subject.token('write'), name, doc = new Y.Doc(), Socket = QuietSocket, url = subject.yUrl, params }) {
    this.kind = 'y-websocket'
    this.doc = doc
    this.awareness = new Awareness(doc)
    this.provider = new WebsocketProvider(url, room, doc, {
      awareness: this.awareness, WebSocketPolyfill: Socket, params: { token, ...params }, disableBc: true, maxBackoffTime: 400
    })
    if (name) this.awareness.setLocalStateField('user', { name })
  }

  async online () {
    this.provider.connect()
  }

  async offline () {
    this.provider.disconnect()
  }

  cut () {
    this.provider.ws?.terminate?.()
  }

  isOnline () {
    return this.provider.wsconnected
  }

  settled () {
    return this.isOnline() && this.provider.synced
  }

  close () {
    this.provider.destroy()
    this.awareness.destroy()
    this.doc.destroy()
  }
}

/* Names that C sees on others (not its own). */
export function othersSeenBy (c) {
  return [...c.awareness.getStates()]
    .filter(([id, state]) => id !== c.doc.clientID && state.user)
    .map(([, state]) => state.user.name).sort()
}
