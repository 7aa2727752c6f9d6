// The threads of the native device: the pool is loaded when there are to be several, and what compiled code finds
// before its arguments says how many. JavaScript threads share one pool but each has its own number.
// Not here: the pool itself (render/c/pool.ts), what is shared and when (render/c/kernel.ts, gemm.ts).
import { POOL, POOL_FLAGS } from '../../render/c/pool.ts'
import { share } from './arguments.ts'
import { content_hash, type Library, load_library } from './cache.ts'
import { compile_c, find_compiler } from './compiler.ts'

let pool = 0
/** Held, because a library that nobody refers to is unloaded, and its code with it. */
let library: Library | undefined

function pool_address(): number {
  if (pool !== 0) return pool
  const name = `pool_${content_hash(POOL, find_compiler().identity, ...POOL_FLAGS)}`
  library = load_library(name, path => compile_c(POOL, path, POOL_FLAGS))
  pool = Number(library.func('tstorch_pool', 'uintptr_t', [])())
  return pool
}

/** How many threads compute at once. */
export const num_threads = (): number => share[0]!

/** Sets how many threads compute at once, from 1 on. Threads start when there is work for them. */
export function set_num_threads(n: number): void {
  share[1] = n > 1 ? pool_address() : 0
  share[0] = n
}
