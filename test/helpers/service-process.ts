/** Services of the examples as processes, like in their containers. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

/** A process that serves. */
export interface ServiceProcess {
  /** Its address on loopback. */
  readonly url: string
  /** The first line on standard output with this in it, now or later. */
  readonly line: (part: string) => Promise<string>
  readonly lines: readonly string[]
  readonly kill: (signal: NodeJS.Signals) => void
  /** Its exit code and the signal that ended it. */
  readonly ended: Promise<readonly [number | null, NodeJS.Signals | null]>
}

const path = (file: string): string => fileURLToPath(new URL(file, import.meta.url))

/** What Node 24 does by itself, and the package of this checkout in the place of the published one. */
const LOADERS = ['./strip-types.js', './package-from-source.ts'].flatMap((file) => [
  '--import',
  new URL(file, import.meta.url).href,
])

/**
 * Starts a file of the project with this environment and no other.
 *
 * @param url - finds the URL in a line of standard output
 */
export async function startProcess(
  t: Test,
  [file, ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
  url = /(?:listening at |GCE_METADATA_HOST=)(?<url>(?:http:\/\/)?127\.0\.0\.1:\d+)/,
): Promise<ServiceProcess> {
  const child = spawn(process.execPath, [...LOADERS, path(`../../${String(file)}`), ...args], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  const lines: string[] = []
  const output = createInterface({ input: child.stdout })
  output.on('line', (line) => lines.push(line))
  const find = async (isWanted: (line: string) => boolean): Promise<string> => {
    let found
    while ((found = lines.find(isWanted)) === undefined) {
      const [happened] = await Promise.race([once(output, 'line'), once(output, 'close')])
      if (happened === undefined) throw new Error(`It has ended:\n${lines.join('\n')}`)
    }
    return found
  }
  const address = url.exec(await find((line) => url.test(line)))?.groups?.url ?? ''
  return {
    url: address.startsWith('http://') ? address : `http://${address}`,
    line: (part) => find((line) => line.includes(part)),
    lines,
    kill: (signal) => child.kill(signal),
    ended,
  }
}
