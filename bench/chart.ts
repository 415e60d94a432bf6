import { init } from 'echarts'
import { format } from 'prettier'
import { CONTENDERS } from './contender.ts'
import { OURS, roundsOf } from './figures.ts'
import type { BenchResults, Measured } from './result.ts'
import { SERVERS } from './server.ts'
import { median } from './statistics.ts'

const OUR_COLOR = '#1a73e8'
const OTHER_COLOR = '#9aa0a6'

/** What the README shows: server CPU a request, and tokens verified a second. */
export async function benchChart({ http, verify }: BenchResults): Promise<string> {
  const servers = SERVERS.filter(({ framework }) => framework === 'Fastify').map(({ name }) => name)
  const contenders = CONTENDERS.map(({ name }) => name)
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 960, height: 640 })
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: [
      { text: 'Server CPU a request, µs: less is better', left: 16, top: 8, textStyle: TITLE },
      {
        text: 'Tokens verified a second (log scale): more is better',
        left: 16,
        top: 330,
        textStyle: TITLE,
      },
    ],
    legend: [
      { data: ['one token', '1,000 tokens'], right: 16, top: 8 },
      { data: ['the same token again', 'a token seen once'], right: 16, top: 330 },
    ],
    grid: [
      { left: 250, right: 60, top: 40, height: 265 },
      { left: 250, right: 60, top: 362, height: 240 },
    ],
    xAxis: [
      { gridIndex: 0, type: 'value' },
      { gridIndex: 1, type: 'log', min: 1000 },
    ],
    yAxis: [categories(0, servers), categories(1, contenders)],
    series: [
      bars(0, 'one token', heights(http.one, servers, 'cpu'), 1),
      bars(0, '1,000 tokens', heights(http.thousand, servers, 'cpu'), 0.6),
      bars(1, 'the same token again', heights(verify.repeated, contenders, 'perSecond'), 1),
      bars(1, 'a token seen once', heights(verify.once, contenders, 'perSecond'), 0.6),
    ],
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return format(svg, { parser: 'html', printWidth: 200 })
}

const TITLE = { fontSize: 15 }

function categories(gridIndex: number, data: readonly string[]): object {
  return { gridIndex, type: 'category', data, inverse: true, axisTick: { show: false } }
}

interface Bar {
  readonly name: string
  readonly value: number
}

function heights<Figure extends string>(
  measured: readonly Measured<Figure>[],
  names: readonly string[],
  figure: Figure,
): Bar[] {
  return names.map((name) => ({ name, value: median(roundsOf(measured, name, figure)) }))
}

/** One bar for each name; ours stands out. */
function bars(grid: number, name: string, values: readonly Bar[], opacity: number): object {
  return {
    name,
    type: 'bar',
    xAxisIndex: grid,
    yAxisIndex: grid,
    color: OTHER_COLOR,
    itemStyle: { opacity },
    data: values.map((bar) => ({
      value: bar.value,
      itemStyle: { color: bar.name === OURS ? OUR_COLOR : OTHER_COLOR, opacity },
    })),
  }
}
