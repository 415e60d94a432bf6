import { contender } from '../contenders/jsonwebtoken.ts'
import { serverWithHook } from './fastify-route.ts'

export const server = serverWithHook(contender)
