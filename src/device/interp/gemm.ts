// Matrix multiply as the definition has it: the plain reference beside the tuned kernels of the other devices.
import { lay_bias } from '../bias.ts'
import type { GemmProblem } from '../device.ts'

/** c[b] = a[b] @ b[b] (+ c[b], or + bias), summed in float64 and rounded once, at the end. */
export function gemm(problem: GemmProblem): void {
  const { dtype, batch, m, n, k, a, b, c, accumulate } = lay_bias(problem)
  const x = a.storage.array(dtype) as Float32Array | Float64Array
  const y = b.storage.array(dtype) as Float32Array | Float64Array
  const out = c.storage.array(dtype) as Float32Array | Float64Array
  for (let p = 0; p < batch; p++)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        const row = a.offset + p * a.batch_stride + i * a.row_stride
        const col = b.offset + p * b.batch_stride + j * b.col_stride
        const at = c.offset + p * c.batch_stride + i * c.row_stride + j * c.col_stride
        let sum = accumulate ? out[at]! : 0
        for (let q = 0; q < k; q++) sum += x[row + q * a.col_stride]! * y[col + q * b.row_stride]!
        out[at] = sum
      }
}
