// Objects that live as long as the program, one of each kind that is otherwise made and dropped within a step. V8 throws
// away what it has compiled for a hidden class once a collection finds no object of that class, and programs in loops of
// steps would start anew after each full collection. Not here: the objects.

const kept: object[] = []

/** Keeps an object that looks like those of its kind; it should refer to nothing large. */
export function keep_exemplar(object: object): void {
  kept.push(object)
}
