/* Runs stock Hocuspocus 4.7.0: node stock-server.mjs '{"port":0,"portFile":"...","database":"..."}'.
 * database: a SQLite file, written by the vendor's extension with the vendor's SQL; null keeps documents in memory.
 * driver: "native" (better-sqlite3, for measurements) or "python" (needs nothing compiled). */
import { Server } from '@hocuspocus/server'
import { SQLite } from '@hocuspocus/extension-sqlite'
import fs from 'node:fs'
import { PythonSqlite } from './python-sqlite.mjs'

const settings = JSON.parse(process.argv[2])

class SqliteWithoutCompiler extends SQLite {
  async onConfigure () {
    this.db = new PythonSqlite(this.configuration.database)
    this.db.exec(this.configuration.schema)
  }
}

function storage () {
  if (!settings.database) return []
  const Extension = settings.driver === 'native' ? SQLite : SqliteWithoutCompiler
  return [new Extension({ database: settings.database })]
}

const admission = settings.open
  ? {}
  : {
      async onAuthenticate ({ token, connectionConfig }) {
        if (token === 'bad') throw Object.assign(new Error('denied'), { reason: 'permission-denied' })
        connectionConfig.readOnly = token === 'read'
        return { user: token }
      }
    }

const server = new Server({
  quiet: true, address: '127.0.0.1', port: settings.port, extensions: storage(), ...admission, ...settings.options
})
await server.listen()
const port = server.httpServer.address().port
fs.writeFileSync(settings.portFile + '.new', `${port}\n`)
fs.renameSync(settings.portFile + '.new', settings.portFile)
console.log(`listening port=${port}`)
