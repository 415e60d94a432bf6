/** What the files of Terraform in examples/cloud-run say, with their references resolved. */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const directory = new URL('../../examples/cloud-run/terraform/', import.meta.url)

/** A block: each nested block is a list of one or more. */
export type Block = Readonly<Record<string, unknown>>

/** Resources by type and name, with the values of variables, locals and accounts in them. */
export interface Terraform {
  readonly resource: (type: string, name: string) => Block
  readonly resources: (type: string) => readonly Block[]
  readonly output: (name: string) => string
}

type Named = Record<string, readonly Block[]>

/**
 * HCL as JSON: each block is in a list, and an expression is a string `${…}`. The package is not
 * imported, because its types have those of browsers with them, for the whole project.
 */
export const { parse: parseHcl } = createRequire(import.meta.url)('@cdktn/hcl2json') as {
  parse: (file: string, text: string) => Promise<unknown>
}

interface Configuration {
  readonly variable: Named
  readonly locals: readonly Block[]
  readonly resource: Record<string, Named>
  readonly output: Named
}

/** What resources have only once they are deployed. */
const COMPUTED: Record<string, (resource: Block, project: string) => string> = {
  'google_service_account.email': ({ account_id: id }, project) =>
    `${String(id)}@${project}.iam.gserviceaccount.com`,
  'google_cloud_run_v2_service.uri': ({ name }) => `https://${String(name)}.example`,
  'google_cloud_run_v2_service.project': (_service, project) => project,
}

/** Parses the files, and resolves what they refer to with these variables. */
export async function readTerraform(
  variables: Readonly<Record<string, string>>,
): Promise<Terraform> {
  const text = readdirSync(directory)
    .filter((file) => file.endsWith('.tf'))
    .map((file) => readFileSync(new URL(file, directory), 'utf8'))
    .join('\n')
  const files = (await parseHcl('main.tf', text)) as Configuration
  const given = { ...defaultsOf(files.variable), ...variables }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(files.variable, name)) throw new Error(`There is no variable ${name}`)
  }

  const valueOf = (reference: string): unknown => {
    const [kind = '', name = '', member = '', ...others] = reference.split('.')
    if (kind === 'var') return found(given[name], reference)
    if (kind === 'local') return found(resolved(files.locals[0]?.[name]), reference)
    const [resource] = found(files.resource[kind]?.[name], reference)
    if (resource === undefined || others.length > 0) throw new Error(`Unknown: ${reference}`)
    const computed = COMPUTED[`${kind}.${member}`]?.(resource, String(given.project))
    return computed ?? found(resolved(resource[member]), reference)
  }
  const resolved = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(resolved)
    if (typeof value === 'object' && value !== null) {
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, resolved(one)]))
    }
    if (typeof value !== 'string') return value
    const whole = /^\$\{([\w.]+)\}$/.exec(value)?.[1]
    if (whole !== undefined) return valueOf(whole)
    const text = value.replaceAll(/\$\{([\w.]+)\}/g, (_, one: string) => String(valueOf(one)))
    if (text.includes('${')) throw new Error(`More than a reference: ${value}`)
    return text
  }
  const resources = (type: string): [string, Block][] =>
    Object.entries(files.resource[type] ?? {}).map(([name, [block]]) => [
      name,
      resolved(block) as Block,
    ])
  return {
    resources: (type) => resources(type).map(([, block]) => block),
    resource: (type, name) => found(new Map(resources(type)).get(name), `${type}.${name}`),
    output: (name) => String(resolved(files.output[name]?.[0]?.value)),
  }
}

/** The one nested block of a name. */
export function nested(block: Block, ...names: readonly string[]): Block {
  return names.reduce((outer, name) => {
    const blocks = outer[name]
    if (!Array.isArray(blocks) || blocks.length !== 1) throw new Error(`not one block ${name}`)
    return blocks[0] as Block
  }, block)
}

/** The environment variables of the container of a service. */
export function environmentOf(service: Block): Record<string, string> {
  const { env } = nested(service, 'template', 'containers') as {
    env: readonly { name: string; value: string }[]
  }
  return Object.fromEntries(env.map(({ name, value }) => [name, value]))
}

function defaultsOf(variables: Named): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(variables).flatMap(([name, [block = {}]]) =>
      block.default === undefined ? [] : [[name, block.default]],
    ),
  )
}

function found<Value>(value: Value | undefined, name: string): Value {
  if (value === undefined) throw new Error(`Terraform has no ${name}`)
  return value
}
