// Methods whose arguments stand in another order than those of the function of the same name: where, polygamma.
import type { Tensor } from '../tensor/tensor.ts'
import { choose, type Other } from './define/choose.ts'
import { in_place } from './define/inplace.ts'
import { composite, type Op, overloaded } from './define/op.ts'
import { polygamma as polygamma_of } from './special/gamma.ts'

/** `x.where(condition, y)` is `where(condition, x, y)`. */
export const where: Op<[self: Tensor, condition: Tensor, other: Other]> = overloaded(
  [
    [
      'where(Tensor self, Tensor condition, any other)',
      (self: Tensor, condition: Tensor, other: Other) => choose(condition, self, other),
    ],
  ],
  { samples: r => [[r(3, 4), r.bools(3, 4), r(4)]], out: false },
)

/** `x.polygamma(n)` is `torch.polygamma(n, x)`. */
export const polygamma: Op<[self: Tensor, n: number]> = composite('polygamma(Tensor self, int n)', {
  body: (self: Tensor, n: number) => polygamma_of(n, self),
  samples: r => [[r.range(0.5, 3, 3), 1]],
  out: false,
})

/** In-place {@link polygamma}. */
export const polygamma_: typeof polygamma = in_place(polygamma)
