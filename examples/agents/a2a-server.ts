import {
  AGENT_CARD_PATH,
  AgentCard,
  type Part,
  Task,
  TaskArtifactUpdateEvent,
  TaskStatusUpdateEvent,
} from '@a2a-js/sdk'
import {
  AgentEvent,
  DefaultRequestHandler,
  InMemoryTaskStore,
  type AgentExecutor,
} from '@a2a-js/sdk/server'
import { agentCardHandler, jsonRpcHandler, type UserBuilder } from '@a2a-js/sdk/server/express'
import express, { type Express } from 'express'
import type { AllowedCaller } from 'fastify-google-id-token'
import { googleIdToken } from 'fastify-google-id-token/express'
import { answerRefusal } from '../express.ts'

/** What the agent does: it answers piece by piece. */
export type Answer = (question: string) => AsyncIterable<string>

export interface A2aConfig {
  /** Where clients find this service. The agent card names it. */
  url: string
  audience: string | string[]
  allowedCallers: AllowedCaller[]
  /** Left out in production: the default is Google's keys. */
  jwksUri?: string
  answer: Answer
}

/** An A2A server whose card and agent only listed services can reach. */
export function buildA2aServer(config: A2aConfig): { app: Express; close: () => void } {
  const { url, answer, ...verification } = config
  const auth = googleIdToken(verification)
  const requestHandler = new DefaultRequestHandler(
    cardOf(url),
    new InMemoryTaskStore(),
    executorOf(answer),
  )
  const app = express()
  app.use(auth) // every route from here on
  app.use(`/${AGENT_CARD_PATH}`, agentCardHandler({ agentCardProvider: requestHandler }))
  app.use('/a2a', jsonRpcHandler({ requestHandler, userBuilder }))
  app.use(answerRefusal)
  return { app, close: auth.verifier.close }
}

/** The user is the caller, whom the middleware has verified: a task belongs to who started it. */
const userBuilder: UserBuilder = ({ caller }) =>
  caller
    ? Promise.resolve({ isAuthenticated: true, userName: caller.email ?? caller.subject })
    : Promise.reject(new Error('The route has no guard'))

function cardOf(url: string): AgentCard {
  return AgentCard.fromJSON({
    name: 'shop-assistant',
    description: 'Answers questions about the shop',
    version: '1.0.0',
    supportedInterfaces: [
      { url: `${url}/a2a`, protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
    ],
    capabilities: { streaming: true },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [{ id: 'answer', name: 'Answer', description: 'Answers a question', tags: ['shop'] }],
  })
}

function executorOf(answer: Answer): AgentExecutor {
  return {
    async execute({ taskId, contextId, userMessage, context }, bus) {
      const working = { id: taskId, contextId, status: { state: 'TASK_STATE_WORKING' } }
      bus.publish(AgentEvent.task(Task.fromJSON(working)))
      const publish = (artifactId: string, text: string): void => {
        const artifact = { artifactId, parts: [{ text }] }
        const update = TaskArtifactUpdateEvent.fromJSON({ taskId, contextId, artifact })
        bus.publish(AgentEvent.artifactUpdate(update))
      }
      const [question] = userMessage.parts
      let pieces = 0
      for await (const piece of answer(textOf(question))) publish(`piece-${++pieces}`, piece)
      publish('caller', context.user?.userName ?? '')
      const completed = { taskId, contextId, status: { state: 'TASK_STATE_COMPLETED' } }
      bus.publish(AgentEvent.statusUpdate(TaskStatusUpdateEvent.fromJSON(completed)))
      bus.finished()
    },
    cancelTask: () => Promise.reject(new Error('This agent answers at once')),
  }
}

function textOf(part?: Part): string {
  return part?.content?.$case === 'text' ? part.content.value : ''
}
