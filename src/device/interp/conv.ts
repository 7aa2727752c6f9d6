// Two-dimensional cross-correlation and its gradients as the definition has them: every product of an input element,
// a weight and an output element is visited once. The plain reference beside the tuned kernels of the other devices.
import type { ConvProblem, Operand } from '../device.ts'

type Floats = Float32Array | Float64Array

/** Runs one of the three kinds, summed in float64 and rounded once, at the end. */
export function conv(p: ConvProblem): void {
  const input = elements(p.input)
  const weight = elements(p.weight)
  const output = elements(p.output)
  const target = p.kind === 'forward' ? output : p.kind === 'input_grad' ? input : weight
  const sums = new Float64Array(target.length)
  if (p.bias !== null) {
    const bias = elements(p.bias)
    const plane = target.length / (p.batch * bias.length)
    for (let i = 0; i < sums.length; i++) sums[i] = bias[Math.floor(i / plane) % bias.length]!
  }
  switch (p.kind) {
    case 'forward':
      visit(p, (i, w, o) => {
        sums[o]! += input[i]! * weight[w]!
      })
      break
    case 'input_grad':
      visit(p, (i, w, o) => {
        sums[i]! += output[o]! * weight[w]!
      })
      break
    case 'weight_grad':
      visit(p, (i, w, o) => {
        sums[w]! += output[o]! * input[i]!
      })
  }
  target.set(sums)
}

/** The elements of a contiguous operand. */
function elements({ memory, dtype, offset, count }: Operand): Floats {
  return (memory.array(dtype) as Floats).subarray(offset, offset + count)
}

/** Calls `f` with the positions of each input element, weight and output element that meet. */
function visit(p: ConvProblem, f: (input: number, weight: number, output: number) => void): void {
  const { batch, groups } = p
  const [in_h, in_w] = p.in_size
  const [out_h, out_w] = p.out_size
  const [kernel_h, kernel_w] = p.kernel
  const in_group = p.in_channels / groups
  const out_group = p.out_channels / groups
  for (let n = 0; n < batch; n++)
    for (let oc = 0; oc < p.out_channels; oc++)
      for (let ic = 0; ic < in_group; ic++) {
        const in_channel = Math.floor(oc / out_group) * in_group + ic
        const in_plane = (n * p.in_channels + in_channel) * in_h * in_w
        const out_plane = (n * p.out_channels + oc) * out_h * out_w
        const filter = (oc * in_group + ic) * kernel_h * kernel_w
        for (let oy = 0; oy < out_h; oy++)
          for (let ky = 0; ky < kernel_h; ky++) {
            const y = oy * p.stride[0] - p.padding[0] + ky * p.dilation[0]
            if (y < 0 || y >= in_h) continue
            for (let ox = 0; ox < out_w; ox++)
              for (let kx = 0; kx < kernel_w; kx++) {
                const x = ox * p.stride[1] - p.padding[1] + kx * p.dilation[1]
                if (x < 0 || x >= in_w) continue
                f(in_plane + y * in_w + x, filter + ky * kernel_w + kx, out_plane + oy * out_w + ox)
              }
          }
      }
}
