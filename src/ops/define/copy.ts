// Copying elements between tensors, with broadcasting and dtype conversion: the kernel under copy_, contiguous,
// clone, to and out=. Not here: history.
import { type DType, int16, to_real_dtype, uint8 } from '../../base/dtype.ts'
import { coalesce, expand_strides, same_sizes } from '../../base/shape.ts'
import type { Operand } from '../../device/device.ts'
import type { Expr, Scalar } from '../../ir/expr.ts'
import { cpu_device, empty, kernels, zeros } from '../../tensor/dispatch.ts'
import { Tensor } from '../../tensor/tensor.ts'
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

/** The side of the squares in which memory is transposed: as many cache lines as the first level holds of one set. */
const TILE = 8

/** Copies between memory orders. `x` has the last two dimensions the other way round, and is contiguous in its last. */
const copy_tiled = kernels('copy_tiled', (k, to: DType, from: DType, rank: number, out_inner: string) => {
  const out = k.output('out', to, { rank, ...inner_stride(out_inner) })
  const x = k.input('x', from, { rank, inner: 1 })
  const outer = out.sizes.slice(0, -2)
  const [rows, columns] = out.sizes.slice(-2) as [Expr, Expr]
  const tiles = (n: Expr): Expr => n.add(TILE - 1).floordiv(TILE)
  const across = tiles(columns)
  k.for(
    outer.reduce((n, size) => n.mul(size), across),
    'parallel',
    t => {
      const column = k.local('index', t.mod(across).mul(TILE))
      let rest = k.local('index', t.floordiv(across))
      const at: Expr[] = []
      for (const size of outer.slice(1).toReversed()) {
        at.unshift(k.local('index', rest.mod(size)))
        rest = k.local('index', rest.floordiv(size))
      }
      if (outer.length > 0) at.unshift(rest)
      const copy = (row: Expr, height: Scalar, width: Scalar): void =>
        k.for(height, 'serial', r =>
          k.for(width, 'serial', c => {
            const [i, j] = [row.add(r), column.add(c)]
            k.store(out, [...at, i, j], x.at(...at, j, i).cast(out.type))
          }),
        )
      k.for(tiles(rows), 'serial', n => {
        const row = n.mul(TILE)
        const [height, width] = [rows.sub(row), columns.sub(column)]
        k.if(
          height.ge(TILE).and(width.ge(TILE)),
          () => copy(row, TILE, TILE),
          () => copy(row, height.min(TILE), width.min(TILE)),
        )
      })
    },
  )
})

/** What carries the bits of a dtype through a kernel unchanged and without work. */
const CARRIERS: Partial<Record<string, DType>> = {
  bool: uint8,
  int8: uint8,
  float16: int16,
  bfloat16: int16,
}

/** What elements of a dtype may be copied as; undefined: as themselves. */
export const carrier_of = (dtype: DType): DType | undefined => CARRIERS[dtype.name]

/** Above so many bytes a kernel copies: it may be shared among threads. */
const LARGE = 64 * 1024

/** Whether the bytes are in a buffer, not in memory of the device's own. */
const in_buffer = ({ memory: { block } }: Tensor): boolean => block.buffer !== null && block.resident === null

/** Whether JavaScript copies the bytes. */
const copies_bytes = (out: Tensor, x: Tensor): boolean =>
  in_buffer(out) &&
  in_buffer(x) &&
  (out.count * out.dtype.itemsize <= LARGE || cpu_device().num_threads === 1)

/** out[...] = x[...], broadcast; `out` is not resized and history is not kept. */
export function copy_elements(out: Tensor, x: Tensor): void {
  if (out.count === 0) return
  if (out.dtype.is_complex || x.dtype.is_complex) return copy_complex(out, x)
  const same = same_sizes(out.sizes, x.sizes)
  const carrier = out.dtype === x.dtype ? carrier_of(out.dtype) : undefined
  const [to, from] = [carrier ?? out.dtype, carrier ?? x.dtype]
  if (same && out.dense && x.dense) {
    if (out.dtype === x.dtype && copies_bytes(out, x)) return copy_bytes(out, x)
    copy_flat(to, from)([carried(out, to), carried(x, from)], [])
    return
  }
  const x_strides = same ? x.strides : expand_strides(x.sizes, x.strides, out.sizes)
  const { sizes, strides_list } = coalesce(out.sizes, [out.strides, x_strides])
  if (sizes.length === 0) {
    sizes.push(1)
    for (const s of strides_list) s.push(1)
  }
  const [so, sx] = strides_list as [number[], number[]]
  const rank = sizes.length
  const turned = turned_dim(sizes, sx)
  if (turned < 0) {
    const kernel = copy_strided(to, from, rank, inner_class(so), inner_class(sx))
    kernel([carried(window(out, sizes, so), to), carried(window(x, sizes, sx), from)], [])
    return
  }
  for (const list of [sizes, so, sx]) list.splice(rank - 2, 0, ...list.splice(turned, 1))
  const swapped = (list: readonly number[]): number[] => [...list.slice(0, -2), list.at(-1)!, list.at(-2)!]
  const kernel = copy_tiled(to, from, rank, inner_class(so))
  kernel([carried(window(out, sizes, so), to), carried(window(x, swapped(sizes), swapped(sx)), from)], [])
}

/** The dimension along which `x` lies in memory where that is not the last and copying by tiles pays, else -1. */
function turned_dim(sizes: readonly number[], strides: readonly number[]): number {
  const last = sizes.length - 1
  if (sizes[last]! < TILE / 2 || strides[last]! < TILE) return -1
  const dim = strides.findIndex((s, d) => d < last && s === 1)
  return dim >= 0 && sizes[dim]! >= TILE / 2 ? dim : -1
}

/** The operand under another dtype of the same size. */
const carried = (t: Operand, dtype: DType): Operand =>
  t.dtype === dtype
    ? t
    : { memory: t.memory, offset: t.offset, sizes: t.sizes, strides: t.strides, count: t.count, dtype }

function copy_bytes(out: Tensor, x: Tensor): void {
  const bytes = ({ memory, dtype, offset, count }: Tensor, will_write: boolean): Uint8Array =>
    new Uint8Array(
      memory.block.host(will_write),
      memory.byte_offset + offset * dtype.itemsize,
      count * dtype.itemsize,
    )
  bytes(out, true).set(bytes(x, false))
}

/** Complex elements are copied as pairs; of a complex one only the real part goes to a real one. */
function copy_complex(out: Tensor, x: Tensor): void {
  if (!x.dtype.is_complex) {
    copy_elements(part_of(out, 0), x)
    const imag = part_of(out, 1)
    copy_elements(imag, zeros([], imag.dtype))
  } else if (out.dtype.is_complex) copy_elements(pairs_of(out), pairs_of(x))
  else copy_elements(out, part_of(x, 0))
}

/** The real (0) or imaginary (1) parts of a complex tensor, in its memory. */
export function part_of(t: Tensor, part: 0 | 1): Tensor {
  const strides = t.strides.map(s => 2 * s)
  return new Tensor(t.memory, 2 * t.offset + part, t.sizes, strides, to_real_dtype(t.dtype))
}

function pairs_of(t: Tensor): Tensor {
  const strides = [...t.strides.map(s => 2 * s), 1]
  return new Tensor(t.memory, 2 * t.offset, [...t.sizes, 2], strides, to_real_dtype(t.dtype))
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
