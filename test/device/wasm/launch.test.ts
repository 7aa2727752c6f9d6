// What launching on copies must not change: views, operands that share memory, and kernels run in pieces give what they
// would give in place.
import { describe, expect, it } from 'vitest'
import { bool, float32, float64, int8, int32, int64, uint8 } from '../../../src/base/dtype.ts'
import { OutOfMemoryError } from '../../../src/base/errors.ts'
import type { Executable } from '../../../src/device/device.ts'
import { allocate_zeroed, Storage } from '../../../src/device/storage.ts'
import { wasm_device } from '../../../src/device/wasm/device.ts'
import { build } from '../../../src/ir/kernel.ts'
import { contents, elements, operand, small, view } from './operands.ts'

const device = wasm_device()

/** y = 2 x + shift over one dimension of any stride. */
const affine = device.compile(
  build('affine', k => {
    const x = k.input('x', float32, { rank: 1 })
    const y = k.output('y', float32, { rank: 1 })
    const shift = k.value('shift', 'f32')
    k.for(y.sizes[0]!, 'vector', i => k.store(y, [i], x.at(i).mul(2).add(shift)))
  }),
)
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i)

describe('views', () => {
  it('are read and written with their strides, and what is between stays', () => {
    const x = operand(float32, [10], i => i)
    const y = operand(float32, [10], () => -1)
    affine([view(x.memory, float32, [3], [3], 1), view(y.memory, float32, [3], [-2], 8)], [100])
    expect(contents(y)).toEqual([-1, -1, -1, -1, 114, -1, 108, -1, 102, -1])
  })

  it('may broadcast, be reversed, transposed, or empty', () => {
    const sum = device.compile(
      build('sum', k => {
        const a = k.input('a', float32, { rank: 2 })
        const b = k.input('b', float32, { rank: 2 })
        const y = k.output('y', float32, { rank: 2, inner: 1 })
        k.nest(y.sizes, 'parallel', 'vector', (i, j) =>
          k.store(y, [i, j], a.at(i, j).mul(10).add(b.at(i, j))),
        )
      }),
    )
    const a = operand(float32, [2, 3], i => i)
    const y = operand(float32, [3, 2])
    sum([view(a.memory, float32, [3, 2], [1, 3]), view(a.memory, float32, [3, 2], [-1, 0], 2), y], [])
    expect(contents(y)).toEqual([2, 32, 11, 41, 20, 50])
    const nothing = operand(float32, [0, 2])
    sum([nothing, nothing, nothing], [])
    expect(contents(y)).toEqual([2, 32, 11, 41, 20, 50])
  })

  it('far apart are copied without what lies between', () => {
    const double = (dtype: typeof float32) =>
      device.compile(
        build('double', k => {
          const x = k.input('x', dtype, { rank: 3 })
          const y = k.output('y', dtype, { rank: 3 })
          k.nest(y.sizes, 'parallel', 'vector', (...i) => k.store(y, i, x.at(...i).add(x.at(...i))))
        }),
      )
    for (const dtype of [float32, uint8, int64])
      for (const [inner, step] of [
        [1, 1],
        [2, 1],
        [40, 1],
        [3, -2],
        [2, 0],
      ] as const) {
        const strides = [30_000, -700, step]
        const sizes = [3, 5, inner]
        const x = operand(dtype, [100_000], i => i % 100)
        const y = operand(dtype, [100_000], () => 7)
        const written = view(y.memory, dtype, sizes, [30_000, -700, step || 1], 3333)
        double(dtype)([view(x.memory, dtype, sizes, strides, 3333), written], [])
        const expected = Array<number>(100_000).fill(7)
        for (const i of range(3))
          for (const j of range(5))
            for (const l of range(inner))
              expected[3333 + i * 30_000 - j * 700 + l * (step || 1)] =
                2 * ((3333 + i * 30_000 - j * 700 + l * step) % 100)
        expect(contents(y).map(Number)).toEqual(expected)
      }
  })

  it('of bytes may begin and end anywhere', () => {
    const not = device.compile(
      build('not', k => {
        const x = k.input('x', uint8, 'flat')
        const y = k.output('y', int8, 'flat')
        k.for(y.sizes[0]!, 'vector', i => k.store(y, [i], x.at(i).not()))
      }),
    )
    for (const n of [1, 3, 4, 7, 500])
      for (const offset of [0, 1, 2, 5]) {
        const x = operand(uint8, [n + 8], i => i % 100)
        const y = operand(int8, [n + 8], () => 55)
        not([view(x.memory, uint8, [n], [1], offset), view(y.memory, int8, [n], [1], 8 - offset)], [])
        const expected = range(n + 8).map(i => {
          const from = i - (8 - offset)
          return from >= 0 && from < n ? ~((from + offset) % 100) : 55
        })
        expect(contents(y)).toEqual(expected)
      }
  })

  it('take values of every type', () => {
    const values = device.compile(
      build('values', k => {
        const y = k.output('y', float64, 'flat')
        const z = k.output('z', int64, 'flat')
        const [a, b, c, d, e] = [
          k.value('a', 'f64'),
          k.value('b', 'f32'),
          k.value('c', 'i32'),
          k.value('d', 'bool'),
          k.value('e', 'i64'),
        ]
        k.store(y, [0], d.where(a.add(b.cast('f64')).add(c.cast('f64')), 0))
        k.store(z, [0], e)
      }),
    )
    const [y, z] = [operand(float64, [1]), operand(int64, [1])]
    values([y, z], [0.1, 0.5, -3, true, 2n ** 62n + 1n])
    expect([contents(y), contents(z)]).toEqual([[0.1 + 0.5 - 3], [2n ** 62n + 1n]])
    values([y, z], [0.1, 0.5, -3, false, -5])
    expect([contents(y), contents(z)]).toEqual([[0], [-5n]])
  })
})

describe('operands that share memory', () => {
  it('the same operand read and written', () => {
    for (const n of [1, 5, 1000, 300_000]) {
      const x = operand(float32, [n], small)
      affine([x, x], [1])
      expect(contents(x)).toEqual(range(n).map(i => 2 * small(i) + 1))
    }
  })

  it('through two storages of one ArrayBuffer', () => {
    const x = operand(float32, [9], small)
    affine([x, view(x.memory.alias(), float32, [9])], [1])
    expect(contents(x)).toEqual(range(9).map(i => 2 * small(i) + 1))
  })

  it('interleaved: the odd elements made of the even ones', () => {
    for (const n of [4, 1000, 200_000]) {
      const x = operand(float32, [2 * n], small)
      affine([view(x.memory, float32, [n], [2]), view(x.memory, float32, [n], [2], 1)], [0])
      expect(contents(x)).toEqual(range(2 * n).map(i => (i % 2 === 0 ? small(i) : 2 * small(i - 1))))
    }
  })

  it('two halves that a third operand joins', () => {
    const add = device.compile(
      build('add', k => {
        const [a, b] = [k.input('a', float32, 'flat'), k.input('b', float32, 'flat')]
        const y = k.output('y', float32, 'flat')
        k.for(a.sizes[0]!, 'serial', i => k.store(y, [i], a.at(i).add(b.at(i))))
      }),
    )
    const x = operand(float32, [10], i => i)
    const half = (offset: number) => view(x.memory, float32, [3], [1], offset)
    add([half(0), half(6), view(x.memory, float32, [8], [1], 1)], [])
    // element after element: 1 = 0 + 6, 2 = 1 + 7 with the new 1, 3 = 2 + 8 with the new 2
    expect(contents(x)).toEqual([0, 6, 13, 21, 4, 5, 6, 7, 8, 9])
  })

  it('two results, one of them with gaps', () => {
    const both = device.compile(
      build('both', k => {
        const x = k.input('x', float32, 'flat')
        const [y, z] = [k.output('y', float32, { rank: 1 }), k.output('z', float32, { rank: 1 })]
        k.for(x.sizes[0]!, 'serial', i => {
          k.store(y, [i], x.at(i))
          k.store(z, [i], x.at(i).neg())
        })
      }),
    )
    const x = operand(float32, [3], i => i + 1)
    const shared = operand(float32, [8], () => 9)
    const [dense, gaps] = [view(shared.memory, float32, [3]), view(shared.memory, float32, [3], [2], 2)]
    both([x, dense, gaps], [])
    expect(contents(shared)).toEqual([1, 2, 3, 9, -2, 9, -3, 9]) // the last one wins, element after element
    both([x, gaps, dense], [])
    expect(contents(shared)).toEqual([-1, -2, -3, 9, 2, 9, 3, 9])
  })

  it('different dtypes over the same bytes', () => {
    const bits = device.compile(
      build('bits', k => {
        const x = k.input('x', float32, 'flat')
        const y = k.output('y', int32, 'flat')
        k.for(y.sizes[0]!, 'vector', i => k.store(y, [i], x.at(i).bitcast('i32').add(1)))
      }),
    )
    const x = operand(float32, [7], () => 1)
    bits([x, view(x.memory, int32, [7])], [])
    expect(contents(x)).toEqual(range(7).map(() => 1 + 2 ** -23))
  })

  it('read by both inputs', () => {
    const x = operand(float32, [6], small)
    const y = operand(float32, [6])
    const square = device.compile(
      build('square', k => {
        const [a, b] = [k.input('a', float32, 'flat'), k.input('b', float32, 'flat')]
        const out = k.output('y', float32, 'flat')
        k.for(out.sizes[0]!, 'vector', i => k.store(out, [i], a.at(i).mul(b.at(i))))
      }),
    )
    square([x, x, y], [])
    expect(contents(y)).toEqual(range(6).map(i => small(i) ** 2))
  })
})

describe('large operands, run in pieces', () => {
  const n = 200_003

  it('flat, with scalars and several dtypes', () => {
    const mix = device.compile(
      build('mix', k => {
        const x = k.input('x', float32, 'flat')
        const mask = k.input('mask', bool, 'flat')
        const scale = k.input('scale', float64, 'flat')
        const y = k.output('y', int64, 'flat')
        k.for(y.sizes[0]!, 'vector', i =>
          k.store(
            y,
            [i],
            mask
              .at(i)
              .where(x.at(i).cast('f64').mul(scale.at(0)), i.cast('f64'))
              .cast('i64'),
          ),
        )
      }),
    )
    const x = operand(float32, [n], small)
    const mask = operand(bool, [n], i => (i % 3) & 1)
    const y = operand(int64, [n])
    mix([x, mask, operand(float64, [1], () => 3), y], [])
    expect(contents(y)).toEqual(range(n).map(i => BigInt((i % 3) & 1 ? 3 * small(i) : i)))
  })

  const rows = 700
  const columns = 301
  const add_row = device.compile(
    build('add_row', k => {
      const x = k.input('x', float32, { rank: 2 })
      const row = k.input('row', float32, { rank: 2, inner: 1 })
      const y = k.output('y', float32, { rank: 2, inner: 1 })
      k.nest(y.sizes, 'parallel', 'vector', (i, j) => k.store(y, [i, j], x.at(i, j).add(row.at(i, j))))
    }),
  )

  it.each([
    ['contiguous', [columns, 1], 0],
    ['transposed', [1, rows], 0],
    ['upside down', [-columns, 1], (rows - 1) * columns],
    ['broadcast', [0, 1], 0],
  ] as const)('rows, with one operand for every row: %s', (_, strides, offset) => {
    const x = operand(float32, [rows * columns], small)
    const row = operand(float32, [columns], i => i)
    const y = operand(float32, [rows, columns])
    const sizes = [rows, columns]
    add_row(
      [view(x.memory, float32, sizes, strides, offset), view(row.memory, float32, sizes, [0, 1]), y],
      [],
    )
    const at = (i: number, j: number): number => small(offset + i * strides[0] + j * strides[1])
    expect(contents(y)).toEqual(
      range(rows * columns).map(p => at(Math.floor(p / columns), p % columns) + (p % columns)),
    )
  })

  it('into a part of a larger operand', () => {
    const x = operand(float32, [rows, columns], small)
    const y = operand(float32, [rows, columns + 5], () => -99)
    const window = view(y.memory, float32, [rows, columns], [columns + 5, 1], 2)
    add_row(
      [
        x,
        view(operand(float32, [1]).memory, float32, [rows, 1], [0, 0]),
        view(y.memory, float32, [rows, 1], [columns + 5, 1], 2),
      ],
      [],
    )
    add_row([x, view(operand(float32, [columns]).memory, float32, [rows, columns], [0, 1]), window], [])
    const expected = range(rows * (columns + 5)).map(p => {
      const [i, j] = [Math.floor(p / (columns + 5)), (p % (columns + 5)) - 2]
      return j >= 0 && j < columns ? small(i * columns + j) : -99
    })
    expect(contents(y)).toEqual(expected)
  })

  it('loops that look beside their own element see all of it', () => {
    for (const layout of ['flat', { rank: 1 }, { rank: 1, inner: 1 }] as const) {
      const difference = device.compile(
        build('difference', k => {
          const x = k.input('x', float32, layout)
          const y = k.output('y', float32, 'flat')
          k.for(y.sizes[0]!, 'vector', i => k.store(y, [i], x.at(i.add(2)).sub(x.at(i))))
        }),
      )
      const x = operand(float32, [n], i => (i * i) % 1000)
      const y = operand(float32, [n - 2])
      difference([x, y], [])
      expect(contents(y)).toEqual(range(n - 2).map(i => (((i + 2) * (i + 2)) % 1000) - ((i * i) % 1000)))
    }
  })

  it('gathers from all of an operand, and reductions of rows', () => {
    const gather = device.compile(
      build('gather', k => {
        const x = k.input('x', float32, 'flat')
        const at = k.input('at', int32, 'flat')
        const y = k.output('y', float32, 'flat')
        k.for(y.sizes[0]!, 'vector', i => k.store(y, [i], x.at(at.at(i).cast('index'))))
      }),
    )
    const x = operand(float32, [n], small)
    const y = operand(float32, [n])
    gather([x, operand(int32, [n], i => n - 1 - i), y], [])
    expect(contents(y)).toEqual(range(n).map(i => small(n - 1 - i)))

    const sums = device.compile(
      build('sums', k => {
        const m = k.input('x', float32, { rank: 2, inner: 1 })
        const s = k.output('y', float32, { rank: 1 })
        k.for(m.sizes[0]!, 'parallel', i => {
          const sum = k.local('f32', 0)
          k.for(m.sizes[1]!, 'reduce', j => k.assign(sum, sum.add(m.at(i, j))))
          k.store(s, [i], sum)
        })
      }),
    )
    const m = operand(float32, [rows, columns], small)
    const s = operand(float32, [rows])
    sums([m, s], [])
    expect(contents(s)).toEqual(
      range(rows).map(i => range(columns).reduce((a, j) => a + small(i * columns + j), 0)),
    )
  })
})

describe('memory', () => {
  it('grows under kernels that were compiled before', () => {
    const copy: Executable = device.compile(
      build('reverse', k => {
        const x = k.input('x', float32, 'flat')
        const y = k.output('y', float32, 'flat')
        k.for(y.sizes[0]!, 'vector', i => k.store(y, [i], x.at(y.sizes[0]!.sub(1).sub(i))))
      }),
    )
    for (const n of [10, 3_000_000, 10]) {
      const x = operand(float32, [n], i => i)
      const y = operand(float32, [n])
      copy([x, y], [])
      const got = elements(y)
      expect([got[0], got[n >> 1], got[n - 1]]).toEqual([n - 1, n - 1 - (n >> 1), 0])
    }
  })

  it('ends at 4 GB, with an error, and works on', () => {
    const pick = device.compile(
      build('pick', k => {
        const x = k.input('x', float32, { rank: 1 })
        const y = k.output('y', float32, 'flat')
        const sum = k.local('f32', 0)
        k.for(x.sizes[0]!, 'reduce', i => k.assign(sum, sum.add(x.at(i))))
        k.store(y, [0], sum)
      }),
    )
    const y = operand(float32, [1], () => 7)
    // nothing is read before all of it has a place
    const huge = view(Storage.over(new ArrayBuffer(8), 0, 8e9), float32, [2], [1.2e9])
    expect(() => pick([huge, y], [])).toThrow(OutOfMemoryError)
    expect(contents(y)).toEqual([7])
    pick([operand(float32, [3], i => i), y], [])
    expect(contents(y)).toEqual([3])
  })

  it('is given to storages by the engine: cleared only where that is asked for', () => {
    for (const nbytes of [100, 100_000]) {
      expect(device.alloc(nbytes).array(uint8).length).toBe(nbytes)
      expect(allocate_zeroed(nbytes).array(uint8)).toEqual(new Uint8Array(nbytes))
    }
  })
})

it('what lower() makes of a transcendental function runs as vectors and in the tail', () => {
  const exp = device.compile(
    build('exp', k => {
      const x = k.input('x', float64, 'flat')
      const y = k.output('y', float64, 'flat')
      k.for(y.sizes[0]!, 'vector', i => k.store(y, [i], x.at(i).exp()))
    }),
  )
  for (const n of range(10)) {
    const x = operand(float64, [n], i => i - 3.5)
    const y = operand(float64, [n])
    exp([x, y], [])
    contents(y).forEach((v, i) => {
      expect(Math.abs(Number(v) / Math.exp(i - 3.5) - 1)).toBeLessThan(1e-15)
    })
  }
})
