import { describe, expect, it } from 'vitest'
import * as torch from '../../src/index.ts'

// Values and error texts are PyTorch 1.13.1's.
const long = { dtype: torch.int64 }

describe('ranges', () => {
  it('arange counts steps as PyTorch does for the dtype', () => {
    expect(torch.arange(0, 2.5, long).tolist()).toEqual([0, 1])
    expect(torch.arange(1, 2.5, long).tolist()).toEqual([1])
    expect(torch.arange(0.5, 3.9, 1, long).tolist()).toEqual([0, 1, 2])
    expect(torch.arange(0, 5, 1.5, { dtype: torch.int32 }).tolist()).toEqual([0, 1, 2, 3])
    expect(torch.arange(0, -2.5, -0.5).tolist()).toEqual([0, -0.5, -1, -1.5, -2])
    expect(() => torch.arange(0, 4, 0.5, long)).toThrow('step must be nonzero')
    expect(() => torch.arange(0, Infinity)).toThrow('unsupported range: 0 -> inf')
    expect(() => torch.arange(3, 1)).toThrow('upper bound and larger bound inconsistent with step sign')
  })

  it('linspace reaches both ends exactly', () => {
    expect(torch.linspace(0, 10, 4, long).tolist()).toEqual([0, 3, 6, 10])
    expect(torch.linspace(-1, 1, 5).tolist()).toEqual([-1, -0.5, 0, 0.5, 1])
    expect(torch.linspace(0, 1, 1).tolist()).toEqual([0])
    expect(torch.linspace(0, 1, 0).tolist()).toEqual([])
    expect(String(torch.linspace(0, 1, 12))).toBe(
      'tensor([0.0000, 0.0909, 0.1818, 0.2727, 0.3636, 0.4545, 0.5455, 0.6364, 0.7273,\n' +
        '        0.8182, 0.9091, 1.0000])',
    )
    const x = torch.linspace(0.1, 0.7, 1001)
    expect([x.select(0, 0).item(), x.select(0, 1000).item()]).toEqual([0.1, 0.7].map(Math.fround))
    expect(() => torch.linspace(0, 1, -1)).toThrow('number of steps must be non-negative')
    expect(() => torch.linspace(0, 1, 5, { dtype: torch.bool })).toThrow(
      '"linspace_cpu" not implemented for \'Bool\'',
    )
    expect(torch.linspace(0, 1, 3, { requires_grad: true }).requires_grad).toBe(true)
  })

  it('logspace', () => {
    expect(torch.logspace(0, 2, 3).tolist()).toEqual([1, 10, 100])
    expect(torch.logspace(0, 2, 3, 2).tolist()).toEqual([1, 2, 4])
    expect(torch.logspace(0, 4, 5, { base: 2, dtype: torch.int64 }).tolist()).toEqual([1, 2, 4, 8, 16])
  })
})

it('eye', () => {
  expect(torch.eye(2, 3).tolist()).toEqual([
    [1, 0, 0],
    [0, 1, 0],
  ])
  expect(torch.eye(2, { dtype: torch.bool }).tolist()).toEqual([
    [true, false],
    [false, true],
  ])
  expect(torch.eye(0).shape).toEqual(torch.zeros(0, 0).shape)
  expect(() => torch.eye(-1)).toThrow('n must be greater or equal to 0, got -1')
  expect(() => torch.eye(2, -3)).toThrow('m must be greater or equal to 0, got -3')
})

describe('like another tensor', () => {
  it('full_like, new_full and new_tensor take its dtype', () => {
    const x = torch.arange(6).reshape(2, 3)
    expect(torch.full_like(x, 2.7).tolist()).toEqual([
      [2, 2, 2],
      [2, 2, 2],
    ])
    expect(torch.full_like(x, 2.5, { dtype: torch.float32 }).dtype).toBe(torch.float32)
    expect(x.new_full([2], 7.5).tolist()).toEqual([7, 7])
    expect(x.new_tensor(2.5).tolist()).toBe(2)
    expect(torch.ones(1).new_tensor([1, 2]).dtype).toBe(torch.float32)
  })

  it.each([
    [() => torch.ones(3, 4).t(), [1, 4]],
    [() => torch.empty(2, 3, 4).permute(2, 0, 1), [1, 12, 4]],
    [() => torch.empty(2, 3, 4, 2).select(3, 0).permute(2, 0, 1), [1, 12, 4]],
    [() => torch.empty(3, 1).expand(3, 4), [4, 1]],
  ])('its dimensions keep their order in memory (%#)', (make, strides) => {
    const x = make()
    expect(torch.empty_like(x).stride()).toEqual(strides)
    expect(torch.zeros_like(x).stride()).toEqual(strides)
    expect(torch.rand_like(x).stride()).toEqual(strides)
    expect(x.clone().stride()).toEqual(strides)
    expect(torch.empty_like(x, { memory_format: 'contiguous_format' }).is_contiguous()).toBe(true)
  })

  it('results of pointwise ops keep the order of the first operand of their size', () => {
    const [a, b] = [torch.ones(4, 6).t(), torch.ones(6, 4)]
    expect(a.add(b).stride()).toEqual([1, 6])
    expect(b.add(a).stride()).toEqual([4, 1])
    expect(torch.ones(4).add(a).stride()).toEqual([1, 6])
  })
})

it('scalar_tensor is of the default dtype', () => {
  expect(String(torch.scalar_tensor(3))).toBe('tensor(3.)')
  expect(String(torch.scalar_tensor(3, long))).toBe('tensor(3)')
})

it('empty_strided has memory for what its strides reach', () => {
  expect(torch.empty_strided([2, 3], [1, 2]).stride()).toEqual([1, 2])
  expect(torch.empty_strided([2, 3], [0, 1]).storage().size()).toBe(3)
  expect(torch.ones(1, long).new_empty_strided([2, 3], [4, 1]).storage().size()).toBe(7)
  expect(() => torch.empty_strided([2, 3], [1])).toThrow(
    'dimensionality of sizes (2) must match dimensionality of strides (1)',
  )
})

describe('asarray', () => {
  it('shares where it can', () => {
    const x = torch.arange(3).float()
    expect(torch.asarray(x)).toBe(x)
    expect(torch.asarray(x, { copy: true }).is_set_to(x)).toBe(false)
    expect(torch.asarray(x, { dtype: torch.int64 }).dtype).toBe(torch.int64)
    const array = new Float64Array(2)
    torch.asarray(array).fill_(3)
    expect([...array]).toEqual([3, 3])
    torch.asarray(array, { copy: true }).fill_(4)
    expect([...array]).toEqual([3, 3])
    expect(torch.asarray([1, 2]).tolist()).toEqual([1, 2])
  })

  it('says where it cannot', () => {
    const x = torch.arange(3).float()
    expect(() => torch.asarray(x, { copy: false, dtype: torch.int64 })).toThrow(
      new torch.ValueError("can't alias tensor with dtype 'Float' into dtype 'Long'."),
    )
    expect(() => torch.asarray([1], { copy: false })).toThrow("can't alias arbitrary sequence into a tensor.")
  })
})

describe('frombuffer', () => {
  const bytes = (n: number): ArrayBuffer => new ArrayBuffer(n)
  const float = torch.float32

  it('shows the bytes, shared both ways', () => {
    const buffer = Float32Array.of(1, 2, 3, 4).buffer
    const x = torch.frombuffer(buffer, { dtype: float, offset: 4, count: 2 })
    expect(x.tolist()).toEqual([2, 3])
    x.fill_(9)
    expect([...new Float32Array(buffer)]).toEqual([1, 9, 9, 4])
    expect(torch.frombuffer(new Uint8Array(buffer, 4, 8), { dtype: float }).tolist()).toEqual([9, 9])
    expect(torch.frombuffer(new SharedArrayBuffer(8), { dtype: float }).is_shared()).toBe(true)
  })

  it.each([
    [0, {}, 'both buffer length (0) and count (-1) must not be 0'],
    [8, { count: 0 }, 'both buffer length (8) and count (0) must not be 0'],
    [
      8,
      { offset: 8 },
      'offset (8 bytes) must be non-negative and no greater than buffer length (8 bytes) minus 1',
    ],
    [
      8,
      { offset: -1 },
      'offset (-1 bytes) must be non-negative and no greater than buffer length (8 bytes) minus 1',
    ],
    [7, {}, 'buffer length (7 bytes) after offset (0 bytes) must be a multiple of element size (4)'],
    [
      8,
      { count: 3 },
      'requested buffer length (3 * 4 bytes) after offset (0 bytes) must not be greater than actual buffer length (8 bytes)',
    ],
  ])('%d bytes, %o: %s', (n, options, message) => {
    expect(() => torch.frombuffer(bytes(n), { dtype: float, ...options })).toThrow(
      new torch.ValueError(message),
    )
  })

  it('cannot begin between elements', () => {
    expect(() => torch.frombuffer(bytes(8), { dtype: float, offset: 2, count: 1 })).toThrow(
      /must start at a multiple of 4/,
    )
  })
})

describe('complex tensors', () => {
  const re = torch.tensor([1, -0.5])
  const im = torch.tensor([2, 0.25])

  it('are made from parts, taken apart and printed', () => {
    const z = torch.complex(re, im)
    expect(z.dtype).toBe(torch.complex64)
    expect(String(z)).toBe('tensor([ 1.0000+2.0000j, -0.5000+0.2500j])')
    expect(torch.real(z).tolist()).toEqual([1, -0.5])
    expect(z.imag.tolist()).toEqual([2, 0.25])
    expect(torch.real(re)).toBe(re)
    expect(torch.complex(torch.ones(2, 1), torch.ones(3)).shape).toEqual(torch.ones(2, 3).shape)
    expect(torch.complex(re.double(), im.double()).dtype).toBe(torch.complex128)
  })

  it('their parts are views', () => {
    const z = torch.complex(re, im)
    z.imag.fill_(7)
    expect(torch.view_as_real(z).tolist()).toEqual([
      [1, 7],
      [-0.5, 7],
    ])
    const pairs = torch.zeros(3, 2)
    torch.view_as_complex(pairs).real.fill_(1)
    expect(pairs.tolist()).toEqual([
      [1, 0],
      [1, 0],
      [1, 0],
    ])
  })

  it('gradients go through them', () => {
    const x = torch.tensor([1, 2.5], { requires_grad: true })
    const z = torch.complex(x, x.mul(2))
    expect(z.grad_fn?.name()).toBe('ComplexBackward0')
    z.real.mul(3).sum().backward({ retain_graph: true })
    expect(x.grad?.tolist()).toEqual([3, 3])
    x.grad = null
    z.imag.mul(3).sum().backward()
    expect((x.grad as unknown as torch.Tensor).tolist()).toEqual([6, 6])
  })

  it.each([
    [
      () => torch.complex(re, im.double()),
      'Expected object of scalar type Float but got scalar type Double for second argument',
    ],
    [
      () => torch.complex(torch.arange(2), torch.arange(2)),
      'Expected both inputs to be Half, Float or Double tensors but got Long and Long',
    ],
    [() => torch.imag(re), 'imag is not implemented for tensors with non-complex dtypes.'],
    [() => torch.view_as_real(re), 'view_as_real is only supported for complex tensors'],
    [() => torch.view_as_complex(torch.ones(3)), 'Tensor must have a last dimension of size 2'],
    [() => torch.view_as_complex(torch.tensor(1.5)), 'Input tensor must have one or more dimensions'],
  ])('%s', (f, message) => {
    expect(f).toThrow(new torch.RuntimeError(message))
  })
})
