import { expect, test } from 'vitest'
import { int32 } from '../../src/base/dtype.ts'
import { constant, type Expr } from '../../src/ir/expr.ts'
import { interpret } from '../../src/ir/interpret.ts'
import { type Builder, build, type Kernel, type LoopMode } from '../../src/ir/kernel.ts'
import { print_kernel } from '../../src/ir/print.ts'
import { verify } from '../../src/ir/verify.ts'
import { lower } from '../../src/lower/lower.ts'

const SIZE = 4

/** A pseudo-random kernel on three int32 vectors of SIZE elements: loops, branches, locals, aliasing loads and stores. */
function random_kernel(seed: number): Kernel {
  let state = (seed * 2654435761 + 1) >>> 0
  const below = (n: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
  const pick = <T>(choices: readonly T[]): T => choices[below(choices.length)]!

  return build('random', k => {
    const views = ['a', 'b', 'c'].map(name => k.inout(name, int32, { rank: 1, inner: 1 }))
    const value = k.value('n', 'i32')
    const pool: Expr[] = [value, constant(3, 'i32')]
    const assignable: Expr[] = []
    const counters: Expr[] = []
    const index = (): Expr => {
      const i = counters.length > 0 && below(4) > 0 ? pick(counters) : constant(below(SIZE), 'index')
      return below(3) === 0 ? i.add(pick([...counters, i])).mod(SIZE) : i
    }
    const expression = (depth: number): Expr => {
      if (depth === 0 || below(4) === 0) return below(3) === 0 ? pick(views).at(index()) : pick(pool)
      const e = below(6) === 0 ? expression(depth - 1).pow(below(4)) : expression(depth - 1)
      if (below(5) === 0) return condition(depth - 1).where(e, expression(depth - 1))
      if (below(5) === 0) return pick(views).at_if(condition(depth - 1), [index()], below(9))
      const made = pick([
        (x: Expr, y: Expr) => x.add(y),
        (x: Expr, y: Expr) => x.sub(y),
        (x: Expr, y: Expr) => x.mul(y),
      ])(e, below(2) === 0 ? e : expression(depth - 1))
      if (below(3) === 0 && counters.length > 0) return made.add(pick(counters).mul(5).cast('i32'))
      return made
    }
    const condition = (depth: number): Expr => expression(depth).lt(expression(depth))
    const scope = (body: () => void): void => {
      const [p, a, c] = [pool.length, assignable.length, counters.length]
      body()
      pool.length = p
      assignable.length = a
      counters.length = c
    }
    const block = (depth: number, loops: number): void => {
      for (let n = 1 + below(4); n > 0; n--) statement(depth, loops)
    }
    const statement = (depth: number, loops: number): void => {
      switch (below(depth > 0 ? 9 : 5)) {
        case 0:
        case 1:
          k.store(pick(views), [index()], expression(3))
          break
        case 2:
        case 3: {
          const local = k.local('i32', expression(3))
          pool.push(local)
          if (below(2) === 0) assignable.push(local)
          break
        }
        case 4:
          if (assignable.length > 0) k.assign(pick(assignable), expression(3))
          break
        case 5:
        case 6:
          if (loops < 2) loop(k, pick(['serial', 'serial', 'vector'] as const), depth - 1, loops + 1)
          break
        case 7:
          k.if(
            condition(2),
            () => scope(() => block(depth - 1, loops)),
            () => scope(() => block(depth - 1, loops)),
          )
          break
        default: {
          const count = k.local('i32', 0)
          k.while(
            count
              .mul(count)
              .add(count)
              .lt(pick([2, 5])),
            () =>
              scope(() => {
                block(depth - 1, 2)
                k.assign(count, count.add(1))
              }),
          )
        }
      }
    }
    const loop = (b: Builder, mode: LoopMode, depth: number, loops: number): void =>
      b.for(mode === 'vector' ? SIZE : pick([0, 1, SIZE]), mode, i =>
        scope(() => {
          counters.push(i)
          if (mode === 'vector') vector_body(i)
          else block(depth, loops)
        }),
      )
    // iterations of a vector loop are independent: each has its own element of each operand
    const vector_body = (i: Expr): void => {
      const own = [...pool]
      pool.length = 0
      pool.push(value, ...views.map(v => v.at(i)))
      const [outer, saved] = [counters.splice(0, counters.length, i), assignable.splice(0)]
      const local = k.local('i32', value.add(1))
      k.if(
        pick(pool).lt(value),
        () => {
          k.assign(local, pick(pool).mul(2).add(local))
          if (below(2) === 0) k.store(views[0]!, [i], local)
        },
        () => {
          if (below(2) === 0) k.store(views[0]!, [i], pick(pool).sub(7))
        },
      )
      k.store(views[1]!, [i], local.mul(local).add(pick(pool)))
      pool.splice(0, pool.length, ...own)
      counters.splice(0, counters.length, ...outer)
      assignable.push(...saved)
    }
    block(3, 0)
  })
}

function run(kernel: Kernel): number[][] {
  const arrays = kernel.buffers.map((_, j) => Int32Array.from({ length: SIZE }, (_, i) => 5 * i - 7 * j + 1))
  const params = kernel.params.map(p =>
    p.source.kind === 'value' ? 11 : p.source.kind === 'size' ? SIZE : 1,
  )
  const memories = arrays.map(array => ({ array, offset: 0, lowest: 0, highest: SIZE - 1 }))
  interpret(kernel)(memories, params)
  return arrays.map(a => [...a])
}

test('lowered random kernels do what the kernels do', () => {
  for (let seed = 0; seed < 300; seed++) {
    const kernel = random_kernel(seed)
    verify(kernel)
    const lowered = lower(kernel)
    const text = `seed ${seed}\n${print_kernel(kernel)}${print_kernel(lowered)}`
    try {
      verify(lowered)
      expect(run(lowered), text).toEqual(run(kernel))
    } catch (error) {
      throw new Error(`${error}\n${text}`)
    }
  }
})
