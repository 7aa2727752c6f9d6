// The doubles that native code is called with: one array for all calls, which C reads by its address. Calls are
// synchronous and do not nest, so one is enough. Not here: what the slots of a call mean (device.ts, routines.ts).

import { SHARE_HEADER } from '../../render/c/share.ts'
import type { Operand } from '../device.ts'
import { type Storage, storage_address } from '../storage.ts'
import { koffi } from './node.ts'

const CAPACITY = 1024
const LINE = 64

const memory = new ArrayBuffer(LINE + CAPACITY * 8)

/** What C reads its arguments from. The first two are the share of the work to do: all of it. */
export const args: Float64Array = new Float64Array(memory, LINE)
args[1] = 1

/** What precedes the arguments: the number of threads, and the address of the function that shares work among them. */
export const share: Float64Array = new Float64Array(memory, LINE - SHARE_HEADER * 8, SHARE_HEADER)

/** What the running call works on, else null: numbers keep no memory alive, so this does. */
export const running: { on: unknown } = { on: null }

let address = 0
/** The address of `args`. */
export function args_address(): number {
  if (address === 0) address = Number(koffi().address(new Uint8Array(memory))) + LINE
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
