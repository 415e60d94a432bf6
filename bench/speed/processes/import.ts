/** Prints the milliseconds that importing Fastify takes, and then this package. */
const start = performance.now()
await import('fastify')
const between = performance.now()
await import('fastify-google-id-token')
const end = performance.now()
process.stdout.write(JSON.stringify({ fastify: between - start, plugin: end - between }))
