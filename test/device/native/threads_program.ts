// What threads.test.ts runs in a process of its own: JavaScript threads that call large kernels at the same time, each
// with a number of threads of its own. Prints what each has counted to.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { float32 } from '../../../src/base/dtype.ts'
import { native_device } from '../../../src/device/native/device.ts'
import { build } from '../../../src/ir/kernel.ts'
import { contents, operand } from './operand.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

function count(num_threads: number): string {
  const device = native_device()
  device.num_threads = num_threads
  collect() // the pool is loaded, and must stay so until its first use
  const run = device.compile(
    build('increment', k => {
      const x = k.inout('x', float32, 'flat')
      k.for(x.sizes[0]!, 'vector', i => k.store(x, [i], x.at(i).add(1)))
    }),
  )
  const x = operand(float32, [300_000])
  for (let i = 0; i < 200; i++) run([x], [])
  return [...new Set(contents(x))].join()
}

if (isMainThread) {
  const counted = [2, 3, 4].map(
    n =>
      new Promise<string>((resolve, reject) => {
        const url = JSON.stringify(import.meta.url)
        const start = `import('tsx/esm/api').then(tsx => tsx.tsImport(${url}, ${url}))`
        const worker = new Worker(start, { eval: true, workerData: n })
        worker.on('message', resolve).on('error', reject)
      }),
  )
  const own = count(2)
  console.log([own, ...(await Promise.all(counted))].join(' '))
  process.exit() // while the pool's threads exist
} else parentPort?.postMessage(count(workerData as number))
