import { describe, expect, it } from 'vitest'
import { bfloat16, bool, type DType, float32, int8, int32, int64 } from '../../../src/base/dtype.ts'
import type { Expr } from '../../../src/ir/expr.ts'
import { build } from '../../../src/ir/kernel.ts'
import { lower } from '../../../src/lower/lower.ts'
import { render_c, render_c_unit, used_params } from '../../../src/render/c/kernel.ts'
import { PRELUDE } from '../../../src/render/c/prelude.ts'

const add = build('add', k => {
  const out = k.output('out', float32, 'flat')
  const a = k.input('a', float32, 'flat')
  const b = k.input('b', float32, 'flat')
  k.for(out.sizes[0]!, 'vector', i => k.store(out, [i], a.at(i).add(b.at(i))))
})

const row_sums = build('row_sums', k => {
  const out = k.output('out', float32, 'flat')
  const x = k.input('x', float32, { rank: 2, inner: 1 })
  k.for(x.sizes[0]!, 'parallel', row => {
    const sum = k.local('f32', 0)
    k.for(x.sizes[1]!, 'reduce', i => k.assign(sum, sum.add(x.at(row, i))))
    k.store(out, [row], sum)
  })
})

describe('kernels as C', () => {
  it('a pointwise kernel is one loop that the compiler vectorises, over the share of the call', () => {
    expect(render_c(lower(add))).toBe(`\
i32 add(const f64 *args) {
  f32 *out = POINTER(args[2]);
  const f32 *a = POINTER(args[3]);
  const f32 *b = POINTER(args[4]);
  const i64 out_numel = args[5];
  SHARE_WORK(add, 8, out_numel / LINE, out_numel * 4)
  const i64 i0_end = line_part(args[1], out_numel);
  INDEPENDENT
  for (i64 i0 = line_part(args[0], out_numel); i0 < i0_end; i0++) {
    out[i0] = a[i0] + b[i0];
  }
  return 0;
}
`)
  })

  it('what is looked up by indices of 64 bits is not made vectors, unless more is computed of it', () => {
    const look_up = (index: DType, more: (y: Expr) => Expr): string =>
      render_c(
        lower(
          build('look_up', k => {
            const out = k.output('out', float32, 'flat')
            const x = k.input('x', float32, 'flat')
            const places = k.input('places', index, 'flat')
            k.for(out.sizes[0]!, 'vector', i => k.store(out, [i], more(x.at(places.at(i).cast('index')))))
          }),
        ),
      )
    expect(look_up(int64, y => y)).toContain('ONE_BY_ONE')
    expect(look_up(int32, y => y)).toContain('INDEPENDENT')
    expect(look_up(int64, y => y.exp())).toContain('INDEPENDENT')
  })

  it('a reduction has an accumulator for each lane, then a few, and a plain loop for what is left', () => {
    expect(render_c(lower(row_sums))).toBe(`\
i32 row_sums(const f64 *args) {
  f32 *out = POINTER(args[2]);
  const f32 *x = POINTER(args[3]);
  const i64 x_size0 = args[5];
  const i64 x_size1 = args[6];
  const i64 x_stride0 = args[7];
  SHARE_WORK(row_sums, 8, x_size0, x_size0 * (8 + x_size1 * 3))
  const i64 i0_end = part(args[1], x_size0);
  for (i64 i0 = part(args[0], x_size0); i0 < i0_end; i0++) {
    f32 v0 = 0.0f;
    const i64 v1 = i0 * x_stride0;
    {
      i64 i1 = 0;
      f64 v0_total = v0;
      while (x_size1 - i1 >= 32) {
        const i64 i1_stop = i1 + (min_i64(x_size1 - i1, 1024) & -32);
        f32 v0_lanes[32];
        LANES(32) v0_lanes[l] = -0.0f;
        for (; i1 < i1_stop; i1 += 32) LANES(32) {
          v0_lanes[l] = v0_lanes[l] + x[v1 + (i1 + l)];
        }
        FOLD_32(v0_lanes[l] = v0_lanes[l] + v0_lanes[l + h]);
        v0_total = v0_total + v0_lanes[0];
      }
      if (x_size1 - i1 >= 8) {
        const i64 i1_stop = i1 + ((x_size1 - i1) & -8);
        f32 v0_lanes[8];
        LANES(8) v0_lanes[l] = -0.0f;
        for (; i1 < i1_stop; i1 += 8) LANES(8) {
          v0_lanes[l] = v0_lanes[l] + x[v1 + (i1 + l)];
        }
        FOLD_8(v0_lanes[l] = v0_lanes[l] + v0_lanes[l + h]);
        v0_total = v0_total + v0_lanes[0];
      }
      v0 = v0_total;
      for (; i1 < x_size1; i1++) {
        v0 = v0 + x[v1 + i1];
      }
    }
    out[i0] = v0;
  }
  return 0;
}
`)
  })

  it('of nested independent loops the outermost that is long enough is cut', () => {
    const scale = build('scale', k => {
      const x = k.inout('x', float32, { rank: 2, inner: 1 })
      k.elementwise(x.sizes, (i, j) => k.store(x, [i, j], x.at(i, j).mul(2)))
    })
    const text = render_c(lower(scale))
    expect(text).toContain('const i64 cut = longest(x_size0, x_size1 / LINE, 0);')
    expect(text).toContain('for (i64 i0 = cut != 0 ? 0 : part(args[0], x_size0); i0 < i0_end; i0++)')
    expect(text).toContain('for (i64 i1 = cut != 1 ? 0 : line_part(args[0], x_size1); i1 < i1_end; i1++)')
  })

  it('a kernel that is not one nest of independent loops is never cut', () => {
    const kernel = build('two', k => {
      const x = k.inout('x', float32, 'flat')
      for (const n of [1, 2]) k.for(x.sizes[0]!, 'vector', i => k.store(x, [i], x.at(i).add(n)))
    })
    expect(render_c(lower(kernel))).not.toMatch(/SHARE_WORK|part\(/)
  })

  it('types that C does not have are converted at loads and stores; params come in order', () => {
    const kernel = build('mixed', k => {
      const out = k.inout('out', bool, 'flat')
      const x = k.input('x', bfloat16, { rank: 1 })
      const y = k.input('y', int8, 'flat')
      const limit = k.value('limit', 'f32')
      const long = k.value('long', 'i64')
      k.for(out.sizes[0]!, 'serial', i => {
        const large = x.at(i).max(0).gt(limit)
        k.store(out, [i], large.and(out.at(i)).or(y.at(i).cast('i64').lt(long)))
      })
    })
    expect(render_c(lower(kernel))).toBe(`\
i32 mixed(const f64 *args) {
  u8 *out = POINTER(args[2]);
  const u16 *x = POINTER(args[3]);
  const i8 *y = POINTER(args[4]);
  const i64 out_numel = args[5];
  const i64 x_stride0 = args[7];
  const f32 limit = args[9];
  const i64 long_ = INT64(args[10], args[11]);
  for (i64 i0 = 0; i0 < out_numel; i0++) {
    out[i0] = (uint8_t)(((max_number_f32(load_bf16(x[i0 * x_stride0]), 0.0f) > limit) & (out[i0] != 0)) | (((i64)y[i0]) < long_));
  }
  return 0;
}
`)
  })

  it('constants are exact', () => {
    const kernel = build('constants', k => {
      const out = k.output('out', float32, 'flat')
      const long = k.output('long', int64, 'flat')
      const floats = [0.1, 1, -0, 1e-45, 3.4028234663852886e38, Number.NaN, -Infinity]
      floats.forEach((x, i) => {
        k.store(out, [i], x)
      })
      k.store(long, [0], -(2n ** 63n))
      k.store(long, [1], 2n ** 40n)
    })
    const stored = render_c(lower(kernel)).match(/= .*;$/gm)
    expect(stored?.slice(2)).toEqual([
      '= 0.10000000149011612f;',
      '= 1.0f;',
      '= -0.0f;',
      '= 1.401298464324817e-45f;',
      '= 3.4028234663852886e+38f;',
      '= __builtin_nanf("");',
      '= -__builtin_inff();',
      '= INT64_MIN;',
      '= 1099511627776LL;',
    ])
  })

  it('only what a kernel reads is passed', () => {
    expect([...used_params(add)].map(p => p.name)).toEqual(['out_numel'])
  })

  it('what lowering takes apart is not accepted', () => {
    const kernel = build('exp', k => {
      const x = k.inout('x', float32, 'flat')
      k.store(x, [0], x.at(0).exp())
    })
    expect(() => render_c(kernel)).toThrow(
      'the C renderer takes lowered kernels: exp of f32 is not arithmetic',
    )
  })

  it('a unit has one prelude and a function for each kernel', () => {
    const unit = render_c_unit([
      [lower(add), 'first'],
      [lower(row_sums), 'second'],
    ])
    expect(unit.split(PRELUDE).length).toBe(2)
    expect(unit.match(/^i32 \w+/gm)).toEqual(['i32 first', 'i32 second'])
  })
})
