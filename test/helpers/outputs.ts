/** Collects what a process gives out, to look for secrets in it. */
import { subscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import type { Test } from 'tap'
import type { GoogleIdTokenOptions } from '../../src/index.ts'
import { SecretParts } from './secret-parts.ts'

/** Everything that anybody outside may see, by where it was seen. */
class Outputs {
  readonly #texts = new Map<string, string[]>()

  add(place: string, value: unknown): void {
    const text =
      typeof value === 'string'
        ? value
        : inspect(value, { depth: 12, showHidden: true, maxStringLength: null })
    const texts = this.#texts.get(place) ?? []
    texts.push(text)
    this.#texts.set(place, texts)
  }

  error(place: string, error: unknown): void {
    this.add(place, error)
    this.add(place, JSON.stringify(error) ?? '')
    this.add(place, String(error))
    if (error instanceof Error) this.add(place, error.stack ?? '')
  }

  count(place: string): number {
    return this.#texts.get(place)?.length ?? 0
  }

  /** Each place with the secrets that it holds. */
  holding(secrets: SecretParts): Record<string, Record<string, string>> {
    const found = [...this.#texts].map(
      ([place, texts]) => [place, secrets.foundIn(texts.join('\n'))] as const,
    )
    return Object.fromEntries(
      found
        .filter(([, held]) => held.size > 0)
        .map(([place, held]) => [place, Object.fromEntries(held)]),
    )
  }
}

/** Adds what the process itself gives out: diagnostics channels, `console.error` and warnings. */
function addOutputsOfProcess(t: Test, outputs: Outputs): void {
  for (const name of ['token:verified', 'token:rejected', 'keys:refreshed', 'keys:failed']) {
    subscribe(`fastify-google-id-token:${name}`, (message) => {
      outputs.add(`channel ${name}`, message)
      outputs.add(`channel ${name}`, JSON.stringify(message))
    })
  }
  // Express prints the errors that nothing has answered.
  t.intercept(console, 'error', {
    value: (...printed: unknown[]) => {
      for (const one of printed) outputs.error('console', one)
    },
  })
  process.on('warning', (warning) => {
    outputs.error('process warnings', warning)
  })
}

/** Options of a verifier whose metrics and spans are added. */
function telemetryInto(
  outputs: Outputs,
): Required<Pick<GoogleIdTokenOptions, 'meter' | 'tracing'>> {
  const meter: GoogleIdTokenOptions['meter'] = {
    createCounter: (...instrument) => ({
      add: (...measured) => {
        outputs.add('metrics', [instrument, measured])
      },
    }),
    createHistogram: (...instrument) => ({
      record: (...measured) => {
        outputs.add('metrics', [instrument, measured])
      },
    }),
    createObservableGauge: (...instrument) => ({
      addCallback: (callback) => {
        callback({
          observe: (...observed) => {
            outputs.add('metrics', [instrument, observed])
          },
        })
      },
      removeCallback: () => undefined,
    }),
  }

  const tracing: GoogleIdTokenOptions['tracing'] = {
    caller: true,
    trace: {
      getActiveSpan: () => ({
        setAttributes: (attributes) => {
          outputs.add('spans', attributes)
        },
      }),
    },
  }
  return { meter, tracing }
}

/** What a test collects, the options that give it out, and what must not be in it. */
export interface Collected {
  readonly outputs: Outputs
  readonly telemetry: ReturnType<typeof telemetryInto>
  readonly secrets: SecretParts
}

/** Begins to collect what this process gives out, until the end of the test. */
export function collectOutputs(t: Test): Collected {
  const outputs = new Outputs()
  addOutputsOfProcess(t, outputs)
  return { outputs, telemetry: telemetryInto(outputs), secrets: new SecretParts() }
}

/**
 * Asserts that no output holds a secret.
 *
 * @param places - where something was given out, so that there was something to look at
 * @param parts - how many parts of secrets were looked for, at least
 */
export function assertNoSecrets(
  t: Test,
  { outputs, secrets }: Collected,
  { places, parts }: { readonly places: readonly string[]; readonly parts: number },
): void {
  t.strictSame(outputs.holding(secrets), {})
  t.strictSame(
    places.filter((place) => outputs.count(place) === 0),
    [],
    'each place holds something',
  )
  t.ok(secrets.size > parts, `${secrets.size} parts`)
}
