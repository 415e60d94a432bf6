/** The page about deploying, and the files of examples/cloud-run, say the same. */
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { nested, readTerraform, environmentOf } from '../helpers/terraform.ts'
import { blocksIn, textOf } from './blocks.ts'

const SERVICES = ['search', 'user-profiles'] as const
const TERRAFORM = ['versions', 'variables', 'main', 'alerts', 'outputs'] as const
const LANGUAGES = ['ts', 'json', 'dockerfile', 'hcl', 'sh', 'text']
const SERVICE = 'google_cloud_run_v2_service'
const folder = 'examples/cloud-run'
const page = textOf('docs/deploying.md')
const blocks = blocksIn(page)
const commands = blocks
  .filter(({ language }) => language === 'sh')
  .flatMap(({ code }) => code.replaceAll(' \\\n', '').trim().split('\n'))
  .map((line) => line.replaceAll(/ +/g, ' '))
const imageOf = (service: string): string =>
  `europe-west1-docker.pkg.dev/shop-prod/shop/${service}:1`
const terraform = await readTerraform({
  project: 'shop-prod',
  search_image: imageOf('search'),
  user_profiles_image: imageOf('user-profiles'),
})
const deployed = (name: string) => terraform.resource(SERVICE, name.replace('-', '_'))

/** The one command that begins like this. */
function commandOf(start: string): string {
  const [command, ...others] = commands.filter((one) => one.startsWith(`gcloud ${start}`))
  if (command === undefined || others.length > 0) throw new Error(`not one gcloud ${start}`)
  return command
}

/** The flags of a command, with their values. */
function flagsOf(command: string): Record<string, string | true> {
  const flags = command.matchAll(/ --(?<name>[a-z-]+)(?:=(?<value>'[^']*'|(?:"[^"]*"|[^ "])+))?/g)
  return Object.fromEntries(
    [...flags].map(({ groups = {} }) => [
      groups.name,
      groups.value?.replaceAll(/^['"]|['"]$/g, '') ?? true,
    ]),
  )
}

t.test('the account of a service, and who else calls, is an account that Google accepts', (t) => {
  // https://cloud.google.com/iam/docs/service-accounts-create
  const ids = terraform.resources('google_service_account').map(({ account_id: id }) => String(id))
  for (const id of ids) t.match(id, /^[a-z][-a-z0-9]{4,28}[a-z0-9]$/)
  t.same(
    commands.flatMap((one) => /^gcloud iam service-accounts create (\S+)$/.exec(one)?.[1] ?? []),
    ids,
  )
  const services = SERVICES.map((name) => nested(deployed(name), 'template').service_account)
  t.equal(new Set(services).size, SERVICES.length, 'each service has its own')
  t.end()
})

t.test('gcloud deploys what Terraform deploys', (t) => {
  const ingress: Record<string, string> = { INGRESS_TRAFFIC_ALL: 'all' }
  for (const name of SERVICES) {
    const service = deployed(name)
    const { template, containers } = {
      template: nested(service, 'template'),
      containers: nested(service, 'template', 'containers'),
    }
    const flags = flagsOf(commandOf(`run deploy ${name} `))
    t.equal(flags.region, service.location)
    t.equal(flags.image, containers.image)
    t.equal(flags['service-account'], template.service_account)
    t.equal(flags.ingress, ingress[String(service.ingress)])
    t.equal(flags['no-invoker-iam-check'] ?? false, service.invoker_iam_disabled)
    t.equal(flags['invoker-iam-check'] ?? false, !service.invoker_iam_disabled)
    t.equal(
      flags['add-custom-audiences'],
      (service.custom_audiences as string[] | undefined)?.join(),
    )
    const probe = nested(containers, 'startup_probe', 'http_get')
    t.equal(flags['startup-probe'], `httpGet.path=${String(probe.path)}`)
    const variables = Object.entries({
      ...environmentOf(service),
      ...(name === 'search' && { USER_PROFILES_URL: '"$url"' }),
    })
    t.equal(flags['set-env-vars'], variables.map((pair) => pair.join('=')).join())
  }
  t.end()
})

t.test('the service has the audience of its environment, which search asks for', (t) => {
  const audience = terraform.output('user_profiles_audience')
  t.same(deployed('user-profiles').custom_audiences, [audience])
  t.equal(environmentOf(deployed('user-profiles')).AUDIENCE, audience)
  t.equal(environmentOf(deployed('search')).USER_PROFILES_AUDIENCE, audience)
  t.equal(
    terraform.output('user_profiles_url'),
    environmentOf(deployed('search')).USER_PROFILES_URL,
  )
  t.match(terraform.output('search_url'), /^https:/)
  t.end()
})

t.test('gcloud makes the metric and the alert of Terraform', (t) => {
  const metric = terraform.resource('google_logging_metric', 'refusals')
  const lines = String(metric.filter).trim().split('\n')
  t.same(
    blocks.flatMap(({ language, code }) => (language === 'text' ? [code.trim().split('\n')] : [])),
    [lines],
  )
  const created = commandOf('logging metrics create ')
  t.match(created, ` ${String(metric.name)} `)
  t.equal(flagsOf(created)['log-filter'], lines.join(' AND '))

  const policy = terraform.resource('google_monitoring_alert_policy', 'refusals')
  const threshold = nested(policy, 'conditions', 'condition_threshold')
  const flags = flagsOf(commandOf('monitoring policies create '))
  t.equal(flags['display-name'], policy.display_name)
  t.equal(flags.combiner, policy.combiner)
  t.equal(flags['condition-display-name'], nested(policy, 'conditions').display_name)
  t.equal(flags['condition-filter'], threshold.filter)
  t.equal(flags.duration, threshold.duration)
  t.equal(flags.if, `> ${String(threshold.threshold_value)}`)
  const aggregation = nested(threshold, 'aggregations')
  t.same(JSON.parse(String(flags.aggregation)), {
    alignmentPeriod: aggregation.alignment_period,
    perSeriesAligner: aggregation.per_series_aligner,
    crossSeriesReducer: aggregation.cross_series_reducer,
  })
  t.end()
})

t.test('the page shows every source and the one Dockerfile of the services', (t) => {
  for (const name of SERVICES) {
    for (const file of readdirSync(new URL(`../../${folder}/${name}`, import.meta.url))) {
      if (file.endsWith('.ts')) t.match(page, `<!-- file: ${folder}/${name}/${file} -->`)
    }
  }
  const [one, other] = SERVICES.map((name) => textOf(`${folder}/${name}/Dockerfile`))
  t.equal(one, other)
  t.end()
})

t.test('the page shows parts of the files of Terraform', (t) => {
  const shown = blocks.filter(({ language }) => language === 'hcl')
  t.ok(shown.length > 0)
  const files = TERRAFORM.map((name) => textOf(`${folder}/terraform/${name}.tf`))
  for (const { code } of shown) t.ok(files.some((file) => file.includes(code)))
  for (const name of TERRAFORM) t.match(page, `<!-- file: ${folder}/terraform/${name}.tf -->`)
  t.equal(page.match(/^```\w/gm)?.length, blocks.length)
  t.same(
    blocks.map(({ language }) => language).filter((one) => !LANGUAGES.includes(one)),
    [],
  )
  t.same(
    commands.filter((one) => !/^(?:\w+=\$\()?gcloud |^curl /.test(one)),
    [],
  )
  t.end()
})

for (const name of SERVICES) {
  const directory = `${folder}/${name}`
  const instructions = textOf(`${directory}/Dockerfile`)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [instruction = '', ...words] = line.split(' ')
      return { instruction, words }
    })
  const files = readdirSync(fileURLToPath(new URL(`../../${directory}`, import.meta.url)))

  t.test(`the image of ${name}: its files, its user and its process`, (t) => {
    const stages = instructions.filter(({ instruction }) => instruction === 'FROM')
    t.equal(stages.length, 2)
    t.ok(stages.every(({ words }) => words[0] === 'node:24-slim'))

    const copied = instructions
      .filter(({ instruction, words }) => instruction === 'COPY' && !words[0]?.startsWith('--'))
      .flatMap(({ words }) => words.slice(0, -1))
    t.same(
      copied.filter((file) => !files.includes(file)),
      [],
      'they are all there',
    )
    const sources = files.filter((file) => file.endsWith('.ts'))
    t.same(
      sources.filter((file) => !copied.includes(file)),
      [],
      'and no other is needed',
    )
    // .dockerignore: nothing but what it names.
    const ignored = textOf(`${directory}/.dockerignore`).trim().split('\n')
    t.equal(ignored[0], '*')
    t.same(
      copied.filter(
        (file) => !ignored.includes(file.replace(/^.*(?=\.ts$)/, '!*').replace(/^(?!!)/, '!')),
      ),
      [],
    )

    const last = instructions.map(({ instruction }) => instruction).lastIndexOf('FROM')
    const final = instructions.slice(last)
    t.same(
      final.flatMap(({ instruction, words }) => (instruction === 'USER' ? words : [])),
      ['node'],
    )
    t.ok(
      final.findIndex(({ instruction }) => instruction === 'USER') >
        final.findLastIndex(({ instruction }) => instruction === 'COPY'),
      'the user cannot change the files',
    )
    const started = final.at(-1)
    t.equal(started?.instruction, 'CMD')
    // A list: with a string, a shell would be the first process.
    const command = JSON.parse(started?.words.join(' ') ?? '') as string[]
    const { scripts, dependencies, engines } = JSON.parse(
      textOf(`${directory}/package.json`),
    ) as Record<string, Record<string, string>>
    t.equal(command.join(' '), scripts?.start)
    t.match(engines?.node, />=24/)

    for (const version of Object.values(dependencies ?? {})) t.match(version, /^\d+\.\d+\.\d+$/)
    t.ok(dependencies?.['fastify-google-id-token'])
    t.end()
  })

  t.test(`the lock file of ${name} has what package.json names`, (t) => {
    const { version } = JSON.parse(textOf('package.json')) as { version: string }
    const { dependencies } = JSON.parse(textOf(`${directory}/package.json`)) as {
      dependencies: Record<string, string>
    }
    t.equal(dependencies['fastify-google-id-token'], version, 'the version of this package')
    const { packages } = JSON.parse(textOf(`${directory}/package-lock.json`)) as {
      packages: Record<string, { version: string; dependencies?: Record<string, string> }>
    }
    t.same(packages['']?.dependencies, dependencies)
    for (const [one, wanted] of Object.entries(dependencies)) {
      t.equal(packages[`node_modules/${one}`]?.version, wanted, one)
    }
    const own = packages['node_modules/fastify-google-id-token']
    const manifest = JSON.parse(textOf('package.json')) as { dependencies: object }
    t.same(own?.dependencies, manifest.dependencies, 'what this package needs')
    t.end()
  })
}
