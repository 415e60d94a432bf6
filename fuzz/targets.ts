/** The fuzz targets, and the inputs that are kept for each. */
import { fileURLToPath } from 'node:url'

/** `test/fuzz`. */
export const folder = fileURLToPath(new URL('.', import.meta.url))

/** Each is a file in `targets`. */
export const TARGETS = [
  'allow-log',
  'header-choice',
  'key-documents',
  'parse-token',
  'policies',
] as const

/** A module of `targets`. It throws where a promise is broken. */
export interface FuzzTarget {
  readonly fuzz: (data: Buffer) => Promise<void> | void
}

/** The folder of the inputs of a target. */
export function corpusOf(target: string): string {
  return `${folder}corpus/${target}`
}
