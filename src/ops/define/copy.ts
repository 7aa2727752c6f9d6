// Copying elements between tensors, with broadcasting and dtype conversion: the kernel under copy_, contiguous,
// clone, to and out=. Not here: history.
import type { DType } from '../../base/dtype.ts'
import { coalesce, expand_strides, same_sizes } from '../../base/shape.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { inner_class, inner_stride, window } from './space.ts'

const copy_flat = kernels('copy', (k, to: DType, from: DType) => {
  const out = k.output('out', to, 'flat')
  const x = k.input('x', from, 'flat')
  k.for(out.sizes[0]!, 'vector', i => k.store(out, [i], x.at(i).cast(out.type)))
})

const copy_strided = kernels(
  'copy_strided',
  (k, to: DType, from: DType, rank: number, out_inner: string, x_inner: string) => {
    const out = k.output('out', to, { rank, ...inner_stride(out_inner) })
    const x = k.input('x', from, { rank, ...inner_stride(x_inner) })
    k.elementwise(out.sizes, (...i) => k.store(out, i, x.at(...i).cast(out.type)))
  },
)

/** out[...] = x[...], broadcast; `out` is not resized and history is not kept. */
export function copy_elements(out: Tensor, x: Tensor): void {
  if (out.count === 0) return
  if (out.dtype.is_complex || x.dtype.is_complex) return copy_complex(out, x)
  const same = same_sizes(out.sizes, x.sizes)
  if (same && out.dense && x.dense) {
    if (out.dtype === x.dtype) return copy_bytes(out, x)
    copy_flat(out.dtype, x.dtype)([out, x], [])
    return
  }
  const x_strides = same ? x.strides : expand_strides(x.sizes, x.strides, out.sizes)
  const { sizes, strides_list } = coalesce(out.sizes, [out.strides, x_strides])
  if (sizes.length === 0) {
    sizes.push(1)
    for (const s of strides_list) s.push(1)
  }
  const [so, sx] = strides_list as [number[], number[]]
  const kernel = copy_strided(out.dtype, x.dtype, sizes.length, inner_class(so), inner_class(sx))
  kernel([window(out, sizes, so), window(x, sizes, sx)], [])
}

function copy_bytes(out: Tensor, x: Tensor): void {
  const size = out.dtype.itemsize
  const target = new Uint8Array(
    out.memory.buffer,
    out.memory.byte_offset + out.offset * size,
    out.count * size,
  )
  target.set(new Uint8Array(x.memory.buffer, x.memory.byte_offset + x.offset * size, x.count * size))
}

/** Complex tensors have no kernels yet: they are copied element by element. */
function copy_complex(out: Tensor, x: Tensor): void {
  const target = out.memory.array(out.dtype)
  const source = x.memory.array(x.dtype)
  const strides = expand_strides(x.sizes, x.strides, out.sizes)
  const go = (d: number, at: number, from: number): void => {
    if (d < out.sizes.length) {
      for (let i = 0; i < out.sizes[d]!; i++) go(d + 1, at + i * out.strides[d]!, from + i * strides[d]!)
      return
    }
    const re = x.dtype.is_complex ? source[2 * from]! : source[from]!
    const im = x.dtype.is_complex ? source[2 * from + 1]! : 0
    if (!out.dtype.is_complex) target[at] = re
    else {
      target[2 * at] = re
      target[2 * at + 1] = im
    }
  }
  go(0, out.offset, x.offset)
}

/** `t` itself where it is contiguous, else a contiguous copy outside the graph. */
export function dense(t: Tensor): Tensor {
  if (t.dense) return t
  const out = empty(t.sizes, t.dtype)
  copy_elements(out, t)
  return out
}

/** A contiguous tensor of dtype `dtype` with the elements of `t`, outside the graph; `t` itself where it is one. */
export function dense_as(t: Tensor, dtype: DType): Tensor {
  if (t.dtype === dtype) return dense(t)
  const out = empty(t.sizes, dtype)
  copy_elements(out, t)
  return out
}
