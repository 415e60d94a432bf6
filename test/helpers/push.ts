/** Who pushes, and when. */
import type { Test } from 'tap'
import type { GoogleEmulator, GoogleEmulatorOptions } from '../../src/testing.ts'
import { startEmulator } from './emulator.ts'

export const pusher = 'pusher@shop-prod.iam.gserviceaccount.com'
export const time = new Date('2026-03-01T12:00:30.123Z')
export const PRODUCTS = ['pubsub', 'cloudTasks', 'cloudScheduler', 'eventarc'] as const

/** An emulator whose time stands still. */
export function startPushing(
  t: Test,
  options: GoogleEmulatorOptions = {},
): Promise<GoogleEmulator> {
  return startEmulator(t, { projectId: 'shop-prod', clock: () => time, ...options })
}
