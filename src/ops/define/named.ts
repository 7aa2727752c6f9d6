// Named tuples: what ops with several results return. An array whose elements also have names.
// Not here: how tensors print (tensor/print.ts).

/** The results of an op, by position and by name. */
export type Named<T, K extends string> = T[] & { readonly [name in K]: T }

type TupleClass = new () => unknown[]
const classes = new Map<string, TupleClass>()

const text = (x: unknown): string => (Array.isArray(x) ? `(${x.map(String).join(', ')})` : String(x))

/** A class of arrays with getters for the names. What slices and maps of them give are plain arrays. */
function class_of(op: string, names: readonly string[]): TupleClass {
  class Tuple extends Array<unknown> {
    static override get [Symbol.species](): ArrayConstructor {
      return Array
    }
    override toString(): string {
      const fields = names.map((name, i) => `${name}=${text(this[i])}`)
      return op.startsWith('_')
        ? `${op}(${fields.join(', ')})`
        : `torch.return_types.${op}(\n${fields.join(',\n')})`
    }
    [Symbol.for('nodejs.util.inspect.custom')](): string {
      return this.toString()
    }
  }
  names.forEach((name, i) => {
    Object.defineProperty(Tuple.prototype, name, {
      get(this: unknown[]): unknown {
        return this[i]
      },
    })
  })
  return Tuple
}

/**
 * An array of `fields` in their order that prints as `torch.return_types.<op>(...)`, or as a tuple named `op` where that
 * begins with `_`. One op has one set of names.
 */
export function named_tuple<T, K extends string>(
  op: string,
  fields: { readonly [name in K]: T },
): Named<T, K> {
  let tuple_class = classes.get(op)
  if (tuple_class === undefined) classes.set(op, (tuple_class = class_of(op, Object.keys(fields))))
  const tuple = new tuple_class()
  for (const name in fields) tuple.push(fields[name])
  return tuple as Named<T, K>
}
