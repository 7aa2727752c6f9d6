/**
 * A Vitest reporter that ends a run with one plain line, `N passed, N failed, N skipped`, for readers
 * that know no Vitest (CI). It counts tests; a file that could not be loaded, or an error outside any
 * test, counts as a failure, so the line never looks better than the run was.
 */
import type { Reporter, TestModule } from 'vitest/node'

export default class ClosingLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[]): void {
    const count = { passed: 0, failed: unhandled.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      if (module.errors().length > 0) count.failed += 1
      for (const test of module.children.allTests()) count[test.result().state] += 1
    }
    console.log(`\n${count.passed} passed, ${count.failed + count.pending} failed, ${count.skipped} skipped`)
  }
}
