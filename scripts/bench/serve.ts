// The child's side of the benchmark: times the workload it is asked for and answers, a line of JSON each way. pytorch.py
// does the same in Python. Only the process that was asked computes; its state stays, so that rounds of one workload
// find it warm.
import { createInterface } from 'node:readline'

/** What a child is asked: to time `name` for about `seconds`. */
export type Request = { name: string; seconds: number }
/** Microseconds a call, one number a sample; or why there are none. */
export type Answer = { samples: number[] } | { error: string }
/** The first line of a child. */
export type Hello = { hello: string; names: readonly string[] }

const SAMPLE_MS = 2
const WARM_UP_MS = 100

/** Milliseconds that `calls` calls take. */
function time(f: () => unknown, calls: number): number {
  const began = performance.now()
  for (let i = 0; i < calls; i++) f()
  return performance.now() - began
}

/** How many calls make a sample long enough to be measured; warms up along the way. */
function calls_per_sample(f: () => unknown, warm_up_ms: number): number {
  const began = performance.now()
  let calls = 1
  for (;;) {
    const ms = time(f, calls)
    if (performance.now() - began < warm_up_ms) {
      if (ms < SAMPLE_MS) calls *= 2
    } else if (ms >= SAMPLE_MS || warm_up_ms === 0) {
      return Math.max(1, Math.ceil((calls * SAMPLE_MS) / ms))
    } else calls *= 2
  }
}

/** Serves until the input ends. `make` gives the call of a workload, or why there is none: undefined is no such row. */
export async function serve(
  hello: string,
  names: readonly string[],
  make: (name: string) => (() => unknown) | string | undefined,
): Promise<void> {
  const say = (line: Hello | Answer): boolean => process.stdout.write(`${JSON.stringify(line)}\n`)
  const collect = (globalThis as { gc?: () => void }).gc ?? (() => {})
  let current = ''
  let f: (() => unknown) | undefined
  let calls = 1

  function answer({ name, seconds }: Request): Answer {
    if (name !== current) {
      f = undefined
      current = ''
      collect()
      const made = make(name)
      if (typeof made !== 'function') return { error: made ?? 'no such row' }
      f = made
      calls = seconds === 0 ? 1 : calls_per_sample(f, WARM_UP_MS)
      current = name
    } else collect()
    time(f!, seconds === 0 ? 1 : calls)
    const samples: number[] = []
    const began = performance.now()
    do samples.push((time(f!, calls) / calls) * 1000)
    while (performance.now() - began < seconds * 1000)
    return { samples }
  }

  say({ hello, names })
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      say(answer(JSON.parse(line) as Request))
    } catch (error) {
      say({
        error: error instanceof Error ? `${error.name}: ${error.message.split('\n')[0]}` : String(error),
      })
    }
  }
}
