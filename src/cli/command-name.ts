/** The name of the package and of its command: npx runs no stranger's package then. */
export const COMMAND = 'fastify-google-id-token'

/** The same where it is installed, without npx between: signals reach it, and the exit code is its own. */
export const LOCAL_COMMAND = `./node_modules/.bin/${COMMAND}`
