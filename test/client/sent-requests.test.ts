/** What a client sends, header by header, and where a redirect leads. */
import t from 'tap'
import { isRedirect, redirectedRequest } from '../../src/client/follow-redirect.ts'
import {
  canBeSentAgain,
  outgoingRequest,
  type FetchInput,
  type OutgoingRequest,
} from '../../src/client/outgoing-request.ts'
import { send, type SendOptions } from '../../src/client/send.ts'
import { headersOf, withoutCredentials, withToken } from '../../src/client/token-headers.ts'

const BASE = new URL('https://a.example/v1/')
const BOTH = ['x-serverless-authorization', 'authorization']
const requestTo = (input: FetchInput, init?: RequestInit): OutgoingRequest =>
  outgoingRequest(input, init, BASE)
const pairs = (headers: Headers): object => Object.fromEntries(headers)

t.test('the token is in its headers, and no other token is', (t) => {
  t.strictSame(headersOf('t', BOTH), {
    'x-serverless-authorization': 'Bearer t',
    authorization: 'Bearer t',
  })
  const headers = new Headers({
    'x-serverless-authorization': 'Bearer of-the-caller',
    authorization: 'Basic own',
    a: 'b',
  })
  t.strictSame(pairs(withToken(headers, 't', ['authorization'])), {
    authorization: 'Bearer t',
    a: 'b',
  })
  t.strictSame(pairs(withToken(headers, 't', ['x-serverless-authorization'])), {
    authorization: 'Basic own',
    'x-serverless-authorization': 'Bearer t',
    a: 'b',
  })
  t.equal(headers.get('x-serverless-authorization'), 'Bearer of-the-caller', 'it is a copy')
  const all = new Headers({
    authorization: 'a',
    'x-serverless-authorization': 'a',
    'proxy-authorization': 'a',
    cookie: 'a',
    host: 'a',
    'x-twin': 'a',
    b: 'c',
  })
  t.strictSame(pairs(withoutCredentials(all, ['x-twin'])), { b: 'c' })
  t.equal([...all].length, 7, 'it is a copy')
  t.end()
})

t.test('one request is made of the two arguments of fetch', (t) => {
  const { signal } = new AbortController()
  const { headers, url, ...made } = requestTo('../x?y', {
    method: 'patch',
    headers: { a: 'b' },
    body: 'c',
    redirect: 'error',
    signal,
    keepalive: true,
  })
  t.equal(url.href, 'https://a.example/x?y')
  t.strictSame(pairs(headers), { a: 'b' })
  t.strictSame(made, {
    method: 'patch',
    body: 'c',
    redirect: 'error',
    signal,
    rest: { keepalive: true },
  })
  const plain = requestTo(new URL('https://a.example/z'))
  t.strictSame(
    [plain.url.href, plain.method, plain.body, plain.redirect, plain.signal, plain.rest],
    ['https://a.example/z', 'GET', undefined, 'follow', undefined, {}],
  )
  for (const method of ['delete', 'get', 'head', 'options', 'post', 'put']) {
    t.equal(requestTo('', { method }).method, method.toUpperCase())
  }
  for (const method of ['patch', 'xget', 'getx']) t.equal(requestTo('', { method }).method, method)
  t.end()
})

t.test('a Request has its own parts, which the second argument replaces', (t) => {
  const { signal } = new AbortController()
  const request = new Request('https://a.example/r', {
    method: 'POST',
    headers: { a: 'b' },
    body: 'c',
    redirect: 'manual',
    integrity: 'sha256-x',
    keepalive: true,
    credentials: 'omit',
    signal,
  })
  const made = requestTo(request)
  t.equal(made.url.href, 'https://a.example/r')
  t.match(pairs(made.headers), { a: 'b' })
  t.equal(made.body, request.body)
  t.match(made, { method: 'POST', redirect: 'manual' })
  t.strictSame(made.rest, {
    duplex: 'half',
    integrity: 'sha256-x',
    keepalive: true,
    credentials: 'omit',
  })
  t.notOk('duplex' in requestTo(new Request('https://a.example/')).rest)
  const replaced = requestTo(request, { method: 'PUT', headers: { d: 'e' } })
  t.equal(replaced.method, 'PUT')
  t.strictSame(pairs(replaced.headers), { d: 'e' })
  t.equal(replaced.body, request.body)
  t.end()
})

t.test('only the origin of the base is called', (t) => {
  const refused = (input: string): string => {
    try {
      return requestTo(input).url.href
    } catch (error) {
      const { code, detail } = error as { code: string; detail: { reason: string } }
      return `${code}: ${detail.reason}`
    }
  }
  const code = 'SERVICE_CLIENT_URL_NOT_ALLOWED'
  t.equal(
    refused('https://b.example/?secret'),
    `${code}: it is of https://b.example, not https://a.example`,
  )
  t.equal(refused('//b.example'), `${code}: it is of https://b.example, not https://a.example`)
  t.equal(refused('http://a.example'), `${code}: it is of http://a.example, not https://a.example`)
  t.equal(refused('https://'), `${code}: it is no URL`)
  for (const url of ['https://u@a.example/', 'https://:p@a.example/']) {
    t.equal(refused(url), `${code}: it holds credentials`)
  }
  t.end()
})

t.test('a body that was read is gone, except those that can be read again', (t) => {
  for (const body of [
    undefined,
    null,
    '',
    'a',
    new URLSearchParams(),
    new FormData(),
    new Blob([]),
    new ArrayBuffer(1),
    new SharedArrayBuffer(1),
    new Uint8Array(1),
    new DataView(new ArrayBuffer(1)),
  ]) {
    t.ok(canBeSentAgain({ body } as OutgoingRequest))
  }
  t.notOk(canBeSentAgain({ body: new Blob(['a']).stream() } as unknown as OutgoingRequest))
  t.end()
})

const to = (status: number, location?: string): Response =>
  new Response(null, { status, ...(location !== undefined && { headers: { location } }) })

t.test('a redirect is one of five statuses with a location', (t) => {
  for (const status of [301, 302, 303, 307, 308]) {
    t.ok(isRedirect(to(status, '/b')))
    t.notOk(isRedirect(to(status)))
  }
  for (const status of [200, 300, 304, 400]) t.notOk(isRedirect(to(status, '/b')))
  t.end()
})

t.test('what a redirect asks for', (t) => {
  const headers = {
    a: 'b',
    'content-encoding': 'x',
    'content-language': 'x',
    'content-location': 'x',
    'content-type': 'x',
    'content-length': '1',
  }
  const redirected = (method: string, status: number, body: RequestInit['body'] = 'c') => {
    const next = redirectedRequest(requestTo('x#f', { method, headers, body }), to(status, '/b'))
    return [next.method, next.body, pairs(next.headers), next.url.href]
  }
  const url = 'https://a.example/b#f'
  const asGet = ['GET', null, { a: 'b' }, url]
  const same = (method: string) => [method, 'c', headers, url]
  for (const status of [301, 302]) {
    t.strictSame(redirected('POST', status), asGet)
    t.strictSame(redirected('PUT', status), same('PUT'))
  }
  t.strictSame(redirected('POST', 303), asGet)
  t.strictSame(redirected('PUT', 303), asGet)
  for (const method of ['GET', 'HEAD']) {
    t.strictSame(redirected(method, 303, null), [method, null, headers, url])
  }
  for (const status of [307, 308]) t.strictSame(redirected('POST', status), same('POST'))
  const stream = new Blob(['a']).stream()
  t.throws(() => redirected('POST', 307, stream), {
    name: 'TypeError',
    message: 'fetch failed',
    cause: { message: 'redirect not followed: its body was a stream, and is gone' },
  })
  t.strictSame(redirected('POST', 303, stream), asGet)
  const target = (location: string) =>
    redirectedRequest(requestTo('x#f'), to(307, location)).url.href
  t.equal(target('y'), 'https://a.example/v1/y#f')
  t.equal(target('/y#g'), 'https://a.example/y#g')
  t.equal(target('http://b.example/'), 'http://b.example/#f')
  for (const location of ['https://', 'data:,a', 'ftp://b.example/', 'xhttp:a', 'https-x:a']) {
    t.throws(() => target(location), {
      name: 'TypeError',
      message: 'fetch failed',
      cause: { message: 'redirect not followed: its target is no http URL' },
    })
  }
  t.end()
})

interface Sent {
  readonly url: string
  readonly token: string | null
  readonly redirect: unknown
  readonly method: unknown
  readonly body: unknown
  readonly signal: unknown
  readonly rest: unknown
}

/** Sends with tokens `t1`, `t2` and so on, to a service that answers in turn. */
async function sendTo(
  answers: readonly Response[],
  request = requestTo('x'),
  { hasOther = true }: { readonly hasOther?: boolean } = {},
) {
  const sent: Sent[] = []
  const replaced: unknown[] = []
  let number = 1
  const options: SendOptions = {
    url: BASE,
    tokenHeaders: BOTH,
    fetch: async (url, { headers, redirect, method, body, signal, ...rest } = {}) => {
      const token = new Headers(headers).get('authorization')
      sent.push({ url: String(url), token, redirect, method, body, signal, rest })
      return answers[sent.length - 1] as Response
    },
    tokens: {
      get: () => `t${number}`,
      replace: async (refused, signal) => {
        replaced.push([refused, signal])
        number += 1
        return hasOther ? `t${number}` : null
      },
    },
  }
  const outcome: unknown = await send(request, options).catch((error: unknown) => error)
  return { sent, replaced, outcome, tokens: sent.map(({ token }) => token) }
}

t.test('a request is sent once, with its parts', async (t) => {
  const { signal } = new AbortController()
  const answer = new Response('a')
  const request = requestTo('x', { method: 'POST', body: 'c', signal, keepalive: true })
  const { sent, outcome } = await sendTo([answer], request)
  t.equal(outcome, answer)
  t.strictSame(sent, [
    {
      url: 'https://a.example/v1/x',
      token: 'Bearer t1',
      redirect: 'manual',
      method: 'POST',
      body: 'c',
      signal,
      rest: { keepalive: true },
    },
  ])
  const plain = (await sendTo([answer])).sent[0]
  t.strictSame([plain?.body, plain?.signal], [null, null])
  for (const redirect of ['error', 'manual'] as const) {
    const redirecting = to(307, '/b')
    const kept = await sendTo([redirecting], requestTo('x', { redirect }))
    t.strictSame([kept.outcome, kept.sent[0]?.redirect], [redirecting, redirect])
  }
})

t.test('a 401 is answered with another token, once', async (t) => {
  const refused = () => new Response('no', { status: 401 })
  const first = refused()
  const good = new Response('yes')
  const { tokens, replaced, outcome } = await sendTo([first, good])
  t.strictSame(tokens, ['Bearer t1', 'Bearer t2'])
  t.strictSame(replaced, [['t1', undefined]])
  t.equal(outcome, good)
  await t.rejects(first.text(), 'its body is not read')
  const second = refused()
  t.equal((await sendTo([refused(), second, good])).outcome, second)
  const only = refused()
  const none = await sendTo([only], requestTo('x'), { hasOther: false })
  t.equal(none.outcome, only)
  t.equal(await only.text(), 'no', 'its body is there to read')
  const stream = new Blob(['a']).stream()
  const once = refused()
  const gone = await sendTo([once, good], requestTo('x', { method: 'POST', body: stream }))
  t.strictSame([gone.outcome, gone.replaced], [once, []])
  const forbidden = new Response('no', { status: 403 })
  t.strictSame((await sendTo([forbidden, good])).outcome, forbidden)
})

t.test('redirects are followed, and no other origin gets the token', async (t) => {
  const good = new Response('yes')
  const first = to(307, '/b')
  const here = await sendTo([first, good])
  t.strictSame(
    here.sent.map(({ url, token }) => [url, token]),
    [
      ['https://a.example/v1/x', 'Bearer t1'],
      ['https://a.example/b', 'Bearer t1'],
    ],
  )
  const [before, refused] = [0, 1].map(() => new Response('no', { status: 401 }))
  const again = await sendTo([before as Response, to(307, '/b'), refused as Response, good])
  t.equal(again.outcome, refused, 'one other token for all of them')
  const after = await sendTo([to(307, '/b'), new Response('no', { status: 401 }), good])
  t.equal(after.outcome, good, 'a redirect alone does not use up the other token')
  const { sent, outcome } = await sendTo([to(307, 'https://b.example/'), good])
  t.equal(outcome, good)
  t.strictSame(
    sent.map(({ url, token, redirect }) => [url, token, redirect]),
    [
      ['https://a.example/v1/x', 'Bearer t1', 'manual'],
      ['https://b.example/', null, 'follow'],
    ],
  )
  const body = new Response('away', { status: 307, headers: { location: '/b' } })
  await sendTo([body, good])
  await t.rejects(body.text(), 'its body is not read')
})

t.test('twenty redirects and no more', async (t) => {
  const good = new Response('yes')
  const redirects = (count: number) => Array.from({ length: count }, () => to(307, '/b'))
  t.equal((await sendTo([...redirects(20), good])).outcome, good)
  t.match((await sendTo([...redirects(21), good])).outcome, {
    message: 'fetch failed',
    cause: { message: 'redirect not followed: there were too many' },
  })
})
