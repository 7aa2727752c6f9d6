// Convolution by Winograd's algorithm as C: tiles of 2 x 2 results take 16 products for 3 x 3 taps instead of 36, 49 for
// 5 x 5 instead of 100, 25 for 3 x 3 with stride 2. The products are matrix products, one for each place of a
// transformed tile. A result depends on the pixels under its kernel alone, and the transforms (conv_transforms.ts) have
// small exact factors. What differs from sums of products is what an infinity becomes, so results that are not finite
// are told. Not here: when this pays (conv.ts), the register tiles (conv_direct.ts, conv_weight_grad.ts).

export const WINOGRAD: string = `
// Results are 'tall' by 'wide' tiles an image, 'tiles' in all; 'lanes' of them are computed at once. Pixel row i of a
// tile lies on plane row_plane[i] from row_at[i] on; the columns of plane n begin at column_at[n].
typedef struct {
  const Transform *t;
  i64 sources, results, rows, lanes, tall, wide, tiles, blocks, pitch, term;
  Split h, w;
  i64 row_plane[8], row_at[8], column_at[2], column_count[2], tap_h[5], tap_w[5];
} Winograd;

// Tiles x, x + 1, ... of row y of an image, 'count' of them, in the lanes from 'lane' on.
// Their results go to 'rows' rows of 'length' from 'to' on.
typedef struct { i64 lane, count, image, y, x, to, rows, length; } Strip;

static i64 strips_of(const Winograd *f, i64 first, i64 count, Strip *strip) {
  i64 n = 0;
  for (i64 lane = 0; lane < count; n++) {
    i64 t = first + lane, row = t / f->wide, x = t % f->wide, length = MIN(f->wide - x, count - lane);
    i64 y = row % f->tall;
    strip[n] = (Strip){lane, length, row / f->tall, y, x, 0, MIN(2, f->h.count - 2 * y), MIN(2 * length, f->w.count - 2 * x)};
    lane += length;
  }
  return n;
}

// The taps as runs that lie side by side, one for each plane: their lengths as digits, or 0. 'at': where runs begin.
static i64 runs_of(const Split *s, i64 *at, i64 *count, i64 *tap) {
  i64 kind = 0, m = 0;
  if (s->taps == 0 || s->taps > 5 || s->planes > 2) return 0;
  for (i64 n = 0; n < s->planes; n++) {
    count[n] = 0, at[n] = s->size;
    for (i64 t = 0; t < s->taps; t++)
      if (s->plane[t] == n) count[n]++, at[n] = MIN(at[n], s->offset[t]);
    for (i64 i = 0; i < count[n]; i++) {
      i64 t = 0;
      while (t < s->taps && (s->plane[t] != n || s->offset[t] != at[n] + i)) t++;
      if (t == s->taps) return 0;
      tap[m++] = s->tap[t];
    }
    kind = kind * 10 + count[n];
  }
  return kind;
}

// Whether there is a transform for these axes. 'lanes' are computed at once.
static int make_winograd(Winograd *f, Split h, Split w, i64 batch, i64 sources, i64 results, i64 lanes) {
  *f = (Winograd){0};
  i64 at[2], count[2], down = runs_of(&h, at, count, f->tap_h);
  i64 across = runs_of(&w, f->column_at, f->column_count, f->tap_w);
  for (int i = 0; i < sizeof transforms / sizeof *transforms; i++)
    if (transforms[i].down == down && transforms[i].across == across) f->t = &transforms[i];
  if (!f->t) return 0;
  for (i64 n = 0, i = 0; n < h.planes; n++)
    for (i64 j = 0; j <= count[n]; j++, i++) f->row_plane[i] = n, f->row_at[i] = at[n] + j;
  f->sources = sources, f->results = results;
  f->tall = (h.count + 1) / 2, f->wide = (w.count + 1) / 2, f->tiles = batch * f->tall * f->wide;
  f->lanes = lanes, f->blocks = (f->tiles + lanes - 1) / lanes, f->pitch = lanes + VL, f->term = sources * lanes + VL;
  h.size += h.count % 2, w.size += w.count % 2;  // whole tiles
  f->h = h, f->w = w;
  return 1;
}

// How many numbers a channel's planes take under a block, and its pixels.
INLINE i64 winograd_planes(const Winograd *f) {
  i64 tiles = MIN(f->tall, f->lanes / f->wide + 2);
  return f->h.planes * f->w.planes * (f->h.size + 2 * (tiles - f->tall)) * f->w.size + SLACK;
}
INLINE i64 winograd_pixels(const Winograd *f) { return f->t->rows * f->t->columns * f->pitch + VL; }

// Groups of 'rows' result channels: the terms, of each the source channels, of each the group.
static void winograd_weights(const Winograd *f, i64 group, const T *weight, i64 wi, i64 wc, i64 width, T *u) {
  T g[25 * VL] __attribute__((aligned(VECTOR_BYTES)));
  i64 term = f->sources * f->rows;
  weight += group * f->rows * wi;
  u += group * f->t->terms * term;
  for (i64 begin = 0; begin < f->rows; begin += VL) {
    i64 n = MIN(VL, MIN(f->rows, f->results - group * f->rows) - begin);
    memset(g, 0, sizeof g);
    for (i64 c = 0; c < f->sources; c++) {
      T *d = g;
      for (i64 y = 0; y < f->h.taps; y++) for (i64 x = 0; x < f->w.taps; x++, d += VL) {
        const T *s = weight + begin * wi + c * wc + f->tap_h[y] * width + f->tap_w[x];
        for (i64 i = 0; i < n; i++) d[i] = s[i * wi];
      }
      f->t->weights(g, u + c * f->rows + begin, term, MIN(VL, f->rows - begin));
    }
  }
}

// Takes pixels of a row apart: tile j's are the 'count' from s + 2 * j on, to d[i * pitch + j]. Writes whole vectors.
INLINE void take_some(const T *s, i64 tiles, const int count, T *d, i64 pitch) {
  for (i64 j = 0; j < tiles; j += VL)
    UNROLL for (int i = 0; i < count; i += 2) {
      Vector a = *(const Unaligned *)(s + i + 2 * j), b = a;
      if (tiles - j > VL / 2) b = *(const Unaligned *)(s + i + 2 * j + VL);
      *(Unaligned *)(d + i * pitch + j) = WIDE_EVENS(a, b);
      if (i + 1 < count) *(Unaligned *)(d + (i + 1) * pitch + j) = WIDE_ODDS(a, b);
    }
}
INLINE void take_apart(const T *s, i64 tiles, i64 count, T *d, i64 pitch) {
  if (count == 4) take_some(s, tiles, 4, d, pitch);
  else if (count == 6) take_some(s, tiles, 6, d, pitch);
  else if (count == 3) take_some(s, tiles, 3, d, pitch);
  else take_some(s, tiles, 2, d, pitch);
}

// v[term][channel][lane]: the transformed tiles of all channels.
static void winograd_tiles(const Winograd *f, i64 lanes, i64 count, const Strip *strip, const T *source, i64 image,
                           i64 channel, T *planes, T *pixels, T *v) {
  const Transform *t = f->t;
  i64 whole = round_up(lanes, VL), first[2];
  Split h = f->h;
  h.first = first;
  for (i64 c = 0; c < f->sources; c++, source += channel, v += f->lanes) {
    for (i64 n = 0; n < count;) {
      i64 m = n + 1, top = 2 * strip[n].y;
      while (m < count && strip[m].image == strip[n].image) m++;
      h.size = f->h.size + 2 * (strip[m - 1].y + 1 - f->tall) - top;
      for (i64 i = 0; i < h.planes; i++) first[i] = f->h.first[i] + top * h.step;
      fill(&h, &f->w, 1, 0, source + strip[n].image * image, planes);
      for (; n < m; n++)
        for (i64 i = 0; i < t->rows; i++) {
          const T *s = planes + (f->row_plane[i] * f->w.planes * h.size + 2 * strip[n].y - top + f->row_at[i]) * f->w.size;
          T *d = pixels + i * t->columns * f->pitch + strip[n].lane;
          for (i64 x = 0; x < f->w.planes; x++, s += h.size * f->w.size) {
            take_apart(s + f->column_at[x] + 2 * strip[n].x, strip[n].count, f->column_count[x] + 1, d, f->pitch);
            d += (f->column_count[x] + 1) * f->pitch;
          }
        }
    }
    for (i64 i = 0; lanes < whole && i < t->rows * t->columns; i++) clear(pixels + i * f->pitch + lanes, whole - lanes);
    t->pixels(pixels, f->pitch, whole, v, f->term);
  }
}

// A block's results of one channel, from m[place][...][lane]. Returns whether one is not finite.
static int winograd_results(const Winograd *f, i64 lanes, i64 count, const Strip *strip, const T *m, i64 place, T bias,
                            const Target *target, T *out, T *rows) {
  i64 whole = round_up(lanes, VL);
  int bad = f->t->results(m, place, whole, bias, rows);
  for (i64 n = 0; n < count; n++)
    for (i64 r = 0, length = strip[n].length; r < strip[n].rows; r++) {
      const T *s = rows + 2 * (r * whole + strip[n].lane);
      T *d = out + strip[n].to + r * target->row;
      put_row(target, d, s, length);
    }
  return bad;
}

#define WINOGRAD_PIECES 6
INLINE void winograd_memory(const Winograd *f, i64 *sizes) {
  sizes[0] = f->t->terms * f->sources * 8, sizes[1] = winograd_planes(f) * S, sizes[2] = winograd_pixels(f) * S;
  sizes[3] = f->t->terms * f->term * S, sizes[4] = f->t->places * f->rows * f->lanes * S, sizes[5] = 4 * f->lanes * S;
}

// Blocks of lanes from 'first' to 'end', in the memory that winograd_memory asks for. Returns whether a result is not
// finite.
static int winograd_blocks(const Winograd *f, i64 first, i64 end, const T *source, i64 source_image, i64 source_channel,
                           const T *u, const T *bias, const Target *target, i64 target_image, char **memory) {
  const Transform *t = f->t;
  Strip strip[8 * VL];
  i64 *at = (i64 *)memory[0];
  T *v = (T *)memory[3], *m = (T *)memory[4];
  int bad = 0;
  for (i64 q = 0; q < t->terms; q++) for (i64 c = 0; c < f->sources; c++) at[q * f->sources + c] = q * f->term + c * f->lanes;
  for (i64 b = first; b < end; b++) {
    i64 lanes = MIN(f->lanes, f->tiles - b * f->lanes), count = strips_of(f, b * f->lanes, lanes, strip);
    winograd_tiles(f, lanes, count, strip, source, source_image, source_channel, (T *)memory[1], (T *)memory[2], v);
    for (i64 n = 0; n < count; n++)
      strip[n].to = strip[n].image * target_image + 2 * (strip[n].y * target->row + strip[n].x * target->column);
    for (i64 i = 0; i < f->results; i += f->rows) {
      for (i64 p = 0; p < t->places; p++) {
        i64 k = t->first[p] * f->sources, n = t->first[p + 1] * f->sources - k;
        const T *a = u + i * t->terms * f->sources + k * f->rows;
        T *c = m + p * f->rows * f->lanes;
        if (2 * lanes > f->lanes) wide[f->rows](n, a, v, at + k, zeros, c, f->lanes, 0);
        else for (i64 l = 0; l < lanes; l += VL) narrow[f->rows](n, a, v + l, at + k, zeros, c + l, f->lanes, 0);
      }
      for (i64 j = i; j < MIN(i + f->rows, f->results); j++)
        bad |= winograd_results(f, lanes, count, strip, m + (j - i) * f->lanes, f->rows * f->lanes, bias[j], target,
                                target->out + j * target->channel, (T *)memory[5]);
    }
  }
  return bad;
}

// ---- the weights' gradient

#define GRADIENT_PIECES 7
INLINE void gradient_memory(const Winograd *f, i64 results, i64 width, i64 *sizes) {
  i64 tile = f->lanes * width * S;
  winograd_memory(f, sizes);
  sizes[4] = f->t->places * tile, sizes[5] = 4 * tile, sizes[6] = f->t->terms * f->sources * round_up(results, width) * S;
}

// d[j * width + i] = s[i * row + j] for i < m, 0 for the rest of 'width', and j < n.
static void across(i64 m, i64 width, i64 n, const T *s, i64 row, T *d) {
  i64 i = 0;
  for (; i + QL <= m; i += QL) {
    i64 j = 0;
    for (; j + QL <= n; j += QL) transpose(s + i * row + j, row, d + j * width + i, width);
    for (; j < n; j++) for (i64 t = i; t < i + QL; t++) d[j * width + t] = s[t * row + j];
  }
  for (; i < width; i++) for (i64 j = 0; j < n; j++) d[j * width + i] = i < m ? s[i * row + j] : 0;
}

// sum[(source channel * taps + tap) * width + result channel] = the gradient of the weights, by all tiles; one such sum
// after the other for each 'width' of the result channels.
static void winograd_gradient(const Winograd *f, const T *source, i64 source_image, i64 source_channel, i64 width,
                              const T *gradient, i64 gradient_image, i64 gradient_channel, char **memory, T *sum) {
  const Transform *t = f->t;
  Strip strip[8 * VL];
  i64 *at = (i64 *)memory[0], row = 2 * f->lanes * width, height = even_parts(f->sources, MR), taps = f->h.taps * f->w.taps;
  T *v = (T *)memory[3], *m = (T *)memory[4], *packed = (T *)memory[5], *terms = (T *)memory[6];
  memset(terms, 0, t->terms * f->sources * round_up(f->results, width) * S);
  for (i64 c = 0; c < f->sources; c++) at[c] = c * f->lanes;
  for (i64 b = 0; b < f->blocks; b++) {
    i64 lanes = MIN(f->lanes, f->tiles - b * f->lanes), count = strips_of(f, b * f->lanes, lanes, strip);
    winograd_tiles(f, lanes, count, strip, source, source_image, source_channel, (T *)memory[1], (T *)memory[2], v);
    T *total = terms;
    for (i64 o = 0; o < f->results; o += width, total += t->terms * f->sources * width) {
      const T *g = gradient + o * gradient_channel;
      for (i64 n = 0; n < count; n++) for (i64 r = 0; r < 2; r++) {
        i64 y = 2 * strip[n].y + r, all = 2 * strip[n].count, length = r < strip[n].rows ? strip[n].length : 0;
        T *d = packed + r * row + 2 * strip[n].lane * width;
        across(MIN(width, f->results - o), width, length,
               g + strip[n].image * gradient_image + y * f->w.count + 2 * strip[n].x, gradient_channel, d);
        clear(d + length * width, (all - length) * width);
      }
      t->gradients(packed, row, width, lanes, m, f->lanes * width);
      for (i64 p = 0; p < t->places; p++)
        for (i64 q = t->first[p]; q < t->first[p + 1]; q++)
          for (i64 c = 0; c < f->sources; c += height)
            (width > VL ? pair : single)[MIN(height, f->sources - c)](1, lanes, v + q * f->term, at + c, 0,
                                                                       m + p * f->lanes * width,
                                                                       total + (q * f->sources + c) * width, width);
    }
  }
  for (i64 o = 0; o < f->results; o += width, terms += t->terms * f->sources * width, sum += f->sources * taps * width)
    for (i64 c = 0; c < f->sources; c++) {
      t->taps(terms + c * width, f->sources * width, width, packed);
      for (i64 y = 0, n = 0; y < f->h.taps; y++) for (i64 x = 0; x < f->w.taps; x++, n++)
        copy(sum + (c * taps + f->tap_h[y] * f->w.taps + f->tap_w[x]) * width, packed + n * width, width);
    }
}
`
