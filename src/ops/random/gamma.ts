// Gamma and Dirichlet numbers by rejection (Marsaglia and Tsang 2000), as PyTorch's CPU kernels draw them: the bits are
// PyTorch's but for the last one of a float64. Not here: the ops (../random_gamma.ts), gradients (gamma_grad.ts), the
// stream (rejection.ts).
import { type DType, finfo, float32, float64 } from '../../base/dtype.ts'
import type { Generator } from '../../base/generator.ts'
import type { Operand } from '../../device/device.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { View } from '../../ir/kernel.ts'
import { compute_type } from '../../ir/types.ts'
import { kernels } from '../../tensor/dispatch.ts'
import { not_implemented } from '../define/rules.ts'
import { scratch } from '../define/scratch.ts'
import { draw_by_rejection, write_sampler } from './rejection.ts'
import { part } from './words.ts'

// PyTorch writes these two as floats
const THIRD = Math.fround(1 / 3)
const SQUEEZE = Math.fround(0.0331)

const double = (x: number): Expr => constant(x, 'f64')

/** `x`, but `least` where it is less or NaN. */
const at_least = (least: number, x: Expr): Expr => x.gt(least).where(x, constant(least, x.type))

/** A shape below 1 is raised by 1, which the power of a uniform makes up for. */
const less_third = (a: Expr): Expr => a.lt(1).where(a.add(1), a).sub(THIRD).cast('f64')

/** The cube that is accepted for each shape, and the uniform for those below 1, for others 1. Shapes are computed with in `dtype`. */
const cubes = kernels('gamma_cubes', (k, dtype: DType, shape: DType) => {
  write_sampler(
    k,
    { dtype: float64, more: [float64], inputs: [shape] },
    ({ i, x: [input], more, ...rest }) => {
      const { source, accept } = rest
      const a = input!.cast(compute_type(dtype))
      const [own] = more as [View]
      k.store(own, [i], 1)
      k.if(
        a.eq(0),
        () => accept(0),
        () => k.if(a.lt(1), () => k.store(own, [i], source.uniform().neg().add(1))),
      )
      const d = k.local('f64', less_third(a))
      const c = k.local('f64', double(1).div(d.mul(9).sqrt()))
      return () => {
        const x = source.normal()
        const y = k.local('f64', c.mul(x).add(1))
        k.if(y.le(0).not(), () => {
          const v = k.local('f64', y.mul(y).mul(y))
          const u = k.local('f64', source.uniform().neg().add(1))
          const square = k.local('f64', x.mul(x))
          k.if(
            u.lt(square.mul(SQUEEZE).mul(square).neg().add(1)),
            () => accept(v),
            () => {
              const bound = square.mul(0.5).add(d.mul(v.neg().add(1).add(v.log())))
              k.if(u.log().lt(bound), () => accept(v))
            },
          )
        })
      }
    },
  )
})

/** How many numbers are made at once of shapes and cubes: powers only where one of them needs its own. */
const TOGETHER = 64

const finished = kernels('gamma', (k, out_dtype: DType, dtype: DType, shape: DType) => {
  const out = k.output('out', out_dtype, 'flat')
  const shapes = k.input('shape', shape, 'flat')
  const cubes = k.input('cubes', float64, 'flat')
  const uniforms = k.input('uniforms', float64, 'flat')
  const n = out.sizes[0]!
  const shape_at = (i: Expr): Expr => shapes.at(i).cast(compute_type(dtype))
  k.for(n.add(TOGETHER - 1).floordiv(TOGETHER), 'parallel', block => {
    const first = block.mul(TOGETHER)
    const size = n.sub(first).min(TOGETHER)
    const small = k.local('i32', 0)
    k.for(size, 'reduce', i => k.assign(small, small.max(shape_at(first.add(i)).lt(1).cast('i32'))))
    const store = (scale: (i: Expr, a: Expr) => Expr): void =>
      k.for(size, 'vector', j => {
        const i = first.add(j)
        const a = shape_at(i)
        const drawn = scale(i, a).mul(less_third(a)).mul(cubes.at(i))
        k.store(out, [i], at_least(finfo(out_dtype).tiny, drawn).cast(out.type))
      })
    const power = (i: Expr, a: Expr): Expr => uniforms.at(i).pow(constant(1, a.type).div(a).cast('f64'))
    k.if(
      small.ne(0),
      () => store(power),
      () => store(() => double(1)),
    )
  })
})

/** Rows of numbers over their sum, kept off 0 and 1. */
const normalise = kernels('dirichlet', (k, dtype: DType) => {
  const out = k.output('out', dtype, { rank: 2, inner: 1 })
  const x = k.input('x', float64, { rank: 2, inner: 1 })
  const { tiny, eps } = finfo(dtype)
  k.for(out.sizes[0]!, 'parallel', i => {
    const sum = k.local('f64', 0)
    k.for(out.sizes[1]!, 'serial', j => k.assign(sum, sum.add(x.at(i, j))))
    k.for(out.sizes[1]!, 'vector', j => {
      const share = x.at(i, j).div(sum)
      k.store(
        out,
        [i, j],
        share
          .max(tiny)
          .min(1 - eps / 2)
          .cast(out.type),
      )
    })
  })
})

function check(name: string, dtype: DType): void {
  if (dtype !== float32 && dtype !== float64) not_implemented(name, dtype)
}

/** About how many uniforms a number takes. */
const UNIFORMS = 3

/** Draws into `out` numbers of the shapes in `shape`, with which it computes in `dtype`. */
function draw_gamma(g: Generator, out: Operand, shape: Operand, dtype: DType): void {
  if (out.count === 0) return
  const [cube, uniform] = [scratch(2, [out.count], float64), scratch(3, [out.count], float64)]
  draw_by_rejection(g, UNIFORMS, cubes(dtype, shape.dtype), [cube, uniform, shape])
  finished(out.dtype, dtype, shape.dtype)([out, shape, cube, uniform], [])
}

/** Gamma numbers of scale 1 of the shapes in `shape`, an operand of the same dtype and size as `out`. */
export function fill_gamma(g: Generator, out: Operand, shape: Operand): void {
  check('gamma_cpu', out.dtype)
  draw_gamma(g, out, shape, out.dtype)
}

/** Points of simplices, row after row: gamma numbers over their sum, kept off 0 and 1. */
export function fill_dirichlet(g: Generator, out: Operand, concentration: Operand): void {
  check('dirichlet', out.dtype)
  if (out.count === 0) return
  const n = out.sizes[out.sizes.length - 1] ?? 1
  const sizes = [out.count / n, n]
  const numbers = scratch(4, sizes, float64)
  draw_gamma(g, numbers, concentration, float64)
  normalise(out.dtype)([{ ...part(out, 0, out.count), sizes, strides: [n, 1] }, numbers], [])
}
