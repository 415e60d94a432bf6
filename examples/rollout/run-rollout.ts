import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGoogleEmulator, type GoogleEmulator } from 'fastify-google-id-token/testing'
import { isOfShop, type RolloutCall } from './callers.ts'
import { runCommand, type Ran } from './command.ts'
import { AUDIENCE, deploy, type IamPolicy, type Seen, type Stage } from './deploy.ts'
import type { Lists } from './service.ts'

/** A run of the command line, as it is typed, and what it printed. */
export interface Typed extends Ran {
  title: string
  line: string
  asExpected: boolean
}

/** What happened, in order. */
export type Step = Stage | Typed

/** Leads a service that anyone may call to one that knows its callers. */
export async function runRollout(): Promise<Step[]> {
  const google = await startGoogleEmulator()
  const folder = await mkdtemp(join(tmpdir(), 'rollout-'))
  try {
    const { steps, lists } = await reportOnly(google, folder)
    return [...steps, ...(await enforced(google, folder, lists))]
  } finally {
    await rm(folder, { recursive: true })
    await google.close()
  }
}

const NOT_ALLOWED = 'ID_TOKEN_CALLER_NOT_ALLOWED'
const PROJECT = '--project shop-prod'
const SERVICE = `--service user-profiles --region us-central1 ${PROJECT}`
const EVERYONE = invokersAre(['allUsers'])

function invokersAre(members: string[]): IamPolicy {
  return { bindings: [{ role: 'roles/run.invoker', members }] }
}

function letIn({ status }: RolloutCall, audited?: string): Seen {
  return { answer: { status }, audited }
}

/** Finds the lists while everybody is let in. */
async function reportOnly(
  google: GoogleEmulator,
  folder: string,
): Promise<{ steps: Step[]; lists: Lists }> {
  const options = { audience: AUDIENCE, jwksUri: google.jwksUri, reportOnly: true, auditLog: true }
  const unguarded = await deploy(
    { title: 'No guard: anyone may call', guard: null, policy: EVERYONE, expected: letIn },
    google,
  )
  const reported = await deploy(
    {
      title: 'reportOnly, without lists: all are let in, and the log says who calls what',
      guard: options,
      policy: EVERYONE,
      expected: (call) => letIn(call, `${NOT_ALLOWED}, let in`),
    },
    google,
  )
  const input = { folder, stdin: reported.log }
  const proposed = await type('The log proposes the lists', `allow - ${PROJECT}`, input)
  const lists = listsIn(await runCommand(`allow - ${PROJECT} --json`, input))
  const listed = await deploy(
    {
      title: 'reportOnly, with the lists: who would be refused',
      guard: options,
      lists,
      policy: EVERYONE,
      expected: (call) =>
        letIn(call, isOfShop(call) ? 'accepted, let in' : `${NOT_ALLOWED}, let in`),
    },
    google,
  )
  await write(folder, 'callers.json', listed.allowedCallers)
  const compared = await type(
    'Only the stray caller is not in the lists',
    `allow - --against callers.json ${PROJECT}`,
    { folder, stdin: listed.log, code: 1 },
  )
  return { steps: [unguarded.stage, reported.stage, proposed, listed.stage, compared], lists }
}

/** Refuses others, and brings IAM into line. */
async function enforced(google: GoogleEmulator, folder: string, lists: Lists): Promise<Step[]> {
  const guard = { audience: AUDIENCE, jwksUri: google.jwksUri, auditLog: true }
  const alone = await deploy(
    {
      title: 'Enforced: reportOnly is removed',
      guard,
      lists,
      policy: EVERYONE,
      expected: (call) =>
        isOfShop(call)
          ? letIn(call, 'accepted')
          : { answer: { status: 403, refusedBy: NOT_ALLOWED }, audited: NOT_ALLOWED },
    },
    google,
  )
  await write(folder, 'callers.json', alone.allowedCallers)
  await write(folder, 'policy.json', EVERYONE)
  const check = 'iam --callers callers.json --check policy.json'
  const differs = await type('IAM lets in anyone', check, { folder, code: 1 })
  const print = `iam --callers callers.json ${SERVICE}`
  const bindings = await type('The bindings that the lists imply', print, { folder })
  const policy = invokersAre(membersIn(await runCommand(`${print} --json`, { folder })))
  const withIam = await deploy(
    {
      title: 'With the IAM check, and these bindings',
      guard,
      lists,
      policy,
      expected: (call) =>
        isOfShop(call)
          ? letIn(call, 'accepted')
          : { answer: { status: 403, refusedBy: 'Google Frontend' } },
    },
    google,
  )
  await write(folder, 'policy.json', policy)
  const agrees = await type('IAM is as the lists are', check, { folder })
  return [alone.stage, differs, bindings, withIam.stage, agrees]
}

interface Typing {
  folder: string
  stdin?: string
  /** The exit code that is expected. */
  code?: number
}

async function type(title: string, line: string, { code = 0, ...running }: Typing): Promise<Typed> {
  const ran = await runCommand(line, running)
  return { title, line, ...ran, asExpected: ran.code === code }
}

function listsIn({ stdout }: Ran): Lists {
  const { routes } = JSON.parse(stdout) as {
    routes: { method: string; route: string; allowedCallers: Lists[string] }[]
  }
  return Object.fromEntries(
    routes.map(({ method, route, allowedCallers }) => [`${method} ${route}`, allowedCallers]),
  )
}

function membersIn({ stdout }: Ran): string[] {
  return (JSON.parse(stdout) as { members: string[] }).members
}

function write(folder: string, name: string, content: unknown): Promise<void> {
  return writeFile(join(folder, name), JSON.stringify(content))
}
