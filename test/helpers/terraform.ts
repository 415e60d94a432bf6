/** What the files of Terraform in examples/cloud-run say, with their references resolved. */
import { readdirSync, readFileSync } from 'node:fs'
import { parse } from '@cdktn/hcl2json'

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

/** The files as JSON (https://github.com/open-constructs/cdk-terrain/tree/main/packages/%40cdktn/hcl2json). */
interface Configuration {
  readonly variable: Named
  readonly locals: readonly Block[]
  readonly resource: Record<string, Named>
  readonly output: Named
}

/** Parses the files, and resolves what they refer to with these variables. */
export async function readTerraform(
  variables: Readonly<Record<string, string>>,
): Promise<Terraform> {
  const text = readdirSync(directory)
    .filter((file) => file.endsWith('.tf'))
    .map((file) => readFileSync(new URL(file, directory), 'utf8'))
    .join('\n')
  const files = (await parse('main.tf', text)) as unknown as Configuration
  const given = { ...defaultsOf(files.variable), ...variables }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(files.variable, name)) throw new Error(`There is no variable ${name}`)
  }

  const valueOf = (reference: string): unknown => {
    const [kind = '', type = '', name = '', ...others] = reference.split('.')
    if (kind === 'var') return found(given[type], reference)
    if (kind === 'local') return found(resolved(files.locals[0]?.[type]), reference)
    const [resource] = files.resource[kind]?.[type] ?? []
    if (resource === undefined || others.length > 0) throw new Error(`Unknown: ${reference}`)
    if (kind === 'google_service_account' && name === 'email') {
      return `${String(resource.account_id)}@${given.project ?? ''}.iam.gserviceaccount.com`
    }
    // What is known only once it is deployed.
    if (name === 'uri') return `https://${String(resource.name)}.example`
    if (name === 'project') return given.project
    return found(resolved(resource[name]), reference)
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
