// Ops that are methods only (x.zero_()), as in PyTorch: a line per family, all of whose exports are.
// Not here: ops that are functions too (index.ts).
export * from './at.ts'
export * from './callbacks.ts'
export * from './conversions.ts'
export * from './data_out.ts'
export * from './fills.ts'
export * from './geometry.ts'
export * from './memory.ts'
export * from './new.ts'
export * from './random_fill.ts'
export * from './reordered.ts'
export * from './sizes.ts'
