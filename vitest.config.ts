import { defineConfig, type ViteUserConfig } from 'vitest/config'

// The suite runs on the default device; TSTORCH_CPU=interp|wasm|native chooses another.
const config: ViteUserConfig = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 300_000,
    reporters: process.env['CI'] ? ['default', './scripts/closing_line.ts'] : ['default'],
  },
})
export default config
