import { setTimeout as sleep } from 'node:timers/promises'
import { http1Sender, http2Sender, type Sender } from './send.ts'
import type { Endpoints, Target } from './services.ts'
import { addLatency, type Minute } from './tally.ts'
import { draw, type poolFor, type SoakRequest } from './tokens.ts'

/** What the load looks at while it runs. */
export interface Soak {
  readonly endpoints: Endpoints
  pool: Awaited<ReturnType<typeof poolFor>>
  minute: Minute
  isOver: boolean
}

/** Requests at a time, for each service. */
const WORKERS = 4
/** Milliseconds between two of them. */
const PAUSE = 25
/** How many clients go away before they have their answer. */
const ABORTED = 0.02

/** Sends requests to a service until the soak is over. */
export async function loadOn(target: Target, soak: Soak): Promise<void> {
  const sender = target.http2 ? http2Sender() : http1Sender()
  await Promise.all(
    Array.from({ length: WORKERS }, async () => {
      while (!soak.isOver) {
        if (target.isUp) await sendOne(sender, target, soak)
        await sleep(PAUSE * (0.5 + Math.random()))
      }
    }),
  )
  sender.close()
}

async function sendOne(sender: Sender, target: Target, soak: Soak): Promise<void> {
  const request = draw(soak.pool)
  const { id, port, startedAt } = target
  const sentAt = performance.now()
  const abortAfter = Math.random() < ABORTED ? 3 * Math.random() : undefined
  const answer = await sender.send(port, request.headers, abortAfter).catch(String)
  // A service that was restarted meanwhile is another one, and its clients have to try again.
  if (target.id !== id || !target.isUp) return
  if (answer === 'aborted') {
    soak.minute.aborted += 1
  } else if (typeof answer === 'string') {
    soak.minute.failed.push(`${target.service}: ${request.kind}: ${answer}`)
  } else {
    const known = soak.endpoints[request.of].couldKnow(id, request.kid, sentAt, startedAt)
    record({ target, request, answer, known, took: performance.now() - sentAt }, soak.minute)
  }
}

interface Answered {
  readonly target: Target
  readonly request: SoakRequest
  readonly answer: number
  /** Whether a correct verifier could know the key. */
  readonly known: boolean
  readonly took: number
}

const REFUSALS = [400, 401, 403, 503]

function record({ target, request, answer, known, took }: Answered, minute: Minute): void {
  const { kind, valid } = request
  const what = `${target.service}: ${kind}: ${answer}`
  if (answer === 200) {
    minute.served += 1
    if (!valid) minute.badServed.push(what)
    else if (known) addLatency(minute, target.service, took)
  } else if (!REFUSALS.includes(answer)) {
    minute.failed.push(what)
  } else if (!valid) {
    minute.refused += 1
  } else if (known) {
    minute.wronglyRefused.push(what)
  } else {
    minute.keyUnknown += 1
  }
}
