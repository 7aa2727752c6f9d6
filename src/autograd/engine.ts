// The backward pass: walks the graph from outputs to leaves, later nodes first, adding up what reaches each node.
// A heap of ready nodes, no recursion, so graphs of any depth are walked. Not here: the nodes (tensor/tape.ts) and
// their derivatives (the ops).
import { RuntimeError } from '../base/errors.ts'
import { same_sizes } from '../base/shape.ts'
import { inside } from '../tensor/batched.ts'
import { Scope, zeros } from '../tensor/dispatch.ts'
import {
  AccumulateGrad,
  type Edge,
  edge_of,
  foreign_calls,
  type Grads,
  modes,
  type Node,
} from '../tensor/tape.ts'
import { alias, Tensor } from '../tensor/tensor.ts'

export type BackwardOptions = {
  /** Keep saved tensors for another backward; by default as `create_graph`. */
  retain_graph?: boolean | null
  /** Record the backward pass itself, for higher derivatives. */
  create_graph?: boolean
}

/** Nodes waiting to run, the latest made first. */
class ReadyQueue {
  readonly #heap: Node[] = []

  clear(): void {
    this.#heap.length = 0
  }

  get size(): number {
    return this.#heap.length
  }

  push(node: Node): void {
    const heap = this.#heap
    let at = heap.push(node) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (heap[parent]!.sequence >= node.sequence) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = node
  }

  pop(): Node {
    const heap = this.#heap
    const top = heap[0]!
    const last = heap.pop()!
    if (heap.length > 0) {
      let at = 0
      for (;;) {
        let child = 2 * at + 1
        if (child >= heap.length) break
        if (child + 1 < heap.length && heap[child + 1]!.sequence > heap[child]!.sequence) child++
        if (heap[child]!.sequence <= last.sequence) break
        heap[at] = heap[child]!
        at = child
      }
      heap[at] = last
    }
    return top
  }
}

let passes = 0
/** How many passes are under way: a hook or custom function may run one inside another. */
let depth = 0

/** What a pass had noted about a node when one inside of it met the node too. */
type Covered = {
  readonly node: Node
  readonly pass: number
  readonly waiting: number
  readonly arrived: Grads | null
}

/** A walk of the graph from some roots. What it notes about nodes it keeps on them, which costs less than maps. */
class Pass {
  #id = 0
  readonly ready: ReadyQueue = new ReadyQueue()
  /** Who holds what is made: gradients are held while they wait for their node and while it runs. */
  scope!: Scope
  #foreign = 0
  readonly #stack: Node[] = []
  /** Notes of passes around this one, which are put back at the end. */
  #covered: Covered[] = []

  /** Starts at `roots`: counts the edges that lead to each node. */
  begin(roots: readonly Edge[]): void {
    this.scope = new Scope()
    this.#foreign = foreign_calls.count
    this.#id = ++passes
    this.ready.clear()
    const stack = this.#stack
    stack.length = 0
    for (const root of roots) if (this.#visit(root.node)) stack.push(root.node)
    while (stack.length > 0) {
      const node = stack.pop() as Node
      for (const edge of node.edges) {
        if (edge === null) continue
        if (this.#visit(edge.node)) stack.push(edge.node)
        edge.node.waiting++
      }
    }
    for (let i = 0; i < roots.length; i++) {
      const { node } = roots[i]!
      if (node.waiting > 0) continue
      this.ready.push(node)
      // Several roots may be outputs of one node.
      node.waiting = 1
    }
  }

  /** Whether a node is met for the first time. */
  #visit(node: Node): boolean {
    const { pass } = node
    if (pass === this.#id) return false
    if (pass !== 0 && depth > 1)
      this.#covered.push({ node, pass, waiting: node.waiting, arrived: node.arrived })
    node.pass = this.#id
    node.waiting = 0
    node.arrived = null
    return true
  }

  /** A gradient reaches an input of `node`. One that is there already is changed only where nobody else holds it. */
  arrive(node: Node, nr: number, grad: Tensor): void {
    const { arrived } = node
    const before = arrived?.[nr]
    if (before) {
      if (this.#may_add_to(before, grad)) before.add_(grad)
      else {
        arrived![nr] = this.hold(before.add(grad))
        this.scope.drop(inside(before).memory)
      }
      return
    }
    this.hold(grad)
    if (arrived === null) {
      if (nr === 0) node.arrived = [grad]
      else {
        node.arrived = []
        node.arrived[nr] = grad
      }
      return
    }
    arrived[nr] = grad
  }

  #may_add_to(before: Tensor, grad: Tensor): boolean {
    return (
      before.dense &&
      grad.dense &&
      before._view === null &&
      before.dtype === grad.dtype &&
      same_sizes(before.sizes, grad.sizes) &&
      this.scope.is_sole(before.memory)
    )
  }

  hold(grad: Tensor): Tensor {
    if (this.scope.mark > 0) this.scope.hold(inside(grad).memory)
    return grad
  }

  drop(grads: Grads): void {
    if (this.scope.mark === 0) return
    for (const grad of grads) if (grad) this.scope.drop(inside(grad).memory)
  }

  /** Looks whether user code has run, which may have kept what it was shown. */
  look_for_foreign_calls(): void {
    if (foreign_calls.count !== this.#foreign) this.scope.reveal()
  }

  /** A node has run for these gradients, or has not been needed. What it made begins at `mark`. */
  settle(mark: number, grads: Grads): void {
    this.look_for_foreign_calls()
    this.drop(grads)
    if (this.scope.mark > 0) this.scope.settle(mark)
  }

  /** An edge has been walked, with a gradient or without. */
  send(edge: Edge, grad: Tensor | null): void {
    if (grad !== null) this.arrive(edge.node, edge.nr, grad)
    if (--edge.node.waiting === 0) this.ready.push(edge.node)
  }

  /** `recycle`: what the pass made has died, unless it has an owner or somebody saw it. */
  end(recycle: boolean): void {
    this.look_for_foreign_calls()
    this.scope.end(recycle)
    if (this.#covered.length === 0) return
    for (const { node, pass, waiting, arrived } of this.#covered) {
      node.pass = pass
      node.waiting = waiting
      node.arrived = arrived
    }
    this.#covered = []
  }
}

/** The passes, by depth. */
const passes_by_depth: Pass[] = [new Pass()]

/** The nodes from which one of `targets` can be reached (they included). */
function nodes_leading_to(targets: ReadonlySet<Node>, roots: readonly Node[]): Set<Node> {
  const leads = new Set<Node>()
  const state = new Map<Node, number>()
  const stack: Node[] = [...roots]
  while (stack.length > 0) {
    const node = stack[stack.length - 1]!
    const next = state.get(node) ?? 0
    if (next === 0 && targets.has(node)) leads.add(node)
    const edge = node.edges[next]
    if (next < node.edges.length) {
      state.set(node, next + 1)
      if (edge && !state.has(edge.node)) {
        stack.push(edge.node)
      }
      continue
    }
    stack.pop()
    state.set(node, next)
    if (node.edges.some(e => e !== null && leads.has(e.node))) leads.add(node)
  }
  return leads
}

/** What `run_backward` should bring back, besides filling leaves. */
type Capture = { readonly node: Node; readonly nr: number; readonly at: number }

/**
 * Runs backward from `roots` with the gradients given. Without `captures` leaves accumulate into `.grad`; with them
 * nothing accumulates, and the gradient that reaches each captured edge is returned.
 */
function run_backward(
  roots: readonly Edge[],
  grads: readonly Tensor[],
  retain_graph: boolean,
  create_graph: boolean,
  captures: readonly Capture[] | null = null,
): Grads {
  const captured: Grads = captures === null ? [] : new Array<null>(captures.length).fill(null)
  const needed =
    captures === null
      ? null
      : nodes_leading_to(
          new Set(captures.map(c => c.node)),
          roots.map(r => r.node),
        )
  const before = modes.grad
  modes.grad = create_graph
  const pass = (passes_by_depth[depth] ??= new Pass())
  depth++
  let finished = false
  try {
    pass.begin(roots)
    if (create_graph) pass.scope.reveal()
    for (let i = 0; i < roots.length; i++) pass.arrive(roots[i]!.node, roots[i]!.nr, grads[i]!)
    while (pass.ready.size > 0) run_node(pass.ready.pop(), pass, needed, retain_graph, captures, captured)
    finished = true
  } finally {
    depth--
    pass.end(finished && !create_graph)
    modes.grad = before
  }
  return captured
}

function run_node(
  node: Node,
  pass: Pass,
  needed: ReadonlySet<Node> | null,
  retain_graph: boolean,
  captures: readonly Capture[] | null,
  captured: Grads,
): void {
  const grads = node.arrived
  node.arrived = null
  if (grads === null) return send_nothing(pass, node.edges)
  const { mark } = pass.scope
  if (needed !== null && !needed.has(node)) send_nothing(pass, node.edges)
  else run_with(grads, node, pass, needed, retain_graph, captures, captured)
  pass.settle(mark, grads)
}

function run_with(
  grads: Grads,
  node: Node,
  pass: Pass,
  needed: ReadonlySet<Node> | null,
  retain_graph: boolean,
  captures: readonly Capture[] | null,
  captured: Grads,
): void {
  const { edges, outputs } = node
  for (let nr = 0; nr < outputs.length; nr++) grads[nr] ??= null
  if (node.pre_hooks !== null || node.hooks !== null) foreign_calls.count++
  if (node.pre_hooks !== null) for (const hook of node.pre_hooks) hook(grads)
  if (captures !== null)
    for (const c of captures) if (c.node === node) captured[c.at] = own(grads[c.nr] ?? null)
  if (node instanceof AccumulateGrad) {
    if (captures === null && grads[0]) accumulate_leaf(node.variable, grads[0])
    return
  }
  if (needed !== null && !edges.some(e => e !== null && needed.has(e.node))) return send_nothing(pass, edges)
  if (outputs.length === 1 && grads[0] === null) grads[0] = pass.hold(zeros_like_output(node, 0))
  pass.look_for_foreign_calls()
  let results = apply_node(node, grads)
  if (node.hooks !== null) for (const hook of node.hooks) results = hook(results, grads) ?? results
  if (!retain_graph) node.release()
  pass.look_for_foreign_calls()
  if (pass.scope.mark > 0) for (const result of results) if (result) pass.hold(result)
  for (let i = 0; i < edges.length; i++) {
    const edge = edges[i]
    if (edge) pass.send(edge, check_gradient(node, i, edge, results[i] ?? null))
  }
  pass.drop(results)
}

/** A gradient that the caller is given. */
function own(grad: Tensor | null): Tensor | null {
  if (grad !== null) inside(grad).memory.owned = true
  return grad
}

function send_nothing(pass: Pass, edges: readonly (Edge | null)[]): void {
  for (const edge of edges) if (edge !== null) pass.send(edge, null)
}

function apply_node(node: Node, grads: Grads): Grads {
  if (!modes.anomaly) return node.apply(grads)
  let results: Grads
  try {
    results = node.apply(grads)
  } catch (error) {
    warn_trace(node)
    throw error
  }
  if (!modes.anomaly_nan) return results
  results.forEach((grad, i) => {
    if (grad?.detach().isnan().any().item()) {
      warn_trace(node)
      throw new RuntimeError(`Function '${node.name()}' returned nan values in its ${i}th output.`)
    }
  })
  return results
}

const warn_trace = (node: Node): void =>
  console.warn(
    `UserWarning: Error detected in ${node.name()}. Traceback of forward call that caused the error:\n${node.trace ?? ''}`,
  )

const zeros_like_output = (node: Node, nr: number): Tensor => {
  const { sizes, dtype } = node.outputs[nr]!
  return zeros(sizes, dtype)
}

/** Gradients have the shape and dtype of what they are the gradient of; a 0-dim one may stand for any shape. */
function check_gradient(node: Node, i: number, edge: Edge, given: Tensor | null): Tensor | null {
  if (given === null) return null
  let grad: Tensor = given
  const meta = edge.node.outputs[edge.nr]
  if (meta === undefined) return grad
  if (!same_sizes(grad.sizes, meta.sizes)) {
    const expandable = grad.sizes.length >= meta.sizes.length
    if (!expandable)
      throw new RuntimeError(
        `Function ${node.name()} returned an invalid gradient at index ${i} - got [${grad.sizes.join(', ')}] but expected shape compatible with [${meta.sizes.join(', ')}]`,
      )
    grad = grad.sum_to_size(meta.sizes)
  }
  return grad.dtype === meta.dtype ? grad : grad.to(meta.dtype)
}

/** Adds to a leaf's `.grad`. The first gradient is taken over; later ones are added in place unless recorded. */
function accumulate_leaf(leaf: Tensor, grad: Tensor): void {
  const old = leaf._grad
  if (old === null) {
    leaf._grad = modes.grad ? grad.clone() : take_over(grad)
    leaf._grad.memory.owned = true
  } else if (modes.grad) leaf._grad = old.add(grad)
  else old.add_(grad)
}

/** A gradient as the leaf's own: detached, and a copy where its memory is someone else's. */
function take_over(grad: Tensor): Tensor {
  if (!grad.dense || grad._view !== null || grad._grad_fn !== null || grad.memory.owned)
    return grad.detach().clone()
  return alias(grad)
}

// ---------------------------------------------------------------------------------------------- the public calls

const as_list = <T>(x: T | readonly T[] | null | undefined): T[] =>
  x === null || x === undefined ? [] : Array.isArray(x) ? [...x] : [x as T]

/** The starting gradients: those given, or ones for scalars. Throws RuntimeError where neither can be. */
function starting_gradients(outputs: readonly Tensor[], given: readonly (Tensor | null)[] | null): Tensor[] {
  return outputs.map((out, i) => {
    const grad = given?.[i] ?? null
    if (grad === null) {
      if (out.count !== 1) throw new RuntimeError('grad can be implicitly created only for scalar outputs')
      return one_like(out)
    }
    if (!same_sizes(grad.sizes, out.sizes))
      throw new RuntimeError(
        `Mismatch in shape: grad_output[${i}] has a shape of torch.Size([${grad.sizes.join(', ')}]) and output[${i}] has a shape of torch.Size([${out.sizes.join(', ')}]).`,
      )
    inside(grad).memory.owned = true
    return grad
  })
}

/** The gradient of a number by itself. */
function one_like({ sizes, dtype }: Tensor): Tensor {
  const one = zeros(sizes, dtype)
  if (dtype.name !== 'float32' && dtype.name !== 'float64') return one.fill_(1)
  one.memory.touch(dtype)[0] = 1
  return one
}

function root_edges(outputs: readonly Tensor[]): Edge[] {
  return outputs.map((t, i) => {
    const edge = edge_of(t)
    if (edge === null)
      throw new RuntimeError(`element ${i} of tensors does not require grad and does not have a grad_fn`)
    return edge
  })
}

/**
 * Sums the gradients of `tensors` into the `.grad` of the graph's leaves. Tensors that are no scalars need
 * `grad_tensors`. Throws RuntimeError for a graph that was released, or that was changed in place.
 */
export function backward(
  tensors: Tensor | readonly Tensor[],
  grad_tensors?: Tensor | readonly (Tensor | null)[] | null,
  options: BackwardOptions & { inputs?: Tensor | readonly Tensor[] | null } = {},
): void {
  const { retain_graph, create_graph = false, inputs } = options
  const outputs = as_list(tensors as Tensor | readonly Tensor[])
  const grads = starting_gradients(
    outputs,
    grad_tensors ? as_list(grad_tensors as Tensor | readonly Tensor[]) : null,
  )
  const keep = retain_graph ?? create_graph
  if (inputs !== null && inputs !== undefined) {
    const leaves = as_list(inputs as Tensor | readonly Tensor[])
    if (leaves.length === 0) throw new RuntimeError("'inputs' argument to backward() cannot be empty.")
    const found = run_backward(root_edges(outputs), grads, keep, create_graph, captures_for(leaves))
    found.forEach((grad, i) => {
      if (grad !== null) accumulate_leaf(leaves[i]!, grad)
    })
    return
  }
  run_backward(root_edges(outputs), grads, keep, create_graph)
}

function captures_for(inputs: readonly Tensor[]): Capture[] {
  return inputs.map((t, at) => {
    const edge = edge_of(t)
    if (edge === null) throw new RuntimeError('One of the differentiated Tensors does not require grad')
    return { node: edge.node, nr: edge.nr, at }
  })
}

/**
 * The gradients of `outputs` with respect to `inputs`, leaving every `.grad` alone. Throws RuntimeError for an input
 * that is not part of the graph, unless `allow_unused`: then its gradient is null.
 */
export function grad(
  outputs: Tensor | readonly Tensor[],
  inputs: Tensor | readonly Tensor[],
  grad_outputs?: Tensor | readonly (Tensor | null)[] | null | GradOptions,
  options: GradOptions = {},
): (Tensor | null)[] {
  const is_options =
    grad_outputs !== null &&
    grad_outputs !== undefined &&
    !Array.isArray(grad_outputs) &&
    !(grad_outputs instanceof Tensor)
  const {
    retain_graph,
    create_graph = false,
    allow_unused = false,
    grad_outputs: named,
  } = is_options ? (grad_outputs as GradOptions) : options
  const given = is_options
    ? named
    : ((grad_outputs as Tensor | readonly (Tensor | null)[] | null | undefined) ?? named)
  const outs = as_list(outputs as Tensor | readonly Tensor[])
  const ins = as_list(inputs as Tensor | readonly Tensor[])
  const grads = starting_gradients(outs, given ? as_list(given as Tensor | readonly Tensor[]) : null)
  const roots = root_edges(outs)
  const found = run_backward(roots, grads, retain_graph ?? create_graph, create_graph, captures_for(ins))
  if (!allow_unused && found.includes(null))
    throw new RuntimeError(
      'One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior.',
    )
  return found
}

export type GradOptions = BackwardOptions & {
  grad_outputs?: Tensor | readonly (Tensor | null)[] | null
  allow_unused?: boolean
}
