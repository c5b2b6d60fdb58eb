/* Raw HTTP and WebSocket over plain sockets, for what well-behaved clients cannot be made to send. */
import crypto from 'node:crypto'
import net from 'node:net'
import { until } from './run.mjs'

export class RawSocket {
  static async open (port) {
    const c = new RawSocket(port)
    await until(`connected to port ${port}`, () => c.ready || c.ended)
    return c
  }

  constructor (port) {
    this.bytes = Buffer.alloc(0)
    this.ready = false
    this.ended = false
    this.socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    this.socket.on('connect', () => { this.ready = true })
    this.socket.on('data', data => { this.bytes = Buffer.concat([this.bytes, data]) })
    this.socket.on('end', () => { this.ended = true })
    this.socket.on('error', () => { this.ended = true })
    this.socket.on('close', () => { this.ended = true })
  }

  write (data) {
    this.socket.write(data)
  }

  /* Head of the next HTTP answer: { status, headers }; what follows it stays in bytes. */
  async head (ms = 5000) {
    await until('an answer', () => this.bytes.includes('\r\n\r\n'), ms)
    const end = this.bytes.indexOf('\r\n\r\n')
    const [first, ...lines] = this.bytes.subarray(0, end).toString('latin1').split('\r\n')
    this.bytes = this.bytes.subarray(end + 4)
    const headers = Object.fromEntries(lines.map(l => [l.slice(0, l.indexOf(':')).toLowerCase(), l.slice(l.indexOf(':') + 1).trim()]))
    return { status: Number(first.split(' ')[1]), headers }
  }

  /* The next WebSocket frame of the server: { fin, rsv, opcode, masked, payload }. */
  async frame (ms = 5000) {
    return await until('a WebSocket frame', () => {
      const f = takeFrame(this)
      if (f === null && this.ended) throw new Error('the connection has ended')
      return f
    }, ms)
  }

  destroy () {
    this.socket.destroy()
  }
}

function takeFrame (c) {
  const b = c.bytes
  if (b.length < 2) return null
  let length = b[1] & 0x7f
  let at = 2
  if (length === 126) {
    if (b.length < 4) return null
    length = b.readUInt16BE(2)
    at = 4
  } else if (length === 127) {
    if (b.length < 10) return null
    length = Number(b.readBigUInt64BE(2))
    at = 10
  }
  if (b.length < at + length) return null
  c.bytes = b.subarray(at + length)
  return { fin: b[0] >> 7, rsv: (b[0] >> 4) & 7, opcode: b[0] & 15, masked: b[1] >> 7, payload: b.subarray(at, at + length) }
}

/* A client frame. form: 'short' | '16' | '64' forces a length form; mask: false leaves it unmasked. */
export function clientFrame (opcode, payload = '', { fin = 1, rsv = 0, mask = true, form } = {}) {
  const body = Buffer.from(payload)
  const head = [(fin << 7) | (rsv << 4) | opcode]
  const bit = mask ? 0x80 : 0
  const use = form ?? (body.length < 126 ? 'short' : body.length < 65536 ? '16' : '64')
  if (use === 'short') head.push(bit | body.length)
  else if (use === '16') head.push(bit | 126, body.length >> 8, body.length & 255)
  else head.push(bit | 127, ...lengthBytes(body.length))
  if (!mask) return Buffer.concat([Buffer.from(head), body])
  const key = crypto.randomBytes(4)
  return Buffer.concat([Buffer.from(head), key, body.map((byte, i) => byte ^ key[i & 3])])
}

export function lengthBytes (n) {
  const out = Buffer.alloc(8)
  out.writeBigUInt64BE(BigInt(n))
  return out
}

export function handshake (target, { key = 'dGhlIHNhbXBsZSBub25jZQ==', version = '13', headers = {}, method = 'GET', host = '127.0.0.1' } = {}) {
  const all = { Host: host, Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Key': key, 'Sec-WebSocket-Version': version, ...headers }
  return `${method} ${target} HTTP/1.1\r\n` +
    Object.entries(all).filter(([, v]) => v !== null).map(([k, v]) => `${k}: ${v}\r\n`).join('') + '\r\n'
}

export async function openRawWebSocket (port, target, options) {
  const c = await RawSocket.open(port)
  c.write(handshake(target, options))
  return { c, answer: await c.head() }
}
