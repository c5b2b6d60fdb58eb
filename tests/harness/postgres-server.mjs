/* A PostgreSQL server of a test's own: a new folder under the system's temporary one, a unix socket in it, no port of the
 * machine (unless { listen: address } is asked for). It ends with the test; when the test is killed, the kernel ends it.
 *
 *   const pg = await startPostgres(run);                    // with an empty database "umbel"
 *   pg.url                                                  // for store.url
 *   await pg.sql('SELECT name FROM documents WHERE id = $1', [7])      // rows; bytes come as Buffer, bigint as text
 *   await pg.kill();  await pg.stop('immediate');  await pg.start();   // the same folder, the same address
 *   pg.freeze();  pg.thaw();                                // all its processes stand still, and go on
 *   pg.fault('enospc', 'tables')                            // with { faults: true }: see iofault.c
 *
 * PostgreSQL refuses to run as root: then it runs as the user that its package has made. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import pgClient from 'pg'
import { FileFaults } from './iofault.mjs'
import { Child } from './process.mjs'
import { until } from './run.mjs'

const owner = 'postgres'                 /* whose processes they are when we are root */
const port = 5432                        /* a part of the socket's name, nothing else */
const stopSignals = { smart: 'SIGTERM', fast: 'SIGINT', immediate: 'SIGQUIT' }

export async function startPostgres (run, options = {}) {
  const pg = new Postgres(run, options)
  await pg.start()
  if (pg.starts === 1) await pg.sql('CREATE DATABASE umbel', [], 'postgres')
  return pg
}

/* Newest release that is installed. */
function program (name) {
  const base = '/usr/lib/postgresql'
  const releases = fs.existsSync(base) ? fs.readdirSync(base).filter(v => fs.existsSync(`${base}/${v}/bin/${name}`)) : []
  if (releases.length === 0) throw new Error(`no ${name} in ${base}: install the package postgresql`)
  return `${base}/${releases.sort((a, b) => Number(b) - Number(a))[0]}/bin/${name}`
}

/* The command line that runs ARGV as PostgreSQL's user and ends it when this process ends. */
function unprivileged (argv) {
  const user = process.getuid() === 0 ? ['--reuid', owner, '--regid', owner, '--init-groups'] : []
  return ['setpriv', ...user, '--pdeathsig', 'QUIT', '--', ...argv]
}

const isThere = pid => fs.existsSync(`/proc/${pid}`) && !/^State:\s+Z/m.test(readStatus(pid))

function readStatus (pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return 'State:\tZ'
  }
}

class Postgres {
  /* settings: server parameters; faults: with the means of iofault.c; segmentMegabytes: size of a file of the log. */
  constructor (run, { settings = {}, faults = false, segmentMegabytes = 16, listen = '' }) {
    this.run = run
    this.listen = listen
    this.settings = settings
    this.starts = 0
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'umbel-pg-'))
    run.atEnd(() => fs.rmSync(this.dir, { recursive: true, force: true }))
    fs.chmodSync(this.dir, 0o755)
    this.data = path.join(this.dir, 'data')
    this.log = path.join(run.folder('postgres'), 'server.log')
    this.faults = faults ? new FileFaults(this.dir) : null
    if (process.getuid() === 0) {
      const id = flag => Number(spawnSync('id', [flag, owner], { encoding: 'utf8' }).stdout)
      fs.chownSync(this.dir, id('-u'), id('-g'))
    }
    this.initialize(segmentMegabytes)
  }

  initialize (segmentMegabytes) {
    const [command, ...args] = unprivileged([program('initdb'), '-D', this.data, '-A', 'trust', '-U', 'umbel', '-E', 'UTF8',
      '--locale=C.UTF-8', '--no-sync', '--no-instructions', `--wal-segsize=${segmentMegabytes}`])
    const done = spawnSync(command, args, { encoding: 'utf8', cwd: this.dir })
    if (done.status !== 0) throw new Error(`initdb: ${done.error ?? done.stderr}`)
    if (this.listen) fs.appendFileSync(path.join(this.data, 'pg_hba.conf'), 'host all all samenet trust\n')
  }

  /* ORDER ("off", "enospc", "eio", "slow 500", ...) for the files of PART: "wal", "tables" or "data" (both). */
  fault (order, part = 'data') {
    this.faults.order(order, path.join(this.data, { wal: 'pg_wal', tables: 'base', data: '' }[part]))
  }

  get url () {
    return this.urlOf('umbel')
  }

  urlOf (database) {
    if (this.listen) return `postgresql://umbel@${this.listen}:${port}/${database}`
    return `postgresql:///${database}?host=${this.dir}&port=${port}&user=umbel`
  }

  /* The same for node-postgres. */
  get connection () {
    return { host: this.dir, port, user: 'umbel', database: 'umbel' }
  }

  get pid () {
    return this.child.pid
  }

  /* The command line, for those who want to start it and not to wait. */
  launch () {
    const settings = Object.entries({ max_connections: 100, deadlock_timeout: '200ms', ...this.settings })
    const postgres = program('postgres')
    const [command, ...args] = unprivileged([postgres, '-D', this.data, '-k', this.dir, '-p', String(port), '-h', this.listen,
      ...settings.flatMap(([key, value]) => ['-c', `${key}=${value}`])])
    this.child = new Child(this.run, 'postgres', command, args, { cwd: this.dir, log: this.log, env: this.faults?.environmentOf(postgres) })
    this.run.atEnd(() => this.stop('immediate'))
    this.starts++
  }

  async start () {
    this.launch()
    await until('PostgreSQL answers', async () => {
      this.child.assertAlive()
      return await this.sql('SELECT 1', [], 'postgres')
    }, 30000)
  }

  /* mode: "smart" waits for those who are connected, "fast" ends them, "immediate" leaves the work to the next start. */
  async stop (mode = 'fast') {
    if (this.child.exit !== null) return
    const family = this.processes()
    this.child.signal(stopSignals[mode])
    this.signalAll(family, 'SIGCONT')
    await this.gone(family)
  }

  /* kill -9 of the first process; the others notice it and end. */
  async kill () {
    const family = this.processes()
    this.child.signal('SIGKILL')
    await this.gone(family)
  }

  async gone (family) {
    await this.child.gone
    await until('all processes of PostgreSQL have ended', () => !family.some(isThere), 30000)
  }

  /* The first process and its children. */
  processes () {
    const children = fs.readdirSync('/proc').filter(name => /^\d+$/.test(name) && readStatus(name).includes(`PPid:\t${this.pid}\n`))
    return [this.pid, ...children.map(Number)]
  }

  signalAll (family, name) {
    for (const pid of family) {
      try {
        process.kill(pid, name)
      } catch (err) {
        if (err.code !== 'ESRCH') throw err
      }
    }
  }

  /* The first process goes first: it makes no more children. */
  freeze () {
    this.signalAll([this.pid], 'SIGSTOP')
    this.signalAll(this.processes(), 'SIGSTOP')
  }

  thaw () {
    this.signalAll(this.processes(), 'SIGCONT')
  }

  async connect (database = 'umbel') {
    const client = new pgClient.Client({ ...this.connection, database, connectionTimeoutMillis: 10000 })
    client.on('error', () => {})             /* a server that goes away is said by the next question */
    await client.connect()
    return client
  }

  async sql (text, args = [], database = 'umbel') {
    const client = await this.connect(database)
    try {
      return (await client.query(text, args)).rows
    } finally {
      await client.end().catch(() => {})
    }
  }
}
