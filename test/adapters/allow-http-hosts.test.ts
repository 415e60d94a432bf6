import t from 'tap'
import { createServiceClient } from '../../src/client.ts'
import { createVerifier } from '../../src/index.ts'
import { startService } from '../helpers/recording-service.ts'
import { audience } from '../helpers/shop.ts'
import { issuer } from '../helpers/issuer.ts'

const hosts = ['profiles', 'google', 'user_profiles', 'profiles.shop.svc.cluster.local']

/** Makes one of both, with a URL and `allowHttpHosts`, and keeps what it warns of. */
const makers = {
  url: (url: string, options: object) => {
    createServiceClient({ url, ...options })
  },
  'serviceAccount.endpoint': (url: string, options: object) => {
    const serviceAccount = { email: 'ci@shop-prod.iam.gserviceaccount.com', endpoint: url }
    createServiceClient({ url: audience, serviceAccount, ...options })
  },
  jwksUri: (url: string, options: object) => {
    createVerifier({ audience, jwksUri: url, ...options }).close()
  },
}

function warnings() {
  const lines: { finding: object; message: string }[] = []
  const warn = (finding: object, message: string) => lines.push({ finding, message })
  return { lines, logger: { warn } }
}

for (const [option, make] of Object.entries(makers)) {
  t.test(`${option}: http to a host that is named, with a warning at each start`, async (t) => {
    for (const host of hosts) {
      for (const url of [
        `http://${host}`,
        `http://${host}:8080/v1/`,
        `HTTP://${host.toUpperCase()}`,
      ]) {
        const { lines, logger } = warnings()
        make(url, { allowHttpHosts: hosts, logger })
        make(url, { allowHttpHosts: hosts, logger })
        t.match(lines, [{ finding: { option, host } }, { finding: { option, host } }])
        const what = option === 'jwksUri' ? 'the keys' : 'tokens'
        t.match(
          lines[0]?.message,
          new RegExp(`allowHttpHosts names ${host}: .*${what}.*unencrypted`, 'i'),
        )
      }
    }
  })

  t.test(`${option}: what needs no warning gets none`, async (t) => {
    const { lines, logger } = warnings()
    for (const url of ['https://profiles:8443/', 'http://127.0.0.1:1/', 'http://localhost/']) {
      make(url, { allowHttpHosts: hosts, logger })
      make(url, { allowHttpHosts: [], logger })
    }
    t.same(lines, [])
  })

  t.test(`${option}: http to any other host is refused, and the option named`, async (t) => {
    const making = (url: string, options: object) => () => {
      make(url, options)
    }
    const name = option.replace('.', String.raw`\.`)
    const refusal = {
      name: 'TypeError',
      code: 'ID_TOKEN_OPTION_INVALID',
      message: new RegExp(`^Option ${name} is .*; accepted: .* the option allowHttpHosts names`),
    }
    for (const url of [
      'http://search/',
      'http://profiles.evil.example/',
      'http://evil.example/profiles',
      'http://profiles@evil.example/',
      'http://my-profiles/',
      'http://profiles./',
      'ftp://profiles/',
      'ws://profiles/',
      'http://user:hunter2@profiles/',
    ]) {
      t.throws(making(url, { allowHttpHosts: hosts }), refusal, url)
    }
    t.throws(making('http://profiles/', {}), refusal, 'without the option')
    t.throws(making('http://profiles/', { allowHttpHosts: undefined }), refusal)
    t.throws(making('http://user:hunter2@profiles/', { allowHttpHosts: hosts }), {
      message: /^(?!.*hunter2)/,
    })
  })
}

t.test('a list that is not one of exact host names is refused at start', async (t) => {
  for (const allowHttpHosts of [
    null,
    true,
    'profiles',
    [7],
    [''],
    ['*'],
    ['*.internal'],
    ['profiles:8080'],
    ['http://profiles'],
    ['profiles/v1'],
    ['Profiles'],
    ['profiles.'],
    ['.profiles'],
    ['a..b'],
    [' profiles'],
    ['profiles,google'],
    ['10.0.0.0/8'],
    ['10.0.0.5'],
    ['10.1'],
    ['0x7f.1'],
    ['::1'],
    ['[fd00::1]'],
    ['münchen'],
    ['-profiles'],
    ['a'.repeat(64)],
    ['profiles', null],
  ]) {
    const message =
      /^Option allowHttpHosts is .*; accepted: a list of exact host names in lower case/
    const refusal = { name: 'TypeError', code: 'ID_TOKEN_OPTION_INVALID', message }
    const hosts = allowHttpHosts as string[]
    t.throws(() => createServiceClient({ url: audience, allowHttpHosts: hosts }), refusal)
    t.throws(() => createVerifier({ audience, allowHttpHosts: hosts }), refusal)
  }
})

t.test('calls and keys go to a host that is named', async (t) => {
  const service = await startService(t, ({ url }, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(url === '/certs' ? JSON.stringify(issuer.jwks) : '{}')
  })
  // In place of the name server of docker-compose.
  const asked: string[] = []
  const fetch: typeof globalThis.fetch = (input, init) => {
    const { host, pathname } = new URL(input)
    asked.push(`${host}${pathname}`)
    return globalThis.fetch(new URL(pathname, service.url), init)
  }
  const { logger } = warnings()
  const common = { allowHttpHosts: ['profiles', 'google'], fetch, logger }
  const email = 'login@shop-prod.iam.gserviceaccount.com'
  const profiles = createServiceClient({
    ...common,
    url: 'http://profiles:8080',
    auth: { fetchIdToken: (audience) => issuer.idToken({ audience, email }) },
  })
  t.equal(profiles.audience, 'http://profiles:8080')
  t.equal((await profiles.fetch('/profiles/42')).status, 200)
  const verifier = createVerifier({
    ...common,
    audience: profiles.audience,
    allowedCallers: [email],
    jwksUri: 'http://google:9000/certs',
  })
  t.equal((await verifier.verify(service.tokens()[0] ?? '')).email, email)
  t.same(asked, ['profiles:8080/profiles/42', 'google:9000/certs'])
  verifier.close()
})
