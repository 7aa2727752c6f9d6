// How many threads a device uses unless it is told. Not here: the threads, which each backend has in its own way.
import { env } from '../base/flags.ts'

type Platform = {
  readonly process?: { readonly getBuiltinModule?: (name: string) => unknown }
  readonly navigator?: { readonly hardwareConcurrency?: number }
}

/** OMP_NUM_THREADS where it is set, else the number of cores that this process may run on. */
export function default_num_threads(): number {
  const wanted = Number.parseInt(env('OMP_NUM_THREADS') ?? '', 10)
  if (wanted > 0) return wanted
  const { process, navigator } = globalThis as Platform
  const os = process?.getBuiltinModule?.('node:os') as typeof import('node:os') | undefined
  const available = os?.availableParallelism() ?? navigator?.hardwareConcurrency ?? 1
  return Math.max(1, Math.min(available, physical_cores(process?.getBuiltinModule?.('node:fs'))))
}

/** The number of cores, of which each may run several hardware threads: those share the units that we keep busy. */
function physical_cores(fs: unknown): number {
  try {
    const text = (fs as typeof import('node:fs')).readFileSync('/proc/cpuinfo', 'utf8')
    const cores = text.split('\n\n').map(processor => processor.match(/^(physical|core) id\s.*$/gm)?.join())
    return new Set(cores.filter(Boolean)).size || Number.POSITIVE_INFINITY
  } catch {
    return Number.POSITIVE_INFINITY // not Linux, or no Node
  }
}
