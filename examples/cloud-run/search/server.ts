import { createGcpLoggingPinoConfig } from '@google-cloud/pino-logging-gcp-config'
import { pino } from 'pino'
import { buildSearch } from './app.ts'
import { configFrom } from './config.ts'

const config = configFrom(process.env)
const logger = pino(
  createGcpLoggingPinoConfig({
    serviceContext: { service: process.env.K_SERVICE ?? 'search' },
    traceGoogleCloudProjectId: config.project,
  }),
)
const app = buildSearch(config, logger)

// Cloud Run sends SIGTERM, and 10 seconds later SIGKILL
// (https://cloud.google.com/run/docs/container-contract#instance-shutdown). The app takes no new
// requests, answers those that it has, and ends their connections (RFC 9112 section 9.6): one that
// stays open would keep the process alive for another minute.
let isEnding = false
app.addHook('onSend', async (_request, reply) => {
  if (isEnding) reply.header('connection', 'close')
})
process.once('SIGTERM', () => {
  isEnding = true
  void app.close()
})

await app.listen({ port: config.port, host: '0.0.0.0' })
