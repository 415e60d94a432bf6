/**
 * The name of the package and of its command: they are the same, so that npx does not run another
 * package.
 */
export const COMMAND = 'fastify-google-id-token'

/** The installed command: without npx, signals reach it, and the exit code is its own. */
export const LOCAL_COMMAND = `./node_modules/.bin/${COMMAND}`
