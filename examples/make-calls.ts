import type { Call, Scene, TokenKind } from './scenario.ts'
import { AUDIENCES, emailOf, type Shop } from './start-services.ts'

/** A call that was made, and how it came out. */
export interface Row {
  call: Call
  status: number
  code: string | undefined
  asExpected: boolean
}

/** A scene that was played. */
export interface PlayedScene {
  title: string
  rows: Row[]
}

/** Makes the calls over HTTP, one after the other. */
export async function makeCalls(scenes: readonly Scene[], shop: Shop): Promise<PlayedScene[]> {
  const played: PlayedScene[] = []
  for (const { title, calls } of scenes) {
    const rows: Row[] = []
    for (const call of calls) rows.push(await makeCall(call, shop))
    played.push({ title, rows })
  }
  return played
}

async function makeCall(call: Call, shop: Shop): Promise<Row> {
  const [method = '', path = ''] = call.route.split(' ')
  const response = await fetch(shop.urls[call.service] + path, {
    method,
    headers: { ...(await tokenHeaders(call, shop)), 'content-type': 'application/json' },
    body: method === 'POST' ? JSON.stringify({ name: 'Grace' }) : null,
    signal: AbortSignal.timeout(10_000),
  })
  const { status } = response
  const code = codeIn(await response.text())
  return { call, status, code, asExpected: status === call.status && code === call.code }
}

async function tokenHeaders(call: Call, { google }: Shop): Promise<Record<string, string>> {
  const headers = Object.entries(call.headers)
  if (headers.length === 0) return {}
  const own = { email: emailOf(call.caller), audience: AUDIENCES[call.service] }
  const good = await google.idToken(own)
  const tokenOf: Record<TokenKind, () => string | Promise<string>> = {
    good: () => good,
    expired: () => google.idToken({ ...own, expiresIn: -600 }),
    'for search': () => google.idToken({ ...own, audience: AUDIENCES.search }),
    'no email': () => google.idToken({ audience: own.audience }),
    forged: async () => {
      const coveted = await google.idToken({ ...own, email: emailOf('login') })
      return withSignature(coveted, good.slice(good.lastIndexOf('.') + 1))
    },
    stripped: () => withSignature(good, 'SIGNATURE_REMOVED_BY_GOOGLE'),
  }
  const filled = headers.map(async ([name, kind]) => [name, `Bearer ${await tokenOf[kind]()}`])
  return Object.fromEntries(await Promise.all(filled)) as Record<string, string>
}

function withSignature(token: string, signature: string): string {
  return `${token.slice(0, token.lastIndexOf('.'))}.${signature}`
}

/** A refusal says in its body which one it is. */
function codeIn(body: string): string | undefined {
  try {
    return (JSON.parse(body) as { code?: string }).code
  } catch {
    return undefined
  }
}
