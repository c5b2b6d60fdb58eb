/* A TCP proxy between a server and those who use it, slow or silent on demand. In the process of the test.
 *
 *   const proxy = await startProxy(run, redis.port);     // proxy.port
 *   proxy.delay(100);                                    // every chunk is 100 ms late, each way; order is kept
 *   proxy.hole();                                        // takes everything, passes nothing on; connections stay open
 *   proxy.reset();                                       // all connections are cut
 *   proxy.ok();                                          // as if it were not there; who sat in a hole is cut
 *   proxy.record(); proxy.recorded('up')                 // from then on: all bytes towards the server ('down': from it), as latin1
 */
import net from 'node:net'

export async function startProxy (run, targetPort) {
  const proxy = new Proxy(targetPort)
  run.atEnd(() => proxy.end())
  await new Promise((resolve, reject) => {
    proxy.server.once('error', reject)
    proxy.server.listen(0, '127.0.0.1', resolve)
  })
  return proxy
}

class Proxy {
  constructor (targetPort) {
    this.lateMs = 0
    this.isHole = false
    this.record_ = null
    this.pairs = new Set()
    this.server = net.createServer({ noDelay: true }, near => this.join(near, net.connect({ port: targetPort, host: '127.0.0.1', noDelay: true })))
  }

  get port () {
    return this.server.address().port
  }

  join (near, far) {
    const pair = { near, far, lossy: this.isHole }
    const end = () => {
      near.destroy()
      far.destroy()
      this.pairs.delete(pair)
    }
    this.pairs.add(pair)
    for (const [from, to] of [[near, far], [far, near]]) {
      from.on('data', data => this.pass(pair, to, data))
      from.on('error', end)
      from.on('close', end)
    }
  }

  record () {
    this.record_ = { up: [], down: [] }
  }

  recorded (way) {
    return Buffer.concat(this.record_[way]).toString('latin1')
  }

  pass (pair, to, data) {
    this.record_?.[to === pair.far ? 'up' : 'down'].push(data)
    if (this.isHole) pair.lossy = true
    if (pair.lossy) return
    if (this.lateMs === 0 && !to.late) to.write(data)
    else this.passLater(to, data)
  }

  /* Timers of one length fire in their order; TO.late: some are still to come. */
  passLater (to, data) {
    to.late = (to.late ?? 0) + 1
    setTimeout(() => {
      to.late--
      if (!to.destroyed) to.write(data)
    }, Math.max(this.lateMs, 1))
  }

  delay (ms) {
    this.lateMs = ms
  }

  hole () {
    this.isHole = true
  }

  reset () {
    for (const { near, far } of [...this.pairs]) {
      near.resetAndDestroy()
      far.destroy()
    }
  }

  ok () {
    this.lateMs = 0
    this.isHole = false
    for (const pair of [...this.pairs]) {
      if (pair.lossy) pair.near.destroy()
    }
  }

  end () {
    this.server.close()
    this.reset()
  }
}
