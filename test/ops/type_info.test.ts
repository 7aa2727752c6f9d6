import { afterEach, describe, expect, it } from 'vitest'
import * as torch from '../../src/index.ts'

// The expected strings and values are PyTorch 1.13.1's.
const f = torch.arange(3).float()
const i = torch.arange(6).reshape(2, 3)

afterEach(() => torch.set_default_dtype(torch.float32))

describe('type()', () => {
  it('names the legacy type', () => {
    expect(f.type()).toBe('torch.FloatTensor')
    expect(torch.ones(1, { dtype: torch.bool }).type()).toBe('torch.BoolTensor')
    expect(torch.ones(1, { dtype: torch.complex64 }).type()).toBe('torch.ComplexFloatTensor')
  })

  it('converts to dtypes, constructors and their names', () => {
    expect(f.type(torch.float64).dtype).toBe(torch.float64)
    expect(f.type('torch.LongTensor').tolist()).toEqual([0, 1, 2])
    expect(f.type(torch.IntTensor).dtype).toBe(torch.int32)
    expect(f.type({ dtype: torch.int8 }).dtype).toBe(torch.int8)
    expect(f.type(torch.float32)).toBe(f)
  })

  it('refuses what is no type', () => {
    expect(() => f.type('foo')).toThrow(new torch.ValueError("invalid type: 'foo'"))
    expect(() => f.type(3 as never)).toThrow(new TypeError('dtype must be a type, str, or dtype object'))
    expect(() => f.type('torch.cuda.FloatTensor')).toThrow(/no cuda device/)
  })
})

describe('questions about tensors', () => {
  it('as functions', () => {
    expect(torch.is_floating_point(f)).toBe(true)
    expect(torch.is_floating_point(i)).toBe(false)
    expect(torch.is_complex(torch.ones(1, { dtype: torch.complex64 }))).toBe(true)
    expect(torch.is_signed(torch.ones(1, { dtype: torch.uint8 }))).toBe(false)
    expect(torch.numel(i)).toBe(6)
    expect(torch.is_same_size(f, i)).toBe(false)
    expect(torch.get_device(f)).toBe(-1)
    expect(torch.is_storage(f.storage())).toBe(true)
    expect(torch.is_storage(f)).toBe(false)
    expect(() => torch.numel(3 as never)).toThrow(
      "numel(): argument 'input' (position 1) must be Tensor, not int",
    )
  })

  it('is_nonzero is Python’s bool()', () => {
    expect(torch.tensor([0.5]).is_nonzero()).toBe(true)
    expect(torch.tensor(NaN).is_nonzero()).toBe(true)
    expect(torch.is_nonzero(torch.tensor([[false]]))).toBe(false)
    expect(() => f.is_nonzero()).toThrow('Boolean value of Tensor with more than one value is ambiguous')
    expect(() => torch.empty(0).is_nonzero()).toThrow('Boolean value of Tensor with no values is ambiguous')
  })

  it('typename', () => {
    expect(torch.typename(f)).toBe('torch.FloatTensor')
    expect([3, 2.5, 'a', null].map(torch.typename)).toEqual(['int', 'float', 'str', 'NoneType'])
    expect(torch.typename(torch.float32)).toBe('torch.dtype')
    expect(torch.typename(f.size())).toBe('torch.Size')
  })

  it('result_type', () => {
    expect(torch.result_type(f, 3)).toBe(torch.float32)
    expect(torch.result_type(i, 2.5)).toBe(torch.float32)
    expect(torch.result_type(2, i)).toBe(torch.int64)
    expect(torch.result_type(1, 2.5)).toBe(torch.float32)
    expect(torch.result_type(f, torch.tensor(1, { dtype: torch.float64 }))).toBe(torch.float32)
    expect(() => torch.result_type(f, 'a' as never)).toThrow(TypeError)
  })
})

describe('defaults', () => {
  it('set_default_tensor_type', () => {
    torch.set_default_tensor_type(torch.DoubleTensor)
    expect(torch.get_default_dtype()).toBe(torch.float64)
    expect(String(torch.ones(2))).toBe('tensor([1., 1.])')
    torch.set_default_tensor_type('torch.FloatTensor')
    expect(torch.ones(2).dtype).toBe(torch.float32)
    expect(() => torch.set_default_tensor_type(torch.IntTensor)).toThrow(
      new TypeError('only floating-point types are supported as the default type'),
    )
    expect(() => torch.set_default_tensor_type('foo')).toThrow(TypeError)
  })

  it('the number of threads is kept', () => {
    const before = torch.get_num_threads()
    torch.set_num_threads(4)
    expect(torch.get_num_threads()).toBe(4)
    torch.set_num_threads(before)
    expect(() => torch.set_num_threads(0)).toThrow('set_num_threads expects a positive integer')
    expect(() => torch.set_num_threads(1.5)).toThrow('set_num_threads expects an int, but got float')
  })
})

describe('iteration', () => {
  it('gives rows as views with history', () => {
    expect([...i].map(row => row.tolist())).toEqual([
      [0, 1, 2],
      [3, 4, 5],
    ])
    const leaf = torch.ones(2, 2, { requires_grad: true })
    for (const row of leaf) expect(String(row)).toBe('tensor([1., 1.], grad_fn=<UnbindBackward0>)')
    const x = torch.zeros(2, 2)
    const [, second] = x
    second!.fill_(1)
    expect(x.tolist()).toEqual([
      [0, 0],
      [1, 1],
    ])
    expect([...torch.zeros(0, 3)]).toEqual([])
  })

  it('needs a dimension', () => {
    expect(() => [...torch.tensor(1)]).toThrow(new TypeError('iteration over a 0-d tensor'))
    expect(() => torch.tensor(1).length).toThrow(new TypeError('len() of a 0-d tensor'))
  })
})
