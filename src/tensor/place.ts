// `torch.device`: where a tensor lives, as users name it. One object per place, so places compare with ===.
// Not here: how a device computes (device/device.ts).

import { RuntimeError } from '../base/errors.ts'
import { print_as } from '../base/inspect.ts'

const TYPES = ['cpu', 'cuda', 'mps', 'webgpu', 'meta'] as const
type PlaceType = (typeof TYPES)[number]

export class Place {
  readonly type: PlaceType
  readonly index: number | null

  constructor(type: PlaceType, index: number | null) {
    this.type = type
    this.index = index
  }

  /** `cpu`, `cuda:0`. */
  toString(): string {
    return this.index === null ? this.type : `${this.type}:${this.index}`
  }
}

print_as(Place, self =>
  self.index === null ? `device(type='${self.type}')` : `device(type='${self.type}', index=${self.index})`,
)

/** What functions take as `device`. */
export type PlaceLike = Place | string | number

const places = new Map<string, Place>()

/** The place that `name` (`'cpu'`, `'cuda:1'`) and `index` stand for. Throws RuntimeError for what is none. */
export function device(name: PlaceLike, index?: number): Place {
  if (name instanceof Place) return name
  const text = typeof name === 'number' ? `cuda:${name}` : index === undefined ? name : `${name}:${index}`
  const known = places.get(text)
  if (known) return known
  const match = /^([a-z]+)(?::(\d+))?$/.exec(text)
  if (!match || !TYPES.includes(match[1] as PlaceType))
    throw new RuntimeError(
      `Expected one of ${TYPES.join(', ')} device type at start of device string: ${text.split(':')[0]}`,
    )
  const place = new Place(match[1] as PlaceType, match[2] === undefined ? null : Number(match[2]))
  places.set(text, place)
  return place
}

const cpu = device('cpu')

/** Where a tensor lives; today every tensor is in CPU memory. */
export const place_of = (_tensor: unknown): Place => cpu

/** Checks that tensors can be made at `place`. Throws RuntimeError where no such device is built in. */
export function require_available(place: PlaceLike | null | undefined): void {
  if (place === null || place === undefined) return
  const { type } = device(place)
  if (type !== 'cpu') throw new RuntimeError(`tstorch has no ${type} device in this build: use 'cpu'`)
}
