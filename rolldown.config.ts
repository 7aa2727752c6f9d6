// How `npm run build` makes dist/index.js: one file, because Node takes longer to find 270 modules than to run them.
// Local names are shortened, because V8 reads every character before the first call; functions and classes keep the
// `name` that stack traces and `constructor.name` show, and the map has the rest.
// Not here: the declarations beside it, which tsc writes (tsconfig.build.json).
import type { RolldownOptions } from 'rolldown'

const config: RolldownOptions & { readonly output: object } = {
  input: 'src/index.ts',
  platform: 'neutral',
  output: {
    file: 'dist/index.js',
    format: 'esm',
    keepNames: true,
    comments: false,
    minify: { compress: false, mangle: true, codegen: true },
    sourcemap: true,
  },
}

export default config
