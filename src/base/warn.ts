// Warnings, as Python prints them: on stderr, each text once in a process. Not here: what is worth a warning.

const said = new Set<string>()

/** Prints `UserWarning: message`, the first time it is said. */
export function warn(message: string): void {
  if (said.has(message)) return
  said.add(message)
  console.warn(`UserWarning: ${message}`)
}
