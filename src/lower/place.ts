// Common subexpressions and loop-invariant code, in one pass over a kernel. Expressions of all statements are
// numbered by value: one `Node` stands for one value, wherever it is computed. Then each node that is used more than
// once, or that is used inside a loop it does not depend on, becomes a local before its first use in the innermost
// block around its uses (outside of the loops that leave it unchanged); the others stay nested in their user.
// A load and an assigned local are other values after a store or an assignment, so nothing moves across those.
// Not here: algebra on expressions (ir/simplify.ts).
import { Expr, topological } from '../ir/expr.ts'
import type { Kernel, Stmt } from '../ir/kernel.ts'

/** A sequence of statements, at statement `at` of its parent. `loop`: it runs repeatedly. `head`: the condition of a
 *  `while`, where nothing can be declared. */
type Block = {
  readonly id: number
  readonly kind: 'loop' | 'head' | 'plain'
  readonly parent: Block | undefined
  readonly depth: number
  readonly at: number
}

/** A place in the output: before statement `at` of `block`. */
type Site = { readonly block: Block; readonly at: number }

class Node {
  readonly id: number
  readonly expr: Expr
  readonly src: readonly Node[]
  /** The innermost block that something below this node belongs to: it cannot be computed further out. */
  readonly home: Block
  /** Reads memory or an assigned local: must be evaluated where the program says so. */
  readonly volatile: boolean
  /** How often it is written out, and the places where. */
  uses = 0
  readonly sites: Site[] = []
  pinned = false

  constructor(id: number, expr: Expr, src: readonly Node[], home: Block, volatile: boolean) {
    this.id = id
    this.expr = expr
    this.src = src
    this.home = home
    this.volatile = volatile
  }
}

/** A statement with its expressions numbered; `for`, `while` and `if` have their blocks. */
type Numbered = { readonly stmt: Stmt; readonly nodes: readonly Node[]; readonly blocks: readonly Body[] }
type Body = { readonly block: Block; readonly stmts: readonly Numbered[] }

const is_leaf = (e: Expr): boolean => e.op === 'const' || e.op === 'param' || e.op === 'var'

/** The names of all locals that some statement assigns. */
function assigned_in(stmts: readonly Stmt[], names: Set<string> = new Set()): Set<string> {
  for (const s of stmts) {
    if (s.kind === 'assign') names.add(s.var.arg as string)
    for (const body of bodies(s)) assigned_in(body, names)
  }
  return names
}

const stores_in = (stmts: readonly Stmt[]): boolean =>
  stmts.some(s => s.kind === 'store' || bodies(s).some(stores_in))

const bodies = (s: Stmt): (readonly Stmt[])[] =>
  s.kind === 'for' || s.kind === 'while' ? [s.body] : s.kind === 'if' ? [s.then, s.else] : []

const MEMORY = ' memory'
const use = (node: Node, site: Site): void => {
  node.uses++
  node.sites.push(site)
}

/** What is known about memory or an assigned local: which value it is, and since which block. */
type Version = { readonly id: number; readonly home: Block }

class Numbering {
  readonly nodes: Node[] = []
  readonly #by_key = new Map<string, Node>()
  readonly #objects = new Map<unknown, number>()
  readonly #assigned: ReadonlySet<string>
  /** Values of the locals that are never assigned. */
  readonly #values = new Map<string, Node>()
  /** Home blocks of loop counters. */
  readonly #counters = new Map<string, Block>()
  #versions = new Map<string, Version>()
  #fresh = 1
  readonly #root: Block = { id: 0, kind: 'plain', parent: undefined, depth: 0, at: 0 }

  constructor(stmts: readonly Stmt[]) {
    this.#assigned = assigned_in(stmts)
  }

  kernel(stmts: readonly Stmt[]): Body {
    return this.body(stmts, this.#root)
  }

  body(stmts: readonly Stmt[], block: Block): Body {
    const out: Numbered[] = []
    for (const s of stmts) {
      const numbered = this.#statement(s, { block, at: out.length })
      if (numbered) out.push(numbered)
    }
    return { block, stmts: out }
  }

  #statement(s: Stmt, site: Site): Numbered | undefined {
    const { block } = site
    switch (s.kind) {
      case 'declare': {
        const node = this.#number(s.value, block)
        const name = s.var.arg as string
        if (this.#assigned.has(name)) {
          this.#renew(name, block)
          return this.#used(s, [node], site)
        }
        this.#values.set(name, node)
        if (!node.volatile) return undefined
        node.pinned = true
        node.sites.push(site)
        return { stmt: s, nodes: [], blocks: [] }
      }
      case 'assign': {
        const node = this.#number(s.value, block)
        this.#renew(s.var.arg as string, block)
        return this.#used(s, [node], site)
      }
      case 'store': {
        const nodes = [this.#number(s.index, block), this.#number(s.value, block)]
        this.#renew(MEMORY, block)
        return this.#used(s, nodes, site)
      }
      case 'for': {
        const size = this.#number(s.size, block)
        const inner = this.#block('loop', site)
        this.#counters.set(s.var.arg as string, inner)
        return this.#used(s, [size], site, [this.#loop(s.body, inner)])
      }
      case 'while': {
        const head = this.#block('head', site)
        this.#renew_written(s.body, head)
        const cond = this.#number(s.cond, head)
        return this.#used(s, [cond], { block: head, at: 0 }, [this.#loop(s.body, this.#block('loop', site))])
      }
      case 'if': {
        const cond = this.#number(s.cond, block)
        const before = new Map(this.#versions)
        const then = this.body(s.then, this.#block('plain', site))
        this.#versions = before
        const otherwise = this.body(s.else, this.#block('plain', site))
        this.#renew_written([...s.then, ...s.else], block)
        return this.#used(s, [cond], site, [then, otherwise])
      }
    }
  }

  #loop(stmts: readonly Stmt[], block: Block): Body {
    this.#renew_written(stmts, block)
    const body = this.body(stmts, block)
    this.#renew_written(stmts, block.parent!)
    return body
  }

  #block(kind: Block['kind'], { block, at }: Site): Block {
    return { id: this.#fresh++, kind, parent: block, depth: block.depth + 1, at }
  }

  #used(stmt: Stmt, nodes: readonly Node[], site: Site, blocks: readonly Body[] = []): Numbered {
    for (const node of nodes) use(node, site)
    return { stmt, nodes, blocks }
  }

  #renew(name: string, home: Block): void {
    this.#versions.set(name, { id: this.#fresh++, home })
  }

  #renew_written(stmts: readonly Stmt[], home: Block): void {
    for (const name of assigned_in(stmts)) this.#renew(name, home)
    if (stores_in(stmts)) this.#renew(MEMORY, home)
  }

  #number_of(x: unknown): number {
    let n = this.#objects.get(x)
    if (n === undefined) this.#objects.set(x, (n = this.#objects.size))
    return n
  }

  #number(root: Expr, block: Block): Node {
    const done = new Map<Expr, Node>()
    for (const e of topological(root))
      done.set(
        e,
        this.#node(
          e,
          e.src.map(s => done.get(s)!),
          block,
        ),
      )
    return done.get(root)!
  }

  #node(e: Expr, src: readonly Node[], block: Block): Node {
    let home = src.reduce((a, s) => (a.depth >= s.home.depth ? a : s.home), this.#root)
    let volatile = src.some(s => s.volatile)
    let detail = ''
    if (e.op === 'var') {
      const name = e.arg as string
      const value = this.#values.get(name)
      if (value) return value
      const version = this.#versions.get(name)
      home = version?.home ?? this.#counters.get(name) ?? this.#root
      volatile = version !== undefined
      detail = version ? `${version.id}` : ''
    } else if (e.op === 'load') {
      home = block // a load stays where it is: the loops and conditions around it make its index valid
      volatile = true
      detail = `${this.#versions.get(MEMORY)?.id} ${block.id}`
    }
    const arg =
      typeof e.arg === 'object' && e.arg !== null
        ? `#${this.#number_of(e.arg)}`
        : Object.is(e.arg, -0)
          ? '-0'
          : e.arg
    const key = `${e.op} ${e.type} ${arg} ${detail} ${src.map(s => s.id).join(' ')}`
    let node = this.#by_key.get(key)
    if (!node) {
      node = new Node(this.nodes.length, e, src, home, volatile)
      this.nodes.push(node)
      this.#by_key.set(key, node)
    }
    return node
  }
}

/** The block around all `sites`. */
function common(sites: readonly Site[]): Block {
  return sites
    .map(s => s.block)
    .reduce((a, b) => {
      while (a !== b)
        if (a.depth > b.depth) a = a.parent!
        else b = b.parent!
      return a
    })
}

/** `block`, or where to go from it towards `home` to leave as many loops as possible. */
function outside_loops(block: Block, home: Block): Block {
  let out = block
  for (let b = block; b !== home; b = b.parent!) if (b.kind !== 'plain') out = b.parent!
  return out
}

/** The statement of `block` that a site is at or inside of. */
function statement_of(site: Site, block: Block): number {
  let { block: b, at } = site
  while (b !== block) {
    at = b.at
    b = b.parent!
  }
  return at
}

/** Decides for each node, users first, whether it becomes a local, and where: the nodes to declare by block and
 *  statement, operands first. */
function placements(nodes: readonly Node[]): Map<Block, Map<number, Node[]>> {
  const placed = new Map<Block, Map<number, Node[]>>()
  for (const node of nodes.toReversed()) {
    if (node.uses === 0 || (is_leaf(node.expr) && !node.pinned)) continue
    const inner = common(node.sites)
    const block = outside_loops(inner, node.home)
    let sites: readonly Site[] = node.sites
    if (block.kind !== 'head' && (node.pinned || node.uses > 1 || block !== inner)) {
      const at = Math.min(...node.sites.map(s => statement_of(s, block)))
      const in_block = placed.get(block) ?? new Map<number, Node[]>()
      placed.set(block, in_block.set(at, [node, ...(in_block.get(at) ?? [])]))
      sites = [{ block, at }]
    }
    for (const s of node.src) for (const site of sites) use(s, site)
  }
  return placed
}

/** Shares common subexpressions as locals, moves invariant ones out of loops, and names what it declares in order. */
export function place(kernel: Kernel): Kernel {
  const numbering = new Numbering(kernel.body)
  const root = numbering.kernel(kernel.body)
  const placed = placements(numbering.nodes)
  const taken = new Set([...kernel.buffers, ...kernel.params].map(x => x.name))
  const locals = new Map<Node, Expr>()
  const names = new Map<string, Expr>()
  const counts = { i: 0, v: 0 }

  const named = (prefix: 'i' | 'v', like: Expr): Expr => {
    let name = ''
    do name = `${prefix}${counts[prefix]++}`
    while (taken.has(name))
    return new Expr('var', like.type, [], name)
  }
  const renamed = (prefix: 'i' | 'v', v: Expr): Expr => {
    const one = named(prefix, v)
    names.set(v.arg as string, one)
    return one
  }
  /** Written out, with locals for what was declared. Iterative: expressions may be deep. */
  const expression = (root: Node): Expr => {
    const done = new Map<Node, Expr>()
    const stack = [root]
    while (stack.length > 0) {
      const node = stack[stack.length - 1]!
      const missing = done.has(node) ? [] : node.src.filter(s => !done.has(s) && !locals.has(s))
      if (missing.length > 0) {
        stack.push(...missing)
        continue
      }
      stack.pop()
      if (!done.has(node))
        done.set(node, locals.get(node) ?? written(node, s => locals.get(s) ?? done.get(s)!))
    }
    return done.get(root)!
  }
  const written = ({ expr, src }: Node, operand: (s: Node) => Expr): Expr => {
    if (expr.op === 'var') return names.get(expr.arg as string) ?? expr
    const operands = src.map(operand)
    return operands.every((s, i) => s === expr.src[i])
      ? expr
      : new Expr(expr.op, expr.type, operands, expr.arg)
  }

  const emit = ({ block, stmts }: Body): Stmt[] => {
    const at = placed.get(block)
    return stmts.flatMap((s, i): Stmt[] => {
      const declared = (at?.get(i) ?? []).map((node): Stmt => {
        const value = expression(node)
        const local = named('v', value)
        locals.set(node, local)
        return { kind: 'declare', var: local, value }
      })
      return [...declared, ...statement(s)]
    })
  }
  const statement = ({ stmt: s, nodes, blocks }: Numbered): Stmt[] => {
    const e = nodes.map(expression) as [Expr, Expr]
    switch (s.kind) {
      case 'declare':
        return nodes.length === 0 ? [] : [{ ...s, var: renamed('v', s.var), value: e[0] }]
      case 'assign':
        return [{ ...s, var: names.get(s.var.arg as string) ?? s.var, value: e[0] }]
      case 'store':
        return [{ ...s, index: e[0], value: e[1] }]
      case 'for':
        return [{ ...s, size: e[0], var: renamed('i', s.var), body: emit(blocks[0]!) }]
      case 'while':
        return [{ ...s, cond: e[0], body: emit(blocks[0]!) }]
      case 'if':
        return [{ ...s, cond: e[0], then: emit(blocks[0]!), else: emit(blocks[1]!) }]
    }
  }
  return { ...kernel, body: emit(root) }
}
