// docs/COVERAGE.md, and the lines that `npm run coverage` prints. Not here: what is counted (coverage.ts).
import { operators } from './apart.ts'
import type { Space } from './coverage.ts'

/** How much of a namespace is there, in per cent. */
export const percent = ({ counted, missing }: Space): number =>
  counted.length === 0 ? 100 : (100 * (counted.length - missing.length)) / counted.length

const figure = (space: Space): string => `${percent(space).toFixed(1)} %`
const names = (list: readonly string[]): string => list.map(n => `\`${n}\``).join(', ')
const there = (space: Space): number => space.counted.length - space.missing.length

/** One namespace as a line of text. */
export const line = (space: Space): string =>
  `${space.name.padEnd(28)} ${`${there(space)} / ${space.counted.length}`.padStart(10)}  ${figure(space).padStart(8)}`

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)

/** The whole page. */
export function document(spaces: readonly Space[]): string {
  const rows = spaces.map(
    s => `| ${s.name} | ${there(s)} | ${s.counted.length} | ${figure(s)} | ${names(s.missing)} |`,
  )
  const reasons = new Map<string, string[]>()
  for (const space of spaces)
    for (const [reason, list] of space.apart)
      reasons.set(reason, [
        ...(reasons.get(reason) ?? []),
        ...list.filter(n => !reasons.get(reason)?.includes(n)),
      ])
  const total = sum(spaces.map(s => s.counted.length))
  const present = sum(spaces.map(there))
  return `# Coverage

Which of PyTorch 1.13's public names tstorch has, namespace by namespace. \`npm run coverage -- --markdown\` writes this page;
a test fails if it is stale, or if a namespace falls below 90 %. That a name is there says nothing about how good it is:
\`npm run conformance\` and the tests do. \`func\` stands for the package functorch of PyTorch 1.13.

| namespace | there | of | | missing |
|---|---:|---:|---:|---|
${rows.join('\n')}
| all | ${present} | ${total} | ${((100 * present) / total).toFixed(1)} % | |

## Not counted

| why | names |
|---|---|
${[...reasons].map(([reason, list]) => `| ${reason} | ${names(list)} |`).join('\n')}

## Python's operators

TypeScript has no operators for objects. What stands for them (\`2 - x\` is \`torch.rsub(x, 2)\` or \`torch.sub(2, x)\`):

${Object.entries(operators)
  .map(([operator, method]) => `\`${operator}\` ${method}`)
  .join(', ')}
`
}
