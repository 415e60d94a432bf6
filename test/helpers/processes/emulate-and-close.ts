/** Leaves an emulator with an idle connection, one that hangs, and one that waits. */
import { startGoogleEmulator } from '../../../src/testing.ts'

const google = await startGoogleEmulator()
await (await fetch(google.jwksUri)).text()
google.fault('token', { hang: true })
google.fault('sts', { delayMs: 600_000 })
const left = ['/token', '/v1/token'].map((path) =>
  fetch(`${google.url}${path}`, { method: 'POST' }).catch(() => undefined),
)
while (google.requests.length < 3) await new Promise((resolve) => setTimeout(resolve, 5))
await google.close()
await Promise.all(left)
