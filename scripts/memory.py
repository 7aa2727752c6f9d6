# The other side of scripts/memory.ts: prints by how many KB a workload's steps raise the peak of the resident set.
# Arguments: the workload's name and the number of steps.
import pathlib
import re
import sys

name, steps = sys.argv[1], int(sys.argv[2])
sys.argv[1:] = ["2", "full"]
sys.path.insert(0, str(pathlib.Path(__file__).parent / "bench"))

import torch

import pytorch


def peak() -> int:
    return int(re.search(r"VmHWM:\s*(\d+)", pathlib.Path("/proc/self/status").read_text())[1])


torch.set_num_threads(2)
torch.tensor([1, 2]).add(1)
before = peak()
torch.manual_seed(0)
step = pytorch.TABLE[name]()
for _ in range(steps):
    step()
print(peak() - before)
