/** Examples are programs: started with tsx, as examples/README.md says, they run to their end and print. */
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'

const root = new URL('../../', import.meta.url)
const snippets = readdirSync(new URL('examples/snippets', root)).map(file => `snippets/${file}`)

it.each([...snippets, 'tutorials/two_layer_net_tensor.ts'])('examples/%s runs', file => {
  const output = execFileSync(process.execPath, ['--import', 'tsx', `examples/${file}`], {
    cwd: root,
    encoding: 'utf8',
  })
  expect(output.trim()).not.toBe('')
})
