/* A balancer before two gateways, as users install it: HAProxy with conf/haproxy/haproxy.cfg, or nginx with
 * conf/nginx/umbel.conf. On loopback, free ports; it ends with the test.
 *
 *   const balancer = await startBalancer(run, 'haproxy', { gateways, cores });   // or 'nginx'; what has an origin
 *   balancer.origin  balancer.port
 *   await balancer.kill(); await balancer.start();                              // the same port
 *   await balancer.servers('gateways')          // HAProxy's view: { 'gateway-1': 'UP', 'gateway-2': 'DOWN' } */
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { Child } from './process.mjs'
import { freePorts } from './redis-server.mjs'
import { root, until } from './run.mjs'

export async function startBalancer (run, kind, parts) {
  const balancer = new { haproxy: HAProxy, nginx: Nginx }[kind](run, kind, parts)
  await balancer.start()
  return balancer
}

const address = server => new URL(server.origin).host

class Balancer {
  constructor (run, label, { gateways, cores = [] }) {
    assert.ok(gateways.length <= 2 && cores.length <= 2, 'the samples are made for two')
    this.run = run
    this.label = label
    this.gateways = gateways
    this.cores = cores
    this.dir = run.folder(label)
    this.ports = null                    /* ours; others where nobody is */
  }

  get port () {
    return this.ports[0]
  }

  get origin () {
    return `http://127.0.0.1:${this.port}`
  }

  async start () {
    this.ports ??= await freePorts(7)
    const { command, args, env } = this.commandLine()
    this.child = new Child(this.run, this.label, 'setpriv', ['--pdeathsig', 'KILL', '--', command, ...args],
      { cwd: this.dir, env, log: path.join(this.dir, `${this.label}.log`) })
    await until(`${this.label} leads to a gateway`, async () => {
      this.child.assertAlive()
      return (await fetch(`${this.origin}/gui/actuator/status`, { signal: AbortSignal.timeout(2000) })).ok
    })
  }

  async kill () {
    await this.child.end('SIGKILL')
  }

  async stop () {
    await this.child.end('SIGTERM')
  }

  freeze () {
    this.child.signal('SIGSTOP')
  }

  thaw () {
    this.child.signal('SIGCONT')
  }

  /* The addresses of two servers; one that does not exist is where nobody listens. */
  two (servers, firstFree) {
    return [0, 1].map(i => servers[i] ? address(servers[i]) : `127.0.0.1:${this.ports[firstFree + i]}`)
  }
}

class HAProxy extends Balancer {
  commandLine () {
    const [gateway1, gateway2] = this.two(this.gateways, 3)
    const [core1, core2] = this.two(this.cores, 5)
    return {
      command: 'haproxy',
      args: ['-db', '-f', path.join(root, 'conf/haproxy/haproxy.cfg')],
      env: {
        UMBEL_BIND: `127.0.0.1:${this.ports[0]}`, UMBEL_CORES_BIND: `127.0.0.1:${this.ports[1]}`, UMBEL_STATS_BIND: `127.0.0.1:${this.ports[2]}`,
        UMBEL_GATEWAY_1: gateway1, UMBEL_GATEWAY_2: gateway2, UMBEL_CORE_1: core1, UMBEL_CORE_2: core2
      }
    }
  }

  async servers (backend) {
    const csv = await (await fetch(`http://127.0.0.1:${this.ports[2]}/;csv`, { signal: AbortSignal.timeout(5000) })).text()
    const rows = csv.split('\n').map(line => line.split(',')).filter(row => row[0] === backend && row[1] !== 'BACKEND' && row[1] !== 'FRONTEND')
    return Object.fromEntries(rows.map(row => [row[1], row[17]]))
  }
}

class Nginx extends Balancer {
  commandLine () {
    const [gateway1, gateway2] = this.two(this.gateways, 3)
    const site = fs.readFileSync(path.join(root, 'conf/nginx/umbel.conf'), 'utf8')
      .replace('server 127.0.0.1:8080 ', `server ${gateway1} `).replace('server 127.0.0.1:8090 ', `server ${gateway2} `)
      .replace('listen 80;', `listen 127.0.0.1:${this.ports[0]};`)
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(kind => `${kind}_temp_path ${this.dir}/${kind};`).join(' ')
    const file = path.join(this.dir, 'nginx.conf')
    fs.writeFileSync(file, `daemon off; master_process off; pid ${this.dir}/pid; error_log stderr;\nevents {}\n` +
      `http { access_log off; ${temporary}\n${site}\n}\n`)
    return { command: '/usr/sbin/nginx', args: ['-c', file, '-e', 'stderr'], env: {} }
  }
}
