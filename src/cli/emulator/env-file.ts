import { rename, rm, writeFile } from 'node:fs/promises'
import { UsageError } from '../io.ts'

/**
 * Writes a file whole: a process that waits for it never reads a part of it.
 *
 * @returns a function that removes it
 * @throws UsageError
 */
export async function writeWhole(path: string, text: string): Promise<() => Promise<void>> {
  const unfinished = `${path}.${process.pid}.tmp`
  try {
    await writeFile(unfinished, text)
    await rename(unfinished, path)
  } catch (error) {
    await rm(unfinished, { force: true })
    const { code } = error as NodeJS.ErrnoException
    throw new UsageError(`The file ${JSON.stringify(path)} cannot be written: ${String(code)}`)
  }
  return () => rm(path, { force: true })
}
