/* The same few events in a Socket.IO server of Node.js, with its default engine (ws). Prints its port. */
import http from 'node:http'
import { Server } from 'socket.io'

const server = http.createServer()
const io = new Server(server, { pingInterval: 600000, pingTimeout: 600000, serveClient: false })
const lab = io.of('/lab')
lab.on('connection', socket => {
  socket.on('join', (rooms, ack) => { socket.join(rooms); ack?.() })
  socket.on('leave', (rooms, ack) => { for (const room of rooms) socket.leave(room); ack?.() })
  socket.on('cast', (options, event, ack) => { lab.to(options.rooms).emit(...event); ack?.() })
})
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
