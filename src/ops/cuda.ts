// `torch.cuda`, as it is in a PyTorch that was built without CUDA: it says that there is no GPU, programs ask it and go on.
// Not here: figures of the CPU's memory (cpu.ts).
import { AssertionError } from '../base/errors.ts'
import type { Place } from '../tensor/place.ts'

type DeviceLike = Place | string | number | null

const absent = (): never => {
  throw new AssertionError('Torch not compiled with CUDA enabled')
}

export const is_available = (): boolean => false
export const is_initialized = (): boolean => false
export const device_count = (): number => 0

/** Seeds the GPUs that there are: none. */
export function manual_seed(_seed: number | bigint): void {}
/** Seeds the GPUs that there are: none. */
export function manual_seed_all(_seed: number | bigint): void {}
/** Frees memory of the GPUs that there are: none. */
export function empty_cache(): void {}
/** The bytes that tensors take on a GPU: none. */
export const memory_allocated = (_device: DeviceLike = null): number => 0
/** The most bytes that tensors took on a GPU: none. */
export const max_memory_allocated = (_device: DeviceLike = null): number => 0

/** Throws AssertionError: there is no GPU. */
export const current_device = (): number => absent()
/** Throws AssertionError: there is no GPU. */
export const set_device = (_device: DeviceLike): void => absent()
/** Throws AssertionError: there is no GPU. */
export const synchronize = (_device: DeviceLike = null): void => absent()
/** Throws AssertionError: there is no GPU. */
export const get_device_name = (_device: DeviceLike = null): string => absent()
/** Throws AssertionError: there is no GPU. */
export const get_device_capability = (_device: DeviceLike = null): [number, number] => absent()
