// Normalisations: BatchNorm, InstanceNorm, LayerNorm, GroupNorm, LocalResponseNorm, with the running statistics that
// some keep. Not here: what they compute (functional).
import { AssertionError, ValueError } from '../../base/errors.ts'
import type { Tensor } from '../../torch.ts'
import * as torch from '../../torch.ts'
import * as F from '../functional/index.ts'
import { Module } from '../module.ts'
import { Parameter } from '../parameter.ts'
import { float, tuple, value } from '../repr.ts'
import type { LocalMetadata, StateDict } from '../state_dict.ts'
import { FACTORY, type Factory, type FactoryOptions, reader, uninitialised } from './settings.ts'

export type NormOptions = FactoryOptions & {
  eps?: number
  /** How far the running statistics move towards the batch's; null averages over all batches. */
  momentum?: number | null
  affine?: boolean
  track_running_stats?: boolean
}
type Settings = {
  num_features: number
  eps: number
  momentum: number | null
  affine: boolean
  track_running_stats: boolean
} & Factory

const batch = reader(
  `BatchNorm(int num_features, float eps=1e-05, float? momentum=0.1, bool affine=True, bool track_running_stats=True, ${FACTORY})`,
)
const instance = reader(
  `InstanceNorm(int num_features, float eps=1e-05, float? momentum=0.1, bool affine=False, bool track_running_stats=False, ${FACTORY})`,
)

/** What batch and instance normalisation share. */
abstract class NormBase extends Module {
  declare readonly num_features: number
  declare readonly eps: number
  declare readonly momentum: number | null
  declare readonly affine: boolean
  declare readonly track_running_stats: boolean
  declare weight: Parameter | null
  declare bias: Parameter | null
  declare running_mean: Tensor | null
  declare running_var: Tensor | null
  declare num_batches_tracked: Tensor | null

  constructor({ num_features, eps, momentum, affine, track_running_stats, dtype }: Settings) {
    super()
    Object.assign(this, { num_features, eps, momentum, affine, track_running_stats })
    const make = (): Tensor => uninitialised([num_features], { dtype })
    if (affine) {
      this.weight = new Parameter(make())
      this.bias = new Parameter(make())
    } else {
      this.register_parameter('weight', null)
      this.register_parameter('bias', null)
    }
    const tracked = (made: () => Tensor): Tensor | null => (track_running_stats ? made() : null)
    this.register_buffer('running_mean', tracked(make))
    this.register_buffer('running_var', tracked(make))
    this.register_buffer(
      'num_batches_tracked',
      tracked(() => torch.tensor(0, { dtype: torch.int64 })),
    )
    this.reset_parameters()
  }

  reset_running_stats(): void {
    this.running_mean?.zero_()
    this.running_var?.fill_(1)
    this.num_batches_tracked?.zero_()
  }

  reset_parameters(): void {
    this.reset_running_stats()
    torch.no_grad(() => {
      this.weight?.fill_(1)
      this.bias?.zero_()
    })
  }

  /** @internal */
  override get _version(): number {
    return 2
  }

  /** States of version 1 have no count of batches. @internal */
  override _load_from_state_dict(
    state: StateDict,
    prefix: string,
    metadata: LocalMetadata,
    ...lists: [missing: string[], unexpected: string[], errors: string[]]
  ): void {
    if ((metadata.version ?? 1) < 2 && this.track_running_stats)
      state[`${prefix}num_batches_tracked`] ??= torch.tensor(0, { dtype: torch.int64 })
    super._load_from_state_dict(state, prefix, metadata, ...lists)
  }

  override extra_repr(): string {
    const { num_features, eps, momentum, affine, track_running_stats } = this
    const shown = momentum === null ? 'None' : float(momentum)
    return `${num_features}, eps=${float(eps)}, momentum=${shown}, affine=${value(affine)}, track_running_stats=${value(track_running_stats)}`
  }
}

/** What all BatchNorms are instances of. */
export abstract class _BatchNorm extends NormBase {
  /** Throws ValueError for inputs of other dimensions. */
  protected abstract check(input: Tensor): void

  forward(input: Tensor): Tensor {
    this.check(input)
    let factor = this.momentum ?? 0
    if (this.training && this.track_running_stats && this.num_batches_tracked !== null) {
      this.num_batches_tracked.add_(1)
      if (this.momentum === null) factor = 1 / (this.num_batches_tracked.item() as number)
    }
    // Without running statistics there is only the batch's.
    const by_batch = this.training || (this.running_mean === null && this.running_var === null)
    const use_running = !this.training || this.track_running_stats
    return F.batch_norm(
      input,
      use_running ? this.running_mean : null,
      use_running ? this.running_var : null,
      this.weight,
      this.bias,
      by_batch,
      factor,
      this.eps,
    )
  }
}

function require_dims(input: Tensor, dims: readonly number[]): void {
  if (!dims.includes(input.ndim))
    throw new ValueError(`expected ${dims.map(d => `${d}D`).join(' or ')} input (got ${input.ndim}D input)`)
}

/** Batch normalisation by the statistics of this process. */
abstract class LocalBatchNorm extends _BatchNorm {
  constructor(num_features: number, ...rest: readonly (number | boolean | null | NormOptions)[]) {
    super(batch<Settings>([num_features, ...rest]))
  }
}

const sync_batch = reader(
  `SyncBatchNorm(int num_features, float eps=1e-05, float? momentum=0.1, bool affine=True, bool track_running_stats=True, any? process_group=None, ${FACTORY})`,
)

/**
 * Batch normalisation over the batches of several processes in training; there are none to ask here, so a call in
 * training throws ValueError, as PyTorch does for input on a CPU. In evaluation it is that of BatchNorm.
 */
export class SyncBatchNorm extends _BatchNorm {
  declare readonly process_group: unknown

  constructor(num_features: number, ...rest: readonly (number | boolean | null | NormOptions)[]) {
    const { process_group, ...settings } = sync_batch<Settings & { process_group: unknown }>([
      num_features,
      ...rest,
    ])
    super(settings)
    Object.assign(this, { process_group })
  }

  protected check(input: Tensor): void {
    if (this.training) throw new ValueError('SyncBatchNorm expected input tensor to be on GPU')
    if (input.ndim < 2) throw new ValueError(`expected at least 2D input (got ${input.ndim}D input)`)
    if (input.size(1) === 0) throw new ValueError('SyncBatchNorm number of input channels should be non-zero')
  }

  /** `module` with every BatchNorm in it replaced by a SyncBatchNorm of the same parameters and statistics. */
  static convert_sync_batchnorm(module: Module, process_group: unknown = null): Module {
    let converted = module
    if (module instanceof _BatchNorm) {
      const { num_features, eps, momentum, affine, track_running_stats } = module
      const sync = new SyncBatchNorm(num_features, eps, momentum, affine, track_running_stats)
      Object.assign(sync, { process_group })
      if (affine) Object.assign(sync, { weight: module.weight, bias: module.bias })
      const { running_mean, running_var, num_batches_tracked } = module
      converted = Object.assign(sync, { running_mean, running_var, num_batches_tracked })
    }
    for (const [name, child] of module.named_children()) {
      const changed = SyncBatchNorm.convert_sync_batchnorm(child, process_group)
      if (changed !== child) converted._set(name, changed)
    }
    return converted
  }
}

/** Normalises each feature of (N, C) or (N, C, L) over the batch. */
export class BatchNorm1d extends LocalBatchNorm {
  protected check(input: Tensor): void {
    require_dims(input, [2, 3])
  }
}

/** Normalises each channel of (N, C, H, W) over the batch. */
export class BatchNorm2d extends LocalBatchNorm {
  protected check(input: Tensor): void {
    require_dims(input, [4])
  }
}

/** Normalises each channel of (N, C, D, H, W) over the batch. */
export class BatchNorm3d extends LocalBatchNorm {
  protected check(input: Tensor): void {
    require_dims(input, [5])
  }
}

abstract class InstanceNorm extends NormBase {
  constructor(num_features: number, ...rest: readonly (number | boolean | null | NormOptions)[]) {
    super(instance<Settings>([num_features, ...rest]))
  }

  protected abstract readonly dims: number

  forward(input: Tensor): Tensor {
    require_dims(input, [this.dims + 1, this.dims + 2])
    const batched = input.ndim === this.dims + 2
    const use_input = this.training || !this.track_running_stats
    const out = F.instance_norm(
      batched ? input : input.unsqueeze(0),
      this.running_mean,
      this.running_var,
      this.weight,
      this.bias,
      use_input,
      this.momentum ?? 0,
      this.eps,
    )
    return batched ? out : out.squeeze(0)
  }
}

/** Normalises each channel of each sample of (N, C, L). */
export class InstanceNorm1d extends InstanceNorm {
  protected get dims(): number {
    return 1
  }
}

/** Normalises each channel of each sample of (N, C, H, W). */
export class InstanceNorm2d extends InstanceNorm {
  protected get dims(): number {
    return 2
  }
}

/** Normalises each channel of each sample of (N, C, D, H, W). */
export class InstanceNorm3d extends InstanceNorm {
  protected get dims(): number {
    return 3
  }
}

const layer = reader(
  `LayerNorm(any normalized_shape, float eps=1e-05, bool elementwise_affine=True, ${FACTORY})`,
)
type LayerOptions = FactoryOptions & { eps?: number; elementwise_affine?: boolean }

/** Normalises over the last dimensions, then scales and shifts each element of them. */
export class LayerNorm extends Module {
  declare readonly normalized_shape: readonly number[]
  declare readonly eps: number
  declare readonly elementwise_affine: boolean
  declare weight: Parameter | null
  declare bias: Parameter | null

  constructor(
    normalized_shape: number | readonly number[],
    eps?: number | LayerOptions,
    elementwise_affine?: boolean | LayerOptions,
    opts?: LayerOptions,
  )
  constructor(...args: readonly unknown[]) {
    super()
    const { normalized_shape, eps, elementwise_affine, ...factory } = layer<
      { normalized_shape: number | readonly number[]; eps: number; elementwise_affine: boolean } & Factory
    >(args)
    const shape = typeof normalized_shape === 'number' ? [normalized_shape] : [...normalized_shape]
    Object.assign(this, { normalized_shape: shape, eps, elementwise_affine })
    if (elementwise_affine) {
      this.weight = new Parameter(uninitialised(shape, factory))
      this.bias = new Parameter(uninitialised(shape, factory))
    } else {
      this.register_parameter('weight', null)
      this.register_parameter('bias', null)
    }
    this.reset_parameters()
  }

  reset_parameters(): void {
    torch.no_grad(() => {
      this.weight?.fill_(1)
      this.bias?.zero_()
    })
  }

  forward(input: Tensor): Tensor {
    return F.layer_norm(input, this.normalized_shape, this.weight, this.bias, this.eps)
  }

  override extra_repr(): string {
    return `${tuple(this.normalized_shape)}, eps=${float(this.eps)}, elementwise_affine=${value(this.elementwise_affine)}`
  }
}

const group = reader(
  `GroupNorm(int num_groups, int num_channels, float eps=1e-05, bool affine=True, ${FACTORY})`,
)
type GroupOptions = FactoryOptions & { eps?: number; affine?: boolean }

/** Normalises each group of channels of each sample, then scales and shifts each channel. */
export class GroupNorm extends Module {
  declare readonly num_groups: number
  declare readonly num_channels: number
  declare readonly eps: number
  declare readonly affine: boolean
  declare weight: Parameter | null
  declare bias: Parameter | null

  constructor(
    num_groups: number,
    num_channels: number,
    eps?: number | GroupOptions,
    affine?: boolean | GroupOptions,
    opts?: GroupOptions,
  )
  constructor(...args: readonly unknown[]) {
    super()
    const { num_groups, num_channels, eps, affine, ...factory } = group<
      { num_groups: number; num_channels: number; eps: number; affine: boolean } & Factory
    >(args)
    if (num_channels % num_groups !== 0) throw new ValueError('num_channels must be divisible by num_groups')
    Object.assign(this, { num_groups, num_channels, eps, affine })
    if (affine) {
      this.weight = new Parameter(uninitialised([num_channels], factory))
      this.bias = new Parameter(uninitialised([num_channels], factory))
    } else {
      this.register_parameter('weight', null)
      this.register_parameter('bias', null)
    }
    this.reset_parameters()
  }

  reset_parameters(): void {
    torch.no_grad(() => {
      this.weight?.fill_(1)
      this.bias?.zero_()
    })
  }

  forward(input: Tensor): Tensor {
    return F.group_norm(input, this.num_groups, this.weight, this.bias, this.eps)
  }

  override extra_repr(): string {
    return `${this.num_groups}, ${this.num_channels}, eps=${float(this.eps)}, affine=${value(this.affine)}`
  }
}

const local = reader('LocalResponseNorm(int size, float alpha=0.0001, float beta=0.75, float k=1.0)')
type LocalOptions = { alpha?: number; beta?: number; k?: number }

/** Divides each element by a power of the energy of its neighbouring channels. */
export class LocalResponseNorm extends Module {
  declare readonly size: number
  declare readonly alpha: number
  declare readonly beta: number
  declare readonly k: number

  constructor(
    size: number,
    alpha?: number | LocalOptions,
    beta?: number | LocalOptions,
    k?: number | LocalOptions,
  )
  constructor(...args: readonly unknown[]) {
    super()
    Object.assign(this, local(args))
  }

  forward(input: Tensor): Tensor {
    return F.local_response_norm(input, this.size, this.alpha, this.beta, this.k)
  }

  override extra_repr(): string {
    return `${this.size}, alpha=${float(this.alpha)}, beta=${float(this.beta)}, k=${float(this.k)}`
  }
}

const cross_map = reader('CrossMapLRN2d(int size, float alpha=0.0001, float beta=0.75, float k=1)')

/**
 * {@link LocalResponseNorm} of (N, C, H, W) as Torch 7 had it. As in PyTorch, the first channel's square is never taken
 * out of the running sum again.
 */
export class CrossMapLRN2d extends Module {
  declare readonly size: number
  declare readonly alpha: number
  declare readonly beta: number
  declare readonly k: number

  constructor(
    size: number,
    alpha?: number | LocalOptions,
    beta?: number | LocalOptions,
    k?: number | LocalOptions,
  )
  constructor(...args: readonly unknown[]) {
    super()
    Object.assign(this, cross_map(args))
  }

  forward(input: Tensor): Tensor {
    if (input.ndim !== 4) throw new AssertionError('')
    const { size, alpha, beta, k } = this
    const reach = Math.trunc((size - 1) / 2 + 1)
    const channels = input.size(1)
    const window = 2 * reach - 1
    const squares = input.square()
    const flat = F.pad(squares.flatten(2).unsqueeze(1), [0, 0, reach - 1, reach - 1])
    let sums = F.avg_pool2d(flat, [window, 1], 1).mul(window).view(input.shape)
    if (channels > reach) {
      const later = sums.narrow(1, reach, channels - reach).add(squares.narrow(1, 0, 1))
      sums = torch.cat([sums.narrow(1, 0, reach), later], 1)
    }
    return input.mul(
      sums
        .mul(alpha / size)
        .add(k)
        .pow(-beta),
    )
  }

  override extra_repr(): string {
    const shown = (x: number): string => (Number.isInteger(x) ? value(x) : float(x))
    return `${this.size}, alpha=${shown(this.alpha)}, beta=${shown(this.beta)}, k=${shown(this.k)}`
  }
}
