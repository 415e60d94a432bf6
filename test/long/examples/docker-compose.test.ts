/** The services of examples/docker-compose.yml, as processes on loopback. */
import '../../helpers/package-from-source.ts'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parse } from 'yaml'
import { startGoogleEmulator } from '../../../src/testing.ts'
import { emulator } from '../../../src/cli/emulator/emulator.ts'
import { freePort } from '../../helpers/free-port.ts'
import { startProcess } from '../../helpers/service-process.ts'
import { blocksIn, textOf } from '../../pages/blocks.ts'

interface Service {
  readonly build: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly depends_on?: readonly string[]
}

const file = textOf('examples/docker-compose.yml')
const { services } = parse(file) as { services: Record<string, Service> }
const examples = fileURLToPath(new URL('../../../examples/', import.meta.url))
const names = Object.keys(services)

/** What a service reads of its environment. */
async function namesReadBy(service: string): Promise<string[]> {
  const { configFrom } = (await import(`../../../examples/cloud-run/${service}/config.ts`)) as {
    configFrom: (env: Record<string, string | undefined>) => object
  }
  const read = new Set<string>()
  configFrom(
    new Proxy({}, { get: (_, name) => (read.add(String(name)), 'https://a.example') }) as never,
  )
  return [...read]
}

t.test('the page shows the file', (t) => {
  const shown = blocksIn(textOf('docs/emulator.md')).filter(({ language }) => language === 'yaml')
  t.same(
    shown.map(({ code }) => code),
    [file],
  )
  t.end()
})

t.test('it builds the images of the examples, and publishes on loopback alone', (t) => {
  t.same(names, ['google', 'user-profiles', 'search'])
  for (const { build, ports = [], depends_on = [] } of Object.values(services)) {
    t.ok(existsSync(join(examples, build, 'Dockerfile')), build)
    t.ok(ports.every((port) => port.startsWith('127.0.0.1:')))
    t.same(
      depends_on.filter((name) => !names.includes(name)),
      [],
    )
  }
  t.end()
})

t.test('each variable is read by its service, or by the client of Google', async (t) => {
  const google = await startGoogleEmulator()
  t.teardown(() => google.close())
  for (const [name, { environment = {} }] of Object.entries(services)) {
    const read = name === 'google' ? [] : await namesReadBy(name)
    const known = [...read, ...Object.keys(google.env)]
    t.same(
      Object.keys(environment).filter((one) => !known.includes(one)),
      [],
      name,
    )
  }
})

t.test('the options of the command are those of the emulator', (t) => {
  const [npx, packageName, verb, ...options] = services.google?.command ?? []
  t.same([npx, packageName, verb], ['npx', 'fastify-google-id-token', emulator.text.name])
  const named = options.filter((one) => one.startsWith('--')).map((one) => one.slice(2))
  t.ok(named.length > 3)
  t.same(
    named.filter((one) => !Object.hasOwn(emulator.text.options, one)),
    [],
  )
  t.end()
})

t.test('the same commands serve as processes', async (t) => {
  // The names of containers, and the ports that they listen on.
  const addresses = new Map<string, string>()
  for (const address of ['google:9000', 'user-profiles:8080']) {
    addresses.set(address, `127.0.0.1:${await freePort()}`)
  }
  const replaced = (text: string): string =>
    [...addresses].reduce((one, [from, to]) => one.replaceAll(from, to), text)
  const portOf = (address: string): string => addresses.get(address)?.split(':')[1] ?? ''
  const environmentOf = (name: string): Record<string, string> =>
    Object.fromEntries(
      Object.entries(services[name]?.environment ?? {}).map(([key, one]) => [key, replaced(one)]),
    )

  const [, , ...args] = services.google?.command ?? []
  const onLoopback = args.map((one) =>
    one === '0.0.0.0' ? '127.0.0.1' : one === '9000' ? portOf('google:9000') : one,
  )
  t.equal(onLoopback.filter((one, index) => one !== args[index]).length, 2)
  const google = await startProcess(t, ['src/cli.ts', ...onLoopback], {})
  const userProfiles = await startProcess(t, ['examples/cloud-run/user-profiles/server.ts'], {
    ...environmentOf('user-profiles'),
    PORT: portOf('user-profiles:8080'),
  })
  const search = await startProcess(t, ['examples/cloud-run/search/server.ts'], {
    ...environmentOf('search'),
    PORT: '0',
  })
  const response = await fetch(`${search.url}/items/1`)
  t.same(await response.json(), { item: 'desk lamp', seller: 'Ada' })
  await google.line('GET /oauth2/v3/certs 200')
  await google.line('identity 200 https://user-profiles.shop-prod.internal')

  for (const { kill, ended } of [search, userProfiles, google]) {
    kill('SIGTERM')
    t.same(await ended, [0, null])
  }
})

t.test('the names of the containers are accepted as they are', async (t) => {
  const { createVerifier } = await import('../../../src/verifier.ts')
  const { createServiceClient } = await import('../../../src/client.ts')
  const ofProfiles = services['user-profiles']?.environment ?? {}
  const ofSearch = services.search?.environment ?? {}
  const hostsIn = (env: Readonly<Record<string, string>>) => env.ALLOW_HTTP_HOSTS?.split(',') ?? []
  const options = { audience: ofProfiles.AUDIENCE ?? '', jwksUri: ofProfiles.JWKS_URI }
  const url = ofSearch.USER_PROFILES_URL ?? ''
  t.equal(ofSearch.USER_PROFILES_AUDIENCE, ofProfiles.AUDIENCE)
  createVerifier({ ...options, allowHttpHosts: hostsIn(ofProfiles) }).close()
  createServiceClient({ url, allowHttpHosts: hostsIn(ofSearch) }).close()
  t.throws(() => createVerifier(options), /allowHttpHosts/)
  t.throws(() => createServiceClient({ url }), /allowHttpHosts/)
})
