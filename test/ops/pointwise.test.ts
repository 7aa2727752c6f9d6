// Special values in every dtype, against PyTorch: NaN, infinities, zeros of both signs, the ends of domains, integers,
// bools, tensors without elements; the dtype of each result, and the error of each call that PyTorch refuses.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { Encoded, EncodedTensor } from '../../scripts/conformance/cases.ts'
import { decode, encode, type Torch } from '../../scripts/conformance/codec.ts'
import { compare } from '../../scripts/conformance/compare.ts'
import * as torch from '../../src/index.ts'
import type { Tensor } from '../../src/tensor/tensor.ts'

type Refusal = { readonly error: string; readonly message: string }
type Outcome = Encoded | Refusal
type Recorded = Readonly<Record<string, Readonly<Record<string, Outcome>>>>

const data = JSON.parse(readFileSync(new URL('../data/ops/pointwise.json', import.meta.url), 'utf8')) as {
  readonly inputs: Readonly<Record<string, EncodedTensor>>
  readonly seconds: Readonly<Record<string, EncodedTensor>>
  readonly unary: Recorded
  readonly binary: Recorded
  readonly reduce: Recorded
}

const huge_quotient = '1e10 and 1e-30: a quotient beyond float32, of which PyTorch makes NaN'
const no_bfloat16 = 'PyTorch has no kernel for it'
/** Where we differ, by `op dtype`: accidents of PyTorch's code, and dtypes that it lacks. */
const differences: Readonly<Record<string, string>> = {
  'sinc bfloat16': 'PyTorch rounds pi x to bfloat16 before it takes the sine',
  'floor_divide float32': huge_quotient,
  'remainder float32': huge_quotient,
  'fmod float32': huge_quotient,
  'special.i1 bfloat16': no_bfloat16,
  'special.i1e bfloat16': no_bfloat16,
  'special.ndtri bfloat16': no_bfloat16,
  'special.erfcx bfloat16': no_bfloat16,
  'special.log_ndtr bfloat16': no_bfloat16,
  'nn.functional.mish bfloat16': no_bfloat16,
  'nn.functional.tanhshrink bfloat16': 'PyTorch rounds tanh to bfloat16 before it subtracts',
  'nn.functional.softsign uint8': 'PyTorch computes 1 + 255 in uint8, and divides by 0',
  'prod bfloat16 plain': no_bfloat16,
  'prod bfloat16 nan': no_bfloat16,
}

const library = torch as unknown as Torch
const find = (name: string): ((...args: unknown[]) => unknown) => {
  let at: unknown = torch
  for (const part of name.split('.')) at = (at as Record<string, unknown>)[part]
  return at as (...args: unknown[]) => unknown
}
const tensor = (e: EncodedTensor): Tensor => decode(e, library) as Tensor

/** Every element of `a` with every element of `b`. */
const pairs = (a: Tensor, b: Tensor): [Tensor, Tensor] => [
  a.reshape([-1, 1]).expand(a.count, b.count).reshape([-1]),
  b.expand(a.count, b.count).reshape([-1]),
]

function check(name: string, args: readonly unknown[], outcome: Outcome): void {
  if (typeof outcome === 'object' && outcome !== null && 'error' in outcome) {
    const { error, message } = outcome as Refusal
    let thrown: unknown
    try {
      find(name)(...args)
    } catch (e) {
      thrown = e
    }
    expect(thrown, 'throws').toBeInstanceOf(Error)
    const { name: kind, message: text } = thrown as Error
    expect({ error: kind, message: text.split('\n')[0] }).toEqual({ error, message: message.split('\n')[0] })
    return
  }
  expect(compare(outcome as Encoded, encode(find(name)(...args), library))).toBeUndefined()
}

const rows = (table: Recorded): [string, string, Outcome][] =>
  Object.entries(table).flatMap(([name, by]) =>
    Object.entries(by).map(([key, outcome]) => [name, key, outcome] as [string, string, Outcome]),
  )

describe('functions of one tensor', () => {
  test.each(rows(data.unary))('%s of %s', (name, dtype, outcome) => {
    if (differences[`${name} ${dtype}`] !== undefined) return
    check(name, [tensor(data.inputs[dtype]!)], outcome)
  })
})

describe('functions of two tensors', () => {
  test.each(rows(data.binary))('%s of %s', (name, dtype, outcome) => {
    if (differences[`${name} ${dtype}`] !== undefined) return
    const first = tensor(data.inputs[dtype]!)
    check(name, pairs(first.narrow(0, 0, Math.min(16, first.count)), tensor(data.seconds[dtype]!)), outcome)
  })
})

describe('reductions and running totals', () => {
  test.each(rows(data.reduce))('%s of %s', (name, key, outcome) => {
    if (differences[`${name} ${key}`] !== undefined) return
    const [dtype, kind] = key.split(' ') as [string, string]
    const floats = dtype.includes('float')
    const plain = floats ? [1.5, -2, 0.25, 3, -0.5, 3] : data.inputs[dtype]!.v
    const values = { plain, empty: [], nan: [1, NaN, 2, -1, NaN] }[kind]
    const type = (torch as unknown as Record<string, torch.DType>)[dtype]!
    const [op, ...dims] = name.split(':') as [string, ...string[]]
    check(op, [torch.tensor(values as number[], { dtype: type }), ...dims.map(Number)], outcome)
  })
})
