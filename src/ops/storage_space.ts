// `torch.storage`: the namespace.
export { TypedStorage, UntypedStorage } from './storages.ts'
