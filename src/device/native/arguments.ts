// The doubles that native code is called with: one array for all calls, which C reads by its address. Calls are
// synchronous and do not nest, so one is enough. Not here: what the slots of a call mean (device.ts, routines.ts).
import type { Operand } from '../device.ts'
import { type Storage, storage_address } from '../storage.ts'
import { koffi } from './node.ts'

const CAPACITY = 1024

/** What C reads its arguments from. The first two are the share of the work: all of it, while there are no threads. */
export const args: Float64Array = new Float64Array(new ArrayBuffer(CAPACITY * 8))
args[1] = 1

/** What the running call works on, else null: numbers keep no memory alive, so this does. */
export const running: { on: unknown } = { on: null }

let address = 0
/** The address of `args`. */
export function args_address(): number {
  if (address === 0) address = Number(koffi().address(args))
  return address
}

/** Throws a RangeError if a call would need more arguments than there is room for. */
export function require_room(count: number): void {
  if (count > CAPACITY)
    throw new RangeError(`a kernel with ${count} arguments: at most ${CAPACITY} are supported`)
}

/** The address of an operand's first element; of elements of `itemsize` bytes. */
export const address_of = (storage: Storage, offset: number, itemsize: number): number =>
  (storage.address || storage_address(storage)) + offset * itemsize

/** The address of an operand's first element. */
export const operand_address = ({ memory, offset, dtype }: Operand): number =>
  address_of(memory, offset, dtype.itemsize)
