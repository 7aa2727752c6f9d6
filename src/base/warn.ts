// Warnings, as Python prints them: on stderr, each text once in a process unless all are asked for. Not here: what is
// worth a warning.

const said = new Set<string>()
let always = false

/** Prints `UserWarning: message`, the first time it is said. */
export function warn(message: string): void {
  if (!always && said.has(message)) return
  said.add(message)
  console.warn(`UserWarning: ${message}`)
}

/** Whether texts are printed again that were printed before. */
export function warn_always(flag: boolean): void {
  always = flag
}
export const is_warning_always = (): boolean => always
