/** Serves with one contender, and tells what CPU it used. Arguments: the server's file, the keys' URI. */
import type { BenchServer } from '../server.ts'
import { answerQuestions } from './subject.ts'

/** Where it listens, and the CPU microseconds of the process so far. */
export interface ServeAnswer {
  readonly port: number
  readonly user: number
  readonly system: number
}

const [file = '', jwksUri = ''] = process.argv.slice(2)
const { server } = (await import(`../servers/${file}.js`)) as { server: BenchServer }
const { port } = await server.start(jwksUri)

answerQuestions((): ServeAnswer => ({ port, ...process.cpuUsage() }))
