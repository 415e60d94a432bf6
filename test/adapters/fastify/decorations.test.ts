/** What other plugins find on the app and on its requests. */
import { readFileSync } from 'node:fs'
import Fastify from 'fastify'
import fp from 'fastify-plugin'
import t from 'tap'
import googleIdToken from '../../../src/index.ts'
import { issuer } from '../../helpers/issuer.ts'
import { audience, login } from '../../helpers/shop.ts'

const options = { audience, allowedCallers: [login], jwks: issuer.jwks }

t.test('the plugin names the versions of Fastify that the package names', (t) => {
  const { fastify } = (googleIdToken as unknown as Record<symbol, { fastify: string }>)[
    Symbol.for('plugin-meta')
  ] as { fastify: string }
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  const { peerDependencies } = JSON.parse(manifest) as {
    peerDependencies: Record<string, string>
  }
  t.equal(fastify, peerDependencies.fastify)
  t.end()
})

t.test('the decorations are there for plugins that ask for them', async (t) => {
  const app = Fastify()
  t.after(() => app.close())
  await app.register(googleIdToken, options)
  const needsThem = fp(async () => undefined, {
    name: 'needs-them',
    dependencies: ['fastify-google-id-token'],
    decorators: {
      fastify: ['idTokenVerifier', 'listAllowedCallers'],
      request: ['caller'],
    },
  })
  await t.resolves(Promise.resolve(app.register(needsThem)))
})
