// How the C library's allocator, which V8 takes ArrayBuffers from, is set where it is glibc: large blocks come from its
// heap and stay there when freed, in huge pages where the system grants them. Left alone it would give every large block
// back and fetch another from the kernel, and fresh pages cost more than most arithmetic on them.
// Not here: which memory is used again sooner, because its death is known (device/storage.ts).
import { koffi } from './node.ts'

// From malloc.h and mman.h of Linux.
const M_TRIM_THRESHOLD = -1
const M_TOP_PAD = -2
const M_MMAP_MAX = -4
const MADV_HUGEPAGE = 14

const MB = 2 ** 20
/** Free memory at the end of the heap is kept up to this size. */
const KEPT_BYTES = 1024 * MB
const HUGE_PAGE = 2 * MB

/** Sets the allocator; returns what to do with the address of each new large block. */
export function keep_pages(): (address: number, nbytes: number) => void {
  if (process.platform !== 'linux') return () => {}
  let advise: (...args: readonly number[]) => unknown
  let heap_end: () => number
  try {
    const c = koffi().load(null)
    const mallopt = c.func('mallopt', 'int', ['int', 'int'])
    mallopt(M_MMAP_MAX, 0)
    mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
    mallopt(M_TOP_PAD, 32 * MB)
    advise = c.func('madvise', 'int', ['uintptr_t', 'size_t', 'int'])
    const sbrk = c.func('sbrk', 'uintptr_t', ['intptr_t'])
    heap_end = () => Number(sbrk(0))
  } catch {
    return () => {} // another C library: its allocator stays as it is
  }
  // The advice outlasts the block, so a block that comes back needs no other: the call costs more than the block does.
  // It covers the heap up to its end: the allocator writes behind each block, and a page that was touched stays small.
  const advised = new Set<number>()
  return (address, nbytes) => {
    const end = Math.ceil((address + nbytes) / HUGE_PAGE) * HUGE_PAGE
    for (let page = Math.floor(address / HUGE_PAGE) * HUGE_PAGE; page < end; page += HUGE_PAGE) {
      if (advised.has(page)) continue
      const top = heap_end()
      const last = address < top ? top : end
      advise(page, last - page, MADV_HUGEPAGE)
      // The heap's last page grows, so it will have to be advised again.
      for (let at = page; at + HUGE_PAGE <= last; at += HUGE_PAGE) advised.add(at)
      return
    }
  }
}
