// torch.testing: the namespace.
export { assert_allclose, assert_close } from './comparison.ts'
export { make_non_contiguous, make_tensor } from './creation.ts'
