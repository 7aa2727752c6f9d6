/**
 * PyTorch's own operator samples on the device in use. The score may rise, never fall: an op that passes fewer cases than
 * test/data/conformance/floor.json says fails here, and so does a case that fails without being in failures.json, or
 * passes and is still there. `npm run conformance -- --write-floor` renews both files.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { data_folder, read_cases, read_failures } from '../scripts/conformance/cases.ts'
import type { Torch } from '../scripts/conformance/codec.ts'
import {
  below_floor,
  type Floor,
  floor_of,
  type Result,
  run_cases,
  unlisted,
} from '../scripts/conformance/score.ts'
import * as torch from '../src/index.ts'

describe('the recorded calls', () => {
  let results: readonly Result[] = []

  it('pass no less than they did, for any op', () => {
    const floor = JSON.parse(readFileSync(new URL('floor.json', data_folder), 'utf8')) as Floor
    results = run_cases(read_cases(), torch as unknown as Torch)
    expect(below_floor(results, floor)).toEqual([])
    expect(floor_of(results).passed).toBeGreaterThanOrEqual(floor.passed)
  }, 600_000)

  it('pass, all but those in the list of failures', () => {
    expect(results.length).toBeGreaterThan(0)
    expect(unlisted(results, read_failures())).toEqual([])
  })
})

it('each failure that is listed has a reason, and is of the op that it says', () => {
  const cases = read_cases()
  for (const [index, { op, reason }] of Object.entries(read_failures())) {
    expect(cases[Number(index)]?.op).toBe(op)
    expect(reason.length).toBeGreaterThan(20)
  }
})
