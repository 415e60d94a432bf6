import type { Verb } from './verb.ts'

/** The verbs. Each is loaded when it is asked for, because some of them need more than others. */
export const VERBS: ReadonlyMap<string, () => Promise<Verb>> = new Map([
  ['allow', async () => (await import('./allow.ts')).allow],
  ['iam', async () => (await import('./iam.ts')).iam],
  ['explain', async () => (await import('./explain.ts')).explain],
  ['token', async () => (await import('./token.ts')).token],
  ['proxy', async () => (await import('./proxy.ts')).proxy],
  ['emulator', async () => (await import('./emulator.ts')).emulator],
])
