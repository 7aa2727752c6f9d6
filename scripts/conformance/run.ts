/**
 * npm run conformance [-- options]: runs the recorded PyTorch calls and prints the score per op and in all.
 *
 *   --only PATTERN   ops whose name matches, with * for anything; several separated by commas
 *   --device NAME    interp, wasm or native instead of the default
 *   --verbose        every failing case with its reason, not just one an op
 *   --json FILE      the result of every case, as JSON
 *   --cases FILE     another case file, .json.gz
 *   --write-floor    record the passes in test/data/conformance/floor.json, and the cases that fail in failures.json
 */
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { data_folder, read_cases, read_failures } from './cases.ts'
import type { Torch } from './codec.ts'
import type { Result } from './score.ts'
import { failures_of, floor_of, run_case, score_by_op } from './score.ts'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '*' },
    device: { type: 'string' },
    verbose: { type: 'boolean', default: false },
    json: { type: 'string' },
    cases: { type: 'string' },
    'write-floor': { type: 'boolean', default: false },
  },
})

// The device is chosen when the library is first imported.
if (options.device !== undefined) process.env['TSTORCH_CPU'] = options.device
const torch = (await import('../../src/index.ts')) as unknown as Torch

const pattern = new RegExp(
  `^(${options.only
    .split(',')
    .map(part => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*'))
    .join('|')})$`,
)
const cases = read_cases(options.cases === undefined ? undefined : pathToFileURL(resolve(options.cases)))
const results: Result[] = []
const began = performance.now()
for (const [index, c] of cases.entries()) {
  if (!pattern.test(c.op)) continue
  results.push({ op: c.op, variant: c.variant, dtype: c.dtype, index, ...run_case(c, torch) })
}
const seconds = (performance.now() - began) / 1000

const percent = (passed: number, total: number): string =>
  `${((100 * passed) / Math.max(total, 1)).toFixed(1)} %`
const describe = (r: Result): string =>
  `${r.status} (#${r.index} ${[r.variant, r.dtype].filter(Boolean).join(' ')}): ${r.reason.split('\n')[0]}`

for (const [op, { passed, total }] of score_by_op(results)) {
  const failed = results.filter(r => r.op === op && r.status !== 'pass')
  const reason = failed[0] && !options.verbose ? `  ${describe(failed[0]).slice(0, 140)}` : ''
  console.log(
    `${passed === total ? ' ok ' : '    '} ${op.padEnd(44)} ${`${passed}/${total}`.padStart(7)}${reason}`,
  )
  if (options.verbose) for (const r of failed) console.log(`         ${describe(r)}`)
}

const passed = results.filter(r => r.status === 'pass').length
const full = [...score_by_op(results).values()]
const complete = full.filter(s => s.passed === s.total).length
const count = (status: string): number => results.filter(r => r.status === status).length
console.log(
  `\n${complete} of ${full.length} ops pass all their cases; of the cases that fail, ${count('missing')} have no op, ` +
    `${count('error')} throw, ${count('wrong')} differ, ${count('wrong gradient')} have another gradient`,
)
console.log(
  `${passed} of ${results.length} cases pass (${percent(passed, results.length)}) in ${seconds.toFixed(1)} s`,
)

if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 1)}\n`)
if (options['write-floor']) {
  if (results.length !== cases.length || options.cases !== undefined)
    throw new Error('--write-floor wants the whole of the standard cases')
  const write = (file: string, data: unknown): void =>
    writeFileSync(new URL(file, data_folder), `${JSON.stringify(data, null, 2)}\n`)
  write('floor.json', floor_of(results))
  write('failures.json', failures_of(results, read_failures()))
}
