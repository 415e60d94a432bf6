import type { PubsubPush } from 'fastify-google-id-token/testing'
import type { Outcome } from './expected-outcomes.ts'
import { expectedOf, result, type Journey, type Journeys } from './make-journeys.ts'
import { AUDIENCES, emailOf, type Shop } from './start-services.ts'

type IamCheck = 'on' | 'off'

/** By the rules of `authorization`, the one header that a push has. */
const LET_IN = { on: expectedOf('authorization', 'on'), off: expectedOf('authorization', 'off') }

/** By the front end, who has no invoker of this name, and by the list of the route. */
const KEPT_OUT: Record<IamCheck, Outcome> = {
  on: { status: 403, server: 'Google Frontend' },
  off: { status: 403, code: 'ID_TOKEN_CALLER_NOT_ALLOWED' },
}

/** Pushes to user-profiles what the four products push. */
export async function pushEvents({ google: { push }, cloudRun }: Shop): Promise<Journeys> {
  const row = async (
    name: string,
    send: (target: PubsubPush) => Promise<Response>,
    account: 'events' | 'search',
  ): Promise<Journey> => {
    const expected = account === 'events' ? LET_IN : KEPT_OUT
    const to = (iamCheck: IamCheck): PubsubPush => ({
      url: `${cloudRun[iamCheck]}/events`,
      serviceAccount: emailOf(account),
      audience: AUDIENCES['user-profiles'],
    })
    return {
      name,
      on: await result(send(to('on')), expected.on),
      off: await result(send(to('off')), expected.off),
    }
  }
  return {
    title: 'Pushes: they send one header, so with the IAM check on they need trustRemovedSignature',
    rows: [
      await row('Pub/Sub', push.pubsub, 'events'),
      await row('Cloud Tasks', push.cloudTasks, 'events'),
      await row('Cloud Scheduler', push.cloudScheduler, 'events'),
      await row('Eventarc', push.eventarc, 'events'),
      await row('Pub/Sub by search', push.pubsub, 'search'),
    ],
  }
}
