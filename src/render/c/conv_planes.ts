// The geometry of a convolution as C: each axis of an image split by the stride into planes with their padding, so that
// every tap sees its pixels as runs of memory at a fixed offset. Not here: the sums (conv_direct.ts, conv_winograd.ts).

/** C that the convolutions share; it needs tile_source (gemm.ts). */
export const PLANES: string = `
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define SLACK (8 * VL)  // tiles read past the last pixel

INLINE i64 round_up(i64 n, i64 unit) { return (n + unit - 1) / unit * unit; }
INLINE i64 ceil_div(i64 n, i64 d) { return n > 0 ? (n + d - 1) / d : -(-n / d); }

// The size of each of the fewest parts of n that have at most 'most', as even as possible.
INLINE i64 even_parts(i64 n, i64 most) {
  i64 parts = MAX(1, (n + most - 1) / most);
  return (n + parts - 1) / parts;
}

// One dimension of a convolution: pixel i of the output and tap t meet at pixel i * stride + t * dilation - padding.
typedef struct { i64 in, out, taps, stride, padding, dilation; } Axis;

// An axis as planes. Pixel j of plane n is pixel first[n] + j * step of the source, 0 outside of it. The n-th of the
// taps is tap[n], which meets the first of 'count' results at pixel offset[n] of plane[n].
typedef struct { i64 planes, size, count, taps, step, source, *first, *tap, *plane, *offset; } Split;

#define SPLIT_WORDS(x) (4 * (x).taps)
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

// The output as the input's pixels begin, begin + stride, ... see it: by those taps that fall on its pixels. The plane
// is the same for every begin.
static Split split_backward(Axis x, i64 begin, i64 *words) {
  Split s = split(x, ceil_div(x.in - begin, x.stride), 1, x.out, words);
  i64 lowest = 0, highest = 0;
  for (i64 t = 0; t < x.taps; t++) {
    i64 distance = x.padding - t * x.dilation, at = ceil_div(distance, x.stride);
    if (t == 0 || at < lowest) lowest = at;
    if (t == 0 || at > highest) highest = at;
    if (at * x.stride - distance == begin) s.tap[s.taps] = t, s.plane[s.taps] = 0, s.offset[s.taps++] = at;
  }
  for (i64 n = 0; n < s.taps; n++) s.offset[n] -= lowest;
  s.planes = 1, s.first[0] = lowest, s.size = ceil_div(x.in, x.stride) + highest - lowest;
  return s;
}

// The results from 'begin' to 'end' alone, of 'most' that the axis has.
static Split band(Split s, i64 begin, i64 end, i64 most) {
  s.size -= most - (end - begin);
  s.count = MAX(0, MIN(s.count, end) - begin);
  for (i64 n = 0; n < s.planes; n++) s.first[n] += begin * s.step;
  return s;
}

INLINE i64 plane_size(const Split *h, const Split *w) { return h->size * w->size; }
// The axis's pixels are the plane.
INLINE int is_whole(const Split *s) { return s->planes == 1 && s->step == 1 && s->first[0] == 0 && s->size == s->source; }

INLINE void copy(T *d, const T *s, i64 n) {
  i64 i = 0;
  for (; i + VL <= n; i += VL) *(Unaligned *)(d + i) = *(const Unaligned *)(s + i);
  for (; i + QL <= n; i += QL) *(Quarter *)(d + i) = *(const Quarter *)(s + i);
  for (; i < n; i++) d[i] = s[i];
}
INLINE void add(T *d, const T *s, i64 n) {
  i64 i = 0;
  for (; i + VL <= n; i += VL) *(Unaligned *)(d + i) += *(const Unaligned *)(s + i);
  for (; i + QL <= n; i += QL) *(Quarter *)(d + i) += *(const Quarter *)(s + i);
  for (; i < n; i++) d[i] += s[i];
}
INLINE void clear(T *d, i64 n) {
  for (i64 i = 0; i < n; i++) d[i] = 0;
}
// Every other number, and none behind the last.
INLINE void copy_even(T *d, const T *s, i64 n) {
  i64 i = 0;
  for (; i + VL <= n; i += VL)
    *(Unaligned *)(d + i) = WIDE_ENDS(*(const Unaligned *)(s + 2 * i), *(const Unaligned *)(s + 2 * i + VL - 1));
  for (; i + QL <= n; i += QL) *(Quarter *)(d + i) = ENDS(*(const Quarter *)(s + 2 * i), *(const Quarter *)(s + 2 * i + QL - 1));
  for (; i < n; i++) d[i] = s[2 * i];
}

// Pixels j of a plane that lie inside of the source: from <= j < to.
INLINE void inside(const Split *s, i64 plane, i64 *from, i64 *to) {
  i64 first = s->first[plane];
  *from = first >= 0 ? 0 : MIN(s->size, (-first + s->step - 1) / s->step);
  i64 end = s->source <= first ? 0 : (s->source - first + s->step - 1) / s->step;
  *to = MAX(*from, MIN(s->size, end));
}

// Copies one image of 'channels' into its planes.
static void fill(const Split *h, const Split *w, i64 channels, i64 image_size, const T *image, T *planes) {
  for (i64 c = 0; c < channels; c++, image += image_size)
    for (i64 y = 0; y < h->planes; y++) for (i64 x = 0; x < w->planes; x++, planes += plane_size(h, w)) {
      i64 top, bottom, left, right;
      inside(h, y, &top, &bottom);
      inside(w, x, &left, &right);
      clear(planes, top * w->size);
      clear(planes + bottom * w->size, (h->size - bottom) * w->size);
      for (i64 r = top; r < bottom; r++) {
        const T *s = image + (h->first[y] + r * h->step) * w->source + w->first[x] + left * w->step;
        T *d = planes + r * w->size;
        for (i64 q = 0; q < left; q++) d[q] = 0;
        for (i64 q = right; q < w->size; q++) d[q] = 0;
        if (w->step == 1) copy(d + left, s, right - left);
        else if (w->step == 2) copy_even(d + left, s, right - left);
        else for (i64 q = left; q < right; q++, s += w->step) d[q] = *s;
      }
    }
}

// Where each (channel, tap) begins in the planes, of which one takes 'pitch'.
static void offsets(const Split *h, const Split *w, i64 channels, i64 pitch, i64 *at) {
  for (i64 c = 0; c < channels; c++)
    for (i64 y = 0; y < h->taps; y++) for (i64 x = 0; x < w->taps; x++)
      *at++ = ((c * h->planes + h->plane[y]) * w->planes + w->plane[x]) * pitch + h->offset[y] * w->size + w->offset[x];
}

// Where results go: row r and column q of channel i to out[i * channel + r * row + q * column]. Where columns are those of
// one remainder by 2, of as many, 'paired' is 1 for the first and 2 for the second, which comes after it.
typedef struct { T *out; i64 channel, row, column, paired; } Target;

// d[2 * i] = s[i]. After a 'first' time, when what lies between does not count, it is kept: the others come to d - 1.
INLINE void interleave(T *d, const T *s, i64 n, int second) {
  i64 i = 0;
  for (; i + VL <= n; i += VL) {
    Vector y = *(const Unaligned *)(s + i), x = y;
    Unaligned *to = (Unaligned *)(d - second + 2 * i), *more = (Unaligned *)(d - second + 2 * i + VL);
    if (second) x = WIDE_EVENS(*to, *more);
    *to = WIDE_LOWS(x, y), *more = WIDE_HIGHS(x, y);
  }
  for (; i < n; i++) d[2 * i] = s[i];
}

// A row of results, of which the first goes to d.
INLINE void put_row(const Target *t, T *d, const T *s, i64 n) {
  if (t->column == 1) copy(d, s, n);
  else if (t->paired) interleave(d, s, n, t->paired - 1);
  else for (i64 q = 0; q < n; q++) d[q * t->column] = s[q];
}
`
