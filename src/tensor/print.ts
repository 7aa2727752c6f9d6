/**
 * The text of a tensor, as PyTorch prints it to the letter: one width for all elements, scientific notation where the
 * magnitudes need it, `...` in large tensors, and what else there is to say (dtype, grad_fn) behind. It reads memory
 * directly; no kernel runs. Not here: how single numbers are written (base/format.ts).
 */
import {
  bool,
  complex64,
  complex128,
  type DType,
  type Element,
  float64,
  get_default_dtype,
  int64,
  read_element,
  to_real_dtype,
} from '../base/dtype.ts'
import { fixed, scientific } from '../base/format.ts'
import type { Tensor } from './tensor.ts'

/** How tensors are printed; see {@link set_printoptions}. */
export interface PrintOptions {
  /** Digits after the point. */
  precision: number
  /** Tensors of more elements are summarised. */
  threshold: number
  /** How many rows and columns a summary shows at each end. */
  edgeitems: number
  /** Characters in a line. */
  linewidth: number
  /** Scientific notation always (true), never (false), or where the values need it (null). */
  sci_mode: boolean | null
}

type Profile = Omit<PrintOptions, 'sci_mode'>
const profiles: { readonly default: Profile; readonly short: Profile; readonly full: Profile } = {
  default: { precision: 4, threshold: 1000, edgeitems: 3, linewidth: 80 },
  short: { precision: 2, threshold: 1000, edgeitems: 2, linewidth: 80 },
  full: { precision: 4, threshold: Infinity, edgeitems: 3, linewidth: 80 },
}

const options: PrintOptions = { ...profiles.default, sci_mode: null }

/** A named set of options, and single options that differ from it. */
export type PrintOptionsChange = { [K in keyof PrintOptions]?: PrintOptions[K] | null } & {
  profile?: keyof typeof profiles | null
}

/**
 * Changes how tensors are printed. What is not named stays, but `sci_mode`, which every call sets (to null unless
 * given), as in PyTorch. Throws TypeError for an unknown option.
 *
 * @example torch.set_printoptions({ precision: 2 })
 */
export function set_printoptions(change: PrintOptionsChange = {}): void {
  const { profile, sci_mode, ...numbers } = change
  for (const key of Object.keys(numbers))
    if (!(key in profiles.default))
      throw new TypeError(`set_printoptions() got an unexpected keyword argument '${key}'`)
  if (profile) Object.assign(options, profiles[profile])
  for (const [key, value] of Object.entries(numbers))
    if (typeof value === 'number') options[key as keyof typeof profiles.default] = value
  options.sci_mode = sci_mode ?? null
}

/** How tensors are printed now. */
export function get_printoptions(): PrintOptions {
  return { ...options }
}

// ---------------------------------------------------------------------------------------------- elements

/** How the numbers of a tensor are written: all in one notation and to one width. */
class Format {
  #width = 1
  #notation: 'plain' | 'whole' | 'fixed' | 'scientific'

  constructor(values: readonly Element[], floating: boolean) {
    if (!floating) {
      this.#notation = 'plain'
      this.#widen(values)
      return
    }
    const finite = (values as number[]).filter(x => Number.isFinite(x) && x !== 0)
    const natural = finite.every(Number.isInteger) ? 'whole' : 'fixed'
    this.#notation = natural
    if (finite.length === 0) return
    let [least, greatest] = [Infinity, 0]
    for (const x of finite) {
      least = Math.min(least, Math.abs(x))
      greatest = Math.max(greatest, Math.abs(x))
    }
    if (greatest / least > 1000 || greatest > 1e8 || (natural === 'fixed' && least < 1e-4))
      this.#notation = 'scientific'
    this.#widen(finite)
    // The width stays that of the notation the values ask for, as in PyTorch.
    if (options.sci_mode !== null) this.#notation = options.sci_mode ? 'scientific' : natural
  }

  #widen(values: readonly Element[]): void {
    for (const x of values) this.#width = Math.max(this.#width, this.#bare(x).length)
  }

  get width(): number {
    return this.#width
  }

  #bare(x: Element): string {
    switch (this.#notation) {
      case 'plain':
        return typeof x === 'boolean' ? (x ? 'True' : 'False') : String(x)
      case 'whole':
        return fixed(x as number, 0) + (Number.isFinite(x) ? '.' : '')
      case 'fixed':
        return fixed(x as number, options.precision)
      case 'scientific':
        return scientific(x as number, options.precision)
    }
  }

  /** The text of one element, padded on the left. */
  text(x: Element): string {
    return this.#bare(x).padStart(this.#width)
  }
}

/** The elements of a tensor as text, by their place in memory. */
type Elements = { readonly width: number; readonly text: (at: number) => string }

function elements_of(t: Tensor, offsets: readonly number[]): Elements {
  const array = t.memory.peek(t.dtype)
  if (!t.dtype.is_complex) {
    const read = (at: number): Element => read_element(array, t.dtype, at)
    const format = new Format(offsets.map(read), t.dtype.is_floating_point)
    return { width: format.width, text: at => format.text(read(at)) }
  }
  const part = to_real_dtype(t.dtype)
  const read = (at: number, imaginary: 0 | 1): Element => read_element(array, part, 2 * at + imaginary)
  const real = new Format(
    offsets.map(at => read(at, 0)),
    true,
  )
  const imaginary = new Format(
    offsets.map(at => read(at, 1)),
    true,
  )
  const text = (at: number): string => {
    const im = `${imaginary.text(read(at, 1))}j`.trimStart()
    return real.text(read(at, 0)) + (im.startsWith('-') ? '' : '+') + im
  }
  return { width: real.width + imaginary.width + 1, text }
}

// ---------------------------------------------------------------------------------------------- layout

/** The indices of a dimension that are printed; null stands for those left out. */
function shown(size: number, summarise: boolean): (number | null)[] {
  const { edgeitems } = options
  const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)
  if (!summarise || size <= 2 * edgeitems) return range(0, size)
  return [...range(0, edgeitems), null, ...range(size - edgeitems, size)]
}

/** The elements between brackets, with `indent` characters before the first line. */
function contents(t: Tensor, indent: number): string {
  if (t.count === 0) return '[]'
  const { sizes, strides } = t
  const summarise = t.count > options.threshold
  const rows = sizes.map(size => shown(size, summarise))
  let offsets = [t.offset]
  rows.forEach((row, d) => {
    offsets = offsets.flatMap(at => row.flatMap(i => (i === null ? [] : [at + i * strides[d]!])))
  })
  const elements = elements_of(t, offsets)

  const write = (d: number, at: number, margin: number): string => {
    const row = rows[d]
    if (row === undefined) return elements.text(at)
    const last = d === rows.length - 1
    const items = row.map(i => {
      if (i === null) return last ? ' ...' : '...'
      return write(d + 1, at + i * strides[d]!, margin + 1)
    })
    const newline = `\n${' '.repeat(margin + 1)}`
    if (!last) return `[${items.join(`,${'\n'.repeat(rows.length - d - 2)}${newline}`)}]`
    const per_line = Math.max(1, Math.floor((options.linewidth - margin) / (elements.width + 2)))
    const lines: string[] = []
    for (let i = 0; i < items.length; i += per_line) lines.push(items.slice(i, i + per_line).join(', '))
    return `[${lines.join(`,${newline}`)}]`
  }
  return write(0, t.offset, indent)
}

/** What is said of a tensor behind its elements. */
function suffixes(t: Tensor): string[] {
  const said: string[] = []
  const standard = get_default_dtype()
  if (t.device.type !== 'cpu') said.push(`device='${t.device}'`)
  if (t.count === 0) {
    if (t.sizes.length !== 1) said.push(`size=(${t.sizes.join(', ')})`)
    if (t.dtype !== standard) said.push(`dtype=${t.dtype}`)
  } else {
    const implied: DType[] = [standard, standard === float64 ? complex128 : complex64, int64, bool]
    if (!implied.includes(t.dtype)) said.push(`dtype=${t.dtype}`)
  }
  const { grad_fn } = t
  if (grad_fn !== null) said.push(`grad_fn=<${grad_fn.name().split('::').at(-1)}>`)
  else if (t._requires_grad) said.push('requires_grad=True')
  return said
}

/** The text of a tensor: `tensor([1., 2.], grad_fn=<MulBackward0>)`. */
export function tensor_repr(t: Tensor): string {
  const prefix = 'tensor('
  let text = prefix + contents(t, prefix.length)
  let column = text.length - text.lastIndexOf('\n') + 1
  for (const suffix of suffixes(t)) {
    if (column + suffix.length + 2 > options.linewidth) {
      text += `,\n${' '.repeat(prefix.length)}${suffix}`
      column = prefix.length + suffix.length
    } else {
      text += `, ${suffix}`
      column += suffix.length + 2
    }
  }
  return `${t._is_parameter ? 'Parameter containing:\n' : ''}${text})`
}
