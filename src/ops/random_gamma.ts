// Gamma and Dirichlet numbers and how they move with their parameters: what torch.distributions draws with.
// The draws are PyTorch's own. Not here: how they are drawn (random/gamma.ts), the other distributions (random.ts).
import { float32, float64 } from '../base/dtype.ts'
import { NotImplementedError, RuntimeError } from '../base/errors.ts'
import { default_generator, type Generator } from '../base/generator.ts'
import { empty } from '../tensor/dispatch.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { dense } from './define/copy.ts'
import { looped } from './define/looped.ts'
import { type Op, op } from './define/op.ts'
import { scalar_name } from './define/out.ts'
import { not_implemented } from './define/rules.ts'
import { fill_dirichlet, fill_gamma } from './random/gamma.ts'
import { fill_dirichlet_grad, gamma_grad } from './random/gamma_grad.ts'

type Draw = [input: Tensor, generator?: Generator | null]

/** Throws RuntimeError where tensors differ in dtype from the first, and for dtypes other than float32 and float64. */
function check_same(name: string, first: Tensor, ...others: readonly Tensor[]): void {
  for (const { dtype } of others)
    if (dtype !== first.dtype)
      throw new RuntimeError(`Found dtype ${scalar_name(dtype)} but expected ${scalar_name(first.dtype)}`)
  if (first.dtype !== float32 && first.dtype !== float64) not_implemented(name, first.dtype)
}

const refuse = (text: string) => (): never => {
  throw new NotImplementedError(text)
}
const no_derivative = refuse("the derivative for '_standard_gamma_grad' is not implemented.")

const gamma_grad_of = looped('standard_gamma_grad', () => 'f64', gamma_grad)

/** The derivatives of gamma numbers `output` with respect to the shapes `input` that they were drawn with. */
export const _standard_gamma_grad: Op<[input: Tensor, output: Tensor]> = op(
  '_standard_gamma_grad(Tensor self, Tensor output)',
  {
    forward(self: Tensor, output: Tensor) {
      check_same('_standard_gamma_grad_cpu', self, output)
      return gamma_grad_of(self, output, self.dtype)
    },
    backward: { self: no_derivative, output: no_derivative },
    gradcheck: false, // it has no derivative
    samples: r => [
      [r.range(0.2, 3, 6, 8), r.range(0.05, 4, 6, 8)],
      [r.range(8, 30, 6, 8), r.range(5, 35, 6, 8)],
    ],
  },
)

/** Gamma numbers of the shapes in `input` and of scale 1. They are differentiable in the shapes. */
export const _standard_gamma: Op<Draw> = op('_standard_gamma(Tensor self, generator? generator=None)', {
  forward(self: Tensor, generator: Generator | null) {
    const out = empty(self.sizes, self.dtype)
    fill_gamma(generator ?? default_generator, out, dense(self))
    return out
  },
  saves: ['self', 'out'],
  backward: { self: (g, [self], out) => g.mul(_standard_gamma_grad(self as Tensor, out)) },
})

/** Points of simplices: for each row of concentrations in `input` numbers that add up to 1. */
export const _sample_dirichlet: Op<Draw> = op('_sample_dirichlet(Tensor self, generator? generator=None)', {
  node: 'NotImplemented',
  forward(self: Tensor, generator: Generator | null) {
    const out = empty(self.sizes, self.dtype)
    fill_dirichlet(generator ?? default_generator, out, dense(self))
    return out
  },
  backward: { self: refuse('derivative for aten::_sample_dirichlet is not implemented') },
})

const no_dirichlet_derivative = refuse('derivative for aten::_dirichlet_grad is not implemented')

/**
 * How a coordinate `x` of a Dirichlet number moves with its concentration `alpha`, where `total` is the sum of the
 * concentrations: minus the derivative of the marginal beta distribution, over its density and 1 - x.
 */
export const _dirichlet_grad: Op<[x: Tensor, alpha: Tensor, total: Tensor]> = op(
  '_dirichlet_grad(Tensor x, Tensor alpha, Tensor total)',
  {
    node: 'NotImplemented',
    forward(x: Tensor, alpha: Tensor, total: Tensor) {
      check_same('_dirichlet_grad_cpu', x, alpha, total)
      const out = empty(x.sizes, x.dtype)
      fill_dirichlet_grad(out, dense(x), dense(alpha.expand(x.sizes)), dense(total.expand(x.sizes)))
      return out
    },
    backward: { x: no_dirichlet_derivative, alpha: no_dirichlet_derivative, total: no_dirichlet_derivative },
    gradcheck: false, // it has no derivative
    // of float32 PyTorch computes the series in float32, of which four digits are left
    samples: r => {
      const doubles = (low: number, high: number): Tensor => r.cast(r.range(low, high, 6, 8), float64)
      return [
        [doubles(0.02, 0.98), doubles(0.2, 3), doubles(4, 9)],
        [doubles(0.2, 0.8), doubles(7, 30), doubles(38, 60)],
      ]
    },
  },
)
