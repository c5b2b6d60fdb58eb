/* umbel-crdt from outside: its answers beside the vectors', hostile files, the ways in which files fail. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { openRun, buildDir, root } from '../harness/run.mjs'

const run = openRun('integration.crdt-command')
const program = path.join(buildDir(), 'bin/umbel-crdt')
const folder = process.env.UMBEL_VECTORS ?? path.join(root, 'tests/vectors/yjs')
const vectors = fs.readdirSync(folder).filter(name => name.endsWith('.json') && name !== 'index.json')
  .map(name => ({ name, ...JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')) }))
const documents = vectors.filter(v => v.updates_v1 && v.untyped && v.merge)
const decoded = documents.filter(v => v.merge.decoded)       // the larger ones are not decoded

const start = (args, input, options = {}) =>
  spawnSync(program, args, { input, maxBuffer: 1 << 28, timeout: 60000, ...options })
function ok (args, input) {
  const r = start(args, input)
  assert.equal(r.status, 0, `${args.join(' ')}: ${r.stderr}`)
  return r.stdout
}
const file = (name, bytes) => {
  const at = path.join(run.dir, name)
  fs.writeFileSync(at, bytes)
  return at
}
const base64 = text => Buffer.from(text, 'base64')
const uint = n => {
  const out = []
  for (; n >= 128; n = Math.floor(n / 128)) out.push(n % 128 + 128)
  return Buffer.from([...out, n])
}
const sequence = updates => Buffer.concat(updates.flatMap(u => [uint(base64(u).length), base64(u)]))

await run.story('inspect --json shows the structs that yjs decodes', async () => {
  for (const v of decoded) {
    const got = JSON.parse(ok(['inspect', '--json', '-'], base64(v.merge.v1)))
    assert.deepEqual(got, v.merge.decoded, v.name)
  }
  assert.ok(decoded.length > 20)
})

await run.story('inspect prints a line for each struct and each deleted range', async () => {
  for (const v of decoded.slice(0, 20)) {
    const lines = ok(['inspect', '--base64', '-'], v.merge.v1).toString().trim().split('\n')
    const ranges = Object.values(v.merge.decoded.ds).flat().length
    assert.equal(lines.length, v.merge.decoded.structs.length + ranges, v.name)
  }
})

await run.story('merge, sv and diff print the bytes of yjs', async () => {
  for (const v of documents) {
    const seq = file('updates.seq', sequence(v.updates_v1))
    assert.equal(ok(['merge', '--seq', seq]).toString('base64'), v.merge.v1, v.name)
    assert.equal(ok(['sv', '--seq', seq]).toString('base64'), v.merge.sv_v1, v.name)
    for (const d of v.diffs ?? []) {
      const want = d.update_v1 === '=doc' ? d.doc_v1 : d.update_v1
      const got = ok(['diff', '--sv', file('have', base64(v.merge.v1)), file('sv', base64(d.sv))]).toString('base64')
      assert.equal(got, want, v.name)
    }
  }
})

await run.story('convert, and every command with --v2, agree with yjs', async () => {
  for (const v of documents) {
    const v1 = file('v1', base64(v.merge.v1))
    assert.equal(ok(['convert', v1]).toString('base64'), v.merge.v1_to_v2, v.name)
    const v2 = file('v2', base64(v.merge.v1_to_v2))
    assert.equal(ok(['verify', '--v2', v2]).toString().includes(': ok, '), true)
    assert.equal(ok(['sv', '--v2', v2]).toString('base64'), v.merge.sv_v1, v.name)
    assert.equal(ok(['merge', '--v2', v2]).toString('base64'), v.merge.v1_to_v2, v.name)
    assert.deepEqual(JSON.parse(ok(['json', '--tagged', v1])), JSON.parse(ok(['json', '--tagged', '--v2', v2])), v.name)
    ok(['convert', '--v2', v2])
  }
  assert.equal(start(['merge', '--v2', '-'], Buffer.from([9])).status, 1)
})

await run.story('json, text and delta read what yjs reads', async () => {
  for (const v of documents) {
    const seq = file('updates.seq', sequence(v.updates_v1))
    for (const [name, kind] of Object.entries(v.roots)) {
      const option = { Text: 'text', Array: 'array', Map: 'map', XmlFragment: 'xml', XmlElement: 'xmlelement', XmlText: 'xmltext' }[kind]
      if (!(name in v.json) || name.includes('=')) continue
      const read = start(['json', '--tagged', '--seq', '--root', `${name}=${option}`, seq])
      if (read.status === 1 && /no root/.test(read.stderr)) continue          // declared by the vector, never used
      assert.deepEqual(JSON.parse(read.stdout), { [name]: v.json[name] }, v.name)
      if (kind === 'Text') {
        assert.equal(ok(['text', '--seq', '--root', name, seq]).toString(), v.string[name] + '\n', v.name)
        const nested = JSON.stringify(v.content[name].delta).includes('"$":"type"')      // the vector dumps it, we print its JSON
        if (!nested) assert.deepEqual(JSON.parse(ok(['delta', '--tagged', '--seq', '--root', name, seq])), v.content[name].delta, v.name)
      }
      if (kind === 'XmlFragment') assert.equal(ok(['xml', '--seq', '--root', name, seq]).toString(), v.string[name] + '\n', v.name)
    }
  }
})

await run.story('stats counts what inspect lists, and what waits', async () => {
  const v = decoded.find(v => v.name === 'gc-and-skip') ?? decoded[0]
  for (const d of [v, ...decoded.slice(0, 10)]) {
    const got = JSON.parse(ok(['stats', '--json', '--base64', '-'], d.merge.v1))
    assert.equal(got.structs, d.merge.decoded.structs.length)
    assert.equal(got.clients, new Set(d.merge.decoded.structs.map(s => s.id[0])).size)
    assert.equal(got.deletedUnits, Object.values(d.merge.decoded.ds).flat().reduce((n, [, len]) => n + len, 0))
    assert.equal(got.pending.structs > 0, Boolean(d.untyped.pending))
  }
  assert.match(ok(['stats', '--base64', '-'], v.merge.v1).toString(), /^bytes +\d+\nclients/)
})

await run.story('the codings and several files mean the same', async () => {
  const v = documents.find(v => v.updates_v1.length > 2)
  const raw = v.updates_v1.map((u, i) => file(`u${i}`, base64(u)))
  const hex = v.updates_v1.map((u, i) => file(`h${i}`, base64(u).toString('hex').replace(/(.{40})/g, '$1\n')))
  const b64 = v.updates_v1.map((u, i) => file(`b${i}`, u + '\n'))
  assert.equal(ok(['merge', ...raw]).toString('base64'), v.merge.v1)
  assert.equal(ok(['merge', '--hex', ...hex]).toString(), base64(v.merge.v1).toString('hex') + '\n')
  assert.equal(ok(['merge', '--base64', ...b64]).toString(), v.merge.v1 + '\n')
  const to = path.join(run.dir, 'merged')
  assert.equal(ok(['merge', '-o', to, ...raw]).length, 0)
  assert.equal(fs.readFileSync(to).toString('base64'), v.merge.v1)
})

await run.story('hostile files are refused with status 1, never with a crash, and verify says where', async () => {
  const v = documents.find(v => v.merge.v1.length > 400)
  const bytes = base64(v.merge.v1)
  for (let i = 0; i < 60; i++) {
    const bad = Buffer.from(bytes.subarray(0, run.random.between(1, bytes.length)))
    bad[run.random.below(bad.length)] ^= 1 << run.random.below(8)
    const at = file('bad', bad)
    const verdict = start(['verify', at])
    assert.ok([0, 1].includes(verdict.status), `verify: ${verdict.status} ${verdict.signal} ${verdict.stderr}`)
    if (verdict.status === 1) assert.match(verdict.stdout.toString(), /refused at byte \d+: .+: .+/)
    for (const command of ['inspect', 'stats', 'merge', 'sv', 'json']) {
      const r = start([command, at])
      assert.ok([0, 1].includes(r.status), `${command}: ${r.status} ${r.signal} ${r.stderr}`)
      if (r.status === 1) assert.equal(r.stdout.length, 0, 'nothing is printed when the data is refused')
    }
  }
  assert.equal(start(['merge', '--base64', '-'], '!!').status, 1)
  assert.equal(start(['merge', '--hex', '-'], '0').status, 1)
  assert.equal(start(['merge', '--seq', '-'], Buffer.from([200, 1, 0])).status, 1)
})

await run.story('verify says which update of a sequence is wrong', async () => {
  const r = start(['verify', '--json', '--seq', '-'], Buffer.from([2, 0, 0, 3, 1, 1, 5]))
  assert.equal(r.status, 1)
  const [good, bad] = r.stdout.toString().trim().split('\n').map(line => JSON.parse(line))
  assert.deepEqual([good.ok, bad.ok, bad.update], [true, false, 2])
})

await run.story('files that fail end in status 2 with a line that names them', async () => {
  const good = file('good', Buffer.from([0, 0]))
  for (const [args, words] of [
    [['merge', path.join(run.dir, 'absent')], /absent: No such file/],
    [['merge', run.dir], /Is a directory/],
    [['merge', '-o', path.join(run.dir, 'no/where'), good], /where: No such file/],
    [['merge', '-o', '/dev/full', good], /\/dev\/full/],
    [['merge', '-', '-'], /once/],
    [['merge'], /usage/], [['merge', '--nonsense', good], /no option --nonsense/], [['nonsense'], /no command/],
    [['merge', '-o'], /-o needs FILE/], [['diff', good], /usage/], [[], /usage/]
  ]) {
    const r = start(args, '')
    assert.equal(r.status, 2, args.join(' '))
    assert.match(r.stderr.toString(), words)
  }
})

await run.story('a closed standard output is an error, not silence', async () => {
  const good = file('good', Buffer.from([0, 0]))
  for (const args of [`merge ${good}`, '--help', '--version', 'merge --help']) {
    const r = spawnSync('sh', ['-c', `"$0" ${args} >&-`, program])
    assert.equal(r.status, 2, `${args}: ${r.stderr}`)
  }
})

await run.story('what is not there is status 1: roots are listed', async () => {
  const v = documents.find(v => Object.keys(v.roots).length > 1)
  const r = start(['text', '--base64', '--root', 'nobody', '-'], v.untyped.state_v1)
  assert.equal(r.status, 1)
  assert.match(r.stderr.toString(), /no root "nobody"; there are:/)
})

await run.story('every command has help', async () => {
  const names = ok(['--help']).toString().match(/^ {2}\w+/gm).map(s => s.trim())
  assert.ok(names.length >= 10)
  for (const name of names) assert.match(ok([name, '--help']).toString(), new RegExp(`^usage: umbel-crdt ${name} `))
})

await run.finish()
