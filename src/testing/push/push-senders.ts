/** The products of Google that push requests to services. */
import { pushCloudScheduler, type CloudSchedulerPush } from './cloud-scheduler.ts'
import { pushCloudTasks, type CloudTasksPush } from './cloud-tasks.ts'
import type { PushSource } from './deliver.ts'
import { pushEventarc, type EventarcPush } from './eventarc.ts'
import { pushPubsub, type PubsubPush } from './pubsub.ts'

/**
 * Each sends one request like its product, with the ID token of the given service account, and
 * resolves to the answer with any status. It does not retry and does not follow redirects.
 */
export interface PushSenders {
  /** A message of a push subscription. */
  readonly pubsub: (options: PubsubPush) => Promise<Response>
  /** A task of a queue. */
  readonly cloudTasks: (options: CloudTasksPush) => Promise<Response>
  /** A run of a job. */
  readonly cloudScheduler: (options: CloudSchedulerPush) => Promise<Response>
  /** An event of a trigger. */
  readonly eventarc: (options: EventarcPush) => Promise<Response>
}

/** The senders of an emulator. */
export function pushSenders(google: PushSource): PushSenders {
  return {
    pubsub: (options) => pushPubsub(google, options),
    cloudTasks: (options) => pushCloudTasks(google, options),
    cloudScheduler: (options) => pushCloudScheduler(google, options),
    eventarc: (options) => pushEventarc(google, options),
  }
}
