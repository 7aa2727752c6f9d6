// The row of the benchmark's table: what a workload is called and how it is made ready. Not here: the workloads
// (workloads/), how they are timed (serve.ts) and shown (report.ts).

/** Gives each size as it is for the benchmark, or something tiny where only running is to be checked. */
export type Scale = (full: number) => number

export type Workload = {
  /** The same on every side: pytorch.py and tfjs_rows.ts have rows of these names. */
  name: string
  group: string
  /** Floating-point operations of a call, where GFLOP/s say something. */
  flops?: number
  /** Bytes that a call has to read and write, where GB/s say something. */
  bytes?: number
  /** Makes the operands and gives the call to time. */
  make: (n: Scale) => () => unknown
}

export const full_scale: Scale = full => full
export const smoke_scale: Scale = full => Math.min(full, 4)

export const K = 1024
export const M: number = 1024 * K

/** Rows of one group; each is its `make` alone, or also says what it computes or moves. */
export function group(
  name: string,
  rows: Record<string, Workload['make'] | Omit<Workload, 'name' | 'group'>>,
): Workload[] {
  return Object.entries(rows).map(([row, given]) => ({
    name: row,
    group: name,
    ...(typeof given === 'function' ? { make: given } : given),
  }))
}
