import { FAULTS, type Fault } from '../faults/faults.ts'
import { startKeyServer, well, type Answer, type KeyServer } from '../faults/key-server.ts'

/** The ways in which the endpoints fail, one after the other. None of them brings keys. */
const NINE = [
  'refuses connections',
  'accepts and hangs',
  'resets in mid-body',
  '301 to a good set',
  '500',
  'HTML',
  'truncated JSON',
  '30 MB',
  'a private key',
]
export const FLAPS: readonly Fault[] = FAULTS.filter(({ name }) => NINE.includes(name))

/** Milliseconds from a good answer until a service must have read it. */
const READ = 250
/** Milliseconds within which a verifier notices that its endpoint is back, as docs/options.md says. */
const NOTICED = 5_000

interface Jwk {
  readonly kid: string
}

/** A key endpoint that flaps, and knows which service it has given which keys. */
export class FlappingEndpoint {
  readonly #server: KeyServer
  readonly #jwk: object
  /** When each service first got each key, by service and `kid`. */
  readonly #given = new Map<string, number>()
  readonly #publishedAt = new Map<string, number>()
  #wellSince = 0

  private constructor(server: KeyServer, jwk: object) {
    this.#server = server
    this.#jwk = jwk
    server.answer = this.#well
  }

  /** @param jwk - the public key that it publishes under every `kid` */
  static async start(jwk: object): Promise<FlappingEndpoint> {
    return new FlappingEndpoint(await startKeyServer({ keys: [] }), jwk)
  }

  /** Requests that have reached it. */
  get requests(): number {
    return this.#server.requests
  }

  /** Where one service fetches its keys. */
  uriFor(service: string): string {
    return `${this.#server.uri}?service=${service}`
  }

  publish(kids: readonly string[]): void {
    for (const kid of kids) {
      if (!this.#publishedAt.has(kid)) this.#publishedAt.set(kid, performance.now())
    }
    this.#server.jwks = { keys: kids.map((kid) => ({ ...this.#jwk, kid, use: 'sig' })) }
  }

  async fail(fault: Fault): Promise<void> {
    this.#wellSince = Infinity
    await fault.begin(this.#server)
  }

  async recover(fault: Fault): Promise<void> {
    await fault.end(this.#server)
    this.#server.answer = this.#well
    this.#wellSince = performance.now()
  }

  /**
   * Whether a correct verifier could know the key of a request: it has got it, or endpoint, key
   * and service have been there for long enough to ask.
   */
  couldKnow(service: string, kid: string, sentAt: number, startedAt: number): boolean {
    const given = this.#given.get(`${service} ${kid}`)
    if (given !== undefined && given + READ <= sentAt) return true
    const since = Math.max(this.#wellSince, this.#publishedAt.get(kid) ?? Infinity, startedAt)
    return since + NOTICED <= sentAt
  }

  async close(): Promise<void> {
    await this.#server.close()
  }

  readonly #well: Answer = (response, document, request) => {
    const service = new URL(request.url ?? '', this.#server.uri).searchParams.get('service') ?? ''
    response.on('finish', () => {
      for (const { kid } of (JSON.parse(document) as { keys: Jwk[] }).keys) {
        const key = `${service} ${kid}`
        if (!this.#given.has(key)) this.#given.set(key, performance.now())
      }
    })
    well(response, document, request)
  }
}
