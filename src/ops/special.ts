// torch.special: special functions by their names there. Most live in special/; those that PyTorch has had for longer
// are ops of the main namespace too. Not here: any formula.

export { xlogy } from './binary_math.ts'
export { log_softmax, softmax } from './nn/softmax.ts'
export { round } from './rounding.ts'
export * from './special/bessel.ts'
export * from './special/error.ts'
export * from './special/gamma.ts'
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
