/** What Google says about an ID token. */
import type { FastifyInstance } from 'fastify'
import { createLocalJWKSet, errors, jwtVerify, type JSONWebKeySet } from 'jose'
import type { EmulatedGoogle } from './emulated-google.ts'
import { OAuthError } from './google-errors.ts'
import { queryOf, tokenParameters } from './request-parameters.ts'

/** Serves the check of a token, by GET and by POST. */
export function serveTokeninfo(app: FastifyInstance, google: EmulatedGoogle): void {
  app.route({
    method: ['GET', 'POST'],
    url: '/tokeninfo',
    handler: async (request) => {
      const idToken = queryOf(request).get('id_token') ?? tokenParameters(request).get('id_token')
      if (idToken === undefined) throw new OAuthError('invalid_request', 'missing id_token')
      return tokeninfo(google, idToken)
    },
  })
}

async function tokeninfo({ issuer, clock }: EmulatedGoogle, idToken: string): Promise<object> {
  const keys = createLocalJWKSet(issuer.jwks as JSONWebKeySet)
  try {
    const { payload, protectedHeader } = await jwtVerify(idToken, keys, {
      issuer: issuer.issuer,
      algorithms: ['RS256'],
      currentDate: clock(),
    })
    const { alg, kid, typ } = protectedHeader
    return asStrings({ ...payload, alg, kid, typ })
  } catch (error) {
    if (error instanceof errors.JOSEError) throw new OAuthError('invalid_token', 'Invalid Value')
    throw error
  }
}

/** Numbers and booleans are strings there, and what has members is left out. */
function asStrings(claims: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(claims)
      .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
      .map(([name, value]) => [name, String(value)]),
  )
}
