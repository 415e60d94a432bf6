/** Fails where a link of the built site leads to no page, no file or no heading of the site. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const SITE = new URL('../site/dist/', import.meta.url)

const pages = readdirSync(SITE, { encoding: 'utf8', recursive: true }).filter((file) =>
  file.endsWith('.html'),
)

function matchesIn(page: string, pattern: RegExp): string[] {
  const html = readFileSync(new URL(page, SITE), 'utf8')
  return [...html.matchAll(pattern)].map(([, value = '']) => value.replaceAll('&amp;', '&'))
}

/** The file that a server of static files sends for this URL. */
function fileOf({ pathname }: URL): string {
  const path = fileURLToPath(new URL(`.${pathname}`, SITE))
  return existsSync(path) && statSync(path).isDirectory() ? join(path, 'index.html') : path
}

const anchors = new Map(
  pages.map((page) => [
    fileURLToPath(new URL(page, SITE)),
    new Set(matchesIn(page, / id="([^"]*)"/g)),
  ]),
)

/** What is wrong with a link, if anything is. */
function problemOf(page: string, link: string): string[] {
  const target = new URL(link, `site:///${page}`)
  if (target.protocol !== 'site:') return []
  const file = fileOf(target)
  if (!existsSync(file)) return [`${page}: ${link} leads to no file`]
  const hasAnchor =
    target.hash === '' || anchors.get(file)?.has(decodeURIComponent(target.hash.slice(1)))
  return hasAnchor ? [] : [`${page}: ${link} leads to no heading`]
}

const links = pages.flatMap((page) =>
  matchesIn(page, / (?:href|src)="([^"]*)"/g).map((link) => [page, link] as const),
)
const problems = links.flatMap(([page, link]) => problemOf(page, link))
process.stdout.write(`${links.length} links, ${problems.length} broken\n${problems.join('\n')}`)
process.exitCode = problems.length === 0 && links.length > 0 ? 0 : 1
