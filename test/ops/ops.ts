// What the op suite runs over: every declared op that has samples, by its public name, and the sampler that makes
// them. The same samples were given to PyTorch (test/data/ops/make.py), so they are seeded by the op's name.
import { type DType, write_element } from '../../src/base/dtype.ts'
import * as torch from '../../src/index.ts'
import type { Sampler, Spec } from '../../src/ops/define/op.ts'
import * as functions from '../../src/ops/functions.ts'
import * as both from '../../src/ops/index.ts'
import * as method_only from '../../src/ops/method_only.ts'
import * as nn from '../../src/ops/nn/index.ts'
import { empty } from '../../src/tensor/dispatch.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

export type AnyOp = ((...args: unknown[]) => unknown) & { readonly op_name: string; readonly spec: Spec }

/** mulberry32, seeded by a text. */
function random_from(text: string): () => number {
  let state = 0x9e3779b9
  for (const c of text) state = Math.imul(state ^ c.charCodeAt(0), 0x85ebca6b) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

function filled(sizes: readonly number[], dtype: DType, value: (i: number) => number | boolean): Tensor {
  const out = empty(sizes, dtype)
  const array = out.memory.array(dtype)
  for (let i = 0; i < out.count; i++) write_element(array, dtype, out.offset + i, value(i))
  return out
}

/** The sampler of one op. Floats have few digits, so that they are the same numbers in a data file. */
export function sampler(name: string): Sampler {
  const random = random_from(name)
  const between = (low: number, high: number): number =>
    low + (Math.round(random() * 4096) / 4096) * (high - low)
  const r = (...sizes: number[]): Tensor => filled(sizes, torch.float32, () => between(-2, 2))
  return Object.assign(r, {
    range: (low: number, high: number, ...sizes: number[]) =>
      filled(sizes, torch.float32, () => between(low, high)),
    ints: (low: number, high: number, ...sizes: number[]) =>
      filled(sizes, torch.int64, () => low + Math.floor(random() * (high - low))),
    bools: (...sizes: number[]) => filled(sizes, torch.bool, () => random() < 0.5),
    distinct: (...sizes: number[]) => {
      const n = sizes.reduce((a, b) => a * b, 1)
      const order = Array.from({ length: n }, (_, i) => i)
      for (let i = n - 1; i > 0; i--) {
        const j = Math.floor(random() * (i + 1))
        ;[order[i], order[j]] = [order[j]!, order[i]!]
      }
      return filled(sizes, torch.float32, i => order[i]! / 4)
    },
    cast: (t: Tensor, dtype: DType) => t.to(dtype),
  })
}

export type Entry = {
  readonly name: string
  readonly path: string
  readonly op: AnyOp
  readonly samples: readonly unknown[][]
}

const families: readonly [string, Record<string, unknown>][] = [
  ['', both],
  ['', functions],
  ['Tensor.', method_only],
  ['nn.functional.', nn],
  ['nn.functional.', torch.nn.functional],
  ['special.', (torch as unknown as Record<string, Record<string, unknown>>)['special'] ?? {}],
  ['masked.', torch.masked],
  ['linalg.', (torch as unknown as Record<string, Record<string, unknown>>)['linalg'] ?? {}],
]

const is_own = ([name, op]: [string, unknown]): boolean => (op as { op_name?: string }).op_name === name
const own_name_first = (a: [string, unknown], b: [string, unknown]): number =>
  Number(is_own(b)) - Number(is_own(a)) || (a[0] < b[0] ? -1 : 1)

/** Every op with samples, once, in-place forms left out (they are checked with the op they are the form of). */
export function all_ops(): Entry[] {
  const seen = new Set<unknown>()
  const entries: Entry[] = []
  // An op with several names goes by its own.
  for (const [prefix, family] of families)
    for (const [name, op] of Object.entries(family).sort(own_name_first)) {
      if (typeof op !== 'function' || !('spec' in op) || seen.has(op) || name.endsWith('_')) continue
      seen.add(op)
      const { samples } = (op as AnyOp).spec
      if (samples === undefined) continue
      entries.push({
        name,
        path: prefix + name,
        op: op as AnyOp,
        samples: samples(sampler(prefix + name)) as unknown[][],
      })
    }
  return entries
}
