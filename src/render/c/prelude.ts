// What every rendered unit starts with: short type names, 16-bit floats, and the functions whose C operators mean
// something else than the IR (a division by zero that must not trap, a NaN that must win, shifts past the width).
// Not here: how expressions and loops are printed (expr.ts, kernel.ts); which machine flags to use (device/native/).

import { SHARE } from './share.ts'

/**
 * Options that the rendered C relies on, of GCC and Clang alike. Floats are neither reassociated nor contracted; only
 * errno and floating-point exceptions, which nothing reads, are given up, so that sqrt and rounding vectorise.
 */
export const KERNEL_FLAGS: readonly string[] = [
  '-O3',
  '-fno-math-errno',
  '-fno-trapping-math',
  '-ffp-contract=off',
  '-fno-strict-aliasing',
  '-fwrapv',
  '-fopenmp-simd', // no threads, only the pragma that a loop is made for SIMD
]

const base = `${SHARE}typedef float f32;
typedef int8_t i8;
typedef int16_t i16;
typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
#define INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#define ONE_BY_ONE _Pragma("clang loop vectorize(disable)")
#define NO_VECTOR
#else
#define INDEPENDENT _Pragma("GCC ivdep")
#define ONE_BY_ONE _Pragma("GCC unroll 4")
#define NO_VECTOR __asm__ volatile("")
#endif
#define LANES(count) _Pragma("omp simd") for (i64 l = 0; l < (count); l++)
#define HALVE(count, x) { enum { h = count }; LANES(h) x; }
#define FOLD_8(x) HALVE(4, x) HALVE(2, x) HALVE(1, x)
#define FOLD_16(x) HALVE(8, x) FOLD_8(x)
#define FOLD_32(x) HALVE(16, x) FOLD_16(x)
#define POINTER(x) ((void *)(uintptr_t)(x))
#define INT64(high, low) ((i64)((u64)(i64)(high) << 32 | (u64)(low)))
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA) || defined(__FP_FAST_FMAF)
#define FUSED 1
#else
#define FUSED 0
#endif
#if defined(__x86_64__) || defined(__i386__)
#define IF_IN_RANGE(test, x, otherwise) (x)
#else
#define IF_IN_RANGE(test, x, otherwise) ((test) ? (x) : (otherwise))
#endif
// Elements in shares of a contiguous loop: whole cache lines and vectors of every dtype.
#define LINE 64
INLINE i64 part(f64 share, i64 n) { return share >= 1 ? n : (i64)(share * n); }
INLINE i64 line_part(f64 share, i64 n) { return share >= 1 ? n : (i64)(share * n) & -LINE; }
// Which of nested loops to cut: the outermost that is long enough for any number of threads, else the longest.
INLINE i64 longest(i64 a, i64 b, i64 c) { return a >= 16 ? 0 : b >= 16 ? 1 : a >= b && a >= c ? 0 : b >= c ? 1 : 2; }
// Into how many parts to cut 'work', in units of about 0.05 ns: what is soon done is not worth waking a thread for.
#define LEAST_WORK 50000
INLINE i64 parts_of(const f64 *args, i64 length, i64 work) {
  i64 parts = work / LEAST_WORK, most = 4 * THREADS(args);
  parts = parts < most ? parts : most;
  return parts < length ? parts : length;
}
#define SHARE_WORK(f, count, length, work) \\
  if (POOL(args)) { \\
    const i64 parts = parts_of(args, length, work); \\
    if (parts > 1) return POOL(args)(f, args, count, parts, THREADS(args)); \\
  }
INLINE f32 i32_as_f32(i32 x) { union { i32 x; f32 y; } u = {x}; return u.y; }
INLINE i32 f32_as_i32(f32 x) { union { f32 x; i32 y; } u = {x}; return u.y; }
INLINE f64 i64_as_f64(i64 x) { union { i64 x; f64 y; } u = {x}; return u.y; }
INLINE i64 f64_as_i64(f64 x) { union { f64 x; i64 y; } u = {x}; return u.y; }
INLINE i32 f32_to_i32(f32 x) { return IF_IN_RANGE(x >= -0x1p31f && x < 0x1p31f, (i32)x, INT32_MIN); }
INLINE i32 f64_to_i32(f64 x) { return IF_IN_RANGE(x > -0x1p31 - 1 && x < 0x1p31, (i32)x, INT32_MIN); }
INLINE i64 f32_to_i64(f32 x) { return IF_IN_RANGE(x >= -0x1p63f && x < 0x1p63f, (i64)x, INT64_MIN); }
INLINE i64 f64_to_i64(f64 x) { return IF_IN_RANGE(x >= -0x1p63 && x < 0x1p63, (i64)x, INT64_MIN); }`

// Integer arithmetic on the bits: it vectorises on every machine. Rounds to nearest even; a float16's exponent is
// scaled into place by a multiplication, which is exact and normalises what is subnormal.
const half_floats = `
INLINE f32 load_f16(u16 x) {
  i32 rest = (x & 0x7fff) << 13, finite = f32_as_i32(i32_as_f32(rest) * 0x1p112f);
  return i32_as_f32((rest >= 0x0f800000 ? rest | 0x7f800000 : finite) | (x & 0x8000) << 16);
}
INLINE u16 store_f16(f32 x) {
  i32 sign = (f32_as_i32(x) >> 16) & 0x8000, m = f32_as_i32(x) & 0x7fffffff;
  i32 small = f32_as_i32(i32_as_f32(m) + 0.5f) - 0x3f000000;
  i32 normal = (m - 0x38000000 + 0xfff + ((m >> 13) & 1)) >> 13;
  i32 large = m > 0x7f800000 ? 0x7e00 : 0x7c00;
  return (u16)(sign | (m < 0x38800000 ? small : m >= 0x477ff000 ? large : normal));
}
INLINE f32 load_bf16(u16 x) { return i32_as_f32((i32)((u32)x << 16)); }
INLINE u16 store_bf16(f32 x) {
  u32 bits = (u32)f32_as_i32(x);
  return (u16)(x != x ? 0x7fc0 : (bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}`

const floats = (t: string, suffix: string): string => `
INLINE ${t} min_${t}(${t} a, ${t} b) { ${t} m = a < b ? a : b; return a != a ? a : m; }
INLINE ${t} max_${t}(${t} a, ${t} b) { ${t} m = a > b ? a : b; return a != a ? a : m; }
INLINE ${t} min_number_${t}(${t} a, ${t} b) { return b < a ? b : a; }
INLINE ${t} max_number_${t}(${t} a, ${t} b) { return b > a ? b : a; }
INLINE ${t} fma_${t}(${t} a, ${t} b, ${t} c) { return FUSED ? __builtin_fma${suffix}(a, b, c) : a * b + c; }
INLINE ${t} fmod_${t}(${t} a, ${t} b) { return __builtin_fmod${suffix}(a, b); }
INLINE ${t} truncdiv_${t}(${t} a, ${t} b) { return __builtin_trunc${suffix}(a / b); }
INLINE ${t} mod_${t}(${t} a, ${t} b) {
  ${t} rest = __builtin_fmod${suffix}(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
INLINE ${t} floordiv_${t}(${t} a, ${t} b) {
  if (b == 0) return a / b;
  ${t} rest = __builtin_fmod${suffix}(a, b), q = (a - rest) / b;
  if (rest != 0 && (b < 0) != (rest < 0)) q -= 1;
  if (q == 0) return __builtin_copysign${suffix}(0, a / b);
  ${t} floor = __builtin_floor${suffix}(q);
  return q - floor > (${t})0.5 ? floor + 1 : floor;
}`

const integers = (t: string, bits: number): string => `
INLINE ${t} min_${t}(${t} a, ${t} b) { return a < b ? a : b; }
INLINE ${t} max_${t}(${t} a, ${t} b) { return a > b ? a : b; }
INLINE ${t} abs_${t}(${t} a) { return a < 0 ? -a : a; }
INLINE ${t} shl_${t}(${t} a, ${t} b) { return (${t})((u${bits})a << (b & ${bits - 1})); }
INLINE ${t} shr_${t}(${t} a, ${t} b) { return a >> (b & ${bits - 1}); }
INLINE ${t} ushr_${t}(${t} a, ${t} b) { return (${t})((u${bits})a >> (b & ${bits - 1})); }
INLINE ${t} truncdiv_${t}(${t} a, ${t} b) { return b == 0 ? 0 : b == -1 ? -a : a / b; }
INLINE ${t} fmod_${t}(${t} a, ${t} b) { return b == 0 || b == -1 ? 0 : a % b; }
INLINE ${t} floordiv_${t}(${t} a, ${t} b) {
  ${t} q = truncdiv_${t}(a, b);
  return b != 0 && (a < 0) != (b < 0) && q * b != a ? q - 1 : q;
}
INLINE ${t} mod_${t}(${t} a, ${t} b) {
  ${t} rest = fmod_${t}(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}`

/** C declarations that rendered kernels need before them. */
export const PRELUDE: string = `${base}${half_floats}${floats('f32', 'f')}${floats('f64', '')}${integers('i32', 32)}${integers('i64', 64)}
`
