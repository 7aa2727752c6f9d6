// torch.special: special functions by their names there. Most live in special/; those that PyTorch has had for longer
// are ops of the main namespace too. Not here: any formula.

export { xlogy } from './binary_math.ts'
export { log_softmax, softmax } from './nn/softmax.ts'
export { round } from './rounding.ts'
export {
  airy_ai,
  bessel_j0,
  bessel_j1,
  bessel_y0,
  bessel_y1,
  i0,
  i0e,
  i1,
  i1e,
  modified_bessel_i0,
  modified_bessel_i1,
  modified_bessel_k0,
  modified_bessel_k1,
  scaled_modified_bessel_k0,
  scaled_modified_bessel_k1,
  spherical_bessel_j0,
} from './special/bessel.ts'
export * from './special/error.ts'
export { igamma as gammainc, igammac as gammaincc, multigammaln, polygamma, zeta } from './special/gamma.ts'
export * from './special/polynomials.ts'
export { logsumexp } from './statistics.ts'
export {
  digamma,
  digamma as psi,
  erf,
  erfc,
  erfinv,
  exp2,
  expm1,
  lgamma as gammaln,
  log1p,
  logit,
  sigmoid as expit,
  sinc,
} from './unary.ts'
