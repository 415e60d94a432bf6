import { serverWithFastifyJwtJwks } from './with-fastify-jwt-jwks.ts'

export const server = serverWithFastifyJwtJwks({ cache: 10_000 })
