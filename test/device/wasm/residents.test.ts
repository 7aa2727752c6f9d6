// Storages that stay in linear memory, against the interpreter: whatever is computed, read and written by JavaScript,
// dropped or pushed out for want of room, in whatever order, every storage holds what it would hold in place.
import { describe, expect, it } from 'vitest'
import { float32, uint8 } from '../../../src/base/dtype.ts'
import { collect_garbage, collect_young, Mortal, weak_list } from '../../../src/device/collector.ts'
import type { Device, Executable } from '../../../src/device/device.ts'
import { interp_device } from '../../../src/device/interp/interp.ts'
import { allocate, allocate_zeroed, Block, Scope, Storage } from '../../../src/device/storage.ts'
import { wasm_device } from '../../../src/device/wasm/device.ts'
import { LinearMemory } from '../../../src/device/wasm/memory.ts'
import { Residents } from '../../../src/device/wasm/residents.ts'
import { build } from '../../../src/ir/kernel.ts'
import { matrices, view } from './operands.ts'

const combine_kernel = build('combine', k => {
  const y = k.output('y', float32, { rank: 1 })
  const a = k.input('a', float32, { rank: 1 })
  const b = k.input('b', float32, { rank: 1 })
  const shift = k.value('shift', 'f32')
  k.for(y.sizes[0]!, 'vector', i => k.store(y, [i], a.at(i).sub(b.at(i)).add(shift).max(-50).min(50)))
})
const fill_kernel = build('fill', k => {
  const y = k.output('y', float32, 'flat')
  const value = k.value('value', 'f32')
  k.for(y.sizes[0]!, 'vector', i => k.store(y, [i], value))
})

/** A device and its kernels. */
type Side = { device: Device; combine: Executable; fill: Executable }
const side = (device: Device): Side => ({
  device,
  combine: device.compile(combine_kernel),
  fill: device.compile(fill_kernel),
})

const reference = side(interp_device())

/** Storages that hold the same on the device under test and on the reference, and what JavaScript keeps of the first. */
type Pair = { wasm: Storage; interp: Storage; count: number; kept: Float32Array | null }

/** Whole numbers from 0 to below `n`, the same for the same seed. */
function dice(seed: number): (n: number) => number {
  let state = seed
  return n => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

class Play {
  readonly #tested: Side
  readonly #roll: (n: number) => number
  pairs: Pair[] = []

  constructor(tested: Side, seed: number) {
    this.#tested = tested
    this.#roll = dice(seed)
    for (let i = 0; i < 6; i++) this.make()
  }

  make(): void {
    const count = this.#roll(4) === 0 ? 100 + this.#roll(400) : 2000 + this.#roll(6000)
    const kind = this.#roll(3)
    const make = (): Storage =>
      kind === 0
        ? allocate_zeroed(4 * count)
        : kind === 1
          ? allocate(4 * count)
          : Storage.over(new ArrayBuffer(4 * count), 0, 4 * count)
    const pair: Pair = { wasm: make(), interp: make(), count, kept: null }
    this.pairs.push(pair)
    if (kind === 1) this.fill(pair)
  }

  any(): Pair {
    return this.pairs[this.#roll(this.pairs.length)]!
  }

  compare(p: Pair): void {
    expect(p.wasm.peek(float32)).toEqual(p.interp.peek(float32))
    if (p.kept !== null) expect(p.kept).toEqual(p.interp.peek(float32).subarray(0, p.kept.length))
  }

  /** The same call on both sides. */
  both(call: (side: Side, memory: (p: Pair) => Storage) => void): void {
    call(this.#tested, p => p.wasm)
    call(reference, p => p.interp)
  }

  fill(y: Pair): void {
    const value = this.#roll(50)
    this.both(({ fill }, m) => fill([view(m(y), float32, [y.count])], [value]))
  }

  /** Windows of three storages, the first of which may be one of the others in place. */
  combine(y: Pair = this.any()): void {
    const [a, b] = [this.any(), this.any()]
    const n = 1 + this.#roll(Math.floor(Math.min(y.count, a.count, b.count) / 2))
    const window = (p: Pair): readonly [stride: number, offset: number] =>
      [
        [1, this.#roll(p.count - n)],
        [2, this.#roll(p.count - 2 * n + 1)],
        [-1, n - 1 + this.#roll(p.count - n)],
      ][this.#roll(3)] as [number, number]
    const to = window(y)
    const shift = this.#roll(9) - 4
    const windows = [y, a, b].map(p => [p, ...(p === y ? to : window(p))] as const)
    this.both(({ combine }, m) =>
      combine(
        windows.map(([p, stride, offset]) => view(m(p), float32, [n], [stride], offset)),
        [shift],
      ),
    )
  }

  /** A product into a part, or all, of a storage that is no operand of it. */
  multiply(): void {
    const [a, b, c] = [this.any(), this.any(), this.any()]
    if (c === a || c === b) return
    const [m, k, n] = [1 + this.#roll(20), 1 + this.#roll(8), 1 + this.#roll(5)]
    const accumulate = this.#roll(2) === 0
    this.both(({ device }, memory) =>
      device.gemm({
        dtype: float32,
        batch: 1,
        m,
        n,
        k,
        a: matrices(view(memory(a), float32, [1, m, k])),
        b: matrices(view(memory(b), float32, [1, k, n], [0, 1, k])),
        c: matrices(view(memory(c), float32, [1, m, n])),
        accumulate,
      }),
    )
    this.combine(c)
    this.fill(c)
    this.combine(c)
  }

  convolve(): void {
    const kind = (['forward', 'input_grad', 'weight_grad'] as const)[this.#roll(3)]!
    const roles = [this.any(), this.any(), this.any()]
    if (new Set(roles).size < 3) return
    const [input, weight, output] = roles as [Pair, Pair, Pair]
    if (Math.min(...roles.map(p => p.count)) < 2 * 2 * 12 * 12) return
    this.both(({ device }, m) =>
      device.conv({
        dtype: float32,
        kind,
        batch: 2,
        groups: 1,
        in_channels: 2,
        out_channels: 2,
        in_size: [12, 12],
        out_size: [12, 12],
        kernel: [3, 3],
        stride: [1, 1],
        padding: [1, 1],
        dilation: [1, 1],
        input: view(m(input), float32, [2, 2, 12, 12]),
        weight: view(m(weight), float32, [2, 2, 3, 3]),
        output: view(m(output), float32, [2, 2, 12, 12]),
        bias: null,
      }),
    )
    const written = { forward: output, input_grad: input, weight_grad: weight }[kind]
    this.compare(written)
    this.fill(written)
  }

  /** JavaScript writes an element, through memory that it has only now or that it kept. */
  write(): void {
    const p = this.any()
    const [at, value] = [this.#roll(p.count), this.#roll(50)]
    const array = p.kept !== null && at < p.kept.length ? p.kept : (p.wasm.touch(float32) as Float32Array)
    array[at] = value
    p.interp.touch(float32)[at] = value
  }

  keep(): void {
    const p = this.any()
    p.kept ??= p.wasm.array(float32) as Float32Array
  }

  /** Continues with another storage of the same memory. */
  alias(): void {
    const p = this.any()
    p.wasm = p.wasm.alias()
  }

  grow(): void {
    const p = this.any()
    if (p.kept !== null) return
    const before = p.count
    p.count += 1 + this.#roll(1000)
    for (const side of [p.wasm, p.interp]) {
      side.grow(4 * p.count)
      side.touch(float32).fill(3 as never, before)
    }
  }

  drop(): void {
    this.pairs.splice(this.#roll(this.pairs.length), 1)
    this.make()
  }

  /** Memory that is made and dies within a scope. */
  in_scope(): void {
    const outer = this.pairs
    const scope = new Scope()
    this.pairs = [...outer]
    for (let i = 0; i < 3; i++) this.make()
    const own = this.pairs.slice(outer.length)
    for (let i = 0; i < 3; i++) this.combine()
    for (const p of own) this.compare(p)
    this.pairs = outer
    scope.end(own.every(p => p.kept === null))
  }

  step(): void {
    const moves = [
      'combine',
      'multiply',
      'convolve',
      'write',
      'keep',
      'alias',
      'grow',
      'drop',
      'in_scope',
      'make',
    ]
    const weights = [12, 2, 2, 4, 1, 1, 1, 2, 1, 1]
    let at = this.#roll(weights.reduce((a, b) => a + b))
    const move = moves.find((_, i) => (at -= weights[i]!) < 0) as 'combine'
    if (move === ('make' as string) && this.pairs.length > 12) return
    this[move]()
    if (this.#roll(4) === 0) this.compare(this.any())
  }
}

describe('storages that stay in linear memory', () => {
  for (const [name, budget, seeds] of [
    ['with room for all', undefined, 10],
    ['with room for a few', 192 * 1024, 4],
    ['with room for hardly one', 64 * 1024, 4],
  ] as const)
    it(`hold what they would hold in place, ${name}`, () => {
      const tested = side(wasm_device(budget))
      for (let seed = 1; seed <= seeds; seed++) {
        const play = new Play(tested, seed)
        for (let i = 0; i < 60; i++) play.step()
        for (const p of play.pairs) play.compare(p)
      }
    })

  const { fill, combine } = side(wasm_device())
  const big = (): Storage => allocate(40_000)
  const whole = (s: Storage): ReturnType<typeof view> => view(s, float32, [10_000])

  it('have no buffer before JavaScript looks, and then the same one for good', () => {
    const x = big()
    if (x.block.buffer !== null) expect(process.env['TSTORCH_POISON']).toBe('1')
    fill([whole(x)], [7])
    expect(x.peek(float32)[9999]).toBe(7)
    const { buffer } = x
    fill([whole(x)], [8])
    expect(new Float32Array(buffer)[9999]).toBe(8)
    expect(x.buffer).toBe(buffer)
  })

  it('are read whole by a launch that overwrites them and reads them as well', () => {
    const x = big()
    x.touch(float32).fill(5 as never)
    combine([whole(x), whole(x), whole(allocate_zeroed(40_000))], [1])
    expect([...x.peek(float32).subarray(4, 8)]).toEqual([6, 6, 6, 6])
  })

  it('start as zeros where that was asked for', () => {
    const [x, y] = [allocate_zeroed(40_000), big()]
    fill([whole(y)], [2])
    combine([whole(y), whole(x), whole(y)], [3])
    expect(y.peek(float32)[17]).toBe(1)
    expect(x.array(uint8)).toEqual(new Uint8Array(40_000))
  })

  it('may be used by one device after the other', () => {
    const x = big()
    const other = side(wasm_device())
    fill([whole(x)], [2])
    other.combine([whole(x), whole(x), view(x, float32, [10_000], [1])], [4])
    fill([view(x, float32, [10], [1])], [1])
    expect([...x.peek(float32).subarray(8, 12)]).toEqual([1, 1, 4, 4])
  })
})

describe('the room of what died', () => {
  const MB = 2 ** 20

  it('is used again within a synchronous loop, before more than a cache holds is touched', () => {
    const memory = new LinearMemory()
    const residents = new Residents(memory)
    const addresses = new Set<number>()
    for (let i = 0; i < 1000; i++) {
      memory.begin()
      addresses.add(residents.use(new Block(MB, null, false), true, true))
    }
    expect(addresses.size).toBeLessThan(40)
    expect(memory.used).toBeLessThan(40 * MB)
  })

  it('is searched for while others work, where a large launch has help, and at last without', () => {
    for (const helped of [true, false]) {
      const memory = new LinearMemory()
      const residents = new Residents(memory, undefined, () => true)
      const addresses = new Set<number>()
      for (let i = 0; i < 300; i++) {
        memory.begin()
        addresses.add(residents.use(new Block(4 * MB, null, false), true, true))
        if (helped) residents.search_meanwhile()
      }
      expect(addresses.size).toBeLessThan(helped ? 4 : 12)
    }
  })

  it('is left to what lives, in whatever order the others die', () => {
    const memory = new LinearMemory()
    const residents = new Residents(memory)
    const roll = dice(1)
    const held = new Map<Block, number>()
    for (let i = 1; i <= 3000; i++) {
      memory.begin()
      const block = new Block(MB / 2, null, false)
      const address = residents.use(block, true, true)
      memory.i32[address / 4] = i
      held.set(block, i)
      for (const old of held.keys()) if (roll(60) === 0) held.delete(old)
    }
    for (const [block, i] of held) expect(new Int32Array(block.host(false))[0]).toBe(i)
    expect(memory.used).toBeLessThan(400 * MB)
  })

  it('keeps no block that has left it: where weak references last until the job ends, the block need not', () => {
    const memory = new LinearMemory()
    const residents = new Residents(memory)
    memory.begin()
    const block = new Block(MB, null, false)
    residents.use(block, true, true)
    const place = block.resident as unknown as { readonly block: Block | null }
    expect(place.block).toBe(block)
    block.host(true)
    expect(place.block).toBeNull()
    expect(memory.used).toBe(0)
  })

  it('is not given away in the launch that uses it', () => {
    const memory = new LinearMemory()
    const residents = new Residents(memory)
    memory.begin()
    const addresses = Array.from({ length: 64 }, () => residents.use(new Block(MB, null, false), false, true))
    expect(new Set(addresses).size).toBe(64)
  })
})

describe('small storages', () => {
  const { fill } = side(wasm_device())
  const small = (): Storage => allocate(64)
  const whole = (s: Storage): ReturnType<typeof view> => view(s, float32, [16])

  it('are used where they are, by the device that made their slab', () => {
    const x = small()
    const { block } = x
    fill([whole(x)], [3])
    expect(x.peek(float32)).toEqual(new Float32Array(16).fill(3))
    x.touch(float32)[1] = 4
    expect([x.block, x.peek(float32)[1], x.is_shared]).toEqual([block, 4, false])
  })

  it('leave it before their memory is given away', () => {
    const x = small()
    const neighbour = small()
    fill([whole(x)], [3])
    fill([whole(neighbour)], [5])
    const array = x.array(float32)
    expect(array.buffer.byteLength).toBe(64)
    fill([whole(x)], [7])
    expect([...array]).toEqual(Array(16).fill(7))
    array[2] = 1
    expect(x.peek(float32)[2]).toBe(1)
    expect(neighbour.peek(float32)[2]).toBe(5)
  })

  it('leave it before they have another storage of the same memory', () => {
    const x = small()
    fill([whole(x)], [3])
    const other = x.alias()
    fill([whole(other)], [6])
    expect(x.peek(float32)).toEqual(new Float32Array(16).fill(6))
    fill([whole(x)], [2])
    expect(other.peek(float32)).toEqual(new Float32Array(16).fill(2))
  })

  it('live as long as one of their slab does, and the room of the others is used again', () => {
    const memory = new LinearMemory()
    const residents = new Residents(memory)
    const kept = residents.slab(65536)
    memory.i32[kept.start / 4] = 17
    const starts = new Set<number>()
    for (let i = 0; i < 3000; i++) starts.add(residents.slab(65536).start)
    expect(starts.has(kept.start)).toBe(false)
    expect(memory.i32[kept.start / 4]).toBe(17)
    expect(memory.used).toBeLessThan(40 * 2 ** 20)
    expect(kept.block.nbytes).toBe(65536)
  })
})

describe('a weak list', () => {
  const kept = [new Mortal(), new Mortal()]
  const filled = (by_reference: boolean) => {
    const list = weak_list(by_reference)
    for (const x of kept) list.add(x)
    for (let i = 0; i < 100; i++) list.add(new Mortal())
    return list
  }

  it('has lost what died young after a collection of the young', () => {
    const list = filled(false)
    collect_young()
    expect(new Set(list.living())).toEqual(new Set(kept))
  })

  it('of references has at least those that live', async () => {
    const list = filled(true)
    await new Promise(resolve => setTimeout(resolve))
    collect_garbage()
    expect(new Set(list.living())).toEqual(new Set(kept))
  })
})
