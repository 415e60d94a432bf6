/**
 * A task that Cloud Tasks dispatches to an HTTP target.
 *
 * @see https://cloud.google.com/tasks/docs/creating-http-target-tasks
 * @see https://cloud.google.com/tasks/docs/reference/rest/v2/projects.locations.queues.tasks#HttpRequest
 */
import { randomInt } from 'node:crypto'
import { deliver, type PushSource } from './deliver.ts'
import { parseHttpTarget, HTTP_TARGET_OPTION_NAMES, type HttpTargetPush } from './http-target.ts'
import { parsePush, parseText, parseTime } from './push-options.ts'
import { parseInteger } from '../../checks/parse-options.ts'

/** A task, and the number of this attempt. */
export interface CloudTasksPush extends HttpTargetPush {
  /** The short name of the queue. Default `emulator-queue`. */
  queueName?: string | undefined
  /** The short name of the task. Default: digits, as for a task without a given name. */
  taskName?: string | undefined
  /** How often the task was tried before. Default 0. */
  retryCount?: number | undefined
  /**
   * How often the target has answered before; Google does not count answers with a status of 5xx.
   * Default 0.
   */
  executionCount?: number | undefined
  /** When it was due. Default: now. */
  scheduleTime?: Date | undefined
  /** The status of the previous answer. Default: not sent. */
  previousResponse?: number | undefined
  /** The reason for the retry. Default: not sent. */
  retryReason?: string | undefined
}

/** The options that only `push.cloudTasks` has. */
export const CLOUD_TASKS_OPTION_NAMES = [
  'queueName',
  'taskName',
  'retryCount',
  'executionCount',
  'scheduleTime',
  'previousResponse',
  'retryReason',
] as const satisfies readonly (keyof CloudTasksPush)[]

/** Dispatches a task once. */
export async function pushCloudTasks(
  google: PushSource,
  options: CloudTasksPush,
): Promise<Response> {
  const names = [...HTTP_TARGET_OPTION_NAMES, ...CLOUD_TASKS_OPTION_NAMES]
  const { target, own } = parsePush(options, names)
  const { method, headers, body } = parseHttpTarget(own, /^x-cloudtasks-/i)
  const added = { 'User-Agent': 'Google-Cloud-Tasks', ...attemptHeaders(google, own) }
  // There is no default content type, as the API's reference says.
  return deliver(google, target, { method, headers: { ...headers, ...added }, body })
}

function attemptHeaders(
  google: PushSource,
  {
    queueName = 'emulator-queue',
    taskName = newTaskName(),
    retryCount = 0,
    executionCount = 0,
    scheduleTime = google.clock(),
    previousResponse,
    retryReason,
  }: Readonly<Record<string, unknown>>,
): Record<string, string> {
  const count = (name: string, value: unknown): string =>
    String(parseInteger(name, value, { min: 0 }))
  const status = { min: 100, max: 599 }
  return {
    'X-CloudTasks-QueueName': parseText('queueName', queueName),
    'X-CloudTasks-TaskName': parseText('taskName', taskName),
    'X-CloudTasks-TaskRetryCount': count('retryCount', retryCount),
    'X-CloudTasks-TaskExecutionCount': count('executionCount', executionCount),
    'X-CloudTasks-TaskETA': secondsOf(parseTime('scheduleTime', scheduleTime)),
    ...(previousResponse !== undefined && {
      'X-CloudTasks-TaskPreviousResponse': String(
        parseInteger('previousResponse', previousResponse, status),
      ),
    }),
    ...(retryReason !== undefined && {
      'X-CloudTasks-TaskRetryReason': parseText('retryReason', retryReason),
    }),
  }
}

/** Seconds since 1970 with a fraction, like the recorded `1666670855.3296249`. */
function secondsOf(time: Date): string {
  return (time.getTime() / 1000).toFixed(6)
}

/** Like the recorded `05885295116503454631`. */
function newTaskName(): string {
  const digits = (): string => String(randomInt(10 ** 10)).padStart(10, '0')
  return `${digits()}${digits()}`
}
