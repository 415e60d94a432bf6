/** What the README says of TypeScript and of Jest in CommonJS, with the package as it goes out. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onlyBlockOf } from '../pages/blocks.ts'
import { run, type Ended, type Workspace } from './workspace.ts'

/** A tool, the oldest version that the README names or the newest, and a project that uses it. */
export interface Consumer {
  readonly name: string
  readonly packages: readonly string[]
  readonly files: Readonly<Record<string, string>>
  readonly command: readonly string[]
}

const tsconfig = {
  compilerOptions: { module: 'nodenext', target: 'es2022', strict: true, noEmit: true },
  include: ['service.ts'],
}

/** `import … = require`: the last kind of import for which TypeScript accepted an ES module. */
const SERVICE = `
import { fastify } from 'fastify'
import googleIdToken, { createVerifier, type Caller } from 'fastify-google-id-token'
import required = require('fastify-google-id-token')
import { googleIdToken as middleware } from 'fastify-google-id-token/express'
import { createServiceClient } from 'fastify-google-id-token/client'
import { createTestIssuer } from 'fastify-google-id-token/testing'

const app = fastify()
void app.register(required, { audience: 'https://user-profiles-abc123-uc.a.run.app' })
app.get('/', (request) => {
  const caller: Caller = request.caller
  return caller.email
})
console.log(required === googleIdToken, createVerifier, middleware, createServiceClient, createTestIssuer)
`

const JEST_TEST = `
const Fastify = require('fastify')
const googleIdToken = require('fastify-google-id-token')
const { createServiceClient } = require('fastify-google-id-token/client')
const { createTestIssuer, startGoogleEmulator } = require('fastify-google-id-token/testing')

const audience = 'https://user-profiles-abc123-uc.a.run.app'
const login = 'login@shop-prod.iam.gserviceaccount.com'

test('login may read profiles', async () => {
  const issuer = await createTestIssuer()
  const app = Fastify()
  app.register(googleIdToken, { audience, allowedCallers: [login], jwks: issuer.jwks })
  app.get('/', (request) => request.caller.email)
  const authorization = 'Bearer ' + (await issuer.idToken({ email: login, audience }))
  expect((await app.inject({ url: '/', headers: { authorization } })).body).toBe(login)
  expect((await app.inject('/')).statusCode).toBe(401)
  await app.close()
})

test('a client gets tokens from the emulator', async () => {
  const google = await startGoogleEmulator()
  Object.assign(process.env, google.env)
  const profiles = createServiceClient({ url: audience })
  expect((await profiles.idToken()).split('.')).toHaveLength(3)
  profiles.close()
  await google.close()
})
`

export const CONSUMERS: readonly Consumer[] = [
  {
    name: 'TypeScript 5.9 in CommonJS',
    packages: ['typescript@5.9', '@types/node@20', '@types/express@5'],
    files: { 'tsconfig.json': JSON.stringify(tsconfig), 'service.ts': SERVICE },
    command: ['node_modules/.bin/tsc'],
  },
  {
    name: 'Jest in CommonJS',
    packages: ['jest', '@babel/preset-env'],
    files: { 'jest.config.js': onlyBlockOf('cjs'), 'profiles.test.js': JEST_TEST },
    command: ['node_modules/.bin/jest', '--ci'],
  },
]

/** Packs the package in the workspace's copy, which {@link tryOut} then installs. */
export async function pack(workspace: Workspace): Promise<string> {
  const command = ['npm', 'pack', '--json', '--ignore-scripts', '--pack-destination', '..']
  const { output } = await run(workspace.copy, workspace.log('npm-pack'), command)
  const [packed] = JSON.parse(output) as [{ filename: string }]
  return join(workspace.directory, packed.filename)
}

/** Uses the package as one who has installed it does. */
export async function tryOut(
  workspace: Workspace,
  { name, packages, files, command }: Consumer,
  tarball: string,
): Promise<Ended> {
  const peers = ['fastify@5', 'google-auth-library@10']
  const directory = await workspace.install(name, tarball, ...peers, ...packages)
  for (const [file, text] of Object.entries(files)) writeFileSync(join(directory, file), text)
  return run(directory, workspace.log(name), command)
}
