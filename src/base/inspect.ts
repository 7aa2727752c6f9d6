// What console.log shows of our objects: Node asks for a method under a symbol of its registry. Browsers ignore it.

/** Makes Node print objects of `type` as `text` says. */
export function print_as<T>(type: { readonly prototype: T }, text: (self: T) => string): void {
  Object.defineProperty(type.prototype, Symbol.for('nodejs.util.inspect.custom'), {
    value(this: T) {
      return text(this)
    },
    configurable: true,
  })
}
