/**
 * npm run coverage [-- options]: how many of PyTorch's public names there are, and which are missing.
 *
 *   --only NAME   one namespace
 *   --markdown    write docs/COVERAGE.md
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { coverage } from './coverage.ts'
import { document, line } from './document.ts'

const { values: options } = parseArgs({
  options: { only: { type: 'string' }, markdown: { type: 'boolean', default: false } },
})
const torch = (await import('../../src/index.ts')) as unknown as Record<string, unknown>
const spaces = coverage(torch)
for (const space of spaces.filter(s => options.only === undefined || s.name === options.only)) {
  console.log(line(space))
  if (space.missing.length > 0) console.log(`    missing: ${space.missing.join(' ')}`)
}
if (options.markdown) writeFileSync(new URL('../../docs/COVERAGE.md', import.meta.url), document(spaces))
