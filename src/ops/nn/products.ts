// Matrix products on windows of tensors, for ops that make many of them: no results are allocated, and a right operand
// that many products share is laid out once. Not here: the ops (matmul.ts), the routine itself (device/).
import type { DType } from '../../base/dtype.ts'
import type { MatrixRef } from '../../device/device.ts'
import { cpu_device, empty } from '../../tensor/dispatch.ts'
import { alias, type Tensor } from '../../tensor/tensor.ts'
import { copy_elements } from '../define/copy.ts'

/** The matrix of these strides in the memory of `t`, from element `offset` of it on. */
export const matrix_at = (t: Tensor, row_stride: number, col_stride: number, offset = 0): MatrixRef => ({
  storage: t.memory,
  offset: t.offset + offset,
  batch_stride: 0,
  row_stride,
  col_stride,
})

/** Rows `row_stride` apart. */
export const rows_of = (t: Tensor, row_stride: number, offset = 0): MatrixRef =>
  matrix_at(t, row_stride, 1, offset)

/** The transpose. */
export const transposed = (m: MatrixRef): MatrixRef => ({
  storage: m.storage,
  offset: m.offset,
  batch_stride: m.batch_stride,
  row_stride: m.col_stride,
  col_stride: m.row_stride,
})

/** c = a b (+ c, or + bias): m by k times k by n. */
export function product(
  dtype: DType,
  [m, n, k]: readonly [number, number, number],
  c: MatrixRef,
  a: MatrixRef,
  b: MatrixRef,
  accumulate = false,
  bias: Tensor | null = null,
): void {
  cpu_device().gemm({ dtype, batch: 1, m, n, k, a, b, c, accumulate, bias })
}

/** The right operand of many products with few rows on the left. */
export type Factor = {
  /** c = a b (+ c) for m rows. */
  readonly multiply: (m: number, c: MatrixRef, a: MatrixRef, accumulate: boolean) => void
}

/** Columns of a panel, and what a panel may take: it stays in the nearest cache while all rows go by. */
const WIDTHS = [64, 48, 32]
const PANEL_BYTES = 64 * 1024

/**
 * A matrix as a factor, whichever way it lies in memory. For `many` products it is laid out, where its columns can be
 * divided, as panels of them, each contiguous, whose products are a batch.
 */
export function factor(b: Tensor, many: boolean): Factor {
  const { dtype } = b
  const [k, n] = b.sizes as [number, number]
  const [row_stride, col_stride] = b.strides as [number, number]
  const width = !many
    ? undefined
    : WIDTHS.find(w => n % w === 0 && (w * k * dtype.itemsize <= PANEL_BYTES || w === 32))
  if (width === undefined || k === 0) {
    const right = matrix_at(b, row_stride, col_stride)
    return { multiply: (m, c, a, accumulate) => product(dtype, [m, n, k], c, a, right, accumulate) }
  }
  const batch = n / width
  const panels = empty([batch, k, width], dtype)
  copy_elements(panels, alias(b, [batch, k, width], [width * col_stride, row_stride, col_stride]))
  const right = { ...rows_of(panels, width), batch_stride: k * width }
  return {
    multiply: (m, c, a, accumulate) =>
      cpu_device().gemm({
        dtype,
        batch,
        m,
        n: width,
        k,
        a,
        b: right,
        c: { ...c, batch_stride: width },
        accumulate,
      }),
  }
}
