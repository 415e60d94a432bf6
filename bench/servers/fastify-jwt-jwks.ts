import { serverWithFastifyJwtJwks } from './with-fastify-jwt-jwks.ts'

export const server = serverWithFastifyJwtJwks({})
