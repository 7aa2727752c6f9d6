// Every module of torch.nn against PyTorch, in several configurations: its weights after manual_seed(0), its text, its
// state, what it computes in training and evaluation, in float64 and with complex numbers, the gradients of inputs and
// parameters (to second order in float64), its buffers afterwards, and what wrong input raises. A module without a
// line in the data fails. The data is made by test/data/nn/module_suite.py.
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import { deviations, type Line, lines } from './module_lines.ts'

const { nn } = torch

const title = (line: Line): string =>
  `${[...line.a, ...(Object.keys(line.k).length > 0 ? [line.k] : [])].map(x => JSON.stringify(x)).join(', ')} of ${JSON.stringify(line.i)}`

for (const name of new Set(lines.map(line => line.m)))
  describe(`${name} is PyTorch's`, () => {
    const group = lines.filter(line => line.m === name)
    test.each(group.map(line => [title(line), line] as const))('%s', (_, line) => {
      expect(deviations(line)).toEqual([])
    })
  })

/** Bases, containers and parameters, which have tests of their own. */
const ELSEWHERE =
  /^(Module|Parameter|Uninitialized.*|Sequential|Module(List|Dict)|Parameter(List|Dict)|Container|DataParallel|SyncBatchNorm|RNN(Cell)?Base|Transformer(En|De)coder|Lazy.*)$/

test('every module has a line', () => {
  const exported = Object.entries(nn)
    .filter(([name, x]) => typeof x === 'function' && /^[A-Z]/.test(name))
    .map(([name]) => name)
  const covered = new Set(lines.map(line => line.m))
  expect(exported.filter(name => !covered.has(name) && !ELSEWHERE.test(name))).toEqual([])
})
