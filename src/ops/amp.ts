// `torch.amp`. Not here: autocast itself.
export { autocast } from './autocast.ts'
