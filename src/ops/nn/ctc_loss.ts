// Connectionist temporal classification: the loss of log-probabilities over time against sequences of labels that are not
// aligned with it, by the forward and backward algorithm. Not here: the arguments of nn.functional.ctc_loss.
import { type DType, float32, float64, int32, int64 } from '../../base/dtype.ts'
import { RuntimeError } from '../../base/errors.ts'
import { constant, type Expr } from '../../ir/expr.ts'
import type { Builder, View } from '../../ir/kernel.ts'
import { empty, kernels } from '../../tensor/dispatch.ts'
import { tensor_from } from '../../tensor/from_data.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { if_in_range, note_of, range_note, was_out_of_range } from '../define/bounds.ts'
import { dense } from '../define/copy.ts'
import { type Op, op, overloaded } from '../define/op.ts'
import { scalar_name } from '../define/out.ts'
import { where } from '../where.ts'

/** What both kernels read: the labels of element `b` of a batch lie in `labels` from `starts[b]` on. */
interface Sequences {
  readonly log_probs: View
  readonly labels: View
  readonly starts: View
  readonly frames: View
  readonly lengths: View
  readonly blank: Expr
}

function sequences(k: Builder, dtype: DType, label_dtype: DType): Sequences {
  return {
    log_probs: k.input('log_probs', dtype, { rank: 3 }), // [T, N, C]
    labels: k.input('labels', label_dtype, 'flat'),
    starts: k.input('starts', int64, 'flat'),
    frames: k.input('frames', int64, 'flat'),
    lengths: k.input('lengths', int64, 'flat'),
    blank: k.value('blank', 'index'),
  }
}

/** State `s` of element `b`: blanks at even places, the labels between them. */
function label_of({ labels, starts, blank }: Sequences, b: Expr, s: Expr): Expr {
  const is_label = s.mod(2).eq(1)
  const at = starts.at(b).cast('index').add(s.floordiv(2))
  return is_label.where(labels.at_if(is_label, [at]).cast('index'), blank)
}

/** log(exp(a) + exp(b) + ...), -Infinity where all are. */
function log_sum_exp(k: Builder, terms: readonly Expr[]): Expr {
  const largest = terms.reduce((a, b) => a.max(b))
  const shift = k.local(largest.type, largest.eq(-Infinity).where(0, largest))
  return terms
    .map(term => term.sub(shift).exp())
    .reduce((a, b) => a.add(b))
    .log()
    .add(shift)
}

const minus_infinity = (like: View): Expr => constant(-Infinity, like.type)

const alpha_kernel = kernels('ctc_alpha', (k, dtype: DType, label_dtype: DType) => {
  const alpha = k.inout('alpha', dtype, { rank: 3, inner: 1 }) // [N, T, states]
  const loss = k.output('loss', dtype, 'flat')
  const all = sequences(k, dtype, label_dtype)
  const { log_probs, frames, lengths } = all
  const note = note_of(k)
  const classes = log_probs.sizes[2]!
  const none = minus_infinity(alpha)
  k.for(loss.sizes[0]!, 'parallel', b => {
    const steps = k.local('index', frames.at(b).cast('index'))
    const length = k.local('index', lengths.at(b).cast('index'))
    const states = k.local('index', length.mul(2).add(1))
    const right = k.local('index', 1)
    k.for(length, 'serial', i => {
      const label = k.local('index', label_of(all, b, i.mul(2).add(1)))
      k.if(label.lt(0).or(label.ge(classes)), () => k.assign(right, 0))
    })
    k.store(loss, [b], length.eq(0).where(0, constant(Infinity, loss.type)))
    if_in_range(k, note, right, 1, 2, () =>
      k.for(steps, 'serial', t => {
        k.for(states, 'vector', s => {
          const label = k.local('index', label_of(all, b, s))
          const before = (d: number): Expr =>
            alpha.at_if(t.gt(0).and(s.ge(d)), [b, t.sub(1).max(0), s.sub(d).max(0)], none)
          const start = t.eq(0).and(s.lt(2))
          const skips = s.gt(1).and(label.ne(label_of(all, b, s.sub(2).max(0))))
          const terms = [start.where(0, before(0)), before(1), skips.where(before(2), none)].map(e =>
            k.local(alpha.type, e),
          )
          k.store(alpha, [b, t, s], log_sum_exp(k, terms).add(log_probs.at(t, b, label)))
        })
        k.if(t.eq(steps.sub(1)), () => {
          const last = k.local(alpha.type, alpha.at(b, t, states.sub(1)))
          const other = alpha.at_if(length.gt(0), [b, t, states.sub(2).max(0)], none)
          k.store(loss, [b], log_sum_exp(k, [last, k.local(alpha.type, other)]).neg())
        })
      }),
    )
  })
})

const gradient_kernel = kernels('ctc_gradient', (k, dtype: DType, label_dtype: DType) => {
  const grad = k.inout('grad', dtype, { rank: 3, inner: 1 }) // [T, N, C]
  const beta = k.inout('beta', dtype, { rank: 3, inner: 1 }) // [N, 3, states]: two steps, and one for sums
  const g = k.input('g', dtype, 'flat')
  const alpha = k.input('alpha', dtype, { rank: 3, inner: 1 })
  const loss = k.input('loss', dtype, 'flat')
  const all = sequences(k, dtype, label_dtype)
  const zero_infinity = k.value('zero_infinity', 'index')
  const { log_probs, frames, lengths } = all
  const [time, count, classes] = grad.sizes as [Expr, Expr, Expr]
  const none = minus_infinity(beta)
  k.for(count, 'parallel', b => {
    const lost = k.local('bool', loss.at(b).eq(Infinity).and(zero_infinity.ne(0)))
    const steps = k.local('index', lost.where(0, frames.at(b).cast('index')))
    const states = k.local('index', lengths.at(b).cast('index').mul(2).add(1))
    const cost = k.local(loss.type, loss.at(b))
    const factor = k.local(g.type, g.at(b))
    k.for(time.sub(steps), 'serial', r =>
      k.for(classes, 'vector', c => k.store(grad, [steps.add(r), b, c], 0)),
    )
    k.for(steps, 'serial', r => {
      const t = k.local('index', steps.sub(1).sub(r))
      const row = k.local('index', r.mod(2))
      const former = k.local('index', constant(1, 'index').sub(row))
      k.for(classes, 'vector', c => k.store(grad, [t, b, c], 0))
      k.for(states, 'vector', s => {
        const label = k.local('index', label_of(all, b, s))
        const after = (d: number): Expr =>
          beta.at_if(r.gt(0).and(s.add(d).lt(states)), [b, former, s.add(d).min(states.sub(1))], none)
        const skips = s
          .add(2)
          .lt(states)
          .and(label.ne(label_of(all, b, s.add(2).min(states.sub(1)))))
        const end = r.eq(0).and(s.add(2).ge(states))
        const terms = [end.where(0, after(0)), after(1), skips.where(after(2), none)].map(e =>
          k.local(beta.type, e),
        )
        k.store(beta, [b, row, s], log_sum_exp(k, terms).add(log_probs.at(t, b, label)))
      })
      const largest = k.local(beta.type, none)
      const joint = (s: Expr): Expr => alpha.at(b, t, s).add(beta.at(b, row, s))
      k.for(states, 'reduce', s => k.assign(largest, largest.max(joint(s))))
      const shift = k.local(beta.type, largest.eq(-Infinity).where(0, largest))
      k.for(states, 'vector', s => k.store(beta, [b, 2, s], joint(s).sub(shift).exp()))
      k.for(states, 'serial', s => {
        const label = k.local('index', label_of(all, b, s))
        k.store(grad, [t, b, label], grad.at(t, b, label).add(beta.at(b, 2, s)))
      })
      k.for(classes, 'vector', c => {
        const lp = k.local(grad.type, log_probs.at(t, b, c))
        const share = grad.at(t, b, c).log().add(shift).add(cost).sub(lp).exp()
        k.store(grad, [t, b, c], lp.exp().sub(share).mul(factor))
      })
    })
  })
})

/** The operands of the kernels after their results. */
type Batch = readonly [log_probs: Tensor, labels: Tensor, starts: Tensor, frames: Tensor, lengths: Tensor]

const gradient_of: Op<
  [
    g: Tensor,
    log_probs: Tensor,
    labels: Tensor,
    starts: Tensor,
    frames: Tensor,
    lengths: Tensor,
    loss: Tensor,
    alpha: Tensor,
    blank: number,
    zero_infinity: boolean,
  ]
> = op(
  '_ctc_loss_backward(Tensor g, Tensor log_probs, Tensor labels, Tensor starts, Tensor frames, Tensor lengths, Tensor loss, Tensor alpha, int blank, bool zero_infinity)',
  {
    forward(
      g: Tensor,
      ...[log_probs, labels, starts, frames, lengths, loss, alpha, blank, zero_infinity]: [
        ...Batch,
        Tensor,
        Tensor,
        number,
        boolean,
      ]
    ) {
      const grad = empty(log_probs.sizes, log_probs.dtype)
      if (grad.count === 0) return grad
      const beta = empty(alpha.sizes.with(1, 3), log_probs.dtype)
      gradient_kernel(log_probs.dtype, labels.dtype)(
        [grad, beta, dense(g), alpha, loss, log_probs, labels, starts, frames, lengths],
        [blank, zero_infinity ? 1 : 0],
      )
      return grad
    },
    backward: () => {
      throw new RuntimeError('derivative for aten::_ctc_loss_backward is not implemented')
    },
  },
)

/** The loss of each element of a batch, and what its gradient is computed from. */
const losses: Op<
  [
    log_probs: Tensor,
    labels: Tensor,
    starts: Tensor,
    frames: Tensor,
    lengths: Tensor,
    states: number,
    blank: number,
    zero_infinity: boolean,
  ],
  Tensor[]
> = op(
  'ctc_loss(Tensor log_probs, Tensor labels, Tensor starts, Tensor frames, Tensor lengths, int states, int blank, bool zero_infinity)',
  {
    forward(
      ...[log_probs, labels, starts, frames, lengths, states, blank]: [...Batch, number, number, boolean]
    ) {
      const [time, count, classes] = log_probs.sizes as [number, number, number]
      const loss = empty([count], log_probs.dtype)
      const alpha = empty([count, time, states], log_probs.dtype)
      if (count === 0) return [loss, alpha]
      alpha_kernel(log_probs.dtype, labels.dtype)(
        [alpha, loss, log_probs, labels, starts, frames, lengths, range_note()],
        [blank],
      )
      if (was_out_of_range()) throw new RuntimeError(`targets must be labels from 0 to ${classes - 1}`)
      return [loss, alpha]
    },
    saves: ['log_probs', 'labels', 'starts', 'frames', 'lengths', 'out.0', 'out.1'],
    backward: {
      log_probs: (
        grads,
        [log_probs, labels, starts, frames, lengths, , blank, zero_infinity],
        [loss, alpha],
      ) =>
        grads[0]
          ? gradient_of(
              grads[0],
              log_probs,
              labels,
              starts,
              frames,
              lengths,
              loss!.detach(),
              alpha!.detach(),
              blank,
              zero_infinity,
            )
          : null,
    },
  },
)

const checking = '(while checking arguments for ctc_loss_cpu)'

/** Throws where lengths do not fit; says where the labels of each element start. */
function starts_of(
  log_probs: Tensor,
  targets: Tensor,
  frames: readonly number[],
  lengths: readonly number[],
  blank: number,
): number[] {
  const [time, count, classes] = log_probs.sizes as [number, number, number]
  const refuse = (text: string): never => {
    throw new RuntimeError(text)
  }
  if (log_probs.dtype !== float32 && log_probs.dtype !== float64)
    refuse(`"ctc_loss_cpu" not implemented for '${scalar_name(log_probs.dtype)}'`)
  if (blank < 0 || blank >= classes) refuse('blank must be in label range')
  if (frames.length !== count) refuse('input_lengths must be of size batch_size')
  if (lengths.length !== count) refuse('target_lengths must be of size batch_size')
  const shortest = Math.min(0, ...lengths)
  if (shortest < 0)
    refuse(`Expected target_lengths to have value at least 0, but got value ${shortest} ${checking}`)
  const starts: number[] = []
  let total = 0
  for (const [b, length] of lengths.entries()) {
    starts.push(targets.ndim === 1 ? total : b * targets.sizes[1]!)
    total += length
  }
  const longest = Math.max(0, ...lengths)
  const [size, at] = targets.ndim === 1 ? [total, targets.sizes[0]!] : [count, targets.sizes[0]!]
  if (size !== at)
    refuse(
      `Expected tensor to have size ${size} at dimension 0, but got size ${at} for argument #2 'targets' ${checking}`,
    )
  if (targets.ndim === 2 && targets.sizes[1]! < longest)
    refuse(
      `Expected tensor to have size at least ${longest} at dimension 1, but got size ${targets.sizes[1]} for argument #2 'targets' ${checking}`,
    )
  for (const n of frames) {
    if (n > time)
      refuse(`Expected input_lengths to have value at most ${time}, but got value ${n} ${checking}`)
    if (n < 0) refuse(`Expected input_lengths to have value at least 0, but got value ${n} ${checking}`)
  }
  return starts
}

function compute(
  log_probs: Tensor,
  targets: Tensor,
  input_lengths: readonly number[] | Tensor,
  target_lengths: readonly number[] | Tensor,
  blank: number,
  reduction: number,
  zero_infinity: boolean,
): Tensor {
  const frames = list_of('input_lengths', input_lengths)
  const lengths = list_of('target_lengths', target_lengths)
  const batched = log_probs.ndim === 3
  const all = batched ? log_probs : log_probs.ndim === 2 ? log_probs.unsqueeze(1) : log_probs
  const marks = !batched && targets.ndim === 1 ? targets.unsqueeze(0) : targets
  if (all.ndim !== 3)
    throw new RuntimeError(
      `Expected 3-dimensional tensor, but got ${all.ndim + 1}-dimensional tensor for argument #1 'log_probs' ${checking}`,
    )
  if (marks.ndim < 1 || marks.ndim > 2)
    throw new RuntimeError(
      `Expected 1 to 2 dimensions, but got ${marks.ndim}-dimensional tensor for argument #2 'targets' ${checking}`,
    )
  const starts = starts_of(all, marks, frames, lengths, blank)
  const ints = (values: readonly number[]): Tensor => tensor_from(values, int64)
  const labels = dense(marks.dtype === int32 ? marks : marks.to(int64)).reshape([-1])
  const states = 2 * Math.max(0, ...lengths) + 1
  const each = losses(
    all,
    labels,
    ints(starts),
    ints(frames),
    ints(lengths),
    states,
    blank,
    zero_infinity,
  )[0]!
  const finite = zero_infinity ? where(each.eq(Infinity), 0, each) : each
  if (reduction === 1) return finite.div(ints(lengths).clamp({ min: 1 }).to(finite.dtype)).mean()
  if (reduction === 2) return finite.sum()
  return batched ? finite : finite.squeeze(0)
}

function list_of(name: string, lengths: readonly number[] | Tensor): number[] {
  if (Array.isArray(lengths)) return [...lengths]
  const t = lengths as Tensor
  if (t.dtype.is_floating_point || t.dtype.is_complex) throw new RuntimeError(`${name} must be integral`)
  return (t.reshape([-1]).tolist() as (number | bigint)[]).map(Number)
}

type Lengths = Tensor | readonly number[]
type CtcOptions = { blank?: number; reduction?: number; zero_infinity?: boolean }
const REST = 'int blank=0, int reduction=0, bool zero_infinity=False'

/**
 * The negative logarithm of the probability of `targets` under `log_probs`, (T, N, C) or (T, C), over all alignments.
 * Labels are rows of a 2-d tensor or one after the other in a 1-d one. `reduction`: 0 none, 1 mean over the batch of what
 * is divided by the target's length, 2 sum. `zero_infinity`: what cannot be aligned costs nothing. The gradient is that of
 * log-probabilities which came out of a log_softmax.
 */
export const ctc_loss: Op<
  [
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Lengths,
    target_lengths: Lengths,
    ...rest: readonly (number | boolean | CtcOptions)[],
  ]
> = overloaded(
  [
    [
      `ctc_loss(Tensor log_probs, Tensor targets, int[] input_lengths, int[] target_lengths, ${REST})`,
      compute,
    ],
    [
      `ctc_loss(Tensor log_probs, Tensor targets, Tensor input_lengths, Tensor target_lengths, ${REST})`,
      compute,
    ],
  ],
  {
    // the gradient is not the derivative: see above
    gradcheck: false,
    samples: r => [
      [r(5, 2, 4), r.ints(1, 4, 2, 2), [5, 4], [2, 1]],
      [r(5, 2, 4), r.ints(0, 3, 3), r.ints(4, 6, 2), r.ints(1, 2, 2).cumsum(0), { blank: 3, reduction: 0 }],
      [r(4, 3), r.ints(1, 3, 3), [4], [3], 0, 2, true],
    ],
    out: false,
  },
)
