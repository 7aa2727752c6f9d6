// A node of the backward graph made of a function: for histories that belong to no declared op.
import { type Edge, type Grads, Node } from '../../tensor/tape.ts'

export class FnNode extends Node {
  readonly #apply: (grads: Grads) => Grads
  readonly #release: (() => void) | undefined

  constructor(name: string, edges: (Edge | null)[], apply: (grads: Grads) => Grads, release?: () => void) {
    super(name, edges)
    this.#apply = apply
    this.#release = release
  }

  apply(grads: Grads): Grads {
    return this.#apply(grads)
  }

  override release(): void {
    this.#release?.()
  }
}
