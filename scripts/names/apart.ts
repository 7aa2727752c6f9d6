// The names of PyTorch that are not counted, each with the reason: what has no meaning in TypeScript, or belongs to a part of
// PyTorch that tstorch does not have. A name that a user of dense tensors on the CPU would type is never listed here.

/** Names of some namespaces ('*' for all) and why they are not counted. In a name, * stands for anything. */
export interface Apart {
  readonly reason: string
  readonly spaces: readonly string[]
  readonly names: string
}

const jit_types =
  'AggregationType AVG SUM AliasDb AnyType Argument ArgumentSpec BenchmarkConfig BenchmarkExecutionStats Block BoolType ' +
  'BufferDict CONV_BN_FUSION CallStack Capsule ClassType Code CompilationUnit CompleteArgumentSpec ComplexType ' +
  'ConcreteModuleType ConcreteModuleTypeBuilder DeepCopyMemoTable DeserializationStorageContext DeviceObjType DictType ' +
  'EnumType ErrorReport ExecutionPlan FUSE_ADD_RELU FatalError FileCheck FloatType FunctionSchema Future FutureType ' +
  'Gradient Graph GraphExecutorState HOIST_CONV_PACKED_PARAMS INSERT_FOLD_PREPACK_OPS IODescriptor InferredType IntType ' +
  'InterfaceType JITException ListType LiteScriptModule LockingLogger MobileOptimizerType ModuleDict Node NoneType ' +
  'NoopLogger NumberType OperatorInfo OptionalType ParameterDict PyObjectType PyTorchFileReader PyTorchFileWriter ' +
  'REMOVE_DROPOUT RRefType Script* SerializationStorageContext StaticModule StreamObjType StringType SymFloatNode ' +
  'SymIntNode SymIntType Tag TensorType ThroughputBenchmark TracingState TupleType Type UnionType Use Value cpp fork ' +
  'import_ir_module* merge_type_from_type_comment parse_ir parse_schema parse_type_comment unify_type_list wait jit onnx'

export const apart: readonly Apart[] = [
  {
    reason: 'TorchScript, ONNX and their bindings: there is no second language to compile to',
    spaces: ['torch'],
    names: jit_types,
  },
  {
    reason: "internals of PyTorch's dispatcher and build, and what instruments them",
    spaces: ['torch'],
    names:
      'DispatchKey DispatchKeySet ExcludeDispatchKeyGuard DisableTorchFunction compiled_with_cxx11_abi init_num_threads ' +
      'library read_vitals set_vital vitals_enabled overrides StorageBase',
  },
  {
    reason: 'other processes and machines: multiprocessing, futures, distributed data',
    spaces: ['torch', 'Tensor', 'nn'],
    names: 'distributed futures multiprocessing is_distributed parallel DataParallel',
  },
  {
    reason: "packaging and program transformation of Python's code: fx, package, hub, classes of Python",
    spaces: ['torch', 'nn', 'func', 'Tensor'],
    names: 'fx package hub FunctionalModule FunctionalModuleWithBuffers functionalize as_subclass',
  },
  {
    reason:
      'older names of functorch, for which PyTorch 2 has functional_call and stack_module_state, as we do',
    spaces: ['func'],
    names: 'make_functional make_functional_with_buffers combine_state_for_ensemble',
  },
  {
    reason: 'GPUs and other devices: only the CPU is there',
    spaces: ['torch', 'Tensor'],
    names:
      'Stream cudnn_* miopen_* batch_norm_backward_elemt batch_norm_backward_reduce batch_norm_elemt ' +
      'batch_norm_gather_stats batch_norm_gather_stats_with_counts batch_norm_stats batch_norm_update_stats ' +
      'get_autocast_gpu_dtype set_autocast_gpu_dtype ipu xpu record_stream is_vulkan_available __cuda_array_interface__',
  },
  {
    reason: 'MKL-DNN and other libraries as ops of their own',
    spaces: ['torch', 'Tensor'],
    names: 'mkldnn_* to_mkldnn fbgemm_*',
  },
  {
    reason: 'quantised tensors',
    spaces: ['torch', 'Tensor', 'nn'],
    names:
      'ao choose_qparams_optimized dequantize empty_quantized fake_quantize_* fused_moving_avg_obs_fake_quant int_repr ' +
      'per_channel_* per_tensor_* q_* qint* quint* qscheme quantization quantize_* quantized_* QInt* QUInt* intrinsic qat ' +
      'quantizable quantized',
  },
  {
    reason: 'sparse tensors',
    spaces: ['torch', 'Tensor'],
    names:
      'sparse sparse_* native_norm *_indices_copy indices_copy values_copy dsmm hsmm hspmm smm spmm saddmm sspaddmm ccol_indices ' +
      'col_indices crow_indices row_indices indices values coalesce is_coalesced dense_dim resize_as_sparse_ ' +
      'to_sparse to_sparse_*',
  },
  {
    reason:
      'tensors with a mask of their own (a prototype in 1.13); the functions of torch.masked take masks',
    spaces: ['masked'],
    names: 'MaskedTensor as_masked_tensor is_masked_tensor masked_tensor',
  },
  { reason: 'nested tensors', spaces: ['torch', 'Tensor'], names: 'nested to_padded_tensor' },
  {
    reason: 'named tensors (a prototype that PyTorch gave up)',
    spaces: ['torch', 'Tensor'],
    names: 'align_tensors align_as align_to has_names name names refine_names rename rename_',
  },
  {
    reason:
      "memory of other Python libraries and of other processes: NumPy's protocol, DLPack, files mapped to memory",
    spaces: ['torch', 'Tensor'],
    names:
      'from_dlpack to_dlpack __dlpack__ __dlpack_device__ __array__ __array_priority__ __array_wrap__ from_file',
  },
  {
    reason: "protocols of Python's: pickling, copying, overriding",
    spaces: ['Tensor'],
    names:
      '__setstate__ __deepcopy__ __torch_dispatch__ __torch_function__ __delitem__ __format__ __index__ __long__',
  },
  {
    reason: 'serialization: not there yet',
    spaces: ['torch'],
    names: 'load save',
  },
  {
    reason: 'profiling (the tools of JavaScript do that)',
    spaces: ['torch', 'autograd'],
    names: 'profiler kineto_available',
  },
  {
    reason: 'removed from PyTorch or without any effect there: throws or does nothing in 1.13',
    spaces: ['torch', 'Tensor', 'autograd'],
    names:
      'eig lstsq matrix_rank solve legacy_contiguous_format reinforce volatile variable NestedIOFunction grad_mode',
  },
  {
    reason: 'helpers of the tests of PyTorch itself, deprecated since 1.12',
    spaces: ['testing'],
    names: 'all_types* complex_types double_types empty_types floating_* get_all_* integral_types*',
  },
]

/**
 * Python's operators and what stands for them: a method, or a protocol of JavaScript. Reflected operators (`2 - x`) and
 * in-place ones (`x -= y`) are `torch.rsub(x, 2)` or `torch.sub(2, x)`, and `x.sub_(y)`.
 */
export const operators: Readonly<Record<string, string>> = {
  __abs__: 'abs',
  __add__: 'add',
  __and__: 'bitwise_and',
  __bool__: 'is_nonzero',
  __complex__: 'item',
  __contains__: 'eq',
  __div__: 'div',
  __eq__: 'eq',
  __float__: 'item',
  __floordiv__: 'floor_divide',
  __ge__: 'ge',
  __getitem__: 'at',
  __gt__: 'gt',
  __iadd__: 'add_',
  __iand__: 'bitwise_and_',
  __idiv__: 'div_',
  __ifloordiv__: 'floor_divide_',
  __ilshift__: 'bitwise_left_shift_',
  __imod__: 'remainder_',
  __imul__: 'mul_',
  __int__: 'item',
  __invert__: 'bitwise_not',
  __ior__: 'bitwise_or_',
  __ipow__: 'pow_',
  __irshift__: 'bitwise_right_shift_',
  __isub__: 'sub_',
  __iter__: 'Symbol.iterator',
  __itruediv__: 'true_divide_',
  __ixor__: 'bitwise_xor_',
  __le__: 'le',
  __len__: 'length',
  __lshift__: 'bitwise_left_shift',
  __lt__: 'lt',
  __matmul__: 'matmul',
  __mod__: 'remainder',
  __mul__: 'mul',
  __ne__: 'ne',
  __neg__: 'neg',
  __nonzero__: 'is_nonzero',
  __or__: 'bitwise_or',
  __pos__: 'positive',
  __pow__: 'pow',
  __radd__: 'add',
  __rand__: 'bitwise_and',
  __rdiv__: 'div',
  __repr__: 'toString',
  __reversed__: 'flip',
  __rfloordiv__: 'floor_divide',
  __rlshift__: 'bitwise_left_shift',
  __rmatmul__: 'matmul',
  __rmod__: 'remainder',
  __rmul__: 'mul',
  __ror__: 'bitwise_or',
  __rpow__: 'pow',
  __rrshift__: 'bitwise_right_shift',
  __rshift__: 'bitwise_right_shift',
  __rsub__: 'rsub',
  __rtruediv__: 'true_divide',
  __rxor__: 'bitwise_xor',
  __setitem__: 'index_put_',
  __sub__: 'sub',
  __truediv__: 'true_divide',
  __xor__: 'bitwise_xor',
}
