/**
 * A message that Pub/Sub pushes.
 *
 * @see https://cloud.google.com/pubsub/docs/push
 * @see https://cloud.google.com/pubsub/docs/payload-unwrapping
 */
import { randomInt } from 'node:crypto'
import { parseNames, invalidOption } from '../../checks/invalid-option.ts'
import { deliver, type PushRequest, type PushSource } from './deliver.ts'
import {
  parseBytes,
  parseHeaders,
  parsePush,
  parseStringMap,
  parseText,
  parseTime,
  type PushOptions,
} from './push-options.ts'
import { parseInteger } from '../../checks/parse-options.ts'

/** A message, and the subscription that pushes it. */
export interface PubsubPush extends PushOptions {
  /** Text or bytes; it may be empty only if there are attributes. Default `Hello, World!`. */
  data?: string | Uint8Array | undefined
  /** Strings by name. Default: none. */
  attributes?: Readonly<Record<string, string>> | undefined
  /** The id of the message. Default: a new one. */
  messageId?: string | undefined
  /** When it was published. Default: now. */
  publishTime?: Date | undefined
  /** The ordering key of the message. Default: none. */
  orderingKey?: string | undefined
  /**
   * `projects/PROJECT/subscriptions/NAME`. Default: `emulator-subscription` of the emulator's
   * project.
   */
  subscription?: string | undefined
  /**
   * The number of this attempt, which a subscription with a dead-letter topic counts. Default: not
   * sent.
   */
  deliveryAttempt?: number | undefined
  /**
   * Sends only the data as the body; with `{ writeMetadata: true }` the other fields are in
   * headers. Default `false`: JSON with all fields.
   */
  noWrapper?:
    | boolean
    | {
        /** Whether the other fields are sent in headers. Default `false`. */
        readonly writeMetadata?: boolean | undefined
      }
    | undefined
}

/** The options that only `push.pubsub` has. */
export const PUBSUB_OPTION_NAMES = [
  'data',
  'attributes',
  'messageId',
  'publishTime',
  'orderingKey',
  'subscription',
  'deliveryAttempt',
  'noWrapper',
] as const satisfies readonly (keyof PubsubPush)[]

/** A message that is about to be pushed. */
export interface PushedMessage {
  readonly data: Uint8Array
  readonly attributes: Readonly<Record<string, string>>
  readonly messageId: string
  readonly publishTime: Date
  readonly orderingKey: string | undefined
  readonly subscription: string
  readonly deliveryAttempt: number | undefined
}

/**
 * As in recorded requests to Cloud Run services, except for `Accept-Encoding`: the answer is
 * returned as it comes.
 */
export const PUBSUB_HEADERS = {
  Accept: 'application/json',
  'Content-Type': 'application/json',
  From: 'noreply@google.com',
  'User-Agent': 'APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)',
}

/** Pushes a message. */
export async function pushPubsub(google: PushSource, options: PubsubPush): Promise<Response> {
  const { target, own } = parsePush(options, PUBSUB_OPTION_NAMES)
  const message = parseMessage(google, own)
  return deliver(google, target, pubsubRequest(message, parseWrapping(own.noWrapper)))
}

function parseMessage(
  google: PushSource,
  {
    data = 'Hello, World!',
    attributes = {},
    messageId = newMessageId(),
    publishTime = google.clock(),
    orderingKey,
    subscription = `projects/${google.settings.projectId}/subscriptions/emulator-subscription`,
    deliveryAttempt,
  }: Readonly<Record<string, unknown>>,
): PushedMessage {
  const message = {
    data: parseBytes('data', data),
    attributes: parseStringMap('attributes', attributes),
    messageId: parseText('messageId', messageId),
    publishTime: parseTime('publishTime', publishTime),
    orderingKey: orderingKey === undefined ? undefined : parseText('orderingKey', orderingKey),
    subscription: parseSubscription(subscription),
    deliveryAttempt:
      deliveryAttempt === undefined
        ? undefined
        : parseInteger('deliveryAttempt', deliveryAttempt, { min: 1 }),
  }
  if (message.data.length === 0 && Object.keys(message.attributes).length === 0) {
    throw invalidOption('data', data, 'what is not empty, or at least one attribute')
  }
  return message
}

function parseSubscription(value: unknown): string {
  if (typeof value === 'string' && /^projects\/[^\s/]+\/subscriptions\/[^\s/]+$/.test(value)) {
    return parseText('subscription', value)
  }
  throw invalidOption('subscription', value, 'projects/PROJECT/subscriptions/NAME')
}

type Wrapping = 'wrapped' | 'unwrapped' | 'unwrapped with metadata'

function parseWrapping(value: unknown = false): Wrapping {
  if (typeof value === 'boolean') return value ? 'unwrapped' : 'wrapped'
  const accepted = 'a boolean, or { writeMetadata: boolean }'
  const { writeMetadata = false } = parseNames('noWrapper', value, ['writeMetadata'], accepted)
  if (typeof writeMetadata !== 'boolean') {
    throw invalidOption('noWrapper.writeMetadata', writeMetadata, 'a boolean')
  }
  return writeMetadata ? 'unwrapped with metadata' : 'unwrapped'
}

/** As many digits as in Google's ids. */
export function newMessageId(): string {
  const digits = (): string => String(randomInt(10 ** 8)).padStart(8, '0')
  return `1${digits()}${digits()}`
}

function pubsubRequest(message: PushedMessage, wrapping: Wrapping): PushRequest {
  const metadata = wrapping === 'unwrapped with metadata' ? metadataHeaders(message) : {}
  const body = wrapping === 'wrapped' ? wrappedMessage(message) : message.data
  return { method: 'POST', headers: { ...PUBSUB_HEADERS, ...metadata }, body }
}

/** Both spellings of the names are sent. Empty fields are left out. */
export function wrappedMessage(message: PushedMessage): Uint8Array {
  const { data, attributes, messageId, orderingKey, subscription, deliveryAttempt } = message
  const publishTime = message.publishTime.toISOString()
  return Buffer.from(
    JSON.stringify({
      message: {
        ...(Object.keys(attributes).length > 0 && { attributes }),
        ...(data.length > 0 && { data: Buffer.from(data).toString('base64') }),
        messageId,
        message_id: messageId,
        ...(orderingKey !== undefined && { orderingKey }),
        publishTime,
        publish_time: publishTime,
      },
      subscription,
      ...(deliveryAttempt !== undefined && { deliveryAttempt }),
    }),
  )
}

/** Each attribute is a header with its name. The delivery attempt has no header. */
function metadataHeaders(message: PushedMessage): Record<string, string> {
  const { attributes, messageId, publishTime, orderingKey, subscription } = message
  return {
    ...parseHeaders('attributes', attributes),
    'x-goog-pubsub-subscription-name': subscription,
    'x-goog-pubsub-message-id': messageId,
    'x-goog-pubsub-publish-time': publishTime.toISOString(),
    ...(orderingKey !== undefined && { 'x-goog-pubsub-ordering-key': orderingKey }),
  }
}
