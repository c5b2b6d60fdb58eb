/* A real Socket.IO server in a process of its own: node socketio-stock.mjs '{"redisPort":n,"adapter":"classic","options":{...}}'. Told what
 * to do by messages { id, op, args }, it answers { id, value } or { id, error }; { event: 'server', args } when another server says something. */
import { Redis } from 'ioredis'
import { Server } from 'socket.io'
import redisAdapter from '@socket.io/redis-adapter'
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter'

const settings = JSON.parse(process.argv[2])
const connect = () => new Redis({ host: '127.0.0.1', port: settings.redisPort })
const adapters = {
  classic: options => redisAdapter.createAdapter(connect(), connect(), options),
  sharded: options => redisAdapter.createShardedAdapter(connect(), connect(), options),
  streams: options => createStreamsAdapter(connect(), options)
}

const io = new Server(0, { adapter: adapters[settings.adapter](settings.options), transports: ['websocket'], ...settings.server })
const of = nsp => io.of(nsp)
for (const name of settings.namespaces) {
  of(name).on('connection', socket => {
    socket.on('enter', (rooms, done) => { socket.join(rooms); done() })
    socket.data.of = 'node'
  })
  of(name).on('said', (...args) => {
    const done = typeof args.at(-1) === 'function' ? args.pop() : null
    process.send({ event: 'server', args })
    done?.('heard by node')
  })
}

/* The target of { rooms, except, flags } as Socket.IO's chain of calls. */
function target ({ nsp, rooms = [], except = [], flags = {}, timeout }) {
  let t = of(nsp)
  if (rooms.length > 0) t = t.to(rooms)
  if (except.length > 0) t = t.except(except)
  if (flags.volatile) t = t.volatile
  if (timeout) t = t.timeout(timeout)
  return t
}
const revive = v => v instanceof Object && v.hex !== undefined ? Buffer.from(v.hex, 'hex') : v

const ops = {
  broadcast: ({ event, ...to }) => { target(to).emit(...event.map(revive)) },
  ack: ({ event, ...to }) => target(to).emitWithAck(...event),
  fetch: async to => (await target(to).fetchSockets()).map(s => ({ id: s.id, rooms: [...s.rooms], data: s.data })),
  rooms: async ({ nsp }) => [...await of(nsp).adapter.allRooms()],
  join: ({ names, ...to }) => { target(to).socketsJoin(names) },
  leave: ({ names, ...to }) => { target(to).socketsLeave(names) },
  disconnect: ({ close, ...to }) => { target(to).disconnectSockets(close) },
  serverEmit: ({ nsp, event }) => { of(nsp).serverSideEmit(...event) },
  serverAsk: ({ nsp, event }) => of(nsp).serverSideEmitWithAck(...event),
  count: ({ nsp }) => of(nsp).adapter.serverCount()
}

process.on('message', async ({ id, op, args }) => {
  try {
    process.send({ id, value: await ops[op](args) })
  } catch (err) {
    process.send({ id, error: String(err?.message ?? err), responses: err?.responses })
  }
})
io.httpServer.on('listening', () => process.send({ event: 'listening', port: io.httpServer.address().port }))
