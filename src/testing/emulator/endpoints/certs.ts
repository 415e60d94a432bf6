/**
 * Google's public keys: as JWK set (v3), as X.509 (v1), and the discovery document that names them;
 * and those of Identity-Aware Proxy, as JWK set and as PEM.
 */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { JWK } from 'jose'
import type { EmulatorState } from '../emulator-state.ts'

export const JWKS_PATH = '/oauth2/v3/certs'
const X509_PATH = '/oauth2/v1/certs'

/** https://cloud.google.com/iap/docs/signed-headers-howto, as `www.gstatic.com` serves them. */
export const IAP_JWKS_PATH = '/iap/verify/public_key-jwk'
const IAP_PEM_PATH = '/iap/verify/public_key'

/** As recorded from Google's answers, for both forms of the keys. */
const CACHE_CONTROL = 'public, max-age=23641, must-revalidate, no-transform'
const IAP_CACHE_CONTROL = 'public, max-age=3000'
const DAY = 86_400_000

/** Serves the keys. */
export function serveCerts(app: FastifyInstance, google: EmulatorState): void {
  const { issuer, clock } = google
  const keys = new Map<string, CertifiedKey>()
  google.onSigningKey((key) => {
    keys.set(String(key.kid), new CertifiedKey(key))
  })
  app.get(JWKS_PATH, (_request, reply) => {
    return reply.header('cache-control', CACHE_CONTROL).send(issuer.jwks)
  })
  app.get(X509_PATH, async (_request, reply) => {
    const published = new Set(issuer.jwks.keys.map(({ kid }) => kid))
    const certificates: Record<string, string> = {}
    for (const [kid, key] of keys) {
      if (published.has(kid)) certificates[kid] = await key.certificate(clock())
    }
    return reply.header('cache-control', CACHE_CONTROL).send(certificates)
  })
  app.get('/.well-known/openid-configuration', (_request, reply) =>
    reply
      .header('cache-control', 'public, max-age=3600')
      .send(discovery(issuer.issuer, google.url)),
  )
}

/** Serves the keys of Identity-Aware Proxy. */
export function serveIapCerts(app: FastifyInstance, { issuer }: EmulatorState): void {
  app.get(IAP_JWKS_PATH, (_request, reply) =>
    reply.header('cache-control', IAP_CACHE_CONTROL).send(issuer.iapJwks),
  )
  app.get(IAP_PEM_PATH, (_request, reply) => {
    const pems = issuer.iapJwks.keys.map((key) => [
      key.kid,
      createPublicKey({ key: { ...key }, format: 'jwk' }).export({ type: 'spki', format: 'pem' }),
    ])
    return reply.header('cache-control', IAP_CACHE_CONTROL).send(Object.fromEntries(pems))
  })
}

/**
 * A signing key with its certificate. The certificate is made on request and kept while it is
 * valid.
 */
class CertifiedKey {
  readonly #privateKey: KeyObject
  #certificate: { readonly pem: string; readonly from: Date; readonly to: Date } | undefined

  constructor(jwk: JWK) {
    this.#privateKey = createPrivateKey({ key: { ...jwk }, format: 'jwk' })
  }

  async certificate(now: Date): Promise<string> {
    const known = this.#certificate
    if (known !== undefined && known.from <= now && now <= known.to) return known.pem
    const validity = {
      from: new Date(now.getTime() - DAY),
      to: new Date(now.getTime() + 16 * DAY),
    }
    // asn1js is loaded only if a certificate is requested.
    const { selfSignedCertificate } = await import('../x509-certificate.ts')
    const pem = selfSignedCertificate(this.#privateKey, validity)
    this.#certificate = { pem, ...validity }
    return pem
  }
}

/** The members of Google's document that are about ID tokens, with the emulator's addresses. */
function discovery(issuer: string, url: string): object {
  return {
    issuer,
    authorization_endpoint: `${url}/o/oauth2/v2/auth`,
    token_endpoint: `${url}/token`,
    jwks_uri: `${url}${JWKS_PATH}`,
    response_types_supported: ['code', 'token', 'id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['client_secret_post'],
    grant_types_supported: ['refresh_token', 'urn:ietf:params:oauth:grant-type:jwt-bearer'],
    claims_supported: ['aud', 'azp', 'email', 'email_verified', 'exp', 'iat', 'iss', 'sub'],
  }
}
