// What bad input gets from the ops that index, join, cut and rearrange: PyTorch 1.13.1's error, class and text, and
// nothing is written.
import { describe, expect, test } from 'vitest'
import * as torch from '../../src/index.ts'

const F = torch._nn
const L = (...values: number[]): torch.Tensor => torch.tensor(values)
const x = torch.arange(6).to(torch.float32).reshape(2, 3)
const row = x.at(':1')
const double = row.to(torch.float64)
const one = torch.tensor([1.5])
const scalar = torch.tensor(3.5)

type Row = [call: () => unknown, message: string]
const errors: Record<string, Row[]> = {
  index_select: [
    [() => x.index_select(0, L(5)), 'IndexError: index out of range in self'],
    [() => x.index_select(0, L(-1)), 'IndexError: index out of range in self'],
    [() => x.index_select(0, x), 'IndexError: index_select(): Index is supposed to be a vector'],
    [() => x.index_select(0, one), 'RuntimeError: index_select(): Expected dtype int32 or int64 for index'],
    [
      () => x.index_select(3, L(0)),
      'IndexError: Dimension out of range (expected to be in range of [-2, 1], but got 3)',
    ],
  ],
  index_add: [
    [() => x.index_add_(0, L(5), row), 'IndexError: index out of range in self'],
    [
      () => x.index_add_(0, L(0, 1), row),
      'RuntimeError: index_add_(): Number of indices (2) should be equal to source.size(dim): (1), for dim: 0',
    ],
    [
      () => x.index_add_(0, L(0), double),
      'RuntimeError: index_add_(): self (Float) and source (Double) must have the same scalar type',
    ],
    [
      () => x.index_add_(0, L(0), row.at(':', ':2')),
      'RuntimeError: The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 0',
    ],
    [
      () => x.index_add_(0, one, row),
      'RuntimeError: index_add_(): Expected dtype int32/int64 for index but got: Float',
    ],
    [
      () => x.index_add_(0, L(0).unsqueeze(0), row),
      'IndexError: index_add_(): Index is supposed to be a vector, but got dim: 2 with type: Long and size: [1, 1]',
    ],
  ],
  index_copy: [
    [
      () => x.index_copy_(0, L(5), row),
      'IndexError: index_copy_(): index 5 is out of bounds for dimension 0 with size 2',
    ],
    [
      () => x.index_copy_(0, L(-1), row),
      'IndexError: index_copy_(): index -1 is out of bounds for dimension 0 with size 2',
    ],
    [
      () => x.index_copy_(0, L(0, 1), row),
      'IndexError: index_copy_(): Number of indices (2) should be equal to source.size(dim) (1)',
    ],
    [
      () => x.index_copy_(0, L(0), double),
      'RuntimeError: index_copy_(): self and source expected to have the same dtype, but got (self) Float and (source) Double',
    ],
    [
      () => x.index_copy_(0, L(0), row.at(0)),
      'IndexError: index_copy_(): When source and destination are not scalars, their dimensionality must match. Source dimensionality (1), destination dimensionality (2)',
    ],
  ],
  index_fill: [
    [() => x.index_fill_(0, L(5), 1), 'IndexError: index 5 is out of bounds for dimension 0 with size 2'],
    [() => x.index_fill_(0, L(-3), 1), 'IndexError: index -3 is out of bounds for dimension 0 with size 2'],
    [() => x.index_fill_(0, L(0).int(), 1), 'IndexError: index_fill_(): Expected dtype int64 for index.'],
    [
      () => x.index_fill_(0, L(0), x),
      'RuntimeError: index_fill_ only supports a 0-dimensional value tensor, but got tensor with 2 dimension(s).',
    ],
  ],
  index_reduce: [
    [
      () => x.index_reduce_(0, L(0), row, 'sum'),
      'RuntimeError: index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got sum.',
    ],
    [() => x.index_reduce_(0, L(5), row, 'prod'), 'IndexError: index out of range in self'],
  ],
  gather: [
    [
      () => x.gather(0, L(5).unsqueeze(0)),
      'RuntimeError: index 5 is out of bounds for dimension 0 with size 2',
    ],
    [
      () => x.gather(0, L(0)),
      'RuntimeError: Index tensor must have the same number of dimensions as input tensor',
    ],
    [() => x.gather(0, L(0).int().unsqueeze(0)), 'RuntimeError: gather(): Expected dtype int64 for index'],
    [
      () => x.gather(0, torch.zeros([1, 4], { dtype: torch.int64 })),
      'RuntimeError: Size does not match at dimension 1 expected index [1, 4] to be smaller than self [2, 3] apart from dimension 0',
    ],
  ],
  scatter: [
    [
      () => x.scatter_(0, L(5).unsqueeze(0), x),
      'RuntimeError: index 5 is out of bounds for dimension 0 with size 2',
    ],
    [
      () => x.scatter_(0, L(0), x),
      'RuntimeError: Index tensor must have the same number of dimensions as self tensor',
    ],
    [
      () => x.scatter_(0, L(0).unsqueeze(0), x.to(torch.float64)),
      'RuntimeError: scatter(): Expected self.dtype to be equal to src.dtype',
    ],
    [
      () => x.scatter_(0, torch.zeros([1, 4], { dtype: torch.int64 }), x),
      'RuntimeError: Expected index [1, 4] to be smaller than self [2, 3] apart from dimension 0 and to be smaller size than src [2, 3]',
    ],
    [
      () => x.scatter_(0, L(0).unsqueeze(0), x, { reduce: 'foo' }),
      'RuntimeError: reduce argument must be either add or multiply.',
    ],
    [
      () => x.scatter_add_(0, L(5).unsqueeze(0), x),
      'RuntimeError: index 5 is out of bounds for dimension 0 with size 2',
    ],
    [
      () => x.scatter_reduce_(0, L(0).unsqueeze(0), x, 'foo'),
      'RuntimeError: reduce argument must be either sum, prod, mean, amax or amin.',
    ],
  ],
  take_and_put: [
    [() => x.take(L(10)), 'IndexError: out of range: tried to access index 10 on a tensor of 6 elements.'],
    [() => x.take(L(0).int()), 'RuntimeError: take(): Expected a long tensor for index, but got Int'],
    [() => torch.empty([0]).take(L(0)), 'IndexError: take(): tried to take from an empty tensor'],
    [
      () => x.put_(L(-7), one),
      'IndexError: out of range: tried to access index -7 on a tensor of 6 elements.',
    ],
    [
      () => x.put_(L(0, 1), one),
      'IndexError: put_(): Expected source and index to have the same number of elements, but got source.numel() = 1, index.numel() = 2',
    ],
    [
      () => x.put_(L(0), L(1)),
      'RuntimeError: put_(): self and source expected to have the same dtype, but got self.dtype = Float and source.dtype = Long',
    ],
    [
      () => x.take_along_dim(L(1), 0),
      'RuntimeError: torch.take_along_dim(): input and indices should have the same number of dimensions, but got 2 dimensions for input, and 1 dimensions for indices',
    ],
  ],
  masks: [
    [
      () => x.masked_fill_(x.gt(0), x),
      'RuntimeError: masked_fill_ only supports a 0-dimensional value tensor, but got tensor with 2 dimension(s).',
    ],
    [
      () => x.masked_fill(torch.tensor([true, false]), 1),
      'RuntimeError: The size of tensor a (3) must match the size of tensor b (2) at non-singleton dimension 1',
    ],
    [
      () => torch.arange(3).to(torch.uint8).masked_fill_(torch.tensor(true), 300),
      'RuntimeError: value cannot be converted to type uint8_t without overflow',
    ],
    [
      () => x.masked_select(L(1, 0, 1)),
      'RuntimeError: masked_select: expected BoolTensor or ByteTensor for mask',
    ],
    [
      () => x.masked_scatter_(x.gt(0), one),
      'RuntimeError: Number of elements of source < number of ones in mask',
    ],
    [
      () => x.masked_scatter_(x.gt(0), torch.arange(6)),
      'RuntimeError: masked_scatter: expected self and source to have same dtypes but gotFloat and Long',
    ],
  ],
  cat_and_stack: [
    [() => torch.cat([]), 'RuntimeError: torch.cat(): expected a non-empty list of Tensors'],
    [() => torch.cat([x, one]), 'RuntimeError: Tensors must have same number of dimensions: got 2 and 1'],
    [
      () => torch.cat([x, x.at(':', ':2')]),
      'RuntimeError: Sizes of tensors must match except in dimension 0. Expected size 3 but got size 2 for tensor number 1 in the list.',
    ],
    [
      () => torch.cat([x, x], 2),
      'IndexError: Dimension out of range (expected to be in range of [-2, 1], but got 2)',
    ],
    [
      () => torch.cat([scalar]),
      'RuntimeError: zero-dimensional tensor (at position 0) cannot be concatenated',
    ],
    [() => torch.stack([]), 'RuntimeError: stack expects a non-empty TensorList'],
    [
      () => torch.stack([x, row]),
      'RuntimeError: stack expects each tensor to be equal size, but got [2, 3] at entry 0 and [1, 3] at entry 1',
    ],
    [() => torch.meshgrid(L(1), one), 'RuntimeError: meshgrid expects all tensors to have the same dtype'],
    [
      () => torch.meshgrid(one, { indexing: 'foo' as never }),
      'RuntimeError: torch.meshgrid: indexing must be one of "xy" or "ij", but received: foo',
    ],
    [
      () => torch.block_diag(torch.ones(2, 2, 2)),
      'RuntimeError: torch.block_diag: Input tensors must have 2 or fewer dimensions. Input 0 has 3 dimensions',
    ],
    [() => torch.cartesian_prod(x), 'RuntimeError: Expect a 1D vector, but got shape [2, 3]'],
    [() => torch.combinations(L(1), -1), 'RuntimeError: Expect a non-negative number, but got -1'],
  ],
  cuts: [
    [
      () => x.split(0),
      'RuntimeError: split_size can only be 0 if dimension size is 0, but got dimension size of 2',
    ],
    [() => x.split(-1), 'RuntimeError: split expects split_size be non-negative, but got split_size=-1'],
    [
      () => x.split([1, 2]),
      "RuntimeError: split_with_sizes expects split_sizes to sum exactly to 2 (input tensor's size at dimension 0), but got split_sizes=[1, 2]",
    ],
    [() => x.chunk(0), 'RuntimeError: chunk expects `chunks` to be greater than 0, got: 0'],
    [() => scalar.chunk(2), 'RuntimeError: chunk expects at least a 1-dimensional tensor'],
    [() => scalar.unbind(), 'IndexError: Dimension specified as 0 but tensor has no dimensions'],
    [() => x.tensor_split(0), 'RuntimeError: number of sections must be larger than 0, got 0'],
    [
      () => x.hsplit(2),
      'RuntimeError: torch.hsplit attempted to split along dimension 1, but the size of the dimension 3 is not divisible by the split_size 2!',
    ],
    [
      () => one.vsplit(1),
      'RuntimeError: torch.vsplit requires a tensor with at least 2 dimension, but got a tensor with 1 dimensions!',
    ],
    [
      () => x.unflatten(1, [2, 2]),
      "RuntimeError: unflatten: Provided sizes [2, 2] don't multiply up to the size of dim 1 (3) in the input tensor",
    ],
  ],
  shapes: [
    [() => x.movedim([0, 0], [0, 1]), 'RuntimeError: movedim: repeated dim in `source` ([0, 0])'],
    [
      () => x.movedim([0, 1], [0]),
      'RuntimeError: movedim: Invalid source or destination dims: source ([0, 1] dims) should contain the same number of dims as destination ([0] dims)',
    ],
    [
      () => one.mT,
      'RuntimeError: tensor.mT is only supported on matrices or batches of matrices. Got 1-D tensor.',
    ],
    [
      () => torch.ones(2, 2, 2).H,
      'RuntimeError: tensor.H is only supported on matrices (2-D tensors). Got 3-D tensor. For batches of matrices, consider using tensor.mH',
    ],
    [
      () => x.repeat(2),
      'RuntimeError: Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor',
    ],
    [() => x.repeat(2, -1), 'RuntimeError: Trying to create tensor with negative dimension -3: [4, -3]'],
    [
      () => x.repeat_interleave(L(1, 2, 3), 0),
      'RuntimeError: repeats must have the same size as input along dim',
    ],
    [() => x.repeat_interleave(L(1, -2), 0), 'RuntimeError: repeats can not be negative'],
    [() => x.roll([1, 2], 0), 'RuntimeError: shifts and dimensions must align. shifts: 2, dims:1'],
    [() => x.flip(0, 0), 'RuntimeError: dim 0 appears multiple times in the list of dims'],
    [() => L(1).fliplr(), 'RuntimeError: Input must be >= 2-d.'],
    [
      () => x.rot90(1, [0, 0]),
      'RuntimeError: expected rotation dims to be different, but got dim0 = 0 and dim1 = 0',
    ],
    [() => scalar.diag(), 'RuntimeError: matrix or a vector expected'],
    [() => one.tril(), 'IndexError: Dimension out of range (expected to be in range of [-1, 0], but got -2)'],
    [
      () => torch.tril_indices(2, 2, { dtype: torch.float32 }),
      'RuntimeError: "tril_indices" not implemented for \'Float\'',
    ],
    [() => x.clone().requires_grad_().resize_(3), 'RuntimeError: cannot resize variables that require grad'],
  ],
  padding_and_patches: [
    [() => F.pad(x, [1]), 'RuntimeError: Padding length must be divisible by 2'],
    [() => F.pad(x, [1, 1, 1, 1, 1, 1]), 'RuntimeError: Padding length too large'],
    [() => F.pad(x, [1, 1], 'foo'), 'NotImplementedError: Unrecognised padding mode foo'],
    [
      () => F.pad(x, [3, 3], 'reflect'),
      'RuntimeError: Argument #4: Padding size should be less than the corresponding input dimension, but got: padding (3, 3) at dimension 1 of input [2, 3]',
    ],
    [
      () => F.pad(x, [1, 1, 1, 1], 'reflect'),
      'NotImplementedError: Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now',
    ],
    [
      () => torch.pixel_shuffle(torch.ones(1, 3, 2, 2), 2),
      "RuntimeError: pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but input.size(-3)=3 is not divisible by 4",
    ],
    [
      () => F.unfold(torch.ones(1, 1, 2, 2), 3),
      'RuntimeError: Given input with spatial size (2, 2), kernel_size=(3, 3), dilation=(1, 1), padding=(0, 0), calculated shape of the array of sliding blocks as (0, 0), but its components must be at least one.',
    ],
    [
      () => F.fold(torch.ones(1, 4, 5), 2, 2),
      "RuntimeError: Given output_size=(2, 2), kernel_size=(2, 2), dilation=(1, 1), padding=(0, 0), stride=(1, 1), expected size of input's dimension 2 to match the calculated number of sliding blocks 1 * 1 = 1, but got input.size(2)=5.",
    ],
  ],
  counting: [
    [() => F.one_hot(L(0, 5), 3), 'RuntimeError: Class values must be smaller than num_classes.'],
    [() => F.one_hot(L(0, -1)), 'RuntimeError: Class values must be non-negative.'],
    [() => F.one_hot(x), 'RuntimeError: one_hot is only applicable to index tensor.'],
    [() => x.bincount(), 'RuntimeError: "bincount_cpu" not implemented for \'Float\''],
    [() => L(-1, 2).bincount(), 'RuntimeError: bincount only supports 1-d non-negative integral inputs.'],
    [() => L(1, 2).bincount({ minlength: -1 }), 'RuntimeError: minlength should be >= 0'],
    [() => x.histc(0), 'RuntimeError: torch.histogram(): bins must be > 0, but got 0 for dimension 0'],
    [() => x.histc(3, 2, 1), 'RuntimeError: torch.histc: max must be larger than min'],
    [() => torch.bucketize(x, x), 'RuntimeError: boundaries tensor must be 1 dimension, but got dim(2)'],
    [
      () => torch.searchsorted(x, 1.5),
      "RuntimeError: torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, but we got boundaries tensor dim(2) and input value's dim(0) numel(1)",
    ],
    [
      () => torch.searchsorted(one, 1.5, { side: 'foo' }),
      "RuntimeError: torch.searchsorted(): side can only be 'left' or 'right' but got foo",
    ],
  ],
  order: [
    [() => x.sort(5), 'IndexError: Dimension out of range (expected to be in range of [-2, 1], but got 5)'],
    [() => x.topk(4), 'RuntimeError: selected index k out of range'],
    [() => x.gt(0).topk(1), 'RuntimeError: "topk_cpu" not implemented for \'Bool\''],
    [() => x.kthvalue(4), 'RuntimeError: kthvalue(): selected number k out of range for dimension 1'],
    [
      () => torch.empty(2, 0).median(1),
      'IndexError: median(): Expected reduction dim 1 to have non-zero size.',
    ],
    [() => torch.empty(2, 0).mode(), 'IndexError: mode(): Expected reduction dim 1 to have non-zero size.'],
    [() => x.quantile(2), 'RuntimeError: quantile() q must be in the range [0, 1] but got 2'],
    [() => L(1).quantile(0.5), 'RuntimeError: quantile() input tensor must be either float or double dtype'],
    [
      () => x.quantile(0.5, { interpolation: 'foo' }),
      'RuntimeError: quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, but got foo',
    ],
    [
      () => torch.unique(torch.empty(0, 2), { dim: 1 }),
      "RuntimeError: There are 0 sized dimensions, and they aren't selected, so unique cannot be applied",
    ],
  ],
  views_of_several: [
    [
      () => x.clone().requires_grad_().mul(1).split(1)[0]!.add_(1),
      'RuntimeError: Output 0 of SplitBackward0 is a view and is being modified inplace. This view is the output of a function that returns multiple views. Such functions do not allow the output views to be modified inplace. You should replace the inplace operation by an out-of-place one.',
    ],
  ],
}

describe.each(Object.entries(errors))('%s', (_, rows) => {
  test.each(rows)('%s', (call, message) => {
    const before = x.tolist()
    let got = 'no error'
    try {
      call()
    } catch (error) {
      got = `${(error as Error).name}: ${(error as Error).message}`
    }
    expect(got).toBe(message)
    expect(x.tolist()).toEqual(before)
  })
})
