/** Programs of the bench that run in processes of their own, so that none warms another up. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A process that answers questions, one at a time. */
export interface Subject<Question, Answer> {
  readonly ask: (question: Question) => Promise<Answer>
  readonly end: () => Promise<void>
}

type Reply<Answer> = { readonly answer: Answer } | { readonly error: string }

/**
 * Starts a program of this folder.
 *
 * @param program - its name, without its extension
 * @param nodeOptions - flags of Node
 */
export function startSubject<Question extends object, Answer>(
  program: string,
  args: readonly string[] = [],
  nodeOptions: readonly string[] = [],
): Subject<Question, Answer> {
  const path = fileURLToPath(new URL(`./${program}.js`, import.meta.url))
  const child = fork(path, [...args], { execArgv: [...nodeOptions] })
  return {
    ask: async (question) => {
      child.send(question)
      const reply = await replyOf<Answer>(child, `${program} ${args.join(' ')}`)
      if ('error' in reply) throw new Error(`${program} ${args.join(' ')}: ${reply.error}`)
      return reply.answer
    },
    end: async () => {
      if (child.exitCode !== null) return
      const exit = once(child, 'exit')
      child.kill()
      await exit
    },
  }
}

function replyOf<Answer>(child: ChildProcess, name: string): Promise<Reply<Answer>> {
  return new Promise((resolve, reject) => {
    const onExit = (): void => {
      reject(new Error(`${name} ended`))
    }
    child.once('exit', onExit)
    child.once('message', (reply) => {
      child.off('exit', onExit)
      resolve(reply as Reply<Answer>)
    })
  })
}

/** Answers the process that started this one, which asks the questions. */
export function answerQuestions(
  answer: (question: never) => object | number | Promise<object | number>,
): void {
  const reply = async (question: never): Promise<Reply<object | number>> => {
    try {
      return { answer: await answer(question) }
    } catch (error) {
      return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) }
    }
  }
  process.on('message', (question) => {
    void reply(question as never).then((message) => process.send?.(message))
  })
}
