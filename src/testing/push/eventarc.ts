/**
 * An event that Eventarc delivers to a Cloud Run service: a CloudEvent in binary content mode, pushed
 * by Pub/Sub.
 *
 * @see https://cloud.google.com/eventarc/docs/cloudevents
 */
import { invalidOption } from '../../checks/invalid-option.ts'
import { deliver, type PushSource } from './deliver.ts'
import { newMessageId, PUBSUB_HEADERS, wrappedMessage } from './pubsub.ts'
import { parsePush, parseText, parseTime, type PushOptions } from './push-options.ts'

/** An event, its attributes as CloudEvents names them. */
export interface EventarcPush extends PushOptions {
  /** What has happened. Default `google.cloud.pubsub.topic.v1.messagePublished`. */
  type?: string | undefined
  /** Where it has happened. Default: the topic `emulator-topic` of the emulator's project. */
  source?: string | undefined
  /** The object of the event, within the source. Default: none. */
  subject?: string | undefined
  /** The id of the event. Default: a new one. */
  id?: string | undefined
  /** When it has happened. Default: now. */
  time?: Date | undefined
  /** Anything that is JSON. Default: a message of Pub/Sub that says `Hello, World!`. */
  data?: unknown
}

/** The options that only `push.eventarc` has. */
export const EVENTARC_OPTION_NAMES = [
  'type',
  'source',
  'subject',
  'id',
  'time',
  'data',
] as const satisfies readonly (keyof EventarcPush)[]

const MESSAGE_PUBLISHED = 'google.cloud.pubsub.topic.v1.messagePublished'
const STORAGE = 'google.cloud.storage.object.v1.'

/** Delivers an event once. */
export async function pushEventarc(google: PushSource, options: EventarcPush): Promise<Response> {
  const { target, own } = parsePush(options, EVENTARC_OPTION_NAMES)
  const { type, source, id, time, subject } = parseAttributes(google, own)
  const url = new URL(target.url)
  url.searchParams.set('__GCP_CloudEventsMode', pushMode(type, source))
  return deliver(
    google,
    // The subscription of a trigger has the service's URL as audience, as exported subscriptions
    // show.
    {
      ...target,
      url: url.href,
      audience: own.audience === undefined ? url.origin : target.audience,
    },
    {
      method: 'POST',
      headers: {
        ...PUBSUB_HEADERS,
        'ce-id': id,
        'ce-source': source,
        'ce-specversion': '1.0',
        'ce-type': type,
        'ce-time': time.toISOString(),
        ...(subject !== undefined && { 'ce-subject': subject }),
      },
      body: own.data === undefined ? publishedMessage(google, id, time) : jsonOf(own.data),
    },
  )
}

function parseAttributes(
  google: PushSource,
  {
    type = MESSAGE_PUBLISHED,
    source = `//pubsub.googleapis.com/projects/${google.settings.projectId}/topics/emulator-topic`,
    subject,
    id = newMessageId(),
    time = google.clock(),
  }: Readonly<Record<string, unknown>>,
): { type: string; source: string; subject: string | undefined; id: string; time: Date } {
  return {
    type: parseText('type', type),
    source: parseText('source', source),
    subject: subject === undefined ? undefined : parseText('subject', subject),
    id: parseText('id', id),
    time: parseTime('time', time),
  }
}

/** The query that Eventarc adds to the subscription's endpoint. Services can see it. */
function pushMode(type: string, source: string): string {
  if (type.startsWith(STORAGE)) return 'GCS_NOTIFICATION'
  if (type !== MESSAGE_PUBLISHED) return 'CE_PUBSUB_BINDING'
  return `CUSTOM_PUBSUB_${source.replace('//pubsub.googleapis.com/', '')}`
}

/** The event's data has the shape of a push, and the message has the id of the event. */
function publishedMessage(google: PushSource, messageId: string, publishTime: Date): Uint8Array {
  return wrappedMessage({
    data: Buffer.from('Hello, World!'),
    attributes: {},
    messageId,
    publishTime,
    orderingKey: undefined,
    subscription: `projects/${google.settings.projectId}/subscriptions/eventarc-emulator-trigger-sub`,
    deliveryAttempt: undefined,
  })
}

function jsonOf(data: unknown): Uint8Array {
  // Functions, symbols and cycles cannot be JSON.
  const json = jsonText(data)
  if (json === undefined) throw invalidOption('data', data, 'anything that is JSON')
  return Buffer.from(json)
}

function jsonText(data: unknown): string | undefined {
  try {
    return JSON.stringify(data)
  } catch {
    return undefined
  }
}
