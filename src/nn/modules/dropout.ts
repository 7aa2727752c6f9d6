// Dropout in its kinds: elements, whole channels, and the one that keeps SELU's mean and variance.
// Not here: what they compute (functional).
import { ValueError } from '../../base/errors.ts'
import type { Tensor } from '../../torch.ts'
import * as F from '../functional/index.ts'
import { Module } from '../module.ts'
import { float, value } from '../repr.ts'
import { reader } from './settings.ts'

const dropout = reader('Dropout(float p=0.5, bool inplace=False)')
type P = number | { p?: number; inplace?: boolean }

abstract class DropoutNd extends Module {
  declare readonly p: number
  declare readonly inplace: boolean

  constructor(p?: P, inplace?: boolean | { inplace?: boolean })
  constructor(...args: readonly unknown[]) {
    super()
    const { p, inplace } = dropout<{ p: number; inplace: boolean }>(args)
    if (p < 0 || p > 1) throw new ValueError(`dropout probability has to be between 0 and 1, but got ${p}`)
    Object.assign(this, { p, inplace })
  }

  override extra_repr(): string {
    return `p=${Number.isInteger(this.p) ? value(this.p) : float(this.p)}, inplace=${value(this.inplace)}`
  }
}

/** In training, zeroes each element with probability `p` and scales the others by 1 / (1 - p). */
export class Dropout extends DropoutNd {
  forward(input: Tensor): Tensor {
    return F.dropout(input, this.p, this.training, this.inplace)
  }
}

/** {@link Dropout} of whole channels of (N, C, L). */
export class Dropout1d extends DropoutNd {
  forward(input: Tensor): Tensor {
    return F.dropout1d(input, this.p, this.training, this.inplace)
  }
}

/** {@link Dropout} of whole channels of (N, C, H, W). */
export class Dropout2d extends DropoutNd {
  forward(input: Tensor): Tensor {
    return F.dropout2d(input, this.p, this.training, this.inplace)
  }
}

/** {@link Dropout} of whole channels of (N, C, D, H, W). */
export class Dropout3d extends DropoutNd {
  forward(input: Tensor): Tensor {
    return F.dropout3d(input, this.p, this.training, this.inplace)
  }
}

/** Dropout to SELU's negative limit, shifted and scaled so that mean and variance stay. */
export class AlphaDropout extends DropoutNd {
  forward(input: Tensor): Tensor {
    return F.alpha_dropout(input, this.p, this.training)
  }
}

/** {@link AlphaDropout} of whole channels. */
export class FeatureAlphaDropout extends DropoutNd {
  forward(input: Tensor): Tensor {
    return F.feature_alpha_dropout(input, this.p, this.training)
  }
}
