export default {
  'sockets.collab': { socket: true },
  'sockets.room': { path: { rest: 'room' }, socket: true },
  'sockets.echo': { socket: true }
}
