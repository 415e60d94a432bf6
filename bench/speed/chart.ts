import { init } from 'echarts'
import { CONTENDERS, OURS } from './contender.ts'
import { roundsOf } from './figures.ts'
import type { BenchResults, Measured } from './result.ts'
import { SERVERS } from './server.ts'
import { median } from './statistics.ts'

/** What the README shows: tokens verified a second, and server CPU a request. */
export function benchChart(results: BenchResults): string {
  const peers = CONTENDERS.filter(({ isFloor }) => !isFloor)
  const once = CONTENDERS.filter(({ isDigestOnly }) => !isDigestOnly)
  const servers = SERVERS.filter(({ framework }) => framework === 'Fastify')
  const panels = [
    panel('One known token, verified again: thousand a second', results.repeated, peers, rate),
    panel('Tokens seen once: thousand a second', results.once, once, rate),
    panel(
      'A known token over HTTP: server CPU a request, µs (less is better)',
      results['http all'],
      servers,
      cpu,
    ),
  ]
  // One element a line, so that two charts can be compared. No text is changed: its spaces count.
  return `${drawn(panels).replaceAll('><', '>\n<')}\n`
}

interface Panel {
  readonly title: string
  readonly bars: readonly Bar[]
}

interface Bar {
  readonly name: string
  readonly value: number
  readonly isFloor: boolean
}

interface Named {
  readonly name: string
  readonly isFloor?: true
}

function panel<Figure extends string>(
  title: string,
  measured: readonly Measured<Figure>[],
  names: readonly Named[],
  value: (measured: readonly Measured<Figure>[], name: string) => number,
): Panel {
  const bars = names.map(({ name, isFloor }) => ({
    name,
    value: value(measured, name),
    isFloor: isFloor === true,
  }))
  return { title, bars }
}

function rate(measured: readonly Measured<'perSecond'>[], name: string): number {
  return median(roundsOf(measured, name, 'perSecond')) / 1000
}

/** Of its own code and in the kernel. */
function cpu(measured: readonly Measured<'user' | 'system'>[], name: string): number {
  const system = roundsOf(measured, name, 'system')
  return median(
    roundsOf(measured, name, 'user').map((user, round) => user + (system[round] ?? NaN)),
  )
}

/**
 * Read on white and on black: the page of a reader may be either, and the chart has no background
 * of its own. The text is as far from one as from the other.
 */
const COLORS = { ours: '#1a73e8', peer: '#8b949e', floor: '#a98f4e', text: '#737b85' }
const WIDTH = 880
const NAMES = 270
const BAR = 26
const TITLE = 40
const GAP = 24
const LEGEND = 'Blue: this library. Brown: a floor, which does less than any verifier must.'

/** The panels below each other, their bars of one height. */
function drawn(panels: readonly Panel[]): string {
  let top = 0
  const placed = panels.map(({ title, bars }) => {
    const at = top
    top += TITLE + bars.length * BAR + GAP
    return { title, bars, at }
  })
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: top + TITLE })
  chart.setOption({
    animation: false,
    title: [
      ...placed.map(({ title, at }) => line(title, at + 12, { fontSize: 15 })),
      line(LEGEND, top, { fontSize: 13, fontWeight: 'normal' }),
    ],
    grid: placed.map(({ bars, at }) => ({
      left: NAMES,
      right: 80,
      top: at + TITLE,
      height: bars.length * BAR,
    })),
    xAxis: placed.map((_, gridIndex) => ({ gridIndex, type: 'value', show: false })),
    yAxis: placed.map(({ bars }, gridIndex) => names(gridIndex, bars)),
    series: placed.map(({ bars }, index) => series(index, bars)),
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return svg
}

function line(text: string, top: number, font: object): object {
  return { text, left: 12, top, textStyle: { color: COLORS.text, ...font } }
}

function names(gridIndex: number, bars: readonly Bar[]): object {
  return {
    gridIndex,
    type: 'category',
    data: bars.map(({ name }) => name),
    inverse: true,
    axisTick: { show: false },
    axisLine: { show: false },
    axisLabel: { color: COLORS.text, fontSize: 13 },
  }
}

/** Ours stands out, and a floor is no peer. */
function series(index: number, bars: readonly Bar[]): object {
  return {
    type: 'bar',
    xAxisIndex: index,
    yAxisIndex: index,
    barWidth: '62%',
    label: { show: true, position: 'right', color: COLORS.text, fontSize: 13 },
    data: bars.map(({ name, value, isFloor }) => ({
      value: Number(value.toPrecision(3)),
      itemStyle: {
        color: name.startsWith(OURS) ? COLORS.ours : isFloor ? COLORS.floor : COLORS.peer,
      },
    })),
  }
}
