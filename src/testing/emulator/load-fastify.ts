import type { fastify } from 'fastify'

/** Fastify is not installed. */
export class FastifyMissing extends Error {
  constructor(cause: unknown) {
    super('startGoogleEmulator needs the package fastify: npm install --save-dev fastify', {
      cause,
    })
  }
}

/**
 * Loads Fastify when the emulator starts. The rest of this entry does not need it, for services
 * with Express.
 *
 * @throws FastifyMissing that says how to install it
 */
export async function loadFastify(): Promise<typeof fastify> {
  try {
    return (await import('fastify')).fastify
  } catch (error) {
    // Node's error has a code. Errors of loaders and bundlers have the same text without a code.
    const { message } = error as Error
    if (!/^Cannot find (?:package|module) 'fastify'/.test(message)) throw error
    throw new FastifyMissing(error)
  }
}
