// Runs kernels in JavaScript, without generating code: every node becomes a closure. Slow, exact and strict. It is the
// oracle that the renderers are compared with, and the memory checker of every op's kernels: an index outside of its
// operand throws. Not here: operands and launches (device/interp/).

import type { DType, TypedArray } from '../base/dtype.ts'
import { bfloat16_to_float, float_to_bfloat16, float_to_half, half_to_float } from '../base/half.ts'
import { type Expr, topological } from './expr.ts'
import type { Buffer, Kernel, Stmt } from './kernel.ts'
import { type PrimName, prims } from './prims.ts'
import { convert, reinterpret, type Value } from './value.ts'
import { verify } from './verify.ts'

/** The memory of one buffer: index i of the kernel is element offset + i; i may be lowest to highest, inclusive. */
export type Memory = {
  readonly array: TypedArray
  readonly offset: number
  readonly lowest: number
  readonly highest: number
}

/** A kernel ready to run: memories in the order of `kernel.buffers`, values in the order of `kernel.params`. */
export type Interpreted = (memories: readonly Memory[], params: readonly Value[]) => void

type Evaluate = () => Value
type Execute = () => void

/**
 * Verifies a kernel and makes it runnable. Everything a statement contains is evaluated, both sides of a `where` and
 * the index of a load under a false guard included; only the guarded read itself is skipped, as on every device.
 * Running throws a RangeError where an index is outside of its memory.
 */
export function interpret(kernel: Kernel): Interpreted {
  verify(kernel)
  const compiler = new Compiler(kernel)
  const run = compiler.block(kernel.body)
  return (memories, params) => {
    compiler.bind(memories, params)
    run()
    compiler.bind([], []) // keep no memory alive
  }
}

/** Reads an element as a value of the dtype's compute type, and writes one. */
type Access = {
  get(array: TypedArray, at: number): Value
  set(array: TypedArray, at: number, x: Value): void
}

// Typed arrays wrap integers and round floats on their own.
const plain: Access = {
  get: (array, at) => array[at]!,
  set: (array, at, x) => {
    array[at] = x as number
  },
}
const special: Partial<Record<DType['name'], Access>> = {
  bool: {
    get: (array, at) => array[at] !== 0,
    set: (array, at, x) => {
      array[at] = x ? 1 : 0
    },
  },
  float16: {
    get: (array, at) => half_to_float(array[at] as number),
    set: (array, at, x) => {
      array[at] = float_to_half(x as number)
    },
  },
  bfloat16: {
    get: (array, at) => bfloat16_to_float(array[at] as number),
    set: (array, at, x) => {
      array[at] = float_to_bfloat16(x as number)
    },
  },
}

class Compiler {
  readonly #kernel: Kernel
  #memories: readonly Memory[] = []
  #params: readonly Value[] = []
  /** Loop counters, locals, and values that a statement uses more than once. */
  readonly #slots: Value[] = []
  readonly #variables = new Map<string, number>()

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  bind(memories: readonly Memory[], params: readonly Value[]): void {
    this.#memories = memories
    this.#params = params
  }

  // ------------------------------------------------------------------------------------------ statements

  block(body: readonly Stmt[]): Execute {
    const steps = body.map(stmt => this.#statement(stmt))
    if (steps.length === 1) return steps[0]!
    return () => {
      for (const step of steps) step()
    }
  }

  #statement(stmt: Stmt): Execute {
    switch (stmt.kind) {
      case 'for':
        return this.#for(stmt)
      case 'while': {
        const [condition] = this.#evaluate(stmt.cond)
        const body = this.block(stmt.body)
        return () => {
          while (condition!()) body()
        }
      }
      case 'if': {
        const [condition] = this.#evaluate(stmt.cond)
        const then = this.block(stmt.then)
        const otherwise = this.block(stmt.else)
        return () => {
          if (condition!()) then()
          else otherwise()
        }
      }
      case 'declare':
      case 'assign': {
        const [value] = this.#evaluate(stmt.value)
        const slots = this.#slots
        const slot = this.#variable(stmt.var)
        return () => {
          slots[slot] = value!()
        }
      }
      case 'store':
        return this.#store(stmt)
    }
  }

  #for(stmt: Stmt & { kind: 'for' }): Execute {
    const [size] = this.#evaluate(stmt.size)
    const slots = this.#slots
    const slot = this.#variable(stmt.var)
    const body = this.block(stmt.body)
    return () => {
      const n = size!() as number
      for (let i = 0; i < n; i++) {
        slots[slot] = i
        body()
      }
    }
  }

  #store(stmt: Stmt & { kind: 'store' }): Execute {
    const [index, value] = this.#evaluate(stmt.index, stmt.value)
    const { buffer } = stmt
    const { set } = special[buffer.dtype.name] ?? plain
    const at = this.#address(buffer, index!)
    const number = this.#kernel.buffers.indexOf(buffer)
    return () => {
      const element = at()
      set(this.#memories[number]!.array, element, value!())
    }
  }

  #variable(e: Expr): number {
    const name = e.arg as string
    let slot = this.#variables.get(name)
    if (slot === undefined) {
      slot = this.#slots.push(0) - 1
      this.#variables.set(name, slot)
    }
    return slot
  }

  // ----------------------------------------------------------------------------------------- expressions

  /**
   * Closures for expressions that are evaluated one after the other. Those of nodes with several users go first, in
   * the first closure, and leave their values in slots.
   */
  #evaluate(...roots: readonly Expr[]): Evaluate[] {
    const order = topological(...roots)
    const uses = new Map<Expr, number>()
    for (const node of [...order.flatMap(node => node.src), ...roots])
      uses.set(node, (uses.get(node) ?? 0) + 1)
    const compiled = new Map<Expr, Evaluate>()
    const first: Execute[] = []
    const slots = this.#slots
    for (const node of order) {
      const evaluate = this.#node(
        node,
        node.src.map(s => compiled.get(s)!),
      )
      if (node.src.length === 0 || uses.get(node) === 1) compiled.set(node, evaluate)
      else {
        const slot = slots.push(0) - 1
        first.push(() => {
          slots[slot] = evaluate()
        })
        compiled.set(node, () => slots[slot]!)
      }
    }
    const results = roots.map(root => compiled.get(root)!)
    if (first.length === 0) return results
    const [result, ...rest] = results
    const prepared = (): Value => {
      for (const step of first) step()
      return result!()
    }
    return [prepared, ...rest]
  }

  #node(node: Expr, src: readonly Evaluate[]): Evaluate {
    const { type } = node
    const [a, b, c] = src as [Evaluate, Evaluate, Evaluate]
    switch (node.op) {
      case 'const': {
        const value = node.arg as Value
        return () => value
      }
      case 'param': {
        const number = this.#kernel.params.indexOf(node.arg as Kernel['params'][number])
        return () => this.#params[number]!
      }
      case 'var': {
        const slots = this.#slots
        const slot = this.#variable(node)
        return () => slots[slot]!
      }
      case 'load':
        return this.#load(node, a, b, c)
      case 'cast': {
        const from = node.src[0]!.type
        return () => convert(a(), from, type)
      }
      case 'bitcast': {
        const from = node.src[0]!.type
        return () => reinterpret(a(), from, type)
      }
      default: {
        const prim = prims[node.op as PrimName]
        const { js } = prim
        const on = node.src[src.length - 1]!.type
        if (src.length === 1) return () => js(on, a())
        if (src.length === 2) return () => js(on, a(), b())
        return () => js(on, a(), b(), c())
      }
    }
  }

  #load(node: Expr, index: Evaluate, guard?: Evaluate, otherwise?: Evaluate): Evaluate {
    const buffer = node.arg as Buffer
    const number = this.#kernel.buffers.indexOf(buffer)
    const { get } = special[buffer.dtype.name] ?? plain
    if (guard === undefined || otherwise === undefined) {
      const at = this.#address(buffer, index)
      return () => {
        const element = at()
        return get(this.#memories[number]!.array, element)
      }
    }
    let i: Value = 0
    const at = this.#address(buffer, () => i)
    return () => {
      i = index()
      const other = otherwise()
      return guard() ? get(this.#memories[number]!.array, at()) : other
    }
  }

  /** The element in its array that an index means, checked. */
  #address(buffer: Buffer, index: Evaluate): () => number {
    const number = this.#kernel.buffers.indexOf(buffer)
    return () => {
      const { offset, lowest, highest } = this.#memories[number]!
      const i = index() as number
      if (!(i >= lowest && i <= highest && Number.isInteger(i)))
        throw new RangeError(
          `kernel ${this.#kernel.name}: index ${i} of ${buffer.name} is outside of [${lowest}, ${highest}]`,
        )
      return offset + i
    }
  }
}
