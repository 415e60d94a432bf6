/** The dashboard and the alerts have the queries of docs/operate.md. */
import t from 'tap'
import { blocksIn, textOf } from './blocks.ts'

const queries = blocksIn(textOf('docs/operate.md'))
  .filter(({ language }) => language === 'promql')
  .map(({ code }) => code.trim())

interface Dashboard {
  readonly mosaicLayout: {
    readonly tiles: readonly {
      readonly widget: {
        readonly xyChart: {
          readonly dataSets: readonly {
            readonly timeSeriesQuery: { readonly prometheusQuery: string }
          }[]
        }
      }
    }[]
  }
}

t.test('the dashboard shows every query, in the order of the page', (t) => {
  const { mosaicLayout } = JSON.parse(textOf('docs/monitoring/dashboard.json')) as Dashboard
  const shown = mosaicLayout.tiles.flatMap(({ widget }) =>
    widget.xyChart.dataSets.map(({ timeSeriesQuery }) => timeSeriesQuery.prometheusQuery),
  )
  t.strictSame(shown, queries)
  t.end()
})

t.test('every alert is about a query of the page', (t) => {
  const expressions = [
    ...textOf('docs/monitoring/alerts.yml').matchAll(/expr: >-\n +(.*) > [\d.]+\n/g),
  ].map(([, expression = '']) => expression)
  t.equal(expressions.length, 6)
  t.strictSame(
    expressions,
    queries.filter((query) => expressions.includes(query)),
  )
  t.end()
})
