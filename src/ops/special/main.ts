// The special functions that the main namespace has too, under their names there, and their in-place forms.
// Not here: those that are expressions (unary.ts, binary_math.ts).
import { in_place } from '../define/inplace.ts'
import { i0 } from './bessel.ts'
import { gammainc as igamma, gammaincc as igammac, multigammaln as mvlgamma } from './gamma.ts'

export { i0, igamma, igammac, mvlgamma }

/** In-place {@link i0}. */
export const i0_: typeof i0 = in_place(i0)
/** In-place {@link igamma}. */
export const igamma_: typeof igamma = in_place(igamma)
/** In-place {@link igammac}. */
export const igammac_: typeof igammac = in_place(igammac)
/** In-place {@link mvlgamma}. */
export const mvlgamma_: typeof mvlgamma = in_place(mvlgamma)
