import { expect, it } from 'vitest'
import * as torch from '../../src/index.ts'

it('the first large tensor begins at a cache line, as all others do: the device is there before it', () => {
  expect(torch.randn(512, 512).data_ptr() % 64).toBe(0)
})
