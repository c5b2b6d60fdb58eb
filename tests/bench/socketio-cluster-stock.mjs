/* A stock Socket.IO server as it is measured: node socketio-cluster-stock.mjs '{"redisPort":n,"adapter":"classic"}'. Its clients do what those of the
 * gateway's namespace /lab do: join rooms, cast events. Says its port to its parent. */
import redisAdapter from '@socket.io/redis-adapter'
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter'
import { Redis } from 'ioredis'
import { Server } from 'socket.io'

const { redisPort, adapter } = JSON.parse(process.argv[2])
const connect = () => new Redis({ host: '127.0.0.1', port: redisPort })
const adapters = {
  classic: () => redisAdapter.createAdapter(connect(), connect()),
  sharded: () => redisAdapter.createShardedAdapter(connect(), connect()),
  streams: () => createStreamsAdapter(connect())
}

const io = new Server(0, { adapter: adapters[adapter](), transports: ['websocket'] })
io.of('/lab').on('connection', socket => {
  socket.on('join', (rooms, done) => { socket.join(rooms); done() })
  socket.on('cast', ({ rooms }, event) => { io.of('/lab').to(rooms).emit(...event) })
})
io.httpServer.on('listening', () => process.send({ port: io.httpServer.address().port }))
