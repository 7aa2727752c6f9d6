// Named tuples: what ops with several results return. An array whose elements also have names.
// Not here: how tensors print (tensor/print.ts).

/** The results of an op, by position and by name. */
export type Named<T, K extends string> = T[] & { readonly [name in K]: T }

/** An array of `fields` in their order that prints as `torch.return_types.<op>(...)`. */
export function named_tuple<T, K extends string>(
  op: string,
  fields: { readonly [name in K]: T },
): Named<T, K> {
  const names = Object.keys(fields) as K[]
  const tuple = names.map(name => fields[name])
  const text = (): string =>
    `torch.return_types.${op}(\n${names.map(n => `${n}=${String(fields[n])}`).join(',\n')})`
  for (const [i, name] of names.entries()) Object.defineProperty(tuple, name, { get: () => tuple[i] })
  Object.defineProperty(tuple, 'toString', { value: text })
  Object.defineProperty(tuple, Symbol.for('nodejs.util.inspect.custom'), { value: text })
  return tuple as Named<T, K>
}
