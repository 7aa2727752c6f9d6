// Specification of device/collection.ts: dead large blocks are taken back soon, and blocks that live cost no more
// than a few collections.
import { constants, PerformanceObserver } from 'node:perf_hooks'
import { describe, expect, test } from 'vitest'
import { allocate, Scope, type Storage } from '../../src/device/storage.ts'

const MB = 2 ** 20

type GCEntry = { readonly detail: { readonly flags: number } }

const outside_of_heap = (): number => process.memoryUsage().arrayBuffers

/** How many collections the program asks for while `run` runs. */
async function collections_during(run: () => void): Promise<number> {
  let collections = 0
  const observer = new PerformanceObserver(list => {
    for (const { detail } of list.getEntries() as unknown as readonly GCEntry[])
      if (detail.flags === constants.NODE_PERFORMANCE_GC_FLAGS_FORCED) collections++
  })
  observer.observe({ entryTypes: ['gc'] })
  run()
  await new Promise(resolve => setTimeout(resolve, 50))
  observer.disconnect()
  return collections
}

describe('large blocks', () => {
  test('that died are freed before they fill a cache', () => {
    for (let i = 0; i < 100; i++) allocate(MB) // what else the process has just done is forgotten
    const before = outside_of_heap()
    let sum = 0
    for (let i = 0; i < 400; i++) {
      allocate(MB)
      sum += outside_of_heap() - before
    }
    // the mean, for V8 may take a while over single ones; by itself it lets 60 MB gather, 30 in the mean
    expect(sum / 400).toBeLessThan(20 * MB)
  })

  test('that live make collections rarer', async () => {
    const kept: Storage[] = []
    const collections = await collections_during(() => {
      for (let i = 0; i < 400; i++) kept.push(allocate(MB))
    })
    expect(kept).toHaveLength(400)
    expect(collections).toBeGreaterThan(0)
    expect(collections).toBeLessThan(20) // 400 MB: one at every 16 MB would be 25
  })

  test('of a step of training are collected when its backward pass ends, not within it', async () => {
    const step = (): void => {
      for (let i = 0; i < 20; i++) allocate(MB)
      const scope = new Scope()
      for (let i = 0; i < 20; i++) allocate(MB)
      scope.end(true)
    }
    for (let i = 0; i < 5; i++) step()
    expect(await collections_during(step)).toBe(1)
  })
})
