/** Serves with one contender, and tells what CPU it used. Arguments: the server's file, the keys' URI, how many (see BenchServer). */
import type { BenchServer } from '../server.ts'
import { answerQuestions } from './subject.ts'

/** `port`: where it listens; `cpu`: the CPU microseconds of the process so far. */
export interface ServeQuestion {
  readonly tell: 'port' | 'cpu'
}

const [file = '', jwksUri = '', count = '1'] = process.argv.slice(2)
const { server } = (await import(`../servers/${file}.js`)) as { server: BenchServer }
const { port } = await server.start(jwksUri, Number(count))

answerQuestions(({ tell }: ServeQuestion) => {
  if (tell === 'port') return port
  const { user, system } = process.cpuUsage()
  return user + system
})
