/** What is mutated, and the tests that have to notice it. */

/** A part of `src`, and its tests. */
export interface Group {
  readonly name: string
  readonly mutate: readonly string[]
  /**
   * Test files, without `test/` and `.test.ts`. Each mutant is tried with those that run its code,
   * in this order, up to the first that fails: so the quickest and most specific come first. A
   * survivor is tried with all of them, so files that take seconds are not here.
   */
  readonly tests: readonly string[]
}

export const GROUPS: readonly Group[] = [
  {
    name: 'request',
    mutate: ['src/request/*.ts'],
    tests: [
      'request/presented-token',
      'request/request-like',
      'request/other-places',
      'verifier/verifier',
      'request/two-identities',
      'verifier/attacks',
      'verifier/iap',
    ],
  },
  {
    name: 'token',
    mutate: ['src/token/*.ts'],
    tests: [
      'token/parse-token',
      'verifier/verifier',
      'verifier/iap',
      'token/base64url',
      'errors/remedies',
      'verifier/attacks',
    ],
  },
  {
    name: 'keys',
    mutate: ['src/keys/*.ts'],
    tests: [
      'keys/parse-jwks',
      'keys/freshness',
      'keys/key-set-stats',
      'keys/refresh-moments',
      'keys/remote-key-set',
      'keys/fetch-pace',
      'keys/refetch',
      'keys/close',
      'keys/rfc7520',
      'keys/wycheproof',
      'telemetry/metrics',
      'verifier/missing-keys',
      'verifier/verifier',
      'verifier/iap',
      'verifier/attacks',
    ],
  },
  {
    name: 'policy',
    mutate: ['src/policy/*.ts'],
    tests: [
      'policy/allowed-callers',
      'policy/refused-entries',
      'policy/access-policy',
      'policy/audiences',
      'policy/caller-refusal',
      'verifier/verifier',
      'verifier/iap',
    ],
  },
  {
    name: 'profiles',
    mutate: ['src/profiles/*.ts'],
    tests: [
      'profiles/twin-header',
      'profiles/accounts',
      'verifier/settings',
      'profiles/token-profile',
      'verifier/iap',
      'verifier/verifier',
    ],
  },
  {
    name: 'cache',
    mutate: ['src/cache/*.ts'],
    tests: ['cache/recent-tokens', 'cache/token-cache', 'verifier/verifier'],
  },
  {
    name: 'pacing',
    mutate: ['src/pacing/*.ts'],
    tests: ['pacing/waiting', 'pacing/pacing', 'telemetry/refusal-limit'],
  },
  {
    name: 'checks',
    mutate: ['src/checks/*.ts'],
    tests: [
      'checks/option-values',
      'checks/injected',
      'checks/secure-url',
      'checks/plain-options',
      'verifier/settings',
    ],
  },
  {
    name: 'verifier',
    mutate: ['src/verifier/*.ts'],
    tests: [
      'verifier/validate-claims',
      'verifier/refusal-details',
      'verifier/settings',
      'verifier/verifier-options',
      'verifier/verifier',
      'verifier/iap-options',
      'verifier/iap',
      'errors/remedies',
      'request/request-like',
      'adapters/start-warnings',
      'keys/close',
      'verifier/verify-callers',
      'verifier/missing-keys',
      'verifier/counted-outcomes',
      'adapters/allow-http-hosts',
      'telemetry/metrics',
      'cache/token-cache',
      'verifier/fixtures',
      'keys/refetch',
    ],
  },
  {
    name: 'adapters',
    mutate: ['src/adapters/*.ts'],
    tests: [
      'adapters/receive-outcome',
      'adapters/guard-options',
      'telemetry/telemetry',
      'adapters/start-warnings',
      'adapters/refusal-log',
      'adapters/report-only',
      'adapters/express/middleware',
      'telemetry/audit-log',
    ],
  },
  {
    name: 'express',
    mutate: ['src/adapters/express/*.ts'],
    tests: [
      'adapters/express/route-names',
      'adapters/express/middleware',
      'adapters/express/late',
      'adapters/report-only',
      'adapters/start-warnings',
      'adapters/refusal-log',
      'telemetry/audit-log',
    ],
  },
  {
    name: 'fastify',
    mutate: ['src/adapters/fastify/*.ts'],
    tests: [
      'adapters/fastify/route-config',
      'adapters/fastify/route-policies',
      'adapters/fastify/decorations',
      'adapters/fastify/early-routes',
      'adapters/fastify/reports',
      'adapters/fastify/plugin',
      'adapters/fastify/scopes',
      'adapters/fastify/openapi',
      'adapters/fastify/other-plugins',
      'adapters/fastify/many-routes',
      'adapters/start-warnings',
      'adapters/report-only',
      'adapters/fastify/refusals',
      'adapters/fastify/startup',
      'keys/close',
    ],
  },
  {
    name: 'client',
    mutate: [
      'src/client/{clock-difference,credentials,follow-redirect,id-token-source,impersonate}.ts',
      'src/client/{outgoing-request,parse-id-token,send,share-id-tokens,shared-id-token}.ts',
      'src/client/{token-headers,within-time}.ts',
    ],
    tests: [
      'client/token-sources',
      'client/sent-requests',
      'client/shared-id-token',
      'client/token-shape',
      'client/token-headers',
      'client/clock-difference',
      'client/credentials',
      'client/id-tokens',
    ],
  },
]
