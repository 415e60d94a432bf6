/** What Google says about an ID token. */
import type { FastifyInstance } from 'fastify'
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose'
import type { EmulatorState } from '../emulator-state.ts'
import { OAuthError } from '../google-errors.ts'
import { queryOf, tokenParameters } from '../request-parameters.ts'

/** Serves tokeninfo, by GET and by POST. */
export function serveTokeninfo(app: FastifyInstance, google: EmulatorState): void {
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

async function tokeninfo({ issuer, clock }: EmulatorState, idToken: string): Promise<object> {
  const keys = createLocalJWKSet(issuer.jwks as JSONWebKeySet)
  try {
    const { payload, protectedHeader } = await jwtVerify(idToken, keys, {
      issuer: issuer.issuer,
      algorithms: ['RS256'],
      currentDate: clock(),
    })
    const { alg, kid, typ } = protectedHeader
    return asStrings({ ...payload, alg, kid, typ })
  } catch {
    throw new OAuthError('invalid_token', 'Invalid Value')
  }
}

/** In tokeninfo, numbers and booleans are strings, and claims with members are left out. */
function asStrings(claims: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(claims)
      .filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
      .map(([name, value]) => [name, String(value)]),
  )
}
