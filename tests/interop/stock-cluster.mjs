/* interop.stock-cluster: one cluster of stock Hocuspocus servers with their Redis extension and of cores with
 * `collab.cluster.mode=hocuspocus`. What stock cannot: hear one another across generations (4.7 and all before it do through a core),
 * get over a lost message or a lock without losing, agree again after Redis was away. All on one PostgreSQL, as a
 * migration has it; to see that Redis has done it, and not the table, Umbel's comparison with that is put off for an hour,
 * and so are the periodic comparisons between servers.
 *   stock-cluster.mjs REACTORS */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { openClient } from '../harness/clients.mjs'
import { difference, editRandomly } from '../harness/edits.mjs'
import { startPostgres } from '../harness/postgres-server.mjs'
import { startRedis } from '../harness/redis-server.mjs'
import { openRun, root, until } from '../harness/run.mjs'
import { readStored } from '../harness/stored.mjs'
import { Stock, UmbelCore } from '../harness/subjects.mjs'

const reactors = process.argv[2] ?? '1'
const run = openRun(`interop.stock-cluster.reactors-${reactors}`)
const text = c => c.doc.getText('text').toString()
const names = c => [...c.awareness.getStates().values()].map(s => s.user?.name).filter(Boolean).sort().join()
const insert = (c, word) => c.doc.getText('text').insert(text(c).length, `${word} `)
const has = (c, ...words) => words.every(w => text(c).split(' ').includes(w))

/* A Redis, a PostgreSQL, and servers on both. */
class Cluster {
  async start () {
    this.pg = await startPostgres(run)
    this.redis = await startRedis(run)
    this.servers = []
    return this
  }

  async stock (label, generation = '4.7', options = {}) {
    const server = new Stock(run, {
      label,
      stock: {
        generation,
        postgres: options.postgres === null ? undefined : this.pg.connection,
        database: null,
        redis: { port: this.redis.port, identifier: label },
        options: { debounce: 200, maxDebounce: 1000, ...options }
      }
    })
    await server.start()
    this.servers.push(server)
    return server
  }

  async umbel (label, args = []) {
    const core = new UmbelCore(run, {
      label,
      storeUrl: this.pg.url,
      reactors,
      args: ['--redis.enabled=true', `--spring.data.redis.url=${this.redis.url}`, `--cluster.id=${label}`, `--redis-id=${label}`,
        '--collab.cluster.mode=hocuspocus', '--collab.resync-interval=3600s', '--collab.cluster.compare-interval=3600s', ...args]
    })
    await core.start()
    this.servers.push(core)
    return core
  }

  open (server, room, options) {
    return openClient('provider4', server, room, options)
  }

  async stored (room, ...words) {
    await until(`${words} in the database`, async () => {
      const doc = (await readStored(this.pg, room)).doc.getText('text').toString().split(' ')
      return words.every(w => doc.includes(w))
    })
  }

  async stop () {
    for (const server of this.servers) if (server.child.exit === null) await server.stop()
  }
}

const cluster = async () => await new Cluster().start()
const metric = async (core, name) => {
  const page = await (await core.fetch('/core/actuator/prometheus', { token: core.token('write', 'admin') })).text()
  return Number(page.match(new RegExp(`^${name} (\\S+)`, 'm'))?.[1])
}

await run.story('stock 4.7 and Umbel: edits and presence both ways, a late reader on either side', async () => {
  const all = await cluster()
  const [stock, core] = [await all.stock('stock-a'), await all.umbel('umbel-a')]
  const [a, b] = [all.open(stock, 'd', { name: 'Ann' }), all.open(core, 'd', { name: 'Bob' })]
  await until('both in sync', () => a.settled() && b.settled())
  insert(a, 'stock')
  await until('Umbel has it', () => has(b, 'stock'))
  insert(b, 'umbel')
  await until('stock has it', () => has(a, 'umbel'))
  await until('each sees the other', () => names(a) === 'Ann,Bob' && names(b) === 'Ann,Bob')
  b.awareness.setLocalStateField('cursor', 7)
  await until('a cursor moves at stock', () => [...a.awareness.getStates().values()].some(s => s.cursor === 7))
  a.awareness.setLocalStateField('cursor', 8)
  await until('and at Umbel', () => [...b.awareness.getStates().values()].some(s => s.cursor === 8))
  const late = [all.open(stock, 'd', { name: 'Cy' }), all.open(core, 'd', { name: 'Di' })]
  await until('late readers have it all', () => late.every(c => has(c, 'stock', 'umbel')))
  await until('and see everybody', () => late.every(c => names(c) === 'Ann,Bob,Cy,Di'))
  for (const c of [a, b, ...late]) c.close()
  await all.stop()
})

await run.story('a document that is opened shows what only the other server has in memory', async () => {
  const all = await cluster()
  const stock = await all.stock('stock-a', '4.7', { debounce: 60000, maxDebounce: 60000 })
  const core = await all.umbel('umbel-a')
  const a = all.open(stock, 'of-stock')
  await until('in sync', () => a.settled())
  insert(a, 'unstored')
  const b = all.open(core, 'of-stock')
  await until('the first state that Umbel serves has it', () => b.had('synced'))
  assert.ok(has(b, 'unstored'))
  const c = all.open(core, 'of-umbel')
  await until('in sync', () => c.settled())
  insert(c, 'unfolded')
  await until('in the log', () => c.settled())
  const d = all.open(stock, 'of-umbel')
  await until('the first state that stock serves has it', () => d.had('synced'))
  await until('it is there', () => has(d, 'unfolded'))
  for (const one of [a, b, c, d]) one.close()
  await all.stop()
})

await run.story('what clients of stock write is stored by Umbel too: stock has no database here, and both are killed', async () => {
  const all = await cluster()
  const [stock, core] = [await all.stock('stock-a', '4.7', { postgres: null }), await all.umbel('umbel-a')]
  const [a, b] = [all.open(stock, 'd'), all.open(core, 'd')]
  await until('both in sync', () => a.settled() && b.settled())
  for (const word of ['one', 'two', 'three']) insert(a, word)
  await until('Umbel has it', () => has(b, 'one', 'two', 'three'))
  await until('stored', async () => await metric(core, 'collab_unstored_bytes') === 0)
  a.close()
  b.close()
  await stock.kill()
  await core.kill()
  await core.start()
  const late = all.open(core, 'd')
  await until('a late reader has it', () => has(late, 'one', 'two', 'three'))
  late.close()
  await all.stop()
})

await run.story('one is killed, the other has it all and goes on: stock first, then Umbel', async () => {
  const all = await cluster()
  const [stock, core] = [await all.stock('stock-a'), await all.umbel('umbel-a')]
  const [a, b] = [all.open(stock, 'd'), all.open(core, 'd')]
  await until('both in sync', () => a.settled() && b.settled())
  insert(a, 'last')
  await until('Umbel has it', () => has(b, 'last'))
  await stock.kill()
  a.close()
  insert(b, 'more')
  await until('acknowledged', () => b.settled())
  await all.stored('d', 'last', 'more')
  await stock.start()
  const again = all.open(stock, 'd')
  await until('stock is back and has it', () => has(again, 'last', 'more'))
  insert(b, 'ours')
  await until('stock has it', () => has(again, 'ours'))
  await core.kill()
  b.close()
  insert(again, 'after')
  await until('acknowledged', () => again.settled())
  await all.stored('d', 'last', 'more', 'ours', 'after')
  await core.start()
  const late = all.open(core, 'd')
  await until('Umbel is back and has it', () => has(late, 'last', 'more', 'ours', 'after'))
  again.close()
  late.close()
  await all.stop()
})

for (const generation of ['4.6', '3.4', '2.15']) {
  await run.story(`stock 4.7 and stock ${generation}, which cannot hear one another, do so through Umbel`, async () => {
    const all = await cluster()
    const servers = [await all.stock('stock-new'), await all.stock('stock-old', generation), await all.umbel('umbel-a')]
    const [fresh, old, here] = servers.map((s, i) => all.open(s, 'd', { name: ['New', 'Old', 'Here'][i] }))
    await until('all in sync', () => [fresh, old, here].every(c => c.settled()))
    insert(fresh, 'from-4.7')
    await until('4.7 is heard by the older one', () => has(old, 'from-4.7'))
    insert(old, 'from-old')
    await until('and it by 4.7', () => has(fresh, 'from-old'))
    insert(here, 'from-umbel')
    await until('all have all', () => [fresh, old, here].every(c => has(c, 'from-4.7', 'from-old', 'from-umbel')))
    await until('all see all', () => [fresh, old, here].every(c => names(c) === 'Here,New,Old'))
    assert.ok(await metric(servers[2], 'collab_stock_bridged_total') > 0)
    const late = [all.open(servers[0], 'd'), all.open(servers[1], 'd')]
    await until('late readers have it all', () => late.every(c => has(c, 'from-4.7', 'from-old', 'from-umbel')))
    for (const c of [fresh, old, here, ...late]) c.close()
    await all.stop()
  })
}

await run.story('random edits on servers of four generations and two cores, all at once, end in one document', async () => {
  const all = await cluster()
  const servers = [await all.stock('stock-4'), await all.stock('stock-46', '4.6'), await all.stock('stock-3', '3.4'),
    await all.stock('stock-2', '2.15'), await all.umbel('umbel-a'), await all.umbel('umbel-b')]
  const clients = servers.map(s => all.open(s, 'd'))
  await until('all in sync', () => clients.every(c => c.settled()))
  let rounds = 0
  const typing = setInterval(() => {
    for (const c of clients) editRandomly(c.doc, run.random)
    if (++rounds === 40) clearInterval(typing)
  }, 10)
  run.atEnd(() => clearInterval(typing))
  await until('all is typed', () => rounds === 40)
  await until('all are equal', () => {
    const found = clients.map(c => difference(clients[0].doc, c.doc)).find(d => d !== null)
    if (found) throw new Error(found)
    return true
  }, 30000)
  for (const c of clients) c.close()
  await all.stop()
})

await run.story('a keystroke is one message, of its own size, and not one more when stock has applied it', async () => {
  const all = await cluster()
  const [stock, core] = [await all.stock('stock-a'), await all.umbel('umbel-a')]
  const [a, b] = [all.open(stock, 'd'), all.open(core, 'd')]
  await until('both in sync', () => a.settled() && b.settled())
  insert(b, 'x'.repeat(10000))
  await until('stock has it', () => text(a).length > 10000)
  const costs = []
  for (const letter of 'abcde') {            /* the cheapest counts: now and then a comparison or a renewal comes between */
    const [messages, bytes] = [await metric(core, 'collab_bus_sent_total'), await metric(core, 'collab_bus_sent_bytes_total')]
    b.doc.getText('text').insert(5, letter)
    await until('stock has it', () => text(a).includes(letter))
    costs.push([await metric(core, 'collab_bus_sent_total') - messages, await metric(core, 'collab_bus_sent_bytes_total') - bytes])
  }
  const [messages, bytes] = costs.sort((x, y) => x[1] - y[1])[0]
  assert.equal(messages, 1)
  assert.ok(bytes > 0 && bytes < 100)
  a.close()
  b.close()
  await all.stop()
})

await run.story('a change is told once, and comes to rest: nobody goes on talking about it', async () => {
  const all = await cluster()
  const servers = [await all.stock('stock-4'), await all.stock('stock-3', '3.4'), await all.stock('stock-2', '2.15'),
    await all.umbel('umbel-a'), await all.umbel('umbel-b')]
  const clients = servers.map(s => all.open(s, 'd'))
  await until('all in sync', () => clients.every(c => c.settled()))
  for (const [i, c] of clients.entries()) insert(c, `w${i}`)
  await until('all have all', () => clients.every(c => has(c, 'w0', 'w1', 'w2', 'w3', 'w4')))
  const published = async () => Number((await all.redis.cli('INFO', 'commandstats')).match(/cmdstat_publish:calls=(\d+)/)[1])
  let last = -1
  await until('the bus is quiet', async () => {
    const quiet = await published() - last
    last += quiet
    return quiet <= 8                        /* what goes on: heartbeats of members and links */
  }, 20000, 1000)
  for (const c of clients) c.close()
  await all.stop()
})

await run.story('lost messages are found by comparing, without anybody typing', async () => {
  const all = await cluster()
  const [stock, core] = [await all.stock('stock-a'), await all.umbel('umbel-a', ['--collab.cluster.compare-interval=1s'])]
  const [a, b] = [all.open(stock, 'd'), all.open(core, 'd')]
  await until('both in sync', () => a.settled() && b.settled())
  insert(a, 'first')
  await until('heard', () => has(b, 'first'))
  const fail = async action => await core.fetch('/core/actuator/failpoints/bus.drop', { method: 'PUT', token: core.token('write', 'admin'), body: action })
  assert.ok((await fail('error')).ok)
  const heard = await metric(core, 'collab_bus_heard_total')
  insert(a, 'lost')
  await until('its message has come and was dropped', async () => await metric(core, 'collab_bus_heard_total') > heard)
  assert.ok(!has(b, 'lost'))
  await fail('off')
  await until('found', () => has(b, 'lost'))
  a.close()
  b.close()
  await all.stop()
})

await run.story('Redis goes away and comes back empty: stock and Umbel agree again without anybody typing', async () => {
  const all = await cluster()
  const [stock, core] = [await all.stock('stock-a'), await all.umbel('umbel-a')]
  const [a, b] = [all.open(stock, 'd'), all.open(core, 'd')]
  await until('both in sync', () => a.settled() && b.settled())
  insert(a, 'before')
  await until('both have it', () => has(b, 'before'))
  await all.redis.kill()
  insert(a, 'stock')
  insert(b, 'umbel')
  await until('acknowledged without Redis', () => a.settled() && b.settled())
  assert.ok(!has(a, 'umbel') && !has(b, 'stock'))
  await all.redis.start()
  await until('they agree, though stock comes back last and asks nobody', () => has(a, 'stock', 'umbel') && has(b, 'stock', 'umbel'), 30000)
  a.close()
  b.close()
  await all.stop()
})

await run.story('a lock that somebody else holds delays a fold, and never an acknowledgement', async () => {
  const all = await cluster()
  const core = await all.umbel('umbel-a', ['--collab.debounce=50ms', '--collab.max-debounce=100ms', '--collab.fold.rows=1', '--redis-lock-timeout=200'])
  const c = all.open(core, 'd')
  await until('in sync', () => c.settled())
  await all.redis.cli('SET', 'hocuspocus:d:lock', 'somebody', 'PX', 60000)
  insert(c, 'while-locked')
  await until('acknowledged', () => c.settled())
  await until('the fold has met the lock', async () => await metric(core, 'collab_stock_locked_total') > 0)
  assert.equal((await readStored(all.pg, 'd')).log.length, 1)
  await all.redis.cli('DEL', 'hocuspocus:d:lock')
  await until('folded', async () => (await readStored(all.pg, 'd')).log.length === 0)
  await until('and the lock is given back', async () => await all.redis.cli('EXISTS', 'hocuspocus:d:lock') === 0)
  await all.redis.cli('SET', 'hocuspocus:d:lock', 'stuck')
  insert(c, 'stuck')
  await until('folded all the same', async () => (await readStored(all.pg, 'd')).log.length === 0 && has({ doc: (await readStored(all.pg, 'd')).doc }, 'stuck'), 40000)
  assert.equal(await all.redis.cli('GET', 'hocuspocus:d:lock'), 'stuck')
  c.close()
  await all.stop()
})

/* A client that goes where it is sent, and keeps what it has not been able to say. */
function openWanderer (all, server, room) {
  const at = { server }
  const c = openClient('provider4', server, room, { token: () => at.server.token('write') })
  return Object.assign(c, {
    words: 0,
    name: `c${c.doc.clientID}`,
    type () { insert(c, `${c.name}-${c.words++}`) },
    move (to) {
      at.server = to
      c.socket.configuration.url = to.collabUrl
      c.cut()
    }
  })
}

await run.story('the rights of docs/admin/redis.md are enough, in a database that is not 0', async () => {
  const all = await cluster()
  const guide = fs.readFileSync(path.join(root, 'docs/admin/redis.md'), 'utf8')
  const rights = [/ACL SETUSER umbel (.*)/, /hocuspocus` add `(.*?)`/].flatMap(re => guide.match(re)[1].split(' '))
  assert.equal(await all.redis.cli('ACL', 'SETUSER', 'umbel', ...rights), 'OK')
  const [stock, core] = [await all.stock('stock-a'), await all.umbel('umbel-a', ['--spring.data.redis.url=' +
    all.redis.url.replace('//', '//umbel:password@') + '/5', '--collab.debounce=50ms', '--collab.max-debounce=100ms'])]
  const [a, b] = [all.open(stock, 'd'), all.open(core, 'd')]
  await until('both in sync', () => a.settled() && b.settled())
  insert(a, 'stock')
  insert(b, 'umbel')
  await until('both have both', () => [a, b].every(c => has(c, 'stock', 'umbel')))
  await all.redis.cli('SET', 'hocuspocus:d:lock', 'somebody', 'PX', 60000)
  insert(b, 'locked')
  await until('the fold has met the lock', async () => await metric(core, 'collab_stock_locked_total') > 0)
  await all.redis.cli('DEL', 'hocuspocus:d:lock')
  await all.stored('d', 'locked')
  assert.equal((await all.redis.cli('ACL', 'LOG')).length, 0)
  a.close()
  b.close()
  await all.stop()
})

await run.story('a migration, one server at a time, while everybody types: two stock, one of each, two Umbel', async () => {
  const all = await cluster()
  const stock = [await all.stock('stock-a'), await all.stock('stock-b')]
  const clients = [0, 1, 0, 1].map(i => openWanderer(all, stock[i], 'd'))
  const typing = setInterval(() => clients.forEach(c => c.type()), 40)
  run.atEnd(() => clearInterval(typing))
  const moved = async (from, to, some) => {
    some.forEach(c => c.move(to))
    await until('they are there', () => some.every(c => c.isOnline() && c.provider.synced), 30000)
    const words = clients.map(c => c.words)
    await until('all hear all', () => clients.every(c => clients.every((w, i) => has(c, `${w.name}-${words[i] - 1}`))), 30000)
    await from.stop()
  }
  await until('all in sync', () => clients.every(c => c.provider.synced))
  const first = await all.umbel('umbel-a')
  await moved(stock[0], first, [clients[0], clients[2]])
  const second = await all.umbel('umbel-b')
  await moved(stock[1], second, [clients[1], clients[3]])
  clearInterval(typing)
  await until('all acknowledged', () => clients.every(c => c.settled()), 30000)
  const words = clients.flatMap(c => Array.from({ length: c.words }, (_, i) => `${c.name}-${i}`))
  await until('all equal', () => clients.every(c => text(c) === text(clients[0])))
  clients.forEach(c => c.close())
  await first.kill()
  await second.kill()
  await first.start()
  const late = all.open(first, 'd')
  await until('a fresh reader is served', () => late.settled())
  assert.deepEqual(words.filter(w => !text(late).split(' ').includes(w)), [])
  late.close()
  await all.stop()
})

await run.finish()
