// How containers read positions, slices and pairs. Not here: the containers.
import { IndexError, ValueError } from '../../base/errors.ts'
import { _is_options } from '../../torch.ts'
import { typename } from '../repr.ts'

/** Wraps a position that may be negative. Throws IndexError for one outside the list. */
export function position(index: number, length: number): number {
  if (!Number.isInteger(index))
    throw new TypeError(`'${typename(index)}' object cannot be interpreted as an integer`)
  if (index < -length || index >= length) throw new IndexError(`index ${index} is out of range`)
  return index < 0 ? index + length : index
}

/** The positions that `start:stop:step` means in a list of `length`. */
export function slice_positions(text: string, length: number): number[] {
  const parts = text.split(':').map(part => (part.trim() === '' ? null : Number(part)))
  if (parts.length < 2 || parts.length > 3 || parts.some(part => part !== null && !Number.isInteger(part)))
    throw new TypeError(`'${text}' is no index: write an integer, or a slice such as '1:3'`)
  const [start = null, stop = null, given_step = null] = parts
  const step = given_step ?? 1
  if (step === 0) throw new ValueError('slice step cannot be zero')
  const [low, high] = step < 0 ? [-1, length - 1] : [0, length]
  const wrap = (i: number): number => Math.min(Math.max(i < 0 ? i + length : i, low), high)
  const first = start === null ? (step < 0 ? high : low) : wrap(start)
  const end = stop === null ? (step < 0 ? low : high) : wrap(stop)
  return Array.from({ length: Math.max(0, Math.ceil((end - first) / step)) }, (_, i) => first + i * step)
}

/** Items given as a plain object, a Map or pairs, as pairs. */
export function pairs_of<T>(name: string, given: unknown): [string, T][] {
  if (_is_options(given)) return Object.entries(given) as [string, T][]
  if (
    given === null ||
    given === undefined ||
    typeof (given as Iterable<unknown>)[Symbol.iterator] !== 'function' ||
    typeof given === 'string'
  )
    throw new TypeError(
      `${name}.update should be called with an iterable of key/value pairs, but got ${typename(given)}`,
    )
  return [...(given as Iterable<unknown>)].map((pair, i) => {
    if (!Array.isArray(pair))
      throw new TypeError(`${name} update sequence element #${i} should be Iterable; is${typename(pair)}`)
    if (pair.length !== 2)
      throw new ValueError(`${name} update sequence element #${i} has length ${pair.length}; 2 is required`)
    return pair as [string, T]
  })
}
