// torch.masked: reductions and normalisations of what a mask leaves. Masks are boolean tensors, true where an element
// counts, and broadcast to the input. Not here: masked_fill, masked_select and the like (ops/masked.ts).
export * from './normalise.ts'
export * from './reduction.ts'
