// Where Node enters the package: runs index.cjs, which is index.js as a script, with what V8 compiled of it the last time.
// Otherwise V8 would read and compile the text in every process, which takes longer than running it. What it compiled is
// kept in the user's cache folder; where that cannot be written, or another Node comes, only time is lost. The build adds
// the exports (rolldown.config.ts). Not here: tstorch itself. Browsers and bundlers take index.js.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'
import { content_hash, keep, recall } from './device/native/cache.ts'

type Namespace = Readonly<Record<string, unknown>>

function run(file: string): Namespace {
  const bytes = readFileSync(file)
  const name = `code_${content_hash(bytes, process.version, process.arch)}.bin`
  const cachedData = recall(name)
  const script = new Script(`(function (module, __filename) {\n${bytes.toString('latin1')}\n})`, {
    filename: 'tstorch/index.cjs', // V8 keeps it with the rest, for whichever folder the package is in
    lineOffset: -1,
    ...(cachedData && { cachedData }),
  })
  const module: { exports: Namespace } = { exports: {} }
  script.runInThisContext()(module, file)
  if (script.cachedDataRejected !== false) keep_compiled(name, script)
  return module.exports
}

/** Keeps what importing has compiled, and then what the program's first turn has compiled as well. */
function keep_compiled(name: string, script: Script): void {
  const imported = script.createCachedData()
  keep(name, imported)
  setImmediate(() => {
    const used = script.createCachedData()
    if (used.length > imported.length) keep(name, used) // after a long turn V8 has dropped most of it
  })
}

const file = fileURLToPath(new URL('index.cjs', import.meta.url))
/** Node's own loader reads the file for what run cannot: old Nodes, and stack traces that show the sources. */
const plain = process.getBuiltinModule === undefined || process.sourceMapsEnabled

/** What index.ts exports. */
export const torch: Namespace = plain ? createRequire(file)(file) : run(file)
