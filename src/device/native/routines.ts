// Matrix multiply and convolution on the native device: the C routines, compiled at their first use, one library per
// routine and type. Not here: their C text (render/c/gemm.ts, render/c/conv.ts).
import { type DType, float32 } from '../../base/dtype.ts'
import { OutOfMemoryError } from '../../base/errors.ts'
import { conv_source } from '../../render/c/conv.ts'
import { gemm_source, ROUTINE_FLAGS } from '../../render/c/gemm.ts'
import type { ConvProblem, GemmProblem } from '../device.ts'
import { address_of, args, args_address, operand_address, running } from './arguments.ts'
import { start_compiling, wait_for_compiled } from './background.ts'
import { content_hash, load_library } from './cache.ts'
import { compile_c, find_compiler } from './compiler.ts'
import { builtin } from './node.ts'

/** A routine returns 0, or 1 where it got no memory to work in. */
type Routine = (address: number) => number

const SOURCES = { gemm: gemm_source, conv: conv_source } as const
/** What was compiled, by the dtype's code. */
const ROUTINES: Readonly<Record<keyof typeof SOURCES, Routine[]>> = { gemm: [], conv: [] }

/** The name of a library and its text. */
function unit(kind: keyof typeof SOURCES, dtype: DType): readonly [name: string, source: string] {
  const source = SOURCES[kind](dtype.name === 'float32' ? 'f32' : 'f64')
  const hash = content_hash(source, find_compiler().identity, ...ROUTINE_FLAGS)
  return [`${kind}_${dtype.name}_${hash}`, source]
}

/** As many kernels that the cache lacks show that it is new, and that the program is more than a few calls. */
const SIGNS_OF_A_NEW_CACHE = 4

let signs = 0
/** Hears of each kernel that the cache lacks; begins to compile what such a program calls sooner or later. */
export function compile_ahead(): void {
  if (++signs === SIGNS_OF_A_NEW_CACHE && builtin('node:os').availableParallelism() > 1)
    for (const kind of ['gemm', 'conv'] as const) {
      const [name, source] = unit(kind, float32)
      start_compiling(name, source, ROUTINE_FLAGS)
    }
}

function compile(kind: keyof typeof SOURCES, dtype: DType): Routine {
  if (dtype.name !== 'float32' && dtype.name !== 'float64')
    throw new TypeError(`${kind} computes in float32 and float64, not in ${dtype.name}`)
  const [name, source] = unit(kind, dtype)
  wait_for_compiled(name)
  const library = load_library(name, path => compile_c(source, path, ROUTINE_FLAGS))
  const found = library.func(`tstorch_${kind}`, 'int32_t', ['uintptr_t']) as Routine
  ROUTINES[kind][dtype.code] = found
  return found
}

function call(run: Routine, problem: GemmProblem | ConvProblem): void {
  running.on = problem
  const status = run(args_address())
  running.on = null
  if (status !== 0) throw new OutOfMemoryError('the native device got no memory to work in')
}

/** c = a @ b (+ c, or + bias), see `Device.gemm`. */
export function gemm(problem: GemmProblem): void {
  const { dtype, batch, m, n, k, a, b, c, accumulate, bias } = problem
  const run = ROUTINES.gemm[dtype.code] ?? compile('gemm', dtype)
  if (batch === 0 || m === 0 || n === 0) return
  args[2] = address_of(a.storage, a.offset, dtype.itemsize)
  args[3] = address_of(b.storage, b.offset, dtype.itemsize)
  args[4] = address_of(c.storage, c.offset, dtype.itemsize)
  args[5] = batch
  args[6] = m
  args[7] = n
  args[8] = k
  args[9] = a.batch_stride
  args[10] = a.row_stride
  args[11] = a.col_stride
  args[12] = b.batch_stride
  args[13] = b.row_stride
  args[14] = b.col_stride
  args[15] = c.batch_stride
  args[16] = c.row_stride
  args[17] = accumulate ? 1 : 0
  args[18] = bias ? operand_address(bias) : 0
  call(run, problem)
}

const KINDS = { forward: 0, input_grad: 1, weight_grad: 2 } as const

/** Convolution or one of its gradients, see `Device.conv`. */
export function conv(problem: ConvProblem): void {
  const { dtype, kind, batch, groups, in_channels, out_channels, input, weight, output, bias } = problem
  const run = ROUTINES.conv[dtype.code] ?? compile('conv', dtype)
  const numbers = [
    ...[KINDS[kind], operand_address(input), operand_address(weight), operand_address(output)],
    bias === null ? 0 : operand_address(bias),
    ...[batch, groups, in_channels, out_channels],
    ...problem.in_size,
    ...problem.out_size,
    ...problem.kernel,
    ...problem.stride,
    ...problem.padding,
    ...problem.dilation,
  ]
  args.set(numbers, 2)
  call(run, problem)
}
