// Convolution with kernels of 3 x 3 and stride 1 as C, by Winograd's F(2 x 2, 3 x 3): tiles of 2 x 2 results take 16
// products instead of 36. The products are matrix products, one for each of the 16 places of a transformed tile. A
// result depends on the pixels under its kernel alone, and the transforms are exact in small whole numbers.
// Not here: when this pays (conv.ts), the register tile (conv_direct.ts).

export const WINOGRAD: string = `
// Results are 'tall' by 'wide' tiles an image, 'tiles' in all; 'lanes' of them are computed at once.
typedef struct {
  i64 sources, results, rows, lanes, tall, wide, tiles;
  i64 in_h, in_w, out_h, out_w, top, left;  // of the source and of the results; what the source is padded with before
} Winograd;

// Tiles x, x + 1, ... of row y of an image, 'count' of them, in the lanes from 'lane' on.
typedef struct { i64 lane, count, image, y, x; } Strip;

static i64 strips_of(const Winograd *f, i64 first, i64 count, Strip *strip) {
  i64 n = 0;
  for (i64 lane = 0; lane < count; n++) {
    i64 t = first + lane, row = t / f->wide, x = t % f->wide, length = MIN(f->wide - x, count - lane);
    strip[n] = (Strip){lane, length, row / f->tall, row % f->tall, x};
    lane += length;
  }
  return n;
}

// Groups of 'rows' result channels: 16 places, of each the source channels, of each the group.
static void winograd_weights(const Winograd *f, i64 group, const T *weight, i64 wi, i64 wc, int turned, T *u) {
  T g[9][VL] __attribute__((aligned(VECTOR_BYTES)));
  i64 n = MIN(f->rows, f->results - group * f->rows), place = f->sources * f->rows;
  const T half = 0.5;
  memset(g, 0, sizeof g);
  u += group * 16 * place;
  for (i64 c = 0; c < f->sources; c++, u += f->rows) {
    for (i64 i = 0; i < n; i++) {
      const T *s = weight + (group * f->rows + i) * wi + c * wc;
      if (turned) for (int t = 0; t < 9; t++) g[t][i] = s[8 - t];
      else for (int t = 0; t < 9; t++) g[t][i] = s[t];
    }
    Vector r[4][3];
    UNROLL for (int x = 0; x < 3; x++) {
      Vector a = *(Vector *)g[x], b = *(Vector *)g[3 + x], d = *(Vector *)g[6 + x], e = (a + d) * half;
      r[0][x] = a, r[1][x] = e + b * half, r[2][x] = e - b * half, r[3][x] = d;
    }
    UNROLL for (int y = 0; y < 4; y++) {
      Vector a = r[y][0], b = r[y][1] * half, d = r[y][2], e = (a + d) * half;
      T o[4][VL] __attribute__((aligned(VECTOR_BYTES)));
      *(Vector *)o[0] = a, *(Vector *)o[1] = e + b, *(Vector *)o[2] = e - b, *(Vector *)o[3] = d;
      UNROLL for (int x = 0; x < 4; x++) copy(u + (y * 4 + x) * place, o[x], f->rows);
    }
  }
}

// Pixels x, x + 2, ... to 'even' and those after each to 'odd', 'count' of both, 0 outside of the row.
static void halve(const T *row, i64 size, i64 x, i64 count, T *even, T *odd) {
  i64 from = x < 0 ? MIN(count, (1 - x) / 2) : 0, to = MAX(from, MIN(count, (size - x) / 2)), j = from;
  for (i64 i = 0; i < from; i++) {
    even[i] = 0;
    odd[i] = x + 2 * i + 1 >= 0 && x + 2 * i + 1 < size ? row[x + 2 * i + 1] : 0;
  }
  const T *s = row + x;
  for (; j + VL <= to; j += VL) {
    Vector a = *(const Unaligned *)(s + 2 * j), b = *(const Unaligned *)(s + 2 * j + VL);
    *(Unaligned *)(even + j) = WIDE_EVENS(a, b), *(Unaligned *)(odd + j) = WIDE_ODDS(a, b);
  }
  for (; j + QL <= to; j += QL) {
    Quarter a = *(const Quarter *)(s + 2 * j), b = *(const Quarter *)(s + 2 * j + QL);
    *(Quarter *)(even + j) = EVENS(a, b), *(Quarter *)(odd + j) = ODDS(a, b);
  }
  for (; j < to; j++) even[j] = s[2 * j], odd[j] = s[2 * j + 1];
  for (; j < count; j++) {
    i64 p = x + 2 * j;
    even[j] = p >= 0 && p < size ? row[p] : 0;
    odd[j] = p + 1 >= 0 && p + 1 < size ? row[p + 1] : 0;
  }
}

// v[16 places][channel][lane]: the transformed tiles of all channels. 'rows' holds a channel's pixels.
static void winograd_pixels(const Winograd *f, i64 count, const Strip *strip, const T *source, i64 image, i64 channel,
                            T *rows, T *v) {
  i64 pitch = round_up(f->lanes + 1, VL) + VL, place = f->sources * f->lanes;
  T last[16][VL] __attribute__((aligned(VECTOR_BYTES)));
  for (i64 c = 0; c < f->sources; c++, source += channel, v += f->lanes) {
    for (i64 n = 0; n < count; n++) for (i64 y = 0; y < 4; y++) {
      i64 r = strip[n].y * 2 + y - f->top;
      T *even = rows + (n * 4 + y) * 2 * pitch;
      if (r < 0 || r >= f->in_h) clear(even, strip[n].count + 1), clear(even + pitch, strip[n].count + 1);
      else halve(source + strip[n].image * image + r * f->in_w, f->in_w, strip[n].x * 2 - f->left, strip[n].count + 1,
                 even, even + pitch);
    }
    for (i64 n = 0; n < count; n++) for (i64 j = 0; j < strip[n].count; j += VL) {
      Vector r[4][4];
      const T *even = rows + n * 8 * pitch + j, *odd = even + pitch;
#define E(y, x) (*(const Unaligned *)(even + (y) * 2 * pitch + (x)))
#define O(y, x) (*(const Unaligned *)(odd + (y) * 2 * pitch + (x)))
#define COLUMN(x, at, i) do { \\
      Vector a = at(0, i), b = at(1, i), d = at(2, i), e = at(3, i); \\
      r[0][x] = a - d, r[1][x] = b + d, r[2][x] = d - b, r[3][x] = b - e; \\
    } while (0)
      COLUMN(0, E, 0);
      COLUMN(1, O, 0);
      COLUMN(2, E, 1);
      COLUMN(3, O, 1);
      i64 lane = strip[n].lane + j;
      T *d = v + lane;
      i64 step = place;
      if (lane + VL > f->lanes) d = last[0], step = VL;
      UNROLL for (int y = 0; y < 4; y++) {
        *(Unaligned *)(d + (y * 4 + 0) * step) = r[y][0] - r[y][2];
        *(Unaligned *)(d + (y * 4 + 1) * step) = r[y][1] + r[y][2];
        *(Unaligned *)(d + (y * 4 + 2) * step) = r[y][2] - r[y][1];
        *(Unaligned *)(d + (y * 4 + 3) * step) = r[y][1] - r[y][3];
      }
      if (d == last[0]) for (int p = 0; p < 16; p++) copy(v + p * place + lane, last[p], f->lanes - lane);
    }
  }
}

// Results of one channel from m[16 places][...][lane].
static void winograd_results(const Winograd *f, i64 count, const Strip *strip, const T *m, i64 place, T bias, T *target,
                             i64 image) {
  T buffer[2][2 * VL] __attribute__((aligned(VECTOR_BYTES)));
  for (i64 n = 0; n < count; n++) for (i64 j = 0; j < strip[n].count; j += VL) {
    Vector s[2][4];
    UNROLL for (int x = 0; x < 4; x++) {
#define M(y) (*(const Unaligned *)(m + ((y) * 4 + x) * place + strip[n].lane + j))
      Vector b = M(1), d = M(2);
      s[0][x] = M(0) + (b + d), s[1][x] = (b - d) - M(3);
    }
    i64 y = strip[n].y * 2, x = (strip[n].x + j) * 2, length = MIN(2 * MIN(VL, strip[n].count - j), f->out_w - x);
    UNROLL for (int r = 0; r < 2; r++) {
      if (y + r == f->out_h) break;
      Vector a = s[r][0] + (s[r][1] + s[r][2]) + bias, b = (s[r][1] - s[r][2]) - s[r][3] + bias;
      T *d = target + strip[n].image * image + (y + r) * f->out_w + x, *to = length == 2 * VL ? d : buffer[r];
      *(Unaligned *)to = WIDE_LOWS(a, b), *(Unaligned *)(to + VL) = WIDE_HIGHS(a, b);
      if (to != d) copy(d, to, length);
    }
  }
}

INLINE i64 winograd_pixel_rows(const Winograd *f) {  // how many numbers they take, of which a strip has 8 rows
  i64 strips = MIN(f->lanes, (f->lanes + f->wide - 1) / f->wide + 1);
  return strips * 8 * (round_up(f->lanes + 1, VL) + VL) + VL;
}

// Blocks of lanes from 'first' to 'end'. Memory: rows as above, v of 16 * sources * lanes and m of 16 * rows * lanes.
static void winograd_blocks(const Winograd *f, i64 first, i64 end, const T *source, i64 source_image, i64 source_channel,
                            const T *u, const T *bias, T *target, i64 target_image, i64 target_channel, T *pixels,
                            T *v, T *m, i64 *at) {
  Strip strip[8 * VL];
  for (i64 c = 0; c < f->sources; c++) at[c] = c * f->lanes;
  for (i64 b = first; b < end; b++) {
    i64 lanes = MIN(f->lanes, f->tiles - b * f->lanes), count = strips_of(f, b * f->lanes, lanes, strip);
    winograd_pixels(f, count, strip, source, source_image, source_channel, pixels, v);
    for (i64 i = 0; i < f->results; i += f->rows) {
      for (i64 p = 0; p < 16; p++) {
        const T *a = u + (i * 16 + p * f->rows) * f->sources, *x = v + p * f->sources * f->lanes;
        T *c = m + p * f->rows * f->lanes;
        if (2 * lanes > f->lanes) wide[f->rows](f->sources, a, x, at, zeros, c, f->lanes, 0);
        else for (i64 l = 0; l < lanes; l += VL) narrow[f->rows](f->sources, a, x + l, at, zeros, c + l, f->lanes, 0);
      }
      for (i64 j = i; j < MIN(i + f->rows, f->results); j++)
        winograd_results(f, count, strip, m + (j - i) * f->lanes, f->rows * f->lanes, bias[j],
                         target + j * target_channel, target_image);
    }
  }
}
`
