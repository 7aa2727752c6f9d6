// What resizing images with and without antialiasing has in common: the steps between samples, the layout.
// Not here: either (upsample.ts, antialias.ts).
import { numel } from '../../base/shape.ts'
import type { Operand } from '../../device/device.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { window } from '../define/space.ts'

/** [outer, n, inner] around dimension `d`. */
export const around = (t: Tensor, d: number): Operand => {
  const [n, inner] = [t.sizes[d]!, numel(t.sizes.slice(d + 1))]
  return window(t, [numel(t.sizes.slice(0, d)), n, inner], [n * inner, inner, 1])
}

/** How far apart in the source neighbouring results lie. */
export function step(
  n: number,
  out: number,
  mode: Resampling,
  align_corners: boolean,
  given: number | null,
): number {
  if (align_corners && (mode === 'linear' || mode === 'cubic')) return out > 1 ? (n - 1) / (out - 1) : 0
  return given !== null && given > 0 ? 1 / given : n / out
}

/** How elements between others are made. */
export type Resampling = 'nearest' | 'nearest-exact' | 'linear' | 'cubic'
