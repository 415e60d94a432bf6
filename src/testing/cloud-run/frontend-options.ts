import { acceptNames, invalidOption } from '../../options/invalid-option.ts'
import { isLoopback } from '../../options/secure-url.ts'
import type { JwkSet } from '../../options/verifier-options.ts'
import { acceptHost, acceptPort } from '../emulator/emulator-options.ts'
import { acceptInvokers, type Invokers } from './invokers.ts'

/** Options of `startCloudRunFrontend`. */
export interface CloudRunFrontendOptions {
  /** The service behind it: an http URL on a loopback host, without a path. */
  target: string
  /**
   * The URLs of the service and its custom audiences, as for the plugin. Required, except with
   * `allowUnauthenticated`.
   */
  audience?: string | readonly string[] | undefined
  /**
   * Who has `roles/run.invoker`, as IAM spells it: `serviceAccount:EMAIL`, `user:EMAIL`,
   * `allAuthenticatedUsers`, `allUsers`; and what `allowedCallers` takes. With `allUsers` the IAM
   * check is off. Required, except with `allowUnauthenticated`.
   */
  invokers?: readonly (string | { readonly email: string })[] | undefined
  /** The keys that tokens are verified with: `jwksUri` of the emulator. Default: Google's. */
  jwksUri?: string | undefined
  /** The same as a static key set: `jwks` of a test issuer. Not together with `jwksUri`. */
  jwks?: JwkSet | undefined
  /** Turns the IAM check off, as `--allow-unauthenticated` does. Default `false`. */
  allowUnauthenticated?: boolean | undefined
  /** Default 0: any free port. */
  port?: number | undefined
  /** Default `127.0.0.1`. */
  host?: string | undefined
  /**
   * Lets it listen elsewhere than on loopback. It speaks plain http, so the tokens on the way to it
   * can be read. Default `false`.
   */
  allowRemote?: boolean | undefined
  /** The time by which tokens expire. Default: the system's. */
  clock?: (() => Date) | undefined
}

/** Judged options. */
export interface FrontendSettings {
  readonly target: URL
  /** `null`: anyone, the IAM check is off. */
  readonly invokers: Invokers | null
  readonly port: number
  readonly host: string
}

const NAMES = [
  'target',
  'audience',
  'invokers',
  'jwksUri',
  'jwks',
  'allowUnauthenticated',
  'port',
  'host',
  'allowRemote',
  'clock',
]

/**
 * Judges what the front end itself needs; `audience`, the keys and the clock are the verifier's.
 *
 * @throws TypeError naming what is wrong
 */
export function acceptFrontendOptions(options: CloudRunFrontendOptions): FrontendSettings {
  acceptNames('options', options, NAMES)
  const { target, invokers, allowUnauthenticated = false, port = 0 } = options
  if (typeof allowUnauthenticated !== 'boolean') {
    throw invalidOption('allowUnauthenticated', allowUnauthenticated, 'true or false')
  }
  return {
    target: acceptTarget(target),
    invokers: allowUnauthenticated ? null : acceptInvokers(invokers),
    port: acceptPort(port),
    host: acceptHost(options),
  }
}

function acceptTarget(value: unknown): URL {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null
  if (url !== null && url.href === `${url.origin}/` && isLocal(url)) return url
  throw invalidOption('target', value, 'an http URL on a loopback host, without a path')
}

function isLocal({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && isLoopback(hostname)
}
