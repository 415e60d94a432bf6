import type { Verb } from './verb.ts'

/** The verbs. Each is loaded when it is asked for, because some of them need more than others. */
export const VERBS: ReadonlyMap<string, () => Promise<Verb>> = new Map([
  ['allow', async () => (await import('./allow/allow.ts')).allow],
  ['iam', async () => (await import('./iam/iam.ts')).iam],
  ['explain', async () => (await import('./explain/explain.ts')).explain],
  ['token', async () => (await import('./token/token.ts')).token],
  ['proxy', async () => (await import('./proxy/proxy.ts')).proxy],
  ['emulator', async () => (await import('./emulator/emulator.ts')).emulator],
])
