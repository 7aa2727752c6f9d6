// What cache.test.ts runs in processes of their own: a few kernels on the native device. Prints their results as JSON.
import { float32 } from '../../../src/base/dtype.ts'
import { native_device } from '../../../src/device/native/device.ts'
import { build, type Kernel } from '../../../src/ir/kernel.ts'
import { contents, operand } from './operand.ts'

const plus = (n: number): Kernel =>
  build(`plus_${n}`, k => {
    const x = k.inout('x', float32, 'flat')
    k.for(x.sizes[0]!, 'vector', i => k.store(x, [i], x.at(i).add(n)))
  })

const kernels = Array.from({ length: Number(process.argv[2]) }, (_, n) => plus(n))
try {
  const device = native_device()
  if (process.argv[3] === 'ahead') await device.compile_all(kernels)
  const x = operand(float32, [3], [1, 2, 3])
  for (const kernel of kernels) device.compile(kernel)([x], [])
  console.log(JSON.stringify(contents(x)))
} catch (error) {
  console.log(`${(error as Error).name}: ${(error as Error).message}`)
}
