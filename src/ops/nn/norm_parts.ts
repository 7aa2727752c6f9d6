// What the normalisations share: the dtype of statistics, their history, and the formulas that are differentiated
// further. Not here: the kernels (layer_norm.ts, batch_norm_kernels.ts, group_norm.ts).
import { type DType, float16, float32 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { edge_of, type Grads, Node, records, Saved, set_history } from '../../tensor/tape.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { to_dtype } from '../convert.ts'
import { scalar_name } from '../define/out.ts'

/** The dtype statistics are kept in: 16-bit floats use float32. */
export const statistics_dtype = (dtype: DType): DType => (dtype.itemsize < 4 ? float32 : dtype)

export const require_float = (name: string, t: Tensor): void => {
  if (!t.dtype.is_floating_point || t.dtype === float16)
    throw new RuntimeError(`"${name}" not implemented for '${t.dtype.tensor_type.slice(0, -6)}'`)
}

/** Throws where a parameter's dtype is not the input's; those of 16-bit inputs may be float32. */
export function require_same_dtype(input: Tensor, ...parameters: readonly (Tensor | null)[]): void {
  for (const t of parameters)
    if (t !== null && t.dtype !== input.dtype && input.dtype.is_floating_point && input.dtype.itemsize > 2)
      throw new RuntimeError(
        `expected scalar type ${scalar_name(input.dtype)} but found ${scalar_name(t.dtype)}`,
      )
}

/** Channels-in-dim-1 vectors against a tensor of `ndim` dimensions. */
export const per_channel = (t: Tensor, ndim: number): Tensor =>
  t.view([1, -1, ...new Array<number>(ndim - 2).fill(1)])

// ---------------------------------------------------------------------------------------------- on the tape

/** rstd * (g - mean(g) - x * mean(g * x)): how a gradient goes through normalisation. */
export function centred(g: Tensor, normal: Tensor, rstd: Tensor, dims: readonly number[]): Tensor {
  const projection = normal.mul(g.mul(normal).mean(dims, true))
  return g.sub(g.mean(dims, true)).sub(projection).mul(rstd)
}

/** The mean and the reciprocal of the standard deviation, on the tape. */
export function statistics(x: Tensor, dims: readonly number[], eps: number): [Tensor, Tensor] {
  const mean = x.mean(dims, true)
  const d = x.sub(mean)
  return [mean, d.mul(d).mean(dims, true).add(eps).rsqrt()]
}

/** Gradients of input, weight and bias; null where none is wanted. */
export type Gradients = [input: Tensor | null, weight: Tensor | null, bias: Tensor | null]
/** Computes those that `needs` names. With recording on, by ops on the tape. */
type Derive = (g: Tensor, input: Tensor, weight: Tensor | null, needs: readonly boolean[]) => Gradients

/** The history of a normalisation. Statistics that it gives besides the result have no gradient. */
class NormNode extends Node {
  readonly #input: Saved
  readonly #weight: Saved | null
  readonly #dtypes: readonly (DType | undefined)[]
  #derive: Derive | null

  constructor(name: string, inputs: readonly [Tensor, Tensor | null, Tensor | null], derive: Derive) {
    super(
      name,
      inputs.map(t => t && edge_of(t)),
    )
    this.#input = new Saved(inputs[0])
    this.#weight = inputs[1] && new Saved(inputs[1])
    this.#dtypes = inputs.map(t => t?.dtype)
    this.#derive = derive
  }

  apply([g]: Grads): Grads {
    const [input, weight] = [this.#input.get(), this.#weight?.get() ?? null]
    if (!g || this.#derive === null) return [null, null, null]
    const needs = this.edges.map(e => e !== null)
    const grads = this.#derive(g, input, weight, needs)
    return grads.map((t, i) => (t && needs[i] ? to_dtype(t, this.#dtypes[i] as DType) : null))
  }

  override release(): void {
    this.#input.release()
    this.#weight?.release()
    this.#derive = null
  }
}

/** Records what `results` were made by, where an input requires grad. */
export function record_norm(
  name: string,
  results: readonly Tensor[],
  inputs: readonly [input: Tensor, weight: Tensor | null, bias: Tensor | null],
  derive: Derive,
): void {
  if (records(inputs)) set_history(new NormNode(name, inputs, derive), results)
}
