import { contender } from '../contenders/google-auth-library.ts'
import { serverWithHook } from './fastify-route.ts'

export const server = serverWithHook(contender)
