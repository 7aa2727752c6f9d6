// Specification of settings and of what says how the library was built: determinism, precision, warnings, torch.cuda and
// torch.backends, anomaly detection as flags. The texts are PyTorch 1.13's.
import { afterEach, describe, expect, test, vi } from 'vitest'
import * as torch from '../../src/index.ts'

afterEach(() => {
  torch.use_deterministic_algorithms(false)
  torch.set_float32_matmul_precision('highest')
  torch.set_warn_always(false)
  torch.set_anomaly_enabled(false)
  vi.restoreAllMocks()
})

describe('determinism', () => {
  test('is a flag with three values', () => {
    expect(torch.are_deterministic_algorithms_enabled()).toBe(false)
    torch.use_deterministic_algorithms(true)
    expect(torch.are_deterministic_algorithms_enabled()).toBe(true)
    expect(torch.get_deterministic_debug_mode()).toBe(2)
    torch.use_deterministic_algorithms(true, { warn_only: true })
    expect(torch.is_deterministic_algorithms_warn_only_enabled()).toBe(true)
    expect(torch.get_deterministic_debug_mode()).toBe(1)
    torch.set_deterministic_debug_mode('default')
    expect(torch.are_deterministic_algorithms_enabled()).toBe(false)
    torch.set_deterministic_debug_mode('error')
    expect(torch.get_deterministic_debug_mode()).toBe(2)
  })

  test('refuses what is no value', () => {
    expect(() => torch.use_deterministic_algorithms(1 as never)).toThrow(
      "_set_deterministic_algorithms(): argument 'mode' (position 1) must be bool, not int",
    )
    expect(() => torch.set_deterministic_debug_mode(3)).toThrow(
      'invalid value of debug_mode, expected 0, 1, or 2, but got 3',
    )
    expect(() => torch.set_deterministic_debug_mode('foo')).toThrow(
      'invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got foo',
    )
  })
})

test('the precision of products is remembered, and what is none is said to be none', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  expect(torch.get_float32_matmul_precision()).toBe('highest')
  torch.set_float32_matmul_precision('medium')
  torch.set_float32_matmul_precision('low')
  expect(torch.get_float32_matmul_precision()).toBe('medium')
  expect(warn.mock.calls.flat().join()).toContain("low is not one of 'highest', 'high', or 'medium'")
})

test('warnings come once, or always', () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  const twice = () => [torch.range(0, 1), torch.range(0, 1)]
  twice()
  expect(warn).toHaveBeenCalledTimes(1)
  torch.set_warn_always(true)
  expect(torch.is_warn_always_enabled()).toBe(true)
  twice()
  expect(warn).toHaveBeenCalledTimes(3)
})

test('there is no GPU, and none of the libraries that PyTorch may have', () => {
  expect(torch.cuda.is_available()).toBe(false)
  expect(torch.cuda.device_count()).toBe(0)
  expect(() => torch.cuda.current_device()).toThrow(torch.AssertionError)
  expect(() => torch.cuda.current_device()).toThrow('Torch not compiled with CUDA enabled')
  expect(torch.backends.mps.is_available() || torch.backends.cuda.is_built()).toBe(false)
  expect(torch.backends.cudnn.version()).toBeNull()
  expect([torch.has_cuda, torch.has_mkl, torch.has_lapack]).toEqual([false, false, true])
  expect(torch.set_flush_denormal(true)).toBe(false)
})

describe('anomaly detection', () => {
  const nan_gradient = () => {
    const x = torch.zeros(1, { requires_grad: true })
    x.sqrt().mul(0).sum().backward()
  }

  test('is switched on for good', () => {
    vi.spyOn(console, 'warn').mockImplementation(() => undefined)
    torch.set_anomaly_enabled(true)
    expect(torch.is_anomaly_enabled()).toBe(true)
    expect(torch.is_anomaly_check_nan_enabled()).toBe(true)
    expect(nan_gradient).toThrow("Function 'SqrtBackward0' returned nan values in its 0th output.")
  })

  test('need not look for NaN', () => {
    torch.set_anomaly_enabled(true, false)
    expect(torch.is_anomaly_check_nan_enabled()).toBe(false)
    expect(nan_gradient).not.toThrow()
  })
})

test('constants, layouts and memory formats print as in PyTorch', () => {
  expect([torch.pi, torch.e, torch.inf, torch.nan]).toEqual([Math.PI, Math.E, Infinity, NaN])
  expect(String(torch.ones(2).layout)).toBe('torch.strided')
  expect(String(torch.channels_last)).toBe('torch.channels_last')
  expect(torch.float32).toBeInstanceOf(torch.dtype)
})

test('a tensor knows what it is not', () => {
  const x = torch.ones(2)
  expect(x.is_cpu).toBe(true)
  expect([x.is_cuda, x.is_sparse, x.is_quantized, x.is_meta, x.is_mps, x.is_nested].some(Boolean)).toBe(false)
})

test('a tensor made in inference mode stays apart from graphs', () => {
  const normal = torch.ones(2)
  const [made, view] = torch.inference_mode(() => [torch.ones(2), normal.view(2)])
  expect([made, made!.detach(), made!.view(2), made!.clone(), view].map(t => t!.is_inference())).toEqual([
    true,
    true,
    true,
    false,
    false,
  ])
  const w = torch.ones(2, { requires_grad: true })
  expect(String(w.add(made!))).toBe('tensor([2., 2.], grad_fn=<AddBackward0>)')
  expect(() => w.mul(made!)).toThrow('Inference tensors cannot be saved for backward.')
  expect(() => made!.requires_grad_()).toThrow(
    'Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.',
  )
  expect(() => made!.add_(1)).toThrow(
    'Inplace update to inference tensor outside InferenceMode is not allowed.',
  )
  expect(torch.inference_mode(() => made!.add_(1)).tolist()).toEqual([2, 2])
})
