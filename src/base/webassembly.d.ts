/**
 * The part of the WebAssembly JavaScript API that the wasm device uses. Node's own types leave it out,
 * and the DOM library would bring every browser global along with it. Internal: no exported declaration
 * refers to it.
 */
declare namespace WebAssembly {
  type ExportValue = ((...args: never[]) => unknown) | Memory | Table | Global
  type ImportValue = ExportValue | number | bigint
  type Imports = Record<string, Record<string, ImportValue>>

  class Module {
    constructor(bytes: ArrayBufferView | ArrayBufferLike)
  }
  class Instance {
    constructor(module: Module, imports?: Imports)
    readonly exports: Readonly<Record<string, ExportValue>>
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum?: number; shared?: boolean })
    readonly buffer: ArrayBuffer
    grow(pages: number): number
  }
  class Table {
    constructor(descriptor: { element: 'anyfunc' | 'externref'; initial: number; maximum?: number })
    readonly length: number
    get(index: number): unknown
    set(index: number, value: unknown): void
    grow(count: number): number
  }
  class Global {
    constructor(descriptor: { value: 'i32' | 'i64' | 'f32' | 'f64'; mutable?: boolean }, value?: unknown)
    value: unknown
  }
  class CompileError extends Error {}
  class LinkError extends Error {}
  class RuntimeError extends Error {}

  function validate(bytes: ArrayBufferView | ArrayBufferLike): boolean
}
