/**
 * Every distribution against PyTorch 1.13.1: the first numbers, a digest of all of them, and what the generator gives
 * afterwards. test/data/base/make.py says how they were made.
 */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { fill_binomial, fill_multinomial, fill_poisson } from '../../src/base/discrete.ts'
import type { DType, TypedArray } from '../../src/base/dtype.ts'
import * as D from '../../src/base/dtype.ts'
import { RuntimeError } from '../../src/base/errors.ts'
import { Generator } from '../../src/base/generator.ts'
import { fill_normal } from '../../src/base/normal.ts'
import * as S from '../../src/base/sampling.ts'
import expected from '../data/base/random.json' with { type: 'json' }

type Argument = number | string | null

const by_name = (name: string): DType => D.dtypes.find(d => d.name === name) as DType
const sha256 = (array: ArrayBufferView): string =>
  createHash('sha256')
    .update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    .digest('hex')
const integer = (x: Argument | undefined): number | bigint | null | undefined =>
  typeof x === 'string' ? BigInt(x) : x

// As torch.linspace makes them in float32 and float64.
function linspace(from: number, to: number, n: number, dtype: DType): Float32Array | Float64Array {
  const round = dtype === D.float32 ? Math.fround : (x: number) => x
  const step = round((to - from) / (n - 1))
  const out = dtype === D.float32 ? new Float32Array(n) : new Float64Array(n)
  return out.map((_, i) => (i < n / 2 ? from + step * i : to - step * (n - 1 - i)))
}

/** What each name in the expected values stands for. */
const draws: Record<
  string,
  (g: Generator, out: TypedArray, dtype: DType, args: readonly Argument[]) => void
> = {
  uniform: (g, out, dtype, args) => S.fill_uniform(g, out, dtype, ...args.map(Number)),
  normal: (g, out, dtype, args) => fill_normal(g, out, dtype, ...args.slice(0, 2).map(Number)),
  random: (g, out, dtype, [from, to]) => S.fill_random(g, out, dtype, integer(from), integer(to)),
  randperm: (g, out, dtype) => S.fill_randperm(g, out, dtype),
  bernoulli: (g, out, dtype, [p]) => S.fill_bernoulli(g, out, dtype, Number(p)),
  bernoulli_from: (g, out, dtype, [p_name]) => {
    const p_dtype = by_name(String(p_name))
    S.fill_bernoulli_from(g, out, dtype, linspace(0, 1, out.length, p_dtype), p_dtype)
  },
  exponential: (g, out, dtype, [lambda]) => S.fill_exponential(g, out, dtype, Number(lambda)),
  geometric: (g, out, dtype, [p]) => S.fill_geometric(g, out, dtype, Number(p)),
  cauchy: (g, out, dtype, [median, sigma]) => S.fill_cauchy(g, out, dtype, Number(median), Number(sigma)),
  log_normal: (g, out, dtype, [mean, std]) => S.fill_log_normal(g, out, dtype, Number(mean), Number(std)),
}

function draw(g: Generator, fn: string, out: TypedArray, dtype: DType, args: readonly Argument[]): void {
  const fill = draws[fn]
  if (fill === undefined) throw new Error(`no such distribution: ${fn}`)
  fill(g, out, dtype, args)
}

/** What the C library's log, sin, cos, tan and exp make of doubles may differ from V8's in the last bit. */
const inexact = (fn: string, dtype: string): boolean =>
  dtype === 'float64' && ['normal', 'exponential', 'cauchy', 'log_normal'].includes(fn)

describe('numbers after manual_seed are those of PyTorch', () => {
  const groups = new Map<string, typeof expected.samples>()
  for (const sample of expected.samples) {
    const name = `${sample.fn} in ${sample.dtype}`
    groups.set(name, [...(groups.get(name) ?? []), sample])
  }

  test.each([...groups])('%s', (_, samples) => {
    for (const { fn, dtype: name, seed, n, args, first, sha256: digest, next } of samples) {
      const label = `${fn}(${args.join(', ')}) of ${n} ${name}`
      const dtype = by_name(name)
      const g = new Generator().manual_seed(seed)
      const out = new dtype.array(n)
      draw(g, fn, out, dtype, args as Argument[])
      const ours = (first as Argument[]).map((_, i) => Number(D.read_element(out, dtype, i)))
      if (inexact(fn, name)) {
        ours.forEach((x, i) => {
          expect(Math.abs(x - Number(first[i])), label).toBeLessThanOrEqual(Math.abs(x) * 1e-13)
        })
      } else {
        expect(ours, label).toEqual(first.map(Number))
        expect(sha256(out), label).toBe(digest)
      }
      expect(g.random() % 2 ** 31, `the draw after ${label}`).toBe(next)
    }
  })

  test('multinomial', () => {
    for (const { dtype: name, seed, replacement, samples, value } of expected.multinomial) {
      const dtype = by_name(name)
      const weights = new dtype.array(18)
      for (let i = 0; i < 18; i++) D.write_element(weights, dtype, i, ((i * 7) % 11) + 0.25)
      const g = new Generator().manual_seed(seed)
      const drawn = Array.from({ length: 20 }, () => {
        const out = new BigInt64Array(2 * samples)
        fill_multinomial(g, out, weights, dtype, 9, samples, replacement)
        return [...out].map(Number)
      })
      expect(drawn.flat(), `${samples} of ${name}, replacement ${replacement}`).toEqual(value)
    }
  })

  test('poisson and binomial', () => {
    for (const [dtype, suffix] of [
      [D.float32, ''],
      [D.float64, '64'],
    ] as const) {
      const g = new Generator()
      const out = new dtype.array(4001)
      fill_poisson(g.manual_seed(0), out, dtype, linspace(0, 50, 4001, dtype))
      expect(sha256(out)).toBe(expected.counts[`poisson${suffix}`])
      const count = linspace(0, 1, 4001, dtype).map((_, i) => i % 100)
      fill_binomial(g.manual_seed(0), out, dtype, count, linspace(0, 1, 4001, dtype))
      expect(sha256(out)).toBe(expected.counts[`binomial${suffix}`])
    }
  })
})

describe('the golden numbers of torch.manual_seed(0)', () => {
  const drawn = (n: number, dtype: DType, fill: (g: Generator, out: TypedArray) => void): number[] => {
    const out = new dtype.array(n)
    fill(new Generator().manual_seed(0), out)
    return Array.from({ length: n }, (_, i) => Number(D.read_element(out, dtype, i)))
  }

  test('rand, randn, randint, randperm, bernoulli, dropout', () => {
    expect(drawn(5, D.float32, (g, out) => S.fill_uniform(g, out, D.float32))).toEqual([
      0.49625658988952637, 0.7682217955589294, 0.08847743272781372, 0.13203048706054688, 0.30742281675338745,
    ])
    expect(drawn(5, D.float32, (g, out) => fill_normal(g, out, D.float32))).toEqual([
      1.5409960746765137, -0.293428897857666, -2.1787893772125244, 0.5684312582015991, -1.0845223665237427,
    ])
    expect(drawn(16, D.float32, (g, out) => fill_normal(g, out, D.float32)).slice(0, 4)).toEqual([
      -1.1258398294448853, -1.152360200881958, -0.2505785822868347, -0.4338788092136383,
    ])
    expect(drawn(8, D.int64, (g, out) => S.fill_random(g, out, D.int64, 0, 10))).toEqual([
      4, 9, 3, 0, 3, 9, 7, 3,
    ])
    expect(drawn(8, D.int64, (g, out) => S.fill_randperm(g, out, D.int64))).toEqual([4, 0, 7, 3, 2, 5, 1, 6])
  })
})

describe('a tensor that is not contiguous', () => {
  test('draws its normal numbers pair by pair at any size', () => {
    const [blocks, pairs] = [new Float32Array(32), new Float32Array(32)]
    fill_normal(new Generator().manual_seed(0), blocks, D.float32)
    fill_normal(new Generator().manual_seed(0), pairs, D.float32, 0, 1, false)
    const g = new Generator().manual_seed(0)
    expect([...pairs]).toEqual(Array.from(pairs, () => Math.fround(g.normal_double())))
    expect(pairs).not.toEqual(blocks)
  })
})

describe('complex numbers', () => {
  test('are drawn part by part, and share the variance', () => {
    const [complex, parts] = [new Float32Array(32), new Float32Array(32)]
    fill_normal(new Generator().manual_seed(0), complex, D.complex64)
    fill_normal(new Generator().manual_seed(0), parts, D.float32, 0, Math.SQRT1_2)
    expect(complex).toEqual(parts)
    S.fill_uniform(new Generator().manual_seed(0), complex, D.complex64)
    S.fill_uniform(new Generator().manual_seed(0), parts, D.float32)
    expect(complex).toEqual(parts)
  })
})

describe('what cannot be drawn', () => {
  test.each(expected.errors as [string, string, Argument[], string][])(
    '%s in %s of %j',
    (fn, name, args, message) => {
      const dtype = by_name(name)
      const g = new Generator().manual_seed(0)
      const out = new dtype.array(fn === 'randperm' ? Number(args[0]) : 3)
      expect(() => draw(g, fn, out, dtype, args)).toThrow(new RuntimeError(message))
      // Nothing was drawn or written.
      expect(g.random()).toBe(new Generator().manual_seed(0).random())
      expect([...out].every(x => Number(x) === 0)).toBe(true)
    },
  )

  test.each(expected.weights_errors as [Argument[], number, boolean, string][])(
    'multinomial of %j, %i draws, replacement %s',
    (weights, samples, replacement, message) => {
      const values = Float32Array.from(weights, w => Number(String(w).replace('inf', 'Infinity')))
      const call = () =>
        fill_multinomial(
          new Generator(),
          new BigInt64Array(samples),
          values,
          D.float32,
          2,
          samples,
          replacement,
        )
      expect(call).toThrow(new RuntimeError(message))
    },
  )

  test('probabilities outside of [0, 1], negative rates', () => {
    const g = new Generator()
    const out = new Float32Array(2)
    expect(() => S.fill_bernoulli_from(g, out, D.float32, [0.5, 1.5], D.float32)).toThrow(
      'Expected p_in >= 0',
    )
    expect(() => S.fill_bernoulli_from(g, out, D.float32, [1, 0], D.int64)).toThrow(
      '"bernoulli_tensor_cpu_p_" not implemented for \'Long\'',
    )
    expect(() => fill_poisson(g, out, D.float32, Float32Array.of(1, -1))).toThrow('invalid Poisson rate')
    expect(() => fill_poisson(g, new Int32Array(2), D.int32, new Int32Array(2))).toThrow('"poisson_cpu"')
    expect(() => fill_binomial(g, new Int32Array(2), D.int32, new Int32Array(2), new Int32Array(2))).toThrow(
      '"binomial_cpu"',
    )
  })
})
