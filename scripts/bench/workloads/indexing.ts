// Moving data: sorting, gathering, joining, copying.
import * as torch from '../../../src/index.ts'
import { group, K, M, type Workload } from '../table.ts'

export const indexing: Workload[] = group('sorting, indexing, copying', {
  'sort 64K': n => {
    const x = torch.randn(n(64 * K))
    return () => x.sort()
  },
  'sort over dim 1 [1024, 256]': n => {
    const x = torch.randn(n(1024), n(256))
    return () => x.sort(1)
  },
  'topk 10 of [64, 4096]': n => {
    const x = torch.randn(n(64), n(4096))
    return () => x.topk(n(10), 1)
  },
  'gather over dim 1 [1024, 1024]': {
    bytes: 16 * M,
    make: n => {
      const x = torch.randn(n(1024), n(1024))
      const at = torch.randint(0, n(1024), [n(1024), n(1024)])
      return () => x.gather(1, at)
    },
  },
  'index_select 4096 of [10000, 128]': {
    bytes: 8 * 4096 * 128,
    make: n => {
      const x = torch.randn(n(10000), n(128))
      const at = torch.randint(0, n(10000), [n(4096)])
      return () => x.index_select(0, at)
    },
  },
  'x[mask] 1M': n => {
    const x = torch.randn(n(M))
    const mask = x.gt(0)
    return () => x.at(mask)
  },
  'cat 2 of [512, 1024]': {
    bytes: 8 * M,
    make: n => {
      const [x, y] = [torch.randn(n(512), n(1024)), torch.randn(n(512), n(1024))]
      return () => torch.cat([x, y])
    },
  },
  'cat 2 of [1024, 512] over dim 1': {
    bytes: 8 * M,
    make: n => {
      const [x, y] = [torch.randn(n(1024), n(512)), torch.randn(n(1024), n(512))]
      return () => torch.cat([x, y], 1)
    },
  },
  'contiguous of a transpose [1024, 1024]': {
    bytes: 8 * M,
    make: n => {
      const x = torch.randn(n(1024), n(1024))
      return () => x.t().contiguous()
    },
  },
  'contiguous of permute(0, 2, 1, 3) [16, 64, 8, 128]': {
    bytes: 8 * M,
    make: n => {
      const x = torch.randn(n(16), n(64), n(8), n(128))
      return () => x.permute(0, 2, 1, 3).contiguous()
    },
  },
  'embedding 2048 of [10000, 128]': {
    bytes: 8 * 2048 * 128,
    make: n => {
      const w = torch.randn(n(10000), n(128))
      const at = torch.randint(0, n(10000), [n(2048)])
      return () => torch.nn.functional.embedding(at, w)
    },
  },
  'embedding, forward and backward': n => {
    const w = torch.randn(n(10000), n(128), { requires_grad: true })
    const at = torch.randint(0, n(10000), [n(2048)])
    const g = torch.randn(n(2048), n(128))
    return () => torch.autograd.grad([torch.nn.functional.embedding(at, w)], [w], [g])
  },
})
