/* Frames of the collaboration protocol, written and read for tests (docs/protocol: chapters 3 to 7, 14). */
import * as decoding from 'lib0/decoding'
import * as encoding from 'lib0/encoding'

export const SYNC = 0; export const AWARENESS = 1; export const AUTH = 2; export const QUERY_AWARENESS = 3
export const SYNC_REPLY = 4; export const STATELESS = 5; export const BROADCAST_STATELESS = 6; export const CLOSE = 7
export const SYNC_STATUS = 8; export const PING = 9; export const PONG = 10
export const STEP1 = 0; export const STEP2 = 1; export const UPDATE = 2

const typeNames = ['Sync', 'Awareness', 'Auth', 'QueryAwareness', 'SyncReply', 'Stateless', 'BroadcastStateless', 'Close',
  'SyncStatus', 'Ping', 'Pong']
const syncNames = ['Step1', 'Step2', 'Update']

/* parts: numbers become varuints, strings varstrings, byte arrays varbytes. ADDRESS null: a y-websocket frame. */
export function frame (address, type, ...parts) {
  const out = encoding.createEncoder()
  if (address !== null) encoding.writeVarString(out, address)
  encoding.writeVarUint(out, type)
  for (const part of parts) {
    if (typeof part === 'number') encoding.writeVarUint(out, part)
    else if (typeof part === 'string') encoding.writeVarString(out, part)
    else encoding.writeVarUint8Array(out, part)
  }
  return encoding.toUint8Array(out)
}

export const authToken = (address, token, version) =>
  version === undefined ? frame(address, AUTH, 0, token) : frame(address, AUTH, 0, token, version)

const bodies = {
  [SYNC]: syncBody,
  [SYNC_REPLY]: syncBody,
  [AWARENESS]: d => ({ states: readAwareness(decoding.readVarUint8Array(d)) }),
  [AUTH]: authBody,
  [STATELESS]: d => ({ payload: decoding.readVarString(d) }),
  [CLOSE]: d => ({ reason: decoding.hasContent(d) ? decoding.readVarString(d) : null }),
  [SYNC_STATUS]: d => ({ status: decoding.readVarUint(d) })
}

function syncBody (d) {
  return { kind: decoding.readVarUint(d), bytes: decoding.readVarUint8Array(d) }
}

function authBody (d) {
  const kind = decoding.readVarUint(d)
  return { kind, text: decoding.hasContent(d) ? decoding.readVarString(d) : null }
}

/* [{ client, clock, state }] sorted by client. */
export function readAwareness (bytes) {
  const d = decoding.createDecoder(bytes)
  const states = []
  for (let n = decoding.readVarUint(d); n > 0; n--) {
    states.push({ client: decoding.readVarUint(d), clock: decoding.readVarUint(d), state: JSON.parse(decoding.readVarString(d)) })
  }
  return states.sort((a, b) => a.client - b.client)
}

export function writeAwareness (states) {
  const out = encoding.createEncoder()
  encoding.writeVarUint(out, states.length)
  for (const { client, clock, state } of states) {
    encoding.writeVarUint(out, client)
    encoding.writeVarUint(out, clock)
    encoding.writeVarString(out, typeof state === 'string' ? state : JSON.stringify(state))
  }
  return encoding.toUint8Array(out)
}

/* { address, type, ...body }. A frame that ends after an empty address is the keep-alive (type null). */
export function readFrame (bytes, { addressed = true } = {}) {
  const d = decoding.createDecoder(bytes)
  const address = addressed ? decoding.readVarString(d) : null
  if (!decoding.hasContent(d)) return { address, type: null }
  const type = decoding.readVarUint(d)
  return { address, type, ...bodies[type]?.(d) }
}

export function describeFrame (bytes, options) {
  const f = readFrame(bytes, options)
  if (f.type === null) return 'keep-alive'
  const name = typeNames[f.type] ?? `type ${f.type}`
  const shown = f.address === null ? name : `${JSON.stringify(f.address)} ${name}`
  switch (f.type) {
    case SYNC: case SYNC_REPLY: return `${shown} ${syncNames[f.kind] ?? f.kind} ${hex(f.bytes)}`
    case AWARENESS: return `${shown} ${JSON.stringify(f.states)}`
    case AUTH: return `${shown} ${f.kind} ${f.text}`
    case STATELESS: return `${shown} ${f.payload}`
    case CLOSE: return `${shown} ${f.reason}`
    case SYNC_STATUS: return `${shown} ${f.status}`
    default: return shown
  }
}

export const hex = bytes => Buffer.from(bytes).toString('hex')
export const unhex = text => new Uint8Array(Buffer.from(text, 'hex'))

/* A frame that only keeps the connection alive: `00`, or presence without entries. */
export function isKeepAlive (bytes, options) {
  if (bytes.length === 1 && bytes[0] === 0) return true
  const f = readFrame(bytes, options)
  return f.type === AWARENESS && f.states.length === 0
}
