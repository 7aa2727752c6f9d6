/**
 * Named calls beside what PyTorch 1.13.1 made of them, as test/data/ops/calls.py recorded it: results within a few
 * roundings, errors by class and message.
 */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as torch from '../../src/index.ts'

type Num = number | string | boolean | readonly Num[]
interface RecordedTensor {
  readonly dtype: string
  readonly sizes: readonly number[]
  readonly values: readonly Num[]
}
type Recorded =
  | Num
  | null
  | RecordedTensor
  | { readonly error: readonly [string, string] }
  | readonly Recorded[]

const recorded = JSON.parse(
  readFileSync(new URL('../data/ops/calls.json', import.meta.url), 'utf8'),
) as Record<string, Record<string, Recorded>>

/** Numbers in (-2, 2) by a formula, as in calls.py. */
export function values(
  sizes: readonly number[],
  { dtype = torch.float32, salt = 0 }: { dtype?: torch.DType; salt?: number } = {},
): torch.Tensor {
  const n = sizes.reduce((a, b) => a * b, 1)
  const raw = Array.from({ length: n }, (_, i) => {
    const k = i + 1 + salt * 37
    return (((k * k * k * 7 + k * k * 13 + k * 7919) % 997) / 997) * 4 - 2
  })
  const x = torch.tensor(raw, { dtype: torch.float64 })
  return (dtype.is_complex ? torch.complex(x, x.flip(0).mul(0.5)) : x).to(dtype).reshape(sizes)
}

/** Results, then the gradients of the inputs under the cotangents 1, 2, 3, ... */
export function grads(out: torch.Tensor | readonly torch.Tensor[], ...inputs: torch.Tensor[]): unknown[] {
  const outs = out instanceof torch.Tensor ? [out] : [...out]
  const live = outs.filter(o => o.requires_grad)
  const cotangents = live.map(o =>
    torch
      .arange(1, o.numel() + 1, { dtype: torch.float64 })
      .to(o.dtype)
      .reshape(o.sizes),
  )
  return [...outs, ...torch.autograd.grad(live, inputs, cotangents)]
}

/** A copy that requires grad. */
export const leaf = (x: torch.Tensor): torch.Tensor => x.clone().requires_grad_()

const tolerances: Readonly<Record<string, number>> = {
  float32: 2e-5,
  complex64: 2e-5,
  float64: 1e-9,
  complex128: 1e-9,
  bfloat16: 8e-3,
  float16: 1e-3,
}

const to_number = (x: Num): number =>
  x === 'nan' ? Number.NaN : x === 'inf' ? Infinity : x === '-inf' ? -Infinity : Number(x)

function agree(got: unknown, want: Recorded, where: string): void {
  if (Array.isArray(want)) {
    expect([...(got as readonly unknown[])].length, where).toBe(want.length)
    want.forEach((w, i) => {
      agree((got as readonly unknown[])[i], w as Recorded, `${where}[${i}]`)
    })
    return
  }
  if (typeof want !== 'object' || want === null) {
    expect(got, where).toBe(typeof want === 'string' ? to_number(want) : want)
    return
  }
  const { dtype, sizes, values } = want as RecordedTensor
  const t = got as torch.Tensor
  expect(`${t.dtype.name} [${t.sizes}]`, where).toBe(`${dtype} [${sizes}]`)
  const flat = values.flat() as Num[]
  const ours = (t.is_complex() ? torch.view_as_real(t.detach().resolve_conj()) : t.detach())
    .double()
    .flatten()
    .tolist()
  const rtol = tolerances[dtype] ?? 0
  const scale = Math.max(0, ...flat.map(x => Math.abs(to_number(x))).filter(Number.isFinite))
  flat.forEach((w, i) => {
    const [a, b] = [Number((ours as number[])[i]), to_number(w)]
    const near = Object.is(a, b) || a === b || Math.abs(a - b) <= rtol * Math.max(Math.abs(b), scale * 0.1)
    expect(near, `${where} at ${i}: ${a}, PyTorch has ${b}`).toBe(true)
  })
}

/** A test for each call of a family. All that were recorded must be here. */
export function describe_calls(family: string, calls: Readonly<Record<string, () => unknown>>): void {
  const expected = recorded[family]!
  test('are the recorded ones', () => expect(Object.keys(calls)).toEqual(Object.keys(expected)))
  test.each(Object.keys(calls))('%s', name => {
    const want = expected[name]!
    if (typeof want === 'object' && want !== null && 'error' in want) {
      expect(caught(calls[name]!)).toEqual(want.error)
    } else agree(calls[name]!(), want, name)
  })
}

function caught(call: () => unknown): [string, string] | string {
  try {
    call()
  } catch (e) {
    return [(e as Error).name, (e as Error).message]
  }
  return 'no error'
}
