/* The library for others: built without sanitizers, installed, and used from outside with nothing but pkg-config. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { openRun, buildDir, root } from '../harness/run.mjs'

const run = openRun('integration.crdt-package')
const tree = path.join(buildDir(), 'plain')
const prefix = path.join(run.dir, 'prefix')
const sh = (program, args, env = {}) => execFileSync(program, args, { encoding: 'utf8', env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
const words = text => text.trim().split(/\s+/)
let lib, env

await run.story('one component installs library, headers, pkg-config file and command', async () => {
  sh('cmake', ['-G', 'Ninja', '-S', root, '-B', tree, '-DCMAKE_BUILD_TYPE=Release', '-DCMAKE_INSTALL_LIBDIR=lib'])
  sh('ninja', ['-C', tree, 'umbel_crdt', 'umbel-crdt'])
  sh('cmake', ['--install', tree, '--component', 'umbel-crdt', '--prefix', prefix])
  lib = path.join(prefix, 'lib/libumbel-crdt.so')
  env = { PKG_CONFIG_PATH: path.join(prefix, 'lib/pkgconfig'), LD_LIBRARY_PATH: path.join(prefix, 'lib') }
  for (const name of ['lib/libumbel-crdt.so.1', 'lib/pkgconfig/umbel-crdt.pc', 'include/umbel/crdt.h', 'include/umbel/err.h', 'bin/umbel-crdt']) {
    assert.ok(fs.existsSync(path.join(prefix, name)), name)
  }
  assert.match(sh('readelf', ['-d', lib]), /SONAME.*\[libumbel-crdt\.so\.1\]/)
  const version = /VERSION ([\d.]+)/.exec(fs.readFileSync(path.join(root, 'CMakeLists.txt'), 'utf8').split('project(')[1])[1]
  assert.equal(sh('pkg-config', ['--modversion', 'umbel-crdt'], env).trim(), version)
})

await run.story('it shows the functions of its headers and nothing else', async () => {
  const shown = sh('nm', ['-D', '--defined-only', lib]).trim().split('\n').map(line => words(line).at(-1))
  const strange = shown.filter(name => !/^(um_crdt_|um_buf_|um_bytes_)/.test(name) && !['um_err_text', 'um_span_eq'].includes(name))
  assert.deepEqual(strange, [])
  const headers = path.join(prefix, 'include/umbel')
  for (const file of fs.readdirSync(headers).filter(name => name.startsWith('crdt'))) {
    const text = fs.readFileSync(path.join(headers, file), 'utf8').replace(/\/\*[^]*?\*\//g, '')
    for (const [, name] of text.matchAll(/\b(um_crdt_\w+)\s*\(/g)) {
      if (!/(_cb|_fn|_observer)$/.test(name)) assert.ok(shown.includes(name), `${file} declares ${name}, the library does not have it`)
    }
  }
})

await run.story('the reference names every function of the headers', async () => {
  const page = fs.readFileSync(path.join(root, 'docs/crdt-reference.md'), 'utf8')
  const headers = path.join(prefix, 'include/umbel')
  const missing = fs.readdirSync(headers).filter(name => name.startsWith('crdt')).flatMap(file => {
    const text = fs.readFileSync(path.join(headers, file), 'utf8').replace(/\/\*[^]*?\*\//g, '')
    return [`umbel/${file}`, ...[...text.matchAll(/\b(um_crdt_\w+)\s*\(/g)].map(m => m[1]).filter(name => !name.endsWith('_cb'))]
  }).filter(name => !page.includes(`\`${name}\``))
  assert.deepEqual(missing, [])
})

await run.story('it has no writable data', async () => {
  const written = sh('nm', [lib]).split('\n').map(words).filter(([, kind]) => /^[dDbBC]$/.test(kind))
    .map(([, , name]) => name).filter(name => !/^(_DYNAMIC|_GLOBAL_OFFSET_TABLE_|__dso_handle|completed\.\d+|__TMC_END__|__do_global_dtors_aux_fini_array_entry|__frame_dummy_init_array_entry)$/.test(name))
  // tables with addresses in them are written by the loader and read-only from then on (.data.rel.ro)
  const relro = new Set(sh('readelf', ['-sW', lib]).split('\n').map(words).filter(w => w[3] === 'OBJECT').map(w => [w[7], w[6]])
    .filter(([, section]) => sections().get(section) === '.data.rel.ro').map(([name]) => name))
  assert.deepEqual(written.filter(name => !relro.has(name)), [])
})

function sections () {
  const rows = sh('readelf', ['-SW', lib]).matchAll(/\[\s*(\d+)\]\s+(\S+)/g)
  return new Map([...rows].map(([, number, name]) => [number, name]))
}

await run.story('the example compiles and runs against the installed tree', async () => {
  const flags = words(sh('pkg-config', ['--cflags', '--libs', 'umbel-crdt'], env))
  for (const file of fs.readdirSync(path.join(root, 'docs/examples')).filter(name => /^crdt-.*\.c$/.test(name))) {
    const program = path.join(run.dir, file.replace(/\.c$/, ''))
    sh('cc', [path.join(root, 'docs/examples', file), '-o', program, '-Wall', '-Wextra', '-Werror', ...flags])
    const said = sh(program, [], env)
    const want = /\/\* prints: (.*?) \*\//.exec(fs.readFileSync(path.join(root, 'docs/examples', file), 'utf8'))
    assert.ok(want, `${file} says what it prints`)
    assert.equal(said.trim(), want[1])
  }
})

await run.finish()
