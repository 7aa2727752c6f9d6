// The functions of nn.functional that PyTorch has in torch as well, as they are called there: reductions, modes and paddings
// are numbers, and most arguments have no default. Not here: what they compute (functional/).
import * as torch from '../torch.ts'
import { _nn, _composite as composite, type _Op as Op, type Tensor } from '../torch.ts'
import * as functional from './functional/index.ts'

/** What the number of a reduction means: 0 none (the default, unlike in nn.functional), 1 mean, 2 sum. */
const reduction_of = (n: number): 'none' | 'mean' | 'sum' => (n === 1 ? 'mean' : n === 2 ? 'sum' : 'none')

// ---------------------------------------------------------------------------------------------- losses

type Reduced = { reduction?: number }

/** The Kullback-Leibler divergence of each element, reduced. */
export const kl_div: Op<
  [
    input: Tensor,
    target: Tensor,
    reduction?: number | (Reduced & { log_target?: boolean }),
    opts?: { log_target?: boolean },
  ]
> = composite('kl_div(Tensor self, Tensor target, int reduction=0, *, bool log_target=False)', {
  body: (input: Tensor, target: Tensor, reduction: number, log_target: boolean) =>
    (log_target ? _nn.kl_div_of_log : _nn.kl_div)(input, target, reduction_of(reduction)),
  out: false,
})

type LogitsOptions = Reduced & { weight?: Tensor | null; pos_weight?: Tensor | null }

/** The binary cross entropy of sigmoid(input). */
export const binary_cross_entropy_with_logits: Op<
  [
    input: Tensor,
    target: Tensor,
    weight?: Tensor | null | LogitsOptions,
    pos_weight?: Tensor | null | LogitsOptions,
    reduction?: number | LogitsOptions,
  ]
> = composite(
  'binary_cross_entropy_with_logits(Tensor self, Tensor target, Tensor? weight=None, Tensor? pos_weight=None, int reduction=0)',
  {
    body: (
      input: Tensor,
      target: Tensor,
      weight: Tensor | null,
      pos_weight: Tensor | null,
      reduction: number,
    ) =>
      functional.binary_cross_entropy_with_logits(input, target, {
        weight,
        pos_weight,
        reduction: reduction_of(reduction),
      }),
    out: false,
  },
)

type MarginOptions = Reduced & { margin?: number }
type OfTwo = [
  input1: Tensor,
  input2: Tensor,
  target: Tensor,
  margin?: number | MarginOptions,
  reduction?: number | MarginOptions,
]

/** 1 - cos(input1, input2) where `target` is 1, what the cosine exceeds `margin` by where it is -1. */
export const cosine_embedding_loss: Op<OfTwo> = composite(
  'cosine_embedding_loss(Tensor input1, Tensor input2, Tensor target, float margin=0.0, int reduction=0)',
  {
    body: (a: Tensor, b: Tensor, target: Tensor, margin: number, reduction: number) =>
      functional.cosine_embedding_loss(a, b, target, { margin, reduction: reduction_of(reduction) }),
    out: false,
  },
)

/** max(0, -target (input1 - input2) + margin). */
export const margin_ranking_loss: Op<OfTwo> = composite(
  'margin_ranking_loss(Tensor input1, Tensor input2, Tensor target, float margin=0.0, int reduction=0)',
  {
    body: (a: Tensor, b: Tensor, target: Tensor, margin: number, reduction: number) =>
      functional.margin_ranking_loss(a, b, target, { margin, reduction: reduction_of(reduction) }),
    out: false,
  },
)

/** The input where `target` is 1, max(0, margin - input) where it is -1. */
export const hinge_embedding_loss: Op<
  [input: Tensor, target: Tensor, margin?: number | MarginOptions, reduction?: number | MarginOptions]
> = composite('hinge_embedding_loss(Tensor self, Tensor target, float margin=1.0, int reduction=0)', {
  body: (input: Tensor, target: Tensor, margin: number, reduction: number) =>
    functional.hinge_embedding_loss(input, target, { margin, reduction: reduction_of(reduction) }),
  out: false,
})

/** The negative log likelihood of Poisson distributions. */
export const poisson_nll_loss: Op<
  [input: Tensor, target: Tensor, log_input: boolean, full: boolean, eps: number, reduction: number]
> = composite(
  'poisson_nll_loss(Tensor input, Tensor target, bool log_input, bool full, float eps, int reduction)',
  {
    body: (
      input: Tensor,
      target: Tensor,
      log_input: boolean,
      full: boolean,
      eps: number,
      reduction: number,
    ) =>
      functional.poisson_nll_loss(input, target, {
        log_input,
        full,
        eps,
        reduction: reduction_of(reduction),
      }),
    out: false,
  },
)

type TripletOptions = MarginOptions & { p?: number; eps?: number; swap?: boolean }

/** max(0, distance to `positive` - distance to `negative` + margin). */
export const triplet_margin_loss: Op<
  [
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin?: number | TripletOptions,
    p?: number | TripletOptions,
    eps?: number | TripletOptions,
    swap?: boolean | TripletOptions,
    reduction?: number | TripletOptions,
  ]
> = composite(
  'triplet_margin_loss(Tensor anchor, Tensor positive, Tensor negative, float margin=1.0, float p=2.0, float eps=1e-06, bool swap=False, int reduction=0)',
  {
    body: (
      anchor: Tensor,
      positive: Tensor,
      negative: Tensor,
      margin: number,
      p: number,
      eps: number,
      swap: boolean,
      reduction: number,
    ) =>
      functional.triplet_margin_loss(anchor, positive, negative, {
        margin,
        p,
        eps,
        swap,
        reduction: reduction_of(reduction),
      }),
    out: false,
  },
)

// ---------------------------------------------------------------------------------------------- distances, activations

export const bilinear: typeof functional.bilinear = functional.bilinear
export const cosine_similarity: typeof functional.cosine_similarity = functional.cosine_similarity
export const pairwise_distance: typeof functional.pairwise_distance = functional.pairwise_distance
export const pdist: typeof functional.pdist = functional.pdist

export const rrelu: typeof functional.rrelu = functional.rrelu
export const rrelu_: typeof functional.rrelu_ = functional.rrelu_

/**
 * (input, mask): {@link torch.dropout} that also returns which elements stayed.
 */
export const native_dropout: Op<[input: Tensor, p: number, train: boolean | null], [Tensor, Tensor]> =
  composite('native_dropout(Tensor input, float p, bool? train)', {
    body: (input: Tensor, p: number, train: boolean | null): [Tensor, Tensor] => {
      if (train === false || input.numel() === 0)
        return [input.clone(), torch.ones_like(input, { dtype: torch.bool })]
      const mask = torch.empty_like(input, { dtype: torch.bool }).bernoulli_(1 - p)
      return [input.mul(mask).mul(p === 1 ? 0 : 1 / (1 - p)), mask]
    },
    out: false,
  })

// ---------------------------------------------------------------------------------------------- normalisation

/** Normalises each channel: see nn.functional.batch_norm. */
export const batch_norm: Op<
  [
    input: Tensor,
    weight: Tensor | null,
    bias: Tensor | null,
    running_mean: Tensor | null,
    running_var: Tensor | null,
    training: boolean,
    momentum: number,
    eps: number,
    cudnn_enabled: boolean,
  ]
> = composite(
  'batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps, bool cudnn_enabled)',
  {
    body: (
      input: Tensor,
      weight: Tensor | null,
      bias: Tensor | null,
      mean: Tensor | null,
      variance: Tensor | null,
      training: boolean,
      momentum: number,
      eps: number,
    ) => _nn.batch_norm(input, mean, variance, weight, bias, training, momentum, eps),
    out: false,
  },
)

/** Normalises each channel of each sample: see nn.functional.instance_norm. */
export const instance_norm: Op<
  [
    input: Tensor,
    weight: Tensor | null,
    bias: Tensor | null,
    running_mean: Tensor | null,
    running_var: Tensor | null,
    use_input_stats: boolean,
    momentum: number,
    eps: number,
    cudnn_enabled: boolean,
  ]
> = composite(
  'instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool use_input_stats, float momentum, float eps, bool cudnn_enabled)',
  {
    body: (
      input: Tensor,
      weight: Tensor | null,
      bias: Tensor | null,
      mean: Tensor | null,
      variance: Tensor | null,
      use_input_stats: boolean,
      momentum: number,
      eps: number,
    ) => _nn.instance_norm(input, mean, variance, weight, bias, use_input_stats, momentum, eps),
    out: false,
  },
)

/** (out, mean, rstd): {@link torch.group_norm} of N samples of C channels, with what it normalised by. */
export const native_group_norm: Op<
  [
    input: Tensor,
    weight: Tensor | null,
    bias: Tensor | null,
    N: number,
    C: number,
    HxW: number,
    group: number,
    eps: number,
  ],
  [Tensor, Tensor, Tensor]
> = composite(
  'native_group_norm(Tensor input, Tensor? weight, Tensor? bias, int N, int C, int HxW, int group, float eps)',
  {
    body: (
      input: Tensor,
      weight: Tensor | null,
      bias: Tensor | null,
      n: number,
      _channels: number,
      _space: number,
      group: number,
      eps: number,
    ): [Tensor, Tensor, Tensor] => {
      const [variance, mean] = torch.var_mean(input.reshape([n, group, -1]), -1, { unbiased: false })
      return [_nn.group_norm(input, group, weight, bias, eps), mean!, variance!.add(eps).rsqrt()]
    },
    out: false,
  },
)

// ---------------------------------------------------------------------------------------------- convolution, pooling

type Convolve = (...args: unknown[]) => Tensor
const forward = [_nn.conv1d, _nn.conv2d, _nn.conv3d] as unknown as Convolve[]
const transposed_forms = [
  _nn.conv_transpose1d,
  _nn.conv_transpose2d,
  _nn.conv_transpose3d,
] as unknown as Convolve[]

type Numbers = readonly number[]

/** The convolution of one, two or three dimensions, or its transpose. */
export const convolution: Op<
  [
    input: Tensor,
    weight: Tensor,
    bias: Tensor | null,
    stride: Numbers,
    padding: Numbers,
    dilation: Numbers,
    transposed: boolean,
    output_padding: Numbers,
    groups: number,
  ]
> = composite(
  'convolution(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, bool transposed, int[] output_padding, int groups)',
  {
    body: (
      input: Tensor,
      weight: Tensor,
      bias: Tensor | null,
      stride: Numbers,
      padding: Numbers,
      dilation: Numbers,
      transposed: boolean,
      output_padding: Numbers,
      groups: number,
    ) => {
      const at = weight.ndim - 3
      const convolve = (transposed ? transposed_forms : forward)[at]
      if (convolve === undefined)
        throw new torch.RuntimeError(`unsupported ConvNd parameters: weight ${weight.ndim}D`)
      return transposed
        ? convolve(input, weight, bias, stride, padding, output_padding, groups, dilation)
        : convolve(input, weight, bias, stride, padding, dilation, groups)
    },
  },
)

export const conv_tbc: typeof functional.conv_tbc = functional.conv_tbc
export const native_channel_shuffle: typeof functional.native_channel_shuffle =
  functional.native_channel_shuffle

/** (values, indices) of the greatest elements of `output_size` parts. */
export const adaptive_max_pool1d: typeof _nn.adaptive_max_pool1d_with_indices =
  _nn.adaptive_max_pool1d_with_indices
export const max_pool3d: typeof _nn.max_pool3d = _nn.max_pool3d

// ---------------------------------------------------------------------------------------------- grids, rows

const modes = ['bilinear', 'nearest', 'bicubic']
const paddings = ['zeros', 'border', 'reflection']
type GridArgs = [
  input: Tensor,
  grid: Tensor,
  interpolation_mode: number,
  padding_mode: number,
  align_corners: boolean,
]
const sampler = (name: string): Op<GridArgs> =>
  composite(
    `${name}(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners)`,
    {
      body: (input: Tensor, grid: Tensor, mode: number, padding: number, align: boolean) =>
        _nn.grid_sample(
          input,
          grid,
          modes[mode] ?? String(mode),
          paddings[padding] ?? String(padding),
          align,
        ),
      out: false,
    },
  )

/** Elements at the places of a grid: nn.functional.grid_sample with numbers for its modes. */
export const grid_sampler: Op<GridArgs> = sampler('grid_sampler')
export const grid_sampler_2d: Op<GridArgs> = sampler('grid_sampler_2d')
export const grid_sampler_3d: Op<GridArgs> = sampler('grid_sampler_3d')

/** The grid of affine maps: nn.functional.affine_grid. */
export const affine_grid_generator: Op<[theta: Tensor, size: Numbers, align_corners: boolean]> = composite(
  'affine_grid_generator(Tensor theta, int[] size, bool align_corners)',
  {
    body: (theta: Tensor, size: Numbers, align: boolean) => _nn.affine_grid(theta, size, align),
    out: false,
  },
)

type LookupOptions = { padding_idx?: number; scale_grad_by_freq?: boolean; sparse?: boolean }

/** The rows of `weight` at `indices`: nn.functional.embedding with the arguments in the other order. */
export const embedding: Op<
  [
    weight: Tensor,
    indices: Tensor,
    padding_idx?: number | LookupOptions,
    scale_grad_by_freq?: boolean | LookupOptions,
    sparse?: boolean | LookupOptions,
  ]
> = composite(
  'embedding(Tensor weight, Tensor indices, int padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False)',
  {
    body: (weight: Tensor, indices: Tensor, padding: number, scale: boolean, sparse: boolean) =>
      _nn.embedding(indices, weight, padding < 0 ? null : padding, { scale_grad_by_freq: scale, sparse }),
    out: false,
  },
)
