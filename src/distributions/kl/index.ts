// torch.distributions.kl: the divergences that are known, registered as they are loaded, and what asks for them.
import './same.ts'
import './pairs.ts'

export { kl_divergence, register_kl } from './registry.ts'
