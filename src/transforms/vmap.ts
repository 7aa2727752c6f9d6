// torch.vmap: maps a function of samples over a dimension of its arguments, without a loop where ops have rules.
// Not here: what ops do with batched tensors (dispatch.ts).
import { RuntimeError, ValueError } from '../base/errors.ts'
import { wrap_dim } from '../base/shape.ts'
import { cat } from '../ops/join.ts'
import {
  add_level,
  type Level,
  next_level,
  type Randomness,
  remove_level,
  with_level,
} from '../tensor/batched.ts'
import { type_name } from '../tensor/schema.ts'
import { Tensor } from '../tensor/tensor.ts'
import { install_batching } from './dispatch.ts'
import { broadcast_prefix, flatten, is_dict, spec_text, type Tree, unflatten } from './pytree.ts'

install_batching()

/** Dimensions for a tree of tensors, or for whole branches of it; null: not mapped. */
export type Dims = Tree<number | null>

export type VmapOptions = {
  /** Which dimension of each argument is mapped over: one for all, or an entry each. */
  in_dims?: Dims
  /** Where the mapped dimension is in the results. */
  out_dims?: Dims
  /** What random ops do in the function: throw, draw for each sample, or once for all. */
  randomness?: Randomness
  /** Maps over so many samples at a time. */
  chunk_size?: number | null
}

type Fn<A extends readonly unknown[], R> = (...args: A) => R

const name_of = (f: { readonly name: string }): string => f.name || '<lambda>'
/** As Python prints it; text on its own is not quoted. */
function dims_text(dims: unknown, inside = false): string {
  if (dims === null) return 'None'
  if (Array.isArray(dims))
    return `(${dims.map(d => dims_text(d, true)).join(', ')}${dims.length === 1 ? ',' : ''})`
  if (is_dict(dims)) {
    const entries = Object.entries(dims).map(([k, v]) => `'${k}': ${dims_text(v, true)}`)
    return `{${entries.join(', ')}}`
  }
  return inside && typeof dims === 'string' ? `'${dims}'` : String(dims)
}

/**
 * The function that maps `func` over a dimension of its arguments: inside, each argument is one sample. Arguments and
 * results may be arrays and objects of tensors. Throws ValueError where `in_dims` or `out_dims` do not fit, RuntimeError for
 * what depends on single values (`item`, sizes of results).
 */
export function vmap<A extends readonly unknown[], R>(
  func: Fn<A, R>,
  in_dims: Dims | VmapOptions = 0,
  out_dims: Dims | VmapOptions = 0,
  randomness: Randomness | VmapOptions = 'error',
  options: VmapOptions = {},
): Fn<A, R> {
  const given: VmapOptions = {
    in_dims: in_dims as Dims,
    out_dims: out_dims as Dims,
    randomness: randomness as Randomness,
  }
  for (const [at, name] of [
    [in_dims, 'in_dims'],
    [out_dims, 'out_dims'],
    [randomness, 'randomness'],
  ] as const)
    if (is_vmap_options(at)) {
      delete given[name]
      Object.assign(given, at)
      break
    }
  return map({ ...given, ...options }, func)
}

const OPTIONS = ['in_dims', 'out_dims', 'randomness', 'chunk_size']
const is_vmap_options = (x: unknown): x is VmapOptions =>
  is_dict(x) && Object.keys(x).length > 0 && Object.keys(x).every(key => OPTIONS.includes(key))

function map<A extends readonly unknown[], R>(options: VmapOptions, func: Fn<A, R>): Fn<A, R> {
  const { in_dims = 0, out_dims = 0, randomness = 'error', chunk_size = null } = options
  if (!['error', 'different', 'same'].includes(randomness))
    throw new RuntimeError(
      `Only allowed values for randomness are 'error', 'different', or 'same'. Got ${randomness}`,
    )
  if (chunk_size !== null && !(chunk_size > 0))
    throw new ValueError(`vmap: chunk_size should be None or greater than 0. (got ${chunk_size})`)
  return (...args) => {
    const inputs = inputs_of(func, in_dims, args)
    if (chunk_size === null || chunk_size >= inputs.size) return run(func, inputs, out_dims, randomness)
    return run_in_chunks(func, inputs, out_dims, randomness, chunk_size)
  }
}

type Inputs = {
  readonly leaves: readonly unknown[]
  /** The mapped dimension of each leaf, or null. */
  readonly dims: readonly (number | null)[]
  readonly spec: ReturnType<typeof flatten>['spec']
  readonly size: number
}

function inputs_of(func: { readonly name: string }, in_dims: Dims, args: readonly unknown[]): Inputs {
  const name = name_of(func)
  const head = `vmap(${name}, in_dims=${dims_text(in_dims)}, ...)(<inputs>): `
  if (typeof in_dims !== 'number' && !Array.isArray(in_dims) && !is_dict(in_dims))
    throw new ValueError(
      `${head}expected \`in_dims\` to be int or a (potentially nested) tuple matching the structure of inputs, got: <class '${type_name(in_dims)}'>.`,
    )
  if (args.length === 0)
    throw new ValueError(
      `vmap(${name})(<inputs>): got no inputs. Maybe you forgot to add inputs, or you are trying to vmap over a function with no inputs. The latter is unsupported.`,
    )
  const { leaves, spec } = flatten(args)
  const dims = broadcast_prefix(in_dims, spec)
  if (dims === null)
    throw new ValueError(
      `${head}in_dims is not compatible with the structure of \`inputs\`. in_dims has structure ${spec_text(flatten(in_dims).spec)} but inputs has structure ${spec_text(spec)}.`,
    )
  const mapped = dims.map((dim, i) => {
    if (dim === null || dim === undefined) return null
    if (typeof dim !== 'number' || !Number.isInteger(dim))
      throw new ValueError(
        `${head}Got in_dim=${dims_text(dim)} for an input but in_dim must be either an integer dimension or None.`,
      )
    const leaf = leaves[i]
    if (!(leaf instanceof Tensor))
      throw new ValueError(
        `${head}Got in_dim=${dim} for an input but the input is of type <class '${type_name(leaf)}'>. We cannot vmap over non-Tensor arguments, please use None as the respective in_dim`,
      )
    const rank = leaf.sizes.length
    if (dim < -rank || dim >= rank)
      throw new ValueError(
        `${head}Got in_dim=${dim} for some input, but that input is a Tensor of dimensionality ${rank} so expected in_dim to satisfy -${rank} <= in_dim < ${rank}.`,
      )
    return wrap_dim(dim, rank)
  })
  const sizes = mapped.flatMap((dim, i) => (dim === null ? [] : [(leaves[i] as Tensor).sizes[dim]!]))
  if (sizes.length === 0) throw new ValueError('vmap: Expected at least one Tensor to vmap over')
  if (sizes.some(n => n !== sizes[0]))
    throw new ValueError(
      `vmap: Expected all tensors to have the same size in the mapped dimension, got sizes [${sizes.join(', ')}] for the mapped dimension`,
    )
  return { leaves, dims: mapped, spec, size: sizes[0]! }
}

/** The results, flat, with the batch in front of each, and the form they had. */
function run_flat(
  func: Fn<never, unknown>,
  { leaves, dims, spec, size }: Inputs,
  randomness: Randomness,
): { results: Tensor[]; spec: Inputs['spec'] } {
  const level: Level = next_level(size, randomness)
  return with_level(level, () => {
    const samples = leaves.map((leaf, i) => {
      const dim = dims[i]
      return dim === null
        ? leaf
        : add_level(dim === 0 ? (leaf as Tensor) : (leaf as Tensor).movedim(dim!, 0), level)
    })
    const made = func(...(unflatten(samples, spec) as never))
    const { leaves: results, spec: form } = flatten(made)
    return {
      results: results.map(t => {
        if (!(t instanceof Tensor))
          throw new ValueError(
            `vmap(${name_of(func)}, ...): \`${name_of(func)}\` must only return Tensors, got type <class '${type_name(t)}'> as a return.`,
          )
        return remove_level(t, level)
      }),
      spec: form,
    }
  })
}

function out_dims_of(name: string, out_dims: Dims, spec: Inputs['spec']): number[] {
  const wrong = (): never => {
    throw new ValueError(
      `vmap(${name}, ..., out_dims=${dims_text(out_dims)}): \`out_dims\` must be an int or a python collection of ints representing where in the outputs the vmapped dimension should appear.`,
    )
  }
  if (typeof out_dims !== 'number' && !Array.isArray(out_dims) && !is_dict(out_dims)) return wrong()
  // One tensor may have its dimension in a list of one.
  const single = spec === null && Array.isArray(out_dims) && out_dims.length === 1
  const dims = broadcast_prefix(single ? (out_dims as readonly unknown[])[0] : out_dims, spec)
  if (dims === null)
    throw new ValueError(
      `vmap(${name}, ..., out_dims=${dims_text(out_dims)})(<inputs>): out_dims is not compatible with the structure of \`outputs\`. out_dims has structure ${spec_text(flatten(out_dims).spec)} but outputs has structure ${spec_text(spec)}.`,
    )
  return dims.map(d => (typeof d === 'number' && Number.isInteger(d) ? d : wrong()))
}

function finish(name: string, results: readonly Tensor[], spec: Inputs['spec'], out_dims: Dims): unknown {
  const dims = out_dims_of(name, out_dims, spec)
  return unflatten(
    results.map((t, i) => (dims[i] === 0 ? t : t.movedim(0, dims[i]!))),
    spec,
  )
}

function run<R>(func: Fn<never, R>, inputs: Inputs, out_dims: Dims, randomness: Randomness): R {
  const { results, spec } = run_flat(func, inputs, randomness)
  return finish(name_of(func), results, spec, out_dims) as R
}

function run_in_chunks<R>(
  func: Fn<never, R>,
  inputs: Inputs,
  out_dims: Dims,
  randomness: Randomness,
  chunk_size: number,
): R {
  const parts: ReturnType<typeof run_flat>[] = []
  for (let at = 0; at < inputs.size; at += chunk_size) {
    const size = Math.min(chunk_size, inputs.size - at)
    const leaves = inputs.leaves.map((leaf, i) =>
      inputs.dims[i] === null ? leaf : (leaf as Tensor).narrow(inputs.dims[i]!, at, size),
    )
    parts.push(run_flat(func, { ...inputs, leaves, size }, randomness))
  }
  const { results, spec } = parts[0]!
  const joined = results.map((_, i) =>
    cat(
      parts.map(p => p.results[i]!),
      0,
    ),
  )
  return finish(name_of(func), joined, spec, out_dims) as R
}
