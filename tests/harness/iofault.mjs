/* Files that go wrong on command, for a server that is started with ENVIRONMENT: see iofault.c for the orders. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import { buildDir } from './run.mjs'

export class FileFaults {
  /* FOLDER: one that the server's user may read; the library is copied there, for the build folder may be private. */
  constructor (folder) {
    this.library = path.join(folder, 'iofault.so')
    this.control = path.join(folder, 'faults')
    fs.copyFileSync(path.join(buildDir(), 'tests/iofault.so'), this.library)
    fs.chmodSync(this.library, 0o755)
    fs.writeFileSync(this.control, '')
  }

  /* PROGRAM's sanitizer, if it has one, insists on being the first. */
  environmentOf (program) {
    const needs = spawnSync('ldd', [program], { encoding: 'utf8' }).stdout
    const sanitizer = needs.match(/=> (\S*lib[at]san\S*)/)?.[1]
    return { LD_PRELOAD: [sanitizer, this.library].filter(Boolean).join(':'), IOFAULT_CTL: this.control }
  }

  /* From now on, for all files whose path begins with PREFIX. */
  order (text, prefix) {
    fs.writeFileSync(this.control + '.new', `${prefix} ${text}\n`)
    fs.renameSync(this.control + '.new', this.control)
  }
}
