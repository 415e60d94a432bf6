import type { AuditedCaller } from './audit-log.ts'
import { failsafeCalls } from './failsafe-calls.ts'

/** The part of an OpenTelemetry `Span` that is used. */
export interface Span {
  /** Sets attributes of the span. */
  setAttributes: (attributes: Record<string, string | boolean>) => unknown
}

/** The option `tracing`. */
export interface TracingOptions {
  /**
   * The `trace` of `@opentelemetry/api`: the span that is active while a request is verified gets
   * `google_id_token.outcome`, `google_id_token.enforced` and, for a refusal,
   * `google_id_token.refusal` (its code).
   */
  trace: {
    /** The span of the request, if there is one. */
    getActiveSpan: () => Span | undefined
  }
  /**
   * Also `google_id_token.caller.email` and `google_id_token.caller.subject`, where the signature was
   * verified. Everyone who reads traces then sees who calls. Default `false`.
   */
  caller?: boolean | undefined
}

/** An outcome as spans tell it. */
export interface SpanOutcome {
  /** `accepted`, `anonymous` or `refused`. */
  readonly outcome: string
  /** The code of a refusal. */
  readonly refusal: string | undefined
  readonly enforced: boolean
  readonly caller: AuditedCaller | null
}

/** Writes outcomes to the active span. A span that throws changes nothing. */
export function spanMarker({
  trace,
  caller: withCaller = false,
}: TracingOptions): (outcome: SpanOutcome) => void {
  const mark = failsafeCalls()
  return ({ outcome, refusal, enforced, caller }) => {
    mark(() => {
      const { email, subject }: Partial<AuditedCaller> = (withCaller ? caller : null) ?? {}
      trace.getActiveSpan()?.setAttributes({
        'google_id_token.outcome': outcome,
        'google_id_token.enforced': enforced,
        ...(refusal !== undefined && { 'google_id_token.refusal': refusal }),
        ...(email !== undefined && { 'google_id_token.caller.email': email }),
        ...(subject !== undefined && { 'google_id_token.caller.subject': subject }),
      })
    })
  }
}
