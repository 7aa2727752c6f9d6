// What the benchmark shows: the table as text or Markdown, and the figures as JSON. Not here: measuring.
import os from 'node:os'
import type { Workload } from './table.ts'

/** Microseconds a call. */
export type Figures = { median: number; best: number; mean: number; samples: number }

export type Row = Pick<Workload, 'name' | 'group' | 'flops' | 'bytes'> & {
  /** By side; a string says why there are no figures. */
  sides: Record<string, Figures | string>
  /** Another side's median over a side's own: above 1, the side named first is faster. */
  ratios: Record<string, number>
  /** The same of the bests. */
  best_ratios: Record<string, number>
}

/** Which medians are compared: `of` over `by`. */
export type Comparison = { of: string; by: string }
export const comparison_name = ({ of, by }: Comparison): string => `${of}/${by}`

export function figures(samples: readonly number[]): Figures {
  const sorted = [...samples].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return {
    median: sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2,
    best: sorted[0]!,
    mean: sorted.reduce((sum, x) => sum + x, 0) / sorted.length,
    samples: sorted.length,
  }
}

export function ratios(
  sides: Row['sides'],
  comparisons: readonly Comparison[],
  figure: 'median' | 'best' = 'median',
): Record<string, number> {
  const found: Record<string, number> = {}
  for (const c of comparisons) {
    const [of, by] = [sides[c.of], sides[c.by]]
    if (typeof of === 'object' && typeof by === 'object') found[comparison_name(c)] = of[figure] / by[figure]
  }
  return found
}

export function geometric_mean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, x) => sum + Math.log(x), 0) / values.length)
}

/** The geometric mean of each ratio over the rows that have it. */
export function means(rows: readonly Row[], comparisons: readonly Comparison[]): Record<string, number> {
  const found: Record<string, number> = {}
  for (const name of comparisons.map(comparison_name)) {
    const values = rows.flatMap(row => row.ratios[name] ?? [])
    if (values.length > 0) found[name] = geometric_mean(values)
  }
  return found
}

const microseconds = (us: number): string => us.toFixed(us < 10 ? 2 : us < 1000 ? 1 : 0)

/** GFLOP/s or GB/s, where the row says what it computes or moves. */
function rate({ flops, bytes }: Row, { median }: Figures): string {
  const [amount, unit] = flops !== undefined ? [flops, 'GF/s'] : [bytes, 'GB/s']
  if (amount === undefined) return ''
  const value = amount / median / 1000
  return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`
}

export class Table {
  readonly sides: readonly string[]
  readonly comparisons: readonly Comparison[]

  constructor(sides: readonly string[], comparisons: readonly Comparison[]) {
    this.sides = sides
    this.comparisons = comparisons
  }

  #head(): string[] {
    return [...this.sides.flatMap(side => [`${side} us`, '']), ...this.comparisons.map(comparison_name)]
  }

  #cells(row: Row): string[] {
    return [
      ...this.sides.flatMap(side => {
        const x = row.sides[side]
        return typeof x === 'object' ? [microseconds(x.median), rate(row, x)] : ['-', '']
      }),
      ...this.#ratios(row.ratios),
    ]
  }

  #ratios(of: Record<string, number>): string[] {
    return this.comparisons.map(c => of[comparison_name(c)]?.toFixed(2) ?? '-')
  }

  /** A line of the table as text. */
  #line(name: string, cells: readonly string[]): string {
    const widths = [...this.sides.flatMap(side => [Math.max(11, side.length + 4), 10])]
    return name.padEnd(52) + cells.map((cell, i) => cell.padStart(widths[i] ?? 16)).join('')
  }

  text_head(): string {
    return this.#line('', this.#head())
  }

  text_row(row: Row): string {
    const line = this.#line(row.name, this.#cells(row))
    const reasons = Object.entries(row.sides).filter(([, x]) => typeof x === 'string' && x !== 'no such row')
    return [line, ...reasons.map(([side, x]) => `    ${side}: ${x as string}`)].join('\n')
  }

  text_mean(name: string, of: Record<string, number>): string {
    return this.#line(name, [...this.sides.flatMap(() => ['', '']), ...this.#ratios(of)])
  }

  markdown(rows: readonly Row[]): string {
    const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
    const lines = [line(['', ...this.#head()]), line(['---', ...this.#head().map(() => '---:')])]
    const mean = (name: string, some: readonly Row[]): string =>
      line([
        `**${name}**`,
        ...this.sides.flatMap(() => ['', '']),
        ...this.#ratios(means(some, this.comparisons)).map(x => `**${x}**`),
      ])
    for (const group of new Set(rows.map(row => row.group))) {
      const some = rows.filter(row => row.group === group)
      lines.push(mean(group, some), ...some.map(row => line([row.name, ...this.#cells(row)])))
    }
    lines.push(mean('geometric mean', rows))
    return lines.join('\n')
  }
}

export type Machine = { cpu: string; cores: number; memory_gib: number; system: string; node: string }

export function machine(): Machine {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memory_gib: Math.round(os.totalmem() / 2 ** 30),
    system: `${os.type()} ${os.release()} ${os.arch()}`,
    node: process.version,
  }
}
