import type { fastify } from 'fastify'

/**
 * Fastify, loaded when the emulator starts: a service with Express need not have it for the rest of
 * this entry.
 *
 * @throws Error that says how to install it
 */
export async function loadFastify(): Promise<typeof fastify> {
  try {
    return (await import('fastify')).fastify
  } catch (error) {
    // Node gives a code, and loaders and bundlers say it in the same words without one.
    const { message } = error as Error
    if (!/^Cannot find (?:package|module) 'fastify'/.test(message)) throw error
    throw new Error(
      'startGoogleEmulator needs the package fastify: npm install --save-dev fastify',
      { cause: error },
    )
  }
}
