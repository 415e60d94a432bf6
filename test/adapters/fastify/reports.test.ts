/** What the plugin tells a log about requests, and when it is closed. */
import t from 'tap'
import { fastify, recordedLog } from '../../helpers/guarded-app.ts'
import { issuer } from '../../helpers/issuer.ts'
import { audience, login } from '../../helpers/shop.ts'

const options = { audience, allowedCallers: [login], jwks: issuer.jwks }

t.test('audited requests have their route, and at the end all of them are counted', async (t) => {
  const log = recordedLog()
  const audited = () => log.lines.flatMap(({ fields: { idToken } }) => idToken ?? [])
  const { ask, close } = await fastify.start(t, { options: { ...options, auditLog: true }, log })
  const line = { method: 'GET', route: '/orders/:id', outcome: 'ID_TOKEN_MISSING' }
  for (let n = 0; n < 3; n += 1) await ask()
  t.match(audited(), [{ ...line, count: 1 }])
  await close()
  t.match(audited(), [
    { ...line, count: 1 },
    { ...line, count: 2 },
  ])
})

t.test('the number of refusals that were not logged is logged at the end', async (t) => {
  const log = recordedLog()
  const { ask, close } = await fastify.start(t, { options, log })
  for (let n = 0; n < 12; n += 1) await ask()
  t.equal(log.warned().length, 10)
  t.match(log.warned()[0], { fields: { method: 'GET', route: '/orders/:id', header: null } })
  await close()
  t.match(log.warned().slice(10), [{ fields: { route: '/orders/:id', suppressed: 2 } }])
})
