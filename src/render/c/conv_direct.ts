// Convolution forward and to the input's gradient as C: register tiles that read the planes of an image (conv_planes.ts)
// directly, so that no matrix of patches is built. Either pixels are the lanes of a vector, or channels, or, where each
// channel stands alone, taps are added up row by row. Not here: which of them is taken, and sharing (conv.ts).

export const DIRECT: string = `
// As many pixels as go with two vectors of channels.
#if REGISTERS == 32
#define CR 14
#define EACH_PIXEL_COUNT(X) EACH_ROW_COUNT(X) X(13) X(14)
#else
#define CR 6
#define EACH_PIXEL_COUNT(X) EACH_ROW_COUNT(X)
#endif

// c[R channels][N vectors of pixels] (+)= bias + the sum over k of a[k][R] * (the pixels at b + at[k]).
INLINE void pixel_tile(const int R, const int N, i64 k, const T *a, const T *b, const i64 *at, const T *bias, T *c,
                       i64 cr, int accumulate) {
  Vector sum[MR][8], x[8];
  UNROLL for (int i = 0; i < R; i++) {
    Vector y = bias[i] - (Vector){0};
    UNROLL for (int j = 0; j < N; j++) sum[i][j] = y;
  }
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

// c[R pixels][N vectors of channels] = bias + the sum over k of (pixel at a + at[k]) * b[k][N vectors].
INLINE void channel_tile(const int R, const int N, i64 k, const T *a, const i64 *at, const T *b, const T *bias, T *c) {
  Vector sum[CR][2], x[2];
  UNROLL for (int j = 0; j < N; j++) {
    x[j] = *(const Unaligned *)(bias + j * VL);
    UNROLL for (int i = 0; i < R; i++) sum[i][j] = x[j];
  }
  for (i64 p = 0; p < k; p++) {
    const T *pixels = a + at[p];
    UNROLL for (int j = 0; j < N; j++) x[j] = *(const Unaligned *)(b + (p * N + j) * VL);
    UNROLL for (int i = 0; i < R; i++) {
      Vector y = pixels[i] - (Vector){0};
      UNROLL for (int j = 0; j < N; j++) sum[i][j] += y * x[j];
    }
  }
  UNROLL for (int i = 0; i < R; i++) UNROLL for (int j = 0; j < N; j++) *(Vector *)(c + (i * N + j) * VL) = sum[i][j];
}

typedef void PixelTile(i64 k, const T *a, const T *b, const i64 *at, const T *bias, T *c, i64 cr, int accumulate);
typedef void ChannelTile(i64 k, const T *a, const i64 *at, const T *b, const T *bias, T *c);
#define DEFINE_PIXELS(name, r, n) \\
  static void name##r(i64 k, const T *a, const T *b, const i64 *at, const T *bias, T *c, i64 cr, int accumulate) { \\
    pixel_tile(r, n, k, a, b, at, bias, c, cr, accumulate); \\
  }
#define DEFINE_CHANNELS(name, r, n) \\
  static void name##r(i64 k, const T *a, const i64 *at, const T *b, const T *bias, T *c) { \\
    channel_tile(r, n, k, a, at, b, bias, c); \\
  }
#define DEFINE_PIXEL_TILES(r) DEFINE_PIXELS(wide, r, WIDTH(r)) DEFINE_PIXELS(narrow, r, 1)
#define DEFINE_CHANNEL_TILES(r) DEFINE_CHANNELS(two, r, 2) DEFINE_CHANNELS(one, r, 1)
EACH_ROW_COUNT(DEFINE_PIXEL_TILES)
EACH_PIXEL_COUNT(DEFINE_CHANNEL_TILES)
#define WIDE(r) wide##r,
#define NARROW(r) narrow##r,
#define TWO(r) two##r,
#define ONE(r) one##r,
static PixelTile *const wide[] = {0, EACH_ROW_COUNT(WIDE)}, *const narrow[] = {0, EACH_ROW_COUNT(NARROW)};
static ChannelTile *const two[] = {0, EACH_PIXEL_COUNT(TWO)}, *const one[] = {0, EACH_PIXEL_COUNT(ONE)};
static const i64 widths[] = {0,
#define WIDTH_OF(r) WIDTH(r),
EACH_ROW_COUNT(WIDTH_OF)};
static const T zeros[MAX(MR, 2 * VL)];

// ---- pixels in lanes: positions in the plane from the first result's to the last one's, those between rows included

#define KC ((i64)(1536 / S))
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

// Whether each row of results is whole tiles, which then need not go on in the next row.
INLINE int by_rows(const Split *w, i64 rows) {
  return w->count < w->size && w->count % VL == 0 && (rows >= 8 || w->count % (widths[rows] * VL) == 0);
}

// out[i] (+)= bias[i] + a[i] * planes for channels i in groups of 'rows', whose k values are packed one after the other.
static void pixel_product(const Split *h, const Split *w, i64 channels, i64 rows, i64 k, const T *a, const T *planes,
                          const i64 *at, const T *bias, const Target *target, int accumulate) {
  T buffer[MR * 8 * VL] __attribute__((aligned(VECTOR_BYTES)));
  Segment segment[8 * VL + 2];
  i64 end = (h->count - 1) * w->size + w->count, whole = widths[rows] * VL, single = by_rows(w, rows);
  for (i64 position = 0, lanes, row_end = w->count; position < end; position += lanes) {
    if (single && position == row_end) position += w->size - w->count, row_end += w->size;
    i64 left = single ? row_end - position : end - position;
    // what is left takes a whole tile or some of one vector, each of which takes at least the latency of an fma
    lanes = single ? (left < whole ? VL : whole) : (left + VL - 1) / VL * MAX(rows, 4) < widths[rows] * rows ? VL : whole;
    PixelTile *tile = lanes == VL && whole > VL ? narrow[rows] : wide[rows];
    i64 count = segments_of(h, w, target, position, lanes, segment);
    int direct = target->column == 1 && count == 1 && segment[0].length == lanes;
    for (i64 i = 0; i < channels; i += rows) {
      i64 n = MIN(rows, channels - i);
      T *out = target->out + i * target->channel;
      const T *start = accumulate ? zeros : bias + i;
      if (direct && n == rows) {
        tile(k, a + i * k, planes + position, at, start, out + segment[0].at, target->channel, accumulate);
        continue;
      }
      tile(k, a + i * k, planes + position, at, start, buffer, lanes, 0);
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
static void pixel_products(const Split *h, const Split *w, i64 channels, i64 rows, i64 k, i64 depth, const T *a,
                           const T *planes, const i64 *at, const T *bias, const Target *target) {
  i64 padded = round_up(channels, rows), block = rows * MAX(1, 96 / rows);
  for (i64 p = 0; p < k; p += depth)
    for (i64 i = 0; i < channels; i += block) {
      Target part = *target;
      part.out += i * target->channel;
      i64 kb = MIN(depth, k - p);
      pixel_product(h, w, MIN(block, channels - i), rows, kb, a + p * padded + i * kb, planes, at + p, bias + i, &part,
                    p > 0);
    }
}

// The same where there is one tap and results follow each other: a matrix product. Pixels far apart evict each other, so
// those under some tiles are put together first.
#define PANEL (KC * 8 * VL)
static void plain_products(i64 positions, i64 channels, i64 rows, i64 k, i64 depth, const T *a, const T *planes,
                           const i64 *at, const T *bias, T *out, i64 channel, T *panel, i64 *panel_at) {
  T buffer[MR * 8 * VL] __attribute__((aligned(VECTOR_BYTES)));
  i64 padded = round_up(channels, rows), lanes = widths[rows] * VL;
  i64 block = MAX(1, MIN(8, 32 * 1024 / (MIN(k, depth) * lanes * S))) * lanes;
  for (i64 p = 0; p < MIN(k, depth); p++) panel_at[p] = p * lanes;
  for (i64 position = 0; position < positions; position += block) {
    i64 count = MIN(block, positions - position);
    for (i64 p = 0; p < k; p += depth) {
      i64 kb = MIN(depth, k - p);
      for (i64 q = 0; q < kb; q++)
        for (i64 t = 0; t < count; t += lanes)
          copy(panel + t * kb + q * lanes, planes + at[p + q] + position + t, MIN(lanes, count - t));
      for (i64 i = 0; i < channels; i += rows)
        for (i64 t = 0; t < count; t += lanes) {
          i64 n = MIN(rows, channels - i), length = MIN(lanes, count - t);
          T *d = out + i * channel + position + t;
          const T *start = p > 0 ? zeros : bias + i, *group = a + p * padded + i * kb, *pixels = panel + t * kb;
          if (n == rows && length == lanes) {
            wide[rows](kb, group, pixels, panel_at, start, d, channel, p > 0);
            continue;
          }
          (length <= VL ? narrow : wide)[rows](kb, group, pixels, panel_at, start, buffer, lanes, 0);
          for (i64 j = 0; j < n; j++)
            if (p > 0) add(d + j * channel, buffer + j * lanes, length);
            else copy(d + j * channel, buffer + j * lanes, length);
        }
    }
  }
}

// ---- channels in lanes: some pixels of a row at a time

// d[o * channel + i * column] = s[i * lanes + o] for i < m and o < n.
static void put(i64 m, i64 n, i64 lanes, const T *s, T *d, i64 channel, i64 column) {
  i64 o = 0;
  if (column == 1 && m >= QL)
    for (; o + QL <= n; o += QL)
      for (i64 i = 0;; i = MIN(i + QL, m - QL)) {
        transpose(s + i * lanes + o, lanes, d + o * channel + i, channel);
        if (i == m - QL) break;
      }
  for (; o < n; o++) for (i64 i = 0; i < m; i++) d[o * channel + i * column] = s[i * lanes + o];
}

// out = bias + a * planes for channels in groups of two vectors (the last may be one), k values after each other.
static void channel_products(const Split *h, const Split *w, i64 channels, i64 k, const T *a, const T *planes,
                             const i64 *at, const T *bias, const Target *target) {
  T buffer[CR * 2 * VL] __attribute__((aligned(VECTOR_BYTES))), more[CR * 2 * VL] __attribute__((aligned(VECTOR_BYTES)));
  i64 width = even_parts(w->count, CR);
  for (i64 o = 0; o < channels; o += 2 * VL) {
    i64 n = MIN(2 * VL, channels - o), lanes = n > VL ? 2 * VL : VL;
    ChannelTile *const *tiles = n > VL ? two : one;
    for (i64 r = 0; r < h->count; r++)
      for (i64 q = 0; q < w->count; q += width) {
        i64 m = MIN(width, w->count - q);
        const T *pixels = planes + r * w->size + q;
        tiles[m](MIN(k, KC), pixels, at, a + o * k, bias + o, buffer);
        for (i64 p = KC; p < k; p += KC) {  // sums of sums: they are more exact
          tiles[m](MIN(k - p, KC), pixels, at + p, a + o * k + p * lanes, zeros, more);
          add(buffer, more, m * lanes);
        }
        put(m, n, lanes, buffer, target->out + o * target->channel + r * target->row + q * target->column,
            target->channel, target->column);
      }
  }
}

// ---- one channel of one: taps are added up along the rows

// out[r] = bias + the sums of weights and N vectors of pixels at row + at, for R rows.
INLINE void row_tile(const int R, const int N, i64 taps, const T *weight, const T *row, i64 pitch, const i64 *at, T bias,
                     T *out, i64 out_pitch) {
  Vector sum[4][2];
  UNROLL for (int r = 0; r < R; r++) UNROLL for (int j = 0; j < N; j++) sum[r][j] = bias - (Vector){0};
  for (i64 t = 0; t < taps; t++) {
    const T *s = row + at[t];
    Vector y = weight[t] - (Vector){0};
    UNROLL for (int r = 0; r < R; r++) UNROLL for (int j = 0; j < N; j++)
      sum[r][j] += y * *(const Unaligned *)(s + r * pitch + j * VL);
  }
  UNROLL for (int r = 0; r < R; r++) UNROLL for (int j = 0; j < N; j++)
    *(Unaligned *)(out + r * out_pitch + j * VL) = sum[r][j];
}

static void row_sums(const Split *h, const Split *w, i64 taps, const T *weight, const T *planes, const i64 *at, T bias,
                     const Target *target) {
  T buffer[4 * 2 * VL] __attribute__((aligned(VECTOR_BYTES)));
  for (i64 r = 0, rows; r < h->count; r += rows) {
    rows = h->count - r >= 4 ? 4 : 1;
    for (i64 q = 0, n; q < w->count; q += n) {
      i64 left = w->count - q;
      n = left > VL ? 2 * VL : VL;
      T *out = target->out + r * target->row + q * target->column;
      int direct = left >= n && target->column == 1;
      T *d = direct ? out : buffer;
      i64 pitch = direct ? target->row : n;
      const T *s = planes + r * w->size + q;
      if (rows == 4 && n > VL) row_tile(4, 2, taps, weight, s, w->size, at, bias, d, pitch);
      else if (rows == 4) row_tile(4, 1, taps, weight, s, w->size, at, bias, d, pitch);
      else if (n > VL) row_tile(1, 2, taps, weight, s, w->size, at, bias, d, pitch);
      else row_tile(1, 1, taps, weight, s, w->size, at, bias, d, pitch);
      for (i64 i = 0; !direct && i < rows; i++) put_row(target, out + i * target->row, buffer + i * n, MIN(n, left));
    }
  }
}
`
