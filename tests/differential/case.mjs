// One case as bytes for crdt_diff: commands, each a number and its operands as lib0 writes them (uint, bytes behind
// their length). crdt_diff.c holds the same list; new ones go to its end, since saved cases name them by number. Byte strings that occur more than once are given once.
import fs from 'node:fs'

export const COMMANDS = ['END', 'BLOB', 'DOCUMENT', 'ROOT', 'APPLY', 'STATE_VECTOR', 'STATE', 'PENDING', 'DUMP', 'JSON', 'PLAIN', 'TEXT', 'XML', 'DELTA', 'MERGE',
  'MERGE_UNDECIDED', 'DIFF', 'SV_OF_UPDATE', 'META', 'ENOUGH',
  'APPLY_V2', 'STATE_V2', 'MERGE_V2', 'DIFF_V2', 'SV_OF_UPDATE_V2', 'META_V2', 'V1_TO_V2', 'V2_TO_V1',
  'BEGIN', 'COMMIT', 'LIST_INSERT', 'LIST_PUSH', 'LIST_DELETE', 'MAP_SET', 'MAP_DELETE', 'MAP_CLEAR', 'TEXT_INSERT', 'TEXT_EMBED',
  'TEXT_FORMAT', 'TEXT_DELETE', 'TEXT_DELTA',
  'SNAPSHOT', 'RESTORE', 'DELTA_AT', 'POSITION', 'RESOLVE']
const NUMBER = Object.fromEntries(COMMANDS.map((name, i) => [name, i]))

export class Case {
  constructor (seed, number) {
    this.b = Buffer.allocUnsafe(1 << 14)
    this.n = 0
    this.blobs = new Map()
    this.string(seed).uint(number)
  }

  room (n) {
    if (this.n + n <= this.b.length) return
    const b = Buffer.allocUnsafe(Math.max(this.b.length * 2, this.n + n))
    this.b.copy(b, 0, 0, this.n)
    this.b = b
  }

  uint (v) {
    this.room(8)
    for (; v >= 128; v = Math.floor(v / 128)) this.b[this.n++] = v % 128 + 128
    this.b[this.n++] = v
    return this
  }

  bytes (u8) {
    this.uint(u8.length).room(u8.length)
    this.b.set(u8, this.n)
    this.n += u8.length
    return this
  }

  string (s) { return this.bytes(Buffer.from(s)) }
  command (name) { return this.uint(NUMBER[name]) }

  // The number of a byte string that later commands refer to.
  blob (u8) {
    let number = this.blobs.get(u8)
    if (number === undefined) {
      number = this.blobs.size
      this.blobs.set(u8, number)
      this.command('BLOB').bytes(u8)
    }
    return number
  }

  end () {
    this.command('END')
    return this.b.subarray(0, this.n)
  }
}

// Cases behind their length in four bytes; a length of 0 says that all have been written.
export class Output {
  constructor (fd) {
    this.fd = fd
    this.parts = []
    this.size = 0
  }

  put (bytes) {
    const head = Buffer.alloc(4)
    head.writeUInt32LE(bytes.length)
    this.parts.push(head, bytes)
    this.size += bytes.length + 4
    if (this.size > 1 << 18) this.flush()
  }

  flush () {
    const all = Buffer.concat(this.parts)
    this.parts = []
    this.size = 0
    for (let at = 0; at < all.length;) {
      try {
        at += fs.writeSync(this.fd, all, at)
      } catch (e) {
        if (e.code === 'EPIPE') process.exit(1)        // the reader has seen enough
        if (e.code !== 'EAGAIN') throw e
      }
    }
  }

  end () {
    this.put(Buffer.alloc(0))
    this.flush()
  }
}
