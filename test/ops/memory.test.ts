import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import * as torch from '../../src/index.ts'

describe('x.storage()', () => {
  it('is all of the memory, whatever view asks', () => {
    const x = torch.arange(6).reshape(2, 3)
    const row = x.select(0, 1)
    expect(row.storage().tolist()).toEqual([0, 1, 2, 3, 4, 5])
    expect(row.storage_offset()).toBe(3)
    expect(row.storage().data_ptr()).toBe(x.storage().data_ptr())
    expect(row.data_ptr() - x.data_ptr()).toBe(24)
    expect(x.clone().data_ptr()).not.toBe(x.data_ptr())
    const s = x.storage()
    expect([s.size(), s.length, s.nbytes(), s.element_size()]).toEqual([6, 6, 48, 8])
    expect(s.type()).toBe('torch.LongStorage')
    expect(s.dtype).toBe(torch.int64)
  })

  it('reads and writes elements', () => {
    const x = torch.arange(3).float()
    expect(x.storage().at(-1)).toBe(2)
    const version = x._version
    x.storage().set(0, 7)
    expect(x.tolist()).toEqual([7, 1, 2])
    expect(x._version).toBe(version + 1)
    x.storage().fill_(0.5)
    expect(x.tolist()).toEqual([0.5, 0.5, 0.5])
    expect(() => x.storage().at(5)).toThrow(
      new torch.IndexError('index 5 out of range for storage of size 3'),
    )
  })

  // Printed by PyTorch 1.13.1.
  it.each([
    [
      torch.arange(3).float(),
      ' 0.0\n 1.0\n 2.0\n[torch.storage.TypedStorage(dtype=torch.float32, device=cpu) of size 3]',
    ],
    [
      torch.tensor([0.1]),
      ' 0.10000000149011612\n[torch.storage.TypedStorage(dtype=torch.float32, device=cpu) of size 1]',
    ],
    [
      torch.tensor([0.1, 1e-7, NaN], { dtype: torch.float64 }),
      ' 0.1\n 1e-07\n nan\n[torch.storage.TypedStorage(dtype=torch.float64, device=cpu) of size 3]',
    ],
    [torch.tensor([true]), ' True\n[torch.storage.TypedStorage(dtype=torch.bool, device=cpu) of size 1]'],
    [torch.empty(0), ' \n[torch.storage.TypedStorage(dtype=torch.float32, device=cpu) of size 0]'],
    [
      torch.complex(torch.tensor([1, 0], { dtype: torch.float32 }), torch.tensor([2.5, -1])),
      ' (1+2.5j)\n -1j\n[torch.storage.TypedStorage(dtype=torch.complex64, device=cpu) of size 2]',
    ],
  ])('prints as %s', (x, text) => {
    expect(String(x.storage())).toBe(text)
    expect(inspect(x.storage())).toBe(text)
  })
})

describe('memory that threads share', () => {
  it.each([4, 10000])('%d elements move to a SharedArrayBuffer, with all of their views', n => {
    const x = torch.ones(n)
    const view = x.narrow(0, 1, 2)
    expect(x.is_shared()).toBe(false)
    expect(x.share_memory_()).toBe(x)
    expect(x.is_shared()).toBe(true)
    expect(view.is_shared()).toBe(true)
    expect(x.memory.buffer).toBeInstanceOf(SharedArrayBuffer)
    view.fill_(3)
    expect(x.sum().item()).toBe(n + 4)
    expect(x.add(1).narrow(0, 0, 3).tolist()).toEqual([2, 4, 4])
    const { buffer } = x.memory
    x.share_memory_()
    expect(x.memory.buffer).toBe(buffer)
  })

  it('writes of another holder of the buffer are seen', () => {
    const x = torch.zeros(3).share_memory_()
    new Float32Array(x.memory.buffer)[1] = 5
    expect(x.mul(2).tolist()).toEqual([0, 10, 0])
  })
})

it('is_set_to: the same window of the same memory', () => {
  const x = torch.arange(3)
  expect(x.is_set_to(x.view(3))).toBe(true)
  expect(x.is_set_to(x.detach())).toBe(true)
  expect(x.is_set_to(x.view(1, 3))).toBe(false)
  expect(x.is_set_to(x.clone())).toBe(false)
})

it('there is no GPU to pin memory for', () => {
  const x = torch.ones(2)
  expect(x.pin_memory()).toBe(x)
  expect(x.is_pinned()).toBe(false)
  expect(x.get_device()).toBe(-1)
})
