/** `iam --format terraform`, as a parser of HCL reads it. */
import t from 'tap'
import { runVerb } from '../helpers/command-line.ts'
import { parseHcl } from '../helpers/terraform.ts'

const ACCOUNTS = [
  'order-service-2@shop-prod.iam.gserviceaccount.com',
  'orders@shop-prod.example.com.iam.gserviceaccount.com',
  '123456789012-compute@developer.gserviceaccount.com',
  '123456789012@cloudbuild.gserviceaccount.com',
  'shop-prod@appspot.gserviceaccount.com',
  'example.com:shop-prod@appspot.gserviceaccount.com',
  'service-123456789012@gcp-sa-pubsub.iam.gserviceaccount.com',
  'chat@system.gserviceaccount.com',
]
/** Quotes of HCL, the beginnings of its templates, and a character that nobody sees. */
const PERSONS = [
  "o'brien#1@example.com",
  'a${b}@example.com',
  'a$${b}@example.com',
  'a%{if}@example.com',
  'a%%{if}@example.com',
  'a\u200bb@example.com',
  'ü//x@example.com',
]

const rowsOf = (allowedCallers: readonly unknown[]): object[] => [
  { method: 'GET', url: '/a', access: 'callers', allowedCallers: allowedCallers.slice(1) },
  { method: 'POST', url: '/b"\n', access: 'optional', allowedCallers: allowedCallers.slice(0, 3) },
]

interface Resource {
  readonly for_each: string
}

/** The one resource that is printed. */
async function resourceFor(
  allowedCallers: readonly unknown[],
  project: string,
): Promise<{ name: string; resource: Resource }> {
  const options = ['--service', 'order-service', '--region', 'europe-west1', '--project', project]
  const { code, stdout } = await runVerb(
    ['iam', '--callers', '-', ...options, '--format', 'terraform'],
    { stdin: JSON.stringify(rowsOf(allowedCallers)) },
  )
  t.equal(code, 0)
  const { resource, ...others } = (await parseHcl('main.tf', stdout)) as {
    resource: Record<string, Record<string, readonly Resource[]>>
  }
  t.strictSame(others, {}, 'nothing but resources')
  t.strictSame(Object.keys(resource), ['google_cloud_run_v2_service_iam_member'])
  const [[name, blocks] = ['', []], ...more] = Object.entries(
    resource.google_cloud_run_v2_service_iam_member ?? {},
  )
  t.equal(more.length, 0)
  t.equal(blocks.length, 1)
  return { name, resource: blocks[0] as Resource }
}

/**
 * The strings of the set. The parser gives an expression as it was written, so its list is parsed
 * again. `$${` and `%%{` stay as they are: strings of Terraform's JSON are templates too
 * (https://developer.hashicorp.com/terraform/language/expressions/strings#escape-sequences).
 */
async function membersOf(set: string): Promise<readonly string[]> {
  const list = /^\$\{toset\((\[.*\])\)\}$/s.exec(set)?.[1] ?? ''
  const { locals } = (await parseHcl('members.tf', `locals {\n  members = ${list}\n}\n`)) as {
    locals: readonly [{ members: readonly string[] }]
  }
  return locals[0].members.map((member) => {
    t.notMatch(member.replaceAll(/\$\$\{|%%\{/g, ''), /[$%]\{/, 'no template')
    return member.replaceAll(/([$%])\1\{/g, '$1{')
  })
}

for (const project of ['shop-prod', 'example.com:shop-prod']) {
  t.test(`one resource with every member, in the project ${project}`, async (t) => {
    const callers = [...ACCOUNTS, ...PERSONS.map((email) => ({ email }))]
    const { name, resource } = await resourceFor(callers, project)
    t.equal(name, 'order-service_invokers')
    const { for_each: set, ...others } = resource
    t.strictSame(others, {
      project,
      location: 'europe-west1',
      name: 'order-service',
      role: 'roles/run.invoker',
      member: '${each.value}',
    })
    t.strictSame(
      await membersOf(set),
      [
        ...ACCOUNTS.map((email) => `serviceAccount:${email}`),
        ...PERSONS.map((email) => `user:${email}`),
      ].sort(),
    )
  })
}

t.test('lists that no binding can stand for are an empty set', async (t) => {
  const { resource } = await resourceFor(['112233445566778899001'], 'shop-prod')
  t.strictSame(await membersOf(resource.for_each), [])
})
