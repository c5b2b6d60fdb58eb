/* A bare WebSocket that keeps every frame it gets. */
import WebSocket from 'ws'
import { QuietSocket } from './clients.mjs'
import { describeFrame, hex, isKeepAlive, unhex } from './frames.mjs'
import { until } from './run.mjs'

export class RawClient {
  static async open (url, options) {
    const c = new RawClient(url, options)
    await until(`a WebSocket opens at ${url}`, () => {
      if (c.closed) throw new Error(`closed ${c.closed.code} ${c.closed.reason}`)
      return c.socket.readyState === WebSocket.OPEN
    }, 5000)
    return c
  }

  constructor (url, { addressed = true, ...options } = {}) {
    this.addressed = addressed
    this.frames = []                     /* Uint8Array, in order; taken out by expect() */
    this.closed = null
    this.socket = new QuietSocket(url, { perMessageDeflate: false, ...options })
    this.socket.on('message', data => {
      const bytes = new Uint8Array(data)
      if (!isKeepAlive(bytes, this)) this.frames.push(bytes)
    })
    this.socket.on('close', (code, reason) => { this.closed = { code, reason: String(reason) } })
    this.socket.on('unexpected-response', (request, response) => {
      this.closed = { code: 0, status: response.statusCode, headers: response.headers, reason: 'refused' }
      request.destroy()
    })
  }

  send (...frames) {
    for (const f of frames) this.socket.send(typeof f === 'string' ? unhex(f) : f)
  }

  /* The next frames are exactly WANTED (hex), in this order. */
  async expect (what, ...wanted) {
    const got = await until(`${what}: ${wanted.length} frames`, () => {
      if (this.frames.length >= wanted.length) return true
      throw new Error(`has ${this.frames.map(f => describeFrame(f, this)).join(' | ') || 'none'}` +
        (this.closed ? `, closed ${this.closed.code}` : ''))
    }, 5000).then(() => this.frames.splice(0, wanted.length))
    got.forEach((f, i) => {
      const want = typeof wanted[i] === 'string' ? wanted[i] : hex(wanted[i])
      if (hex(f) !== want) {
        throw new Error(`${what}: frame ${i} is ${describeFrame(f, this)}, not ${describeFrame(unhex(want), this)}`)
      }
    })
  }

  async expectClose (what, code, reason) {
    await until(`${what}: the socket is closed`, () => this.closed !== null, 8000)
    if (this.closed.code !== code || (reason !== undefined && this.closed.reason !== reason)) {
      throw new Error(`${what}: closed with ${this.closed.code} "${this.closed.reason}", not ${code} "${reason}"`)
    }
  }

  close () {
    this.socket.terminate()
  }
}
