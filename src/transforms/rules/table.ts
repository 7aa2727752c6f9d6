// Which op has which batching rule, by name. Elementwise ops need none, views neither, and functions of other ops only where
// their bodies work on memory or would be slow. Not here: the rules.
import type { Tensor } from '../../tensor/tensor.ts'
import type { Rule } from './call.ts'
import { elementwise, into_first, leading, over_dims, over_last, quiet_loop } from './common.ts'
import * as nn from './nn.ts'
import * as products from './products.ts'
import * as random from './random.ts'
import * as shape from './shape.ts'

const named = (names: string, rule: Rule): [string, Rule][] => names.split(' ').map(name => [name, rule])

/** A rule for calls that name dimensions, another for those that do not. */
const by_dim =
  (everything: Rule): Rule =>
  call =>
    call.at('dim') >= 0 ? over_dims(call) : everything(call)

/** Rules of ops that compute by themselves. Those that are not here loop over the batch. */
export const op_rules: ReadonlyMap<string, Rule> = new Map([
  ...named('gcd lcm special_zeta polygamma igamma igammac frexp complex nextafter', elementwise),
  ...named('clone _to_copy tril triu linalg_lu_factor_ex', leading),
  ...named(
    'nansum amax amin aminmax argmax argmin all any var std var_mean std_mean logsumexp norm linalg_vector_norm ' +
      'softmax softmax_backward log_softmax log_softmax_backward cumsum cumsum_backward cumprod cummax cummin logcumsumexp ' +
      'sort topk kthvalue mode glu gather scatter scatter_add scatter_reduce select_scatter slice_scatter _fft_c2c _fft_r2c _fft_c2r',
    over_dims,
  ),
  ['sum', by_dim(shape.of_everything((rows, call) => rows.sum(1, { dtype: call.get('dtype') })))],
  ['mean', by_dim(shape.of_everything((rows, call) => rows.mean(1, { dtype: call.get('dtype') })))],
  ['prod', by_dim(shape.of_everything((rows, call) => rows.prod(1, { dtype: call.get('dtype') })))],
  ['max', by_dim(shape.of_everything(rows => rows.amax(1)))],
  ['min', by_dim(shape.of_everything(rows => rows.amin(1)))],
  ['median', by_dim(shape.of_everything(rows => rows.median(1)[0] as Tensor))],
  ['nanmedian', by_dim(shape.of_everything(rows => rows.nanmedian(1)[0] as Tensor))],
  ['trace', shape.trace],
  ['diagonal_scatter', shape.diagonal_scatter],
  ['cat', shape.cat],
  ['stack', shape.stack],
  ['repeat', shape.repeat],
  ['roll', shape.roll],
  ['flip', shape.flip],
  ['rot90', shape.flip],
  ['diag', shape.diag],
  ['diag_embed', shape.diag_embed],
  ['index', shape.index],
  ['index_put', shape.index_put],
  ['index_select', shape.index_select],
  ...named('index_add index_copy index_fill index_reduce', shape.index_update),
  ['take', shape.take],
  ['masked_select', shape.masked_select],
  ['mm', products.mm],
  ['bmm', products.bmm],
  ['mv', products.mv],
  ['dot', products.dot],
  ['addmm', products.addmm],
  ['baddbmm', products.baddbmm],
  ...named('convolution convolution_input_grad convolution_transpose', nn.convolution),
  ['convolution_weight_grad', nn.convolution_weight_grad],
  ['embedding', nn.embedding],
  ...named(
    'mse_loss smooth_l1_loss huber_loss soft_margin_loss binary_cross_entropy binary_cross_entropy_with_logits',
    nn.elementwise_loss,
  ),
  ['nll_loss_backward', nn.nll_loss_backward],
  ['scaled_dot_product_attention', nn.attention],
  ...named(
    'adaptive_avg_pool2d adaptive_avg_pool2d_backward adaptive_max_pool2d avg_pool2d avg_pool2d_backward ' +
      'max_pool2d_with_indices max_pool2d_values max_pool_backward pixel_shuffle pixel_unshuffle constant_pad_nd reflect_pad ' +
      'replicate_pad circular_pad reflect_pad_backward replicate_pad_backward circular_pad_backward',
    over_last,
  ),
  ...named(
    'adaptive_avg_pool3d adaptive_avg_pool3d_backward adaptive_max_pool3d avg_pool3d avg_pool3d_backward ' +
      'max_pool3d_with_indices max_unpool2d max_unpool3d unfold fold upsample upsample_backward grid_sampler_2d ' +
      'grid_sampler_3d',
    into_first,
  ),
  ...named(
    'linalg_cholesky_ex cholesky cholesky_solve cholesky_inverse linalg_det linalg_slogdet slogdet linalg_eig ' +
      'linalg_eigvals linalg_eigh linalg_eigvalsh interchange_rows linalg_qr qr geqrf linalg_inv_ex ' +
      'linalg_svd linalg_svdvals linalg_pinv',
    leading,
  ),
  ...named('cdist linalg_solve_triangular', over_last),
  ['linalg_solve_ex', products.solve],
  ...named(
    'as_strided_scatter dist renorm ormqr linalg_lstsq block_diag masked_scatter put nll_loss',
    quiet_loop,
  ),
])

const everything_or_dims: Rule = call =>
  by_dim(shape.of_everything(rows => (call.op.op_name === 'all' ? rows.all(1) : rows.any(1))))(call)

/** Rules of functions of other ops. Without one their bodies run on batched tensors. */
export const function_rules: ReadonlyMap<string, Rule> = new Map([
  ...named('layer_norm native_layer_norm', nn.layer_norm),
  ['group_norm', nn.group_norm],
  ['batch_norm', nn.batch_norm],
  ...named('cross_entropy nll_loss', nn.class_loss),
  ...named('lstm gru rnn_tanh rnn_relu lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell', quiet_loop),
  ...named('max_unpool1d max_unpool2d max_unpool3d', nn.max_unpool),
  ...named('bucketize searchsorted', shape.search),
  ['fill', shape.fill],
  ...named('linalg_inv inverse one_hot', leading),
  ['linalg_solve', products.solve],
  ...named('all any', everything_or_dims),
  ...named('count_nonzero argsort', over_dims),
  ...named(
    'ctc_loss embedding_bag segment_reduce isin histc quantile nanquantile cov matrix_exp linalg_matrix_exp linalg_tensorinv',
    quiet_loop,
  ),
  ...named(
    ['chebyshev_polynomial_t', 'chebyshev_polynomial_u', 'chebyshev_polynomial_v', 'chebyshev_polynomial_w']
      .flatMap(name => [`special_${name}`, `special_shifted_${name}`])
      .join(' '),
    elementwise,
  ),
  ...named(
    'special_hermite_polynomial_h special_hermite_polynomial_he special_laguerre_polynomial_l special_legendre_polynomial_p',
    elementwise,
  ),
  ...named('zeros_like ones_like empty_like full_like contiguous detach', leading),
])

/** Rules of functions that draw random numbers. */
export const random_rules: ReadonlyMap<string, random.RandomRule> = new Map([
  ...['bernoulli', 'poisson', 'binomial', 'normal'].map(name => [name, random.elements] as const),
  ['multinomial', random.multinomial],
  ...[
    'uniform_',
    'normal_',
    'random_',
    'exponential_',
    'cauchy_',
    'log_normal_',
    'geometric_',
    'bernoulli_',
  ].map(name => [name, random.fill] as const),
  ...['dropout', 'dropout_', 'alpha_dropout', 'alpha_dropout_'].map(
    name => [name, random.dropout(false)] as const,
  ),
  ...['feature_dropout', 'feature_dropout_', 'feature_alpha_dropout', 'feature_alpha_dropout_'].map(
    name => [name, random.dropout(true)] as const,
  ),
])
