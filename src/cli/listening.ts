import { NoAnswer } from './io.ts'

/**
 * Waits until a server listens.
 *
 * @throws NoAnswer if the port is taken or not allowed
 */
export async function listening<Server>(start: Promise<Server>): Promise<Server> {
  try {
    return await start
  } catch (error) {
    const { code, syscall, message } = error as NodeJS.ErrnoException
    // `bind` as well, for an address that this machine does not have.
    if (code === undefined || !['listen', 'bind', 'getaddrinfo'].includes(String(syscall)))
      throw error
    throw new NoAnswer(`Nothing can listen there: ${message}`)
  }
}
