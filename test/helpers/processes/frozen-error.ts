/** Verifies and refuses tokens after an application has frozen what errors are made of. */
import Fastify from 'fastify'
import googleIdToken, { createVerifier } from '../../../src/index.ts'
import { issuer } from '../issuer.ts'

const audience = 'https://user-profiles-abc123-uc.a.run.app'
const email = 'login@shop-prod.iam.gserviceaccount.com'
const options = { audience, allowedCallers: [email], jwks: issuer.jwks }
const app = Fastify()
await app.register(googleIdToken, options)
app.get('/', () => 'ok')
await app.ready()

Object.freeze(Error)
Object.freeze(Error.prototype)

const statusOf = async (token: string): Promise<number> => {
  const headers = { authorization: `Bearer ${token}` }
  return (await app.inject({ url: '/', headers })).statusCode
}
console.log(await statusOf(await issuer.idToken({ email, audience })))
console.log(await statusOf(await issuer.idToken({ email: `x${email}`, audience })))
console.log(await statusOf('e30.e30.AAAA'))
console.log(await statusOf(`${btoa('{,}').replaceAll('=', '')}.e30.AAAA`))
console.log((await createVerifier(options).explain('garbage')).code)
