// `torch.backends`: which libraries there are to compute with. None of PyTorch's: the answers are those of a PyTorch built
// without them. Flags can be set, as programs do, and change nothing. Not here: devices (device/).

type Backend = { readonly is_available: () => boolean }
const absent: Backend = { is_available: () => false }

export const mkl: Backend = absent
export const mkldnn: Backend = absent
export const openmp: Backend = absent
export const mps: Backend & { readonly is_built: () => boolean } = { ...absent, is_built: () => false }
export const cuda: {
  readonly is_built: () => boolean
  readonly matmul: { allow_tf32: boolean; allow_fp16_reduced_precision_reduction: boolean }
} = { is_built: () => false, matmul: { allow_tf32: false, allow_fp16_reduced_precision_reduction: true } }
export const cudnn: Backend & {
  readonly version: () => number | null
  enabled: boolean
  benchmark: boolean
  deterministic: boolean
  allow_tf32: boolean
} = {
  ...absent,
  version: () => null,
  enabled: true,
  benchmark: false,
  deterministic: false,
  allow_tf32: true,
}
