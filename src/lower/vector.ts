// Vector loops as straight lines: an `if` becomes `where` in the values it governs, and each assignment of a local
// declares a new one. Not here: how lanes are laid out (render/).
import { constant, Expr, rewrite, variable } from '../ir/expr.ts'
import type { LoopMode, Stmt } from '../ir/kernel.ts'
import { share } from '../ir/simplify.ts'

type Loop = Extract<Stmt, { kind: 'for' }>
type Store = Extract<Stmt, { kind: 'store' }>

/** A vector loop without branches and assignments; if there is no such form, the same loop in mode `otherwise`. */
export function straighten(loop: Loop, otherwise: LoopMode): Loop {
  if (loop.mode !== 'vector') return loop
  const line = new Line()
  return line.run(loop.body, undefined) ? { ...loop, body: line.stmts } : { ...loop, mode: otherwise }
}

class Line {
  stmts: Stmt[] = []
  /** What each local stands for by now. */
  readonly #current = new Map<string, Expr>()
  readonly #declared = new Set<string>()

  /** Appends `stmts`, executed where `mask` holds (always if undefined). False: they have no straight form. */
  run(stmts: readonly Stmt[], mask: Expr | undefined): boolean {
    return stmts.every(s => {
      switch (s.kind) {
        case 'declare':
          this.#declared.add(s.var.arg as string)
          this.stmts.push({ ...s, value: this.#value(s.value, mask) })
          return true
        case 'assign': {
          if (!this.#declared.has(s.var.arg as string)) return false
          const value = this.#value(s.value, mask)
          const next = variable(s.var.type)
          const old = this.#value(s.var, mask)
          this.stmts.push({ kind: 'declare', var: next, value: mask ? mask.where(value, old) : value })
          this.#current.set(s.var.arg as string, next)
          return true
        }
        case 'store':
          if (mask) return false
          this.stmts.push({ ...s, index: this.#value(s.index, mask), value: this.#value(s.value, mask) })
          return true
        case 'if':
          return this.#branch(s, mask)
        default:
          return false
      }
    })
  }

  /** Both branches, then the one store that may end them if it is to the same element. */
  #branch(s: Extract<Stmt, { kind: 'if' }>, mask: Expr | undefined): boolean {
    const cond = variable('bool')
    this.stmts.push({ kind: 'declare', var: cond, value: this.#value(s.cond, mask) })
    const masks = [cond, cond.not()].map(c => (mask ? mask.and(c) : c)) as [Expr, Expr]
    const [then, otherwise] = [split_store(s.then), split_store(s.else)]
    if (!this.run(then.rest, masks[0])) return false
    const a = then.store && this.#store(then.store, masks[0])
    if (!this.run(otherwise.rest, masks[1])) return false
    const b = otherwise.store && this.#store(otherwise.store, masks[1])
    if (!a && !b) return true
    if (!a || !b || mask || a.buffer !== b.buffer) return false
    const [at, same_at] = share(a.index, b.index)
    if (at !== same_at) return false
    this.stmts.push({ ...a, value: cond.where(a.value, b.value) })
    return true
  }

  #store(s: Store, mask: Expr): Store {
    return { ...s, index: this.#value(s.index, mask), value: this.#value(s.value, mask) }
  }

  /** `e` with the current locals; under a mask its loads touch memory only where the mask holds. */
  #value(e: Expr, mask: Expr | undefined): Expr {
    return rewrite(e, node => {
      if (node.op === 'var') return this.#current.get(node.arg as string)
      if (node.op !== 'load' || !mask) return undefined
      const [index, guard, otherwise] = node.src
      const other = otherwise ?? constant(0, node.type)
      return new Expr('load', node.type, [index!, guard ? mask.and(guard) : mask, other], node.arg)
    })
  }
}

/** The statements of a branch, and its store if that is the last of them. */
function split_store(stmts: readonly Stmt[]): {
  readonly rest: readonly Stmt[]
  readonly store: Store | undefined
} {
  const last = stmts.at(-1)
  return last?.kind === 'store'
    ? { rest: stmts.slice(0, -1), store: last }
    : { rest: stmts, store: undefined }
}
