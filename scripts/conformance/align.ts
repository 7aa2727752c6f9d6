/**
 * Results that mathematics or PyTorch leaves open: which of two equal keys comes first, the sign of an eigenvector.
 * An aligner checks that the actual result is one of the right ones and rewrites it to the one that was recorded;
 * where it is not, it leaves it as it is, so that the comparison fails. Pure functions on encoded data.
 */
import type { Case, Element, Encoded, EncodedTensor } from './cases.ts'
import { element, is_complex, is_list, is_tensor } from './cases.ts'

export interface Aligned {
  readonly actual: Encoded
  /** For each output tensor, the sign by which each element was multiplied; cotangents must be multiplied too. */
  readonly signs?: readonly (readonly number[] | undefined)[]
}
export type Align = (c: Case, actual: Encoded) => Aligned

const outputs = (x: Encoded): readonly Encoded[] => (is_list(x) ? x : [x])
const rewrap = (like: Encoded, list: readonly Encoded[]): Encoded => (is_list(like) ? list : list[0]!)
const same_shape = (a: EncodedTensor, b: EncodedTensor): boolean =>
  String(a.s) === String(b.s) && a.v.length === b.v.length
const number = (x: Element | undefined): number => Number(element(x!))
const same_key = (a: number, b: number): boolean => a === b || (Number.isNaN(a) && Number.isNaN(b))

/** The dim an op works along: an argument by position, else by keyword, else the default. */
export function dim_of(c: Case, position: number, otherwise: number | null): number | null {
  const given = c.args[position] ?? c.kw['dim'] ?? otherwise
  return typeof given === 'number' ? given : null
}

/**
 * Indices into the input along `dim`: another index is as good when the input holds an equal value there, as long as
 * no index comes twice along a kept dim.
 */
export function ties(output: number, dim: (c: Case) => number | null): Align {
  return (c, actual) => {
    const x = c.args[0]!
    const want = outputs(c.out)[output]
    const got = outputs(actual)[output]
    const along = dim(c)
    if (along === null || want === undefined || got === undefined) return { actual }
    if (!is_tensor(x) || !is_tensor(want) || !is_tensor(got) || !same_shape(want, got) || x.s.length === 0)
      return { actual }
    const d = along < 0 ? along + x.s.length : along
    const kept = want.s.length === x.s.length
    const inner = x.s.slice(d + 1).reduce((n, size) => n * size, 1)
    const size = kept ? want.s[d]! : 1
    const seen = new Set<string>()
    const v = got.v.map((index, flat) => {
      const column = Math.floor(flat / (inner * size)) * x.s[d]! * inner + (flat % inner)
      const at = (i: Element): number => column + number(i) * inner
      const fresh = !seen.has(`${at(index)}`)
      seen.add(`${at(index)}`)
      const inside = number(index) >= 0 && number(index) < x.s[d]!
      const equal = inside && same_key(number(x.v[at(index)]), number(x.v[at(want.v[flat]!)]))
      return fresh && equal ? want.v[flat]! : index
    })
    return {
      actual: rewrap(
        actual,
        outputs(actual).map((item, i) => (i === output ? { ...got, v } : item)),
      ),
    }
  }
}

/** The values of torch.unique in any order, with the inverse and the counts renumbered to match. */
export const unordered_unique: Align = (c, actual) => {
  const [want, got] = [outputs(c.out)[0], outputs(actual)[0]]
  if (c.kw['sorted'] !== false || typeof c.kw['dim'] === 'number') return { actual }
  if (!is_tensor(want!) || !is_tensor(got!) || !same_shape(want, got)) return { actual }
  const place = want.v.map(x => got.v.findIndex(y => element(y) === element(x)))
  if (place.includes(-1) || new Set(place).size !== place.length) return { actual }
  const reorder = (item: Encoded, i: number): Encoded => {
    if (!is_tensor(item)) return item
    const inverse = i === 1 && c.kw['return_inverse'] === true
    return {
      ...item,
      v: inverse ? item.v.map(old => place.indexOf(number(old))) : place.map(at => item.v[at]!),
    }
  }
  return { actual: rewrap(actual, outputs(actual).map(reorder)) }
}

type Complex = readonly [number, number]
const times = (a: Complex, b: Complex): Complex => [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]]
const conjugate = (a: Complex): Complex => [a[0], -a[1]]

/** A batch of matrices whose vectors, its columns or its rows, can be read and rewritten. */
class Vectors {
  readonly tensor: EncodedTensor
  readonly count: number
  readonly length: number
  readonly batch: number
  readonly #rows: boolean
  readonly #values: Element[]

  constructor(tensor: EncodedTensor, rows: boolean) {
    const [m, n] = tensor.s.slice(-2) as [number, number]
    this.tensor = tensor
    this.#rows = rows
    this.count = rows ? m : n
    this.length = rows ? n : m
    this.batch = tensor.s.slice(0, -2).reduce((a, b) => a * b, 1)
    this.#values = [...tensor.v]
  }

  flat(b: number, j: number, i: number): number {
    const [row, column] = this.#rows ? [j, i] : [i, j]
    return b * this.count * this.length + row * (this.#rows ? this.length : this.count) + column
  }

  get(b: number, j: number): Complex[] {
    const complex = is_complex(this.tensor.$t)
    return Array.from({ length: this.length }, (_, i) => {
      const at = this.flat(b, j, i)
      if (!complex) return [number(this.#values[at]), 0]
      return [number(this.#values[2 * at]), number(this.#values[2 * at + 1])]
    })
  }

  set(b: number, j: number, vector: readonly Complex[]): void {
    for (const [i, [re, im]] of vector.entries()) {
      const at = this.flat(b, j, i)
      if (is_complex(this.tensor.$t)) this.#values.splice(2 * at, 2, re, im)
      else this.#values[at] = re
    }
  }

  result(): EncodedTensor {
    return { ...this.tensor, v: this.#values }
  }
}

const dot = (a: readonly Complex[], b: readonly Complex[]): Complex =>
  a
    .map((x, i) => times(conjugate(x), b[i]!))
    .reduce<Complex>((sum, x) => [sum[0] + x[0], sum[1] + x[1]], [0, 0])

/** The unit factor that turns `from` towards `to`; 1 where they are orthogonal. */
function phase(from: readonly Complex[], to: readonly Complex[]): Complex {
  const [re, im] = dot(from, to)
  const size = Math.hypot(re, im)
  return size > 0 ? [re / size, im / size] : [1, 0]
}

/** An output whose columns or rows carry the free factor; `inverse` where it is divided by it. */
interface Carrier {
  readonly output: number
  readonly rows?: boolean
  readonly inverse?: boolean
}

/**
 * Vectors that are right up to a factor of modulus 1, shared by the carriers: for each j, the factor is read off the
 * first carrier's j-th vector and applied to all. Vectors past `defined` are any orthonormal completion.
 */
export function up_to_phase(carriers: readonly Carrier[], defined: (c: Case) => number): Align {
  return (c, actual) => {
    const wants = carriers.map(({ output }) => outputs(c.out)[output])
    const gots = carriers.map(({ output }) => outputs(actual)[output])
    const pairs = carriers.map((carrier, k) => {
      const [want, got] = [wants[k], gots[k]]
      if (want === undefined || got === undefined || !is_tensor(want) || !is_tensor(got)) return undefined
      if (!same_shape(want, got) || want.s.length < 2) return undefined
      const rows = carrier.rows ?? false
      return { carrier, want: new Vectors(want, rows), got: new Vectors(got, rows) }
    })
    if (!pairs.every(pair => pair !== undefined) || pairs.length === 0) return { actual }
    const count = defined(c)
    const all = outputs(actual)
    const signs = all.map(item => (is_tensor(item) ? new Array<number>(item.v.length).fill(1) : undefined))
    for (let b = 0; b < pairs[0]!.want.batch; b++) {
      for (let j = 0; j < count; j++) {
        if (pairs.some(({ want }) => j >= want.count)) continue
        const factor = phase(pairs[0]!.got.get(b, j), pairs[0]!.want.get(b, j))
        for (const { carrier, got } of pairs) {
          const f = carrier.inverse ? conjugate(factor) : factor
          got.set(
            b,
            j,
            got.get(b, j).map(x => times(x, f)),
          )
          for (let i = 0; i < got.length; i++)
            signs[carrier.output]![got.flat(b, j, i)] = Math.sign(f[0]) || 1
        }
      }
      for (const { got, want } of pairs) complete(got, want, b, count)
    }
    const fixed = all.map(
      (item, i) => pairs.find(({ carrier }) => carrier.output === i)?.got.result() ?? item,
    )
    return { actual: rewrap(actual, fixed), signs }
  }
}

/** Takes the recorded vectors past `count` where the actual ones are orthonormal, to each other and the rest. */
function complete(got: Vectors, want: Vectors, b: number, count: number): void {
  const basis = Array.from({ length: got.count }, (_, j) => got.get(b, j))
  for (let j = count; j < got.count; j++) {
    const fits = basis.every((other, k) => {
      const [re, im] = dot(other, basis[j]!)
      return Math.abs(re - (k === j ? 1 : 0)) < 1e-3 && Math.abs(im) < 1e-3
    })
    if (fits) got.set(b, j, want.get(b, j))
  }
}

/** Eigenvalues of a general matrix come in any order, each with its vector where there are vectors. */
export const unordered_eigenvalues: Align = (c, actual) => {
  const [want_values, got_values] = [outputs(c.out)[0], outputs(actual)[0]]
  if (!is_tensor(want_values!) || !is_tensor(got_values!) || !same_shape(want_values, got_values))
    return { actual }
  const list = outputs(actual)
  const as_rows = (x: EncodedTensor): EncodedTensor => ({ ...x, s: [...x.s, 1] })
  const want = new Vectors(as_rows(want_values), true)
  const values = new Vectors(as_rows(got_values), true)
  const vectors = list[1] !== undefined && is_tensor(list[1]) ? new Vectors(list[1], false) : undefined
  for (let b = 0; b < want.batch; b++) {
    const free = new Set(Array.from({ length: want.count }, (_, j) => j))
    const old_values = [...free].map(j => values.get(b, j))
    const old_vectors = [...free].map(j => vectors?.get(b, j))
    for (let j = 0; j < want.count; j++) {
      const [[re, im]] = want.get(b, j) as [Complex]
      const distance = (k: number): number =>
        Math.hypot(old_values[k]![0]![0] - re, old_values[k]![0]![1] - im)
      const nearest = [...free].reduce((a, k) => (distance(k) < distance(a) ? k : a))
      free.delete(nearest)
      values.set(b, j, old_values[nearest]!)
      if (vectors) vectors.set(b, j, old_vectors[nearest]!)
    }
  }
  const sorted = { ...values.result(), s: got_values.s }
  return { actual: rewrap(actual, vectors ? [sorted, vectors.result()] : [sorted]) }
}
