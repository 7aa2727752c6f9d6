// Making tensors that depend on no other tensor: zeros, ones, full, arange and their likes.
// Not here: how (define/create.ts), less common ones (creation_more.ts), from data (data.ts), random numbers (random.ts).
import { type DType, get_default_dtype, int64, scalar_dtype } from '../base/dtype.ts'
import { RuntimeError } from '../base/errors.ts'
import { general } from '../base/format.ts'
import { format_name, format_strides } from '../base/memory_format.ts'
import { type PlaceLike, require_available } from '../tensor/place.ts'
import { bind, parse_schema } from '../tensor/schema.ts'
import type { Tensor } from '../tensor/tensor.ts'
import {
  bind_sized,
  CREATE,
  type CreateOptions,
  empty_as,
  filled,
  make_filled,
  type SizedArgs,
  write_range,
} from './define/create.ts'
import { composite, make_batched_op, make_op, type Op } from './define/op.ts'
import { resize_out } from './define/out.ts'
import type { Number } from './define/pointwise.ts'

function sized(name: string, fill: number | null): Op<SizedArgs> {
  const schema = parse_schema(`${name}(int... size, ${CREATE}, Tensor? out=None)`)
  return make_op(
    (...args: SizedArgs) => {
      const [size, dtype, , device, , requires_grad, format, out] = bind_sized(schema, args) as [
        number[],
        DType | null,
        unknown,
        PlaceLike | null,
        boolean,
        boolean,
        unknown,
        Tensor | null,
      ]
      require_available(device)
      if (out === null) {
        const made = make_filled(size, dtype ?? get_default_dtype(), fill, requires_grad)
        const strides = format === null ? null : format_strides(format_name(format), size)
        if (strides !== null) made.set_geometry(made.offset, made.sizes, strides)
        return made
      }
      resize_out(out, size)
      return fill === null ? out : out.fill_(fill)
    },
    { name, schemas: [schema], samples: undefined, differentiable: false },
  )
}

/** Zeros of the given size. */
export const zeros: Op<SizedArgs> = sized('zeros', 0)
/** Ones of the given size. */
export const ones: Op<SizedArgs> = sized('ones', 1)
/** A tensor whose values are whatever memory holds (zeros, here). */
export const empty: Op<SizedArgs> = sized('empty', null)

type LikeArgs = readonly [input: Tensor, opts?: CreateOptions]
function like(name: string, fill: number | null): Op<LikeArgs> {
  const schema = parse_schema(`${name}(Tensor self, ${CREATE})`)
  return make_batched_op(
    (...args: LikeArgs) => {
      const [self, ...values] = bind([schema], args).values as [Tensor, ...unknown[]]
      return make_like(self, fill, values)
    },
    { name, schemas: [schema], samples: undefined, differentiable: false },
  )
}

/** A tensor like `self` filled with `fill`, by the values of the options CREATE. */
function make_like(self: Tensor, fill: Number | null, options: readonly unknown[]): Tensor {
  const [dtype, , device, , requires_grad, memory_format] = options as [
    DType | null,
    unknown,
    PlaceLike | null,
    boolean,
    boolean,
    unknown,
  ]
  require_available(device)
  return filled(empty_as(self, dtype ?? self.dtype, memory_format), fill, requires_grad)
}

/** Zeros of the sizes and dtype of another tensor. */
export const zeros_like: Op<LikeArgs> = like('zeros_like', 0)
/** Ones of the sizes and dtype of another tensor. */
export const ones_like: Op<LikeArgs> = like('ones_like', 1)
/** An uninitialised tensor of the sizes and dtype of another tensor. */
export const empty_like: Op<LikeArgs> = like('empty_like', null)

const full_like_schema = parse_schema(`full_like(Tensor self, Scalar fill_value, ${CREATE})`)
/** A tensor of one value with the sizes and dtype of another tensor. */
export const full_like: Op<[input: Tensor, fill_value: Number, opts?: CreateOptions]> = make_batched_op(
  (...args: readonly unknown[]) => {
    const [self, value, ...values] = bind([full_like_schema], args).values as [Tensor, Number, ...unknown[]]
    return make_like(self, value, values)
  },
  { name: 'full_like', schemas: [full_like_schema], samples: undefined, differentiable: false },
)

/** A tensor of one value; the dtype follows from the value. */
export const full: Op<[size: readonly number[], fill_value: Number, opts?: CreateOptions]> = make_op(
  (...args: readonly unknown[]) => {
    const [size, value, dtype, , device, , requires_grad] = bind([full_schema], args).values as [
      number[],
      Number,
      DType | null,
      unknown,
      PlaceLike | null,
      boolean,
      boolean,
    ]
    require_available(device)
    return make_filled(size, dtype ?? scalar_dtype(value), value, requires_grad)
  },
  { name: 'full', schemas: [], samples: undefined, differentiable: false },
)
const full_schema = parse_schema(`full(int[] size, Scalar fill_value, ${CREATE})`)

/** Numbers from `start` (0) to `end` (not included) in steps: `arange(end)`, `arange(start, end, step)`. */
export const arange: Op<readonly [...args: readonly (Number | CreateOptions)[]]> = make_op(
  (...args: readonly unknown[]) => {
    const { overload, values } = bind(arange_schemas, args)
    const [start, end, step] = overload === 0 ? [0, values[0], 1] : values
    const [dtype, , device, , requires_grad] = values.slice(overload === 0 ? 1 : 3) as [
      DType | null,
      unknown,
      PlaceLike | null,
      boolean,
      boolean,
    ]
    require_available(device)
    return make_range(start as Number, end as Number, step as Number, dtype).requires_grad_(requires_grad)
  },
  { name: 'arange', schemas: [], samples: undefined, differentiable: false },
)
const arange_schemas = [
  parse_schema(`arange(Scalar end, ${CREATE})`),
  parse_schema(`arange(Scalar start, Scalar end, Scalar step=1, ${CREATE})`),
]

function make_range(start: Number, end: Number, step: Number, given: DType | null): Tensor {
  const dtype =
    given ?? [start, end, step].map(scalar_dtype).find(d => d.is_floating_point) ?? scalar_dtype(1)
  const numbers = [start, end, step].map(Number)
  if (!numbers.slice(0, 2).every(Number.isFinite))
    throw new RuntimeError(`unsupported range: ${general(numbers[0]!)} -> ${general(numbers[1]!)}`)
  // int64 counts its steps between whole bounds, the narrower integers between the bounds as given.
  const bounds = dtype === int64 ? numbers.map(Math.trunc) : numbers
  const [a, b] = bounds as [number, number]
  const s = dtype.is_floating_point ? numbers[2]! : Math.trunc(numbers[2]!)
  if (s === 0) throw new RuntimeError('step must be nonzero')
  if ((s > 0 && a > b) || (s < 0 && a < b))
    throw new RuntimeError('upper bound and larger bound inconsistent with step sign')
  return write_range(a, s, Math.ceil((b - a) / (dtype === int64 ? s : numbers[2]!)), dtype)
}

/** A tensor of the same sizes and dtype with one value, a number or a 0-dim tensor. */
export const fill: Op<[input: Tensor, value: Number | Tensor]> = composite(
  ['fill(Tensor self, Tensor value)', 'fill(Tensor self, Scalar value)'],
  {
    body: (self: Tensor, value: Number | Tensor) => self.clone().fill_(value),
    samples: r => [
      [r(3, 4), 2],
      [r(3), r()],
    ],
  },
)
