import { acceptNames, invalidOption } from '../../options/invalid-option.ts'
import { isLoopback } from '../../options/secure-url.ts'
import { acceptEmail } from './service-accounts.ts'

/** Options of `startGoogleEmulator`. */
export interface GoogleEmulatorOptions {
  /** The port that it listens on. Default 0: any free one. */
  port?: number | undefined
  /** The address that it listens on. Default `127.0.0.1`. */
  host?: string | undefined
  /**
   * Lets it listen elsewhere than on loopback. Whoever can reach it gets tokens of any account.
   * Default `false`.
   */
  allowRemote?: boolean | undefined
  /** The account of the metadata server. Default: the project's Compute Engine account. */
  serviceAccount?: string | undefined
  /** The project's id. Default: that of the service account, or `emulator-project`. */
  projectId?: string | undefined
  /** The project's number. Default 123456789012. */
  projectNumber?: number | undefined
  /**
   * Whose metadata server it is: only a virtual machine (`compute-engine`) tells of itself in its
   * tokens. Default `cloud-run`.
   */
  platform?: 'cloud-run' | 'compute-engine' | undefined
  /** What `organizationNumberIncluded` asks for. Default: the project is in none. */
  organizationNumber?: number | undefined
  /** Seconds that its ID tokens last. Google's last an hour. Default 3600. */
  idTokenLifetime?: number | undefined
  /** The time of everything but delays. Default: the system's. */
  clock?: (() => Date) | undefined
}

/** The same, with nothing left out. */
export interface EmulatorSettings {
  readonly port: number
  readonly host: string
  readonly serviceAccount: string
  readonly projectId: string
  readonly projectNumber: number
  readonly platform: 'cloud-run' | 'compute-engine'
  readonly organizationNumber: number | null
  readonly idTokenLifetime: number
  readonly clock: () => Date
}

const NAMES = [
  'port',
  'host',
  'allowRemote',
  'serviceAccount',
  'projectId',
  'projectNumber',
  'platform',
  'organizationNumber',
  'idTokenLifetime',
  'clock',
]

const LARGEST_PORT = 65_535

/** @throws TypeError naming what is wrong */
export function acceptEmulatorOptions(options: GoogleEmulatorOptions): EmulatorSettings {
  acceptNames('options', options, NAMES)
  const {
    port = 0,
    projectNumber = 123456789012,
    serviceAccount = `${projectNumber}-compute@developer.gserviceaccount.com`,
    projectId = projectOf(serviceAccount) ?? 'emulator-project',
    platform = 'cloud-run',
    organizationNumber = null,
    idTokenLifetime = 3600,
    clock = () => new Date(),
  } = options
  return {
    port: acceptPort(port),
    host: acceptHost(options),
    serviceAccount: acceptEmail('serviceAccount', serviceAccount),
    projectId,
    projectNumber,
    platform: acceptPlatform(platform),
    organizationNumber,
    idTokenLifetime: acceptLifetime(idTokenLifetime),
    clock,
  }
}

/** @throws TypeError naming the option */
export function acceptPort(port: number): number {
  if (Number.isInteger(port) && port >= 0 && port <= LARGEST_PORT) return port
  throw invalidOption('port', port, `an integer from 0 to ${LARGEST_PORT}`)
}

/** A day: what verifiers take at most, unless they are told otherwise. */
const LONGEST_LIFETIME = 86_400

function acceptLifetime(seconds: number): number {
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= LONGEST_LIFETIME) return seconds
  throw invalidOption(
    'idTokenLifetime',
    seconds,
    `an integer of seconds from 1 to ${LONGEST_LIFETIME}`,
  )
}

/** The project of an account that somebody made in it. */
export function projectOf(email: string): string | undefined {
  return /@(.+)\.iam\.gserviceaccount\.com$/.exec(email)?.[1]
}

/** @throws TypeError naming the option */
export function acceptHost({
  host = '127.0.0.1',
  allowRemote = false,
}: Pick<GoogleEmulatorOptions, 'host' | 'allowRemote'>): string {
  if (isLoopback(host) || allowRemote) return host
  throw invalidOption('host', host, 'a loopback host, or any with allowRemote: true')
}

function acceptPlatform(platform: unknown): EmulatorSettings['platform'] {
  if (platform === 'cloud-run' || platform === 'compute-engine') return platform
  throw invalidOption('platform', platform, 'cloud-run or compute-engine')
}
