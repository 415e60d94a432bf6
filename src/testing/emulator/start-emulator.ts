/** Google on loopback. */
import type { FastifyInstance } from 'fastify'
import { parseEmail } from '../../checks/parse-options.ts'
import { pushSenders } from '../push/push-senders.ts'
import { createTestIssuer, type TestIssuer } from '../issuer/test-issuer.ts'
import { IAP_JWKS_PATH, JWKS_PATH, serveCerts, serveIapCerts } from './endpoints/certs.ts'
import { childEnvironment } from './child-environment.ts'
import {
  authorizedUser,
  impersonatedCredentials,
  serviceAccountKey,
  workloadIdentityConfig,
} from './make-credential-files.ts'
import { EmulatorState } from './emulator-state.ts'
import {
  parseEmulatorOptions,
  type EmulatorSettings,
  type GoogleEmulatorOptions,
} from './emulator-options.ts'
import type { GoogleEmulator } from './google-emulator.ts'
import { answerError, GoogleApiError } from './google-errors.ts'
import { serveIamCredentials } from './endpoints/iam-credentials.ts'
import { listen } from './listen.ts'
import type { LoggedRequest } from './logged-request.ts'
import { loadFastify } from './load-fastify.ts'
import { serveMetadata } from './endpoints/metadata-server.ts'
import { serveSts } from './endpoints/sts.ts'
import { serveTokenEndpoint } from './endpoints/token-endpoint.ts'
import { serveTokeninfo } from './endpoints/tokeninfo.ts'

/**
 * Starts Google on loopback: keys, token endpoint, STS, Service Account Credentials API, metadata
 * server and tokeninfo. It needs the package fastify, even if the service uses another framework.
 *
 * @throws TypeError for a wrong option, Error if fastify is not installed
 */
export function startGoogleEmulator(options: GoogleEmulatorOptions = {}): Promise<GoogleEmulator> {
  return startEmulator(options, () => undefined)
}

/**
 * The same, and reports each request that was answered.
 *
 * @param answered - is called with it
 */
export async function startEmulator(
  options: GoogleEmulatorOptions,
  answered: (request: LoggedRequest) => void,
): Promise<GoogleEmulator> {
  const settings = parseEmulatorOptions(options)
  const { clock } = settings
  return emulate(settings, await createTestIssuer({ clock }), answered)
}

/** Starts the emulator with the keys of an issuer. */
export async function emulate(
  settings: EmulatorSettings,
  issuer: TestIssuer,
  answered: (request: LoggedRequest) => void = () => undefined,
): Promise<GoogleEmulator> {
  const google = new EmulatorState(settings, issuer, answered)
  const app = await serve(google)
  google.url = await listen(app, settings)
  return {
    url: google.url,
    jwksUri: `${google.url}${JWKS_PATH}`,
    iapJwksUri: `${google.url}${IAP_JWKS_PATH}`,
    env: childEnvironment(google),
    serviceAccount: settings.serviceAccount,
    serviceAccountKey: (email) => serviceAccountKey(google, email),
    workloadIdentityConfig: (email, options = {}) => workloadIdentityConfig(google, email, options),
    subjectToken: async (email) => google.pool.subjectToken(parseEmail('email', email)),
    impersonatedCredentials: (email) => impersonatedCredentials(google, email),
    authorizedUser: (email, options = {}) => authorizedUser(google, email, options),
    idToken: google.idToken,
    iapAssertion: google.issuer.iapAssertion,
    push: pushSenders(google),
    rotateKeys: (options) => google.rotateKeys(options),
    denyTokenCreation: (email, options) => google.tokenCreation.deny(email, options),
    fault: (endpoint, fault) => google.faults.add(endpoint, fault),
    get requests() {
      return google.log.entries
    },
    close: async () => {
      await app.close()
      google.faults.close()
    },
  }
}

async function serve(google: EmulatorState): Promise<FastifyInstance> {
  const fastify = await loadFastify()
  const app = fastify({ forceCloseConnections: true })
  app.removeAllContentTypeParsers()
  // Google reads a body in the format that it expects, and ignores the content type.
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    done(null, body)
  })
  app.setErrorHandler(answerError)
  app.setNotFoundHandler(() => {
    throw new GoogleApiError(404, 'Requested entity was not found.')
  })
  app.addHook('onRequest', async (request, reply) => {
    const path = request.url.replace(/\?.*/s, '')
    google.log.add(request, path)
    await google.faults.apply(path, request, reply)
  })
  app.addHook('onResponse', async (request, reply) => {
    google.log.addStatus(request, reply.statusCode)
  })
  for (const endpoint of [
    serveCerts,
    serveIapCerts,
    serveTokenEndpoint,
    serveSts,
    serveIamCredentials,
    serveMetadata,
    serveTokeninfo,
  ]) {
    app.register((scope, _options, done) => {
      endpoint(scope, google)
      done()
    })
  }
  return app
}
