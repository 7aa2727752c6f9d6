// What test/data/nn/behaviour.py recorded, and the modules it was recorded from.
import { readFileSync } from 'node:fs'
import * as torch from '../../src/index.ts'
import type { Parameter } from '../../src/nn/parameter.ts'

const { nn } = torch
type Tensor = torch.Tensor

type Recorded = {
  [name: string]: string & string[] & boolean[]
} & {
  hooks: unknown[][]
  init: Record<string, number[]>
  gains: Record<string, number>
  utils: Record<string, unknown[]>
  reprs: Record<string, string>
}
export const recorded: Recorded = JSON.parse(
  readFileSync(new URL('../data/nn/behaviour.json', import.meta.url), 'utf8'),
) as Recorded

/** The numbers of behaviour.py's `values`. */
export const numbers = (n: number, salt: number): Tensor =>
  torch.tensor(
    Array.from({ length: n }, (_, i) => ((((i + 1) * 7919 + salt * 104729) % 997) / 997) * 3 - 1.5),
  )

/** Nested numbers rounded to float32's digits, for comparison. */
export const rounded = (x: unknown): unknown =>
  x instanceof torch.Tensor
    ? (x.detach().reshape([-1]).tolist() as number[]).map(rounded)
    : Array.isArray(x)
      ? x.map(rounded)
      : typeof x === 'number'
        ? Number(x.toPrecision(5))
        : x

export class Block extends nn.Module {
  lin: torch.nn.Linear
  act: torch.nn.ReLU = new nn.ReLU()
  scale: Parameter
  declare seen: Tensor

  constructor(n: number) {
    super()
    this.lin = new nn.Linear(n, n)
    this.scale = nn.Parameter(torch.ones(n))
    this.register_buffer('seen', torch.zeros(1))
    this.register_buffer('scratch', torch.zeros(2), { persistent: false })
  }

  forward(x: Tensor): Tensor {
    return this.act(this.lin(x)).mul(this.scale)
  }

  override extra_repr(): string {
    return 'a block'
  }
}

export class Net extends nn.Module {
  first: Block = new Block(2)
  layers: torch.nn.Sequential<[Block, torch.nn.Dropout]> = new nn.Sequential(
    new Block(2),
    new nn.Dropout(0.5),
  )
  shared: Block = this.first
  declare unused: Parameter | null
  head: torch.nn.Linear

  constructor() {
    super()
    this.register_parameter('unused', null)
    this.head = new nn.Linear(2, 1, { bias: false })
  }

  forward(x: Tensor): Tensor {
    return this.head(this.layers(this.first(x)))
  }
}
