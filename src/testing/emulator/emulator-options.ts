import { parseNames, invalidOption } from '../../checks/invalid-option.ts'
import {
  parseDateClock,
  parseEmail,
  parseHost,
  parseInteger,
  parsePort,
} from '../../checks/parse-options.ts'

/** Options of `startGoogleEmulator`. */
export interface GoogleEmulatorOptions {
  /** The port that it listens on. Default 0: any free port. */
  port?: number | undefined
  /** The address that it listens on. Default `127.0.0.1`. */
  host?: string | undefined
  /**
   * Lets it listen on other addresses than loopback. Everyone who can reach it gets tokens of any
   * account. Default `false`.
   */
  allowRemote?: boolean | undefined
  /** The account of the metadata server. Default: the project's Compute Engine account. */
  serviceAccount?: string | undefined
  /** The project's id. Default: that of the service account, or `emulator-project`. */
  projectId?: string | undefined
  /** The project's number. Default 123456789012. */
  projectNumber?: number | undefined
  /**
   * The platform of the metadata server. Only the tokens of a virtual machine (`compute-engine`)
   * describe the machine. Default `cloud-run`.
   */
  platform?: 'cloud-run' | 'compute-engine' | undefined
  /**
   * The number that `organizationNumberIncluded` adds to tokens. Default: the project is in no
   * organization.
   */
  organizationNumber?: number | undefined
  /** The lifetime of its ID tokens, in seconds. Google's last an hour. Default 3600. */
  idTokenLifetime?: number | undefined
  /** The time for everything except delays. Default: the system's. */
  clock?: (() => Date) | undefined
}

/** Parsed options, with every default filled in. */
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

/** A day: the default maximum of verifiers. */
const LONGEST_LIFETIME = 86_400
/** https://cloud.google.com/resource-manager/docs/creating-managing-projects; old ones have a domain. */
const PROJECT_ID = /^[a-z\d][a-z\d.:-]*$/

/**
 * Checks every option.
 *
 * @throws TypeError naming what is wrong
 */
export function parseEmulatorOptions(value: unknown): EmulatorSettings {
  const options = parseNames('options', value, NAMES)
  const { projectNumber: numberOfProject = 123456789012 } = options
  const projectNumber = parseNumberOf('projectNumber', numberOfProject)
  const {
    port = 0,
    serviceAccount = `${projectNumber}-compute@developer.gserviceaccount.com`,
    platform = 'cloud-run',
    organizationNumber,
    idTokenLifetime = 3600,
  } = options
  const account = parseEmail('serviceAccount', serviceAccount)
  return {
    port: parsePort(port),
    host: parseHost(options),
    serviceAccount: account,
    projectId:
      options.projectId === undefined
        ? (projectOf(account) ?? 'emulator-project')
        : parseProjectId(options.projectId),
    projectNumber,
    platform: parsePlatform(platform),
    organizationNumber:
      organizationNumber === undefined
        ? null
        : parseNumberOf('organizationNumber', organizationNumber),
    idTokenLifetime: parseInteger('idTokenLifetime', idTokenLifetime, {
      min: 1,
      max: LONGEST_LIFETIME,
      of: ' of seconds',
    }),
    clock: parseDateClock(options.clock),
  }
}

/** The number of a project or an organization. */
function parseNumberOf(name: string, value: unknown): number {
  return parseInteger(name, value, { min: 1 })
}

function parseProjectId(value: unknown): string {
  if (typeof value === 'string' && PROJECT_ID.test(value)) return value
  throw invalidOption('projectId', value, 'the id of a project, such as shop-prod')
}

function parsePlatform(platform: unknown): EmulatorSettings['platform'] {
  if (platform === 'cloud-run' || platform === 'compute-engine') return platform
  throw invalidOption('platform', platform, 'cloud-run or compute-engine')
}

/** The project of a user-managed account. */
export function projectOf(email: string): string | undefined {
  return /@(.+)\.iam\.gserviceaccount\.com$/.exec(email)?.[1]
}
