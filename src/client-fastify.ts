/**
 * Clients of other services as a Fastify plugin.
 *
 * @packageDocumentation
 */
export * from './client/fastify/service-clients.ts'
