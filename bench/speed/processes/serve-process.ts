/** Runs servers, and tells what CPU they used. Arguments: the keys' URI, the servers' files. */
import type { BenchServer } from '../server.ts'
import { answerQuestions } from './subject.ts'

/** Where each server listens, and the CPU microseconds of the process so far. */
export interface ServeAnswer {
  readonly ports: readonly number[]
  readonly user: number
  readonly system: number
}

const [jwksUri = '', ...files] = process.argv.slice(2)
const ports: number[] = []
for (const file of files) {
  const { server } = (await import(`../servers/${file}.js`)) as { server: BenchServer }
  const { port } = await server.start(jwksUri)
  ports.push(port)
}

answerQuestions((): ServeAnswer => ({ ports, ...process.cpuUsage() }))
