/**
 * npm run bench [-- options]: times tstorch, and PyTorch where there is one, on the same workloads in turn.
 *
 *   --only PATTERN     rows or groups whose name contains it, or matches it with * for anything; several separated by |
 *   --device NAMES     native, wasm or native,wasm (the default)
 *   --no-pytorch       without PyTorch
 *   --vs tfjs          TensorFlow.js on its WebAssembly backend as one more side
 *   --threads N        threads of every side; 2
 *   --rounds N         how often each side is asked about each row; 3
 *   --seconds S        how long a side computes in a round; 0.3
 *   --smoke            tiny sizes, one call each: that it runs, not how fast
 *   --json FILE        the machine and all the figures
 *   --markdown FILE    puts the table between the file's <!-- bench --> and <!-- /bench -->
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type Comparison, figures, machine, means, type Row, ratios, Table } from './report.ts'
import { compile, type Side, start_node, start_pytorch } from './side.ts'
import { workloads } from './workloads/index.ts'

const { values: options } = parseArgs({
  allowNegative: true,
  options: {
    only: { type: 'string', default: '' },
    device: { type: 'string', default: 'native,wasm' },
    pytorch: { type: 'boolean', default: true },
    vs: { type: 'string', multiple: true, default: [] },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    smoke: { type: 'boolean', default: false },
    json: { type: 'string' },
    markdown: { type: 'string' },
  },
})
const { smoke } = options
const threads = Number(options.threads)
const rounds = Number(options.rounds ?? (smoke ? 1 : 3))
const seconds = smoke ? 0 : Number(options.seconds ?? 0.3)
const devices = options.device.split(',')
if (devices.some(d => d !== 'native' && d !== 'wasm')) throw new TypeError(`--device ${options.device}`)
if (options.vs.some(side => side !== 'tfjs')) throw new TypeError(`--vs ${options.vs}: only tfjs`)
if (!(threads >= 1 && rounds >= 1 && seconds >= 0))
  throw new TypeError('--threads, --rounds, --seconds: numbers')

const patterns = options.only
  .split('|')
  .map(part => new RegExp(part.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*'), 'i'))
const chosen = workloads.filter(w => patterns.some(p => p.test(w.name) || p.test(w.group)))
if (chosen.length === 0) throw new Error(`no row matches --only ${options.only}`)

/** Idle threads may spin for a while after their work; they are left to fall asleep before another side computes. */
const REST_MS = smoke ? 0 : 10

await compile()
const sides = new Map<string, Side>()
for (const device of devices)
  sides.set(device, await start_node('tstorch.js', { threads, smoke }, { TSTORCH_CPU: device }))
const pytorch = options.pytorch ? await start_pytorch({ threads, smoke }) : undefined
if (pytorch !== undefined) sides.set('PyTorch', pytorch)
else if (options.pytorch) console.error('No PyTorch found: python3 has no torch')
// What is compared comes last, so that a column of ratios stands at the end of the table.
const against = pytorch === undefined ? [] : ['PyTorch']
for (const side of options.vs) {
  sides.set(side, await start_node('tfjs.js', { threads, smoke }))
  against.push(side)
}

const comparisons: Comparison[] = against.flatMap(of => devices.map(by => ({ of, by })))
const table = new Table([...sides.keys()], comparisons)

async function measure(workload: (typeof workloads)[number]): Promise<Row> {
  const { name, group, flops, bytes } = workload
  const samples = new Map<string, number[]>()
  const errors: Record<string, string> = {}
  for (let round = 0; round < rounds; round++) {
    // Every other round goes through the sides backwards, so that none is always behind the same one.
    const order = round % 2 === 0 ? [...sides] : [...sides].reverse()
    for (const [side, child] of order) {
      if (side in errors) continue
      const answer = await child.ask({ name, seconds })
      if ('error' in answer) errors[side] = answer.error
      else samples.set(side, [...(samples.get(side) ?? []), ...answer.samples])
      await sleep(REST_MS)
    }
  }
  const all: Row['sides'] = {}
  for (const side of sides.keys()) all[side] = errors[side] ?? figures(samples.get(side)!)
  return {
    name,
    group,
    // Tiny sizes do not compute or move what the row says.
    ...(flops === undefined || smoke ? {} : { flops }),
    ...(bytes === undefined || smoke ? {} : { bytes }),
    sides: all,
    ratios: ratios(all, comparisons),
    best_ratios: ratios(all, comparisons, 'best'),
  }
}

const { cpu, cores, node } = machine()
console.log(`${cpu}, ${cores} cores; Node ${node}`)
for (const [side, { hello }] of sides) console.log(`${side}: ${hello.hello}`)
const rows: Row[] = []
let group = ''
for (const workload of chosen) {
  if (workload.group !== group) {
    group = workload.group
    console.log(`\n${table.text_head().replace(/^ */, x => group.padEnd(x.length))}`)
  }
  const row = await measure(workload)
  rows.push(row)
  console.log(table.text_row(row))
}
for (const side of sides.values()) side.stop()

if (comparisons.length > 0) {
  console.log()
  for (const name of new Set(rows.map(row => row.group)))
    console.log(
      table.text_mean(
        name,
        means(
          rows.filter(row => row.group === name),
          comparisons,
        ),
      ),
    )
  console.log(table.text_mean('geometric mean', means(rows, comparisons)))
}
if (options.json !== undefined) {
  const versions = Object.fromEntries([...sides].map(([side, { hello }]) => [side, hello.hello]))
  const report = {
    machine: machine(),
    versions,
    threads,
    rounds,
    seconds,
    smoke,
    rows,
    means: means(rows, comparisons),
  }
  writeFileSync(options.json, `${JSON.stringify(report, null, 1)}\n`)
}
if (options.markdown !== undefined) {
  const versions = [...sides].map(([side, { hello }]) => `${side}: ${hello.hello}`).join('; ')
  const text = readFileSync(options.markdown, 'utf8')
  const made = text.replace(
    /(<!-- bench -->\n)[\s\S]*?(<!-- \/bench -->)/,
    (_, begin: string, end: string) =>
      `${begin}${cpu}, ${cores} cores; Node ${node}. ${versions}.\n\n${table.markdown(rows)}\n${end}`,
  )
  if (made === text)
    throw new Error(`${options.markdown} has no place between <!-- bench --> and <!-- /bench -->`)
  writeFileSync(options.markdown, made)
}
