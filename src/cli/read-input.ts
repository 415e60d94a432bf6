import { open } from 'node:fs/promises'
import { UsageError, type Io } from './io.ts'

/** A file with lists or bindings is far smaller. */
const LARGEST_JSON = 64 * 1024 * 1024

/** The bytes of a file, or of standard input for `-` and for no name at all. */
export async function* chunksOf(io: Io, file = '-'): AsyncGenerator<Buffer> {
  if (file !== '-') {
    yield* fileChunks(file)
    return
  }
  if (io.stdin.isTTY === true) {
    throw new UsageError('There is nothing on standard input: name a FILE, or pipe something in')
  }
  yield* io.stdin
}

async function* fileChunks(file: string): AsyncGenerator<Buffer> {
  try {
    const handle = await open(file)
    yield* handle.createReadStream({ highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(`The file ${JSON.stringify(file)} cannot be read: ${String(code)}`)
  }
}

/** The text of a file, or of standard input. */
export async function textOf(io: Io, file?: string): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of chunksOf(io, file)) {
    length += chunk.length
    if (length > LARGEST_JSON) throw new UsageError('There are more than 64 MiB to read')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
    .toString()
    .replace(/^\uFEFF/, '')
}

/**
 * The JSON in a file, or on standard input.
 *
 * @param expected - what should be in it, for the message
 */
export async function jsonOf(io: Io, file: string, expected: string): Promise<unknown> {
  const text = await textOf(io, file)
  try {
    return JSON.parse(text)
  } catch {
    throw new UsageError(`${inputName(file)} holds no JSON; accepted: ${expected}`)
  }
}

/** A file as messages name it. */
export function inputName(file: string): string {
  return file === '-' ? 'Standard input' : `The file ${JSON.stringify(file)}`
}
