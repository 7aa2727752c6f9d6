// torch.autograd: the namespace, with what is made of transforms.
export * from '../autograd/index.ts'
export * as forward_ad from './forward_ad.ts'
export * as functional from './functional.ts'
