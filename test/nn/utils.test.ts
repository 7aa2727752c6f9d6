// torch.nn.utils: limiting gradients, parameters as a vector, padding sequences.
import { expect, test } from 'vitest'
import * as torch from '../../src/index.ts'
import { numbers, recorded, rounded } from './behaviour.ts'

const { nn } = torch
const { utils } = nn

function parameters(): torch.nn.Parameter[] {
  const ps = [
    nn.Parameter(numbers(4, 5).view(2, 2)),
    nn.Parameter(numbers(3, 6)),
    nn.Parameter(torch.zeros(1)),
  ]
  ps[0]!.grad = numbers(4, 7).view(2, 2)
  ps[1]!.grad = numbers(3, 8)
  return ps
}

const clips: Record<string, (ps: torch.nn.Parameter[]) => torch.Tensor | void> = {
  norm: ps => utils.clip_grad_norm_(ps, 0.5),
  'norm loose': ps => utils.clip_grad_norm_(ps, 100),
  'norm 1': ps => utils.clip_grad_norm_(ps, 0.5, 1),
  'norm inf': ps => utils.clip_grad_norm_(ps, 0.5, { norm_type: Infinity }),
  value: ps => utils.clip_grad_value_(ps, 0.25),
}

test.each(Object.keys(clips))('clipping by %s', name => {
  const ps = parameters()
  const result = clips[name]!(ps)
  expect(rounded([result ?? null, ps[0]!.grad, ps[1]!.grad])).toEqual(rounded(recorded.utils[name]))
})

test('clipping takes one tensor, and parameters without gradients', () => {
  const p = nn.Parameter(torch.ones(2))
  expect(utils.clip_grad_norm_(p, 1).item()).toBe(0)
  p.grad = torch.tensor([3.5, 0])
  expect(utils.clip_grad_norm_(p, 1).item()).toBe(3.5)
  expect(rounded(p.grad)).toEqual([1, 0])
})

test('parameters become a vector, and a vector parameters', () => {
  const vector = utils.parameters_to_vector(parameters())
  expect(rounded(vector)).toEqual(rounded(recorded.utils.vector))
  const model = new nn.Linear(2, 1)
  utils.vector_to_parameters(torch.tensor([1.5, 2.5, 3.5]), model.parameters())
  expect(rounded([model.weight, model.bias])).toEqual([[1.5, 2.5], [3.5]])
  expect(model.weight.requires_grad).toBe(true)
})

test('sequences are padded to the longest', () => {
  const sequences = [numbers(6, 1).view(3, 2), numbers(2, 2).view(1, 2), numbers(4, 3).view(2, 2)]
  const padded = utils.rnn.pad_sequence(sequences)
  expect(rounded([[...padded.shape], padded])).toEqual(rounded(recorded.utils.pad))
  const rows = utils.rnn.pad_sequence(sequences, { batch_first: true, padding_value: 9.5 })
  expect(rounded([[...rows.shape], rows])).toEqual(rounded(recorded.utils['pad batch first']))
  expect(rounded(utils.rnn.unpad_sequence(padded, [3, 1, 2]))).toEqual(rounded(sequences))
})
