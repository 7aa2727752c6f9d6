// The configurations of modules that test/data/nn/module_suite.py recorded, and how far a module is from its line.
import { readFileSync } from 'node:fs'
import * as torch from '../../src/index.ts'
import { cotangent, values } from './values.ts'

type Numbers = 0 | readonly (number | string)[]
/** Dtype where it is unusual, sizes, numbers, and for large tensors weighted sums. */
type Data = readonly (string | Numbers)[]
type Spec = null | readonly [number[], string | number[]] | readonly Spec[]
type Run = {
  t?: string
  mode?: 'eval'
  wrong?: [number, string]
  error?: [string, string]
  out?: Data[]
  after?: Record<string, Data>
  gi?: (Data | null)[]
  gp?: (Data | null)[]
  g2?: (Data | null)[]
}
export type Line = {
  m: string
  a: unknown[]
  k: Record<string, unknown>
  i: Spec[]
  calls?: number
  /** Some numbers were Python floats without a fraction, which print with `.0`. */
  ints?: 1
  repr: string
  names?: string[]
  state?: Record<string, Data>
  runs: Run[]
  error?: [string, string]
}

export const lines: Line[] = readFileSync(new URL('../data/nn/module_suite.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line) as Line)

// ------------------------------------------------------------------------------------------ comparing

const flat = (x: unknown): torch.Tensor[] =>
  Array.isArray(x) ? x.flatMap(flat) : x === null ? [] : [x as torch.Tensor]

const number = (x: number | string): number =>
  Number(typeof x === 'string' ? x.replace('inf', 'Infinity') : x)

/** Relative to the largest number; wrong runs mix dtypes. */
const tolerance = (run: Run): number => (run.t === undefined ? 1e-5 : 1e-10)

/** How a tensor differs from what was recorded, in words, or nothing. */
function difference(got: torch.Tensor | null, expected: Data | null, run: Run): string[] {
  if (got === null || expected === null)
    return got === null && expected === null ? [] : [got === null ? 'is missing' : 'should be missing']
  const [dtype, sizes, numbers, sums] = (typeof expected[0] === 'string'
    ? expected
    : [run.t ?? 'float32', ...expected]) as unknown as [string, number[], Numbers, number[] | undefined]
  if (got.dtype.name !== dtype) return [`is ${got.dtype.name}, not ${dtype}`]
  if (got.shape.join() !== sizes.join()) return [`has sizes [${got.shape}], not [${sizes}]`]
  const dense = got.detach().resolve_conj()
  const real = (dense.is_complex() ? torch.view_as_real(dense) : dense).reshape([-1])
  const found = (real.tolist() as (number | bigint | boolean)[]).map(Number)
  const known = numbers === 0 ? found.map(() => 0) : numbers.map(number)
  const scale = found.reduce((m, x) => (Number.isFinite(x) ? Math.max(m, Math.abs(x)) : m), 1)
  const close = (a: number, b: number, numbers: number): boolean =>
    Object.is(a, b) ||
    a === b ||
    Math.abs(a - b) <= tolerance(run) * scale * Math.max(1, Math.sqrt(numbers) / 4)
  const at = known.findIndex((x, i) => !close(found[i]!, x, 1))
  if (at >= 0) return [`is ${found[at]} at ${at}, not ${known[at]}`]
  if (sums === undefined) return found.length === known.length ? [] : ['has other elements']
  const weighted = [
    found.reduce((sum, x, i) => sum + x * (((i % 7) - 3) / 4 + 0.25), 0),
    found.reduce((sum, x, i) => sum + x * ((((i + 1) * 7919 + 104729) % 997) / 997), 0),
  ]
  return weighted.every((x, i) => close(x, sums[i]!, found.length))
    ? []
    : [`has weighted sums ${weighted}, not ${sums}`]
}

const differences = (
  what: string,
  got: readonly (torch.Tensor | null)[],
  expected: readonly (Data | null)[],
  run: Run,
): string[] =>
  got.length === expected.length
    ? got.flatMap((t, i) => difference(t, expected[i]!, run).map(d => `${what} ${i} ${d}`))
    : [`${got.length} tensors in ${what}, not ${expected.length}`]

function named_differences(
  got: Record<string, torch.Tensor>,
  expected: Record<string, Data>,
  run: Run,
): string[] {
  const [names, wanted] = [Object.keys(got).join(), Object.keys(expected).join()]
  if (names !== wanted) return [`names ${names}, not ${wanted}`]
  return Object.entries(expected).flatMap(([name, data]) =>
    difference(got[name]!, data, run).map(d => `${name} ${d}`),
  )
}

// ------------------------------------------------------------------------------------------ making

const FUNCTIONS: Record<string, (a: torch.Tensor, b: torch.Tensor) => torch.Tensor> = {
  manhattan: (a, b) => a.sub(b).abs().sum(-1),
}

function argument(x: unknown): unknown {
  if (typeof x !== 'object' || x === null) return x
  if ('$tensor' in x) return torch.tensor(x.$tensor as number[], { dtype: torch.float32 })
  if ('$fn' in x) return FUNCTIONS[x.$fn as string]
  if ('$dtype' in x) return (torch as unknown as Record<string, unknown>)[x.$dtype as string]
  return x
}

type Maker = new (...args: unknown[]) => torch.nn.Module & ((...args: unknown[]) => unknown)
const maker = (name: string): Maker => (torch.nn as unknown as Record<string, Maker>)[name]!

function make(line: Line, by_name = false): InstanceType<Maker> {
  torch.manual_seed(0)
  const args = line.a.map(argument)
  const options = Object.fromEntries(Object.entries(line.k).map(([k, v]) => [k, argument(v)]))
  if (by_name) args.splice(0).forEach((x, i) => (options[line.names![i]!] = x))
  if (Object.keys(options).length > 0) args.push(options)
  return new (maker(line.m))(...args)
}

type Input = torch.Tensor | null | Input[]
const LEAVES = ['float', 'pos', 'prob', 'lprob']

function input(spec: Spec, salt: number, dtype: string): Input {
  if (spec === null) return null
  const [sizes, kind] = spec as [number[], unknown]
  const leaf =
    typeof kind === 'string' ||
    (Array.isArray(kind) && kind.every(x => typeof x === 'number') && spec.length === 2)
  if (!leaf) return (spec as readonly Spec[]).map((s, i) => input(s, salt + 10 + i, dtype))
  if (Array.isArray(kind)) {
    const type = kind.every(Number.isInteger) ? torch.int64 : torch.float32
    return torch.tensor(kind as number[], { dtype: type }).reshape(sizes)
  }
  const type = (torch as unknown as Record<string, torch.DType>)[dtype]!
  const t = values(sizes, kind as string, salt, type)
  return LEAVES.includes(kind as string) ? t.requires_grad_() : t
}

const MUTATIONS: Record<string, (x: torch.Tensor) => torch.Tensor> = {
  first: x => x.select(0, 0),
  'first of first': x => x.select(0, 0).select(0, 0),
  batched: x => x.unsqueeze(0),
  'channel more': x => torch.cat([x, x.narrow(1, 0, 1)], 1),
  column: x => x.narrow(-1, 0, 1),
  'empty batch': x => x.narrow(0, 0, 0),
  'no columns': x => x.narrow(-1, 0, 0),
  element: x => x.flatten().select(0, 0),
  integers: x => x.to(torch.int64),
  floats: x => x.to(torch.float32),
  doubles: x => x.to(torch.float64),
  'out of range': x => x.add(100),
}

// ------------------------------------------------------------------------------------------ running

/** What is different from the recorded run, in words. */
function run(line: Line, expected: Run): string[] {
  const usual = expected.t ?? 'float32'
  let module: InstanceType<Maker>
  let outs: torch.Tensor[]
  let inputs: Input[] = []
  try {
    module = make(line)
    if (usual !== 'float32') module.to((torch as unknown as Record<string, torch.DType>)[usual]!)
    if (expected.mode === 'eval') module.eval()
    torch.manual_seed(1)
    let out: unknown
    for (let i = 0; i < (line.calls ?? 1); i++) {
      inputs = line.i.map((spec, salt) => input(spec, salt, usual))
      if (expected.wrong) {
        const [at, mutation] = expected.wrong
        inputs = inputs.map(x => (x instanceof torch.Tensor ? x.detach() : x))
        inputs[at] = MUTATIONS[mutation]!(inputs[at] as torch.Tensor)
      }
      out = module(...inputs)
    }
    outs = flat(out)
  } catch (e) {
    const { name, message } = e as Error
    if (expected.error === undefined) return [`throws ${name}: ${message}`]
    const [cls, text] = expected.error
    return name === cls && message === text ? [] : [`throws ${name}: ${message}, not ${cls}: ${text}`]
  }
  if (expected.error) return [`should throw ${expected.error.join(': ')}`]
  const found = [
    ...differences('results', outs, expected.out!, expected),
    ...named_differences(Object.fromEntries(module.named_buffers()), expected.after ?? {}, expected),
  ]
  if (expected.gi === undefined) return found
  const weigh = (ts: readonly (torch.Tensor | null)[]): torch.Tensor | null => {
    const terms = ts.flatMap(t => (t?.requires_grad === true ? [t.mul(cotangent(t)).sum()] : []))
    return terms.length > 0 ? terms.reduce((a, b) => a.add(b)) : null
  }
  const sum = weigh(outs)
  if (sum === null) return [...found, 'has no gradients']
  const leaves = inputs.flatMap(flat).filter(t => t.requires_grad)
  const all = [...leaves, ...module.parameters()]
  const twice = expected.g2 !== undefined
  const grads = torch.autograd.grad(sum.is_complex() ? torch.real(sum) : sum, all, {
    create_graph: twice,
    allow_unused: true,
  })
  found.push(...differences('gradients', grads, [...expected.gi, ...(expected.gp ?? [])], expected))
  if (twice) {
    const slope = weigh(grads)
    const again =
      slope === null ? all.map(() => null) : torch.autograd.grad(slope, all, { allow_unused: true })
    // A derivative that is zero everywhere may be missing on either side.
    const zero = (t: torch.Tensor | null): boolean => t === null || t.ne(0).any().item() === false
    const wanted = expected.g2!.map((g, i) => (zero(again[i]!) && (g === null || g.includes(0)) ? null : g))
    const shown = again.map((t, i) => (wanted[i] === null && zero(t) ? null : t))
    found.push(...differences('second gradients', shown, wanted, expected))
  }
  return found
}

const label = ({ t, mode, wrong }: Run): string =>
  [t, mode, wrong && `input ${wrong[0]} ${wrong[1]}`].filter(x => x !== undefined).join(', ')

const without_points = (text: string): string => text.replaceAll(/\.0\b/g, '')

/** All that is different from the recorded line, in words. */
export function deviations(line: Line): string[] {
  let module: torch.nn.Module
  try {
    module = make(line)
  } catch (e) {
    const { name, message } = e as Error
    const [cls, text] = line.error ?? []
    return name === cls && message === text ? [] : [`throws ${name}: ${message}, not ${cls}: ${text}`]
  }
  if (line.error) return [`should throw ${line.error.join(': ')}`]
  const found = named_differences(module.state_dict(), line.state ?? {}, {})
  const shown = line.ints ? without_points : (text: string): string => text
  if (shown(String(module)) !== shown(line.repr)) found.push(`prints ${module}, not ${line.repr}`)
  if (line.names && String(make(line, true)) !== String(module))
    found.push('prints otherwise when made by names')
  return [...found, ...line.runs.flatMap(r => run(line, r).map(d => `${label(r)}: ${d}`))]
}
