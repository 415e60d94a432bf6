/** The site: README.md, SECURITY.md, CHANGELOG.md and docs/, as they are. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig, type DefaultTheme } from 'vitepress'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { description, repository } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
  description: string
  repository?: { url: string }
}

/** The pages in the order of the index, by the rows of its table. */
function pagesOfIndex(): DefaultTheme.SidebarItem[] {
  const index = readFileSync(`${root}/docs/README.md`, 'utf8')
  const links = [...index.matchAll(/^\| \[(?<text>[^\]]+)\]\((?<file>[^)]+)\)/gm)]
  return links.map(({ groups: { file = '' } = {} }) => ({
    text: titleOf(new URL(file, 'file:///docs/').pathname.slice(1)),
    link: new URL(file, 'file:///docs/').pathname.replace(/(?:README)?\.md$/, ''),
  }))
}

function titleOf(page: string): string {
  if (page === 'docs/reference/README.md') return 'Reference'
  return /^# (.+)$/m.exec(readFileSync(`${root}/${page}`, 'utf8'))?.[1]?.replaceAll('`', '') ?? page
}

function installed(file: string): string {
  return fileURLToPath(new URL(`../node_modules/${file}`, import.meta.url))
}

export default defineConfig({
  title: 'fastify-google-id-token',
  description,
  srcDir: root,
  // Only what is in the package is a page.
  srcExclude: [
    '**/node_modules/**',
    ...['bench', 'dist', 'examples', 'fixtures', 'scripts', 'site', 'src', 'test'].map(
      (folder) => `${folder}/**`,
    ),
    'CONTRIBUTING.md',
  ],
  outDir: `${root}/site/dist`,
  cacheDir: `${root}/node_modules/.cache/vitepress`,
  rewrites: {
    'README.md': 'index.md',
    'docs/README.md': 'docs/index.md',
    'docs/reference/README.md': 'docs/reference/index.md',
  },
  markdown: {
    languageAlias: { cjs: 'js', promql: 'sql' },
    config: (markdown) => {
      markdown.core.ruler.push('index-pages', ({ tokens }) => {
        for (const { children } of tokens) {
          for (const link of children ?? []) {
            const href = link.attrGet('href')
            if (href !== null) link.attrSet('href', href.replace(/(?<=^|\/)README\.md/, 'index.md'))
          }
        }
      })
    },
  },
  vite: {
    resolve: {
      // The pages are outside this folder, where Vue is.
      alias: [
        { find: /^vue$/, replacement: installed('vue/dist/vue.runtime.esm-bundler.js') },
        { find: /^vue\/server-renderer$/, replacement: installed('vue/server-renderer/index.mjs') },
      ],
    },
    build: { chunkSizeWarningLimit: 2_000 },
  },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [{ text: 'Documentation', link: '/docs/' }],
    sidebar: [{ text: 'Start', link: '/' }, ...pagesOfIndex()],
    ...(repository && {
      socialLinks: [
        { icon: 'github', link: repository.url.replace(/^git\+|\.git$/g, '') },
      ] satisfies DefaultTheme.SocialLink[],
    }),
  },
})
