import { createHash } from 'node:crypto'
import { inspect } from 'node:util'
import { afterEach, describe, expect, test } from 'vitest'
import * as D from '../../src/base/dtype.ts'
import expected from '../data/base/dtype.json' with { type: 'json' }

const by_name = (name: string): D.DType => D.dtypes.find(d => d.name === name) as D.DType
const sha256 = (array: ArrayBufferView): string =>
  createHash('sha256')
    .update(Buffer.from(array.buffer, array.byteOffset, array.byteLength))
    .digest('hex')

afterEach(() => D.set_default_dtype(D.float32))

describe('dtypes', () => {
  test('are the twelve of PyTorch, in order, with its properties', () => {
    const ours = D.dtypes.map(({ name, itemsize, is_floating_point, is_complex, is_signed, tensor_type }) => {
      return { name, itemsize, is_floating_point, is_complex, is_signed, type: `torch.${tensor_type}` }
    })
    expect(ours).toEqual(expected.dtypes)
    expect(D.dtypes.map(d => d.code)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  })

  test('print as PyTorch prints them', () => {
    expect(String(D.float32)).toBe('torch.float32')
    expect(inspect([D.bool, D.int64])).toBe('[ torch.bool, torch.int64 ]')
  })

  test('have aliases', () => {
    expect([D.half, D.float, D.double]).toEqual([D.float16, D.float32, D.float64])
    expect([D.short, D.int, D.long]).toEqual([D.int16, D.int32, D.int64])
    expect([D.cfloat, D.cdouble]).toEqual([D.complex64, D.complex128])
  })

  test('say how a storage holds them', () => {
    for (const d of D.dtypes) {
      expect(d.array.BYTES_PER_ELEMENT).toBe(d.is_complex ? d.itemsize / 2 : d.itemsize)
    }
  })
})

describe('promotion', () => {
  test('promote_types has the table of PyTorch', () => {
    const table = D.dtypes.map(a => D.dtypes.map(b => D.promote_types(a, b).name))
    expect(table).toEqual(expected.promote_types)
  })

  test('can_cast has the table of PyTorch', () => {
    expect(D.dtypes.map(a => D.dtypes.map(b => D.can_cast(a, b)))).toEqual(expected.can_cast)
  })

  test('result_dtype ranks tensors with dimensions, 0-dim tensors and plain numbers as PyTorch does', () => {
    const wrong: unknown[] = []
    for (const row of expected.result_type) {
      const operands = row.slice(1, -1) as string[][]
      D.set_default_dtype(by_name(row[0] as string))
      const ours = D.result_dtype(
        operands.map(([kind, dtype]) => ({
          dtype: by_name(dtype as string),
          sizes: kind === 'dims' ? [2] : [],
          wrapped: kind === 'wrapped',
        })),
      )
      // There is no complex32 here: complex64 takes its place.
      const theirs = String(row.at(-1)).replace('complex32', 'complex64')
      if (ours.name !== theirs) wrong.push([row, ours.name])
    }
    expect(wrong).toEqual([])
    expect(expected.result_type.length).toBeGreaterThan(800)
  })

  test('scalar_dtype tells whole numbers from others, and FloatScalar makes a whole number a float', () => {
    expect([true, 2, 2n, 2.5, Infinity, NaN, 2 ** 70].map(v => D.scalar_dtype(v).name)).toEqual([
      'bool',
      'int64',
      'int64',
      'float32',
      'float32',
      'float32',
      'float32',
    ])
    expect(D.scalar_dtype(D.float_scalar(2))).toBe(D.float32)
    D.set_default_dtype(D.float64)
    expect(D.scalar_dtype(D.float_scalar(2))).toBe(D.float64)
  })

  test('the default dtype is a floating-point one', () => {
    expect(D.get_default_dtype()).toBe(D.float32)
    const message = 'only floating-point types are supported as the default type'
    expect(() => D.set_default_dtype(D.int32)).toThrow(new TypeError(message))
    expect(() => D.set_default_dtype(D.complex64)).toThrow(new TypeError(message))
    expect(D.get_default_dtype()).toBe(D.float32)
  })
})

describe('limits', () => {
  test('finfo and iinfo hold and print what PyTorch does, and refuse what it refuses', () => {
    for (const [kind, name, outcome] of expected.limits as [
      'finfo' | 'iinfo',
      string,
      { value?: Record<string, string>; message?: string },
    ][]) {
      const make = () => (kind === 'finfo' ? D.finfo : D.iinfo)(by_name(name))
      if (outcome.value === undefined) {
        expect(make, `${kind} ${name}`).toThrow(new TypeError(outcome.message))
        continue
      }
      const { repr, ...fields } = outcome.value
      const ours = make() as unknown as Record<string, number | bigint | string>
      expect(String(ours)).toBe(repr)
      expect(inspect(ours)).toBe(repr)
      for (const [field, value] of Object.entries(fields)) {
        const same =
          typeof ours[field] === 'number' ? ours[field] === Number(value) : String(ours[field]) === value
        expect(same, `${kind} ${name} ${field}`).toBe(true)
      }
    }
    expect(D.finfo().dtype).toBe('float32')
  })
})

describe('elements', () => {
  test('convert as C casts them', () => {
    for (const [name, value, result] of expected.conversions as [string, number | string, string][]) {
      const dtype = by_name(name)
      const array = new dtype.array(1)
      D.write_element(array, dtype, 0, typeof value === 'string' ? BigInt(value) : value)
      const read = D.read_element(array, dtype, 0)
      const theirs = result.replace('inf', 'Infinity').toLowerCase().replace('infinity', 'Infinity')
      const same = typeof read === 'number' ? read === Number(theirs) : String(read) === theirs
      expect(same, `${value} as ${name}: ${String(read)}, not ${result}`).toBe(true)
    }
  })

  test('an int64 reads as a number up to 2^53 and as a bigint past it', () => {
    const array = BigInt64Array.of(2n ** 53n - 1n, 2n ** 53n, -(2n ** 63n))
    expect([0, 1, 2].map(i => D.read_element(array, D.int64, i))).toEqual([
      2 ** 53 - 1,
      2n ** 53n,
      -(2n ** 63n),
    ])
  })

  test('NaN is true, and the least int64 as on x86', () => {
    const flags = new Uint8Array(1)
    D.write_element(flags, D.bool, 0, NaN)
    expect(D.read_element(flags, D.bool, 0)).toBe(true)
    const longs = new BigInt64Array(1)
    D.write_element(longs, D.int64, 0, NaN)
    expect(longs[0]).toBe(-(2n ** 63n))
  })

  test('complex elements are two floats, so they are neither read nor written here', () => {
    const array = new Float32Array(2)
    expect(() => D.read_element(array, D.complex64, 0)).toThrow(TypeError)
    expect(() => D.write_element(array, D.complex64, 0, 1)).toThrow(TypeError)
    expect(() => D.read_element(array, D.float32, 2)).toThrow(RangeError)
  })
})

describe('16-bit floats', () => {
  const every_bits = Uint32Array.from({ length: 65536 }, (_, i) => i)
  const numbers = (f: (bits: number) => number): Float32Array =>
    Float32Array.from(Array.from(every_bits, f).filter(x => !Number.isNaN(x)))

  // A million floats of every size and sign, with and without ties.
  const words = Uint32Array.from({ length: Math.ceil(2 ** 32 / 4093) }, (_, i) => i * 4093)
  const floats = new Float32Array(words.buffer).filter(x => !Number.isNaN(x))

  test('every float16 and bfloat16 has its value', () => {
    expect(sha256(numbers(D.half_to_float))).toBe(expected.bits.half_to_float)
    expect(sha256(numbers(D.bfloat16_to_float))).toBe(expected.bits.bfloat16_to_float)
  })

  test('floats round to the nearest, ties to even', () => {
    expect(sha256(Uint16Array.from(floats, D.float_to_half))).toBe(expected.bits.float_to_half)
    expect(sha256(Uint16Array.from(floats, D.float_to_bfloat16))).toBe(expected.bits.float_to_bfloat16)
  })

  test('a value survives its own format', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const half = D.half_to_float(bits)
      if (!Number.isNaN(half)) expect(D.float_to_half(half)).toBe(bits)
      const brain = D.bfloat16_to_float(bits)
      if (!Number.isNaN(brain)) expect(D.float_to_bfloat16(brain)).toBe(bits)
    }
  })

  test('NaN stays a quiet NaN', () => {
    expect(D.float_to_half(NaN) & 0x7fff).toBe(0x7e00)
    expect(D.float_to_bfloat16(NaN)).toBe(0x7fc0)
    expect(D.half_to_float(0x7e00)).toBeNaN()
    expect(D.bfloat16_to_float(0x7fc0)).toBeNaN()
  })
})
