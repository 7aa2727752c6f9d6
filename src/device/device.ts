// What a device is: something that allocates storages, turns kernels of the IR into executables, and has tuned
// routines for matrix multiply and convolution. Devices know no op; tensors satisfy `Operand` structurally.
// Not here: the backends (interp/, wasm/, native/), which never import each other.
import type { DType } from '../base/dtype.ts'
import type { Kernel } from '../ir/kernel.ts'
import type { Storage } from './storage.ts'

/** A strided window of a storage. `offset`, `sizes` and `strides` are in elements of `dtype`. */
export interface Operand {
  readonly memory: Storage
  readonly offset: number
  readonly sizes: readonly number[]
  readonly strides: readonly number[]
  /** The number of elements. */
  readonly count: number
  readonly dtype: DType
}

/** A value parameter at launch; an i64 parameter takes a bigint or an integer number. */
export type LaunchValue = number | bigint | boolean

/** A compiled kernel: operands in the order of `kernel.buffers`, values in the order of its value parameters. */
export type Executable = (operands: readonly Operand[], values: readonly LaunchValue[]) => void

/** A matrix, or a batch of them, inside an operand's storage; strides in elements, of any sign or zero. */
export type MatrixRef = {
  readonly storage: Storage
  readonly offset: number
  readonly batch_stride: number
  readonly row_stride: number
  readonly col_stride: number
}

/**
 * c[b] = a[b] @ b[b] (+ c[b] when `accumulate`). `c` has unit column stride. `bias`, n adjacent numbers, is added to every
 * row; not together with `accumulate`.
 */
export type GemmProblem = {
  readonly dtype: DType
  readonly batch: number
  readonly m: number
  readonly n: number
  readonly k: number
  readonly a: MatrixRef
  readonly b: MatrixRef
  readonly c: MatrixRef
  readonly accumulate: boolean
  readonly bias?: Operand | null
}

/**
 * 2-d cross-correlation and its two gradients; all operands contiguous NCHW / OIHW (one-dimensional convolution
 * comes as height 1). `forward` writes `output` from input and weight, `input_grad` writes `input` from output
 * and weight, `weight_grad` writes `weight` from input and output. `bias`, one number for each channel of what is
 * written, is added to the results of `forward` and `input_grad` (a transposed convolution); else it is null.
 */
export type ConvProblem = {
  readonly dtype: DType
  readonly kind: 'forward' | 'input_grad' | 'weight_grad'
  readonly batch: number
  readonly groups: number
  /** channels over all groups */
  readonly in_channels: number
  readonly out_channels: number
  readonly in_size: readonly [number, number]
  readonly out_size: readonly [number, number]
  readonly kernel: readonly [number, number]
  readonly stride: readonly [number, number]
  readonly padding: readonly [number, number]
  readonly dilation: readonly [number, number]
  readonly input: Operand
  readonly weight: Operand
  readonly output: Operand
  readonly bias: Operand | null
}

export interface Device {
  /** The backend's name: interp, wasm, native. */
  readonly backend: string
  /** The device type that users see. */
  readonly type: 'cpu'
  /** How many threads one kernel or routine may use, from 1 on. May be set at any time; results do not depend on it. */
  num_threads: number
  alloc(nbytes: number): Storage
  compile(kernel: Kernel): Executable
  /** Matrix multiply for float32 and float64. Shapes with m, n or batch 0 do nothing; k = 0 writes zeros. */
  gemm(problem: GemmProblem): void
  /** Convolution for float32 and float64. */
  conv(problem: ConvProblem): void
  synchronize(): void
}
