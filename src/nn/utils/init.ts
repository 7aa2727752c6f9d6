// nn.utils.skip_init: modules whose parameters nobody has drawn.
import { RuntimeError } from '../../base/errors.ts'
import * as torch from '../../torch.ts'
import { Module } from '../module.ts'

/**
 * `new module_cls(...args)` with parameters and buffers of unspecified contents, for who fills them anyway; no random number is
 * used up.
 */
export function skip_init<A extends readonly unknown[], M extends Module>(
  module_cls: new (...args: A) => M,
  ...args: A
): M {
  if (!(module_cls.prototype instanceof Module))
    throw new RuntimeError(`Expected a Module; got ${String(module_cls)}`)
  const state = torch.random.get_rng_state()
  const made = new module_cls(...args)
  torch.random.set_rng_state(state)
  return made
}
