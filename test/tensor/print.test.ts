import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import * as torch from '../../src/index.ts'
import type { PrintOptionsChange } from '../../src/tensor/print.ts'

// Made by test/data/tensor/print.py with PyTorch 1.13.1.
type Value = number | string | boolean
type Case = {
  dtype: torch.DTypeName
  values?: (Value | [Value, Value])[]
  arange?: number
  scale?: number
  shape?: number[]
  permute?: number[]
  requires_grad?: boolean
  options?: PrintOptionsChange
  text: string
}
const { cases, gradients } = JSON.parse(
  readFileSync(new URL('../data/tensor/print.json', import.meta.url), 'utf8'),
) as {
  cases: Case[]
  gradients: string
}

const special: Record<string, number> = { nan: NaN, inf: Infinity, '-inf': -Infinity, '-0': -0 }
const number = (v: Value): number | bigint | boolean =>
  typeof v === 'string' ? (special[v] ?? BigInt(v)) : v

function tensor_of(c: Case): torch.Tensor {
  const dtype = torch.dtypes.find(d => d.name === c.dtype)!
  const flat = (): torch.Tensor => {
    if (c.values === undefined)
      return torch.tensor(
        Array.from({ length: c.arange! }, (_, i) => i * c.scale!),
        { dtype },
      )
    if (!dtype.is_complex)
      return torch.tensor(
        c.values.map(v => number(v as Value)),
        { dtype },
      )
    const parts = c.values as [Value, Value][]
    const part = (i: 0 | 1): torch.Tensor =>
      torch.tensor(
        parts.map(p => number(p[i])),
        { dtype: dtype === torch.complex64 ? torch.float32 : torch.float64 },
      )
    return torch.complex(part(0), part(1))
  }
  let t = flat()
  if (c.shape) t = t.reshape(c.shape)
  if (c.permute) t = t.permute(c.permute)
  return c.requires_grad ? t.requires_grad_() : t
}

afterEach(() => torch.set_printoptions({ profile: 'default' }))

describe('the text of a tensor is PyTorch’s', () => {
  it.each(cases.map(c => [c.text.split('\n')[0]!, c] as const))('%s', (_, c) => {
    torch.set_printoptions(c.options)
    expect(String(tensor_of(c))).toBe(c.text)
  })
})

// The rows of the corpus's list of printed strings, by their numbers there.
describe('strings that programs of the corpus print', () => {
  const x = () =>
    torch.tensor(
      [
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
        [
          [7, 8, 9],
          [11, 12, 13],
        ],
      ],
      { dtype: torch.float32 },
    )

  it('R01 to R05: leaves, products and gradients', () => {
    const v1 = torch.tensor(3, { dtype: torch.float32, requires_grad: true })
    const v2 = torch.tensor(4, { dtype: torch.float32, requires_grad: true })
    expect(`(${v1}, ${v2})`).toBe('(tensor(3., requires_grad=True), tensor(4., requires_grad=True))')
    const v3 = v1.mul(v2)
    expect(String(v3)).toBe('tensor(12., grad_fn=<MulBackward0>)')
    v3.backward()
    expect(String(v1.grad)).toBe('tensor(4.)')
    expect(String(v2.grad)).toBe('tensor(3.)')
  })

  it('R06: a large matrix with a suffix on its own line', () => {
    const m = torch.zeros(128, 40).sub(0.1154).requires_grad_().mul(1)
    const row = '[-0.1154, -0.1154, -0.1154,  ..., -0.1154, -0.1154, -0.1154]'
    const rows = [row, row, row, '...', row, row, row].join(',\n        ')
    expect(String(m)).toBe(`tensor([${rows}],\n       grad_fn=<MulBackward0>)`)
  })

  it('R08 to R10: sizes and sums', () => {
    expect(`shape of the tensor: ${x().shape}`).toBe('shape of the tensor: torch.Size([2, 2, 3])')
    expect(String(x().sum(0))).toBe('tensor([[ 8., 10., 12.],\n        [15., 17., 19.]])')
    expect(String(x().view(2, -1))).toBe(
      'tensor([[ 1.,  2.,  3.,  4.,  5.,  6.],\n        [ 7.,  8.,  9., 11., 12., 13.]])',
    )
  })

  it('R12: a node of the graph', () => {
    const s = x().requires_grad_().sum()
    expect(String(s.grad_fn)).toMatch(/^<SumBackward0 object at 0x[0-9a-f]{12}>$/)
    expect(inspect(s.grad_fn)).toBe(String(s.grad_fn))
    expect(String(s.mul(1).grad_fn)).not.toBe(String(s.mul(1).grad_fn))
  })

  it('R13: blocks of a 3-d tensor', () => {
    expect(String(torch.full([2, 2, 3], 2.5).sub(0.5))).toBe(
      'tensor([[[2., 2., 2.],\n         [2., 2., 2.]],\n\n        [[2., 2., 2.],\n         [2., 2., 2.]]])',
    )
  })

  it('R17: columns of one width', () => {
    expect(String(torch.tensor([[10, 100]], { dtype: torch.float32 }).expand(5, 2))).toBe(
      `tensor([${Array(5).fill('[ 10., 100.]').join(',\n        ')}])`,
    )
    expect(String(torch.tensor([[101, 1, 1, 1, 11]], { dtype: torch.float32 }).expand(5, 5))).toBe(
      `tensor([${Array(5).fill('[101.,   1.,   1.,   1.,  11.]').join(',\n        ')}])`,
    )
  })

  it('R19, R20: dtype and type', () => {
    expect(String(torch.from_numpy(new Float64Array(5).fill(2)))).toBe(
      'tensor([2., 2., 2., 2., 2.], dtype=torch.float64)',
    )
    expect(torch.LongTensor([3]).type()).toBe('torch.LongTensor')
  })

  it('R21: torch.Size', () => {
    expect(String(torch.zeros(3, 28, 28).size())).toBe('torch.Size([3, 28, 28])')
  })

  it('N2-07: a hundred gradients in scientific notation', () => {
    const x = torch.linspace(0, 5, 100, { requires_grad: true })
    x.pow(2).cos().sum().backward()
    expect(String(x.grad)).toBe(gradients)
  })

  it('a parameter says that it is one', () => {
    const weight = torch.tensor([[1.5, -0.25]], { requires_grad: true })
    weight._is_parameter = true
    expect(String(weight)).toBe('Parameter containing:\ntensor([[ 1.5000, -0.2500]], requires_grad=True)')
  })

  it('suffixes of results in the graph', () => {
    const leaf = torch.full([1, 10], 1.2345, { requires_grad: true })
    expect(String(leaf.mul(1))).toBe(
      'tensor([[1.2345, 1.2345, 1.2345, 1.2345, 1.2345, 1.2345, 1.2345, 1.2345, 1.2345,\n' +
        '         1.2345]], grad_fn=<MulBackward0>)',
    )
    expect(String(torch.ones(2, { dtype: torch.float64, requires_grad: true }).mul(2))).toBe(
      'tensor([2., 2.], dtype=torch.float64, grad_fn=<MulBackward0>)',
    )
    const written = leaf.mul(1)
    written.narrow(1, 0, 1).copy_(torch.zeros(1, 1))
    expect(String(written)).toMatch(/grad_fn=<CopySlices>\)$/)
  })
})

describe('where the text goes', () => {
  it('console.log and inspect print it, indented in what contains it', () => {
    const t = torch.zeros(2, 2)
    expect(inspect(t)).toBe('tensor([[0., 0.],\n        [0., 0.]])')
    expect(inspect({ t })).toContain('t: tensor([[0., 0.],\n')
    expect(t.toString()).toBe(inspect(t))
  })

  it('template literals and joins take it, arithmetic and comparison take the number', () => {
    const loss = torch.tensor(0.25) as unknown as number
    expect(`loss ${loss}`).toBe('loss tensor(0.2500)')
    expect(loss < 0.5).toBe(true)
    expect(+loss * 2).toBe(0.5)
    expect(Math.max(1, loss)).toBe(1)
    expect(loss + 1).toBe(1.25)
    expect((torch.tensor([true]) as unknown as number) + 1).toBe(2)
  })

  it('tensors of several elements are no numbers', () => {
    const t = torch.zeros(2) as unknown as number
    expect(() => +t).toThrow('only one element tensors can be converted to Python scalars')
    expect(() => t < 1).toThrow('only one element tensors can be converted to Python scalars')
    expect(['now', t].join(' ')).toBe('now tensor([0., 0.])')
    expect(
      (t as unknown as { [Symbol.toPrimitive](hint: string): unknown })[Symbol.toPrimitive]('default'),
    ).toBe('tensor([0., 0.])')
  })
})

describe('print options', () => {
  it('can be read', () => {
    expect(torch.get_printoptions()).toEqual({
      precision: 4,
      threshold: 1000,
      edgeitems: 3,
      linewidth: 80,
      sci_mode: null,
    })
    torch.set_printoptions({ profile: 'short', sci_mode: false, linewidth: 100 })
    expect(torch.get_printoptions()).toEqual({
      precision: 2,
      threshold: 1000,
      edgeitems: 2,
      linewidth: 100,
      sci_mode: false,
    })
  })

  it('leave what is not named, but every call sets sci_mode', () => {
    torch.set_printoptions({ precision: 2, sci_mode: true })
    expect(String(torch.tensor([1.5]))).toBe('tensor([1.50e+00])')
    torch.set_printoptions({ edgeitems: 5 })
    expect(String(torch.tensor([1.5]))).toBe('tensor([1.50])')
  })

  it('are checked', () => {
    expect(() => torch.set_printoptions({ digits: 3 } as PrintOptionsChange)).toThrow(
      "set_printoptions() got an unexpected keyword argument 'digits'",
    )
  })
})
