// Matrix multiply as C, for f32 and f64: packed panels and a register tile in GCC's vector extensions, as BLIS has it,
// with paths that copy nothing for few rows and for small matrices. The tile follows from the number of vector
// registers, so the same text serves AVX-512, AVX, SSE and NEON. Not here: convolution (conv.ts), calling (device/).

import { SHARE } from './share.ts'

/** Options for the routines: products and sums may be contracted to fma. */
export const ROUTINE_FLAGS: readonly string[] = [
  '-O2',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-ffp-contract=fast',
  '-fno-strict-aliasing',
]

/** What differs between the two float types. */
const TYPES = {
  f32: `typedef float T;
typedef i32 Index __attribute__((vector_size(16)));
`,
  f64: `typedef double T;
typedef i64 Index __attribute__((vector_size(16)));
`,
} as const

const MACHINE = `#include <stdlib.h>
#include <string.h>
#if defined(__AVX512F__)
#define VECTOR_BYTES 64
#define REGISTERS 32
#define MR 12
#elif defined(__AVX__)
#define VECTOR_BYTES 32
#define REGISTERS 16
#define MR 6
#elif defined(__aarch64__)
#define VECTOR_BYTES 16
#define REGISTERS 32
#define MR 12
#else
#define VECTOR_BYTES 16
#define REGISTERS 16
#define MR 6
#endif
#define INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#if MR == 12
#define EACH_ROW_COUNT(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12)
#else
#define EACH_ROW_COUNT(X) X(1) X(2) X(3) X(4) X(5) X(6)
#endif
#if defined(__clang__) || __GNUC__ >= 12
#define SHUFFLE(x, y, ...) __builtin_shufflevector(x, y, __VA_ARGS__)
#else
#define SHUFFLE(x, y, ...) __builtin_shuffle(x, y, (Index){__VA_ARGS__})
#endif
`

const TILE = `
#define S ((i64)sizeof(T))
#define VL ((i64)(VECTOR_BYTES / sizeof(T)))
#define QL ((i64)(16 / sizeof(T)))
typedef T Vector __attribute__((vector_size(VECTOR_BYTES)));
typedef T Unaligned __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(T)), may_alias));
typedef T Quarter __attribute__((vector_size(16), aligned(sizeof(T)), may_alias));

// How many vectors of columns go with r rows, so that the tile, a row of b and a broadcast fit the registers.
#define WIDTH(r) MIN(8, (REGISTERS - 1) / ((r) + 1))
#define NR (WIDTH(MR) * VL)

// c[R rows][N vectors] (+)= a[R][k] * b[k][N vectors], with one row of b after each other br elements apart.
INLINE void tile(const int R, const int N, const int prefetch, i64 k, const T *a, i64 ar, i64 ac, const T *b, i64 br,
                 T *c, i64 cr, int accumulate) {
  Vector sum[MR][8], x[8];
  UNROLL for (int i = 0; i < R; i++) UNROLL for (int j = 0; j < N; j++) {
    sum[i][j] = (Vector){0};
    if (prefetch) __builtin_prefetch(c + i * cr + j * VL, 1);
  }
  const T *row[MR / 4 + 1];  // of every fourth row: with a register for each, too few would be left
  UNROLL for (int i = 0; i < R; i += 4) row[i / 4] = a + i * ar;
  for (i64 p = 0; p < k; p++) {
    UNROLL for (int j = 0; j < N; j++) x[j] = *(const Unaligned *)(b + p * br + j * VL);
    UNROLL for (int i = 0; i < R; i++) {
      Vector y = row[i / 4][i % 4 * ar] - (Vector){0};
      UNROLL for (int j = 0; j < N; j++) sum[i][j] += y * x[j];
    }
    UNROLL for (int i = 0; i < R; i += 4) {
      row[i / 4] += ac;
      __asm__("" : "+r"(row[i / 4]));
    }
  }
  UNROLL for (int i = 0; i < R; i++) UNROLL for (int j = 0; j < N; j++) {
    Unaligned *d = (Unaligned *)(c + i * cr + j * VL);
    if (accumulate) *d += sum[i][j];
    else *d = sum[i][j];
  }
}

// d[j][i] = s[i][j] for a block of 16 bytes by 16 bytes, rows sr and dr elements apart.
INLINE void transpose(const T *s, i64 sr, T *d, i64 dr) {
#define ROW(i) (*(const Quarter *)(s + (i) * sr))
#define OUT(i) (*(Quarter *)(d + (i) * dr))
  TRANSPOSE
#undef ROW
#undef OUT
}

// o[q * W + t] = p[t * ts + q * ks] for t < w, 0 for w <= t < W: a panel of W rows or columns, k after each other.
INLINE void pack(i64 w, const i64 W, i64 k, const T *p, i64 ts, i64 ks, T *o) {
  if (w < W)
    for (i64 q = 0; q < k; q++) for (i64 t = w; t < W; t++) o[q * W + t] = 0;
  if (ts == 1 && w == W && W % VL == 0) {
    for (i64 q = 0; q < k; q++)
      UNROLL for (i64 t = 0; t < W; t += VL) *(Unaligned *)(o + q * W + t) = *(const Unaligned *)(p + q * ks + t);
  } else if (ts == 1 && w == W && W % QL == 0) {
    for (i64 q = 0; q < k; q++)
      UNROLL for (i64 t = 0; t < W; t += QL) *(Quarter *)(o + q * W + t) = *(const Quarter *)(p + q * ks + t);
  } else if (ts == 1) {
    for (i64 q = 0; q < k; q++) {
      i64 t = 0;
      for (; t + QL <= w; t += QL) *(Quarter *)(o + q * W + t) = *(const Quarter *)(p + q * ks + t);
      for (; t < w; t++) o[q * W + t] = p[q * ks + t];
    }
  } else {
    const i64 line = 64 / S;  // whole cache lines: rows a power of two apart evict each other
    i64 q = 0;
    if (ks == 1)
      for (i64 step; q + QL <= k; q += step) {
        i64 t = 0;
        step = k - q < line ? QL : line;
        for (; t + QL <= w; t += QL)
          for (i64 i = 0; i < step; i += QL) transpose(p + t * ts + q + i, ts, o + (q + i) * W + t, W);
        for (; t < w; t++) for (i64 i = 0; i < step; i++) o[(q + i) * W + t] = p[t * ts + q + i];
      }
    for (; q < k; q++) for (i64 t = 0; t < w; t++) o[q * W + t] = p[t * ts + q * ks];
  }
}
`

const TRANSPOSE = {
  f32: `Quarter w = SHUFFLE(ROW(0), ROW(1), 0, 4, 1, 5), x = SHUFFLE(ROW(2), ROW(3), 0, 4, 1, 5);
  Quarter y = SHUFFLE(ROW(0), ROW(1), 2, 6, 3, 7), z = SHUFFLE(ROW(2), ROW(3), 2, 6, 3, 7);
  OUT(0) = SHUFFLE(w, x, 0, 1, 4, 5);
  OUT(1) = SHUFFLE(w, x, 2, 3, 6, 7);
  OUT(2) = SHUFFLE(y, z, 0, 1, 4, 5);
  OUT(3) = SHUFFLE(y, z, 2, 3, 6, 7);`,
  f64: `Quarter x = ROW(0), y = ROW(1);
  OUT(0) = SHUFFLE(x, y, 0, 2);
  OUT(1) = SHUFFLE(x, y, 1, 3);`,
} as const

/** C that both gemm and convolution begin with: machine, types, the register tile and packing. */
export const tile_source = (type: 'f32' | 'f64'): string =>
  SHARE + MACHINE + TYPES[type] + TILE.replace('TRANSPOSE', TRANSPOSE[type])

const GEMM = `
#define KC ((i64)(1536 / S))
#define MC ((i64)(MR * 12))
#define NC ((i64)(8192 / S))

typedef void Tile(i64 k, const T *a, i64 ar, i64 ac, const T *b, i64 br, T *c, i64 cr, int accumulate);
#define DEFINE(name, r, n) \\
  static void name##r(i64 k, const T *a, i64 ar, i64 ac, const T *b, i64 br, T *c, i64 cr, int accumulate) { \\
    tile(r, n, 0, k, a, ar, ac, b, br, c, cr, accumulate); \\
  }
#define DEFINE_ALL(r) DEFINE(narrow, r, 1) DEFINE(wide, r, WIDTH(r)) DEFINE(panel, r, WIDTH(MR))
EACH_ROW_COUNT(DEFINE_ALL)
#define NARROW(r) narrow##r,
#define WIDE(r) wide##r,
#define PANEL(r) panel##r,
static Tile *const narrow[] = {0, EACH_ROW_COUNT(NARROW)}, *const wide[] = {0, EACH_ROW_COUNT(WIDE)};
static Tile *const panel[] = {0, EACH_ROW_COUNT(PANEL)};

// m rows in groups of at most MR, as even as possible: the first 'more' groups have one row more than 'rows'.
typedef struct { i64 count, rows, more; } Groups;
INLINE Groups groups_of(i64 m, i64 most) {
  i64 count = (m + most - 1) / most;
  return (Groups){count, m / count, m % count};
}
#define EACH_GROUP(g, i, h) \\
  for (i64 i = 0, n_ = 0, h; n_ < (g).count && (h = (g).rows + (n_ < (g).more), 1); i += h, n_++)

// d (+)= s, rows of so many columns.
INLINE void put(i64 rows, i64 columns, const T *s, i64 sr, T *d, i64 dr, int accumulate) {
  for (i64 i = 0; i < rows; i++, s += sr, d += dr) {
    i64 j = 0;
    for (; j + QL <= columns; j += QL)
      if (accumulate) *(Quarter *)(d + j) += *(Quarter *)(s + j);
      else *(Quarter *)(d + j) = *(Quarter *)(s + j);
    for (; j < columns; j++) d[j] = accumulate ? d[j] + s[j] : s[j];
  }
}

// A tile that sticks out over the last column, or whose columns are contiguous in c, by way of a buffer.
#define TURNED ((MR + QL - 1) / QL * QL)
static void ragged(Tile *f, i64 rows, i64 columns, i64 width, i64 k, const T *a, i64 ar, i64 ac, const T *b, T *c,
                   i64 cr, i64 cc, int accumulate) {
  T buffer[TURNED * NR] __attribute__((aligned(VECTOR_BYTES))), turned[NR * TURNED];
  f(k, a, ar, ac, b, width, buffer, width, 0);
  if (cc == 1) {
    put(rows, columns, buffer, width, c, cr, accumulate);
  } else {
    for (i64 i = 0; i < rows; i += QL)
      for (i64 j = 0; j < columns; j += QL) transpose(buffer + i * width + j, width, turned + j * TURNED + i, TURNED);
    put(columns, rows, turned, TURNED, c, cc, accumulate);
  }
}

// Room for one packed block of a and one of b, kept by each thread; NULL where there is no memory.
static T *workspace(void) {
  static _Thread_local T *work;
  if (!work) work = aligned_alloc(4096, (((MC + NC + NR) * KC * S) + 4095) & ~(i64)4095);
  return work;
}

// a is read once per panel of b; rows a multiple of 2 KB apart evict each other.
INLINE int packs_a(i64 columns, i64 ar) { return columns > 4 * NR || (columns > NR && ar * S % 2048 == 0); }

// In blocks of at most 'most' steps of k.
static void gemm_packed(i64 m, i64 n, i64 k, const T *a, i64 ar, i64 ac, const T *b, i64 br, i64 bc, T *c, i64 cr,
                        i64 cc, int accumulate, i64 most, T *work) {
  i64 parts = (k + most - 1) / most, depth = (k + parts - 1) / parts;
  int pack_a = packs_a(n, ar);
  T *a_block = work, *b_block = work + MC * KC;
  for (i64 j0 = 0; j0 < n; j0 += NC) {
    i64 nb = MIN(NC, n - j0);
    for (i64 p0 = 0; p0 < k; p0 += depth) {
      i64 kb = MIN(depth, k - p0);
      int add = accumulate || p0 > 0;
      for (i64 j = 0; j < nb; j += NR) {
        const T *s = b + p0 * br + (j0 + j) * bc;
        if (nb - j > VL) pack(MIN(NR, nb - j), NR, kb, s, bc, br, b_block + j * kb);
        else pack(nb - j, VL, kb, s, bc, br, b_block + j * kb);
      }
      for (i64 i0 = 0; i0 < m; i0 += MC) {
        Groups groups = groups_of(MIN(MC, m - i0), MR);
        const T *a0 = a + i0 * ar + p0 * ac;
        if (pack_a)
          EACH_GROUP(groups, i, h) {
            if (h == MR) pack(MR, MR, kb, a0 + i * ar, ar, ac, a_block + i * kb);
            else pack(h, h, kb, a0 + i * ar, ar, ac, a_block + i * kb);
          }
        for (i64 j = 0; j < nb; j += NR) {
          i64 w = MIN(NR, nb - j);
          const T *bp = b_block + j * kb;
          EACH_GROUP(groups, i, h) {
            T *ct = c + (i0 + i) * cr + (j0 + j) * cc;
            const T *ap = pack_a ? a_block + i * kb : a0 + i * ar;
            i64 rs = pack_a ? 1 : ar, cs = pack_a ? h : ac;
            if (w <= VL) ragged(narrow[h], h, w, VL, kb, ap, rs, cs, bp, ct, cr, cc, add);
            else if (w < NR || cc != 1) ragged(panel[h], h, w, NR, kb, ap, rs, cs, bp, ct, cr, cc, add);
            else if (h == MR && pack_a) tile(MR, WIDTH(MR), 1, kb, ap, 1, MR, bp, NR, ct, cr, add);
            else panel[h](kb, ap, rs, cs, bp, NR, ct, cr, add);
          }
        }
      }
    }
  }
}

// Rows of b are contiguous and read where they are; only what is left of the last vector is packed.
static void gemm_direct(i64 m, i64 n, i64 k, const T *a, i64 ar, i64 ac, const T *b, i64 br, T *c, i64 cr,
                        int accumulate, T *work) {
  Groups groups = groups_of(m, MR);
  i64 j = 0, width = WIDTH(groups.rows) * VL;
  for (; n - j >= width; j += width)
    EACH_GROUP(groups, i, h) {
      i64 w = WIDTH(h) * VL, jj = j;
      for (; jj + w <= j + width; jj += w) wide[h](k, a + i * ar, ar, ac, b + jj, br, c + i * cr + jj, cr, accumulate);
      for (; jj < j + width; jj += VL) narrow[h](k, a + i * ar, ar, ac, b + jj, br, c + i * cr + jj, cr, accumulate);
    }
  for (; n - j >= VL; j += VL)
    EACH_GROUP(groups, i, h) narrow[h](k, a + i * ar, ar, ac, b + j, br, c + i * cr + j, cr, accumulate);
  if (j == n) return;
  const i64 depth = KC * MC / VL;
  for (i64 p = 0; p < k; p += depth) {
    i64 kb = MIN(depth, k - p);
    pack(n - j, VL, kb, b + p * br + j, 1, br, work);
    EACH_GROUP(groups, i, h)
      ragged(narrow[h], h, n - j, VL, kb, a + i * ar + p * ac, ar, ac, work, c + i * cr + j, cr, 1,
             accumulate || p > 0);
  }
}

// Both a's rows and b's columns are contiguous: dot products, with the lanes along k.
#define DOTS(r) MIN(8, (REGISTERS - 2 - (r)) / (r))
INLINE T sum_of(Vector v) {
  union { Vector v; Quarter q[VECTOR_BYTES / 16]; } u = {v};
  UNROLL for (int h = VECTOR_BYTES / 32; h > 0; h /= 2) UNROLL for (int l = 0; l < h; l++) u.q[l] += u.q[l + h];
  T sum = 0;
  UNROLL for (int l = 0; l < QL; l++) sum += u.q[0][l];
  return sum;
}
INLINE void dots(const int R, const int J, i64 k, const T *a, i64 ar, const T *b, i64 bc, T *c, i64 cr, int accumulate) {
  Vector sum[4][8], x[4];
  UNROLL for (int i = 0; i < R; i++) UNROLL for (int j = 0; j < J; j++) sum[i][j] = (Vector){0};
  i64 p = 0;
  for (; p + VL <= k; p += VL) {
    UNROLL for (int i = 0; i < R; i++) x[i] = *(const Unaligned *)(a + i * ar + p);
    UNROLL for (int j = 0; j < J; j++) {
      Vector y = *(const Unaligned *)(b + j * bc + p);
      UNROLL for (int i = 0; i < R; i++) sum[i][j] += x[i] * y;
    }
  }
  UNROLL for (int i = 0; i < R; i++) UNROLL for (int j = 0; j < J; j++) {
    T t = sum_of(sum[i][j]);
    for (i64 q = p; q < k; q++) t += a[i * ar + q] * b[j * bc + q];
    c[i * cr + j] = accumulate ? c[i * cr + j] + t : t;
  }
}
typedef void Dots(i64 k, const T *a, i64 ar, const T *b, i64 bc, T *c, i64 cr, int accumulate);
#define DEFINE_DOTS(name, r, j) \\
  static void name##r(i64 k, const T *a, i64 ar, const T *b, i64 bc, T *c, i64 cr, int accumulate) { \\
    dots(r, j, k, a, ar, b, bc, c, cr, accumulate); \\
  }
#define DEFINE_ALL_DOTS(r) DEFINE_DOTS(many, r, DOTS(r)) DEFINE_DOTS(some, r, DOTS(r) / 2) DEFINE_DOTS(one, r, 1)
DEFINE_ALL_DOTS(1) DEFINE_ALL_DOTS(2) DEFINE_ALL_DOTS(3) DEFINE_ALL_DOTS(4)
static Dots *const many[] = {0, many1, many2, many3, many4}, *const some[] = {0, some1, some2, some3, some4};
static Dots *const one[] = {0, one1, one2, one3, one4};

static void gemm_dots(i64 m, i64 n, i64 k, const T *a, i64 ar, const T *b, i64 bc, T *c, i64 cr, int accumulate, T *work) {
  if (m > 1 && ar * S % 4096 == 0 && m * (k + 16) <= MC * KC) {  // such rows evict each other: set them apart
    for (i64 i = 0; i < m; i++) memcpy(work + i * (k + 16), a + i * ar, k * S);
    a = work, ar = k + 16;
  }
  Groups groups = groups_of(m, 4);
  i64 width = DOTS(groups.rows + (groups.more > 0));
  for (i64 j0 = 0; j0 < n; j0 += width)
    EACH_GROUP(groups, i, h) {
      i64 j = j0, end = MIN(j0 + width, n), w = DOTS(h);
      for (; j + w <= end; j += w) many[h](k, a + i * ar, ar, b + j * bc, bc, c + i * cr + j, cr, accumulate);
      for (; j + w / 2 <= end; j += w / 2) some[h](k, a + i * ar, ar, b + j * bc, bc, c + i * cr + j, cr, accumulate);
      for (; j < end; j++) one[h](k, a + i * ar, ar, b + j * bc, bc, c + i * cr + j, cr, accumulate);
    }
}

// Batches of products, with b stretched over the batch folded into rows, and turned where that is faster.
typedef struct {
  i64 batch, m, n, k, ab, ar, ac, bb, br, bc, cb, cr, cc;
  const T *a, *b, *bias;
  T *c;
  int is_turned;  // the bias has a number for each row, instead of one for each column
  int accumulate;
} Problem;

// Contiguous columns of the turned product are rows of c; where c is one row, or one column, both strides are 1.
static Problem turned(Problem p) {
  Problem q = p;
  q.a = p.b, q.ab = p.bb, q.ar = p.bc, q.ac = p.br, q.b = p.a, q.bb = p.ab, q.br = p.ac, q.bc = p.ar;
  q.m = p.n, q.n = p.m, q.cr = p.cc, q.cc = p.cr, q.is_turned = 1;
  return q;
}

typedef enum { NOTHING, DIRECT, DOTS, PACKED } Path;
// Whether rows so far apart, read a few at a time, evict each other.
#define COLLIDE(stride) ((stride) * S % 1024 == 0)
static Path path_of(const Problem *p) {
  if (p->k == 0) return NOTHING;
  if (p->cc != 1) return PACKED;
  if (p->bc == 1) {
    int shallow = p->k * NR * S <= 16 * 1024 && p->m <= 4 * MC && !COLLIDE(p->br) && !COLLIDE(p->ar * p->ac);
    if (p->m <= MR || p->n * p->k * S <= 128 * 1024 || shallow) return DIRECT;
  }
  int along = p->br == 1 && p->ac == 1;
  if (along && p->k >= 8 * VL && (p->m <= 8 || p->n <= 16 || (p->m <= 16 && p->k >= 32 * VL))) return DOTS;
  return PACKED;
}

// Columns beyond whole vectors that are not worth one of their own, where they can be dot products.
static i64 dots_beside(const Problem *p) {
  return p->br == 1 && p->ac == 1 && p->cc == 1 && p->n > VL && p->n % VL <= QL ? p->n % VL : 0;
}

// What is turned is not to be turned often; few columns leave room for it.
static i64 depth_of(const Problem *p) { return p->cc == 1 || packs_a(p->n, p->ar) ? KC : 4 * KC; }

// The cycles per step of k that so many rows and columns take; transposing, in quarters of vectors, is slow.
static f64 cost_of(const Problem *p, i64 rows, i64 columns) {
  i64 last = dots_beside(p), vectors = (columns - last + VL - 1) / VL;
  f64 cost = rows * (vectors + 2. * last / VL), copy = 4. / VL, turn = 2. / QL;
  if (path_of(p) != PACKED) return cost;
  cost += columns * (p->bc == 1 ? copy : turn) + (columns % VL ? VL : 0);
  if (packs_a(columns, p->ar)) cost += rows * (p->ar == 1 ? copy : turn);
  return p->cc == 1 ? cost : cost + 2 * turn * rows * columns / MIN(p->k, depth_of(p));
}

static Problem problem_of(const f64 *args) {
  Problem p = {
    .a = (const T *)(uintptr_t)args[2], .b = (const T *)(uintptr_t)args[3], .c = (T *)(uintptr_t)args[4],
    .batch = args[5], .m = args[6], .n = args[7], .k = args[8], .ab = args[9], .ar = args[10], .ac = args[11],
    .bb = args[12], .br = args[13], .bc = args[14], .cb = args[15], .cr = args[16], .accumulate = args[17],
    .bias = (const T *)(uintptr_t)args[18], .cc = 1,
  };
  if (p.bb == 0 && p.ab == p.m * p.ar && p.cb == p.m * p.cr) p.m *= p.batch, p.batch = 1;  // one b for all: more rows
  if (p.n == 1 && p.cr == 1) p = turned(p);  // a column, contiguous, as a row
  else if (p.br == 1 && p.m * p.n * p.k > 2000 && path_of(&p) == PACKED) {
    Problem q = turned(p);
    if (cost_of(&q, q.m, q.n) < 0.97 * cost_of(&p, p.m, p.n)) return q;
  }
  return p;
}

// Rows i to i_end and columns j to j_end of one product. The path is chosen by the whole of it: what is computed for an
// element does not depend on how the work is shared.
static void gemm(const Problem *p, i64 z, i64 i, i64 i_end, i64 j, i64 j_end, T *work) {
  i64 m = i_end - i, n = j_end - j, k = p->k, ar = p->ar, ac = p->ac, br = p->br, bc = p->bc, cr = p->cr, cc = p->cc;
  const T *a = p->a + z * p->ab + i * ar, *b = p->b + z * p->bb + j * bc;
  T *c = p->c + z * p->cb + i * cr + j * cc;
  if (m <= 0 || n <= 0) return;
  int accumulate = p->accumulate || p->bias, by_row = p->is_turned;
  if (p->bias) {
    const T *bias = p->bias + (by_row ? i : j);
    if (by_row && cc == 1) for (i64 r = 0; r < m; r++) for (i64 l = 0; l < n; l++) c[r * cr + l] = bias[r];
    else if (by_row) for (i64 l = 0; l < n; l++) memcpy(c + l * cc, bias, m * S);
    else for (i64 r = 0; r < m; r++) memcpy(c + r * cr, bias, n * S);
  }
  switch (path_of(p)) {
    case NOTHING:
      for (i64 r = 0; r < m && !accumulate; r++) memset(c + r * cr, 0, n * S);
      break;
    case DIRECT:
      gemm_direct(m, n, k, a, ar, ac, b, br, c, cr, accumulate, work);
      break;
    case DOTS:
      gemm_dots(m, n, k, a, ar, b, bc, c, cr, accumulate, work);
      break;
    case PACKED: {
      i64 last = j_end == p->n ? dots_beside(p) : 0;
      if (last) gemm_dots(m, last, k, a, ar, b + (n - last) * bc, bc, c + n - last, cr, accumulate, work);
      gemm_packed(m, n - last, k, a, ar, ac, b, br, bc, c, cr, cc, accumulate, depth_of(p), work);
    }
  }
}

// How each product is cut: into 'rows' x 'columns' tiles, the columns at whole vectors.
typedef struct { i64 rows, columns; } Grid;
INLINE i64 cut(i64 size, i64 unit, i64 i, i64 count) {
  i64 units = (size + unit - 1) / unit;
  return MIN(size, i * units / count * unit);
}

// What the tile takes that takes longest: the last, and where it is narrow, the one before.
static f64 cost_of_grid(const Problem *p, i64 rows, i64 columns) {
  i64 r = rows - 1, c = columns - 1, height = p->m - cut(p->m, 1, r, rows), width = p->n - cut(p->n, VL, c, columns);
  f64 cost = cost_of(p, height, width);
  if (c == 0) return cost;
  f64 before = cost_of(p, height, cut(p->n, VL, c, columns) - cut(p->n, VL, c - 1, columns));
  return before > cost ? before : cost;
}

static Grid grid_of(const Problem *p, i64 wanted) {
  Grid g = {1, 1};
  while (g.rows * g.columns < wanted) {
    int by_rows = p->m / g.rows >= 2 * MR, by_columns = p->n / g.columns >= 2 * VL;
    if (!by_rows && !by_columns) break;
    if (by_rows && by_columns)
      by_rows = cost_of_grid(p, 2 * g.rows, g.columns) <= cost_of_grid(p, g.rows, 2 * g.columns);
    if (by_rows) g.rows *= 2;
    else g.columns *= 2;
  }
  return g;
}

// Tiles from 'first' on.
static i32 some_tiles(const Problem *p, Grid grid, i64 first, i64 end) {
  T *work = workspace();
  if (!work) return 1;
  for (i64 t = first, each = grid.rows * grid.columns; t < end; t++) {
    i64 r = t % each / grid.columns, s = t % grid.columns;
    gemm(p, t / each, cut(p->m, 1, r, grid.rows), cut(p->m, 1, r + 1, grid.rows), cut(p->n, VL, s, grid.columns),
         cut(p->n, VL, s + 1, grid.columns), work);
  }
  return 0;
}

// The tiles from the fraction args[0] to args[1] of all; args[19] and args[20] are the grid.
static i32 tiles(const f64 *args) {
  Problem p = problem_of(args);
  Grid grid = {args[19], args[20]};
  f64 count = p.batch * grid.rows * grid.columns;
  return some_tiles(&p, grid, args[0] * count + 0.5, args[1] * count + 0.5);
}

// Multiply-adds that are worth a thread's attention: 2 us or so.
#define LEAST_WORK 130000

// args: the share of the work (all of it), a, b, c, batch, m, n, k, three strides of a, of b and two of c, accumulate,
// bias (or 0). Returns 0, or 1 where there is no memory.
i32 tstorch_gemm(f64 *args) {
  Problem p = problem_of(args);
  i64 threads = THREADS(args), affordable = p.m * p.n * p.k / LEAST_WORK;
  Grid grid = {1, 1};
  if (POOL(args) && threads > 1 && p.batch < 2 * threads && affordable > 1)
    grid = grid_of(&p, MIN(affordable, (threads + p.batch - 1) / p.batch));
  i64 count = p.batch * grid.rows * grid.columns;
  i64 parts = MIN(count, MIN(4 * threads, p.batch * p.m * p.n * p.k / LEAST_WORK));
  if (!POOL(args) || parts < 2) return some_tiles(&p, grid, 0, count);
  args[19] = grid.rows, args[20] = grid.columns;
  return POOL(args)(tiles, args, 21, parts, threads);
}
`

/** The C file with `i32 tstorch_gemm(const double *args)` for one float type. */
export const gemm_source = (type: 'f32' | 'f64'): string => tile_source(type) + GEMM
