// Compiled libraries on disk, by the hash of everything that went into them. Files appear complete or not at all
// (written under another name, then renamed), and end in a checksum, so that several processes may compile the same
// thing at once and a damaged file is compiled again. Not here: how a library is compiled (compiler.ts).
import { env } from '../../base/flags.ts'
import { builtin, type Koffi, koffi } from './node.ts'

/** A loaded library. */
export type Library = ReturnType<Koffi['load']>

let directory: string | undefined

/** $TSTORCH_CACHE, else tstorch in the user's cache directory. */
function lasting_directory(): string {
  const [os, path] = [builtin('node:os'), builtin('node:path')]
  const base = env('XDG_CACHE_HOME') || path.join(os.homedir(), '.cache')
  return env('TSTORCH_CACHE') || path.join(base, 'tstorch')
}

/** The directory that lasts, or (if that cannot be written) one of this process. */
export function cache_directory(): string {
  if (directory !== undefined) return directory
  const [fs, os, path] = [builtin('node:fs'), builtin('node:os'), builtin('node:path')]
  const wanted = lasting_directory()
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
export function content_hash(...contents: readonly (string | Uint8Array)[]): string {
  const hash = builtin('node:crypto').createHash('sha256')
  for (const part of contents) hash.update(`${part.length}:`).update(part)
  return hash.digest('hex').slice(0, 32)
}

export const library_path = (name: string): string =>
  builtin('node:path').join(cache_directory(), `${name}.so`)

let temporaries = 0
/** A file name in the cache directory that no other process uses. */
export const temporary_path = (folder: string = cache_directory()): string =>
  builtin('node:path').join(folder, `${process.pid}-${Date.now()}-${temporaries++}.tmp`)

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

/** What is before a file's checksum, if that is right. Throws where the file cannot be read. */
function read_sealed(path: string): Buffer | undefined {
  const bytes = builtin('node:fs').readFileSync(path)
  const end = bytes.length - CHECKSUM_BYTES
  if (end <= 0 || !checksum(bytes.subarray(0, end)).equals(bytes.subarray(end))) return undefined
  return bytes.subarray(0, end)
}

/** The library of that name if it is there and sound. A truncated one would crash the process when touched. */
export function load_published(name: string): Library | undefined {
  const path = library_path(name)
  try {
    return read_sealed(path) && koffi().load(path)
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

/** Bytes that were kept for later processes, if they are there and sound. */
export function recall(name: string): Buffer | undefined {
  try {
    return read_sealed(builtin('node:path').join(lasting_directory(), name))
  } catch {
    return undefined
  }
}

/** Keeps bytes for later processes, where there is a directory that lasts. */
export function keep(name: string, bytes: Uint8Array): void {
  const [fs, path] = [builtin('node:fs'), builtin('node:path')]
  const folder = lasting_directory()
  const temporary = temporary_path(folder)
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    fs.writeFileSync(temporary, bytes)
    fs.appendFileSync(temporary, checksum(bytes))
    fs.renameSync(temporary, path.join(folder, name))
  } catch {
    // The directory cannot be written, or the disk is full: they are made again.
    try {
      fs.unlinkSync(temporary)
    } catch {}
  }
}
