// New tensors of the dtype of another one, as methods: new_zeros, new_tensor and such. Not here: functions (creation.ts).
import type { DType } from '../base/dtype.ts'
import { type TensorData, tensor_from } from '../tensor/from_data.ts'
import { type PlaceLike, require_available } from '../tensor/place.ts'
import { bind, parse_schema } from '../tensor/schema.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { empty_strided } from './creation_more.ts'
import {
  CREATE,
  type Created,
  type CreateOptions,
  make_filled,
  make_strided,
  maker,
} from './define/create.ts'
import { method } from './define/method.ts'
import { make_op, type Op } from './define/op.ts'
import type { Number as Numeric } from './define/pointwise.ts'
import { type LegacyArgs, legacy_make } from './legacy.ts'

type NewOptions = { dtype?: DType | null; device?: PlaceLike | null; requires_grad?: boolean }
type NewArgs = readonly [self: Tensor, ...size: readonly (number | readonly number[] | NewOptions)[]]

const make_new = (name: string, fill: number | null): Op<NewArgs> => {
  const schema = parse_schema(
    `${name}(Tensor self, int... size, *, dtype? dtype=None, device? device=None, bool requires_grad=False)`,
  )
  return method(
    name,
    (...args) => {
      const [self, size, dtype, device, requires_grad] = bind([schema], args).values as [
        Tensor,
        number[],
        DType | null,
        PlaceLike | null,
        boolean,
      ]
      require_available(device)
      return make_filled(size, dtype ?? self.dtype, fill, requires_grad)
    },
    [schema],
  )
}

/** A tensor of zeros of this tensor's dtype. */
export const new_zeros: Op<NewArgs> = make_new('new_zeros', 0)
/** A tensor of ones of this tensor's dtype. */
export const new_ones: Op<NewArgs> = make_new('new_ones', 1)
/** An uninitialised tensor of this tensor's dtype. */
export const new_empty: Op<NewArgs> = make_new('new_empty', null)

/** {@link empty_strided} in the dtype of this tensor. */
export const new_empty_strided: Op<
  [self: Tensor, size: readonly number[], stride: readonly number[], opts?: CreateOptions]
> = maker(
  `new_empty_strided(Tensor self, int[] size, int[] stride, ${CREATE})`,
  (self: Tensor, size: number[], stride: number[], ...rest: unknown[]) => {
    const [dtype, , device, , requires_grad] = rest as unknown as Created
    require_available(device)
    const made = make_strided(size, stride, dtype ?? self.dtype)
    return requires_grad ? made.requires_grad_() : made
  },
)

// ---------------------------------------------------------------------------------------------- values

/** A tensor of one value in the dtype of this tensor. */
export const new_full: Op<
  [self: Tensor, size: readonly number[], fill_value: Numeric, opts?: CreateOptions]
> = maker(
  `new_full(Tensor self, int[] size, Scalar fill_value, ${CREATE})`,
  (self: Tensor, size: number[], value: Numeric, ...rest: unknown[]) => {
    const [dtype, , device, , requires_grad] = rest as unknown as Created
    require_available(device)
    return make_filled(size, dtype ?? self.dtype, value, requires_grad)
  },
)

/** A new tensor holding a copy of `data`, in the dtype of this tensor. */
export const new_tensor: Op<[self: Tensor, data: TensorData, opts?: CreateOptions]> = maker(
  `new_tensor(Tensor self, any data, *, dtype? dtype=None, device? device=None, bool requires_grad=False)`,
  (self: Tensor, data: TensorData, dtype: DType | null, device: PlaceLike | null, requires_grad: boolean) => {
    require_available(device)
    const made = tensor_from(data, dtype ?? self.dtype)
    return requires_grad ? made.requires_grad_() : made
  },
)

/** `x.new(...)`: the legacy constructor of the tensor's dtype. */
const new_legacy: Op<[self: Tensor, ...args: LegacyArgs]> = make_op(
  (self: Tensor, ...args: LegacyArgs) => legacy_make(self.dtype.tensor_type, self.dtype, args),
  { name: 'new', schemas: [], samples: undefined, differentiable: false },
)

export { new_legacy as new }
