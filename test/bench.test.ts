/**
 * The benchmark runs: every row on the native and the WebAssembly device, at tiny sizes, on TensorFlow.js, and on
 * PyTorch where there is one.
 * Nothing here says how fast anything is.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { figures, geometric_mean, type Row, ratios } from '../scripts/bench/report.ts'
import { rows as tfjs_rows } from '../scripts/bench/tfjs_rows.ts'
import { workloads } from '../scripts/bench/workloads/index.ts'

const root = resolve(import.meta.dirname, '..')
const names = workloads.map(w => w.name)

describe('the table', () => {
  it('has no name twice', () => {
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([])
  })

  it('has the same rows for PyTorch', () => {
    const text = readFileSync(join(root, 'scripts/bench/pytorch.py'), 'utf8')
    const table = text.slice(text.indexOf('\nTABLE = {'), text.indexOf('\n}\n', text.indexOf('\nTABLE = {')))
    expect([...table.matchAll(/^ {4}"(.*?)": /gm)].map(match => match[1])).toEqual(names)
  })

  it('has the same rows for TensorFlow.js', () => {
    expect(Object.keys(tfjs_rows)).toEqual(names)
  })
})

describe('the figures', () => {
  it('are the median, the best and the mean', () => {
    expect(figures([4, 1, 10, 3])).toEqual({ median: 3.5, best: 1, mean: 4.5, samples: 4 })
    expect(figures([4, 1, 10])).toEqual({ median: 4, best: 1, mean: 5, samples: 3 })
  })

  it('are compared by their medians, where both sides have one', () => {
    const sides = { native: figures([2]), PyTorch: figures([3]), wasm: 'no such row' }
    const comparisons = ['native', 'wasm'].map(by => ({ of: 'PyTorch', by }))
    expect(ratios(sides, comparisons)).toEqual({ 'PyTorch/native': 1.5 })
    expect(geometric_mean([2, 8])).toBeCloseTo(4)
  })
})

/** What TensorFlow.js cannot compute on its WebAssembly backend, and says so when it is asked. */
const WITHOUT_KERNELS: Record<string, string> = {
  'embedding, forward and backward': 'UnsortedSegmentSum',
  'conv2d 3x3, forward and backward': 'Conv2DBackpropFilter',
  'conv2d 1x1, forward and backward': 'Conv2DBackpropFilter',
  'conv2d 3x3 stride 2, forward and backward': 'Conv2DBackpropFilter',
  'conv2d depthwise 3x3, forward and backward': 'DepthwiseConv2dNativeBackpropInput',
  'CNN [64, 3, 32, 32], SGD with momentum': 'Conv2DBackpropFilter',
  'LSTM language model [32, 16], Adam': 'UnsortedSegmentSum',
}

function expected_reason(name: string): string | undefined {
  const row = tfjs_rows[name]
  if (typeof row === 'string') return row
  const kernel = WITHOUT_KERNELS[name]
  return kernel && `Error: Kernel '${kernel}' not registered for backend 'wasm'`
}

describe('npm run bench -- --smoke --vs tfjs', () => {
  it('gives every row a positive time on each side; TensorFlow.js may say why it has none', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tstorch-bench-'))
    try {
      const json = join(folder, 'bench.json')
      const arguments_ = ['--smoke', '--device', 'native,wasm', '--vs', 'tfjs', '--json', json]
      const tsx = join(root, 'node_modules/tsx/dist/cli.mjs')
      const ran = spawnSync(process.execPath, [tsx, join(root, 'scripts/bench/run.ts'), ...arguments_], {
        cwd: root,
        encoding: 'utf8',
      })
      expect(ran.status, ran.stdout + ran.stderr).toBe(0)
      const { rows, versions } = JSON.parse(readFileSync(json, 'utf8')) as {
        rows: Row[]
        versions: Record<string, string>
      }
      expect(rows.map(row => row.name)).toEqual(names)
      const slow = rows.flatMap(row =>
        Object.keys(versions).map(side => {
          const x = row.sides[side]
          if (side === 'tfjs' && x === expected_reason(row.name)) return ''
          return typeof x === 'object' && x.best > 0 && x.median >= x.best ? '' : `${row.name}, ${side}: ${x}`
        }),
      )
      expect(slow.filter(Boolean)).toEqual([])
      expect(versions['tfjs']).toContain('2 threads')
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }, 600_000)
})
