// Matrix products: mm, bmm, matmul and what is made of them. float32 and float64 go to the device's tuned routine,
// 16-bit floats through float32, integers through a plain kernel. Not here: decompositions (linalg), einsum.ts.
import { ComplexScalar } from '../base/complex_scalar.ts'
import { bool, type DType, float32, scalar_dtype } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { broadcast_sizes, expand_strides, numel } from '../base/shape.ts'
import type { MatrixRef } from '../device/device.ts'
import { cpu_device, empty, kernels } from '../tensor/dispatch.ts'
import { alias, type Tensor } from '../tensor/tensor.ts'
import { copy_elements, dense_as } from './define/copy.ts'
import { in_place } from './define/inplace.ts'
import { real_number } from './define/numbers.ts'
import { composite, type Op, op } from './define/op.ts'
import { empty_result, scalar_name } from './define/out.ts'
import type { Number } from './define/pointwise.ts'
import { reduce_to } from './define/reduce_to.ts'
import { product as write_product } from './nn/products.ts'
import { expand } from './views.ts'

/** out[b] = a[b] @ b[b] (+ out[b]) for 3-d tensors of one dtype; `out` is contiguous. */
function multiply(out: Tensor, a: Tensor, b: Tensor, accumulate: boolean): void {
  if (out.count === 0) return
  const { dtype } = out
  if (dtype.name === 'float32' || dtype.name === 'float64') {
    cpu_device().gemm({
      dtype,
      batch: out.sizes[0]!,
      m: out.sizes[1]!,
      n: out.sizes[2]!,
      k: a.sizes[2]!,
      a: matrix(a),
      b: matrix(b),
      c: matrix(out),
      accumulate,
    })
    return
  }
  if (dtype.is_floating_point) {
    const wide = empty(out.sizes, float32)
    if (accumulate) copy_elements(wide, out)
    multiply(wide, dense_as(a, float32), dense_as(b, float32), accumulate)
    copy_elements(out, wide)
    return
  }
  plain_product(dtype, accumulate)([out, a, b], [])
}

/** out = a @ b (+ out) for matrices; a bias only of float32 and float64. */
function multiply_matrices(
  out: Tensor,
  a: Tensor,
  b: Tensor,
  accumulate: boolean,
  bias: Tensor | null = null,
): void {
  const { dtype } = out
  if (dtype.name !== 'float32' && dtype.name !== 'float64')
    return multiply(batched(out), batched(a), batched(b), accumulate)
  const [m, n] = out.sizes as [number, number]
  const sizes = [m, n, a.sizes[1]!] as const
  write_product(dtype, sizes, plain_matrix(out), plain_matrix(a), plain_matrix(b), accumulate, bias)
}

const plain_matrix = ({ memory, offset, strides }: Tensor): MatrixRef => ({
  storage: memory,
  offset,
  batch_stride: 0,
  row_stride: strides[0]!,
  col_stride: strides[1]!,
})

const matrix = (t: Tensor): MatrixRef => ({
  storage: t.memory,
  offset: t.offset,
  batch_stride: t.sizes[0] === 1 ? 0 : t.strides[0]!,
  row_stride: t.strides[1]!,
  col_stride: t.strides[2]!,
})

/** The product of integer matrices. */
const plain_product = kernels('matmul', (k, dtype: DType, accumulate: boolean) => {
  const out = k.inout('out', dtype, { rank: 3 })
  const a = k.input('a', dtype, { rank: 3 })
  const b = k.input('b', dtype, { rank: 3 })
  const type = out.type === 'bool' ? 'i32' : out.type
  k.nest(out.sizes, 'parallel', 'serial', (z, i, j) => {
    const sum = k.local(type, accumulate ? out.at(z, i, j).cast(type) : 0)
    k.for(a.sizes[2]!, 'reduce', p =>
      k.assign(
        sum,
        sum.add(
          a
            .at(z, i, p)
            .cast(type)
            .mul(b.at(z, p, j).cast(type)),
        ),
      ),
    )
    k.store(out, [z, i, j], sum.cast(out.type))
  })
})

function require_same_dtype(a: Tensor, b: Tensor, name = 'mat'): void {
  if (a.dtype !== b.dtype)
    throw new RuntimeError(
      name === 'dot'
        ? `dot : expected both vectors to have same dtype, but found ${scalar_name(a.dtype)} and ${scalar_name(b.dtype)}`
        : `expected scalar type ${scalar_name(a.dtype)} but found ${scalar_name(b.dtype)}`,
    )
}

const batched = (t: Tensor): Tensor => t.unsqueeze(0)
const shape_text = (t: Tensor): string => t.sizes.join('x')

/** Whether a matrix lies column by column in memory: the transpose of a row-major one. */
const is_column_major = ({ sizes, strides }: Tensor): boolean =>
  strides[0] === 1 && strides[1] === sizes[0] && sizes[0]! > 1

/** The gradients of a product, in the memory order of the operand they are for, so that the transpose back is dense. */
const left_grad = (g: Tensor, left: Tensor, right: Tensor): Tensor =>
  is_column_major(left) ? right.conj().mm(g.t()).t() : g.mm(right.conj().t())
const right_grad = (g: Tensor, left: Tensor, right: Tensor): Tensor =>
  is_column_major(right) ? g.t().mm(left.conj()).t() : left.conj().t().mm(g)

/** The product of two matrices. Throws RuntimeError for anything that is none. */
export const mm: Op<[self: Tensor, mat2: Tensor, opts?: { out?: Tensor }]> = op(
  'mm(Tensor self, Tensor mat2)',
  {
    forward(self: Tensor, mat2: Tensor) {
      if (self.sizes.length !== 2) throw new RuntimeError('self must be a matrix')
      if (mat2.sizes.length !== 2) throw new RuntimeError('mat2 must be a matrix')
      require_product(self, mat2)
      require_same_dtype(self, mat2)
      const out = empty_result([self.sizes[0]!, mat2.sizes[1]!], self.dtype)
      if (out.count > 0) multiply_matrices(out, self, mat2, false)
      return out
    },
    saves: ['self', 'mat2'],
    backward: {
      self: (g, [self, mat2]) => left_grad(g, self, mat2),
      mat2: (g, [self, mat2]) => right_grad(g, self, mat2),
    },
    samples: r => [
      [r(3, 4), r(4, 2)],
      [r(1, 3), r(3, 1)],
      [r(0, 3), r(3, 2)],
      [r(2, 0), r(0, 3)],
    ],
  },
)

function require_product(a: Tensor, b: Tensor): void {
  if (a.sizes[1] !== b.sizes[0])
    throw new RuntimeError(
      `mat1 and mat2 shapes cannot be multiplied (${shape_text(a)} and ${shape_text(b)})`,
    )
}

/** The products of two batches of matrices. */
export const bmm: Op<[self: Tensor, mat2: Tensor, opts?: { out?: Tensor }]> = op(
  'bmm(Tensor self, Tensor mat2)',
  {
    forward(self: Tensor, mat2: Tensor) {
      if (self.sizes.length !== 3) throw new RuntimeError('batch1 must be a 3D tensor')
      if (mat2.sizes.length !== 3) throw new RuntimeError('batch2 must be a 3D tensor')
      const [b, m, k] = self.sizes as [number, number, number]
      if (mat2.sizes[0] !== b || mat2.sizes[1] !== k)
        throw new RuntimeError(
          `Expected size for first two dimensions of batch2 tensor to be: [${b}, ${k}] but got: [${mat2.sizes[0]}, ${mat2.sizes[1]}].`,
        )
      require_same_dtype(self, mat2)
      const out = empty_result([b, m, mat2.sizes[2]!], self.dtype)
      multiply(out, self, mat2, false)
      return out
    },
    saves: ['self', 'mat2'],
    backward: {
      self: (g, [, mat2]) => g.bmm(mat2.transpose(1, 2).conj()),
      mat2: (g, [self]) => self.transpose(1, 2).conj().bmm(g),
    },
    samples: r => [
      [r(2, 3, 4), r(2, 4, 2)],
      [r(0, 3, 4), r(0, 4, 2)],
    ],
  },
)

/** The inner product of two vectors. */
export const dot: Op<[self: Tensor, tensor: Tensor]> = op('dot(Tensor self, Tensor tensor)', {
  forward(self: Tensor, other: Tensor) {
    if (self.sizes.length !== 1 || other.sizes.length !== 1)
      throw new RuntimeError(
        `1D tensors expected, but got ${self.sizes.length}D and ${other.sizes.length}D tensors`,
      )
    require_same_dtype(self, other, 'dot')
    if (self.count !== other.count)
      throw new RuntimeError(
        `inconsistent tensor size, expected tensor [${self.sizes}] and src [${other.sizes}] to have the same number of elements, but got ${self.count} and ${other.count} elements respectively`,
      )
    const out = empty([], self.dtype)
    multiply(out.view(1, 1, 1), self.view(1, 1, -1), other.reshape([1, other.count, 1]), false)
    return out
  },
  saves: ['self', 'tensor'],
  backward: {
    self: (g, [, other]) => g.mul(other.conj()),
    tensor: (g, [self]) => g.mul(self.conj()),
  },
  samples: r => [[r(5), r(5)]],
})

/** A matrix times a vector. */
export const mv: Op<[self: Tensor, vec: Tensor]> = op('mv(Tensor self, Tensor vec)', {
  forward(self: Tensor, vec: Tensor) {
    if (self.sizes.length !== 2 || vec.sizes.length !== 1)
      throw new RuntimeError(
        `vector + matrix @ vector expected, got 1, ${self.sizes.length}, ${vec.sizes.length}`,
      )
    if (self.sizes[1] !== vec.sizes[0])
      throw new RuntimeError(`size mismatch, got ${self.sizes[0]}, ${shape_text(self)},${vec.sizes[0]}`)
    require_same_dtype(self, vec)
    const out = empty([self.sizes[0]!], self.dtype)
    multiply(out.view(1, -1, 1), batched(self), batched(vec.unsqueeze(1)), false)
    return out
  },
  saves: ['self', 'vec'],
  backward: {
    self: (g, [, vec]) => g.outer(vec.conj()),
    vec: (g, [self]) => self.t().conj().mv(g),
  },
  samples: r => [[r(3, 4), r(4)]],
})

/** The products of all pairs of elements of two vectors. */
export const outer: Op<[self: Tensor, vec2: Tensor]> = composite('outer(Tensor self, Tensor vec2)', {
  body: (self: Tensor, vec2: Tensor) => {
    if (self.sizes.length !== 1)
      throw new RuntimeError(`outer: Expected 1-D argument self, but got ${self.sizes.length}-D`)
    if (vec2.sizes.length !== 1)
      throw new RuntimeError(`outer: Expected 1-D argument vec2, but got ${vec2.sizes.length}-D`)
    return self.unsqueeze(1).mul(vec2)
  },
  samples: r => [[r(3), r(4)]],
})
/** The same as {@link outer}. */
export const ger: typeof outer = outer

type Scaled = { beta?: Number; alpha?: Number; out?: Tensor }
const scaled = (x: Tensor, factor: Number): Tensor => (factor === 1 ? x : x.mul(factor))
/** A gradient times the conjugate of a factor. */
const scaled_back = (g: Tensor, factor: Number): Tensor =>
  scaled(g, factor instanceof ComplexScalar ? factor.conjugate() : factor)

/** `beta * self + alpha * (mat1 @ mat2)`. */
export const addmm: Op<[self: Tensor, mat1: Tensor, mat2: Tensor, opts?: Scaled]> = op(
  'addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1)',
  {
    forward(self: Tensor, mat1: Tensor, mat2: Tensor, beta: Number, alpha: Number) {
      if (mat1.sizes.length !== 2)
        throw new RuntimeError(`mat1 must be a matrix, got ${mat1.sizes.length}-D tensor`)
      if (mat2.sizes.length !== 2)
        throw new RuntimeError(`mat2 must be a matrix, got ${mat2.sizes.length}-D tensor`)
      require_product(mat1, mat2)
      if (mat1.dtype !== mat2.dtype) throw new RuntimeError('mat1 and mat2 must have the same dtype')
      if (self.dtype !== mat1.dtype) throw new RuntimeError('self and mat2 must have the same dtype')
      const sizes = [mat1.sizes[0]!, mat2.sizes[1]!]
      if (alpha !== 1 || beta !== 1) return fused(self, batched(mat1), batched(mat2), beta, alpha, sizes)
      const out = empty(sizes, self.dtype)
      if (out.count === 0) return out
      const is_row = self.sizes.length === 1 && self.dense && self.count === sizes[1]
      if (is_row && (self.dtype.name === 'float32' || self.dtype.name === 'float64')) {
        multiply_matrices(out, mat1, mat2, false, self)
        return out
      }
      copy_elements(out, alias(self, sizes, expand_strides(self.sizes, self.strides, sizes)))
      multiply_matrices(out, mat1, mat2, true)
      return out
    },
    saves: ['mat1', 'mat2'],
    backward: {
      self: (g, [self, , , beta]) => scaled_back(reduce_to(g, self.sizes, self.dtype), beta),
      mat1: (g, [, mat1, mat2, , alpha]) => scaled_back(left_grad(g, mat1, mat2), alpha),
      mat2: (g, [, mat1, mat2, , alpha]) => scaled_back(right_grad(g, mat1, mat2), alpha),
    },
    samples: r => [
      [r(2, 3), r(2, 4), r(4, 3)],
      [r(3), r(2, 4), r(4, 3)],
      [r(2, 3), r(2, 4), r(4, 3), { beta: 0.5, alpha: 2 }],
    ],
  },
)

/** A factor as elements of `dtype` take it: for integers without its fraction. Throws RuntimeError for complex ones. */
function factor_of(factor: Number, dtype: DType): number | ComplexScalar {
  if (factor instanceof ComplexScalar && dtype.is_complex) return factor
  const real = Number(real_number(factor, dtype))
  return dtype.is_floating_point || dtype.is_complex ? real : Math.trunc(real)
}

/** Sums of 16-bit floats are rounded once, not after each step. */
const is_half = (dtype: DType): boolean => dtype.is_floating_point && dtype.itemsize === 2

/** beta * self + alpha * (a @ b), `self` broadcast to `sizes`; 3-d products. */
function fused(
  self: Tensor,
  a: Tensor,
  b: Tensor,
  beta: Number,
  alpha: Number,
  sizes: readonly number[],
): Tensor {
  if (is_half(self.dtype)) {
    const [x, y, z] = [self, a, b].map(t => dense_as(t, float32)) as [Tensor, Tensor, Tensor]
    return dense_as(fused(x, y, z, beta, alpha, sizes), self.dtype)
  }
  const wide = expand(self, sizes)
  const out = empty(sizes, self.dtype)
  const product = out.view(a.sizes[0]!, a.sizes[1]!, b.sizes[2]!)
  const factor = factor_of(beta, self.dtype)
  const product_factor = factor_of(alpha, self.dtype)
  if (product_factor === 1 && (factor === 1 || factor === 0)) {
    if (factor === 1) copy_elements(out, wide)
    multiply(product, a, b, factor === 1)
    return out
  }
  multiply(product, a, b, false)
  const scaled_product = scaled(out, product_factor)
  return factor === 0 ? scaled_product : scaled(wide, factor).add(scaled_product)
}

/** `beta * self + alpha * (batch1 @ batch2)` per batch. */
export const baddbmm: Op<[self: Tensor, batch1: Tensor, batch2: Tensor, opts?: Scaled]> = op(
  'baddbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1)',
  {
    forward(self: Tensor, batch1: Tensor, batch2: Tensor, beta: Number, alpha: Number) {
      if (batch1.sizes.length !== 3) throw new RuntimeError('batch1 must be a 3D tensor')
      if (batch2.sizes.length !== 3) throw new RuntimeError('batch2 must be a 3D tensor')
      const [b, m, k] = batch1.sizes as [number, number, number]
      if (batch2.sizes[0] !== b || batch2.sizes[1] !== k)
        throw new RuntimeError(
          `Expected size for first two dimensions of batch2 tensor to be: [${b}, ${k}] but got: [${batch2.sizes[0]}, ${batch2.sizes[1]}].`,
        )
      require_same_dtype(batch1, batch2)
      return fused(self, batch1, batch2, beta, alpha, [b, m, batch2.sizes[2]!])
    },
    saves: ['batch1', 'batch2'],
    backward: {
      self: (g, [self, , , beta]) => scaled_back(reduce_to(g, self.sizes, self.dtype), beta),
      batch1: (g, [, , batch2, , alpha]) => scaled_back(g.bmm(batch2.transpose(1, 2).conj()), alpha),
      batch2: (g, [, batch1, , , alpha]) => scaled_back(batch1.transpose(1, 2).conj().bmm(g), alpha),
    },
    samples: r => [
      [r(2, 2, 3), r(2, 2, 4), r(2, 4, 3)],
      [r(3), r(2, 2, 4), r(2, 4, 3), { beta: 0.5, alpha: 2 }],
    ],
  },
)

/** `beta * self + alpha * (mat @ vec)`. */
export const addmv: Op<[self: Tensor, mat: Tensor, vec: Tensor, opts?: Scaled]> = composite(
  'addmv(Tensor self, Tensor mat, Tensor vec, *, Scalar beta=1, Scalar alpha=1)',
  {
    body: (self: Tensor, mat: Tensor, vec: Tensor, beta: Number, alpha: Number) =>
      blend(self, mv(mat, vec), beta, alpha),
    samples: r => [[r(3), r(3, 4), r(4), { beta: 0.5, alpha: 2 }]],
  },
)

/** `beta * self + alpha * outer(vec1, vec2)`. */
export const addr: Op<[self: Tensor, vec1: Tensor, vec2: Tensor, opts?: Scaled]> = composite(
  'addr(Tensor self, Tensor vec1, Tensor vec2, *, Scalar beta=1, Scalar alpha=1)',
  {
    body: (self: Tensor, vec1: Tensor, vec2: Tensor, beta: Number, alpha: Number) => {
      const wide = in_float32(self, vec1, vec2, (x, a, b) => x.addr(a, b, { beta, alpha }))
      if (wide !== null) return wide
      const product = outer(vec1, vec2)
      for (const [name, factor] of Object.entries({ beta, alpha }))
        if (
          !product.dtype.is_floating_point &&
          !product.dtype.is_complex &&
          scalar_dtype(factor).category > 1
        )
          throw new RuntimeError(
            `For integral input tensors, argument ${name} must not be a floating point number.`,
          )
      return blend(self, product, beta, alpha)
    },
    samples: r => [[r(3, 4), r(3), r(4), { beta: 0.5, alpha: 2 }]],
  },
)

/** `beta * self + alpha * (batch1 @ batch2)` summed over the batch. */
export const addbmm: Op<[self: Tensor, batch1: Tensor, batch2: Tensor, opts?: Scaled]> = composite(
  'addbmm(Tensor self, Tensor batch1, Tensor batch2, *, Scalar beta=1, Scalar alpha=1)',
  {
    body: (self: Tensor, batch1: Tensor, batch2: Tensor, beta: Number, alpha: Number): Tensor =>
      in_float32(self, batch1, batch2, (x, a, b) => x.addbmm(a, b, { beta, alpha })) ??
      blend(self, bmm(batch1, batch2).sum(0, { dtype: batch1.dtype }), beta, alpha),
    samples: r => [[r(2, 3), r(2, 2, 4), r(2, 4, 3), { beta: 0.5, alpha: 2 }]],
  },
)

/** In-place {@link addmm}. */
export const addmm_: typeof addmm = in_place(addmm)
/** In-place {@link baddbmm}. */
export const baddbmm_: typeof baddbmm = in_place(baddbmm)
/** In-place {@link addmv}. */
export const addmv_: typeof addmv = in_place(addmv)
/** In-place {@link addr}. */
export const addr_: typeof addr = in_place(addr)
/** In-place {@link addbmm}. */
export const addbmm_: typeof addbmm = in_place(addbmm)

/** A function of 16-bit floats by way of float32; null where they are of another dtype, or not of one. */
function in_float32(
  self: Tensor,
  a: Tensor,
  b: Tensor,
  f: (self: Tensor, a: Tensor, b: Tensor) => Tensor,
): Tensor | null {
  const { dtype } = self
  if (!is_half(dtype) || a.dtype !== dtype || b.dtype !== dtype) return null
  return f(self.float(), a.float(), b.float()).to(dtype)
}

/** With beta 0 what `self` holds does not matter, not even a NaN. Integers take integer factors. */
function blend(self: Tensor, product: Tensor, beta: Number, alpha: Number): Tensor {
  if (self.dtype === bool) return product.mul(alpha).logical_or(self.mul(beta)).to(bool)
  const factor = factor_of(beta, self.dtype)
  const right = scaled(product, factor_of(alpha, self.dtype))
  if (factor !== 0) return scaled(self, factor).add(right)
  const wide = right.expand(broadcast_sizes(self.sizes, right.sizes))
  // its gradient is zero, not none
  return self.requires_grad ? self.where(self.new_zeros([], { dtype: bool }), wide) : wide.clone()
}

/**
 * The matrix product in NumPy's sense: vectors are inner products, matrices mm, more dimensions batches that
 * broadcast.
 */
export const matmul: Op<[self: Tensor, other: Tensor, opts?: { out?: Tensor }]> = composite(
  'matmul(Tensor self, Tensor other)',
  {
    body: product,
    samples: r => [
      [r(3), r(3)],
      [r(2, 3), r(3)],
      [r(3), r(3, 2)],
      [r(2, 3), r(3, 4)],
      [r(2, 3, 4), r(4, 5)],
      [r(2, 1, 3, 4), r(5, 4, 2)],
      [r(4), r(2, 4, 3)],
    ],
  },
)

function product(a: Tensor, b: Tensor): Tensor {
  const da = a.sizes.length
  const db = b.sizes.length
  if (da === 0 || db === 0)
    throw new RuntimeError(`both arguments to matmul need to be at least 1D, but they are ${da}D and ${db}D`)
  if (da === 1 && db === 1) return dot(a, b)
  if (da === 2 && db === 1) return mv(a, b)
  if (da === 1 && db === 2) return mm(a.unsqueeze(0), b).squeeze(0)
  if (da === 2 && db === 2) return mm(a, b)
  // One weight for a whole batch is one matrix product over all rows.
  if (da >= 3 && db <= 2) {
    const weight = db === 1 ? b.unsqueeze(1) : b
    require_product(a.reshape([-1, a.sizes[da - 1]!]), weight)
    const rows = a.reshape([numel(a.sizes.slice(0, -1)), a.sizes[da - 1]!])
    const out = mm(rows, weight)
    return out.view([...a.sizes.slice(0, -1), ...(db === 1 ? [] : [weight.sizes[1]!])])
  }
  const left = da === 1 ? a.unsqueeze(0) : a
  const right = db === 1 ? b.unsqueeze(1) : b
  const [m, k] = left.sizes.slice(-2) as [number, number]
  const [k2, n] = right.sizes.slice(-2) as [number, number]
  const batch = broadcast_sizes(left.sizes.slice(0, -2), right.sizes.slice(0, -2))
  const count = numel(batch)
  if (k !== k2)
    throw new RuntimeError(
      `Expected size for first two dimensions of batch2 tensor to be: [${count}, ${k}] but got: [${count}, ${k2}].`,
    )
  const out = bmm(
    left.expand([...batch, m, k]).reshape([count, m, k]),
    right.expand([...batch, k, n]).reshape([count, k, n]),
  )
  return out.view([...batch, ...(da === 1 ? [] : [m]), ...(db === 1 ? [] : [n])])
}

/** The inner product over the last dimension of both. */
export const inner: Op<[self: Tensor, other: Tensor]> = composite('inner(Tensor self, Tensor other)', {
  body: (self: Tensor, other: Tensor) => {
    if (self.sizes.length === 0 || other.sizes.length === 0) return self.mul(other)
    const k = self.sizes[self.sizes.length - 1]
    if (k !== other.sizes[other.sizes.length - 1])
      throw new RuntimeError(
        `inner() the last dimension must match on both input tensors but got shapes [${self.sizes.join(', ')}] and [${other.sizes.join(', ')}]`,
      )
    return self.tensordot(other, [[-1], [-1]])
  },
  samples: r => [
    [r(3), r(3)],
    [r(2, 3), r(4, 3)],
    [r(), r(3)],
  ],
})

/** The inner product of vectors; of complex ones, with the first conjugated. */
export const vdot: Op<[self: Tensor, other: Tensor]> = composite('vdot(Tensor self, Tensor other)', {
  body: (self: Tensor, other: Tensor) => dot(self.conj(), other),
  samples: r => [[r(3), r(3)]],
})
