/**
 * The two-layer networks of examples/tutorials/ against PyTorch 1.13.1 from the same seed: the losses that they print
 * agree to five digits over the first 100 steps. PyTorch's float32 losses are themselves that far from what exact
 * arithmetic gives where a unit switches on or off, so a loss may agree with the float64 run instead.
 */
import { describe, expect, it } from 'vitest'
import * as dynamic_net from '../../examples/tutorials/dynamic_net.ts'
import * as two_layer_net_autograd from '../../examples/tutorials/two_layer_net_autograd.ts'
import * as two_layer_net_custom_function from '../../examples/tutorials/two_layer_net_custom_function.ts'
import * as two_layer_net_module from '../../examples/tutorials/two_layer_net_module.ts'
import * as two_layer_net_nn from '../../examples/tutorials/two_layer_net_nn.ts'
import * as two_layer_net_optim from '../../examples/tutorials/two_layer_net_optim.ts'
import * as two_layer_net_tensor from '../../examples/tutorials/two_layer_net_tensor.ts'
import * as torch from '../../src/index.ts'
import recorded from '../data/examples/losses.json' with { type: 'json' }
import { agree, printed } from './printed.ts'

const STEPS = 100
const choices = [...recorded.choices]
const programs = {
  two_layer_net_tensor,
  two_layer_net_autograd,
  two_layer_net_custom_function,
  two_layer_net_nn,
  two_layer_net_module,
  two_layer_net_optim,
  dynamic_net: { run: (steps: number) => dynamic_net.run(steps, () => choices.shift()!) },
}

describe.each(Object.keys(programs) as (keyof typeof programs)[])('%s', name => {
  it('prints the losses that PyTorch prints', () => {
    torch.manual_seed(0)
    const { text, result } = printed(() => programs[name].run(STEPS))
    const { float32, float64 } = recorded.losses[name]
    const lines = text.split('\n').map(line => line.split(' ').map(Number))
    expect(lines).toEqual(result.map((loss, t) => [t, loss]))
    const wrong = lines.filter(([t, loss]) => !agree(loss!, float32[t!]!) && !agree(loss!, float64[t!]!))
    expect(lines).toHaveLength(STEPS)
    expect(wrong).toEqual([])
  })
})

describe('MyReLU', () => {
  it('is a node of the graph under its own name, and has the gradient of clamp', () => {
    const x = torch.tensor([-1, 2], { dtype: torch.float32, requires_grad: true })
    const y = two_layer_net_custom_function.MyReLU.apply(x)
    expect(String(y)).toBe('tensor([0., 2.], grad_fn=<MyReLUBackward>)')
    y.sum().backward()
    expect(String(x.grad)).toBe('tensor([0., 1.])')
    const double = torch.randn(3, 4, { dtype: torch.float64, requires_grad: true })
    const { MyReLU } = two_layer_net_custom_function
    expect(torch.autograd.gradcheck((x: torch.Tensor) => MyReLU.apply(x), [double])).toBe(true)
  })
})

describe('the training step of the two-layer net', () => {
  it('goes on to the end as PyTorch does', () => {
    torch.manual_seed(0)
    const { result } = printed(() => two_layer_net_autograd.run(500))
    expect(result.at(-1)).toBeLessThan(1e-3)
  })
})
