/** Examples are programs: started with tsx, as examples/README.md says, they run to their end and print. */
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { expect, it } from 'vitest'

const root = new URL('../../', import.meta.url)
const quick = ['snippets', 'tutorials/two_layer_net_tensor.ts']
  'snippets',
  'notebooks/introduction.ts',
  'notebooks/autograd.ts',
  'tutorials/two_layer_net_tensor.ts',
]
const files = quick.flatMap(path =>
  path.endsWith('.ts')
    ? [path]
    : readdirSync(new URL(`examples/${path}`, root)).map(file => `${path}/${file}`),
)

it.each(files)('examples/%s runs', file => {
  const output = execFileSync(process.execPath, ['--import', 'tsx', `examples/${file}`], {
    cwd: root,
    encoding: 'utf8',
  })
  expect(output.trim()).not.toBe('')
})
