// The transforms of Winograd's convolution as straight C: pixels, weights and results of tiles of 2 x 2 results, there
// and, for the gradient of the weights, back. An axis's taps are cut into runs of up to three that lie side by side;
// each run is F(2, 3), F(2, 2) or F(2, 1) over the places 0, 1, -1 and infinity, so that the products of all runs at a
// place are one sum. Factors are 1 and 1/2 alone. Not here: what is done with them (conv_winograd.ts).

/** Signed names: a sum. */
type Sum = readonly (readonly [sign: 1 | -1, index: number])[]

/** One product of an axis: of a sum of pixels by `half` or whole of a sum of taps, which counts at `place`. */
type Term = { place: number; pixels: Sum; taps: Sum; half: boolean }

/** The axis of a tile. Pixels and taps are numbered plane by plane, in the order in which they lie in it. */
type Axis = { kind: string; pixels: number; taps: number; terms: readonly Term[]; places: readonly number[] }

const RUNS: Readonly<Record<number, (p: number, t: number) => Term[]>> = {
  3: (p, t) => [
    {
      place: 0,
      half: false,
      pixels: [
        [1, p],
        [-1, p + 2],
      ],
      taps: [[1, t]],
    },
    {
      place: 1,
      half: true,
      pixels: [
        [1, p + 1],
        [1, p + 2],
      ],
      taps: [
        [1, t],
        [1, t + 2],
        [1, t + 1],
      ],
    },
    {
      place: 2,
      half: true,
      pixels: [
        [1, p + 2],
        [-1, p + 1],
      ],
      taps: [
        [1, t],
        [1, t + 2],
        [-1, t + 1],
      ],
    },
    {
      place: 3,
      half: false,
      pixels: [
        [1, p + 1],
        [-1, p + 3],
      ],
      taps: [[1, t + 2]],
    },
  ],
  2: (p, t) => [
    {
      place: 0,
      half: false,
      pixels: [
        [1, p],
        [-1, p + 1],
      ],
      taps: [[1, t]],
    },
    {
      place: 1,
      half: false,
      pixels: [[1, p + 1]],
      taps: [
        [1, t],
        [1, t + 1],
      ],
    },
    {
      place: 3,
      half: false,
      pixels: [
        [1, p + 1],
        [-1, p + 2],
      ],
      taps: [[1, t + 1]],
    },
  ],
  1: (p, t) => [
    { place: 0, half: false, pixels: [[1, p]], taps: [[1, t]] },
    { place: 3, half: false, pixels: [[-1, p + 1]], taps: [[1, t]] },
  ],
}

/** What the two results of an axis are made of, by place. */
const RESULTS = [
  [
    [1, 0],
    [1, 1],
    [1, 2],
  ],
  [
    [1, 1],
    [-1, 2],
    [-1, 3],
  ],
] as const

/** An axis by the number of taps that fall on each of its planes. */
function axis(planes: readonly number[]): Axis {
  const terms: Term[] = []
  let [pixels, taps] = [0, 0]
  for (const count of planes) {
    for (let done = 0; done < count; ) {
      const left = count - done
      const run = left === 4 ? 2 : Math.min(left, 3)
      terms.push(...RUNS[run]!(pixels + done, taps + done))
      done += run
    }
    pixels += count + 1
    taps += count
  }
  const places = [0, 1, 2, 3].filter(place => terms.some(t => t.place === place))
  return { kind: planes.join(''), pixels, taps, terms, places }
}

/** The axes that tiles have, down and across. */
function all_pairs(): readonly (readonly [Axis, Axis])[] {
  const [one, two] = [axis([1]), axis([2])]
  return [
    ...[axis([3]), axis([5]), axis([2, 1]), axis([2, 2])].map(x => [x, x] as const),
    ...[one, two].flatMap(y => [one, two].map(x => [y, x] as const)),
  ]
}

const written = (sum: Sum, name: (i: number) => string): string =>
  sum.map(([sign, i], n) => (sign < 0 ? (n === 0 ? '-' : ' - ') : n === 0 ? '' : ' + ') + name(i)).join('')
const range = (n: number): number[] => [...Array(n).keys()]
const lines = (list: readonly string[]): string => list.map(line => `    ${line}\n`).join('')

/** Terms of both axes that count at one place lie side by side; `at` says where. */
function order(y: Axis, x: Axis): { at: (ty: number, tx: number) => number; first: number[] } {
  const of = new Map<number, number>()
  const first: number[] = []
  for (const py of y.places)
    for (const px of x.places) {
      first.push(of.size)
      y.terms.forEach((a, ty) => {
        x.terms.forEach((b, tx) => {
          if (a.place === py && b.place === px) of.set(ty * x.terms.length + tx, of.size)
        })
      })
    }
  return { at: (ty, tx) => of.get(ty * x.terms.length + tx)!, first: [...first, of.size] }
}

/** Sums of the results, by place: what a gradient of them is multiplied by there. */
const back_to = (place: number): Sum =>
  RESULTS.flatMap((sum, i) => sum.filter(([, p]) => p === place).map(([sign]) => [sign, i] as const))

/** Sums of the terms: what a gradient of a tap is made of. */
const halves = (t: Term, sum: string): string => (t.half ? `(${sum}) * half` : sum)
const of_tap = (x: Axis, tap: number, name: (i: number) => string): string =>
  x.terms
    .flatMap((t, i) => t.taps.filter(([, u]) => u === tap).map(([sign]) => [sign, t, i] as const))
    .map(([sign, t, i]) => `${sign < 0 ? ' - ' : ' + '}${halves(t, name(i))}`)
    .join('')
    .replace(/^ \+ /, '')

function pair_source(y: Axis, x: Axis): string {
  const name = `${y.kind}_${x.kind}`
  const { at, first } = order(y, x)
  const each = (ys: number, xs: number, f: (i: number, j: number) => string): string =>
    lines(range(ys).flatMap(i => range(xs).map(j => f(i, j))))
  const [ty, tx] = [y.terms.length, x.terms.length]
  const by_row = (i: number): string[] => [
    ...range(x.pixels).map(
      j => `Vector r${i}_${j} = ${written(y.terms[i]!.pixels, k => `P(${k * x.pixels + j})`)};`,
    ),
  ]
  const row_terms = (i: number): string[] =>
    range(tx).map(j => `V(${at(i, j)}) = ${written(x.terms[j]!.pixels, k => `r${i}_${k}`)};`)
  const few = ty * x.pixels <= 20
  const pixel_lines = few
    ? [...range(ty).flatMap(by_row), ...range(ty).flatMap(row_terms)]
    : range(ty).flatMap(i => [...by_row(i), ...row_terms(i)])
  const [py, px] = [y.places.length, x.places.length]
  const rows = (r: 0 | 1, axis: Axis, f: (p: number) => string): string =>
    written(
      RESULTS[r].filter(([, p]) => axis.places.includes(p)),
      p => f(axis.places.indexOf(p)),
    )
  return `
static void pixels_${name}(const T *p, i64 pitch, i64 lanes, T *v, i64 term) {
  for (i64 l = 0; l < lanes; l += VL) {
#define P(i) (*(const Vector *)(p + (i) * pitch + l))
#define V(i) (*(Vector *)(v + (i) * term + l))
${lines(pixel_lines)}#undef P
#undef V
  }
}
static void weights_${name}(const T *g, T *u, i64 term, i64 count) {
  const T half = 0.5;
#define G(i) (*(const Vector *)(g + (i) * VL))
#define U(i, x) do { T o_[VL] __attribute__((aligned(VECTOR_BYTES))); *(Vector *)o_ = x; copy(u + (i) * term, o_, count); } while (0)
${each(ty, x.taps, (i, j) => {
  const t = y.terms[i]!
  return `Vector h${i}_${j} = ${halves(
    t,
    written(t.taps, k => `G(${k * x.taps + j})`),
  )};`
})}${each(ty, tx, (i, j) => {
  const t = x.terms[j]!
  return `U(${at(i, j)}, ${halves(
    t,
    written(t.taps, k => `h${i}_${k}`),
  )});`
})}#undef G
#undef U
}
// rows[r][2 * lane + column] = the results; not 0 where one of them is not finite.
static int results_${name}(const T *m, i64 place, i64 lanes, T bias, T *rows) {
  Vector check = {0};
  for (i64 l = 0; l < lanes; l += VL) {
#define M(i) (*(const Vector *)(m + (i) * place + l))
${each(2, px, (r, j) => `Vector s${r}_${j} = ${rows(r as 0 | 1, y, p => `M(${p * px + j})`)};`)}${each(
  2,
  2,
  (r, q) => `Vector y${r}_${q} = ${rows(q as 0 | 1, x, p => `s${r}_${p}`)} + bias;`,
)}    check += (y0_0 + y0_1) * 0 + (y1_0 + y1_1) * 0;
    UNROLL for (int r = 0; r < 2; r++) {
      Vector a = r ? y1_0 : y0_0, b = r ? y1_1 : y0_1;
      Vector *d = (Vector *)(rows + r * 2 * lanes + 2 * l);
      d[0] = WIDE_LOWS(a, b), d[1] = WIDE_HIGHS(a, b);
    }
#undef M
  }
  return !all_zero(check);
}
// m[place] = for each of 'count' tiles the gradient of its results, a[row][2 * tile + column][width].
static void gradients_${name}(const T *a, i64 row, i64 width, i64 count, T *m, i64 place) {
  for (i64 n = 0; n < count; n++) for (i64 l = 0; l < width; l += VL) {
#define A(r, q) (*(const Vector *)(a + (r) * row + (2 * n + (q)) * width + l))
#define M(i) (*(Vector *)(m + (i) * place + n * width + l))
${each(py, 2, (i, q) => `Vector s${i}_${q} = ${written(back_to(y.places[i]!), r => `A(${r}, ${q})`)};`)}${each(
  py,
  px,
  (i, j) => `M(${i * px + j}) = ${written(back_to(x.places[j]!), q => `s${i}_${q}`)};`,
)}#undef A
#undef M
  }
}
// The gradient of the taps in d[tap][width] from the terms.
static void taps_${name}(const T *s, i64 term, i64 width, T *d) {
  const T half = 0.5;
  for (i64 l = 0; l < width; l += VL) {
#define S_(i) (*(const Vector *)(s + (i) * term + l))
${each(y.taps, tx, (t, j) => `Vector h${t}_${j} = ${of_tap(y, t, i => `S_(${at(i, j)})`)};`)}${each(
  y.taps,
  x.taps,
  (t, u) => `*(Vector *)(d + ${t * x.taps + u} * width + l) = ${of_tap(x, u, j => `h${t}_${j}`)};`,
)}#undef S_
  }
}
static const i64 first_${name}[] = {${first.join(', ')}};
`
}

const entry = ([y, x]: readonly [Axis, Axis]): string => {
  const name = `${y.kind}_${x.kind}`
  const numbers = [y.kind, x.kind, y.pixels, x.pixels, y.terms.length * x.terms.length]
  const places = y.places.length * x.places.length
  const functions = ['first', 'pixels', 'weights', 'results', 'gradients', 'taps'].map(f => `${f}_${name}`)
  return `  {${[...numbers, places, ...functions].join(', ')}},\n`
}

/** C with the table `transforms`; it needs the planes (conv_planes.ts) and WIDE_LOWS and WIDE_HIGHS (conv.ts). */
export function transforms_source(): string {
  const pairs = all_pairs()
  return `
INLINE int all_zero(Vector x) {
  T sum = 0;
  for (i64 l = 0; l < VL; l++) sum += x[l];
  return sum == 0;
}
${pairs.map(([y, x]) => pair_source(y, x)).join('')}
// Of taps by plane, as digits, down and across. Terms first[p] to first[p + 1] count at place p.
typedef struct {
  i64 down, across, rows, columns, terms, places;
  const i64 *first;
  void (*pixels)(const T *p, i64 pitch, i64 lanes, T *v, i64 term);
  void (*weights)(const T *g, T *u, i64 term, i64 count);
  int (*results)(const T *m, i64 place, i64 lanes, T bias, T *rows);
  void (*gradients)(const T *a, i64 row, i64 width, i64 count, T *m, i64 place);
  void (*taps)(const T *s, i64 term, i64 width, T *d);
} Transform;
static const Transform transforms[] = {
${pairs.map(entry).join('')}};
`
}
