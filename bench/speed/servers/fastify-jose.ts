import { contender } from '../contenders/jose.ts'
import { serverWithHook } from './fastify-route.ts'

export const server = serverWithHook(contender)
