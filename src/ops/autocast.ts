// `torch.autocast` on the CPU: while it is on, products and convolutions are computed in bfloat16, what needs the range or
// the digits in float32, and a few in the widest dtype of their operands, by PyTorch's lists (but for the Fourier
// transforms and padding, which take what they get); all others as they come. While
// it is off no op looks at any of this. Not here: how calls reach it (tensor/batched.ts).
import { bfloat16, DType, float32, float64 } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { warn } from '../base/warn.ts'
import { Batched, batching, ORDINARY, set_caster } from '../tensor/batched.ts'
import { is_options, type_name } from '../tensor/schema.ts'
import type { ModeGuard } from '../tensor/tape.ts'
import { Tensor } from '../tensor/tensor.ts'
import type { Spec } from './define/op.ts'

/** What is computed in bfloat16. */
const lower = 'addbmm addmm baddbmm bmm conv1d conv2d conv3d conv_tbc linear matmul mm'
/** What is computed in float32. */
const full =
  'adaptive_avg_pool3d adaptive_max_pool3d avg_pool3d binary_cross_entropy binary_cross_entropy_with_logits ' +
  'cdist cholesky cholesky_inverse cholesky_solve conv_transpose1d conv_transpose2d conv_transpose3d ' +
  'cosine_embedding_loss cross_entropy ctc_loss fractional_max_pool2d fractional_max_pool3d geqrf grid_sample ' +
  'grid_sampler grid_sampler_2d grid_sampler_3d hinge_embedding_loss huber_loss inverse kl_div l1_loss ' +
  'linalg_cholesky linalg_cholesky_ex linalg_cond linalg_eig linalg_eigh linalg_eigvals linalg_eigvalsh ' +
  'linalg_householder_product linalg_inv linalg_inv_ex linalg_lstsq linalg_matrix_norm linalg_matrix_rank ' +
  'linalg_qr linalg_solve linalg_svd linalg_svdvals linalg_tensorinv linalg_tensorsolve lu_solve ' +
  'margin_ranking_loss max_pool3d max_unpool2d max_unpool3d mse_loss multi_margin_loss multilabel_margin_loss ' +
  'nanquantile nll_loss orgqr ormqr pinverse poisson_nll_loss polar prod qr quantile smooth_l1_loss ' +
  'soft_margin_loss stft svd symeig trace triangular_solve triplet_margin_loss view_as_complex'
/** What is computed in the widest dtype of its operands. */
const promoting = 'cat stack index_copy'

type Policy = 'lower' | 'full' | 'promoting'
const policies = new Map<string, Policy>([
  ...lower.split(' ').map(name => [name, 'lower'] as const),
  ...full.split(' ').map(name => [name, 'full'] as const),
  ...promoting.split(' ').map(name => [name, 'promoting'] as const),
])

const state = { cpu: false, other: false, dtype: bfloat16, caches: true, nesting: 0 }

/** Weights as they were cast, so that each is cast once and its gradients are added up before they are cast back. */
let cache = new WeakMap<Tensor, Tensor>()

/** Whether autocast takes `t`: floating, but not float64. */
const is_eligible = (t: Tensor): boolean => t.dtype.is_floating_point && t.dtype !== float64

function cast(t: Tensor, to: DType): Tensor {
  if (!is_eligible(t) || t.dtype === to) return t
  const kept = to === state.dtype && t.dtype === float32 && t.requires_grad && t.is_leaf && t._view === null
  if (!kept || !state.caches || t instanceof Batched) return t.to(to)
  let own = cache.get(t)
  if (own === undefined) cache.set(t, (own = t.to(to)))
  return own
}

function cast_argument(x: unknown, to: DType): unknown {
  if (x instanceof Tensor) return cast(x, to)
  if (Array.isArray(x)) return x.some(t => t instanceof Tensor) ? x.map(t => cast_argument(t, to)) : x
  if (!is_options(x)) return x
  return Object.fromEntries(Object.entries(x).map(([name, value]) => [name, cast_argument(value, to)]))
}

/** The dtype in which operands meet. */
function widest(args: readonly unknown[]): DType {
  let found = state.dtype
  for (const t of args.flat()) {
    if (!(t instanceof Tensor) || !is_eligible(t) || t.dtype === found) continue
    if (t.dtype !== float32 && found !== float32)
      throw new RuntimeError('Unexpected floating ScalarType in at::autocast::prioritize')
    found = float32
  }
  return found
}

/** What a call is given in its last argument, by name. */
const named = (args: readonly unknown[], name: string): unknown => {
  const last = args[args.length - 1]
  return is_options(last) ? (last as Record<string, unknown>)[name] : undefined
}

/** Whether calls are cast: autocast is on, and no call that it took is under way. */
let casting = false
function switch_on(on: boolean): void {
  casting = on
  set_caster(on ? call_cast : null)
}

function call_cast(called: unknown, args: readonly unknown[]): unknown {
  const op = called as ((...args: readonly unknown[]) => unknown) & {
    readonly op_name: string
    readonly spec: Spec
  }
  const policy = policies.get(op.op_name)
  if (policy === undefined || (named(args, 'out') ?? null) !== null) return ORDINARY
  const to = policy === 'lower' ? state.dtype : policy === 'full' ? float32 : widest(args)
  const own = args.map(x => cast_argument(x, to))
  switch_on(false)
  try {
    return op(...own)
  } finally {
    switch_on(true)
  }
}

/** Whether calls are cast now. */
export const autocasts = (): boolean => batching.watched && casting

function require_bool(enabled: boolean): boolean {
  if (typeof enabled !== 'boolean') throw new TypeError(`enabled must be a bool (got ${type_name(enabled)})`)
  return enabled
}

/** Turns autocast on the CPU on or off, for good; {@link autocast} does so for a while. */
export function set_autocast_cpu_enabled(enabled: boolean): void {
  state.cpu = require_bool(enabled)
  switch_on(enabled)
}
export const is_autocast_cpu_enabled = (): boolean => state.cpu

/** The dtype that products are computed in while autocast is on. */
export function set_autocast_cpu_dtype(dtype: DType): void {
  if (!(dtype instanceof DType)) throw new TypeError(`dtype must be a torch.dtype (got ${type_name(dtype)})`)
  state.dtype = dtype
}
export const get_autocast_cpu_dtype = (): DType => state.dtype

/** A flag that is kept for programs that set it: there is no GPU. */
export function set_autocast_enabled(enabled: boolean): void {
  state.other = require_bool(enabled)
}
/** Whether autocast is on for GPUs. */
export const is_autocast_enabled = (): boolean => state.other

/** Whether weights that were cast are kept until autocast ends. */
export function set_autocast_cache_enabled(enabled: boolean): void {
  state.caches = require_bool(enabled)
}
export const is_autocast_cache_enabled = (): boolean => state.caches
/** Forgets the weights that were cast. */
export function clear_autocast_cache(): void {
  cache = new WeakMap()
}
/** Counts a region in; returns how many there are. */
export const autocast_increment_nesting = (): number => ++state.nesting
/** Counts a region out; returns how many are left. */
export const autocast_decrement_nesting = (): number => --state.nesting

/** Settings of {@link autocast}. */
export type AutocastOptions = { dtype?: DType | null; enabled?: boolean; cache_enabled?: boolean | null }

/**
 * Runs `body` with autocast on and returns its result; without a body, autocast is on until the guard that it returns is
 * disposed: `using _ = torch.autocast('cpu')`. Throws RuntimeError for devices other than 'cpu' and 'cuda'; for the latter,
 * and for dtypes other than bfloat16, autocast warns and is off.
 */
export function autocast<R>(device_type: string, body: () => R): R
export function autocast<R>(device_type: string, options: AutocastOptions, body: () => R): R
export function autocast(device_type: string, options?: AutocastOptions): ModeGuard
export function autocast<R>(
  device_type: string,
  options: AutocastOptions | (() => R) = {},
  body?: () => R,
): R | ModeGuard {
  if (device_type !== 'cpu' && device_type !== 'cuda')
    throw new RuntimeError("User specified autocast device_type must be 'cuda' or 'cpu'")
  if (typeof options === 'function') return autocast(device_type, {}, options)
  const { dtype, cache_enabled } = options
  let enabled = options.enabled ?? true
  const before = { ...state }
  if (device_type === 'cuda') {
    if (enabled) warn("User provided device_type of 'cuda', but CUDA is not available. Disabling")
    state.other = false
  } else {
    const wanted = dtype ?? state.dtype
    if (wanted !== bfloat16) {
      warn(
        'In CPU autocast, but the target dtype is not supported. Disabling autocast.\n' +
          'CPU Autocast only supports dtype of torch.bfloat16 currently.',
      )
      enabled = false
    }
    state.dtype = wanted
    set_autocast_cpu_enabled(enabled)
  }
  state.nesting++
  state.caches = cache_enabled ?? state.caches
  const leave = (): void => {
    if (--state.nesting === 0) clear_autocast_cache()
    const { nesting } = state
    Object.assign(state, before, { nesting })
    switch_on(state.cpu)
  }
  if (body === undefined) return { [Symbol.dispose]: leave }
  try {
    return body()
  } finally {
    leave()
  }
}
