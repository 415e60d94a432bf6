'use strict'

/**
 * The rooms of `src`, from the ground up. A module imports from its own room and from those above it
 * in this list; adapters, client and testing stand side by side. The command line uses the client
 * and the test kit, and nothing uses it.
 */
const ROOMS = [
  'errors',
  'checks',
  'pacing',
  'request',
  'token',
  'keys',
  'policy',
  'profiles',
  'cache',
  'telemetry',
  'verifier',
  '(?:adapters|client|testing)',
  'cli',
]

/** The same inside the test kit: rooms from the ground up. */
const TESTING_ROOMS = ['issuer', 'push', 'emulator', 'cloud-run']

const upwards = (folder, rooms) =>
  rooms.slice(0, -1).map((room, position) => ({
    name: `${folder}${room}-imports-nothing-above-it`,
    severity: 'error',
    from: { path: `^src/${folder}${room}/` },
    to: { path: `^src/${folder}(?:${rooms.slice(position + 1).join('|')})/` },
  }))

const aside = (room, others) => ({
  name: `${room}-stands-alone`,
  severity: 'error',
  from: { path: `^src/${room}/` },
  to: { path: `^src/(?:${others.join('|')})/` },
})

module.exports = {
  forbidden: [
    { name: 'no-circle', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'nothing-imports-an-entry',
      severity: 'error',
      from: { path: '^src/[^/]+/' },
      to: { path: '^src/[^/]+\\.ts$' },
    },
    ...upwards('', ROOMS),
    ...upwards('testing/', TESTING_ROOMS),
    aside('adapters', ['client', 'testing']),
    aside('client', ['adapters', 'testing']),
    aside('testing', ['adapters', 'client']),
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
  },
}
