// Peak memory of training steps against PyTorch's: the benchmark's workloads, each run in a process of its own, and the
// growth of the resident set's peak since after the import and a first tiny op. Medians of several runs.
// Run: npx tsx scripts/memory.ts [regex] [python], with a python that has torch 1.13.1. Linux only.
// Not here: times (bench/), what a run measures (bench/peak.ts, memory.py).
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { compile, root } from './bench/side.ts'
import { workloads } from './bench/workloads/index.ts'

const STEPS = 100
const RUNS = 3
const [pattern = ', (SGD|Adam)', python = 'python3'] = process.argv.slice(2)

function median(command: string, ...args: readonly string[]): number {
  const found = Array.from({ length: RUNS }, () => {
    const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
    return Number(stdout.trim().split('\n').at(-1)) / 1024
  })
  return found.sort((a, b) => a - b)[RUNS >> 1]!
}

await compile()
const own = join(root, 'out/bench/scripts/bench/peak.js')
const others = join(root, 'scripts/memory.py')
console.log('| step | tstorch MB | PyTorch MB | ratio |\n|---|--:|--:|--:|')
for (const { name } of workloads) {
  if (!new RegExp(pattern).test(name)) continue
  const a = median(process.execPath, own, name, String(STEPS))
  const b = median(python, '-P', others, name, String(STEPS))
  console.log(`| ${name} | ${a.toFixed(1)} | ${b.toFixed(1)} | ${(a / b).toFixed(2)} |`)
}
