// Specification of what shows or replaces memory: storages made by hand, set_, resize, memory formats, and the methods that
// call a function on every element. Values and texts are PyTorch 1.13's.
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'

describe('a storage', () => {
  test('is made from numbers or a size', () => {
    const s = torch.FloatStorage([1, 2])
    expect(String(s)).toBe(
      ' 1.0\n 2.0\n[torch.storage.TypedStorage(dtype=torch.float32, device=cpu) of size 2]',
    )
    expect(s).toBeInstanceOf(torch.FloatStorage)
    expect(s).not.toBeInstanceOf(torch.LongStorage)
    expect(s).toBeInstanceOf(torch.storage.TypedStorage)
    expect(torch.LongStorage(3).size()).toBe(3)
    expect(torch.TypedStorage([1, 2], { dtype: torch.int32 }).tolist()).toEqual([1, 2])
    expect(torch.Storage([0.5]).dtype).toBe(torch.float32)
    expect(() => torch.FloatStorage('x' as never)).toThrow('Argument type not recognized')
  })

  test('of bytes prints them', () => {
    expect(String(new torch.UntypedStorage([1, 255]))).toBe(
      ' 1\n 255\n[torch.storage.UntypedStorage(device=cpu) of size 2]',
    )
  })

  test('has a class that its tensors name', () => {
    expect(torch.ones(2).storage_type()).toBe(torch.FloatStorage)
    expect(String(torch.ones(2).storage_type())).toBe("<class 'torch.FloatStorage'>")
  })
})

describe('set_', () => {
  test('shows a window of a storage, or what another tensor shows', () => {
    const memory = torch.FloatStorage([1, 2, 3, 4])
    const x = torch.zeros(5).set_(memory, 1, [2], [2])
    expect(x.tolist()).toEqual([2, 4])
    memory.set(3, 9)
    expect(x.tolist()).toEqual([2, 9])
    expect(torch.zeros(1).set_(memory).tolist()).toEqual([1, 2, 3, 9])
    const y = torch.arange(6, { dtype: torch.float32 }).view(2, 3).t()
    expect(torch.zeros(1).set_(y).stride()).toEqual([1, 3])
    expect(torch.zeros(3).set_().tolist()).toEqual([])
  })

  test('grows memory that is too small, and refuses other dtypes', () => {
    expect(torch.zeros(1).set_(torch.FloatStorage([7]), 0, [3]).shape).toEqual(torch.Size.from([3]))
    expect(() => torch.zeros(1).set_(torch.zeros(2, { dtype: torch.int64 }))).toThrow(torch.RuntimeError)
  })
})

test('new makes tensors of the same dtype', () => {
  const x = torch.ones(2, { dtype: torch.float64 })
  expect(x.new(3).shape).toEqual(torch.Size.from([3]))
  expect(String(x.new([1, 2]))).toBe('tensor([1., 2.], dtype=torch.float64)')
})

describe('a memory format', () => {
  const image = torch.arange(120).view(2, 3, 4, 5)

  test('says in which order elements lie', () => {
    const last = image.contiguous({ memory_format: torch.channels_last })
    expect(last.stride()).toEqual([60, 1, 15, 3])
    expect(torch.equal(last, image)).toBe(true)
    expect(last.is_contiguous()).toBe(false)
    expect(last.is_contiguous({ memory_format: torch.channels_last })).toBe(true)
    expect(last.contiguous({ memory_format: torch.channels_last })).toBe(last)
    expect(image.is_contiguous({ memory_format: torch.channels_last })).toBe(false)
    expect(torch.ones(2).is_contiguous({ memory_format: torch.channels_last })).toBe(false)
  })

  test('is taken by what makes tensors', () => {
    const memory_format = torch.channels_last
    for (const t of [
      image.clone({ memory_format }),
      image.to(torch.float32, { memory_format }),
      torch.empty_like(image, { memory_format }),
      torch.empty(2, 3, 4, 5, { memory_format }),
      torch.empty(0).resize_(2, 3, 4, 5, { memory_format } as never),
    ])
      expect(t.stride()).toEqual([60, 1, 15, 3])
    const volume = torch.empty(2, 3, 4, 5, 6, { memory_format: torch.channels_last_3d })
    expect(volume.stride()).toEqual([360, 1, 90, 18, 3])
    expect(torch.zeros_like(volume).stride()).toEqual([360, 1, 90, 18, 3])
  })

  test('wants as many dimensions as it names', () => {
    expect(() => torch.ones(2).contiguous({ memory_format: torch.channels_last })).toThrow(
      'required rank 4 tensor to use channels_last format',
    )
  })

  test('keeps the gradient', () => {
    const x = torch.ones(1, 2, 2, 2, { requires_grad: true })
    x.contiguous({ memory_format: torch.channels_last }).mul(3).sum().backward()
    expect(x.grad?.flatten().tolist()).toEqual(new Array(8).fill(3))
  })
})

describe('functions on elements', () => {
  test('apply_, map_ and map2_ replace each element', () => {
    const x = torch.tensor([1, 2, 3])
    expect(x.apply_(v => Number(v) * 2).tolist()).toEqual([2, 4, 6])
    expect(x.map_(torch.tensor([10]), (a, b) => Number(a) + Number(b)).tolist()).toEqual([12, 14, 16])
    const sum = (a: unknown, b: unknown, c: unknown) => Number(a) + Number(b) * Number(c)
    expect(x.map2_(torch.tensor([1, 2, 3]), torch.tensor([2]), sum).tolist()).toEqual([14, 18, 22])
  })

  test('refuse tensors that require grad, and other sizes', () => {
    const w = torch.ones(2, { requires_grad: true })
    expect(() => w.apply_(v => v)).toThrow(
      "Can't call apply_() on Variable that requires grad. Use var.detach().apply_() instead.",
    )
    expect(() => torch.ones(2).map_(torch.ones(3), a => a)).toThrow(
      'The expanded size of the tensor (2) must match the existing size (3) at non-singleton dimension 0.',
    )
  })
})
