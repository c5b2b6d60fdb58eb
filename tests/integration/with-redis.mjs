/* with-redis.mjs NAME PROGRAM [ARGUMENTS]: runs a test program of C over a Redis of its own; its port is in UMBEL_TEST_REDIS. */
import { spawn } from 'node:child_process'
import { openRun } from '../harness/run.mjs'
import { startRedis } from '../harness/redis-server.mjs'

const [name, program, ...args] = process.argv.slice(2)
const run = openRun(name)

await run.story(`${name} over Redis`, async () => {
  const redis = await startRedis(run)
  const child = spawn(program, args, { stdio: 'inherit', env: { ...process.env, UMBEL_TEST_REDIS: String(redis.port) } })
  run.atEnd(() => child.kill('SIGKILL'))
  const [code, signal] = await new Promise(resolve => child.on('exit', (...how) => resolve(how)))
  if (code !== 0) throw new Error(`it ended with ${code ?? signal}`)
}, 200000)
await run.finish()
