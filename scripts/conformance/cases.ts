/**
 * The conformance cases as data: their types, and reading them from disk. The encoding is described in
 * test/data/conformance/README.md. Nothing here knows the library.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/** An element of a tensor; strings are 'nan', 'inf', '-inf' or, past 2^53, an integer's digits followed by 'n'. */
export type Element = number | bigint | boolean | string

export interface EncodedTensor {
  readonly $t: string
  readonly s: readonly number[]
  readonly v: readonly Element[]
  readonly st?: readonly number[]
  readonly g?: 1
}

export type Encoded =
  | null
  | boolean
  | number
  | bigint
  | string
  | EncodedTensor
  | readonly Encoded[]
  | { readonly [key: string]: Encoded }

export interface Case {
  readonly op: string
  readonly variant: string
  readonly dtype: string
  readonly args: readonly Encoded[]
  readonly kw: Readonly<Record<string, Encoded>>
  readonly out: Encoded
  readonly grads?: readonly (EncodedTensor | null)[]
  /** Another result that is right, where the recorded one is not exact or not defined. */
  readonly also?: Alternative
}

/** A row of alternatives.json. */
export interface Alternative {
  readonly reason: string
  readonly out?: Encoded
  readonly grads?: readonly (EncodedTensor | null)[]
}

export const data_folder: URL = new URL('../../test/data/conformance/', import.meta.url)

export const is_tensor = (x: Encoded): x is EncodedTensor =>
  typeof x === 'object' && x !== null && Object.hasOwn(x, '$t')

export const is_list = (x: Encoded): x is readonly Encoded[] => Array.isArray(x)

export const is_complex = (dtype: string): boolean => dtype.startsWith('complex')

/** An element as the number, bigint or boolean that it stands for. */
export function element(x: Element): number | bigint | boolean {
  if (typeof x !== 'string') return x
  if (x.endsWith('n') && x !== 'nan') return BigInt(x.slice(0, -1))
  return x === 'inf' ? Infinity : x === '-inf' ? -Infinity : NaN
}

/** Parses the case file. Integers that a number cannot hold become strings such as "-9223372036854775808n". */
export function parse_cases(json: string): Case[] {
  const kept = json.replace(/(?<=[[,:])-?\d{16,}(?=[,\]}])/g, digits => `"${digits}n"`)
  return (JSON.parse(kept) as { cases: Case[] }).cases
}

/** The cases of a file; the standard one by default, with the alternatives recorded beside it. */
export function read_cases(file?: URL): Case[] {
  const cases = parse_cases(
    gunzipSync(readFileSync(file ?? new URL('opinfo.json.gz', data_folder))).toString(),
  )
  if (file !== undefined) return cases
  const alternatives = JSON.parse(readFileSync(new URL('alternatives.json', data_folder), 'utf8')) as Record<
    string,
    Alternative
  >
  return cases.map((c, i) => (alternatives[i] === undefined ? c : { ...c, also: alternatives[i] }))
}

/** The cases that are known to fail, and why. */
export const read_failures = (): Readonly<Record<string, { readonly op: string; readonly reason: string }>> =>
  JSON.parse(readFileSync(new URL('failures.json', data_folder), 'utf8'))
