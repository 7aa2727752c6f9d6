// How `npm run build` makes dist/: tstorch as one file, because Node takes longer to find 270 modules than to run them,
// and for Node the same file as a script (index.cjs), which node.js runs (src/node.ts says why).
// Local names are shortened, because V8 reads every character before the first call; functions and classes keep the
// `name` that stack traces and `constructor.name` show, and the map has the rest.
// Not here: the declarations beside it, which tsc writes (tsconfig.build.json).
import { type OutputChunk, type OutputOptions, type Plugin, type RolldownOptions, rolldown } from 'rolldown'

const style = {
  format: 'esm',
  keepNames: true,
  comments: false,
  minify: { compress: false, mangle: true, codegen: true },
} as const satisfies OutputOptions

type Exports = readonly { readonly local: string; readonly name: string }[]

/** A minified module without its exports, which end it, and these. */
function parted({ code, fileName }: OutputChunk): [code: string, exports: Exports] {
  const end = /export\s*\{([^}]*)\};?\s*(\/\/.*\s*)?$/.exec(code)
  if (!end) throw new Error(`${fileName} does not end in its exports`)
  const exports = end[1]!.split(',').map(item => item.trim().split(' as ') as [string, string?])
  return [code.slice(0, end.index), exports.map(([local, name = local]) => ({ local, name }))]
}

/** Adds index.cjs and node.js to index.js. */
const for_node: Plugin = {
  name: 'for_node',
  async generateBundle(_, bundle) {
    const [code, exports] = parted(Object.values(bundle).find(file => file.type === 'chunk')!)
    if (/[^\p{ASCII}]/u.test(code))
      throw new Error('node.ts reads index.cjs as ASCII, and it has other characters')
    const loader = await rolldown({ input: 'src/node.ts', platform: 'node' })
    const { output } = await loader.generate(style)
    const [load, [torch]] = parted(output[0])
    // Both files have one map, so all code stays in its place.
    const script = code.replaceAll('import.meta.url', '__filename     ')
    const object = exports.map(({ local, name }) => `${name}:${local}`)
    this.emitFile({
      type: 'asset',
      fileName: 'index.cjs',
      source: `${script}module.exports={${object}};\n//# sourceMappingURL=index.js.map\n`,
    })
    const locals = exports.map(({ name }, i) => `${name}:_${i}`)
    const names = exports.map(({ name }, i) => `_${i} as ${name}`)
    this.emitFile({
      type: 'asset',
      fileName: 'node.js',
      source: `${load}const{${locals}}=${torch!.local};export{${names}};\n`,
    })
  },
}

const config: RolldownOptions & { readonly output: OutputOptions } = {
  input: 'src/index.ts',
  platform: 'neutral',
  plugins: [for_node],
  output: { ...style, file: 'dist/index.js', postBanner: '"use strict";', sourcemap: true },
}

export default config
