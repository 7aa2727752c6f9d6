import fs from 'node:fs'
import { describe, expect, it } from 'vitest'
import { allocate, storage_address } from '../../../src/device/storage.ts'
import { native } from './operand.ts'

/** The parts of this process's memory: [first address, address behind it, its flags]. */
function mappings(): [start: number, end: number, flags: string][] {
  const found: [number, number, string][] = []
  for (const line of fs.readFileSync('/proc/self/smaps', 'utf8').split('\n')) {
    const range = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line)
    if (range) found.push([Number.parseInt(range[1]!, 16), Number.parseInt(range[2]!, 16), ''])
    else if (line.startsWith('VmFlags:')) found.at(-1)![2] = line.slice('VmFlags:'.length)
  }
  return found
}

const HUGE_PAGES = '/sys/kernel/mm/transparent_hugepage/enabled'
const has_huge_pages =
  native !== undefined &&
  fs.existsSync(HUGE_PAGES) &&
  fs.readFileSync(HUGE_PAGES, 'utf8').includes('[madvise]')

describe.skipIf(!has_huge_pages)('large blocks', () => {
  it.each([100_000, 1 << 20, 5 << 20])('of %i bytes may have huge pages from end to end', nbytes => {
    const blocks = Array.from({ length: 10 }, () => allocate(nbytes))
    const all = mappings()
    for (const block of blocks) {
      const address = storage_address(block)
      const own = all.filter(([start, end]) => start < address + nbytes && end > address)
      expect(own.length).toBeGreaterThan(0)
      for (const [, , flags] of own) expect(flags.split(' ')).toContain('hg')
    }
  })
})
