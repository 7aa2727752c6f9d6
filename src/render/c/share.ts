// How C code has its work shared among threads: before the arguments of a call stand the number of threads and the
// address of the pool's function, which runs parts of the work. Not here: the pool (pool.ts).

/** How many doubles precede `args[0]`. */
export const SHARE_HEADER = 2

/**
 * C declarations. A Part does the share of its work between the fractions args[0] and args[1] and returns 0, or 1 where
 * it got no memory. POOL(args)(part, args, count, parts, THREADS(args)) runs it on 'parts' shares; POOL is 0 in a call
 * that is not to be shared.
 */
export const SHARE: string = `#include <stdint.h>
typedef int32_t i32;
typedef int64_t i64;
typedef double f64;
#define HEADER ${SHARE_HEADER}
typedef i32 Part(const f64 *args);
typedef i32 Share(Part *part, const f64 *args, i64 count, i64 parts, i64 threads);
#define THREADS(args) ((i64)(args)[-2])
#define POOL(args) ((Share *)(uintptr_t)(args)[-1])
`
