/**
 * The conformance runner itself: that it reads cases rightly, that it accepts what is equally right, and above all
 * that it rejects what is wrong. Nothing here needs the library.
 */
import { describe, expect, it } from 'vitest'
import { find_call, Missing } from '../scripts/conformance/call.ts'
import type { Case, Encoded, EncodedTensor } from '../scripts/conformance/cases.ts'
import { element, parse_cases, read_cases } from '../scripts/conformance/cases.ts'
import type { Torch } from '../scripts/conformance/codec.ts'
import { compare } from '../scripts/conformance/compare.ts'
import { exceptions } from '../scripts/conformance/exceptions.ts'
import { below_floor, failures_of, floor_of, type Result, unlisted } from '../scripts/conformance/score.ts'

const t = ($t: string, s: number[], v: EncodedTensor['v']): EncodedTensor => ({ $t, s, v })
const call = (op: string, args: Encoded[], out: Encoded, kw: Case['kw'] = {}): Case => ({
  op,
  variant: '',
  dtype: 'float32',
  args,
  kw,
  out,
})

/** The comparison as the runner makes it: aligned first where the op has an exception. */
function verdict(c: Case, actual: Encoded): string | undefined {
  return compare(c.out, exceptions[c.op]?.align?.(c, actual).actual ?? actual)
}

describe('the case file', () => {
  it('holds 6,942 calls of 552 ops', () => {
    const cases = read_cases()
    expect(cases.length).toBe(6942)
    expect(new Set(cases.map(c => c.op)).size).toBe(552)
  })

  it('keeps integers that a number cannot hold', () => {
    const [c] = parse_cases('{"cases":[{"out":{"$t":"int64","s":[2],"v":[-9223372036854775808,7]}}]}')
    expect((c!.out as EncodedTensor).v.map(element)).toEqual([-(2n ** 63n), 7])
  })

  it('comes with alternatives, each for a case that has what it replaces', () => {
    const with_alternative = read_cases().filter(c => c.also !== undefined)
    expect(with_alternative.length).toBe(36)
    for (const { out, grads, also } of with_alternative) {
      expect(also!.reason.length).toBeGreaterThan(20)
      if (also!.grads) expect(also!.grads.length).toBe(grads!.length)
      if (also!.out) expect(also!.out).not.toEqual(out)
    }
  })

  it('reads nan and the infinities', () => {
    expect(['nan', 'inf', '-inf'].map(element)).toEqual([NaN, Infinity, -Infinity])
  })
})

describe('compare', () => {
  it.each([
    ['float32', 1, 1 + 1e-5, true],
    ['float32', 1, 1 + 2e-5, false],
    ['float32', 1e4, 1e4 + 0.0125, true],
    ['float32', 1e4, 1e4 + 0.014, false],
    ['float64', 1, 1 + 1e-5, false],
    ['bfloat16', 1, 1.015, true],
    ['int64', 5, 6, false],
    ['int64', 5, 5n, true],
    ['float32', 'nan', NaN, true],
    ['float32', 'inf', 1e38, false],
    ['float32', 'inf', -Infinity, false],
    ['float32', 0, NaN, false],
    ['bool', true, true, true],
    ['bool', true, 1, false],
  ])('%s %s against %s: %s', (dtype, want, got, right) => {
    expect(compare(t(dtype, [], [want]), t(dtype, [], [got])) === undefined).toBe(right)
  })

  it('measures complex numbers by their distance', () => {
    const want = t('complex64', [1], [1e6, 0])
    expect(compare(want, t('complex64', [1], [1e6, 1]))).toBeUndefined()
    expect(compare(want, t('complex64', [1], [1e6, 2]))).toMatch('1 of 1 values differ')
  })

  it('wants the same dtype, shape and structure', () => {
    const x = t('float32', [2], [1, 2])
    expect(compare(x, t('float64', [2], [1, 2]))).toBe('dtype float64, expected float32')
    expect(compare(x, t('float32', [1, 2], [1, 2]))).toBe('shape [1,2], expected [2]')
    expect(compare([x, x], [x])).toBe('a list of 1, expected 2')
    expect(compare([x], x)).toBe('not a list')
    expect(compare(x, 1)).toBe('1 is no tensor')
    expect(compare(true, false)).toBe('false, expected true')
  })
})

describe('results that are left open', () => {
  const x = t('float32', [2, 3], [5, 5, 1, 2, 3, 3])

  it('an index of an equal key', () => {
    const c = call('topk', [x, 2], [t('float32', [2, 2], [5, 5, 3, 3]), t('int64', [2, 2], [0, 1, 1, 2])])
    const answer = (v: number[]): Encoded => [t('float32', [2, 2], [5, 5, 3, 3]), t('int64', [2, 2], v)]
    expect(verdict(c, answer([1, 0, 2, 1]))).toBeUndefined()
    expect(verdict(c, answer([0, 2, 1, 2]))).toMatch('differ')
    expect(verdict(c, answer([0, 0, 1, 2]))).toMatch('differ')
    expect(verdict(c, answer([0, 4, 1, 2]))).toMatch('differ')
  })

  it('an index along a dim that is reduced away', () => {
    const c = call('median', [x], [t('float32', [2], [5, 3]), t('int64', [2], [0, 1])], { dim: 1 })
    expect(verdict(c, [t('float32', [2], [5, 3]), t('int64', [2], [1, 2])])).toBeUndefined()
    expect(verdict(c, [t('float32', [2], [5, 3]), t('int64', [2], [1, 0])])).toMatch('differ')
  })

  it('but a stable sort has one answer', () => {
    const want = [t('float32', [2], [1, 1]), t('int64', [2], [0, 1])]
    const got = [t('float32', [2], [1, 1]), t('int64', [2], [1, 0])]
    const args = [t('float32', [2], [1, 1])]
    expect(verdict(call('sort', args, want, { stable: false }), got)).toBeUndefined()
    expect(verdict(call('sort', args, want, { stable: true }), got)).toMatch('differ')
  })

  it('the order of unsorted unique values, with their inverse', () => {
    const kw = { sorted: false, return_inverse: true, return_counts: true, dim: null }
    const answer = (v: number[], inverse: number[], counts: number[]): Encoded => [
      t('int64', [2], v),
      t('int64', [3], inverse),
      t('int64', [2], counts),
    ]
    const c = call('unique', [t('int64', [3], [7, 7, 4])], answer([7, 4], [0, 0, 1], [2, 1]), kw)
    expect(verdict(c, answer([4, 7], [1, 1, 0], [1, 2]))).toBeUndefined()
    expect(verdict(c, answer([4, 7], [0, 0, 1], [1, 2]))).toMatch('differ')
    expect(verdict(c, answer([4, 7], [1, 1, 0], [2, 1]))).toMatch('differ')
  })

  // [[0, 2], [1, 0]] has the singular values 2 and 1
  const matrix = t('float32', [2, 2], [0, 2, 1, 0])
  const svd = (u: number[], vh: number[]): Encoded => [
    t('float32', [2, 2], u),
    t('float32', [2], [2, 1]),
    t('float32', [2, 2], vh),
  ]

  it('the sign of a singular vector, when both of a pair have it', () => {
    const c = call('linalg.svd', [matrix], svd([1, 0, 0, 1], [0, 1, 1, 0]))
    expect(verdict(c, svd([-1, 0, 0, 1], [0, -1, 1, 0]))).toBeUndefined()
    expect(verdict(c, svd([-1, 0, 0, 1], [0, 1, 1, 0]))).toMatch('differ')
    expect(verdict(c, svd([0, 1, 1, 0], [0, 1, 1, 0]))).toMatch('differ')
  })

  it('with the signs, for the cotangents', () => {
    const c = call('linalg.svd', [matrix], svd([1, 0, 0, 1], [0, 1, 1, 0]))
    const { signs } = exceptions['linalg.svd']!.align!(c, svd([-1, 0, 0, 1], [0, -1, 1, 0]))
    expect(signs).toEqual([
      [-1, 1, -1, 1],
      [1, 1],
      [-1, -1, 1, 1],
    ])
  })

  it('the vectors that complete a basis, when they do', () => {
    const answer = (u: number[]): Encoded => [
      t('float32', [2, 2], u),
      t('float32', [1], [1]),
      t('float32', [1, 1], [1]),
    ]
    const c = call('linalg.svd', [t('float32', [2, 1], [1, 0])], answer([1, 0, 0, 1]))
    expect(verdict(c, answer([1, 0, 0, -1]))).toBeUndefined()
    expect(verdict(c, answer([1, 1, 0, 0]))).toMatch('differ')
  })

  it('the order and phase of eigenvectors', () => {
    const eig = (values: number[], vectors: number[]): Encoded => [
      t('complex64', [2], values),
      t('complex64', [2, 2], vectors),
    ]
    const c = call('linalg.eig', [matrix], eig([1, 0, 2, 0], [1, 0, 0, 0, 0, 0, 1, 0]))
    expect(verdict(c, eig([2, 0, 1, 0], [0, 0, 0, 1, 1, 0, 0, 0]))).toBeUndefined()
    expect(verdict(c, eig([2, 0, 1, 0], [1, 0, 0, 0, 0, 0, 1, 0]))).toMatch('differ')
    expect(verdict(c, eig([2, 0, 2, 0], [0, 0, 0, 1, 1, 0, 0, 0]))).toMatch('differ')
  })

  it('each have a reason and belong to an op of the file', () => {
    const names = new Set(read_cases().flatMap(c => [c.op, `${c.op}:${c.variant}`]))
    for (const [name, { reason }] of Object.entries(exceptions)) {
      expect(names).toContain(name)
      expect(reason.length).toBeGreaterThan(20)
    }
  })
})

describe('finding an op', () => {
  class Tensor {
    scaled(by: number): number[] {
      return [by]
    }
    get T(): string {
      return 'transposed'
    }
    at(...index: unknown[]): unknown {
      return index
    }
  }
  const torch = {
    Tensor,
    bool: { dtype: true },
    nn: { functional: { relu: (x: unknown, options?: object) => ['relu', x, options] } },
    where: (...args: unknown[]) => args,
  } as unknown as Torch
  const found = (op: string, ...args: unknown[]): unknown => find_call(call(op, [], null), torch)(args)

  it('below torch, as a method, as a property', () => {
    expect(found('nn.functional.relu', 1, { inplace: true })).toEqual(['relu', 1, { inplace: true }])
    expect(found('scaled', new Tensor(), 2)).toEqual([2])
    expect(found('T', new Tensor())).toBe('transposed')
  })

  it('through the adapters', () => {
    expect(found('where', 'self', 'condition', 'other')).toEqual(['condition', 'self', 'other'])
  })

  it('says what is missing', () => {
    expect(() => found('nn.functional.mish')).toThrow(Missing)
    expect(() => found('__radd__')).toThrow(Missing)
    expect(() => found('bool')).toThrow(Missing) // a dtype, no function
  })

  it('tells a list index from a tuple by what came out', () => {
    const self = t('float32', [5, 5, 5], [])
    const index = (shape: number[], item: Encoded): unknown =>
      find_call(call('__getitem__', [self, item], t('float32', shape, [])), torch)([new Tensor(), item])
    expect(index([2, 5, 5], [1, 2])).toEqual([[1, 2]])
    expect(index([5], [1, 2])).toEqual([1, 2])
    expect(
      index(
        [2, 5],
        [
          [0, 3],
          [1, 2],
        ],
      ),
    ).toEqual([
      [0, 3],
      [1, 2],
    ])
  })
})

describe('the floor', () => {
  const result = (op: string, status: Result['status']): Result => ({
    op,
    variant: '',
    dtype: 'float32',
    index: 0,
    status,
    reason: '',
  })

  it('counts passes and names the ops that fall below', () => {
    const floor = floor_of([result('add', 'pass'), result('add', 'pass'), result('mul', 'missing')])
    expect(floor).toEqual({ passed: 2, ops: { add: 2 } })
    expect(below_floor([result('add', 'pass'), result('add', 'wrong')], floor)).toEqual([
      'add: 1 pass, 2 did',
    ])
    expect(below_floor([result('add', 'pass'), result('add', 'pass')], floor)).toEqual([])
  })

  it('tells failures that are not listed from those that are, and listed cases that pass', () => {
    const at = (index: number, status: Result['status']): Result => ({ ...result('add', status), index })
    const results = [at(1, 'wrong'), at(2, 'wrong'), at(3, 'pass'), at(4, 'pass')]
    const listed = { 2: { op: 'add', reason: 'known' }, 3: { op: 'add', reason: 'known' } }
    expect(unlisted(results, listed).map(line => line.split(' ')[0])).toEqual(['#1', '#3'])
    const renewed = failures_of(results, listed)
    expect(Object.keys(renewed)).toEqual(['1', '2'])
    expect(renewed[2]).toEqual(listed[2])
    expect(unlisted(results, renewed)).toEqual([])
  })
})
