/**
 * Settings read from the environment. Works where there is no `process` (a browser): every variable is unset there.
 */

interface WithProcess {
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> }
}

/** The environment variable `name`, or undefined where it is unset or there is no environment. */
export function env(name: string): string | undefined {
  return (globalThis as WithProcess).process?.env?.[name]
}

/**
 * How much to print about the inner workings: TSTORCH_DEBUG, 0 (nothing, the default) to 5 (everything).
 * 1 ops, 2 kernels, 3 IR, 4 generated source, 5 timings; each level includes those below it.
 */
export function debug_level(): number {
  const level = Number(env('TSTORCH_DEBUG') ?? 0)
  return level >= 0 ? Math.min(5, Math.trunc(level)) : 0
}
