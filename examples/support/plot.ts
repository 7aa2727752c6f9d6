// Plots for the examples, as SVG files in examples/output/: lines and images in a grid of panels, drawn by ECharts.
import { mkdirSync, writeFileSync } from 'node:fs'
import * as echarts from 'echarts'
import type { Tensor } from '../../src/index.ts'

/** A line through points; `y` alone is drawn over its index. */
export type Line = {
  name?: string
  x?: Tensor | readonly number[]
  y: Tensor | readonly number[]
  color?: string
  dashed?: boolean
  /** dots at the points */
  marks?: boolean
}

/** One plot: lines, or an image given by its rows. */
export type Panel = {
  title?: string
  lines?: readonly Line[]
  image?: Tensor
  x_label?: string
  y_label?: string
  x_range?: readonly [number, number]
  y_range?: readonly [number, number]
  log_scale?: boolean
}

const numbers = (x: Tensor | readonly number[]): number[] =>
  (Array.isArray(x) ? x : (x as Tensor).tolist()) as number[]

/** Draws the panels, row by row, as an SVG text. */
export function draw(rows: readonly (readonly Panel[])[], width = 640, height = 400): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height })
  const cells = rows.flatMap((row, r) => row.map((panel, c) => ({ panel, r, c, columns: row.length })))
  const images = cells.flatMap(({ panel }, i) => (panel.image === undefined ? [] : [i]))
  const size = (part: number, parts: number, margin: number): string => `${(100 * part) / parts + margin}%`
  chart.setOption({
    animation: false,
    color: ['#1f77b4', '#ff7f0e', '#2ca02c', '#d62728'],
    title: cells.map(({ panel, r, c, columns }) => ({
      text: panel.title ?? '',
      textAlign: 'center',
      textStyle: { fontSize: 12 },
      left: size(c + 0.5, columns, 0),
      top: size(r, rows.length, 0),
    })),
    ...(cells.length === 1 && cells[0]!.panel.lines?.some(line => line.name)
      ? { legend: { bottom: 0 } }
      : {}),
    grid: cells.map(({ r, c, columns }) => ({
      left: size(c, columns, 7),
      width: size(1, columns, -10),
      top: size(r, rows.length, 9),
      height: size(1, rows.length, -22),
    })),
    xAxis: cells.map(({ panel }, i) => axis(panel, i, 'x')),
    yAxis: cells.map(({ panel }, i) => axis(panel, i, 'y')),
    visualMap: images.map(i => ({
      show: false,
      seriesIndex: cells.slice(0, i).reduce((n, { panel }) => n + (panel.lines?.length ?? 1), 0),
      min: 0,
      max: Number(cells[i]!.panel.image!.max().item()),
      inRange: { color: ['#0b0000', '#a00000', '#ff6000', '#ffe000', '#ffffff'] },
    })),
    series: cells.flatMap(({ panel }, i) => series(panel, i)),
  } as echarts.EChartsCoreOption)
  const svg = chart.renderToSVGString()
  chart.dispose()
  return svg
}

function axis(panel: Panel, i: number, side: 'x' | 'y'): object {
  const label = side === 'x' ? panel.x_label : panel.y_label
  const place = { gridIndex: i, name: label, nameLocation: 'middle', nameGap: side === 'x' ? 24 : 36 }
  if (panel.image !== undefined) {
    const count = panel.image.size(side === 'x' ? 1 : 0)
    const data = Array.from({ length: count }, (_, n) => n)
    return { ...place, type: 'category', data, inverse: side === 'y', axisLabel: { show: count <= 10 } }
  }
  const range = side === 'x' ? panel.x_range : panel.y_range
  const [min, max] = range ?? ['dataMin', 'dataMax']
  if (side === 'y' && panel.log_scale)
    return { ...place, type: 'log', axisLabel: { formatter: (value: number) => value.toExponential(0) } }
  return side === 'y' && range === undefined
    ? { ...place, type: 'value', scale: true }
    : { ...place, type: 'value', min, max }
}

function series(panel: Panel, i: number): object[] {
  const place = { xAxisIndex: i, yAxisIndex: i }
  if (panel.image !== undefined) {
    const rows = panel.image.tolist() as number[][]
    return [
      { ...place, type: 'heatmap', data: rows.flatMap((row, y) => row.map((value, x) => [x, y, value])) },
    ]
  }
  return (panel.lines ?? []).map(line => {
    const y = numbers(line.y)
    const x = line.x === undefined ? y.map((_, n) => n) : numbers(line.x)
    return {
      ...place,
      type: 'line',
      name: line.name,
      data: y.map((value, n) => [x[n], value]),
      showSymbol: line.marks ?? false,
      lineStyle: { ...(line.color ? { color: line.color } : {}), type: line.dashed ? 'dashed' : 'solid' },
      ...(line.color ? { itemStyle: { color: line.color } } : {}),
    }
  })
}

/** Draws the panels into examples/output/NAME.svg. */
export function save_plot(
  name: string,
  rows: readonly (readonly Panel[])[],
  width?: number,
  height?: number,
): void {
  const folder = new URL('../output/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(`${name}.svg`, folder), draw(rows, width, height))
}
