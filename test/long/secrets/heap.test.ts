/** No signature stays in the memory of a process. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { createTestIssuer } from '../../../src/testing.ts'
import { testKey } from '../../helpers/issuer.ts'
import { rawRequest } from '../../helpers/raw-request.ts'
import { SecretParts } from '../../helpers/secret-parts.ts'

const AUDIENCE = 'https://user-profiles-abc123-uc.a.run.app'
const IAP_AUDIENCE = '/projects/123456789012/apps/shop-prod'
const email = 'login@shop-prod.iam.gserviceaccount.com'

/** A guarded process, with the ports of its servers. */
async function startChild(options: object): Promise<{
  readonly child: ChildProcess
  readonly ports: readonly number[]
  readonly nextLine: () => Promise<string>
}> {
  const file = fileURLToPath(
    new URL('../../helpers/processes/requests-then-heap.ts', import.meta.url),
  )
  const args = [...process.execArgv, '--expose-gc', file, JSON.stringify(options)]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const nextLine = async (): Promise<string> => ((await lines.next()) as { value: string }).value
  return { child, ports: JSON.parse(await nextLine()) as number[], nextLine }
}

t.test('after the requests no signature is left in the heap', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'fastify-google-id-token-heap-'))
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true })
  })
  const issuer = await createTestIssuer({ key: testKey })
  const options = {
    audience: AUDIENCE,
    allowedCallers: [email],
    jwks: issuer.jwks,
    iap: { audience: IAP_AUDIENCE, jwks: issuer.iapJwks },
    auditLog: true,
    refusalLog: 'all',
  }
  const { child, ports, nextLine } = await startChild(options)
  t.teardown(() => child.kill())

  const signatures = new SecretParts()
  const tokens = await Promise.all(
    Array.from({ length: 40 }, (_, number) =>
      issuer.idToken({
        email: number % 4 === 0 ? 'search@shop-prod.iam.gserviceaccount.com' : email,
        audience: number % 5 === 0 ? 'https://search.run.app' : AUDIENCE,
        claims: { number },
        ...(number % 6 === 0 && { expiresIn: -7200 }),
        ...(number % 7 === 0 && { header: { kid: `unknown-${number}` } }),
      }),
    ),
  )
  const assertions = await Promise.all(
    Array.from({ length: 10 }, (_, number) =>
      issuer.iapAssertion({ email, audience: IAP_AUDIENCE, claims: { number } }),
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
    const token = await issuer.idToken({ email, audience: AUDIENCE, ...refused })
    signatures.addSignature('refused', token)
    for (const port of ports) {
      await rawRequest(port, { headers: [['authorization', `Bearer ${token}`]] })
    }
  }

  const file = join(folder, 'after.heapsnapshot')
  child.stdin?.write(`${file}\n`)
  const remembered = JSON.parse(await nextLine()) as { tokenCache: { size: number } }[]
  for (const { tokenCache } of remembered) t.ok(tokenCache.size > 10, 'tokens are remembered')
  const heap = readFileSync(file, 'utf8')
  t.match(heap, email, 'the heap holds the callers that are remembered')
  t.strictSame(Object.fromEntries(signatures.foundIn(heap)), {})
})
