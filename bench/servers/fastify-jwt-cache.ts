import { serverWithFastifyJwt } from './with-fastify-jwt.ts'

export const server = serverWithFastifyJwt({ cache: 10_000 })
