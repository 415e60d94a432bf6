import { contender } from '../contenders/aws-jwt-verify.ts'
import { serverWithHook } from './fastify-route.ts'

export const server = serverWithHook(contender)
