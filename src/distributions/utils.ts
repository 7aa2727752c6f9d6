// What distributions are made of: arguments, broadcasting, probabilities and logits, triangles as vectors, lazy
// properties, and how values read in Python. Not here: anything about one distribution.
import { ValueError } from '../base/errors.ts'
import * as F from '../nn/functional/index.ts'
import * as torch from '../torch.ts'
import { softmax, type Tensor } from '../torch.ts'

/** A parameter: a number, or a tensor of them. */
export type Value = number | Tensor

/** Sizes of samples: a list, or as a keyword. */
export type SampleShape = readonly number[] | { readonly sample_shape?: readonly number[] }

export const euler_constant = 0.5772156649015329

/**
 * Declares a constructor's arguments in the manner of PyTorch's signatures. Gives the function that binds a call to
 * them, as an object; it throws TypeError for wrong types, too many arguments and unknown names.
 */
export function signature<Settings>(text: string): (args: readonly unknown[]) => Settings {
  const schema = torch._parse_schema(text)
  return args => {
    const { values } = torch._bind([schema], args)
    return Object.fromEntries(schema.params.map(({ name }, i) => [name, values[i]])) as Settings
  }
}

/** Positional arguments, of which the last ones may be left out, then perhaps an object of keywords. */
export type Keywords<Positional extends readonly unknown[], Options> =
  | [...Positional, options?: Options]
  | (Positional extends readonly [...infer Head, unknown] ? Keywords<Head, Options> : never)

/** Whether arguments are checked; null: as {@link Distribution.set_default_validate_args} says. */
export type Validate = boolean | null

export const is_number = (x: unknown): x is number => typeof x === 'number'
export const is_tensor = (x: unknown): x is Tensor => x instanceof torch.Tensor

/** The sizes that `sample` and `rsample` are given. */
export function to_size(shape: SampleShape): torch.Size {
  if (Array.isArray(shape)) return new torch.Size(shape)
  if (torch._is_options(shape)) return new torch.Size((shape['sample_shape'] as number[] | undefined) ?? [])
  throw new TypeError(`'${torch._type_name(shape)}' object is not iterable`)
}

/** Defines own properties, also where the prototype has an accessor of the name: {@link lazy} values that are known. */
export function assign(target: object, values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values))
    Object.defineProperty(target, name, { value, writable: true, enumerable: true, configurable: true })
}

/** Computes a property when it is first asked for, with gradients, and keeps it as the object's own. */
export function lazy<T>(self: object, name: string, compute: () => T): T {
  const value = torch.enable_grad(compute)
  assign(self, { [name]: value })
  return value
}

/**
 * Broadcasts tensors and numbers to tensors of one size; numbers take the dtype of the first tensor, or the default
 * one. Throws ValueError for other values.
 */
export function broadcast_all(...values: readonly Value[]): Tensor[] {
  if (!values.every(v => is_tensor(v) || is_number(v) || typeof v === 'boolean'))
    throw new ValueError(
      'Input arguments must all be instances of numbers.Number, ' +
        'torch.Tensor or objects implementing __torch_function__.',
    )
  const first = values.find(is_tensor)
  const dtype = first?.dtype ?? torch.get_default_dtype()
  const tensors = values.map(v => (is_tensor(v) ? v : torch.tensor(v, { dtype })))
  return tensors.length === 1 ? tensors : torch.broadcast_tensors(...tensors)
}

/** Standard normal numbers of the given sizes and of the dtype of `like`. */
export const standard_normal = (sizes: readonly number[], like: Tensor): Tensor =>
  torch.empty([...sizes], { dtype: like.dtype }).normal_()

/** Uniform numbers in [0, 1) of the given sizes and of the dtype of `like`. */
export const uniform = (sizes: readonly number[], like: Tensor): Tensor =>
  torch.rand([...sizes], { dtype: like.dtype })

/** Sums over the last `dims` dimensions. */
export function sum_rightmost(value: Tensor, dims: number): Tensor {
  if (dims === 0) return value
  return value.reshape([...value.shape.slice(0, value.ndim - dims), -1]).sum(-1)
}

/** 1 - x. */
export const one_minus = (x: Tensor): Tensor => x.rsub(1)

/** The probabilities of log odds or, where not binary, of unnormalised log probabilities along the last dimension. */
export const logits_to_probs = (logits: Tensor, is_binary = false): Tensor =>
  is_binary ? torch.sigmoid(logits) : softmax(logits, -1)

/** Probabilities that are neither 0 nor 1, by as little as the dtype can tell. */
export function clamp_probs(probs: Tensor): Tensor {
  const { eps } = torch.finfo(probs.dtype)
  return probs.clamp(eps, 1 - eps)
}

/** The inverse of {@link logits_to_probs}. */
export function probs_to_logits(probs: Tensor, is_binary = false): Tensor {
  const clamped = clamp_probs(probs)
  return is_binary ? clamped.log().sub(clamped.neg().log1p()) : clamped.log()
}

/** Values where a mask does not hold, and `value` where it does. */
export const masked = (x: Tensor, mask: Tensor, value: number): Tensor => torch.where(mask, value, x)

/** -sum of label * log(p) + (1 - label) * log(1 - p), term by term, from log odds. */
export const binary_cross_entropy = (logits: Tensor, labels: Tensor): Tensor =>
  F.binary_cross_entropy_with_logits(logits, labels, { reduction: 'none' })

/** The elements of square matrices on and below a diagonal, row after row, as vectors. */
export function tril_matrix_to_vec(matrix: Tensor, diag = 0): Tensor {
  const n = matrix.size(-1)
  if (diag < -n || diag >= n) throw new ValueError(`diag (${diag}) provided is outside [${-n}, ${n - 1}].`)
  const [rows, columns] = torch.tril_indices(n, n, diag).unbind() as [Tensor, Tensor]
  return matrix.at('...', rows, columns)
}

/** The inverse of {@link tril_matrix_to_vec}, with zeros elsewhere. */
export function vec_to_tril_matrix(vec: Tensor, diag = 0): Tensor {
  const length = vec.size(-1)
  const b = 1 + 2 * diag
  const n = (-b + Math.sqrt(b * b + 8 * length + 4 * Math.abs(diag) * (diag + 1))) / 2
  const size = Math.round(n)
  if (size - n > torch.finfo(vec.dtype).eps)
    throw new ValueError(
      `The size of last dimension is ${length} which cannot be expressed as ` +
        'the lower triangular part of a square D x D matrix.',
    )
  const [rows, columns] = torch.tril_indices(size, size, diag).unbind() as [Tensor, Tensor]
  const batch = vec.shape.slice(0, -1)
  const places = rows
    .mul(size)
    .add(columns)
    .expand([...vec.shape])
  return vec
    .new_zeros([...batch, size * size])
    .scatter(-1, places, vec)
    .reshape([...batch, size, size])
}

/** A value as Python's `format` writes it: a tensor of no dimensions as its number. */
export function format(x: unknown): string {
  if (!is_tensor(x)) return typeof x === 'number' ? torch._python_scalar(x) : String(x)
  if (x.ndim > 0) return String(x)
  const item = x.item()
  if (x.dtype.is_floating_point) return torch._python_float(Number(item))
  return torch._python_scalar(item as number | boolean)
}

/** `(2, 3)`, `(2,)`, `()`. */
export const tuple = (sizes: readonly number[]): string =>
  `(${sizes.join(', ')}${sizes.length === 1 ? ',' : ''})`
