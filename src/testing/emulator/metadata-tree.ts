/** The content of a metadata server, as directories and values. */
import { CLOUD_PLATFORM } from './access-tokens.ts'
import type { EmulatorSettings } from './emulator-options.ts'

/** A value of the metadata server; `null` is one that is made on request. */
export type MetadataEntry = string | number | readonly string[] | MetadataDirectory | null

/** Names, as in the paths. */
export interface MetadataDirectory {
  readonly [name: string]: MetadataEntry
}

const REGION = 'us-central1'
const INSTANCE_ID = 4520031799277581

/** The whole tree of the metadata server of a service or of a virtual machine. */
export function metadataTree(settings: EmulatorSettings): MetadataDirectory {
  const { serviceAccount, projectId, projectNumber, platform } = settings
  const project = `projects/${projectNumber}`
  const account = {
    aliases: ['default'],
    email: serviceAccount,
    identity: null,
    scopes: [CLOUD_PLATFORM, 'https://www.googleapis.com/auth/userinfo.email'],
    token: null,
  }
  return {
    computeMetadata: {
      v1: {
        instance: {
          ...(platform === 'compute-engine'
            ? virtualMachine(settings)
            : { id: '00a1b2c3d4', region: `${project}/regions/${REGION}` }),
          'service-accounts': { default: account, [serviceAccount]: account },
          zone: `${project}/zones/${zone(settings)}`,
        },
        project: { 'numeric-project-id': projectNumber, 'project-id': projectId },
        universe: { 'universe-domain': 'googleapis.com' },
      },
    },
  }
}

/** `google.compute_engine` of a virtual machine's tokens; `undefined` on other platforms. */
export function computeEngineClaim(
  settings: EmulatorSettings,
  createdAt: number,
): Record<string, unknown> | undefined {
  if (settings.platform !== 'compute-engine') return undefined
  return {
    instance_creation_timestamp: createdAt,
    instance_id: String(INSTANCE_ID),
    instance_name: 'emulator-1',
    project_id: settings.projectId,
    project_number: settings.projectNumber,
    zone: zone(settings),
  }
}

function virtualMachine({ projectId, projectNumber }: EmulatorSettings): MetadataDirectory {
  return {
    attributes: {},
    hostname: `emulator-1.${REGION}-a.c.${projectId}.internal`,
    id: INSTANCE_ID,
    'machine-type': `projects/${projectNumber}/machineTypes/e2-medium`,
    name: 'emulator-1',
  }
}

/** On Cloud Run, the zone is the region and `-1`, which is no real zone. */
function zone({ platform }: EmulatorSettings): string {
  return platform === 'compute-engine' ? `${REGION}-a` : `${REGION}-1`
}

/** The entry at a path of names. */
export function entryAt(
  tree: MetadataDirectory,
  names: readonly string[],
): MetadataEntry | undefined {
  let entry: MetadataEntry | undefined = tree
  for (const name of names) {
    if (entry === undefined || !isDirectory(entry) || !Object.hasOwn(entry, name)) return undefined
    entry = entry[name]
  }
  return entry
}

/** Whether the entry is a directory. */
export function isDirectory(entry: MetadataEntry): entry is MetadataDirectory {
  return typeof entry === 'object' && entry !== null && !Array.isArray(entry)
}

/** A directory as the list of its names, or a value. */
export function listed(entry: Exclude<MetadataEntry, null>): string | number | readonly string[] {
  if (!isDirectory(entry)) return entry
  const names = Object.keys(entry).sort()
  return names.map((name) => (isDirectory(entry[name] as MetadataEntry) ? `${name}/` : name))
}

/** The same, as text. */
export function asText(entry: Exclude<MetadataEntry, null>): string {
  const list = listed(entry)
  return typeof list === 'object' ? lines(list) : String(list)
}

/** The answer to `recursive=true` with `alt=text`: a line for each value, with its path first. */
export function asRecursiveText(entry: MetadataEntry, path = ''): string {
  if (entry === null) return ''
  if (isDirectory(entry)) {
    return Object.keys(entry)
      .sort()
      .map((name) => asRecursiveText(entry[name] as MetadataEntry, `${path}/${name}`))
      .join('')
  }
  const values = typeof entry === 'object' ? entry : [String(entry)]
  return lines(values.map((value) => `${path} ${value}`.replace(/^[/ ]/, '')))
}

function lines(values: readonly string[]): string {
  return values.map((value) => `${value}\n`).join('')
}

/**
 * A directory with everything in it, for `recursive=true`, without the values that are made on
 * request.
 */
export function asJson(entry: MetadataEntry): unknown {
  if (!isDirectory(entry)) return entry
  return Object.fromEntries(
    Object.entries(entry)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [camelCase(name), asJson(value)]),
  )
}

/** `service-accounts` becomes `serviceAccounts`; an email does not change. */
function camelCase(name: string): string {
  if (name.includes('@')) return name
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())
}
