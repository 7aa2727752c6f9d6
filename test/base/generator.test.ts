import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { RuntimeError } from '../../src/base/errors.ts'
import { default_generator, Generator } from '../../src/base/generator.ts'
import expected from '../data/base/random.json' with { type: 'json' }

const words = (g: Generator, n: number): number[] => Array.from({ length: n }, () => g.random())
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe('the stream', () => {
  test('is MT19937: the 10,000th word of seed 5489, as the C++ standard gives it', () => {
    expect(words(new Generator().manual_seed(5489), 10_000).at(-1)).toBe(4123659995)
  })

  test('joins two words to 64 bits, the first one high', () => {
    const g = new Generator().manual_seed(3)
    const [high, low] = words(new Generator().manual_seed(3), 2) as [number, number]
    expect(g.random64()).toBe((BigInt(high) << 32n) | BigInt(low))
  })
})

describe('seeds', () => {
  test('begin as in PyTorch', () => {
    expect(new Generator().initial_seed()).toBe(67280421310721)
  })

  test('are 64 bits, signed or not', () => {
    const g = new Generator()
    expect(g.manual_seed(0).initial_seed()).toBe(0)
    expect(g.manual_seed(-1).initial_seed()).toBe(2n ** 64n - 1n)
    expect(g.manual_seed(-(2n ** 63n)).initial_seed()).toBe(2n ** 63n)
    expect(g.manual_seed(2n ** 64n - 1n).initial_seed()).toBe(2n ** 64n - 1n)
  })

  test('past 64 bits, broken or not numbers are refused, and the stream stays where it was', () => {
    const g = new Generator().manual_seed(5)
    expect(() => g.manual_seed(2n ** 64n)).toThrow(new RuntimeError('Overflow when unpacking long'))
    expect(() => g.manual_seed(-(2n ** 63n) - 1n)).toThrow(new RuntimeError('Overflow when unpacking long'))
    expect(() => g.manual_seed(1.5)).toThrow('manual_seed expected a long, but got float')
    expect(() => g.manual_seed('1' as unknown as number)).toThrow(
      'manual_seed expected a long, but got string',
    )
    expect(words(g, 2)).toEqual(words(new Generator().manual_seed(5), 2))
  })

  test('make the stream over, the kept normal number too', () => {
    const g = new Generator().manual_seed(1)
    const first = g.normal_double()
    expect(g.normal_double()).not.toBe(first)
    g.normal_double()
    expect(g.manual_seed(1).normal_double()).toBe(first)
  })

  test('are random where asked for, and given back', () => {
    const g = new Generator()
    const [a, b] = [g.seed(), g.seed()]
    expect(a).not.toBe(b)
    expect(Number.isSafeInteger(b)).toBe(true)
    expect(g.initial_seed()).toBe(b)
    expect(words(g, 3)).toEqual(words(new Generator().manual_seed(b), 3))
    expect(default_generator.initial_seed()).not.toBe(67280421310721)
  })
})

describe('states', () => {
  const from_pytorch = (): Uint8Array => new Uint8Array(Buffer.from(expected.state.saved, 'base64'))

  test('are the bytes that PyTorch saves, wherever the stream stands', () => {
    for (const { draws, sha256: theirs } of expected.state.counts) {
      const g = new Generator().manual_seed(2 ** 40 + 7)
      words(g, draws)
      expect(sha256(g.get_state()), `${draws} draws`).toBe(theirs)
    }
  })

  test('saved by PyTorch go on here, with the kept normal number', () => {
    const g = new Generator().set_state(from_pytorch())
    expect(String(g.initial_seed())).toBe(expected.state.seed)
    expect(Array.from({ length: 5 }, () => Math.fround(g.normal_double()))).toEqual(expected.state.then_randn)
    // A kept number is still there: uniform draws leave it alone.
    expect(g.next_normal === null).toBe(expected.state.then_randn.length % 2 === 1)
    expect(Array.from({ length: 3 }, () => g.uniform_float())).toEqual(expected.state.then_rand)
  })

  test('come back as they were', () => {
    expect(new Generator().set_state(from_pytorch()).get_state()).toEqual(from_pytorch())
    for (const draws of [0, 1, 624, 700]) {
      const g = new Generator().manual_seed(9)
      words(g, draws)
      const state = g.get_state()
      const rest = words(g, 700)
      expect(words(g.set_state(state), 700)).toEqual(rest)
    }
  })

  test('that are none are refused, and the stream stays where it was', () => {
    const g = new Generator().manual_seed(5)
    expect(() => g.set_state(new Uint8Array(10))).toThrow(
      'Expected a CPUGeneratorImplState of size 5056 but found the input RNG state size to be 10',
    )
    expect(() => g.set_state(new Uint8Array(5056))).toThrow(new RuntimeError('Invalid mt19937 state'))
    expect(words(g, 2)).toEqual(words(new Generator().manual_seed(5), 2))
  })
})
