/**
 * Writes every op's samples as data, for test/data/ops/make.py, which records what PyTorch makes of them.
 * Usage: tsx scripts/op_samples.ts > samples.json
 */
import { DType } from '../src/base/dtype.ts'
import * as torch from '../src/index.ts'
import { all_ops } from '../test/ops/ops.ts'
import type { Encoded } from './conformance/cases.ts'
import { encode, type Torch } from './conformance/codec.ts'

/** Arguments as data: like results, and dtypes and options as well. */
function encode_argument(x: unknown): Encoded | { [key: string]: Encoded } {
  if (x instanceof DType) return { $dtype: x.name } as Encoded
  if (x === undefined) return null
  if (Array.isArray(x)) return x.map(encode_argument) as Encoded
  if (typeof x === 'object' && x !== null && Object.getPrototypeOf(x) === Object.prototype)
    return {
      $options: Object.fromEntries(Object.entries(x).map(([k, v]) => [k, encode_argument(v)])),
    } as unknown as Encoded
  return encode(x, torch as unknown as Torch)
}

const number = (_: string, x: unknown): unknown =>
  typeof x === 'number' && !Number.isFinite(x)
    ? String(x).replace('Infinity', 'inf').toLowerCase()
    : typeof x === 'bigint'
      ? Number(x)
      : x

const samples = Object.fromEntries(
  all_ops().map(({ path, samples }) => [path, samples.map(args => args.map(encode_argument))]),
)
console.log(JSON.stringify(samples, number))
