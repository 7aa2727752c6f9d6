// The child that computes with TensorFlow.js on its WebAssembly backend. Arguments: threads, and `smoke` or `full`.
// Most of this file is about threads: the backend has them, but starts its workers from blobs, which Node cannot. Its
// worker has a branch for Node all the same, so here it gets workers that Node can start.
// Not here: the workloads (tfjs_rows.ts).
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { getThreadsCount, setThreadsCount, version_wasm } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { require as require_module } from 'tsx/cjs/api'
import { serve } from './serve.ts'
import { full_scale, smoke_scale } from './table.ts'
import { rows } from './tfjs_rows.ts'

const require = createRequire(import.meta.url)
const threads = Number(process.argv[2])
const scale = process.argv[3] === 'smoke' ? smoke_scale : full_scale

/** Makes the backend start `count` threads: `tf.env()` says for Node that there are none. */
function use_threads(count: number): void {
  const folder = dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json'))
  const script = join(folder, 'wasm-out/tfjs-backend-wasm-threaded-simd.js')
  const { wasmWorkerContents } = require(script.replace(/js$/, 'worker.js')) as { wasmWorkerContents: string }
  // The page escapes line ends for the blob that it would make.
  const source = wasmWorkerContents.replaceAll('\n', '\\n')
  // The backend takes these from CommonJS, where a module's exports can be replaced.
  const worker_threads = require('node:worker_threads') as {
    Worker: typeof import('node:worker_threads').Worker
  }
  worker_threads.Worker = class extends worker_threads.Worker {
    constructor() {
      super(source, { eval: true })
    }
    override postMessage(message: { cmd: string }): void {
      super.postMessage(message.cmd === 'load' ? { ...message, urlOrBlob: script } : message)
    }
  }
  // It uses at most half of the logical cores that it sees.
  const os = require('node:os') as { cpus: () => unknown[] }
  os.cpus = () => new Array(2 * count)
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', true)
  setThreadsCount(count)
}

// The gradients come as ES modules in a form that bundlers take and Node does not. They go into the registry that all
// copies of the library share.
require_module('@tensorflow/tfjs-core/dist/register_all_gradients.js', import.meta.url)
if (threads > 1) use_threads(threads)
await tf.setBackend('wasm')
await tf.ready()
// Its threads arrive when the event loop turns.
await sleep(200)

await serve(
  `TensorFlow.js ${version_wasm}, WebAssembly, ${getThreadsCount()} threads`,
  Object.keys(rows),
  name => {
    const row = rows[name]
    return typeof row === 'function' ? row(scale) : row
  },
)
process.exit()
