// The child that computes with tstorch, on the device that TSTORCH_CPU names. Arguments: threads, and `smoke` or `full`.
import * as torch from '../../src/index.ts'
import { serve } from './serve.ts'
import { full_scale, smoke_scale } from './table.ts'
import { workloads } from './workloads/index.ts'

const [threads, scale] = process.argv.slice(2)
torch.set_num_threads(Number(threads))
await serve(
  `tstorch, ${torch.get_num_threads()} threads`,
  workloads.map(w => w.name),
  name => {
    torch.manual_seed(0)
    return workloads.find(w => w.name === name)?.make(scale === 'smoke' ? smoke_scale : full_scale)
  },
)
