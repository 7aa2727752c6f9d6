/**
 * Between encoded values and the library's own: `decode` makes the arguments of a call, `encode` reads its results
 * back as data. It uses the library as a JavaScript user would, and nothing of its insides.
 */
import type { Encoded, EncodedTensor } from './cases.ts'
import { element, is_complex, is_list, is_tensor } from './cases.ts'

/** What the runner itself needs of a tensor; everything else is looked up by name. */
export interface Tensor {
  readonly dtype: unknown
  readonly shape: Iterable<number>
  readonly requires_grad: boolean
  tolist(): unknown
  detach(): Tensor
  reshape(shape: readonly number[]): Tensor
  as_strided(size: readonly number[], stride: readonly number[]): Tensor
  requires_grad_(): Tensor
  is_floating_point(): boolean
}

/** What the runner itself needs of the library's namespace; ops are looked up by name. */
export interface Torch {
  readonly Tensor: abstract new (...args: never[]) => Tensor
  tensor(values: readonly unknown[], options: { dtype: unknown }): Tensor
  complex(real: Tensor, imag: Tensor): Tensor
  complex_scalar(real: number, imag: number): unknown
  resolve_conj(x: Tensor): Tensor
  view_as_real(x: Tensor): Tensor
  readonly manual_seed?: (seed: number) => unknown
  readonly autograd: {
    grad(
      outs: readonly Tensor[],
      ins: readonly Tensor[],
      cotangents: readonly Tensor[],
      options: { allow_unused: boolean },
    ): readonly (Tensor | null)[]
  }
}

/** A member of the namespace by name, such as a dtype. */
export function member(torch: Torch, name: string): unknown {
  const found = (torch as unknown as Record<string, unknown>)[name]
  if (found === undefined) throw new Error(`torch.${name} is missing`)
  return found
}

/** A slice of an index as a string, '1:3' or '::2'. */
export function slice_of([start, stop, step]: readonly (number | null)[]): string {
  return `${start ?? ''}:${stop ?? ''}${step === null || step === undefined ? '' : `:${step}`}`
}

const numel = (shape: readonly number[]): number => shape.reduce((n, size) => n * size, 1)

/** The storage in which a tensor with these strides finds `values`; elements that share memory agree. */
function spread<T>(values: readonly T[], shape: readonly number[], stride: readonly number[], gap: T): T[] {
  const storage: T[] = []
  values.forEach((value, flat) => {
    let at = 0
    let rest = flat
    for (let dim = shape.length - 1; dim >= 0; dim--) {
      at += (rest % shape[dim]!) * stride[dim]!
      rest = Math.floor(rest / shape[dim]!)
    }
    while (storage.length <= at) storage.push(gap)
    storage[at] = value
  })
  return storage
}

function decode_tensor(e: EncodedTensor, torch: Torch): Tensor {
  const values = e.v.map(element)
  const { st: stride, s: shape } = e
  const lay = (flat: readonly unknown[], dtype: string): Tensor => {
    const options = { dtype: member(torch, dtype) }
    if (stride === undefined || flat.length === 0) return torch.tensor(flat, options).reshape(shape)
    return torch.tensor(spread(flat, shape, stride, 0), options)
  }
  const restride = (x: Tensor): Tensor =>
    stride === undefined || numel(shape) === 0 ? x : x.as_strided(shape, stride)
  if (!is_complex(e.$t)) return restride(lay(values, e.$t))
  const part = e.$t === 'complex64' ? 'float32' : 'float64'
  const pick = (offset: number): Tensor =>
    lay(
      values.filter((_, i) => i % 2 === offset),
      part,
    )
  return restride(torch.complex(pick(0), pick(1)))
}

/**
 * An argument as the library takes it. Tensors that require grad are appended to `inputs`, in order.
 * A Python float becomes a plain number, so that 2.0 and 2 are the same; a complex one a complex scalar.
 */
export function decode(e: Encoded, torch: Torch, inputs: Tensor[] = []): unknown {
  if (typeof e === 'string' && /^-?\d+n$/.test(e)) return element(e)
  if (typeof e !== 'object' || e === null) return e
  if (is_list(e)) return e.map(item => decode(item, torch, inputs))
  if (is_tensor(e)) {
    const x = decode_tensor(e, torch)
    if (e.g === undefined) return x
    inputs.push(x.requires_grad_())
    return x
  }
  if ('$f' in e) return element(e['$f'] as number | string)
  if ('$c' in e) {
    const [re, im] = (e['$c'] as (number | string)[]).map(element) as [number, number]
    return torch.complex_scalar(re, im)
  }
  if ('$dtype' in e) return member(torch, e['$dtype'] as string)
  if ('$device' in e) return e['$device']
  if ('$slice' in e) return slice_of(e['$slice'] as (number | null)[])
  if ('$ellipsis' in e) return '...'
  return Object.fromEntries(Object.entries(e).map(([key, item]) => [key, decode(item, torch, inputs)]))
}

/** The dtype's bare name: 'float32' for torch.float32. */
export const dtype_name = (x: Tensor): string => String(x.dtype).replace(/^torch\./, '')

/** A result as data. Lists, named tuples and sizes become arrays; complex tensors flattened pairs. */
export function encode(x: unknown, torch: Torch): Encoded {
  if (x instanceof torch.Tensor) {
    const dtype = dtype_name(x)
    const plain = is_complex(dtype) ? torch.view_as_real(torch.resolve_conj(x.detach())) : x.detach()
    return { $t: dtype, s: [...x.shape], v: [plain.tolist()].flat(Infinity) as EncodedTensor['v'] }
  }
  if (x === null || ['boolean', 'number', 'bigint', 'string'].includes(typeof x)) return x as Encoded
  if (typeof x === 'object' && Symbol.iterator in x)
    return Array.from(x as Iterable<unknown>, item => encode(item, torch))
  throw new TypeError(`a result that is no tensor, list or plain value: ${String(x)}`)
}

/** The tensors in a nested result, in order. */
export function leaves(x: unknown, torch: Torch): Tensor[] {
  if (x instanceof torch.Tensor) return [x]
  return Array.isArray(x) ? x.flatMap(item => leaves(item, torch)) : []
}

/** The cotangent that the recorded gradients were taken with, times a sign for each element where one is given. */
export function cotangent(out: Tensor, torch: Torch, sign: readonly number[] = []): Tensor {
  const shape = [...out.shape]
  const values = Array.from({ length: numel(shape) }, (_, i) => (((i % 7) - 3) / 4 + 0.25) * (sign[i] ?? 1))
  return torch.tensor(values, { dtype: out.dtype }).reshape(shape)
}
