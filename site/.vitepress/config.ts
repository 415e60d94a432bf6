/** The site: README.md, SECURITY.md, CHANGELOG.md and docs/, as they are. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig, type DefaultTheme } from 'vitepress'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { description, repository } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
  description: string
  repository?: { url: string }
}

/** The groups of the index, and in each the pages of its table. */
function groupsOfIndex(): DefaultTheme.SidebarItem[] {
  const index = readFileSync(`${root}/docs/README.md`, 'utf8')
  return index
    .split(/^## /m)
    .slice(1)
    .map((group) => ({
      text: group.slice(0, group.indexOf('\n')),
      items: pagesOf(group),
    }))
}

/** The pages of a table of the index, by its rows. */
function pagesOf(group: string): DefaultTheme.SidebarItem[] {
  const links = [...group.matchAll(/^\| \[(?<text>[^\]]+)\]\((?<file>[^)]+)\)/gm)]
  return links.map(({ groups: { file = '' } = {} }) => ({
    text: titleOf(new URL(file, 'file:///docs/').pathname.slice(1)),
    link: new URL(file, 'file:///docs/').pathname.replace(/(?:README)?\.md$/, ''),
  }))
}

/** The start page begins the first group. */
function sidebar(): DefaultTheme.SidebarItem[] {
  const [first, ...others] = groupsOfIndex()
  const start = { text: 'The start page', link: '/' }
  return [{ ...first, items: [start, ...(first?.items ?? [])] }, ...others]
}

function titleOf(page: string): string {
  if (page === 'docs/reference/README.md') return 'Reference'
  return /^# (.+)$/m.exec(readFileSync(`${root}/${page}`, 'utf8'))?.[1]?.replaceAll('`', '') ?? page
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
    // The links of the pages have the anchors of GitHub.
    anchor: {
      slugify: (heading) =>
        heading
          .toLowerCase()
          .replaceAll(/[^\w\- ]/g, '')
          .replaceAll(' ', '-'),
    },
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
    // The pages are outside this folder, where Vue is.
    plugins: [
      {
        name: 'vue-of-the-site',
        enforce: 'pre',
        resolveId: (id, _importer, { ssr }) => {
          if (!/^vue(?:\/server-renderer)?$/.test(id)) return null
          return ssr === true
            ? { id, external: true }
            : fileURLToPath(
                new URL('../node_modules/vue/dist/vue.runtime.esm-bundler.js', import.meta.url),
              )
        },
      },
    ],
    build: { chunkSizeWarningLimit: 2_000 },
  },
  themeConfig: {
    search: {
      provider: 'local',
      options: {
        miniSearch: {
          searchOptions: {
            // The reference says most words on many pages: it would hide the pages that explain.
            boostDocument: (page: string) => (page.includes('/reference/') ? 0.2 : 1),
          },
        },
      },
    },
    outline: [2, 3],
    nav: [{ text: 'Documentation', link: '/docs/' }],
    sidebar: sidebar(),
    ...(repository && {
      socialLinks: [
        { icon: 'github', link: repository.url.replace(/^git\+|\.git$/g, '') },
      ] satisfies DefaultTheme.SocialLink[],
    }),
  },
})
