// Convolution functions of torch.nn.functional: the ops under their names, and conv_tbc, which is conv1d of another
// layout. Not here: the kernels (ops/nn/conv.ts).
import { RuntimeError } from '../../base/errors.ts'
import { _nn, _composite as composite, type _Op as Op, type Tensor } from '../../torch.ts'

export const conv1d: typeof _nn.conv1d = _nn.conv1d
export const conv2d: typeof _nn.conv2d = _nn.conv2d
export const conv3d: typeof _nn.conv3d = _nn.conv3d
export const conv_transpose1d: typeof _nn.conv_transpose1d = _nn.conv_transpose1d
export const conv_transpose2d: typeof _nn.conv_transpose2d = _nn.conv_transpose2d
export const conv_transpose3d: typeof _nn.conv_transpose3d = _nn.conv_transpose3d

/** {@link conv1d} of `input` (L, N, C) with `weight` (K, C, O), a layout in which time comes first. */
export const conv_tbc: Op<[input: Tensor, weight: Tensor, bias: Tensor, pad?: number | { pad?: number }]> =
  composite('conv_tbc(Tensor input, Tensor weight, Tensor bias, int pad=0)', {
    body: (input: Tensor, weight: Tensor, bias: Tensor, pad: number) => {
      if (input.ndim !== 3) throw new RuntimeError('Input must have 3 dims: time, batch, in_channel')
      if (weight.ndim !== 3)
        throw new RuntimeError('Weight tensor must have 3 dims: kernel_width, in_channels, out_channels.')
      if (bias.ndim !== 1) throw new RuntimeError('Bias must be 1-D')
      if (input.size(2) !== weight.size(1))
        throw new RuntimeError('Input dim 2 (input channels) is not == dim 1 in the weight tensor')
      if (bias.size(0) !== weight.size(2))
        throw new RuntimeError('Bias size must equal dim 2 in the weight tensor (output channels).')
      return conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, 1, pad).permute(2, 0, 1)
    },
    samples: r => [[r(5, 2, 3), r(3, 3, 4), r(4), 1]],
    out: false,
  })
