/**
 * Clients of other services as a Fastify plugin.
 *
 * @module fastify-google-id-token/client/fastify
 */
export * from './client/fastify/service-clients.ts'
