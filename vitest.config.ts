import { defineConfig, type ViteUserConfig } from 'vitest/config'

// Everything runs on the default device (TSTORCH_CPU=interp|wasm|native chooses another), and the op suite again on each
// of the devices that need no compiler; on wasm PyTorch's recorded calls too.
// New memory is filled with NaN patterns, so that nothing can rely on what it happens to hold.
const env = { TSTORCH_POISON: '1' }
const everywhere = { pool: 'forks' as const, testTimeout: 120_000, hookTimeout: 300_000, env }
const op_suite_on = (device: string, ...more: string[]) => ({
  test: {
    ...everywhere,
    name: device,
    include: ['test/ops/suite.test.ts', ...more],
    env: { ...env, TSTORCH_CPU: device },
  },
})
const config: ViteUserConfig = defineConfig({
  test: {
    maxWorkers: 2,
    reporters: process.env['CI'] ? ['default', './scripts/closing_line.ts'] : ['default'],
    projects: [
      { test: { ...everywhere, name: 'default', include: ['test/**/*.test.ts'] } },
      op_suite_on('wasm', 'test/conformance.test.ts'),
      op_suite_on('interp'),
    ],
  },
})
export default config
