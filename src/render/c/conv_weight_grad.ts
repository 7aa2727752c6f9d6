// The gradient of a convolution's weights as C: for each tap the product of the output's gradient with the pixels that
// the tap sees, read from the planes of the image (conv_planes.ts). Not here: how the sum is divided (conv.ts).

export const WEIGHT_GRAD: string = `
// c[i][N vectors] += the sum over rows and columns of plane[at[i] + row * pitch + column] * b[row * columns + column].
INLINE void gradient_tile(const int R, const int N, i64 rows, i64 columns, const T *plane, const i64 *at, i64 pitch,
                          const T *b, T *c, i64 cr) {
  Vector sum[MR][8], x[8];
  const T *a[MR];
  UNROLL for (int i = 0; i < R; i++) UNROLL for (int j = 0; j < N; j++) sum[i][j] = (Vector){0};
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
  UNROLL for (int i = 0; i < R; i++) UNROLL for (int j = 0; j < N; j++) *(Unaligned *)(c + i * cr + j * VL) += sum[i][j];
}

typedef void Gradient(i64 rows, i64 columns, const T *plane, const i64 *at, i64 pitch, const T *b, T *c, i64 cr);
#define DEFINE_GRADIENT(name, r, n) \\
  static void name##r(i64 rows, i64 columns, const T *plane, const i64 *at, i64 pitch, const T *b, T *c, i64 cr) { \\
    gradient_tile(r, n, rows, columns, plane, at, pitch, b, c, cr); \\
  }
#define DEFINE_GRADIENTS(r) DEFINE_GRADIENT(pair, r, 2) DEFINE_GRADIENT(single, r, 1)
EACH_ROW_COUNT(DEFINE_GRADIENTS)
#define PAIR(r) pair##r,
#define SINGLE(r) single##r,
static Gradient *const pair[] = {0, EACH_ROW_COUNT(PAIR)}, *const single[] = {0, EACH_ROW_COUNT(SINGLE)};

#define TAPS 5
// sum[j] += the products of some runs of planes with the output's gradient, for few output channels.
static void few_channels(const Split *h, const Split *w, i64 count, const T *planes, const i64 *at, const T *gradient,
                         T *sum) {
  const T *p[TAPS];
  Vector lanes[TAPS];
  T rest[TAPS] = {0};
  UNROLL for (int j = 0; j < TAPS; j++) p[j] = planes + at[MIN(j, count - 1)], lanes[j] = (Vector){0};
  for (i64 r = 0; r < h->count; r++, gradient += w->count) {
    i64 q = 0;
    for (; q + VL <= w->count; q += VL) {
      Vector y = *(const Unaligned *)(gradient + q);
      UNROLL for (int j = 0; j < TAPS; j++) lanes[j] += *(const Unaligned *)(p[j] + q) * y;
    }
    for (; q < w->count; q++) UNROLL for (int j = 0; j < TAPS; j++) rest[j] += p[j][q] * gradient[q];
    UNROLL for (int j = 0; j < TAPS; j++) p[j] += w->size;
  }
  for (i64 j = 0; j < count; j++) {
    for (i64 l = 0; l < VL; l++) rest[j] += lanes[j][l];
    sum[j] += rest[j];
  }
}
`
