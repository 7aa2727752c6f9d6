// Discrete Fourier transforms along one dimension: the kernel, its tables, and Bluestein's way for large primes.
// Stockham's algorithm of mixed radix (2, 3, 4, 5, other primes to 31), on several rows at once: they lie
// side by side in the working memory, so that every inner loop is contiguous. Not here: derivatives and scales
// (primitives.ts), what users call (../fft.ts).
import { complex64, complex128, type DType, float32, int32, to_real_dtype } from '../../base/dtype.ts'
import { numel } from '../../base/shape.ts'
import type { Operand } from '../../device/device.ts'
import { complex, constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { dense, dense_as } from '../define/copy.ts'
import { scratch } from '../define/scratch.ts'
import { window } from '../define/space.ts'
import { cat } from '../join.ts'
import { constant_pad_nd } from '../nn/pad.ts'

/** Complex to complex; real to complex; the half of a Hermitian signal to real. */
export type Kind = 'c2c' | 'r2c' | 'c2r'

/** Larger prime factors are left to Bluestein's algorithm. */
const LARGEST_RADIX = 31
/** Bytes of working memory for the rows that are transformed together. */
const BLOCK_BYTES = 128 * 1024
const MOST_CHUNKS = 64
const SLOT = 40

// ---------------------------------------------------------------------------------------------- kernel

/** What one stage of radix `r` reads, writes and multiplies by; `q` runs over what is contiguous. */
type Stage = {
  /** Element `j` of the `r` that belong together. */
  readonly x: (j: Scalar, q: Expr) => Expr
  readonly y: (k: Scalar, q: Expr, value: Expr) => void
  /** The root of unity for result `k`. */
  readonly twiddle: (k: number) => Expr
  /** How far `q` runs. */
  readonly width: Expr
}
type Scalar = Expr | number

/** z * -i. */
const turn = (z: Expr): Expr => complex(z.imag(), z.real().neg())
/** z * factor, for a real factor. */
const scaled = (z: Expr, factor: Scalar): Expr => complex(z.real().mul(factor), z.imag().mul(factor))

/** The transforms of so few elements, written out. */
const butterflies: Readonly<Record<number, (x: readonly Expr[], local: (e: Expr) => Expr) => Expr[]>> = {
  2: ([a, b]) => [a!.add(b!), a!.sub(b!)],
  3([a, b, c], local) {
    const sum = local(b!.add(c!))
    const middle = local(a!.sub(scaled(sum, 0.5)))
    const side = local(scaled(turn(b!.sub(c!)), Math.sqrt(0.75)))
    return [a!.add(sum), middle.add(side), middle.sub(side)]
  },
  4([a, b, c, d], local) {
    const [even, odd] = [local(a!.add(c!)), local(a!.sub(c!))]
    const [sum, side] = [local(b!.add(d!)), local(turn(b!.sub(d!)))]
    return [even.add(sum), odd.add(side), even.sub(sum), odd.sub(side)]
  },
  5([a, b, c, d, e], local) {
    const angle = (2 * Math.PI) / 5
    const [near, far] = [local(b!.add(e!)), local(c!.add(d!))]
    const [turned, crossed] = [local(turn(b!.sub(e!))), local(turn(c!.sub(d!)))]
    const part = (p: number, q: number): Expr =>
      local(a!.add(scaled(near, Math.cos(p * angle))).add(scaled(far, Math.cos(q * angle))))
    const side = (p: number, q: number): Expr =>
      local(scaled(turned, Math.sin(p * angle)).add(scaled(crossed, Math.sin(q * angle))))
    const [m1, m2, s1, s2] = [part(1, 2), part(2, 4), side(1, 2), side(2, 4)]
    return [a!.add(near).add(far), m1.add(s1), m2.add(s2), m2.sub(s2), m1.sub(s1)]
  },
}

function write_butterfly(k: Builder, radix: number, { x, y, twiddle, width }: Stage): void {
  const twiddles = Array.from({ length: radix - 1 }, (_, i) => {
    const w = twiddle(i + 1)
    return k.local(w.type, w)
  })
  k.for(width, 'vector', q => {
    const local = (e: Expr): Expr => k.local(e.type, e)
    const given = Array.from({ length: radix }, (_, j) => local(x(j, q)))
    const results = butterflies[radix]!(given, local)
    results.forEach((z, i) => {
      y(i, q, i === 0 ? z : z.mul(twiddles[i - 1]!))
    })
  })
}

/**
 * Transforms blocks of rows of x, seen as [outer, n, inner], or [outer, inner, n] where `along`. Of `chunks` independent
 * parts of the work each has its own working memory: two states of a block, each as real and imaginary parts.
 */
const kernel = kernels('fft', (k, dtype: DType, kind: Kind, along: boolean) => {
  const complex_dtype = dtype === float32 ? complex64 : complex128
  const layout = { rank: 3, inner: 1 } as const
  const out = k.output('out', kind === 'c2r' ? dtype : complex_dtype, layout)
  const x = k.input('x', kind === 'r2c' ? dtype : complex_dtype, layout)
  const work = k.inout('work', dtype, layout)
  const roots = k.input('roots', complex_dtype, { rank: 1, inner: 1 })
  const stages = k.input('stages', int32, { rank: 2, inner: 1 })
  const n = k.value('n', 'index')
  const width = k.value('width', 'index')
  // the inverse transform is the transform with real and imaginary parts exchanged, before and after
  const exchange = k.value('exchange', 'index')
  const scale = k.value('scale', work.type)

  const [outer, inner] = [x.sizes[0]!, x.sizes[along ? 1 : 2]!]
  const kept = out.sizes[along ? 2 : 1]!
  const chunks = work.sizes[0]!
  const place = (o: Expr, j: Expr, row: Expr): Expr[] => (along ? [o, row, j] : [o, j, row])
  const each = (count: Expr, rows: Expr, body: (j: Expr, b: Expr) => void): void => {
    if (along) k.for(rows, 'serial', b => k.for(count, 'vector', j => body(j, b)))
    else k.for(count, 'serial', j => k.for(rows, 'vector', b => body(j, b)))
  }

  k.for(chunks, 'parallel', chunk => {
    const across = k.local('index', inner.add(width).sub(1).floordiv(width))
    const blocks = k.local('index', outer.mul(across))
    const first = k.local('index', blocks.mul(chunk).floordiv(chunks))
    const end = k.local('index', blocks.mul(chunk.add(1)).floordiv(chunks))
    const [re, im] = [k.local('index', exchange), k.local('index', constant(1, 'index').sub(exchange))]
    k.for(end.sub(first), 'serial', i => {
      const block = k.local('index', first.add(i))
      const o = k.local('index', block.floordiv(across))
      const start = k.local('index', block.mod(across).mul(width))
      const rows = k.local('index', inner.sub(start).min(width))
      const put = (plane: Expr, at: Expr, value: Expr): void => k.store(work, [chunk, plane, at], value)

      const load = (j: Expr, row: Expr): Expr => x.at(...place(o, j, row))
      each(kind === 'c2r' ? n.floordiv(2).add(1) : n, rows, (j, b) => {
        const z = load(j, start.add(b))
        const at = j.mul(rows).add(b)
        put(re, at, z.real())
        put(im, at, z.imag())
      })
      if (kind === 'c2r')
        each(n.sub(1).floordiv(2), rows, (j, b) => {
          const z = load(j.add(1), start.add(b))
          const at = n.sub(1).sub(j).mul(rows).add(b)
          put(re, at, z.real())
          put(im, at, z.imag().neg())
        })

      const state = k.local('index', 0)
      k.for(stages.sizes[0]!, 'serial', s => {
        const [radix, m, span] = [0, 1, 2].map(c => k.local('index', stages.at(s, c).cast('index')))
        run_stage(k, work, roots, { chunk, state, n, rows, radix: radix!, m: m!, span: span! })
        k.assign(state, constant(2, 'index').sub(state))
      })

      each(kept, rows, (j, b) => {
        const at = j.mul(rows).add(b)
        const to = place(o, j, start.add(b))
        const real = work.at(chunk, state.add(re), at).mul(scale)
        if (kind === 'c2r') k.store(out, to, real)
        else k.store(out, to, complex(real, work.at(chunk, state.add(im), at).mul(scale)))
      })
    })
  })
})

type StageSizes = Readonly<Record<'chunk' | 'state' | 'n' | 'rows' | 'radix' | 'm' | 'span', Expr>>

/** One stage: from the working memory's one state to the other. `span` is the product of the radices before. */
function run_stage(k: Builder, work: View, roots: View, sizes: StageSizes): void {
  const { chunk, state, n, rows, radix, m, span } = sizes
  const width = k.local('index', span.mul(rows))
  const next = k.local('index', constant(2, 'index').sub(state))
  const read = (plane: Expr, at: Expr): Expr =>
    complex(work.at(chunk, plane, at), work.at(chunk, plane.add(1), at))
  const write = (at: Expr, z: Expr): void => {
    k.store(work, [chunk, next, at], z.real())
    k.store(work, [chunk, next.add(1), at], z.imag())
  }
  const stage = (p: Expr): Stage => ({
    x: (j, q) => read(state, p.add(m.mul(j)).mul(width).add(q)),
    y: (i, q, z) => write(radix.mul(p).add(i).mul(width).add(q), z),
    twiddle: i => roots.at(p.mul(span).mul(i)),
    width,
  })
  const choose = ([r, ...others]: readonly number[]): void => {
    if (r !== undefined)
      k.if(
        radix.eq(r),
        () => k.for(m, 'serial', p => write_butterfly(k, r, stage(p))),
        () => choose(others),
      )
    else
      k.for(m, 'serial', p => {
        const { x, y } = stage(p)
        k.for(radix, 'serial', i => {
          k.for(width, 'vector', q => {
            const w = roots.at(i.mul(p).mul(span))
            y(i, q, k.local(w.type, x(0, q).mul(w)))
          })
          k.for(radix.sub(1), 'serial', j => {
            const w = k.local(
              roots.type,
              roots.at(
                i
                  .mul(p.add(j.add(1).mul(m)))
                  .mul(span)
                  .mod(n),
              ),
            )
            k.for(width, 'vector', q => {
              const sum = read(next, radix.mul(p).add(i).mul(width).add(q))
              y(i, q, k.local(w.type, sum.add(x(j.add(1), q).mul(w))))
            })
          })
        })
      })
  }
  choose([4, 2, 3, 5])
}

// ---------------------------------------------------------------------------------------------- tables

/** The radices whose product is `n`, or null where a prime factor is too large. */
function radices(n: number): number[] | null {
  const found: number[] = []
  let rest = n
  for (let r = 4; rest > 1; r = r === 4 ? 2 : r === 2 ? 3 : r + 2) {
    if (r > LARGEST_RADIX) return null
    for (; rest % r === 0; rest /= r) found.push(r)
  }
  return found
}

/** exp(-2 pi i t / n): computed from an angle of at most 45 degrees, so that no accuracy is lost. */
function root(t: number, n: number): readonly [number, number] {
  const eighth = Math.round((8 * t) / n)
  const angle = (2 * Math.PI * (t - (eighth * n) / 8)) / n
  const [c, s, h] = [Math.cos(angle), Math.sin(angle), Math.SQRT1_2]
  const turned: readonly (readonly [number, number])[] = [
    [c, s],
    [h * (c - s), h * (c + s)],
    [-s, c],
    [-h * (c + s), h * (c - s)],
  ]
  const [re, im] = turned[eighth % 4]!
  return eighth % 8 < 4 ? [re, -im] : [-re, im]
}

/** A complex tensor of `count` elements that is kept from call to call. */
function table(dtype: DType, count: number, element: (t: number) => readonly [number, number]): Tensor {
  const out = empty([count], dtype)
  out.memory.owned = true
  const array = out.memory.array(to_real_dtype(dtype)) as Float32Array | Float64Array
  for (let t = 0; t < count; t++) [array[2 * t], array[2 * t + 1]] = element(t) as [number, number]
  return out
}

const MOST_KEPT = 4 * 2 ** 20
const kept = new Map<string, readonly Tensor[]>()
let kept_count = 0

/** Tables are made once, until they become too many. */
function remembered(key: string, make: () => readonly Tensor[]): readonly Tensor[] {
  const found = kept.get(key)
  if (found !== undefined) return found
  const made = make()
  if (kept_count > MOST_KEPT) {
    kept.clear()
    kept_count = 0
  }
  kept.set(key, made)
  for (const { count } of made) kept_count += count
  return made
}

/** Roots of unity and stages [radix, n / product so far, product before]. */
function plan(n: number, dtype: DType, factors: readonly number[]): readonly [roots: Tensor, stages: Tensor] {
  return remembered(`plan ${n} ${dtype.name}`, () => {
    const stages = empty([factors.length, 3], int32)
    stages.memory.owned = true
    const array = stages.memory.array(int32) as Int32Array
    let span = 1
    factors.forEach((radix, i) => {
      array.set([radix, n / span / radix, span], stages.offset + 3 * i)
      span *= radix
    })
    return [table(dtype, n, t => root(t, n)), stages]
  }) as readonly [Tensor, Tensor]
}

// ---------------------------------------------------------------------------------------------- transforms

/**
 * The transform of `x` along `dim`, to `n` elements times `scale`. `all`: of a real signal also the second half of
 * the result. Nothing is recorded.
 */
export function transform(
  x: Tensor,
  dim: number,
  kind: Kind,
  { n, forward, scale, all }: { n: number; forward: boolean; scale: number; all: boolean },
): Tensor {
  const kept_size = kind === 'r2c' && !all ? Math.floor(n / 2) + 1 : n
  const sizes = x.sizes.map((size, d) => (d === dim ? kept_size : size))
  const dtype = to_real_dtype(x.dtype)
  const complex_dtype = dtype === float32 ? complex64 : complex128
  const out = empty(sizes, kind === 'c2r' ? dtype : complex_dtype)
  if (out.count === 0) return out
  const factors = radices(n)
  if (factors === null) {
    const whole = kind === 'c2r' ? hermitian(x, dim, n) : dense_as(x, complex_dtype)
    const result = bluestein(whole, dim, n, forward, scale)
    return kind === 'c2r' ? result.real.contiguous() : result.narrow(dim, 0, kept_size).contiguous()
  }
  const [roots, stages] = plan(n, complex_dtype, factors)
  const outer = numel(sizes.slice(0, dim))
  const inner = numel(sizes.slice(dim + 1))
  const along = inner === 1
  const in_three = (t: Tensor): Operand => {
    const size = t.sizes[dim]!
    return along
      ? window(t, [1, outer, size], [outer * size, size, 1])
      : window(t, [outer, size, inner], [size * inner, inner, 1])
  }
  const rows = along ? outer : inner
  const row_bytes = 4 * n * dtype.itemsize
  const width = Math.min(rows, 32, Math.max(8, Math.floor(BLOCK_BYTES / row_bytes)))
  const blocks = (along ? 1 : outer) * Math.ceil(rows / width)
  const chunks = Math.min(blocks, MOST_CHUNKS)
  const work = scratch(SLOT, [chunks, 4, n * width], dtype)
  kernel(
    dtype,
    kind,
    along,
  )([in_three(out), in_three(dense(x)), work, roots, stages], [n, width, forward ? 0 : 1, scale])
  return out
}

/** The whole signal of which `x` is the first half. */
function hermitian(x: Tensor, dim: number, n: number): Tensor {
  const count = Math.floor((n - 1) / 2)
  const rest = x.narrow(dim, 1, count).flip(dim).conj()
  return cat([x.narrow(dim, 0, Math.floor(n / 2) + 1), rest], dim)
}

/** The least product of 2, 3 and 5 that is at least `least`. */
function smooth_size(least: number): number {
  for (let n = least; ; n++) if ((radices(n)?.at(-1) ?? 7) <= 5) return n
}

/**
 * Any length as a convolution: j k = (j^2 + k^2 - (k - j)^2) / 2, so the transform is that of x_j c_j with the filter
 * 1 / c_j, times c_k, where c_j = exp(-pi i j^2 / n).
 */
function bluestein(x: Tensor, dim: number, n: number, forward: boolean, scale: number): Tensor {
  const size = smooth_size(2 * n - 1)
  const sign = forward ? 1 : -1
  const [chirp, filter] = remembered(`chirp ${n} ${x.dtype.name} ${sign}`, () => {
    const square = (j: number): number => Number((BigInt(j) * BigInt(j)) % BigInt(2 * n))
    const wave = (j: number, direction: number): readonly [number, number] => {
      const [re, im] = root(square(j), 2 * n)
      return [re, direction * im]
    }
    const filter = table(complex128, size, j => {
      const distance = Math.min(j, size - j)
      return distance < n ? wave(distance, -sign) : [0, 0]
    })
    const spectrum = transform(filter, 0, 'c2c', { n: size, forward: true, scale: 1 / size, all: true })
    const own = dense_as(spectrum, x.dtype)
    own.memory.owned = true
    return [table(x.dtype, n, j => wave(j, sign)), own]
  }) as readonly [Tensor, Tensor]
  const placed = (t: Tensor): Tensor => t.view(x.sizes.map((_, d) => (d === dim ? t.count : 1)))
  const padding = x.sizes.flatMap((_, d) => (d === dim ? [size - n, 0] : [0, 0])).reverse()
  const options = { n: size, scale: 1, all: true }
  const spectrum = transform(constant_pad_nd(x.mul(placed(chirp)), padding), dim, 'c2c', {
    ...options,
    forward: true,
  })
  const convolved = transform(spectrum.mul(placed(filter)), dim, 'c2c', { ...options, forward: false })
  const result = convolved.narrow(dim, 0, n).mul(placed(chirp))
  return scale === 1 ? result : result.mul(scale)
}
