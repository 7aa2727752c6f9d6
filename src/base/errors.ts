/**
 * The error classes that PyTorch raises, as subclasses of Error named as in Python.
 *
 * Python's TypeError is JavaScript's own global TypeError: throw that one. The name is put on each prototype, not
 * on the instances, so that a stack trace opens with it and it survives minification.
 */

function named(cls: { readonly prototype: Error }, name: string): void {
  Object.defineProperty(cls.prototype, 'name', { value: name, writable: true, configurable: true })
}

/** What PyTorch raises when an operation cannot be done: shapes, dtypes or devices that do not fit, and most else. */
export class RuntimeError extends Error {
  static {
    named(RuntimeError, 'RuntimeError')
  }
}

/** An index or a dimension out of range. */
export class IndexError extends Error {
  static {
    named(IndexError, 'IndexError')
  }
}

/** An argument of the right type with a value that cannot be used. */
export class ValueError extends Error {
  static {
    named(ValueError, 'ValueError')
  }
}

/** Something that is not there yet, or that a subclass has to provide. */
export class NotImplementedError extends RuntimeError {
  static {
    named(NotImplementedError, 'NotImplementedError')
  }
}

/** An attribute that the object does not have. */
export class AttributeError extends Error {
  static {
    named(AttributeError, 'AttributeError')
  }
}

/** A key that a mapping does not have. */
export class KeyError extends Error {
  static {
    named(KeyError, 'KeyError')
  }
}

/** An assertion that failed. */
export class AssertionError extends Error {
  static {
    named(AssertionError, 'AssertionError')
  }
}

/** Memory that could not be had. */
export class OutOfMemoryError extends RuntimeError {
  static {
    named(OutOfMemoryError, 'OutOfMemoryError')
  }
}
