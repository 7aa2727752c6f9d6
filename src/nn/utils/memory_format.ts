// nn.utils.convert_conv2d_weight_memory_format: weights of convolutions in another order in memory.
import type { MemoryFormat } from '../../torch.ts'
import type { Module } from '../module.ts'
import { Conv2d, ConvTranspose2d } from '../modules/conv.ts'

/** Puts the weights of all two-dimensional convolutions, transposed ones too, in the given order in memory; values stay. */
export function convert_conv2d_weight_memory_format<M extends Module>(
  module: M,
  memory_format: MemoryFormat,
): M {
  for (const m of module.modules())
    if (m instanceof Conv2d || m instanceof ConvTranspose2d)
      m.weight.data = m.weight.detach().clone({ memory_format })
  return module
}
