// A run of scripts/memory.ts: prints by how many KB a workload's steps raise the peak of the resident set.
// Arguments: the workload's name and the number of steps. Not here: the workloads (workloads/).
import { readFileSync } from 'node:fs'
import * as torch from '../../src/index.ts'
import { full_scale } from './table.ts'
import { workloads } from './workloads/index.ts'

const peak = (): number => Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))![1])

const [name, steps] = process.argv.slice(2)
torch.set_num_threads(2)
torch.tensor([1, 2]).add(1) // the device is up
const before = peak()
torch.manual_seed(0)
const step = workloads.find(w => w.name === name)!.make(full_scale)
for (let i = 0; i < Number(steps); i++) step()
console.log(peak() - before)
