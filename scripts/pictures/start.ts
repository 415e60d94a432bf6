/** What `npm start` prints, as a picture of a terminal. */
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { terminalPicture } from './terminal.ts'

export function start(): string {
  const output = execFileSync('npm', ['start', '--silent', '--', '--once'], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, FORCE_COLOR: '1', LOG_LEVEL: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
  })
  return terminalPicture('npm start', shortened(output.trim()))
}

/** The first table and the last line: the whole would fill two screens of the README. */
function shortened(text: string): string {
  const [directCalls = '', others = ''] = text.split(/^(?=through the front end)/m)
  const leftOut = others.match(/[✓✗]/gu)?.length ?? 0
  if (leftOut === 0) throw new Error('npm start prints no table of calls through the front end')
  const lastLine = others.slice(others.lastIndexOf('\n') + 1)
  return `${directCalls}… ${leftOut} calls through Cloud Run's front end, with the IAM check on and off …\n\n${lastLine}`
}
