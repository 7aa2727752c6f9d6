// Walks over statements and expressions that the renderer's analyses share.
import { type Expr, topological } from '../../ir/expr.ts'
import type { Stmt } from '../../ir/kernel.ts'

/** Calls `visit` on every statement, outer ones first. */
export function visit_statements(body: readonly Stmt[], visit: (s: Stmt) => void): void {
  for (const s of body) {
    visit(s)
    if (s.kind === 'for' || s.kind === 'while') visit_statements(s.body, visit)
    else if (s.kind === 'if') {
      visit_statements(s.then, visit)
      visit_statements(s.else, visit)
    }
  }
}

/** The nodes with operands that `roots` use more than once. */
export function shared_nodes(roots: readonly Expr[]): Set<Expr> {
  const seen = new Set<Expr>(roots)
  const shared = new Set<Expr>()
  for (const node of topological(...roots))
    for (const s of node.src) {
      if (seen.has(s) && s.src.length > 0) shared.add(s)
      seen.add(s)
    }
  return shared
}
