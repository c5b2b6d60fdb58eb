/* Runs stock Hocuspocus 4.7.0, or an older generation (below): node stock-server.mjs '{"port":0,"portFile":"...","database":"..."}'.
 * database: a SQLite file, written by the vendor's extension with the vendor's SQL; null keeps documents in memory.
 * driver: "native" (better-sqlite3, for measurements) or "python" (needs nothing compiled).
 * postgres: connection settings of node-postgres instead; the statements are those of the vendor's guide.
 * redis: settings of the Redis extension of the same generation, { port, identifier, ... }: several servers work as one.
 * webhook: settings of the vendor's webhook extension.
 * watch: GET /stores answers { changes, waiting, lastAt }: changes so far, documents and stores that are not done, and when
 * (milliseconds since 1970) the last one was. */
import { Database } from '@hocuspocus/extension-database'
import { SQLite } from '@hocuspocus/extension-sqlite'
import fs from 'node:fs'
import pgClient from 'pg'
import { PythonSqlite } from './python-sqlite.mjs'
import { StoreWatch } from './stock-watch.mjs'

const settings = JSON.parse(process.argv[2])
/* 4.6's Redis extension runs in a server of 4.7. The class of 2.x is called otherwise, and so is where it keeps its socket. */
const generations = {
  4.7: ['@hocuspocus/server', '@hocuspocus/extension-redis'],
  4.6: ['@hocuspocus/server', 'extension-redis46'],
  3.4: ['server3', 'extension-redis3'],
  2.15: ['server2', 'extension-redis2']
}
const [serverPackage, redisPackage] = generations[settings.generation ?? '4.7']
const vendor = await import(serverPackage)
const Server = serverPackage === 'server2' ? vendor.Hocuspocus : vendor.Server

class SqliteWithoutCompiler extends SQLite {
  async onConfigure () {
    this.db = new PythonSqlite(this.configuration.database)
    this.db.exec(this.configuration.schema)
  }
}

/* The table is made when there is none, as an operator would have made it. */
async function inPostgres (connection) {
  const pool = new pgClient.Pool(connection)
  await pool.query('CREATE TABLE IF NOT EXISTS documents(name varchar(255) PRIMARY KEY, data bytea NOT NULL)')
  return new Database({
    fetch: async ({ documentName }) => (await pool.query('SELECT data FROM documents WHERE name = $1', [documentName])).rows[0]?.data ?? null,
    store: async ({ documentName, state }) => {
      await pool.query('INSERT INTO documents(name, data) VALUES($1, $2) ON CONFLICT(name) DO UPDATE SET data = EXCLUDED.data',
        [documentName, state])
    }
  })
}

async function storage () {
  if (settings.postgres) return [await inPostgres(settings.postgres)]
  if (!settings.database) return []
  const Extension = settings.driver === 'native' ? SQLite : SqliteWithoutCompiler
  return [new Extension({ database: settings.database })]
}

const admission = settings.open
  ? {}
  : {
      async onAuthenticate ({ token, connection, connectionConfig = connection }) {
        if (token === 'bad') throw Object.assign(new Error('denied'), { reason: 'permission-denied' })
        connectionConfig.readOnly = token === 'read'
        return { user: token }
      }
    }

const extensions = await storage()
if (settings.redis) {
  const { Redis } = await import(redisPackage)
  extensions.push(new Redis({ host: '127.0.0.1', ...settings.redis }))
}
if (settings.webhook) {
  const { Webhook } = await import('@hocuspocus/extension-webhook')
  extensions.push(new Webhook(settings.webhook))
}
if (settings.watch) extensions.push(new StoreWatch(settings.options?.debounce === 0))
const server = new Server({
  quiet: true, address: '127.0.0.1', port: settings.port, extensions, ...admission, ...settings.options
})
await server.listen()
const port = (server.httpServer ?? server.server.httpServer).address().port
fs.writeFileSync(settings.portFile + '.new', `${port}\n`)
fs.renameSync(settings.portFile + '.new', settings.portFile)
console.log(`listening port=${port}`)
