// The native device: kernels as C, compiled by the system's compiler when they are first called, cached on disk, and
// called through koffi with one number, the address of their arguments. Not here: the C text (render/c/), finding the
// compiler (compiler.ts), the cache (cache.ts), matrix multiply and convolution (routines.ts).
import type { Kernel } from '../../ir/kernel.ts'
import { lower } from '../../lower/lower.ts'
import { argument_size, FIRST_ARGUMENT, render_c, render_c_unit, used_params } from '../../render/c/kernel.ts'
import { KERNEL_FLAGS, PRELUDE } from '../../render/c/prelude.ts'
import type { Device, Executable, LaunchValue } from '../device.ts'
import { default_num_threads } from '../parallelism.ts'
import { allocate, set_address_of } from '../storage.ts'
import { address_of, args, args_address, require_room, running } from './arguments.ts'
import { content_hash, type Library, load_library, load_published, publish, temporary_path } from './cache.ts'
import { compile_c, compile_c_async, find_compiler } from './compiler.ts'
import { keep_pages } from './memory.ts'
import { koffi, type NativeFunction } from './node.ts'
import { compile_ahead, conv, gemm } from './routines.ts'
import { num_threads, set_num_threads } from './threads.ts'

/** A device that can also compile kernels ahead of their first call. */
export interface NativeDevice extends Device {
  /** Compiles what the cache lacks, in several processes at once; then first calls compile nothing. */
  compile_all(kernels: readonly Kernel[]): Promise<void>
}

let device: NativeDevice | undefined

/** The native device. Throws NativeUnavailableError where Node, koffi or a working C compiler is missing. */
export function native_device(): NativeDevice {
  if (device) return device
  find_compiler()
  set_num_threads(default_num_threads())
  // Of shared memory koffi takes a view only.
  set_address_of(buffer => Number(koffi().address(new Uint8Array(buffer))), keep_pages())
  device = {
    backend: 'native',
    type: 'cpu',
    get num_threads() {
      return num_threads()
    },
    set num_threads(n) {
      set_num_threads(n)
    },
    alloc: allocate,
    compile,
    compile_all,
    gemm,
    conv,
    synchronize() {},
  }
  return device
}

// ------------------------------------------------------------------------------------------------- compiling

/** A lowered kernel and its name in C and on disk: what it computes, and what makes its compiled code unlike others. */
type Named = readonly [kernel: Kernel, name: string]

function named(lowered: Kernel): Named {
  const { identity } = find_compiler()
  const hash = content_hash(render_c(lowered, 'kernel'), PRELUDE, identity, ...KERNEL_FLAGS)
  return [lowered, `${lowered.name.replace(/\W/g, '_')}_${hash}`]
}

const functions = new Map<string, NativeFunction>()

function load(lowered: Kernel): NativeFunction {
  const one = named(lowered)
  const [, name] = one
  let found = functions.get(name)
  if (found) return found
  const library: Library = load_library(name, path => {
    compile_ahead()
    compile_c(render_c_unit([one]), path, KERNEL_FLAGS)
  })
  found = library.func(name, 'void', ['uintptr_t']) as NativeFunction
  functions.set(name, found)
  return found
}

/** Kernels compiled by one run of the compiler, and such runs at once. */
const UNIT_SIZE = 8
const MOST_AT_ONCE = 4

async function compile_all(kernels: readonly Kernel[]): Promise<void> {
  const all = new Map(kernels.map(kernel => named(lower(kernel))).map(one => [one[1], one]))
  const missing = [...all.values()].filter(([, name]) => !functions.has(name) && !load_published(name))
  const units: Named[][] = []
  for (let i = 0; i < missing.length; i += UNIT_SIZE) units.push(missing.slice(i, i + UNIT_SIZE))
  const work = async (): Promise<void> => {
    for (let unit = units.pop(); unit; unit = units.pop()) {
      const path = temporary_path()
      await compile_c_async(render_c_unit(unit), path, KERNEL_FLAGS)
      const names = unit.map(([, name]) => name)
      publish(path, names)
    }
  }
  await Promise.all(Array.from({ length: MOST_AT_ONCE }, work))
}

// --------------------------------------------------------------------------------------------------- calling

/** One param of a kernel that has to be passed. */
type Slot = {
  readonly at: number
  readonly kind: 'size' | 'stride' | 'numel' | 'value' | 'long'
  /** The buffer; of a value its place among the values. */
  readonly of: number
  readonly dim: number
}

function slots_of(kernel: Kernel): Slot[] {
  const used = used_params(kernel)
  const slots: Slot[] = []
  let at = FIRST_ARGUMENT + kernel.buffers.length
  let values = 0
  for (const param of kernel.params) {
    const { source } = param
    const of = source.kind === 'value' ? values++ : source.buffer
    const kind = source.kind !== 'value' ? source.kind : param.type === 'i64' ? 'long' : 'value'
    const dim = 'dim' in source ? source.dim : 0
    if (used.has(param)) slots.push({ at, kind, of, dim })
    at += argument_size(param)
  }
  require_room(at)
  return slots
}

/** Nothing happens before the first call: many kernels are made that no program calls. */
function compile(kernel: Kernel): Executable {
  const itemsizes = kernel.buffers.map(b => b.dtype.itemsize)
  const count = itemsizes.length
  const address = args_address()
  let run: NativeFunction | undefined
  let slots: readonly Slot[] = []
  const first_call = (): NativeFunction => {
    const lowered = lower(kernel)
    slots = slots_of(lowered)
    return load(lowered)
  }

  return (operands, values) => {
    run ??= first_call()
    running.on = operands
    for (let i = 0; i < count; i++) {
      const { memory, offset } = operands[i]!
      args[FIRST_ARGUMENT + i] = address_of(memory, offset, itemsizes[i]!)
    }
    for (let i = 0; i < slots.length; i++) {
      const { at, kind, of, dim } = slots[i]!
      switch (kind) {
        case 'size':
          args[at] = operands[of]!.sizes[dim]!
          break
        case 'stride':
          args[at] = operands[of]!.strides[dim]!
          break
        case 'numel':
          args[at] = operands[of]!.count
          break
        case 'value':
          args[at] = Number(values[of])
          break
        case 'long':
          write_long(at, values[of]!)
      }
    }
    run(address)
    running.on = null
  }
}

/** An int64 as its high signed and its low unsigned 32 bits. */
function write_long(at: number, value: LaunchValue): void {
  const long = typeof value === 'bigint' ? value : BigInt(value)
  args[at] = Number(BigInt.asIntN(32, long >> 32n))
  args[at + 1] = Number(BigInt.asUintN(32, long))
}
