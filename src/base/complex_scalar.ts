// A complex number as a plain value, what Python's `complex` is to PyTorch: items of complex tensors, and operands that
// are no tensors. Not here: arithmetic, which is that of tensors.
import { python_complex } from './format.ts'
import { print_as } from './inspect.ts'

/** A complex number. Immutable; printed as Python prints it, `(1+2j)`. */
export class ComplexScalar {
  readonly real: number
  readonly imag: number

  constructor(real: number, imag: number) {
    this.real = real
    this.imag = imag
    Object.freeze(this)
  }

  /** The number with the opposite imaginary part. */
  conjugate(): ComplexScalar {
    return new ComplexScalar(this.real, -this.imag)
  }

  /** The modulus: Python's `abs(z)`. */
  abs(): number {
    return Math.hypot(this.real, this.imag)
  }

  /** Whether `other` is the same number. */
  equals(other: ComplexScalar | number): boolean {
    const [real, imag] = other instanceof ComplexScalar ? [other.real, other.imag] : [other, 0]
    return this.real === real && this.imag === imag
  }

  toString(): string {
    return python_complex(this.real, this.imag)
  }

  /** Text where text is wanted; there is no real number that it stands for. Throws TypeError. */
  [Symbol.toPrimitive](hint: 'number' | 'string' | 'default'): string {
    if (hint === 'number') throw new TypeError("can't convert complex to float")
    return this.toString()
  }
}

print_as(ComplexScalar, self => self.toString())

/** A complex number as a plain value: Python's `complex(real, imag)`. For tensors see `torch.complex`. */
export const complex_scalar = (real: number, imag = 0): ComplexScalar => new ComplexScalar(real, imag)
