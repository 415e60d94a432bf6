/** No signature stays in the memory of a process. */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { startKeyServer } from '../../../bench/faults/key-server.ts'
import { createTestIssuer } from '../../../src/testing.ts'
import { testKey } from '../../helpers/issuer.ts'
import { rawRequest } from '../../helpers/raw-request.ts'
import { SecretParts } from '../../helpers/secret-parts.ts'
import { audience, login, search } from '../../helpers/shop.ts'

const IAP_AUDIENCE = '/projects/123456789012/apps/shop-prod'

/** A guarded process: the ports of its servers, what its verifiers remember, and its heap. */
interface GuardedProcess {
  readonly ports: readonly number[]
  readonly end: () => Promise<{ readonly heap: string; readonly remembered: readonly Stats[] }>
}

type Stats = Readonly<{ tokenCache: { readonly size: number } }>

async function startProcess(t: Test, options: object): Promise<GuardedProcess> {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-google-id-token-heap-'))
  const file = fileURLToPath(
    new URL('../../helpers/processes/requests-then-heap.ts', import.meta.url),
  )
  const args = [...process.execArgv, '--expose-gc', file, JSON.stringify(options)]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  t.teardown(() => {
    child.kill()
    rmSync(folder, { recursive: true, force: true })
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const nextLine = async (): Promise<unknown> =>
    JSON.parse(((await lines.next()) as { value: string }).value)
  return {
    ports: (await nextLine()) as number[],
    end: async () => {
      const snapshot = join(folder, 'after.heapsnapshot')
      child.stdin.write(`${snapshot}\n`)
      const remembered = (await nextLine()) as Stats[]
      return { heap: readFileSync(snapshot, 'utf8'), remembered }
    },
  }
}

t.test('after the requests no signature is left in the heap', async (t) => {
  const issuer = await createTestIssuer({ key: testKey })
  const options = {
    audience,
    allowedCallers: [login],
    jwks: issuer.jwks,
    iap: { audience: IAP_AUDIENCE, jwks: issuer.iapJwks },
    auditLog: true,
    refusalLog: 'all',
  }
  const { ports, end } = await startProcess(t, options)

  const signatures = new SecretParts()
  const tokens = await Promise.all(
    Array.from({ length: 40 }, (_, number) =>
      issuer.idToken({
        email: number % 4 === 0 ? search : login,
        audience: number % 5 === 0 ? 'https://search.run.app' : audience,
        claims: { number },
        ...(number % 6 === 0 && { expiresIn: -7200 }),
        ...(number % 7 === 0 && { header: { kid: `unknown-${number}` } }),
      }),
    ),
  )
  const assertions = await Promise.all(
    Array.from({ length: 10 }, (_, number) =>
      issuer.iapAssertion({ email: login, audience: IAP_AUDIENCE, claims: { number } }),
    ),
  )
  const presented = [
    ...tokens.map((token) => ['authorization', 'Bearer ', token] as const),
    ...assertions.map((token) => ['x-goog-iap-jwt-assertion', '', token] as const),
  ]
  let served = 0
  for (const port of ports) {
    for (const [header, scheme, token] of presented) {
      const forged = `${token.slice(0, -20)}${token.slice(-19)}A`
      signatures.addSignature(header, token)
      signatures.addSignature(`${header}, forged`, forged)
      for (const sent of [token, token, token, forged]) {
        const answer = await rawRequest(port, { headers: [[header, `${scheme}${sent}`]] })
        if (answer.status === 200) served += 1
      }
    }
  }
  t.ok(served > 50, `${served} requests were served`)
  // The last ones, so that no other token takes their place: refused before their signature is verified.
  for (const refused of [{ header: { kid: 'unknown' } }, { header: { alg: 'RS512' } }]) {
    const token = await issuer.idToken({ email: login, audience, ...refused })
    signatures.addSignature('refused', token)
    for (const port of ports) {
      await rawRequest(port, { headers: [['authorization', `Bearer ${token}`]] })
    }
  }

  const { heap, remembered } = await end()
  for (const { tokenCache } of remembered) t.ok(tokenCache.size > 10, 'tokens are remembered')
  t.match(heap, login, 'the heap holds the callers that are remembered')
  t.strictSame(Object.fromEntries(signatures.foundIn(heap)), {})
})

t.test('nor is that of a token that has waited for its key', async (t) => {
  const issuer = await createTestIssuer({ key: testKey })
  const server = await startKeyServer(issuer.jwks)
  t.teardown(() => server.close())
  const { ports, end } = await startProcess(t, {
    audience,
    allowedCallers: [login],
    jwksUri: server.uri,
  })
  const signatures = new SecretParts()
  for (const port of ports) {
    await issuer.rotateKeys()
    server.jwks = issuer.jwks
    const token = await issuer.idToken({ email: login, audience })
    signatures.addSignature(String(port), token)
    const answer = await rawRequest(port, { headers: [['authorization', `Bearer ${token}`]] })
    t.equal(answer.status, 200)
  }
  const { heap } = await end()
  t.match(heap, login)
  t.strictSame(Object.fromEntries(signatures.foundIn(heap)), {})
})
