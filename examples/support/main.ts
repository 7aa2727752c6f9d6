// For programs that are modules too: whether a file is the one that was started.
import { pathToFileURL } from 'node:url'

/** `if (is_main(import.meta.url)) main()` */
export function is_main(url: string): boolean {
  return process.argv[1] !== undefined && url === pathToFileURL(process.argv[1]).href
}
