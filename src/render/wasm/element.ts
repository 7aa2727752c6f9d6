// Single elements in memory: how each dtype is loaded as a scalar and stored again. The 16-bit floats come as their
// bits (legalise.ts computes with them). Not here: vectors of elements (vector.ts).
import type { DType } from '../../base/dtype.ts'
import { type Code, i32, load, op, store } from './assembler.ts'

/** An element count in bytes. */
export const bytes_of = (count: Code, itemsize: number): Code =>
  itemsize === 1 ? count : op('i32.shl', count, i32(Math.log2(itemsize)))

const LOADS: Partial<Record<DType['name'], 'i32.load8_u' | 'i32.load8_s' | 'i32.load16_s' | 'i32.load16_u'>> =
  {
    bool: 'i32.load8_u',
    uint8: 'i32.load8_u',
    int8: 'i32.load8_s',
    int16: 'i32.load16_s',
    float16: 'i32.load16_u',
    bfloat16: 'i32.load16_u',
  }
const STORED: Partial<Record<DType['name'], 'i32' | 'i64' | 'f32' | 'f64'>> = {
  int32: 'i32',
  int64: 'i64',
  float32: 'f32',
  float64: 'f64',
}

/** One element as a scalar: 16-bit floats as their bits, a bool as 0 or 1. */
export function load_element(dtype: DType, address: Code): Code {
  const stored = STORED[dtype.name]
  if (stored !== undefined) return load(`${stored}.load`, address)
  const value = load(LOADS[dtype.name]!, address)
  return dtype.name === 'bool' ? op('i32.ne', value, i32(0)) : value
}

/** Stores one element; integers keep their low bits. */
export function store_element(dtype: DType, address: Code, value: Code): Code {
  const stored = STORED[dtype.name]
  if (stored !== undefined) return store(`${stored}.store`, address, value)
  return store(dtype.itemsize === 1 ? 'i32.store8' : 'i32.store16', address, value)
}
