// torch.optim.swa_utils: averages of a model's weights over training (Izmailov et al. 2018), the statistics of their
// BatchNorms. Not here: the learning rates that go with them (lr_scheduler/swa.ts).
import { Module } from '../nn/module.ts'
import { _BatchNorm } from '../nn/modules/normalization.ts'
import type { DeviceLike, Tensor } from '../torch.ts'
import * as torch from '../torch.ts'
import { SWALR as SWALRClass } from './lr_scheduler/swa.ts'

/** The new average from the old one, the model's value, and of how many models the old one is. */
export type AverageFunction = (averaged: Tensor, value: Tensor, num_averaged: Tensor) => Tensor

export type AveragedModelOptions = {
  device?: DeviceLike | null
  /** The equal average of all models by default. */
  avg_fn?: AverageFunction | null
  /** Whether buffers are averaged too. */
  use_buffers?: boolean
}

const equal_average: AverageFunction = (averaged, value, num_averaged) =>
  averaged.add(value.sub(averaged).div(num_averaged.add(1)))

/** A copy of a model whose parameters are averages: {@link update_parameters} takes the model's present ones in. */
export class AveragedModel<M extends Module = Module> extends Module {
  module: M
  declare n_averaged: Tensor
  readonly avg_fn: AverageFunction
  readonly use_buffers: boolean

  constructor(
    model: M,
    device: DeviceLike | null | AveragedModelOptions = null,
    avg_fn: AverageFunction | null | AveragedModelOptions = null,
    use_buffers = false,
  ) {
    super()
    const options: AveragedModelOptions = torch._is_options(device)
      ? (device as AveragedModelOptions)
      : torch._is_options(avg_fn)
        ? { device: device as DeviceLike | null, ...(avg_fn as AveragedModelOptions) }
        : { device: device as DeviceLike | null, avg_fn: avg_fn as AverageFunction | null, use_buffers }
    this.module = torch.deepcopy(model)
    if (options.device) this.module.to(options.device)
    this.register_buffer('n_averaged', torch.tensor(0, { dtype: torch.int64 }))
    this.avg_fn = options.avg_fn ?? equal_average
    this.use_buffers = options.use_buffers ?? false
  }

  forward(...args: Parameters<M['forward']>): ReturnType<M['forward']> {
    return (this.module as unknown as (...args: readonly unknown[]) => ReturnType<M['forward']>)(...args)
  }

  /** Takes the parameters of `model` into the averages; the first ones are copied. */
  update_parameters(model: Module): void {
    const all = (m: Module): Tensor[] => [...m.parameters(), ...(this.use_buffers ? m.buffers() : [])]
    const given = all(model)
    const first = this.n_averaged.item() === 0
    torch.no_grad(() => {
      for (const [i, averaged] of all(this.module).entries()) {
        const value = given[i]
        if (value === undefined) break
        averaged.copy_(
          first ? value.detach() : this.avg_fn(averaged.detach(), value.detach(), this.n_averaged),
        )
      }
      this.n_averaged.add_(1)
    })
  }
}

type Batch = Tensor | readonly [Tensor, ...unknown[]]
/** A model that can be called with a batch. */
type Model = Module & { forward(input: Tensor): unknown }

/** Resets the statistics of all BatchNorms; gives what makes them as they were but for new statistics, or null for none. */
function begin_statistics(model: Module): (() => void) | null {
  const norms = model.modules().filter(m => m instanceof _BatchNorm)
  if (norms.length === 0) return null
  const momenta = norms.map(norm => norm.momentum)
  const set = (norm: (typeof norms)[number], momentum: number | null): void => {
    Object.assign(norm, { momentum })
  }
  const was_training = model.training
  model.train()
  for (const norm of norms) {
    norm.running_mean &&= torch.zeros_like(norm.running_mean)
    norm.running_var &&= torch.ones_like(norm.running_var)
    norm.num_batches_tracked?.zero_()
    set(norm, null)
  }
  return () => {
    for (const [i, norm] of norms.entries()) set(norm, momenta[i] as number | null)
    model.train(was_training)
  }
}

/**
 * Computes the statistics of the model's BatchNorms anew, by calling it with every batch of `loader`, or its first element where
 * a batch is a list. For an asynchronous loader the result is to be awaited.
 */
export function update_bn(loader: Iterable<Batch>, model: Model, device?: DeviceLike | null): void
export function update_bn(
  loader: AsyncIterable<Batch>,
  model: Model,
  device?: DeviceLike | null,
): Promise<void>
export function update_bn(
  loader: Iterable<Batch> | AsyncIterable<Batch>,
  model: Model,
  device: DeviceLike | null = null,
): void | Promise<void> {
  const see = (batch: Batch): void => {
    const input = Array.isArray(batch) ? (batch[0] as Tensor) : (batch as Tensor)
    torch.no_grad(() => model(device === null ? input : input.to(device)))
  }
  const end = begin_statistics(model)
  if (Symbol.asyncIterator in loader) return end === null ? Promise.resolve() : see_all(loader, see, end)
  if (end === null) return
  try {
    for (const batch of loader) see(batch)
  } finally {
    end()
  }
}

async function see_all(
  loader: AsyncIterable<Batch>,
  see: (batch: Batch) => void,
  end: () => void,
): Promise<void> {
  try {
    for await (const batch of loader) see(batch)
  } finally {
    end()
  }
}

export type { SWALROptions } from './lr_scheduler/swa.ts'
export type SWALR = SWALRClass
export const SWALR: torch._Callable<typeof SWALRClass> = torch._callable(SWALRClass)
