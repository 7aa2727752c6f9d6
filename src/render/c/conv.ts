// Convolution and its gradients as C, for f32 and f64: which way each is computed, and how the work is divided, by the
// shape alone, so that results are the same for every number of threads. Not here: the ways themselves (conv_direct.ts,
// conv_winograd.ts, conv_weight_grad.ts), calling (device/).
import { DIRECT } from './conv_direct.ts'
import { PLANES } from './conv_planes.ts'
import { transforms_source } from './conv_transforms.ts'
import { WEIGHT_GRAD } from './conv_weight_grad.ts'
import { WINOGRAD } from './conv_winograd.ts'
import { tile_source } from './gemm.ts'

/**
 * Macros that take two vectors apart into even and odd lanes, and put them together again. ENDS are the even lanes where
 * the second begins with the last of the first.
 */
function shuffles(lanes: number, prefix: string, shuffle: string): string {
  const list = (f: (i: number) => number): string => Array.from({ length: lanes }, (_, i) => f(i)).join(', ')
  const merged = (begin: number) => (i: number) => begin + (i >> 1) + (i % 2) * lanes
  const orders = {
    EVENS: list(i => 2 * i),
    ODDS: list(i => 2 * i + 1),
    ENDS: list(i => 2 * i + (2 * i < lanes ? 0 : 1)),
    LOWS: list(merged(0)),
    HIGHS: list(merged(lanes / 2)),
  }
  const define = ([name, order]: [string, string]) =>
    `#define ${prefix}${name}(x, y) ${shuffle}(x, y, ${order})\n`
  return Object.entries(orders).map(define).join('')
}
const SHUFFLES = (type: 'f32' | 'f64'): string => {
  const size = type === 'f32' ? 4 : 8
  const wide = (bytes: number): string => shuffles(bytes / size, 'WIDE_', 'WIDE_SHUFFLE')
  return `
#if defined(__clang__) || __GNUC__ >= 12
#define WIDE_SHUFFLE SHUFFLE
#else
typedef ${type === 'f32' ? 'i32' : 'i64'} WideIndex __attribute__((vector_size(VECTOR_BYTES)));
#define WIDE_SHUFFLE(x, y, ...) __builtin_shuffle(x, y, (WideIndex){__VA_ARGS__})
#endif
${shuffles(16 / size, '', 'SHUFFLE')}#if VECTOR_BYTES == 64
${wide(64)}#elif VECTOR_BYTES == 32
${wide(32)}#else
${wide(16)}#endif
`
}

const ROUTINES = `
typedef struct {
  i64 kind;
  const T *input, *weight, *output, *bias;
  i64 batch, groups, in, out;
  Axis h, w;
} Problem;
enum { FORWARD, INPUT_GRAD, WEIGHT_GRAD };

static Problem problem_of(const double *args) {
#define ADDRESS(i) ((T *)(uintptr_t)args[i])
  const double *n = args + 7, *p = args + 11;
  return (Problem){args[2], ADDRESS(3), ADDRESS(4), ADDRESS(5), ADDRESS(6), n[0], n[1], n[2], n[3],
                   {p[0], p[2], p[4], p[6], p[8], p[10]}, {p[1], p[3], p[5], p[7], p[9], p[11]}};
}
#define ARGUMENTS 24  // the last is the address of the memory that all shares see

// That memory's beginning: whether sums of products alone may be taken, and whether a result was not finite.
typedef struct { i64 direct, not_finite; } State;
#define STATE(args) ((State *)(uintptr_t)(args)[23])
#define STATE_BYTES 64
#define SHARED(args) ((char *)(uintptr_t)(args)[23] + STATE_BYTES)
INLINE void not_finite(const double *args) { __atomic_store_n(&STATE(args)->not_finite, 1, __ATOMIC_RELAXED); }

// The part of 'units' that falls to a share.
INLINE void share_of(const double *args, i64 units, i64 *first, i64 *end) {
  *first = args[0] * units + 0.5, *end = args[1] * units + 0.5;
}

// Memory that a thread keeps from call to call, in pieces that begin at multiples of 64 bytes. 0 where there is none.
typedef struct { char *memory; i64 size; } Kept;
static char *keep(Kept *kept, i64 bytes) {
  if (bytes > kept->size) {
    free(kept->memory);
    kept->memory = aligned_alloc(4096, round_up(bytes, 4096));
    kept->size = kept->memory ? round_up(bytes, 4096) : 0;
  }
  return kept->memory;
}
static char *reserve(int count, const i64 *sizes, char **pieces) {
  static _Thread_local Kept kept;
  i64 bytes = 0;
  for (int i = 0; i < count; i++) bytes += round_up(sizes[i], 64);
  char *memory = keep(&kept, bytes), *at = memory;
  for (int i = 0; i < count; i++) pieces[i] = at, at += round_up(sizes[i], 64);
  return memory;
}

// ---- forward, and the input's gradient

enum { PIXELS, CHANNELS, ROWS, WINOGRAD };

// Each result channel of a group is a sum over the group's source channels. 'rows' result channels stand together in
// the packed weights; 'depth' values of k are taken at once. Results are cut into 'bands' of rows. The input's pixels by
// their remainders by the stride, steps_h * steps_w of them, are convolutions of their own.
typedef struct {
  const T *source, *weight, *bias;
  T *target;
  i64 batch, groups, sources, results, source_size, target_size, target_width, wi, wc, taps;
  i64 steps_h, steps_w, most_rows, method, rows, bands, planes, terms;
  int back;
  Axis h, w;
} Pass;

INLINE Split split_of(const Pass *p, int across, i64 step, i64 *words) {
  Axis x = across ? p->w : p->h;
  return p->back ? split_backward(x, step, words) : split_forward(x, words);
}
INLINE i64 depth_of(i64 sources, i64 taps) { return even_parts(sources, MAX(1, KC / MAX(1, taps))) * taps; }
INLINE i64 packed_rows(const Pass *p) { return round_up(p->results, p->rows); }
#define BIASES(n) (round_up(n, 2 * VL) + 2 * VL)

// The pixels by one pair of remainders. Returns whether there is a transform for them.
static int winograd_of(const Pass *p, i64 y, i64 z, i64 *words, Winograd *f) {
  Split h = split_of(p, 0, y, words), w = split_of(p, 1, z, words + SPLIT_WORDS(p->h));
  int made = make_winograd(f, h, w, p->batch, p->sources, p->results, widths[p->rows] * VL);
  f->rows = p->rows;
  return made;
}

// Takes Winograd's way where it takes less time than 'best'.
static void choose_winograd(Pass *p, double best) {
  i64 words[4 * (p->h.taps + p->w.taps)], tiles[] = {even_parts(p->results, MR), MR * 2 / 3, MR / 2}, rows = p->rows;
  if (p->h.taps > 5 || p->w.taps > 5) return;
  for (int i = 0; i < 3; i++) {
    double time = 0;
    i64 terms = 0, possible = 1;
    p->rows = tiles[i];
    for (i64 y = 0; y < p->steps_h && possible; y++) for (i64 z = 0; z < p->steps_w && possible; z++) {
      Winograd f;
      if (!(possible = winograd_of(p, y, z, words, &f))) break;
      double blocks = p->groups * f.blocks < 16 ? round_up(f.blocks, 2) : f.blocks, vectors = f.lanes / VL;
      double pixels = f.t->rows * f.t->columns, strips = 1 + vectors * VL / f.wide;
      double s = p->sources, r = round_up(p->results, p->rows);
      time += blocks * (f.t->terms * s * r * vectors * 1.08 + f.t->places * r * 3);
      time += blocks * s * (vectors * (pixels + 3 * f.t->terms) + strips * pixels * 4);
      time += blocks * r * (vectors * (2 * f.t->places + 20) + strips * 10) + (2 * p->taps + f.t->terms) * s * r / 4;
      terms += f.t->terms;
    }
    if (possible && time < best) best = time, p->method = WINOGRAD, p->terms = terms, rows = p->rows;
  }
  p->rows = rows;
}

// Chooses by estimates of the time, in products of vectors.
static void choose(Pass *p, int direct) {
  i64 words[4 * (p->h.taps + p->w.taps)];
  Split h = split_of(p, 0, 0, words), w = split_of(p, 1, 0, words + SPLIT_WORDS(p->h));
  double k = (double)p->sources * p->taps / (p->steps_h * p->steps_w), images = (double)p->batch * p->steps_h * p->steps_w;
  p->planes = p->sources * h.planes * w.planes;
  p->most_rows = h.count;
  if (p->sources == 1 && p->results == 1) {
    p->method = ROWS, p->rows = 1;
    return;
  }
  i64 rows = even_parts(p->results, MR), lanes = widths[rows] * VL;
  double positions = round_up((h.count - 1) * w.size + w.count, lanes) / VL;
  int whole = p->steps_w == 1 && (by_rows(&w, rows) || w.count == w.size);
  if (whole) positions = h.count * (double)w.count / VL;
  double in_pixels = images * positions * round_up(p->results, rows) * (k * 1.05 + (whole ? 5 : 14));
  int put = p->target_size * S % 2048 == 0 ? 24 : 8;  // results of one pixel evict each other
  double in_channels = images * h.count * (round_up(p->results, VL) / VL) *
                       (w.count * (k * (p->results > VL ? 1.03 : 1.2) + put) + (w.count < 6 ? (6 - w.count) * k : 0));
  p->method = in_channels < in_pixels ? CHANNELS : PIXELS;
  p->rows = p->method == CHANNELS ? 2 * VL : rows;
  if (!direct) choose_winograd(p, MIN(in_channels, in_pixels));
}

static Pass pass_of(const Problem *x, int direct) {
  Pass p = {0};
  i64 in = x->in / x->groups, out = x->out / x->groups, in_size = x->h.in * x->w.in, out_size = x->h.out * x->w.out;
  p.back = x->kind == INPUT_GRAD;
  p.batch = x->batch, p.groups = x->groups, p.h = x->h, p.w = x->w, p.taps = x->h.taps * x->w.taps;
  p.weight = x->weight, p.bias = x->bias;
  p.source = p.back ? x->output : x->input, p.target = (T *)(p.back ? x->input : x->output);
  p.sources = p.back ? out : in, p.results = p.back ? in : out;
  p.source_size = p.back ? out_size : in_size, p.target_size = p.back ? in_size : out_size;
  p.target_width = p.back ? x->w.in : x->w.out;
  p.wi = p.back ? p.taps : in * p.taps, p.wc = p.back ? in * p.taps : p.taps;
  p.steps_h = p.back ? MIN(x->h.stride, x->h.in) : 1, p.steps_w = p.back ? MIN(x->w.stride, x->w.in) : 1;
  choose(&p, direct);
  i64 units = p.batch * p.groups, bytes = p.planes * p.source_size * S;  // some units for each thread, planes that stay in the cache
  i64 wanted = MAX((16 + units - 1) / MAX(1, units), bytes / (512 * 1024));
  p.bands = p.method == ROWS ? 1 : MAX(1, MIN(wanted, p.most_rows / 4));
  return p;
}

static i64 packed_size(const Pass *p) {
  i64 rows = packed_rows(p);
  return p->sources * rows * (p->method == WINOGRAD ? p->terms : p->taps);
}
INLINE T *biases_of(const Pass *p, char *shared) { return (T *)shared + p->groups * packed_size(p); }

// Packs the weights of some groups of 'rows' result channels, and their biases.
static i32 pack_weights(const double *args) {
  Problem x = problem_of(args);
  Pass p = pass_of(&x, STATE(args)->direct);
  i64 groups = packed_rows(&p) / p.rows, first, end;
  i64 words[4 * (p.h.taps + p.w.taps)];
  share_of(args, p.groups * groups, &first, &end);
  for (i64 unit = first; unit < end; unit++) {
    i64 g = unit / groups, begin = unit % groups * p.rows, n = MIN(p.rows, p.results - begin);
    const T *weight = p.weight + g * p.sources * p.results * p.taps;
    T *a = (T *)SHARED(args) + g * packed_size(&p), *bias = biases_of(&p, SHARED(args)) + g * BIASES(p.results) + begin;
    for (i64 i = 0; i < p.rows || (begin + p.rows >= p.results && begin + i < BIASES(p.results)); i++)
      bias[i] = p.bias && i < n ? p.bias[g * p.results + begin + i] : 0;
    for (i64 y = 0; y < p.steps_h && p.method == WINOGRAD; y++) for (i64 z = 0; z < p.steps_w; z++) {
      Winograd f;
      winograd_of(&p, y, z, words, &f);
      winograd_weights(&f, unit % groups, weight, p.wi, p.wc, p.w.taps, a);
      a += f.t->terms * p.sources * packed_rows(&p);
    }
    for (i64 y = 0; y < p.steps_h && p.method != WINOGRAD; y++) for (i64 z = 0; z < p.steps_w; z++) {
      Split h = split_of(&p, 0, y, words), w = split_of(&p, 1, z, words + SPLIT_WORDS(p.h));
      i64 taps = h.taps * w.taps, k = p.sources * taps, depth = p.method == PIXELS ? depth_of(p.sources, taps) : k;
      // the last channels in lanes may be one vector
      i64 width = p.method == CHANNELS && n <= VL ? VL : p.rows;
      for (i64 i = 0; i < width && taps > 0; i++) {
        const T *s = weight + (begin + i) * p.wi;
        for (i64 c = 0; c < p.sources; c++, s += p.wc) {
          i64 block = c * taps / depth * depth;
          T *d = a + block * packed_rows(&p) + begin * MIN(depth, k - block) + (c * taps - block) * width + i;
          for (i64 t = 0; t < h.taps; t++) for (i64 u = 0; u < w.taps; u++, d += width)
            *d = i < n ? s[h.tap[t] * p.w.taps + w.tap[u]] : 0;
        }
      }
      a += k * packed_rows(&p);
    }
  }
  return 0;
}

// Pixels of the input that see the output by no tap.
static void without_taps(i64 channels, const Split *h, const Split *w, const T *bias, const Target *t) {
  for (i64 c = 0; c < channels; c++) for (i64 r = 0; r < h->count; r++) for (i64 q = 0; q < w->count; q++)
    t->out[c * t->channel + r * t->row + q * t->column] = bias[c];
}

static i32 direct_sums(const double *args) {
  Problem x = problem_of(args);
  Pass p = pass_of(&x, STATE(args)->direct);
  i64 first, end, band_rows = (p.most_rows + p.bands - 1) / p.bands, h_words = SPLIT_WORDS(p.h);
  share_of(args, p.batch * p.groups * p.bands, &first, &end);
  char *piece[5];
  i64 sizes[] = {(h_words + SPLIT_WORDS(p.w)) * 8, p.sources * p.taps * 8, 0, KC * 8, PANEL * S};
  i64 words[4 * (p.h.taps + p.w.taps)];
  Split h = split_of(&p, 0, 0, words), w = split_of(&p, 1, 0, words + h_words);
  sizes[2] = (p.planes * plane_size(&h, &w) + SLACK) * S;
  if (p.bands > 1) sizes[2] = (p.planes * (h.size - p.most_rows + band_rows) * w.size + SLACK) * S;
  if (!reserve(5, sizes, piece)) return 1;
  i64 *at = (i64 *)piece[1];
  for (i64 unit = first; unit < end; unit++) {
    i64 b = unit % p.bands, g = unit / p.bands % p.groups, n = unit / p.bands / p.groups;
    i64 begin = b * band_rows, stop = MIN(begin + band_rows, p.most_rows);
    if (begin >= stop) continue;
    const T *image = p.source + (n * p.groups + g) * p.sources * p.source_size, *planes = 0;
    const T *a = (T *)SHARED(args) + g * packed_size(&p), *bias = biases_of(&p, SHARED(args)) + g * BIASES(p.results);
    for (i64 y = 0; y < p.steps_h; y++) for (i64 z = 0; z < p.steps_w; z++) {
      h = split_of(&p, 0, y, words), w = split_of(&p, 1, z, words + h_words);
      int whole = is_whole(&h) && is_whole(&w);
      h = band(h, begin, stop, p.most_rows);
      // tiles of pixels read on behind the last pixel, where the last image has nothing
      whole = whole && (p.method == CHANNELS || unit < p.batch * p.groups * p.bands - 1);
      if (!planes && whole) planes = image + begin * p.w.in;
      else if (!planes) {
        planes = (T *)piece[2];
        fill(&h, &w, p.sources, p.source_size, image, (T *)piece[2]);
      }
      i64 taps = h.taps * w.taps, k = p.sources * taps;
      offsets(&h, &w, p.sources, planes == (T *)piece[2] ? plane_size(&h, &w) : p.source_size, at);
      T *out = p.target + (n * p.groups + g) * p.results * p.target_size + (y + begin * p.h.stride * p.back) * p.target_width + z;
      if (!p.back) out = p.target + (n * p.groups + g) * p.results * p.target_size + begin * p.target_width;
      Target target = {out, p.target_size, p.back ? p.target_width * p.h.stride : p.target_width, p.back ? p.w.stride : 1,
                       p.steps_w == 2 && x.w.in % 2 == 0 ? z + 1 : 0};
      if (k == 0) without_taps(p.results, &h, &w, bias, &target);
      else if (p.method == ROWS) row_sums(&h, &w, k, a, planes, at, *bias, &target);
      else if (p.method == CHANNELS) channel_products(&h, &w, p.results, k, a, planes, at, bias, &target);
      else if (p.taps == 1 && w.count == w.size && target.column == 1)
        plain_products(h.count * w.count, p.results, p.rows, k, depth_of(k, 1), a, planes, at, bias, out, p.target_size,
                       (T *)piece[4], (i64 *)piece[3]);
      else pixel_products(&h, &w, p.results, p.rows, k, depth_of(p.sources, taps), a, planes, at, bias, &target);
      a += k * packed_rows(&p);
    }
  }
  return 0;
}

static i32 by_winograd(const double *args) {
  Problem x = problem_of(args);
  Pass p = pass_of(&x, 0);
  i64 words[4 * (p.h.taps + p.w.taps)], first, end;
  Winograd f;
  winograd_of(&p, 0, 0, words, &f);
  i64 blocks = f.blocks, paired = p.steps_w == 2 && x.w.in % 2 == 0;  // the other remainders have no more blocks
  share_of(args, p.groups * p.steps_h * blocks, &first, &end);
  for (i64 unit = first; unit < end; unit++) {
    i64 y = unit / blocks % p.steps_h, g = unit / blocks / p.steps_h, block = unit % blocks;
    const T *u = (T *)SHARED(args) + g * packed_size(&p), *bias = biases_of(&p, SHARED(args)) + g * BIASES(p.results);
    T *out = p.target + g * p.results * p.target_size + y * p.target_width;
    for (i64 i = 0; i < (y + 1) * p.steps_w; i++) {
      i64 z = i % p.steps_w, sizes[WINOGRAD_PIECES];
      char *piece[WINOGRAD_PIECES];
      winograd_of(&p, i / p.steps_w, z, words, &f);
      const T *packed = u;
      u += f.t->terms * p.sources * packed_rows(&p);
      if (i < y * p.steps_w || block >= f.blocks) continue;
      winograd_memory(&f, sizes);
      if (!reserve(WINOGRAD_PIECES, sizes, piece)) return 1;
      Target target = {out + z, p.target_size, p.target_width, 1};
      if (p.back) target.row *= p.h.stride, target.column = p.w.stride, target.paired = paired ? z + 1 : 0;
      if (winograd_blocks(&f, block, block + 1, p.source + g * p.sources * p.source_size,
                          p.groups * p.sources * p.source_size, p.source_size, packed, bias, &target,
                          p.groups * p.results * p.target_size, piece))
        not_finite(args);
    }
  }
  return 0;
}

// ---- the weights' gradient

// Units are blocks of output channels, of 'lanes', by blocks of a group's input channels, by parts of the batch.
// Each of the latter has weights of its own, which are added up at the end.
typedef struct { i64 in, out, taps, lanes, channels, outs, ins, parts, weights, transformed, block; } Sums;

// Whether transforms take less time, and how many channels they then take at once, by how many output channels.
static i64 transformed_channels(const Problem *x, Sums *s) {
  i64 words[4 * (x->h.taps + x->w.taps)];
  Winograd f;
  if (s->out < 8 || x->h.taps > 5 || x->w.taps > 5) return 0;
  Split h = split_forward(x->h, words), w = split_forward(x->w, words + SPLIT_WORDS(x->h));
  if (!make_winograd(&f, h, w, x->batch, s->in, 0, 4 * VL)) return 0;
  i64 many = MIN(s->out, 4 * s->lanes), channels = even_parts(s->in, MAX(1, 640 * 1024 / (f.t->terms * (f.lanes + many) * S)));
  double outs = round_up(s->out, VL) / VL, ins = (s->in + channels - 1) / channels, units = (s->out + many - 1) / many;
  double pixels = f.t->rows * f.t->columns, strips = 1 + (double)f.lanes / f.wide, c = s->in;
  double direct = (double)h.count * w.count * s->taps * c * outs * 1.2;
  double tiles = (f.t->terms * c + ins * (4 * f.t->places + 40)) * outs * 1.1;
  double blocks = units * c * (4 * (pixels + 3 * f.t->terms) + strips * pixels * 4);
  if ((f.tiles * tiles + f.blocks * blocks) / x->batch >= direct) return 0;
  s->block = many;
  return channels;
}

static Sums sums_of(const Problem *x, int direct) {
  Sums s = {x->in / x->groups, x->out / x->groups, x->h.taps * x->w.taps};
  s.lanes = s.out < 4 ? s.out : s.out > VL ? 2 * VL : VL;
  s.block = s.lanes;
  s.transformed = direct ? 0 : transformed_channels(x, &s);
  s.channels = s.transformed ? s.transformed : even_parts(s.in, MAX(1, 288 / s.taps));
  s.outs = (s.out + s.block - 1) / s.block, s.ins = (s.in + s.channels - 1) / s.channels;
  i64 units = x->groups * s.outs * s.ins;
  s.parts = MAX(1, MIN((16 + units - 1) / units, x->batch));
  s.weights = x->out * s.in * s.taps;
  return s;
}

static i32 weight_sums(const double *args) {
  Problem x = problem_of(args);
  Sums s = sums_of(&x, STATE(args)->direct);
  int few = s.out < 4;
  i64 in_size = x.h.in * x.w.in, out_size = x.h.out * x.w.out, k = s.in * s.taps, first, end;
  i64 most_rows = MIN(x.h.out, MAX(1, 256 / x.w.out)), h_words = SPLIT_WORDS(x.h);
  share_of(args, x.groups * s.outs * s.ins * s.parts, &first, &end);
  i64 words[4 * (x.h.taps + x.w.taps)];
  Split h = split_forward(x.h, words), w = split_forward(x.w, words + h_words);
  i64 planes_size = s.channels * h.planes * w.planes * plane_size(&h, &w) + SLACK;
  i64 sum_size = s.channels * s.taps * round_up(s.block, s.lanes) * S;
  i64 sizes[1 + GRADIENT_PIECES] = {sum_size, s.channels * s.taps * 8, most_rows * x.w.out * s.lanes * S, planes_size * S};
  char *piece[1 + GRADIENT_PIECES];
  Winograd f;
  if (s.transformed) {
    make_winograd(&f, h, w, x.batch, s.channels, s.block, 4 * VL);
    gradient_memory(&f, s.block, s.lanes, sizes + 1);
  }
  if (!reserve(s.transformed ? 1 + GRADIENT_PIECES : 4, sizes, piece)) return 1;
  i64 *at = (i64 *)piece[1];
  T *packed = (T *)piece[2], *planes = (T *)piece[3];
  int whole = is_whole(&h) && is_whole(&w);
  if (!s.transformed) offsets(&h, &w, s.channels, whole ? in_size : plane_size(&h, &w), at);
  for (i64 unit = first; unit < end; unit++) {
    i64 part = unit % s.parts, c = unit / s.parts % s.ins * s.channels;
    i64 o = unit / s.parts / s.ins % s.outs * s.block, g = unit / s.parts / s.ins / s.outs;
    i64 channels = MIN(s.channels, s.in - c), outs = MIN(s.block, s.out - o), kb = channels * s.taps;
    T *sum = (T *)piece[0];
    i64 image_end = (part + 1) * x.batch / s.parts, n = part * x.batch / s.parts;
    if (s.transformed) {
      make_winograd(&f, h, w, image_end - n, channels, outs, 4 * VL);
      winograd_gradient(&f, x.input + (n * x.in + g * s.in + c) * in_size, x.in * in_size, in_size, s.lanes,
                        x.output + (n * x.out + g * s.out + o) * out_size, x.out * out_size, out_size, piece + 1, sum);
      n = image_end;
    } else memset(sum, 0, sum_size);
    // for each input channel, tap and output channel, in this order
    for (; n < image_end; n++) {
      const T *gradient = x.output + (n * x.out + g * s.out + o) * out_size;
      const T *image = x.input + (n * x.in + g * s.in + c) * in_size, *pixels = whole ? image : planes;
      if (!whole) fill(&h, &w, channels, in_size, image, planes);
      for (i64 i = 0; few && i < outs; i++) for (i64 j = 0; j < kb; j += TAPS)
        few_channels(&h, &w, MIN(TAPS, kb - j), pixels, at + j, gradient + i * out_size, sum + i * kb + j);
      for (i64 r = 0; !few && r < h.count; r += most_rows) {
        i64 rows = MIN(most_rows, h.count - r), height = even_parts(kb, MR);
        pack(outs, s.lanes, rows * w.count, gradient + r * w.count, out_size, 1, packed);
        for (i64 j = 0; j < kb; j += height)
          (s.lanes > VL ? pair : single)[MIN(height, kb - j)](rows, w.count, pixels + r * w.size, at + j, w.size, packed,
                                                              sum + j * s.lanes, s.lanes);
      }
    }
    T *weight = s.parts == 1 ? (T *)x.weight : (T *)SHARED(args) + part * s.weights;
    weight += (g * s.out + o) * k + c * s.taps;
    for (i64 i = 0; few && i < outs; i++) copy(weight + i * k, sum + i * kb, kb);
    Vector check = {0};
    for (i64 i = 0; !few && i < outs; i += s.lanes, sum += kb * s.lanes) {
      for (i64 j = 0; s.transformed && j < kb * s.lanes; j += VL) check += *(Vector *)(sum + j) * 0;
      put(kb, MIN(s.lanes, outs - i), s.lanes, sum, weight + i * k, k, 1);
    }
    if (!all_zero(check)) not_finite(args);
  }
  return 0;
}

// Adds up the parts' weights, always in this order.
static i32 add_parts(const double *args) {
  Problem x = problem_of(args);
  Sums s = sums_of(&x, STATE(args)->direct);
  i64 first, end;
  share_of(args, s.weights, &first, &end);
  T *weight = (T *)x.weight, *part = (T *)SHARED(args);
  copy(weight + first, part + first, end - first);
  for (i64 i = 1; i < s.parts; i++) add(weight + first, part + i * s.weights + first, end - first);
  return 0;
}

// ---- all of it

// Multiply-adds that are worth a thread's attention.
#define LEAST_WORK 500000

// Runs a phase on all threads where its work is large; 'args' has the pool, 'all' what the phase reads.
static i32 phase(Part *f, const f64 *args, const f64 *all, f64 work) {
  i64 parts = MIN(4 * THREADS(args), (i64)(work / LEAST_WORK));
  return POOL(args) && parts > 1 ? POOL(args)(f, all, ARGUMENTS, parts, THREADS(args)) : f(all);
}

// Returns -1 where a result is not finite and sums of products may give another.
static i32 run(const double *args, const Problem *x, int direct) {
  static _Thread_local Kept shared;
  double all[ARGUMENTS];
  memcpy(all, args, sizeof all - sizeof(double));
  i64 words, kind = x->kind;
  Pass p;
  Sums s;
  if (kind == WEIGHT_GRAD) {
    s = sums_of(x, direct);
    words = s.parts > 1 ? s.parts * s.weights : 0;
  } else {
    p = pass_of(x, direct);
    words = p.groups * (packed_size(&p) + BIASES(p.results));
  }
  State *state = (State *)keep(&shared, words * S + STATE_BYTES);
  if (!state) return 1;
  *state = (State){direct, 0};
  all[ARGUMENTS - 1] = (uintptr_t)state;
  f64 work = (f64)x->batch * x->out * (x->in / x->groups) * x->h.taps * x->w.taps * x->h.out * x->w.out;
  i32 status = 0;
  if (kind == WEIGHT_GRAD) status = phase(weight_sums, args, all, work) || (s.parts > 1 && phase(add_parts, args, all, words));
  else status = phase(pack_weights, args, all, 4 * words) || phase(p.method == WINOGRAD ? by_winograd : direct_sums, args, all, work);
  return status ? status : -state->not_finite;
}

// args: the share of the work (all), kind, input, weight, output, bias (or 0), batch, groups, channels in and out, then
// pairs: size in, size out, kernel, stride, padding, dilation. Returns 0, or 1 where there is no memory.
i32 tstorch_conv(const double *args) {
  Problem x = problem_of(args);
  i32 status = run(args, &x, 0);
  return status < 0 ? run(args, &x, 1) : status;
}
`

/** The C file with `i32 tstorch_conv(const double *args)` for one float type. */
export const conv_source = (type: 'f32' | 'f64'): string =>
  tile_source(type) +
  SHUFFLES(type) +
  PLANES +
  DIRECT +
  WEIGHT_GRAD +
  transforms_source() +
  WINOGRAD +
  ROUTINES
