/* Machines of a test's own: network namespaces on one switch, so that a cable can be pulled. Nothing of it touches the network
 * of the machine, and it needs no root where users may have namespaces of their own.
 *
 *   await inNamespaces();                        // at the very top: runs this program again inside; may end it as skipped,
 *   const there = await inNamespaces({ orElse: 'without cuts' });      // or says that it goes on without them
 *   const net = await openNetwork(run, ['core', 'redis']);
 *   net.host('core').address                     // 192.0.2.2
 *   net.host('core').inside                      // what goes before a command line to run it there
 *   net.here                                     // the same of ours: 192.0.2.1, which the others reach
 *   await net.cut('core', 'redis');              // no packet passes between these two, and nobody is told
 *   await net.isolate('core');                   // nor between it and anybody
 *   await net.heal();
 */
import { spawn, spawnSync } from 'node:child_process'
import path from 'node:path'
import { Child } from './process.mjs'
import { until } from './run.mjs'

const skipped = 77                        /* CTest's SKIP_RETURN_CODE */
const nowhere = '02:00:00:00:00:ff'       /* nobody's hardware address: what is sent there is dropped without a word */

/* As root the users stay what they are: PostgreSQL needs its own. */
const unshare = process.getuid() === 0 ? ['unshare', '--net'] : ['unshare', '--user', '--map-current-user', '--keep-caps', '--net']

export async function inNamespaces ({ orElse } = {}) {
  if (process.env.UMBEL_IN_NAMESPACE) return true
  const trial = spawnSync(unshare[0], [...unshare.slice(1), 'sh', '-c', 'ip link add um0 type veth peer name um1 && unshare --net true'], { encoding: 'utf8' })
  if (trial.status !== 0) {
    console.log(`${orElse ?? 'SKIPPED'}: no network namespaces here: ${trial.error?.message ?? trial.stderr.trim()}`)
    if (orElse) return false
    process.exit(skipped)
  }
  const child = spawn(unshare[0], [...unshare.slice(1), 'setpriv', '--pdeathsig', 'KILL', '--', process.execPath, ...process.execArgv, ...process.argv.slice(1)],
    { stdio: 'inherit', env: { ...process.env, UMBEL_IN_NAMESPACE: '1' } })
  for (const name of ['SIGTERM', 'SIGINT']) process.on(name, () => child.kill(name))
  const code = await new Promise(resolve => child.on('exit', (code, signal) => resolve(signal ? 1 : code)))
  process.exit(code)
}

function ip (...args) {
  const done = spawnSync('ip', args, { encoding: 'utf8' })
  if (done.status !== 0) throw new Error(`ip ${args.join(' ')}: ${done.error?.message ?? done.stderr}`)
}

export async function openNetwork (run, names) {
  const network = new Network(run)
  await network.open(names)
  return network
}

/* Lives as long as the process that holds its namespace. */
class Host {
  constructor (run, name, number) {
    this.name = name
    this.address = `192.0.2.${number}`
    this.port = `sw${number}`             /* its end at the switch */
    this.cable = `um${number}`
    this.holder = new Child(run, `host ${name}`, 'unshare', ['--net', 'setpriv', '--pdeathsig', 'KILL', '--', 'sleep', 'infinity'], { log: path.join(run.folder(name), 'host.log') })
  }

  get inside () {
    return ['nsenter', `--net=/proc/${this.holder.pid}/ns/net`, '--']
  }

  run (...argv) {
    const [command, ...args] = [...this.inside, ...argv]
    const done = spawnSync(command, args, { encoding: 'utf8' })
    if (done.status !== 0) throw new Error(`${argv.join(' ')} on ${this.name}: ${done.error?.message ?? done.stderr}`)
  }

  plugIn () {
    ip('link', 'add', this.port, 'type', 'veth', 'peer', 'name', this.cable)
    ip('link', 'set', this.cable, 'netns', String(this.holder.pid))
    ip('link', 'set', this.port, 'master', 'switch', 'up')
    this.run('ip', 'address', 'add', `${this.address}/24`, 'dev', this.cable)
    this.run('ip', 'link', 'set', this.cable, 'up')
    this.run('ip', 'link', 'set', 'lo', 'up')
  }

  /* Sends what is for ADDRESS to nobody. */
  lose (address) {
    this.run('ip', 'neighbour', 'replace', address, 'lladdr', nowhere, 'dev', this.cable, 'nud', 'permanent')
  }

  find (address) {
    spawnSync(this.inside[0], [...this.inside.slice(1), 'ip', 'neighbour', 'delete', address, 'dev', this.cable])
  }
}

const namespaceOf = pid => spawnSync('readlink', [`/proc/${pid}/ns/net`], { encoding: 'utf8' }).stdout

class Network {
  constructor (run) {
    this.run = run
    this.here = { address: '192.0.2.1', inside: [] }
    this.hosts = new Map()
    this.lost = []
  }

  async open (names) {
    ip('link', 'set', 'lo', 'up')
    ip('link', 'add', 'switch', 'type', 'bridge')
    ip('address', 'add', `${this.here.address}/24`, 'dev', 'switch')
    ip('link', 'set', 'switch', 'up')
    for (const [i, name] of names.entries()) {
      const host = new Host(this.run, name, i + 2)
      this.hosts.set(name, host)
      await until(`${name} has a namespace`, () => { host.holder.assertAlive(); return namespaceOf(host.holder.pid) !== namespaceOf(process.pid) })
      host.plugIn()
    }
  }

  host (name) {
    return this.hosts.get(name)
  }

  cut (one, other) {
    for (const [a, b] of [[this.host(one), this.host(other)], [this.host(other), this.host(one)]]) {
      a.lose(b.address)
      this.lost.push([a, b])
    }
  }

  isolate (name) {
    ip('link', 'set', this.host(name).port, 'nomaster')
  }

  heal () {
    for (const [a, b] of this.lost.splice(0)) a.find(b.address)
    for (const host of this.hosts.values()) ip('link', 'set', host.port, 'master', 'switch')
  }
}
