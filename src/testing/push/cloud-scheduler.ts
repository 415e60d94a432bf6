/**
 * A job that Cloud Scheduler runs with an HTTP target.
 *
 * @see https://cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs#HttpTarget
 */
import { deliver, type PushSource } from './deliver.ts'
import { parseHttpTarget, HTTP_TARGET_OPTION_NAMES, type HttpTargetPush } from './http-target.ts'
import { parsePush, parseText, parseTime } from './push-options.ts'

/** A job, and one run of it. */
export interface CloudSchedulerPush extends HttpTargetPush {
  /** The short name of the job. Default `emulator-job`. */
  jobName?: string | undefined
  /** When it was due. Default: the current minute. */
  scheduleTime?: Date | undefined
}

/** The options that only `push.cloudScheduler` has. */
export const CLOUD_SCHEDULER_OPTION_NAMES = [
  'jobName',
  'scheduleTime',
] as const satisfies readonly (keyof CloudSchedulerPush)[]

const MINUTE = 60_000

/** Runs a job once. */
export async function pushCloudScheduler(
  google: PushSource,
  options: CloudSchedulerPush,
): Promise<Response> {
  const names = [...HTTP_TARGET_OPTION_NAMES, ...CLOUD_SCHEDULER_OPTION_NAMES]
  const { target, own } = parsePush(options, names)
  const { method, headers, body } = parseHttpTarget(own, /^x-cloudscheduler/i)
  const { jobName = 'emulator-job', scheduleTime = minuteOf(google.clock()) } = own
  const added = {
    'User-Agent': 'Google-Cloud-Scheduler',
    'X-CloudScheduler': 'true',
    'X-CloudScheduler-JobName': parseText('jobName', jobName),
    'X-CloudScheduler-ScheduleTime': zuluTime(parseTime('scheduleTime', scheduleTime)),
  }
  return deliver(google, target, { method, headers: { ...headers, ...added }, body })
}

/** A unix-cron schedule has no seconds. */
function minuteOf(time: Date): Date {
  return new Date(Math.floor(time.getTime() / MINUTE) * MINUTE)
}

/** RFC 3339, as for a job in UTC. Recorded requests of other jobs have their offset. */
function zuluTime(time: Date): string {
  return time.toISOString().replace(/\.\d{3}Z$/, 'Z')
}
