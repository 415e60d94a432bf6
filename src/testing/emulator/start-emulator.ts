/** Google on loopback. */
import type { FastifyInstance } from 'fastify'
import { createTestIssuer, type TestIssuer } from '../test-issuer.ts'
import { JWKS_PATH, serveCerts } from './certs.ts'
import { childEnvironment } from './child-environment.ts'
import {
  authorizedUser,
  impersonatedCredentials,
  serviceAccountKey,
  workloadIdentityConfig,
  type AuthorizedUser,
  type AuthorizedUserOptions,
  type ImpersonatedCredentials,
  type ServiceAccountKeyFile,
  type WorkloadIdentityConfig,
  type WorkloadIdentityOptions,
} from './credentials.ts'
import { EmulatedGoogle } from './emulated-google.ts'
import { acceptEmulatorOptions, type GoogleEmulatorOptions } from './emulator-options.ts'
import type { FaultyEndpoint } from './endpoints.ts'
import type { Fault } from './faults.ts'
import { answerError, GoogleApiError } from './google-errors.ts'
import { serveIamCredentials } from './iam-credentials.ts'
import { listen } from './listen.ts'
import { serveMetadata } from './metadata-server.ts'
import type { LoggedRequest } from './request-log.ts'
import { serveSts } from './sts.ts'
import { serveTokenEndpoint } from './token-endpoint.ts'
import { serveTokeninfo } from './tokeninfo.ts'

/** Google as far as ID tokens need it, on one port. */
export interface GoogleEmulator {
  /** The base URL, without a slash at its end. */
  readonly url: string
  /** The keys as JWK set, for the option `jwksUri`. */
  readonly jwksUri: string
  /** What a child process needs in its environment to have this as its metadata server. */
  readonly env: Readonly<Record<string, string>>
  /** The account of the metadata server. */
  readonly serviceAccount: string
  /** A key file, whose assertions this emulator accepts. */
  readonly serviceAccountKey: (email: string) => ServiceAccountKeyFile
  /** Credentials for workload identity federation, as or for this account. */
  readonly workloadIdentityConfig: (
    email: string,
    options?: WorkloadIdentityOptions,
  ) => WorkloadIdentityConfig
  /** What a workload has to exchange, for a credential source that is a file. */
  readonly subjectToken: (email: string) => Promise<string>
  /** Credentials that impersonate this account. */
  readonly impersonatedCredentials: (email: string) => ImpersonatedCredentials
  /** A person's login. */
  readonly authorizedUser: (email: string, options?: AuthorizedUserOptions) => AuthorizedUser
  /** A token as `createTestIssuer` makes them, signed with the published key. */
  readonly idToken: TestIssuer['idToken']
  /** As `TestIssuer.rotateKeys`. */
  readonly rotateKeys: TestIssuer['rotateKeys']
  /**
   * Denies tokens of an account, as if the role were not granted: to all, or to one member as IAM
   * spells it. Without a denial, everyone may have the tokens of every account.
   *
   * @returns allows them again
   */
  readonly denyTokenCreation: (
    email: string,
    options?: { readonly member?: string | undefined },
  ) => () => void
  /**
   * Makes an endpoint fail; of several faults on one, the latest counts.
   *
   * @returns lifts the fault
   */
  readonly fault: (endpoint: FaultyEndpoint, fault: Fault) => () => void
  /** The latest requests so far, the oldest first, without their credentials. */
  readonly requests: readonly LoggedRequest[]
  /** Stops, and ends every connection. */
  readonly close: () => Promise<void>
}

/**
 * Starts Google on loopback: keys, token endpoint, STS, Service Account Credentials API, metadata
 * server and tokeninfo. Needs Fastify.
 *
 * @throws TypeError for a wrong option
 */
export async function startGoogleEmulator(
  options: GoogleEmulatorOptions = {},
): Promise<GoogleEmulator> {
  const settings = acceptEmulatorOptions(options)
  const { clock } = settings
  const google = new EmulatedGoogle(settings, await createTestIssuer({ clock }))
  const app = await serve(google)
  google.url = await listen(app, settings)
  return {
    url: google.url,
    jwksUri: `${google.url}${JWKS_PATH}`,
    env: childEnvironment(google),
    serviceAccount: settings.serviceAccount,
    serviceAccountKey: (email) => serviceAccountKey(google, email),
    workloadIdentityConfig: (email, options = {}) => workloadIdentityConfig(google, email, options),
    subjectToken: (email) => google.pool.subjectToken(email),
    impersonatedCredentials: (email) => impersonatedCredentials(google, email),
    authorizedUser: (email, options = {}) => authorizedUser(google, email, options),
    idToken: (token) => google.issuer.idToken(token),
    rotateKeys: (options) => google.rotateKeys(options),
    denyTokenCreation: (email, options) => google.tokenCreation.deny(email, options),
    fault: (endpoint, fault) => google.faults.add(endpoint, fault),
    get requests() {
      return google.log.entries
    },
    close: async () => {
      google.faults.close()
      await app.close()
    },
  }
}

async function serve(google: EmulatedGoogle): Promise<FastifyInstance> {
  // Whoever wants test tokens alone need not have it.
  const { default: fastify } = await import('fastify')
  const app = fastify({ forceCloseConnections: true })
  app.removeAllContentTypeParsers()
  // Google reads a body as what it expects, whatever the content type says.
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
