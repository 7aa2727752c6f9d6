// All the workloads, in the order of the table.
import type { Workload } from '../table.ts'
import { attention } from './attention.ts'
import { convolution } from './convolution.ts'
import { eager } from './eager.ts'
import { elementwise } from './elementwise.ts'
import { indexing } from './indexing.ts'
import { matmul } from './matmul.ts'
import { normalisation } from './normalisation.ts'
import { random } from './random.ts'
import { recurrent } from './recurrent.ts'
import { reduction } from './reduction.ts'
import { training } from './training.ts'

export const workloads: readonly Workload[] = [
  ...eager,
  ...elementwise,
  ...reduction,
  ...normalisation,
  ...matmul,
  ...indexing,
  ...convolution,
  ...attention,
  ...recurrent,
  ...random,
  ...training,
]
