// Convolution and its gradients as C, for f32 and f64: matrix multiply whose one operand is an image. The image is
// copied once, padded and split by stride into planes, so that each weight sees its pixels as one run of memory at a
// fixed offset; the register tile then reads the planes directly and no matrix of patches is ever built.
// Not here: the tile and packing (gemm.ts), calling (device/).
import { tile_source } from './gemm.ts'

// The tile of gemm.ts with a table of where each row of b begins.
const TILES = `
INLINE void offset_tile(const int R, const int N, i64 k, const T *a, const T *b, const i64 *at, T *c, i64 cr,
                        int accumulate) {
  Vector sum[MR][8], x[8];
  UNROLL for (int i = 0; i < R; i++) UNROLL for (int j = 0; j < N; j++) sum[i][j] = (Vector){0};
  for (i64 p = 0; p < k; p++) {
    const T *row = b + at[p];
    UNROLL for (int j = 0; j < N; j++) x[j] = *(const Unaligned *)(row + j * VL);
    UNROLL for (int i = 0; i < R; i++) {
      Vector y = a[p * R + i] - (Vector){0};
      UNROLL for (int j = 0; j < N; j++) sum[i][j] += y * x[j];
    }
  }
  UNROLL for (int i = 0; i < R; i++) UNROLL for (int j = 0; j < N; j++) {
    Unaligned *d = (Unaligned *)(c + i * cr + j * VL);
    if (accumulate) *d += sum[i][j];
    else *d = sum[i][j];
  }
}

// c[i][N vectors] += the sum over rows and columns of plane[at[i] + row * pitch + column] * b[row * columns + column].
INLINE void gradient_tile(const int R, const int N, i64 rows, i64 columns, const T *plane, const i64 *at, i64 pitch,
                          const T *b, T *c, i64 cr) {
  Vector sum[MR][8], x[8];
  const T *a[MR];
  UNROLL for (int i = 0; i < R; i++) UNROLL for (int j = 0; j < N; j++) sum[i][j] = *(Unaligned *)(c + i * cr + j * VL);
  for (i64 r = 0; r < rows; r++) {
    UNROLL for (int i = 0; i < R; i++) a[i] = plane + at[i] + r * pitch;
    for (i64 q = 0; q < columns; q++) {
      UNROLL for (int j = 0; j < N; j++) x[j] = *(const Unaligned *)(b + j * VL);
      UNROLL for (int i = 0; i < R; i++) {
        Vector y = a[i][q] - (Vector){0};
        UNROLL for (int j = 0; j < N; j++) sum[i][j] += y * x[j];
      }
      b += N * VL;
    }
  }
  UNROLL for (int i = 0; i < R; i++) UNROLL for (int j = 0; j < N; j++) *(Unaligned *)(c + i * cr + j * VL) = sum[i][j];
}

typedef void Tile(i64 k, const T *a, const T *b, const i64 *at, T *c, i64 cr, int accumulate);
typedef void Gradient(i64 rows, i64 columns, const T *plane, const i64 *at, i64 pitch, const T *b, T *c, i64 cr);
#define DEFINE_TILE(name, r, n) \\
  static void name##r(i64 k, const T *a, const T *b, const i64 *at, T *c, i64 cr, int accumulate) { \\
    offset_tile(r, n, k, a, b, at, c, cr, accumulate); \\
  }
#define DEFINE_GRADIENT(name, r, n) \\
  static void name##r(i64 rows, i64 columns, const T *plane, const i64 *at, i64 pitch, const T *b, T *c, i64 cr) { \\
    gradient_tile(r, n, rows, columns, plane, at, pitch, b, c, cr); \\
  }
#define DEFINE_ALL(r) DEFINE_TILE(wide, r, WIDTH(r)) DEFINE_TILE(narrow, r, 1) \\
  DEFINE_GRADIENT(pair, r, 2) DEFINE_GRADIENT(single, r, 1)
EACH_ROW_COUNT(DEFINE_ALL)
#define WIDE(r) wide##r,
#define NARROW(r) narrow##r,
#define PAIR(r) pair##r,
#define SINGLE(r) single##r,
static Tile *const wide[] = {0, EACH_ROW_COUNT(WIDE)}, *const narrow[] = {0, EACH_ROW_COUNT(NARROW)};
static Gradient *const pair[] = {0, EACH_ROW_COUNT(PAIR)}, *const single[] = {0, EACH_ROW_COUNT(SINGLE)};
static const i64 widths[] = {0,
#define WIDTH_OF(r) WIDTH(r),
EACH_ROW_COUNT(WIDTH_OF)};
`

const PLANES = `
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define KC ((i64)(1536 / S))
#define SLACK (8 * VL)  // tiles read past the last pixel

// One dimension of a convolution: pixel i of the output and tap t meet at pixel i * stride + t * dilation - padding.
typedef struct { i64 in, out, taps, stride, padding, dilation; } Axis;

// An axis as planes. Pixel j of plane n is pixel first[n] + j * step of the source, 0 outside of it. The n-th of the
// taps is tap[n], which meets the first of 'count' results at pixel offset[n] of plane[n].
typedef struct { i64 planes, size, count, taps, step, source, *first, *tap, *plane, *offset; } Split;

INLINE Split split(Axis x, i64 count, i64 step, i64 source, i64 *words) {
  return (Split){0, 0, count, 0, step, source, words, words + x.taps, words + 2 * x.taps, words + 3 * x.taps};
}

// The input as the output sees it: a plane for each remainder by the stride on which some tap falls.
static Split split_forward(Axis x, i64 *words) {
  Split s = split(x, x.out, x.stride, x.in, words);
  for (i64 t = 0; t < x.taps; t++) {
    i64 first = t * x.dilation % x.stride - x.padding, n = 0;
    while (n < s.planes && s.first[n] != first) n++;
    if (n == s.planes) s.first[s.planes++] = first;
    s.tap[t] = t, s.plane[t] = n, s.offset[t] = t * x.dilation / x.stride;
  }
  s.taps = x.taps;
  s.size = x.out + (x.taps - 1) * x.dilation / x.stride;
  return s;
}

// The output as the input's pixels begin, begin + stride, ... see it: by those taps that fall on its pixels.
static Split split_backward(Axis x, i64 begin, i64 *words) {
  Split s = split(x, (x.in - begin + x.stride - 1) / x.stride, 1, x.out, words);
  i64 lowest = 0, highest = 0;
  for (i64 t = 0; t < x.taps; t++) {
    i64 distance = begin + x.padding - t * x.dilation, at = distance / x.stride;
    if (distance % x.stride != 0) continue;
    if (s.taps == 0 || at < lowest) lowest = at;
    if (s.taps == 0 || at > highest) highest = at;
    s.tap[s.taps] = t, s.plane[s.taps] = 0, s.offset[s.taps++] = at;
  }
  for (i64 n = 0; n < s.taps; n++) s.offset[n] -= lowest;
  s.planes = 1, s.first[0] = lowest, s.size = s.count + highest - lowest;
  return s;
}

// As many pixels, over all planes, as either way of splitting can need.
INLINE i64 most_pixels(Axis x) {
  i64 reach = (x.taps - 1) * x.dilation / x.stride + 1;
  return MAX(MIN(x.taps, x.stride) * (x.out + reach), (x.in + x.stride - 1) / x.stride + reach);
}
INLINE i64 round_up(i64 n, i64 unit) { return (n + unit - 1) / unit * unit; }
INLINE i64 plane_size(const Split *h, const Split *w) { return h->size * w->size; }

INLINE void copy(T *d, const T *s, i64 n) {
  i64 i = 0;
  for (; i + QL <= n; i += QL) *(Quarter *)(d + i) = *(const Quarter *)(s + i);
  for (; i < n; i++) d[i] = s[i];
}
INLINE void add(T *d, const T *s, i64 n) {
  i64 i = 0;
  for (; i + QL <= n; i += QL) *(Quarter *)(d + i) += *(const Quarter *)(s + i);
  for (; i < n; i++) d[i] += s[i];
}

// Pixels j of a plane that lie inside of the source: from <= j < to.
INLINE void inside(const Split *s, i64 plane, i64 *from, i64 *to) {
  i64 first = s->first[plane];
  *from = first >= 0 ? 0 : MIN(s->size, (-first + s->step - 1) / s->step);
  i64 end = s->source <= first ? 0 : (s->source - first + s->step - 1) / s->step;
  *to = MIN(s->size, end);
}

// Copies one image of 'channels' into its planes. Their margins stay as they are: 0.
static void fill(const Split *h, const Split *w, i64 channels, const T *image, T *planes) {
  for (i64 c = 0; c < channels; c++, image += h->source * w->source)
    for (i64 y = 0; y < h->planes; y++) for (i64 x = 0; x < w->planes; x++, planes += plane_size(h, w)) {
      i64 top, bottom, left, right;
      inside(h, y, &top, &bottom);
      inside(w, x, &left, &right);
      for (i64 r = top; r < bottom && left < right; r++) {
        const T *s = image + (h->first[y] + r * h->step) * w->source + w->first[x] + left * w->step;
        T *d = planes + r * w->size + left;
        if (w->step == 1) copy(d, s, right - left);
        else for (i64 q = 0; q < right - left; q++) d[q] = s[q * w->step];
      }
    }
}

// Where each (channel, tap) begins in the planes.
static void offsets(const Split *h, const Split *w, i64 channels, i64 *at) {
  for (i64 c = 0; c < channels; c++)
    for (i64 y = 0; y < h->taps; y++) for (i64 x = 0; x < w->taps; x++)
      *at++ = ((c * h->planes + h->plane[y]) * w->planes + w->plane[x]) * plane_size(h, w) + h->offset[y] * w->size +
              w->offset[x];
}
`

const PRODUCT = `
// Where results go: row r and column q of channel i to out[i * channel + r * row + q * column].
typedef struct { T *out; i64 channel, row, column; } Target;
typedef struct { i64 lane, length, at; } Segment;

// The lanes from 'position' on that are results, in runs within a row.
static i64 segments_of(const Split *h, const Split *w, const Target *t, i64 position, i64 lanes, Segment *segment) {
  i64 count = 0, r = position / w->size, q = position % w->size;
  for (i64 lane = 0; lane < lanes && r < h->count; r++, q = 0) {
    i64 length = MIN(w->count - q, lanes - lane);
    if (length > 0) segment[count++] = (Segment){lane, length, r * t->row + q * t->column};
    lane += w->size - q;
  }
  return count;
}

// out[i] (+)= a[i] * planes for channels i in groups of 'rows', whose k values are packed one after the other.
static void product(const Split *h, const Split *w, i64 channels, i64 rows, i64 k, const T *a, const T *planes,
                    const i64 *at, const Target *target, int accumulate) {
  T buffer[MR * 8 * VL] __attribute__((aligned(VECTOR_BYTES)));
  Segment segment[8 * VL + 2];
  i64 end = (h->count - 1) * w->size + w->count, whole = widths[rows] * VL;
  for (i64 position = 0, lanes; position < end; position += lanes) {
    // what is left takes a whole tile or some of one vector, each of which takes at least the latency of an fma
    lanes = (end - position + VL - 1) / VL * MAX(rows, 4) < widths[rows] * rows ? VL : whole;
    Tile *tile = lanes == VL && whole > VL ? narrow[rows] : wide[rows];
    i64 count = segments_of(h, w, target, position, lanes, segment);
    int direct = target->column == 1 && count == 1 && segment[0].length == lanes;
    for (i64 i = 0; i < channels; i += rows) {
      i64 n = MIN(rows, channels - i);
      T *out = target->out + i * target->channel;
      if (direct && n == rows) {
        tile(k, a + i * k, planes + position, at, out + segment[0].at, target->channel, accumulate);
        continue;
      }
      tile(k, a + i * k, planes + position, at, buffer, lanes, 0);
      for (i64 j = 0; j < n; j++) for (i64 g = 0; g < count; g++) {
        T *d = out + j * target->channel + segment[g].at, *s = buffer + j * lanes + segment[g].lane;
        if (target->column != 1)
          for (i64 q = 0; q < segment[g].length; q++)
            d[q * target->column] = accumulate ? d[q * target->column] + s[q] : s[q];
        else if (accumulate) add(d, s, segment[g].length);
        else copy(d, s, segment[g].length);
      }
    }
  }
}

// In blocks of k and of channels, so that a block of a stays in the cache.
static void products(const Split *h, const Split *w, i64 channels, i64 rows, i64 k, i64 depth, const T *a,
                     const T *planes, const i64 *at, const Target *target) {
  i64 padded = round_up(channels, rows), block = rows * MAX(1, 96 / rows);
  for (i64 p = 0; p < k; p += depth)
    for (i64 i = 0; i < channels; i += block) {
      Target part = *target;
      part.out += i * target->channel;
      i64 kb = MIN(depth, k - p);
      product(h, w, MIN(block, channels - i), rows, kb, a + p * padded + i * kb, planes, at + p, &part, p > 0);
    }
}
`

const ROUTINES = `
typedef struct { const T *input, *weight, *output, *bias; i64 batch, groups, in, out; Axis h, w; } Problem;

// The memory of a call, kept by each thread: numbers, where each row of b begins, and three arrays. 0 if there is none.
typedef struct { i64 *h, *w, *at; T *a, *b, *planes; } Work;
static int reserve(const Problem *x, i64 channels, i64 rows_of_b, i64 a, i64 b, Work *work) {
  static _Thread_local char *memory;
  static _Thread_local i64 size;
  i64 sizes[] = {(4 * (x->h.taps + x->w.taps) + rows_of_b) * 8, a * S, b * S,
                 (channels * most_pixels(x->h) * most_pixels(x->w) + SLACK) * S};
  i64 bytes = 0, begins[4];
  for (int i = 0; i < 4; i++) begins[i] = bytes, bytes += round_up(sizes[i], 64);
  if (bytes > size) {
    free(memory);
    memory = aligned_alloc(64, bytes);
    size = memory ? bytes : 0;
  }
  if (!memory) return 0;
  i64 *words = (i64 *)memory;
  *work = (Work){words, words + 4 * x->h.taps, words + 4 * (x->h.taps + x->w.taps), (T *)(memory + begins[1]),
                 (T *)(memory + begins[2]), (T *)(memory + begins[3])};
  memset(work->planes, 0, sizes[3]);
  return 1;
}

INLINE i64 even_parts(i64 n, i64 most) {
  i64 parts = (n + most - 1) / most;
  return (n + parts - 1) / parts;
}

// How many numbers a block of k has: whole source channels.
INLINE i64 depth_of(i64 sources, i64 taps) { return even_parts(sources, MAX(1, KC / MAX(1, taps))) * taps; }

// The weights as products() takes them: for each block of k, groups of rows, k after each other.
// Channel i meets source channel c with weight[i * wi + c * wc + tap]; the further apart of the two is the outer loop.
static void pack_weights(const Split *h, const Split *w, i64 channels, i64 sources, i64 rows, i64 depth,
                         const T *weight, i64 wi, i64 wc, i64 width, T *a) {
  i64 taps = h->taps * w->taps, padded = round_up(channels, rows), outer = wi > wc ? padded : sources;
  for (i64 m = 0; taps > 0 && m < outer; m++) for (i64 n = 0; n < padded * sources / outer; n++) {
    i64 i = wi > wc ? m : n, c = wi > wc ? n : m, begin = c * taps / depth * depth;
    const T *s = weight + i * wi + c * wc;
    T *d = a + begin * padded + i / rows * rows * MIN(depth, sources * taps - begin) + (c * taps - begin) * rows + i % rows;
    for (i64 y = 0; y < h->taps; y++) for (i64 x = 0; x < w->taps; x++, d += rows)
      *d = i < channels ? s[h->tap[y] * width + w->tap[x]] : 0;
  }
}

// Adds its bias to each channel of an image, if there are any.
static void add_bias(const T *bias, i64 channels, i64 pixels, T *image) {
  for (i64 c = 0; bias && c < channels; c++, image += pixels) for (i64 i = 0; i < pixels; i++) image[i] += bias[c];
}

static i32 forward(const Problem *x) {
  i64 in = x->in / x->groups, out = x->out / x->groups, taps = x->h.taps * x->w.taps, k = in * taps;
  i64 rows = even_parts(out, MR), depth = depth_of(in, taps);
  i64 in_image = x->h.in * x->w.in, out_image = x->h.out * x->w.out;
  Work work;
  if (!reserve(x, in, k, round_up(out, rows) * k, 0, &work)) return 1;
  Split h = split_forward(x->h, work.h), w = split_forward(x->w, work.w);
  offsets(&h, &w, in, work.at);
  for (i64 g = 0; g < x->groups; g++) {
    pack_weights(&h, &w, out, in, rows, depth, x->weight + g * out * k, k, taps, x->w.taps, work.a);
    for (i64 n = 0; n < x->batch; n++) {
      Target target = {(T *)x->output + (n * x->out + g * out) * out_image, out_image, x->w.out, 1};
      fill(&h, &w, in, x->input + (n * x->in + g * in) * in_image, work.planes);
      products(&h, &w, out, rows, k, depth, work.a, work.planes, work.at, &target);
      add_bias(x->bias ? x->bias + g * out : 0, out, out_image, target.out);
    }
  }
  return 0;
}

// The pixels of the input that see the output by no tap.
static void clear(i64 channels, const Split *h, const Split *w, const Target *t) {
  for (i64 c = 0; c < channels; c++) for (i64 r = 0; r < h->count; r++) for (i64 q = 0; q < w->count; q++)
    t->out[c * t->channel + r * t->row + q * t->column] = 0;
}

// Each remainder of the input's pixels by the stride is a convolution of its own.
static i32 input_grad(const Problem *x) {
  i64 in = x->in / x->groups, out = x->out / x->groups, taps = x->h.taps * x->w.taps, rows = even_parts(in, MR);
  i64 in_image = x->h.in * x->w.in, out_image = x->h.out * x->w.out;
  Work work;
  if (!reserve(x, out, out * taps, round_up(in, rows) * out * taps, 0, &work)) return 1;
  for (i64 y = 0; y < MIN(x->h.stride, x->h.in); y++) for (i64 z = 0; z < MIN(x->w.stride, x->w.in); z++) {
    Split h = split_backward(x->h, y, work.h), w = split_backward(x->w, z, work.w);
    i64 k = out * h.taps * w.taps, depth = depth_of(out, h.taps * w.taps);
    offsets(&h, &w, out, work.at);
    memset(work.planes, 0, (out * plane_size(&h, &w) + SLACK) * S);
    for (i64 g = 0; g < x->groups; g++) {
      const T *weight = x->weight + g * out * in * taps;
      pack_weights(&h, &w, in, out, rows, depth, weight, taps, in * taps, x->w.taps, work.a);
      for (i64 n = 0; n < x->batch; n++) {
        T *image = (T *)x->input + (n * x->in + g * in) * in_image + y * x->w.in + z;
        Target target = {image, in_image, x->w.in * x->h.stride, x->w.stride};
        if (k == 0) {
          clear(in, &h, &w, &target);
          continue;
        }
        fill(&h, &w, out, x->output + (n * x->out + g * out) * out_image, work.planes);
        products(&h, &w, in, rows, k, depth, work.a, work.planes, work.at, &target);
      }
    }
  }
  for (i64 n = 0; n < x->batch; n++) add_bias(x->bias, x->in, in_image, (T *)x->input + n * x->in * in_image);
  return 0;
}

// sum[j] += the products of four runs of planes with the output's gradient, for few output channels.
static void few_channels(const Split *h, const Split *w, i64 count, const T *planes, const i64 *at, const T *gradient,
                         T *sum) {
  const T *p[4];
  Quarter lanes[4] = {0};
  T rest[4] = {0};
  for (i64 j = 0; j < 4; j++) p[j] = planes + at[MIN(j, count - 1)];
  for (i64 r = 0; r < h->count; r++, gradient += w->count) {
    i64 q = 0;
    for (; q + QL <= w->count; q += QL) {
      Quarter y = *(const Quarter *)(gradient + q);
      UNROLL for (int j = 0; j < 4; j++) lanes[j] += *(const Quarter *)(p[j] + q) * y;
    }
    for (; q < w->count; q++) UNROLL for (int j = 0; j < 4; j++) rest[j] += p[j][q] * gradient[q];
    UNROLL for (int j = 0; j < 4; j++) p[j] += w->size;
  }
  for (i64 j = 0; j < count; j++) {
    for (i64 l = 0; l < QL; l++) rest[j] += lanes[j][l];
    sum[j] += rest[j];
  }
}

static i32 weight_grad(const Problem *x) {
  i64 in = x->in / x->groups, out = x->out / x->groups, k = in * x->h.taps * x->w.taps;
  i64 in_image = x->h.in * x->w.in, out_image = x->h.out * x->w.out;
  i64 few = out < 4, lanes = few ? 1 : out > VL ? 2 * VL : VL, padded = round_up(out, lanes);
  i64 most_rows = MIN(x->h.out, MAX(1, 256 / x->w.out));
  Work work;
  if (!reserve(x, in, k, k * padded, most_rows * x->w.out * lanes, &work)) return 1;
  Split h = split_forward(x->h, work.h), w = split_forward(x->w, work.w);
  offsets(&h, &w, in, work.at);
  for (i64 g = 0; g < x->groups; g++) {
    memset(work.a, 0, k * padded * S);  // a sum for each input channel, tap and output channel, in this order
    for (i64 n = 0; n < x->batch; n++) {
      const T *gradient = x->output + (n * x->out + g * out) * out_image;
      fill(&h, &w, in, x->input + (n * x->in + g * in) * in_image, work.planes);
      for (i64 o = 0; few && o < out; o++) for (i64 j = 0; j < k; j += 4)
        few_channels(&h, &w, MIN(4, k - j), work.planes, work.at + j, gradient + o * out_image, work.a + o * k + j);
      for (i64 r = 0; !few && r < h.count; r += most_rows) for (i64 o = 0; o < out; o += lanes) {
        i64 rows = MIN(most_rows, h.count - r), height = even_parts(k, MR);
        pack(MIN(lanes, out - o), lanes, rows * w.count, gradient + o * out_image + r * w.count, out_image, 1, work.b);
        for (i64 j = 0; j < k; j += height)
          (lanes > VL ? pair : single)[MIN(height, k - j)](rows, w.count, work.planes + r * w.size, work.at + j,
                                                          w.size, work.b, work.a + j * padded + o, padded);
      }
    }
    T *weight = (T *)x->weight + g * out * k;
    for (i64 o = 0; o < out; o++) for (i64 j = 0; j < k; j++)
      weight[o * k + j] = few ? work.a[o * k + j] : work.a[j * padded + o];
  }
  return 0;
}

// args: the share of the work, kind, input, weight, output, bias (or 0), batch, groups, channels in and out, then pairs: size in,
// size out, kernel, stride, padding, dilation. Returns 0, or 1 where there is no memory.
i32 tstorch_conv(const double *args) {
  const double *n = args + 7, *p = args + 11;
  Problem x = {(const T *)(uintptr_t)args[3], (const T *)(uintptr_t)args[4], (const T *)(uintptr_t)args[5],
               (const T *)(uintptr_t)args[6],
               n[0], n[1], n[2], n[3],
               {p[0], p[2], p[4], p[6], p[8], p[10]}, {p[1], p[3], p[5], p[7], p[9], p[11]}};
  return args[2] == 0 ? forward(&x) : args[2] == 1 ? input_grad(&x) : weight_grad(&x);
}
`

/** The C file with `i32 tstorch_conv(const double *args)` for one float type. */
export const conv_source = (type: 'f32' | 'f64'): string =>
  tile_source(type) + TILES + PLANES + PRODUCT + ROUTINES
