/**
 * PyTorch's own operator samples on the default device. The score may rise, never fall: an op that passes fewer cases
 * than test/data/conformance/floor.json says fails here. `npm run conformance -- --write-floor` records a higher one.
 */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { data_folder, read_cases } from '../scripts/conformance/cases.ts'
import type { Torch } from '../scripts/conformance/codec.ts'
import { below_floor, type Floor, floor_of, run_cases } from '../scripts/conformance/score.ts'
import * as torch from '../src/index.ts'

it('no op passes fewer conformance cases than it did', () => {
  const floor = JSON.parse(readFileSync(new URL('floor.json', data_folder), 'utf8')) as Floor
  const results = run_cases(read_cases(), torch as unknown as Torch)
  expect(below_floor(results, floor)).toEqual([])
  expect(floor_of(results).passed).toBeGreaterThanOrEqual(floor.passed)
}, 600_000)
