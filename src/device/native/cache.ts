// Compiled libraries on disk, by the hash of everything that went into them. Files appear complete or not at all
// (written under another name, then renamed), and end in a checksum, so that several processes may compile the same
// thing at once and a damaged file is compiled again. Not here: how a library is compiled (compiler.ts).
import { env } from '../../base/flags.ts'
import { builtin, type Koffi, koffi } from './node.ts'

/** A loaded library. */
export type Library = ReturnType<Koffi['load']>

let directory: string | undefined

/** $TSTORCH_CACHE, else tstorch in the user's cache directory, else (if that cannot be written) one of this process. */
export function cache_directory(): string {
  if (directory !== undefined) return directory
  const [fs, os, path] = [builtin('node:fs'), builtin('node:os'), builtin('node:path')]
  const base = env('XDG_CACHE_HOME') || path.join(os.homedir(), '.cache')
  const wanted = env('TSTORCH_CACHE') || path.join(base, 'tstorch')
  try {
    fs.mkdirSync(wanted, { recursive: true, mode: 0o700 })
    fs.accessSync(wanted, fs.constants.W_OK)
    directory = wanted
  } catch {
    const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'tstorch-'))
    process.on('exit', () => fs.rmSync(temporary, { recursive: true, force: true }))
    directory = temporary
  }
  return directory
}

/** A name for contents: 32 hexadecimal digits of their SHA-256. */
export function content_hash(...contents: readonly string[]): string {
  const hash = builtin('node:crypto').createHash('sha256')
  for (const text of contents) hash.update(`${text.length}:`).update(text)
  return hash.digest('hex').slice(0, 32)
}

export const library_path = (name: string): string =>
  builtin('node:path').join(cache_directory(), `${name}.so`)

let temporaries = 0
/** A file name in the cache directory that no other process uses. */
export const temporary_path = (): string =>
  builtin('node:path').join(cache_directory(), `${process.pid}-${Date.now()}-${temporaries++}.tmp`)

/** Writes a file that other processes see complete or not at all. */
export function write_atomically(path: string, contents: string): void {
  const fs = builtin('node:fs')
  const temporary = temporary_path()
  fs.writeFileSync(temporary, contents)
  fs.renameSync(temporary, path)
}

const CHECKSUM_BYTES = 32
const checksum = (bytes: Uint8Array): Buffer =>
  builtin('node:crypto').createHash('sha256').update(bytes).digest()

/** Seals a new library with its checksum and gives it its names. Loaders ignore what follows a library's end. */
export function publish(temporary: string, names: readonly string[]): void {
  const fs = builtin('node:fs')
  fs.appendFileSync(temporary, checksum(fs.readFileSync(temporary)))
  for (const name of names) {
    const link = temporary_path()
    try {
      fs.linkSync(temporary, link)
    } catch {
      fs.copyFileSync(temporary, link) // a file system without hard links
    }
    fs.renameSync(link, library_path(name))
  }
  fs.unlinkSync(temporary)
}

/** The library of that name if it is there and sound. A truncated one would crash the process when touched. */
export function load_published(name: string): Library | undefined {
  const fs = builtin('node:fs')
  const path = library_path(name)
  try {
    const bytes = fs.readFileSync(path)
    const end = bytes.length - CHECKSUM_BYTES
    if (end <= 0 || !checksum(bytes.subarray(0, end)).equals(bytes.subarray(end))) return undefined
    return koffi().load(path)
  } catch {
    return undefined // not there, not readable, or not loadable here
  }
}

/** The library of that name, made by `compile` where it is missing or damaged. */
export function load_library(name: string, compile: (path: string) => void): Library {
  const published = load_published(name)
  if (published) return published
  const temporary = temporary_path()
  compile(temporary)
  publish(temporary, [name])
  return koffi().load(library_path(name))
}
