// Numbers by their names in torch: torch.pi and such. Not here: limits of dtypes (dtype.ts: finfo).

export const e: number = Math.E
export const inf: number = Number.POSITIVE_INFINITY
export const nan: number = Number.NaN
export const pi: number = Math.PI
