// PyTorch's public names, as `npm run coverage` counts them: no namespace falls below 90 %, and docs/COVERAGE.md is what it
// writes. Not here: whether what has a name is right, which all other tests ask.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { apart } from '../scripts/names/apart.ts'
import { coverage, pytorch, reason_apart } from '../scripts/names/coverage.ts'
import { document, percent } from '../scripts/names/document.ts'
import * as torch from '../src/index.ts'

const spaces = coverage(torch)
/** Namespaces of so few names that one is more than a tenth. */
const small = new Set(['autograd.forward_ad'])

describe('coverage', () => {
  it.each(spaces.filter(s => !small.has(s.name)).map(s => [s.name, s] as const))(
    'of %s is 90 % or more',
    (_, space) => {
      expect(percent(space), `missing: ${space.missing.join(' ')}`).toBeGreaterThanOrEqual(90)
    },
  )

  it('is what docs/COVERAGE.md says (npm run coverage -- --markdown)', () => {
    expect(readFileSync('docs/COVERAGE.md', 'utf8')).toBe(document(spaces))
  })

  it('does not take a name alone for the thing', () => {
    const stub = () => {
      throw new Error('abs is not implemented')
    }
    const before = spaces.find(s => s.name === 'special')
    const after = coverage({ ...torch, special: { ...torch.special, erf: stub } }).find(
      s => s.name === 'special',
    )
    expect(before?.missing).not.toContain('erf')
    expect(after?.missing).toContain('erf')
  })

  it('sets apart only names that PyTorch has', () => {
    const idle = apart.flatMap(entry =>
      entry.names
        .split(' ')
        .filter(
          pattern =>
            !entry.spaces.some(space =>
              pytorch()[space]?.some(name => new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(name)),
            ),
        ),
    )
    expect(idle).toEqual([])
    expect(reason_apart('torch', 'add')).toBeUndefined()
    expect(reason_apart('torch', 'sparse_coo_tensor')).toBe('sparse tensors')
  })
})
