"""Writes names.json: the public names of PyTorch's namespaces, a line a namespace.

    python3 -P test/data/names/make.py

Made with torch 1.13.1. A name is public if it has no leading underscore (operators of Tensor have two) and either stands
in the namespace's __all__, or is of PyTorch's making: what modules import for themselves (warnings, Optional) is left out.
"""
import enum
import importlib
import json
import pathlib
import types

import torch

# Our name, PyTorch's module, and where the things that are not in its __all__ are defined.
NAMESPACES = [
    ('torch', 'torch', 'torch'),
    ('nn', 'torch.nn', 'torch.nn'),
    ('nn.functional', 'torch.nn.functional', 'torch.nn.functional'),
    ('nn.init', 'torch.nn.init', 'torch.nn.init'),
    ('nn.utils', 'torch.nn.utils', 'torch.nn.utils'),
    ('nn.utils.rnn', 'torch.nn.utils.rnn', '-'),
    ('nn.utils.parametrize', 'torch.nn.utils.parametrize', '-'),
    ('nn.utils.parametrizations', 'torch.nn.utils.parametrizations', '-'),
    ('nn.utils.prune', 'torch.nn.utils.prune', 'torch.nn.utils.prune'),
    ('nn.utils.stateless', 'torch.nn.utils.stateless', '-'),
    ('optim', 'torch.optim', 'torch.optim'),
    ('optim.lr_scheduler', 'torch.optim.lr_scheduler', 'torch.optim.lr_scheduler'),
    ('optim.swa_utils', 'torch.optim.swa_utils', '-'),
    ('linalg', 'torch.linalg', 'torch.linalg'),
    ('fft', 'torch.fft', 'torch.fft'),
    ('special', 'torch.special', 'torch.special'),
    ('distributions', 'torch.distributions', '-'),
    ('distributions.constraints', 'torch.distributions.constraints', '-'),
    ('autograd', 'torch.autograd', 'torch.autograd'),
    ('autograd.functional', 'torch.autograd.functional', 'torch.autograd.functional'),
    ('autograd.forward_ad', 'torch.autograd.forward_ad', 'torch.autograd.forward_ad'),
    ('autograd.graph', 'torch.autograd.graph', '-'),
    ('func', 'functorch', 'functorch'),
    ('masked', 'torch.masked', 'torch.masked'),
    ('random', 'torch.random', 'torch.random'),
    ('testing', 'torch.testing', 'torch.testing'),
]
# Submodules are names where a user writes them; the others only hold what their package shows already.
SUBMODULES = {
    'torch': 'amp ao autograd backends cpu cuda distributed distributions fft func futures fx hub jit linalg library masked '
    'multiprocessing nested nn onnx optim overrides package profiler quantization random sparse special storage testing utils',
    'nn': 'functional init intrinsic parallel parameter qat quantizable quantized utils',
    'nn.utils': 'parametrizations parametrize prune rnn stateless',
    'optim': 'lr_scheduler swa_utils',
    'distributions': 'constraints kl transforms',
    'autograd': 'forward_ad functional graph profiler',
}
# Left over from the running of PyTorch's own modules: loop variables, decorators, notes for its documentation.
LEFT_OVER = set(
    'attr candidate name obj classproperty get_file_path prepare_multiprocessing_environment PRIVATE_OPS LoggerBase '
    'USE_GLOBAL_DEPS USE_RTLD_GLOBAL_WITH_LIBTORCH TYPE_CHECKING Set factory_kwargs assert_int_or_pair boolean_dispatch '
    'common_notes common_args factory_common_args multi_dim_common reproducibility_notes sparse_support_notes tf32_notes '
    'EPOCH_DEPRECATION_WARNING GRID_SAMPLE_INTERPOLATION_MODES GRID_SAMPLE_PADDING_MODES handle_torch_function '
    'has_torch_function has_torch_function_unary has_torch_function_variadic is_tensor_like PackedSequence_ bind bisect_right'.split()
)
CONSTANTS = (torch.dtype, torch.layout, torch.memory_format, torch.qscheme, torch.Generator)


def public(space, module, home):
    chosen = set(getattr(module, '__all__', []))
    for name in dir(module):
        thing = getattr(module, name)
        origin = getattr(thing, '__module__', None) or ''
        if isinstance(thing, types.ModuleType):
            continue
        if home == '-':
            ours = not hasattr(module, '__all__') and origin == module.__name__
        else:
            bound = isinstance(thing, types.BuiltinFunctionType) and not name.startswith('has_torch')
            ours = bound or origin.startswith(home) or isinstance(thing, CONSTANTS)
        if ours and not isinstance(thing, enum.EnumMeta):
            chosen.add(name)
    if space != 'torch':
        chosen -= {'Tensor', 'inf'}
    if space == 'linalg':
        chosen.add('LinAlgError')
    chosen |= set(SUBMODULES.get(space, '').split())
    return sorted(n for n in chosen if not n.startswith('_') and n not in LEFT_OVER)


def of_tensor():
    plain = [n for n in dir(torch.Tensor) if not n.startswith('_')]
    inherited = set(dir(type('Empty', (), {}))) - set('__eq__ __ge__ __gt__ __le__ __lt__ __ne__ __repr__ __format__'.split())
    operators = [n for n in dir(torch.Tensor) if n.startswith('__') and n not in inherited]
    return sorted(plain) + sorted(operators)


names = {}
for space, path, home in NAMESPACES:
    names[space] = public(space, importlib.import_module(path), home)
    if space == 'torch':
        names['Tensor'] = of_tensor()
lines = [f'{json.dumps(space)}: {json.dumps(list_)}' for space, list_ in names.items()]
text = '{\n' + ',\n'.join(lines) + '\n}\n'
pathlib.Path(__file__).with_name('names.json').write_text(text)
print({space: len(list_) for space, list_ in names.items()})
