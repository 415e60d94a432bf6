import { gcloudCommands, terraformResource, type Service } from '../bindings.ts'
import { agrees, comparePolicy, invokersIn, type PolicyDifferences } from './invoker-policy.ts'
import { impliedInvokers, type ImpliedInvokers } from './invokers.ts'
import { printJson, printLines, styleOn, UsageError, type Io } from '../io.ts'
import { listedRoutes } from '../listed-callers.ts'
import { quoted } from '../quoted.ts'
import { defineVerb } from '../verb.ts'

/** From lists of callers to the bindings of Cloud Run's IAM check. */
export const iam = defineVerb(
  {
    name: 'iam',
    summary: 'prints or checks the roles/run.invoker bindings that the lists of callers imply',
    about: [
      'A caller that is in a list needs the role too, if the IAM check of the service is on. A binding is for a whole service and a list is for a route, so a member of a binding is in the list of at least one route.',
      'With --check, the policy of the service is compared with the lists, both ways. That policy does not show what members inherit from the project, the folder or the organization, nor the members of groups.',
    ],
    options: {
      callers: {
        type: 'string',
        required: true,
        value: 'FILE|-',
        about: 'the JSON of listAllowedCallers()',
      },
      service: { type: 'string', value: 'NAME', about: 'the service on Cloud Run' },
      region: { type: 'string', value: 'REGION', about: 'its region' },
      project: { type: 'string', value: 'PROJECT', about: 'the id of its project' },
      format: {
        type: 'string',
        value: 'gcloud|terraform',
        about: 'how bindings are printed; default gcloud',
      },
      check: {
        type: 'string',
        value: 'FILE|-',
        about:
          'the output of gcloud run services get-iam-policy --format=json, to compare with; --service, --region, --project and --format are not needed then',
      },
    },
    examples: [
      [
        'npx fastify-google-id-token iam --callers callers.json \\',
        '  --service orders --region europe-west1 --project shop-prod',
      ].join('\n'),
      [
        'gcloud run services get-iam-policy orders --region=europe-west1 --format=json |',
        '  npx fastify-google-id-token iam --callers callers.json --check -',
      ].join('\n'),
    ],
    exits: [
      'bindings are printed; with --check, policy and lists agree',
      'with --check, a difference',
    ],
  },
  async ({ values }, io) => {
    if (values.callers === '-' && values.check === '-') {
      throw new UsageError('Only one of --callers and --check can be standard input')
    }
    const format = values.format ?? 'gcloud'
    if (format !== 'gcloud' && format !== 'terraform') {
      throw new UsageError(
        `Option --format is ${JSON.stringify(format)}; accepted: gcloud or terraform`,
      )
    }
    const implied = impliedInvokers(await listedRoutes(io, values.callers))
    if (values.check !== undefined) {
      const differences = comparePolicy(implied, await invokersIn(io, values.check))
      if (values.json) printJson(io, { ...differences, ...notesForJson(implied) })
      else printLines(io.stdout, [...checkLines(io, differences), ...remarks(implied)])
      return agrees(differences) ? 0 : 1
    }
    const service = serviceOf(values)
    const { members } = implied
    const print = format === 'gcloud' ? gcloudCommands : terraformResource
    if (values.json) {
      printJson(io, { ...service, role: 'roles/run.invoker', members, ...notesForJson(implied) })
    } else printLines(io.stdout, [...print(service, members), ...remarks(implied)])
    return 0
  },
)

/** They become parts of commands and of code. */
const NAMES = {
  service: /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
  region: /^[a-z]+-[a-z]+[0-9]+$/,
  project: /^[a-z0-9][a-z0-9.:-]*$/,
} as const

function serviceOf(values: Readonly<Partial<Record<keyof Service, string | undefined>>>): Service {
  const parse = (name: keyof Service): string => {
    const value = values[name]
    if (value !== undefined && NAMES[name].test(value)) return value
    throw new UsageError(
      `Option --${name} is ${value === undefined ? 'missing' : JSON.stringify(value)}; accepted: the ${name} as Google spells it`,
    )
  }
  return { service: parse('service'), region: parse('region'), project: parse('project') }
}

function notesForJson({ withoutBinding, notes }: ImpliedInvokers): object {
  return { withoutBinding, notes }
}

/** As comments: the output is pasted into a shell, or into a file of Terraform. */
function remarks({ withoutBinding, notes }: ImpliedInvokers): string[] {
  return [
    ...withoutBinding.map(({ entry, reason }) => `# No binding for ${quoted(entry)}: ${reason}`),
    ...notes.map((note) => `# ${note}`),
  ]
}

const MEANS: Readonly<Record<string, string>> = {
  allUsers: 'anyone on the Internet, without any token. The IAM check keeps out nobody',
  allAuthenticatedUsers:
    'anyone with any Google account. The IAM check keeps out only requests without a token',
}

function checkLines(io: Io, differences: PolicyDifferences): string[] {
  const style = styleOn(io, io.stdout)
  const { everyone, onlyInPolicy, onlyInLists, conditional } = differences
  return [
    ...everyone.map((member) => style('red', `!!! ${member} may call: ${String(MEANS[member])}.`)),
    ...onlyInPolicy.map((member) => `${style('red', 'only in IAM')}    ${quoted(member)}`),
    ...onlyInLists.map((member) => `${style('yellow', 'only in lists')}  ${quoted(member)}`),
    ...conditional.map((member) => `${style('yellow', 'conditional')}    ${quoted(member)}`),
    ...(agrees(differences) ? [style('green', 'The policy and the lists agree.')] : []),
  ]
}
