import { parseNames, invalidOption } from '../../checks/invalid-option.ts'
import type { AllowedCaller } from '../../policy/allowed-callers.ts'
import { isLoopback } from '../../checks/secure-url.ts'
import type { JwkSet } from '../../verifier/key-options.ts'
import { parseVerifierOptions } from '../../verifier/verifier-options.ts'
import { parseBoolean, parseHost, parsePort } from '../../checks/parse-options.ts'
import {
  parseIapFrontend,
  type IapFrontendOptions,
  type IapSettings,
} from './iap-frontend-options.ts'
import { parseInvokers, type Invokers } from './invokers.ts'

/** Options of `startCloudRunFrontend`. */
export interface CloudRunFrontendOptions {
  /** The service behind it: an http URL on a loopback host, without a path. */
  target: string
  /**
   * The URLs of the service and its custom audiences, as for the plugin. Required, unless the IAM
   * check is off (`allowUnauthenticated`, or `allUsers` in `invokers`).
   */
  audience?: string | readonly string[] | undefined
  /**
   * Who has `roles/run.invoker`, as IAM spells it: `serviceAccount:EMAIL`, `user:EMAIL`,
   * `allAuthenticatedUsers`, `allUsers`; and what `allowedCallers` takes. With `allUsers` the IAM
   * check is off. Required, except with `allowUnauthenticated`, and with `iap`, where it is refused.
   */
  invokers?: readonly AllowedCaller[] | undefined
  /** Where the keys are fetched: `jwksUri` of the emulator. Default: Google's. */
  jwksUri?: string | undefined
  /** Hosts to which http is accepted in `jwksUri`, as for the plugin. Default: none. */
  allowHttpHosts?: readonly string[] | undefined
  /** A static key set instead: `jwks` of a test issuer. Not together with `jwksUri`. */
  jwks?: JwkSet | undefined
  /**
   * Puts Identity-Aware Proxy before the service. IAP's service agent is then the only invoker: not
   * together with `invokers` and `allowUnauthenticated`. Needs `audience`. Default: none.
   */
  iap?: IapFrontendOptions | undefined
  /** Turns the IAM check off, as `--allow-unauthenticated` does. Default `false`. */
  allowUnauthenticated?: boolean | undefined
  /** Default 0: any free port. */
  port?: number | undefined
  /** Default `127.0.0.1`. */
  host?: string | undefined
  /**
   * Lets it listen on other addresses than loopback. It speaks plain http, so the tokens on the way
   * to it can be read. Default `false`.
   */
  allowRemote?: boolean | undefined
  /** The clock that says whether a token has expired. Default: the system's. */
  clock?: (() => Date) | undefined
}

/** Parsed options. */
export interface FrontendSettings {
  readonly target: URL
  /** `null`: anyone, because the IAM check is off; or the members of `iap` instead. */
  readonly invokers: Invokers | null
  /** `null`: there is no IAP before the service. */
  readonly iap: IapSettings | null
  readonly port: number
  readonly host: string
}

const NAMES = [
  'target',
  'audience',
  'invokers',
  'jwksUri',
  'allowHttpHosts',
  'jwks',
  'iap',
  'allowUnauthenticated',
  'port',
  'host',
  'allowRemote',
  'clock',
]

/**
 * Checks every option.
 *
 * @throws TypeError naming what is wrong
 */
export function parseFrontendOptions(value: unknown): FrontendSettings {
  const options = parseNames('options', value, NAMES)
  const { target, allowUnauthenticated = false, port = 0 } = options
  const isOpen = parseBoolean('allowUnauthenticated', allowUnauthenticated)
  const [serviceAudience] = [options.audience].flat()
  const iap = parseIapFrontend(options.iap, String(serviceAudience))
  if (iap !== null) assertIapAlone(options, isOpen)
  const needsInvokers = !isOpen && iap === null
  const settings = {
    target: parseTarget(target),
    invokers:
      needsInvokers || options.invokers !== undefined
        ? parseInvokers('invokers', options.invokers)
        : null,
    port: parsePort(port),
    host: parseHost(options),
  }
  checkVerifierOptions(options, needsInvokers ? settings.invokers === null : isOpen)
  return { ...settings, invokers: isOpen ? null : settings.invokers, iap }
}

/** Behind IAP nobody else may invoke the service: they would reach it without passing IAP. */
function assertIapAlone({ invokers }: Readonly<Record<string, unknown>>, isOpen: boolean): void {
  if (invokers !== undefined) throw invalidOption('invokers', invokers, NOT_BESIDE_IAP)
  if (isOpen) throw invalidOption('allowUnauthenticated', true, NOT_BESIDE_IAP)
}

const NOT_BESIDE_IAP = 'nothing beside iap: iap.members says who may pass'

/** Checked by the rules of the verifier, even if the IAM check is off and no verifier is used. */
function checkVerifierOptions(
  { audience, jwksUri, allowHttpHosts, jwks, clock }: Readonly<Record<string, unknown>>,
  isOpen: boolean,
): void {
  const unused = 'https://audience-is-not-needed.example'
  const needed = audience === undefined && isOpen ? unused : audience
  parseVerifierOptions({ audience: needed, jwksUri, allowHttpHosts, jwks, clock })
}

function parseTarget(value: unknown): URL {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null
  if (url !== null && url.href === `${url.origin}/` && isLocal(url)) return url
  throw invalidOption('target', value, 'an http URL on a loopback host, without a path')
}

function isLocal({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && isLoopback(hostname)
}
