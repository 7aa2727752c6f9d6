// Complex tensors made from their parts and taken apart again. Not here: arithmetic on them (ir/complex.ts), how they
// are printed (tensor/print.ts).
import { to_complex_dtype, to_real_dtype } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { broadcast_sizes } from '../base/shape.ts'
import { empty } from '../tensor/dispatch.ts'
import { bind, parse_schema } from '../tensor/schema.ts'
import { Tensor } from '../tensor/tensor.ts'
import { copy_elements } from './define/copy.ts'
import { composite, make_op, type Op, op } from './define/op.ts'
import { scalar_name } from './define/out.ts'
import { reduce_to } from './define/reduce_to.ts'
import { set_complex_views, view_op } from './define/view.ts'

/** A complex tensor as pairs of real numbers: a view with one dimension more, of size 2, at its end. */
export const view_as_real: Op<[input: Tensor]> = view_op('view_as_real(Tensor self)', {
  geometry(self) {
    if (!self.dtype.is_complex) throw new RuntimeError('view_as_real is only supported for complex tensors')
    return {
      sizes: [...self.sizes, 2],
      strides: [...self.strides.map(s => 2 * s), 1],
      offset: 2 * self.offset,
      dtype: to_real_dtype(self.dtype),
    }
  },
  backward: g => view_as_complex(g.contiguous()),
})

/** Pairs of real numbers, in a last dimension of size 2, as complex numbers: a view. */
export const view_as_complex: Op<[input: Tensor]> = view_op('view_as_complex(Tensor self)', {
  geometry(self) {
    const { sizes, strides, dtype, offset } = self
    if (!dtype.is_floating_point || dtype.itemsize < 4)
      throw new RuntimeError(
        `view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: ${scalar_name(dtype)}`,
      )
    if (sizes.length === 0) throw new RuntimeError('Input tensor must have one or more dimensions')
    if (sizes.at(-1) !== 2) throw new RuntimeError('Tensor must have a last dimension of size 2')
    if (strides.at(-1) !== 1) throw new RuntimeError('Tensor must have a last dimension with stride 1')
    const outer = strides.slice(0, -1)
    if (outer.some(s => s % 2 !== 0))
      throw new RuntimeError('Tensor must have a stride divisible by 2 for all but last dimension')
    if (offset % 2 !== 0) throw new RuntimeError('Tensor must have a storage_offset divisible by 2')
    return {
      sizes: sizes.slice(0, -1),
      strides: outer.map(s => s / 2),
      offset: offset / 2,
      dtype: to_complex_dtype(dtype),
    }
  },
  backward: g => view_as_real(g),
})

set_complex_views({ as_real: t => view_as_real(t), as_complex: t => view_as_complex(t) })

/** The real parts: a view of a complex tensor, a real tensor itself. */
export const real: Op<[input: Tensor]> = make_op(
  (...args: readonly unknown[]) => {
    const [self] = bind([real_schema], args).values as [Tensor]
    return self.dtype.is_complex ? view_as_real(self).select(-1, 0) : self
  },
  { name: 'real', schemas: [parse_schema('real(Tensor self)')], samples: undefined, differentiable: true },
)
const real_schema = parse_schema('real(Tensor self)')

/** The imaginary parts of a complex tensor: a view. */
export const imag: Op<[input: Tensor]> = make_op(
  (...args: readonly unknown[]) => {
    const [self] = bind([imag_schema], args).values as [Tensor]
    if (!self.dtype.is_complex)
      throw new RuntimeError('imag is not implemented for tensors with non-complex dtypes.')
    return view_as_real(self).select(-1, 1)
  },
  { name: 'imag', schemas: [parse_schema('imag(Tensor self)')], samples: undefined, differentiable: true },
)
const imag_schema = parse_schema('imag(Tensor self)')

/** real + imag * i, broadcast; both float32 or both float64. */
export const complex: Op<[real: Tensor, imag: Tensor]> = op('complex(Tensor real, Tensor imag)', {
  forward(re: Tensor, im: Tensor) {
    const floating = (t: Tensor): boolean => t.dtype.is_floating_point && t.dtype.itemsize >= 4
    if (!floating(re) || !floating(im))
      throw new RuntimeError(
        `Expected both inputs to be Half, Float or Double tensors but got ${scalar_name(re.dtype)} and ${scalar_name(im.dtype)}`,
      )
    if (re.dtype !== im.dtype)
      throw new RuntimeError(
        `Expected object of scalar type ${scalar_name(re.dtype)} but got scalar type ${scalar_name(im.dtype)} for second argument`,
      )
    const out = empty(broadcast_sizes(re.sizes, im.sizes), to_complex_dtype(re.dtype))
    const strides = out.strides.map(s => 2 * s)
    copy_elements(new Tensor(out.memory, 2 * out.offset, out.sizes, strides, re.dtype), re)
    copy_elements(new Tensor(out.memory, 2 * out.offset + 1, out.sizes, strides, re.dtype), im)
    return out
  },
  backward: {
    real: (g, [re]) => reduce_to(real(g), re.sizes, re.dtype),
    imag: (g, [, im]) => reduce_to(imag(g), im.sizes, im.dtype),
  },
})

/** abs * e ** (i angle), broadcast; both float32 or both float64. */
export const polar: Op<[abs: Tensor, angle: Tensor, opts?: { out?: Tensor }]> = composite(
  'polar(Tensor abs, Tensor angle)',
  { body: (abs: Tensor, angle: Tensor) => complex(abs.mul(angle.cos()), abs.mul(angle.sin())) },
)
