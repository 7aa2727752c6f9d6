// Methods about the memory of a tensor: its storage, addresses, sharing between threads, pinning.
// Not here: the storage object itself (tensor/storage_view.ts).

import type { DType } from '../base/dtype.ts'
import { same_sizes } from '../base/shape.ts'
import { visible_address } from '../device/storage.ts'
import { TypedStorage } from '../tensor/storage_view.ts'
import type { Tensor } from '../tensor/tensor.ts'
import { composite, type Op } from './define/op.ts'
import {
  BFloat16Storage,
  BoolStorage,
  ByteStorage,
  CharStorage,
  ComplexDoubleStorage,
  ComplexFloatStorage,
  DoubleStorage,
  FloatStorage,
  HalfStorage,
  IntStorage,
  type LegacyStorage,
  LongStorage,
  ShortStorage,
} from './storages.ts'

/** The memory under the tensor as a row of elements, shared by all of its views. */
export const storage: Op<[self: Tensor], TypedStorage> = composite('storage(Tensor self)', {
  body: (self: Tensor) => new TypedStorage(self.memory, self.dtype),
  out: false,
})

/** The class of its storage: torch.FloatStorage and so on. */
export const storage_type: Op<[self: Tensor], LegacyStorage> = composite('storage_type(Tensor self)', {
  body: (self: Tensor) => storage_class(self.dtype),
  out: false,
})

/** The address of the first element. Without native code it is made up, but equal for equal memory. */
export const data_ptr: Op<[self: Tensor], number> = composite('data_ptr(Tensor self)', {
  body: (self: Tensor) =>
    self.count === 0 ? 0 : visible_address(self.memory) + self.offset * self.dtype.itemsize,
  out: false,
})

/** Whether other threads can have the tensor's memory too. */
export const is_shared: Op<[self: Tensor], boolean> = composite('is_shared(Tensor self)', {
  body: (self: Tensor) => self.memory.is_shared,
  out: false,
})

/** Moves the memory to where other threads can have it too: a SharedArrayBuffer. Its views move along. */
export const share_memory_: Op<[self: Tensor]> = composite('share_memory_(Tensor self)', {
  body(self: Tensor) {
    self.memory.share()
    return self
  },
  out: false,
})

/** Whether both are the same window of the same memory. */
export const is_set_to: Op<[self: Tensor, tensor: Tensor], boolean> = composite(
  'is_set_to(Tensor self, Tensor tensor)',
  {
    body: (a: Tensor, b: Tensor) =>
      a.memory.block === b.memory.block &&
      a.memory.byte_offset === b.memory.byte_offset &&
      a.offset === b.offset &&
      same_sizes(a.sizes, b.sizes) &&
      same_sizes(a.strides, b.strides),
    out: false,
  },
)

/** The number of the GPU that a tensor is on; -1 in CPU memory. */
export const get_device: Op<[self: Tensor], number> = composite('get_device(Tensor self)', {
  body: () => -1,
  out: false,
})

/** The tensor itself: there is no GPU for which memory would have to be pinned. */
export const pin_memory: Op<[self: Tensor]> = composite('pin_memory(Tensor self)', {
  body: (self: Tensor) => self,
  out: false,
})

export const is_pinned: Op<[self: Tensor], boolean> = composite('is_pinned(Tensor self)', {
  body: () => false,
  out: false,
})

const classes = [
  FloatStorage,
  DoubleStorage,
  HalfStorage,
  BFloat16Storage,
  LongStorage,
  IntStorage,
  ShortStorage,
  CharStorage,
  ByteStorage,
  BoolStorage,
  ComplexFloatStorage,
  ComplexDoubleStorage,
]

/** The class of the storages of a dtype: torch.FloatStorage and so on. */
const storage_class = (dtype: DType): LegacyStorage => classes.find(c => c.dtype === dtype) as LegacyStorage
