// generate.mjs --seed TEXT [--docs N] [--from N]: writes N random cases, with what real yjs makes of them, to stdout.
// The same seed gives the same cases. run is how it is started.
import { performance } from 'node:perf_hooks'
import * as Y from 'yjs'
import { Case, Output } from './case.mjs'
import { editReceiver } from './editor.mjs'
import { Random } from './random.mjs'
import { Receiver, undecided } from './receiver.mjs'
import { Session } from './session.mjs'
import { watched } from './undecided.mjs'

const option = (name, otherwise) => {
  const at = process.argv.indexOf('--' + name)
  return at < 0 ? otherwise : process.argv[at + 1]
}
const seed = option('seed', '1')
const first = Number(option('from', 1))
const docs = Number(option('docs', 1000))
const NOTHING = new Uint8Array(0)

// ---- what receivers are fed with --------------------------------------------------------------------------------

// State vectors as nobody makes them: any clocks, unknown clients, clients twice, any order.
const craftedVector = (r, doc) => {
  const entries = []
  for (const client of doc.store.clients.keys()) {
    const state = Y.getState(doc.store, client)
    if (r.chance(80)) entries.push([client, r.int(0, state + (r.chance(10) ? 3 : 0))])
    if (r.chance(5)) entries.push([client, r.int(0, state)])
  }
  if (r.chance(20)) entries.push([r.next(), r.below(10)])
  const c = new Case('', 0)
  c.n = 0
  c.uint(entries.length)
  for (const [client, clock] of r.shuffle(entries)) c.uint(client).uint(clock)
  return Uint8Array.from(c.b.subarray(0, c.n))
}

const groups = (r, list) => {
  const out = []
  for (let at = 0; at < list.length;) out.push(list.slice(at, at += r.int(1, 6)))
  return out
}

const mergedV2 = (c, list) => {
  const [m, undecided] = watched(() => Y.mergeUpdatesV2(list))
  if (undecided) return m
  const inputs = list.map(u => c.blob(u))
  const want = c.blob(m)
  c.command('MERGE_V2').uint(inputs.length)
  for (const i of inputs) c.uint(i)
  c.uint(want)
  return m
}

const merged = (c, list) => {
  const [m, undecided] = watched(() => Y.mergeUpdates(list))
  const inputs = list.map(u => c.blob(u))
  const want = c.blob(m)
  c.command(undecided ? 'MERGE_UNDECIDED' : 'MERGE').uint(inputs.length)
  for (const i of inputs) c.uint(i)
  c.uint(want)
  return m
}

const DELIVERIES = {
  ordered: (r, list) => list,
  nearly: (r, list) => r.shuffle(list, 3),
  anyhow: (r, list) => r.shuffle(list),
  lossy: (r, list) => r.shuffle(r.subset(list, 75), 6),
  late: (r, list) => { const lost = new Set(r.subset(list, 25)); return [...list.filter(u => !lost.has(u)), ...lost] },
  twice: (r, list) => r.shuffle([...list, ...r.subset(list, 40)], 8),
  merged: (r, list, c) => r.shuffle(groups(r, list).map(g => merged(c, g)), 2),
  mixed: (r, list, c) => r.shuffle(groups(r, r.shuffle(list, r.int(0, 10))).map(g => merged(c, r.subset(g, 80).concat(g[0]))).concat(r.subset(list, 30)), r.int(0, 10))
}
const WEIGHTS = [[3, 'ordered'], [2, 'nearly'], [3, 'anyhow'], [2, 'lossy'], [2, 'late'], [1, 'twice'], [2, 'merged'], [2, 'mixed']]

// ---- a case -----------------------------------------------------------------------------------------------------

const feed = (r, c, slot, session) => {
  const receiver = new Receiver(c, slot, r.chance(75))
  const declareAll = () => session.names.forEach(n => receiver.declare(n, session.roots[n]))
  const list = DELIVERIES[r.weighted(WEIGHTS)](r, session.log.map(u => u.v1), c)
  const v2 = r.chance(25) ? r.int(5, 60) : 0
  const typedFrom = r.weighted([[4, 0], [3, list.length], [2, r.below(list.length + 1)]])
  // In a root text that was declared after its marks had come, yjs jumps to remembered places and forgets what is
  // switched on there; no edits of such.
  const texts = session.names.some(n => session.roots[n] === 'Text' || session.roots[n] === 'XmlText')
  const edits = r.chance(35) && (typedFrom === 0 || !texts) ? r.int(10, 90) : 0
  for (const [i, u] of list.entries()) {
    if (i === typedFrom) declareAll()
    if (!receiver.apply(u, r.chance(v2))) return receiver
    if (edits > 0 && i >= typedFrom && r.chance(edits)) editReceiver(r, receiver)
    if (i >= typedFrom && r.chance(6)) {
      const name = r.pick(session.names)
      if (receiver.types[name]._length > 0) receiver.position(name, r.int(0, receiver.types[name]._length), r.pick([0, -1]))
    }
    if (r.chance(5)) receiver.snapshot()
    if (r.chance(v2)) receiver.state(NOTHING, true)
    if (r.chance(25)) receiver.stateVector()
    if (r.chance(40)) receiver.pending()
    if (r.chance(8)) receiver.state(NOTHING)
    if (r.chance(4)) receiver.state(craftedVector(r, receiver.doc))
    if (r.chance(3)) receiver.dump()
  }
  receiver.stateVector()
  receiver.pending()
  receiver.state(NOTHING)
  receiver.state(craftedVector(r, receiver.doc))
  receiver.state(Y.encodeStateVector(r.pick(session.authors).doc))
  if (r.chance(30)) receiver.state(r.chance(50) ? NOTHING : craftedVector(r, receiver.doc), true)
  declareAll()
  if (edits > 0) {
    for (let i = r.below(8); i > 0; i--) editReceiver(r, receiver)
    receiver.state(NOTHING)
  }
  receiver.dump()
  if (r.chance(30)) receiver.read()
  receiver.resolve()
  receiver.enough()
  history(r, receiver)
  return receiver
}

const history = (r, receiver) => {
  if (receiver.snapshots.length === 0) return
  const at = r.pick(receiver.snapshots)
  if (!receiver.isWhole()) return
  receiver.restore(at)
  receiver.deltaAt(at)
  receiver.deltaAt(r.pick(receiver.snapshots), r.pick(receiver.snapshots))
}

// Functions without a document.
const alone = (r, c, session, receiver) => {
  const list = session.log.map(u => u.v1)
  const m = merged(c, r.shuffle(r.subset(list, r.pick([30, 70, 100])).concat(list[0]), r.pick([0, 3, 1000])))
  for (const u of [m, r.pick(list)]) {
    const sv = craftedVector(r, receiver.doc)
    const update = c.blob(u)
    c.command('DIFF').uint(update).bytes(sv).bytes(Y.diffUpdate(u, sv))
    c.command('SV_OF_UPDATE').uint(update).bytes(Y.encodeStateVectorFromUpdate(u))
    const { from, to } = Y.parseUpdateMeta(u)
    c.command('META').uint(update).uint(from.size)
    for (const [client, clock] of from) c.uint(client).uint(clock).uint(to.get(client))
    if (r.chance(30)) aloneV2(r, c, u, sv)
  }
  if (r.chance(15)) mergedV2(c, r.shuffle(list, 3).map(u => Y.convertUpdateFormatV1ToV2(u)))
}

const aloneV2 = (r, c, u, sv) => {
  const v2 = Y.convertUpdateFormatV1ToV2(u)
  const update = c.blob(u)
  const updateV2 = c.blob(v2)
  c.command('V1_TO_V2').uint(update).bytes(v2)
  c.command('V2_TO_V1').uint(updateV2).bytes(Y.convertUpdateFormatV2ToV1(v2))
  c.command('DIFF_V2').uint(updateV2).bytes(sv).bytes(Y.diffUpdateV2(v2, sv))
  c.command('SV_OF_UPDATE_V2').uint(updateV2).bytes(Y.encodeStateVectorFromUpdateV2(v2))
  const { from, to } = Y.parseUpdateMetaV2(v2)
  c.command('META_V2').uint(updateV2).uint(from.size)
  for (const [client, clock] of from) c.uint(client).uint(clock).uint(to.get(client))
}

const makeCase = number => {
  const r = new Random(`${seed}/${number}`)
  const session = new Session(r).run()
  const c = new Case(seed, number)
  if (session.log.length === 0) return c.end()
  alone(r, c, session, feed(r, c, 0, session))
  if (r.chance(20)) feed(r, c, 1, session)
  return c.end()
}

const output = new Output(1)
const start = performance.now()
const refused = new Map()              // what yjs itself threw, how often
for (let number = first; number < first + docs; number++) {
  try {
    output.put(makeCase(number))
  } catch (e) {
    if (process.env.CRDT_DIFF_TRACE !== undefined) console.error(`case ${number}: ${e.stack}`)
    refused.set(e.message, (refused.get(e.message) ?? 0) + 1)
  }
}
output.end()
const cpu = process.cpuUsage()
console.error(`seed ${seed}: ${docs} documents from number ${first}, with yjs in ${((performance.now() - start) / 1000).toFixed(1)} s, ${((cpu.user + cpu.system) / 1e6).toFixed(1)} s of CPU`)
if (undecided > 0) console.error(`  ${undecided} given up: undecided in yjs`)
for (const [message, n] of refused) console.error(`  yjs threw ${n} times: ${message}`)
