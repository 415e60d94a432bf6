import type { FastifyReply, FastifyRequest } from 'fastify'

declare module '@fastify/jwt' {
  interface FastifyJWT {
    payload: { sub: string }
    user: { sub: string }
  }
}

/** A hook of the routes that need a user. The hook of the ID token's plugin runs before it. */
export async function verifyUser(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  try {
    await request.jwtVerify()
  } catch (error) {
    // @fastify/jwt gives some of these errors, for example that of another algorithm, no status.
    request.log.info({ err: error }, 'user refused')
    await reply.code(401).send({ code: 'USER_UNKNOWN', message: 'Sign in first' })
  }
}
