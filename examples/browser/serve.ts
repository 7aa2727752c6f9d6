// Sends the page to a browser on this machine, with the two headers that let a page's threads share memory.
// Run: npm run demo:browser, and open the address that it prints.
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pathToFileURL } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { rolldown } from 'rolldown'

const file = (path: string): Buffer => readFileSync(new URL(path, import.meta.url))

/** What the server knows: a content type and a body for each path. */
async function pages(): Promise<ReadonlyMap<string, readonly [type: string, body: string | Buffer]>> {
  const bundle = await rolldown({
    input: new URL('page.ts', import.meta.url).pathname,
    platform: 'browser',
  })
  const { output } = await bundle.generate({ format: 'esm', minify: true })
  await bundle.close()
  return new Map([
    ['/', ['text/html', file('index.html')]],
    ['/page.js', ['text/javascript', output[0].code]],
    ['/digits.csv', ['text/csv', gunzipSync(file('../data/digits.csv.gz'))]],
  ])
}

/** A server on the port, or on any that is free. */
export async function serve(port = 0): Promise<Server> {
  const known = await pages()
  const server = createServer((request, response) => {
    const found = known.get(request.url ?? '/')
    response.writeHead(found ? 200 : 404, {
      'Content-Type': found?.[0] ?? 'text/plain',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    })
    response.end(found?.[1])
  })
  await new Promise<void>((resolve, reject) =>
    server.once('error', reject).listen(port, '127.0.0.1', resolve),
  )
  return server
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const server = await serve(Number(process.argv[2] ?? 8080))
  console.log(
    `Open http://localhost:${(server.address() as AddressInfo).port}/ in a browser; Ctrl+C ends this.`,
  )
}
