/* As much of better-sqlite3 as the stock SQLite extension calls, through Python's sqlite3: the files are real SQLite files
 * and the statements are the vendor's, but nothing has to be compiled. Slow: one process per statement. */
import { spawnSync } from 'node:child_process'

const program = `
import base64, json, sqlite3, sys
q = json.load(sys.stdin)
args = {k: base64.b64decode(v["b64"]) if isinstance(v, dict) else v for k, v in (q["args"] or {}).items()}
db = sqlite3.connect(q["file"], timeout=10)
db.row_factory = sqlite3.Row
row = db.execute(q["sql"], args).fetchone()
db.commit()
out = None if row is None else {k: {"b64": base64.b64encode(row[k]).decode()} if isinstance(row[k], bytes) else row[k] for k in row.keys()}
json.dump(out, sys.stdout)
`

export class PythonSqlite {
  constructor (file) {
    this.file = file
  }

  execute (sql, args) {
    const packed = Object.fromEntries(Object.entries(args ?? {}).map(([key, value]) =>
      [key, value instanceof Uint8Array ? { b64: Buffer.from(value).toString('base64') } : value]))
    const result = spawnSync('python3', ['-c', program], {
      input: JSON.stringify({ file: this.file, sql, args: packed }), maxBuffer: 256 * 1024 * 1024
    })
    if (result.status !== 0) throw new Error(`sqlite: ${result.stderr}`)
    const row = JSON.parse(result.stdout)
    if (row === null) return undefined
    return Object.fromEntries(Object.entries(row).map(([key, value]) =>
      [key, value?.b64 === undefined ? value : Buffer.from(value.b64, 'base64')]))
  }

  exec (sql) {
    this.execute(sql)
  }

  prepare (sql) {
    return { get: args => this.execute(sql, args), run: args => this.execute(sql, args) }
  }
}
