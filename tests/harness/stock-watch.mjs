/* Says over HTTP whether a stock server has stored what it took: it acknowledges before that. */
export class StoreWatch {
  priority = 1000                                /* before the extension that stores */
  changes = 0
  stored = 0
  running = 0
  lastAt = 0
  dirty = new Set()

  /* atOnce: each change is a store of its own. */
  constructor (atOnce) {
    this.atOnce = atOnce
  }

  get waiting () {
    return this.dirty.size + this.running + (this.atOnce ? Math.max(this.changes - this.stored, 0) : 0)
  }

  async onChange ({ documentName }) {
    this.changes++
    this.dirty.add(documentName)
  }

  async onStoreDocument ({ documentName }) {
    this.running++
    this.dirty.delete(documentName)
  }

  async afterStoreDocument () {
    this.running--
    this.stored++
    this.lastAt = Date.now()
  }

  async onRequest ({ request, response }) {
    if (request.url !== '/stores') return
    response.writeHead(200, { 'Content-Type': 'application/json' })
    response.end(JSON.stringify({ changes: this.changes, waiting: this.waiting, lastAt: this.lastAt }))
    throw null                                   // how a hook says that it has answered
  }
}
