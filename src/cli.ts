#!/usr/bin/env node
/** The command line. */
import { once } from 'node:events'
import process from 'node:process'
import { run } from './cli/run.ts'

// google-auth-library warns when the metadata server does not answer. The answer of the verb says so.
process.removeAllListeners('warning')
process.on('warning', ({ name, message }) => {
  if (name !== 'MetadataLookupWarning') process.stderr.write(`${name}: ${message}\n`)
})
// The reader of a pipe may go away: `... | head`.
process.stdout.on('error', () => process.exit())
process.exitCode = await run(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  now: Date.now,
  interrupted: async () => {
    await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)))
  },
})
