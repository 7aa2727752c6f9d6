// Classes that are made with or without `new`, as users of Python are used to. Not here: callable instances.

type Constructor = new (...args: never) => object

/** A class that can also be called: `SGD(params)` is `new SGD(params)`. */
export type Callable<C extends Constructor> = C & ((...args: ConstructorParameters<C>) => InstanceType<C>)

/** The class, callable. It is what its instances name as their constructor, and can be extended and tested for. */
export function callable<C extends Constructor>(cls: C): Callable<C> {
  const made = new Proxy(cls, {
    apply: (target, _, args: ConstructorParameters<C>) => Reflect.construct(target, args),
  }) as Callable<C>
  Object.defineProperty(cls.prototype, 'constructor', { value: made })
  return made
}
