// torch.linalg.qr. Not here: the decomposition (qr_kernels.ts), the main namespace's (main/qr.ts).
import { RuntimeError } from '../../base/errors.ts'
import type { Tensor } from '../../tensor/tensor.ts'
import { type Op, op } from '../define/op.ts'
import { decompose, gradient, type QR } from './qr_kernels.ts'

export type Mode = 'reduced' | 'complete' | 'r'

type QrOptions = { mode?: Mode; out?: readonly Tensor[] }

/** The QR decomposition of matrices: `mode` 'reduced', 'complete' or 'r' (R alone). */
export const qr: Op<[A: Tensor, mode?: Mode | QrOptions, opts?: QrOptions], QR> = op(
  "linalg_qr(Tensor A, str mode='reduced')",
  {
    forward(A: Tensor, mode: Mode) {
      if (!['reduced', 'complete', 'r'].includes(mode))
        throw new RuntimeError(
          `qr received unrecognized mode '${mode}' but expected one of 'reduced' (default), 'r', or 'complete'`,
        )
      return decompose('linalg_qr', A, mode)
    },
    saves: ['out'],
    backward: { A: (g, [, mode], out) => gradient(g, mode, out) },
  },
)
