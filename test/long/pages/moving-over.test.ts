/** The programs of the page, before and after, and what only the ones before accept. */
import t, { type Test } from 'tap'
import { createTestIssuer, startGoogleEmulator } from '../../../src/testing.ts'
import { audience, login, search } from '../../helpers/shop.ts'
import { blocksIn, firstProgram, textOf } from '../../pages/blocks.ts'
import { runToEnd, startServices } from './programs.ts'

const LIBRARIES = [
  'google-auth-library',
  'get-jwks',
  'express-oauth2-jwt-bearer',
  'jose',
  'req-user',
]
const SIDES = ['before', 'after'] as const
type Side = (typeof SIDES)[number]

const page = textOf('docs/moving-over.md')
const blocks = blocksIn(page)
const google = await startGoogleEmulator()
t.teardown(() => google.close())
// What the programs fetch from elsewhere than the emulator: nothing.
const unused = await createTestIssuer()

/** The program of the page; Google's key endpoints are those of the emulator. */
function programOf(side: Side, library: string): string {
  const pemUrl = `${google.url}/oauth2/v1/certs`
  return firstProgram(`${side}-${library}.ts`, blocks)
    .replaceAll('https://www.googleapis.com', google.url)
    .replace(
      'new OAuth2Client()',
      `new OAuth2Client({ endpoints: { oauth2FederatedSignonPemCertsUrl: '${pemUrl}' } })`,
    )
    .replace('allowedCallers:', `jwksUri: '${google.jwksUri}', allowedCallers:`)
}

interface Answer {
  readonly status: number
  readonly body: string
}

/** How a request of the tables differs from one without a token. */
interface Asked {
  readonly token?: string
  readonly inQuery?: boolean
}

type Ask = (side: Side, library: string, asked: Asked) => Promise<Answer>

/** Runs programs in a new process, which has no keys yet. */
async function start(
  t: Test,
  libraries: readonly string[],
  change = (program: string) => program,
  sides: readonly Side[] = SIDES,
): Promise<Ask> {
  const names = libraries.flatMap((library) => sides.map((side) => `${side}-${library}.ts`))
  const programs = new Map(
    libraries.flatMap((library) =>
      sides.map((side) => [`${side}-${library}.ts`, change(programOf(side, library))] as const),
    ),
  )
  const urls = await startServices(t, programs, unused)
  return async (side, library, { token, inQuery = false }) => {
    const url = new URL('/profiles/7', urls[names.indexOf(`${side}-${library}.ts`)])
    const headers = new Headers()
    if (inQuery) url.searchParams.set('access_token', token ?? '')
    else if (token !== undefined) headers.set('authorization', `Bearer ${token}`)
    const response = await fetch(url, { headers })
    return { status: response.status, body: await response.text() }
  }
}

const now = Math.floor(Date.now() / 1000)
const token = (more: object = {}): Promise<string> =>
  google.idToken({ email: login, audience, ...more })

/** What the first cells of the tables say. */
const REQUESTS: Readonly<Record<string, () => Promise<Asked>>> = {
  'no token': () => Promise.resolve({}),
  'a token of another service account': async () => ({ token: await token({ email: search }) }),
  'a token with `email_verified: false`': async () => ({
    token: await token({ claims: { email_verified: false } }),
  }),
  'a token without `email`': async () => ({ token: await token({ email: undefined }) }),
  'a token that expired four minutes ago': async () => ({
    token: await token({ expiresIn: -240 }),
  }),
  'a token whose `alg` is not RS256': async () => ({
    token: await token({ header: { alg: 'PS256' } }),
  }),
  'a token with an unknown `crit`': async () => ({
    token: await token({ header: { crit: ['unknown'], unknown: 1 } }),
  }),
  'a token with a list as `aud`': async () => ({
    token: await token({ claims: { aud: [audience, 'https://another.example'] } }),
  }),
  'a token without `exp`': async () => ({ token: await token({ claims: { exp: undefined } }) }),
  'a token that is valid for a year': async () => ({
    token: await token({ expiresIn: 365 * 86_400 }),
  }),
  'a token whose `iat` is in an hour': async () => ({
    token: await token({ expiresIn: 7_200, claims: { iat: now + 3_600 } }),
  }),
  'a token in the query': async () => ({ token: await token(), inQuery: true }),
}
const WHILE_DOWN = 'a good token before keys could be fetched'

interface Row {
  readonly request: string
  readonly before: string
  readonly after: string
}

function rowsOf(library: string): Row[] {
  const [, rest = ''] = page.split(`<!-- stricter: ${library} -->\n\n`)
  const [table = ''] = rest.split('\n\n')
  return table
    .trim()
    .split('\n')
    .slice(2)
    .map((line) => {
      const [request = '', before = '', after = ''] = line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim())
      return { request, before, after }
    })
}

/** Like a cell of the second or third column. */
function cellOf(side: Side, { status, body }: Answer): string {
  if (side === 'before') return String(status)
  return `${status} \`${/"code":"(\w+)"/.exec(body)?.[1] ?? 'no code'}\``
}

t.test('every program of the page is run', (t) => {
  t.same(
    blocks.map(({ file }) => file),
    LIBRARIES.flatMap((library) => SIDES.map((side) => `${side}-${library}.ts`)),
  )
  t.equal(page.match(/^```\w/gm)?.length, blocks.length)
  t.same(
    [...page.matchAll(/^<!-- stricter: (\S+) -->$/gm)].map(([, library]) => library),
    LIBRARIES,
  )
  const named = new Set(LIBRARIES.flatMap(rowsOf).map(({ request }) => request))
  t.same([...named].toSorted(), [...Object.keys(REQUESTS), WHILE_DOWN].toSorted())
  t.end()
})

t.test('what is accepted before and refused after', async (t) => {
  const ask = await start(t, LIBRARIES)
  for (const library of LIBRARIES) {
    const good = { token: await token() }
    for (const side of SIDES) {
      const { status, body } = await ask(side, library, good)
      t.same([status, JSON.parse(body)], [200, { servedFor: login }], `${side} ${library}`)
    }
    for (const { request, before, after } of rowsOf(library)) {
      if (request === WHILE_DOWN) continue
      t.equal(before, '200', `${library}: ${request}`)
      const asked = await REQUESTS[request]?.()
      if (asked === undefined) continue
      for (const [side, cell] of [['before', before] as const, ['after', after] as const]) {
        t.equal(
          cellOf(side, await ask(side, library, asked)),
          cell,
          `${side} ${library}: ${request}`,
        )
      }
    }
  }
})

t.test('what a key endpoint that is down does', async (t) => {
  const end = google.fault('certs', { status: 500 })
  t.teardown(end)
  const ask = await start(t, LIBRARIES)
  const good = { token: await token() }
  for (const library of LIBRARIES) {
    const row = rowsOf(library).find(({ request }) => request === WHILE_DOWN)
    for (const side of SIDES) {
      t.equal(cellOf(side, await ask(side, library, good)), row?.[side], `${side} ${library}`)
    }
  }
})

t.test(
  'without an audience, the app before accepts any, and the app after does not start',
  async (t) => {
    const libraries = ['google-auth-library', 'get-jwks', 'jose']
    const unset = (program: string): string =>
      program.replace(/const audience = .*/, 'const audience = process.env.AUDIENCE')
    const ask = await start(t, libraries, unset, ['before'])
    const elsewhere = { token: await token({ audience: 'https://elsewhere.example' }) }
    for (const library of libraries) {
      t.equal((await ask('before', library, elsewhere)).status, 200, library)
      const quiet = `process.on('uncaughtException', () => process.exit(1))\n${unset(programOf('after', library))}`
      t.equal((await runToEnd(t, `after-${library}.ts`, quiet, unused)).code, 1, library)
    }
  },
)

t.test('google-auth-library fetches its keys for each request that waits', async (t) => {
  const ask = await start(t, ['google-auth-library'])
  const good = { token: await token() }
  const fetchesOf = async (side: Side, path: string): Promise<number> => {
    const fetches = (): number => google.requests.filter((one) => one.path === path).length
    const earlier = fetches()
    await Promise.all([1, 2, 3, 4, 5].map(() => ask(side, 'google-auth-library', good)))
    return fetches() - earlier
  }
  t.ok((await fetchesOf('before', '/oauth2/v1/certs')) > 1)
  t.ok((await fetchesOf('after', '/oauth2/v3/certs')) <= 1)
})

t.test('an error of google-auth-library holds the token', async (t) => {
  const ask = await start(t, ['req-user'])
  const forged = `${(await token()).slice(0, -8)}AAAAAAAA`
  const [before, after] = await Promise.all(
    SIDES.map((side) => ask(side, 'req-user', { token: forged })),
  )
  t.match(before, { status: 401, body: forged })
  t.equal(cellOf('after', after ?? { status: 0, body: '' }), '401 `ID_TOKEN_SIGNATURE_INVALID`')
  t.notMatch(after?.body, forged)
})
