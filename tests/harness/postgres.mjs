/* Databases on the PostgreSQL server that with_postgres has started for this test: UMBEL_STORE_URL names one of them. */
import { spawnSync } from 'node:child_process'
import fs from 'node:fs'

const base = process.env.UMBEL_STORE_URL
let made = 0

export const onPostgres = base !== undefined

/* Rows as text, columns with | between them. */
export function ask (url, sql) {
  const { status, stdout, stderr } = spawnSync('psql', [url, '-qAtX', '-v', 'ON_ERROR_STOP=1', '-c', sql], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`psql: ${sql}: ${stderr}`)
  return stdout.trim()
}

const nameIn = url => new URL(url.replace('postgresql://', 'http://nowhere')).pathname.slice(1)

/* An empty database, or one with what another one holds, whose sessions are ended. */
export function newDatabase (copied = null) {
  const name = `t${process.pid}_${++made}`
  if (copied) ask(base, `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '${nameIn(copied)}'`)
  ask(base, `CREATE DATABASE ${name}` + (copied ? ` TEMPLATE ${nameIn(copied)}` : ''))
  return base.replace(`///${nameIn(base)}?`, `///${name}?`)
}

/* kill -9 of every process that serves somebody; the server recovers from its log, as after its own death. */
export function crash () {
  const pid = process.env.UMBEL_PG_PID
  const victims = ask(base, "SELECT pid FROM pg_stat_activity WHERE application_name = 'umbel-core'").split('\n').filter(Boolean)
  const children = new Set(fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' '))
  for (const victim of victims) if (children.has(victim)) process.kill(Number(victim), 'SIGKILL')
  return victims.length
}
