// Embedding: a table of vectors looked up by index, singly or in bags. Not here: the lookup (functional).
import { AssertionError } from '../../base/errors.ts'
import type { Tensor } from '../../torch.ts'
import * as torch from '../../torch.ts'
import * as F from '../functional/index.ts'
import * as init from '../init.ts'
import { Module } from '../module.ts'
import { Parameter } from '../parameter.ts'
import { float, value } from '../repr.ts'
import { FACTORY, type Factory, type FactoryOptions, reader, uninitialised } from './settings.ts'

export type EmbeddingOptions = FactoryOptions & {
  /** The index whose vector stays zero and gets no gradient. */
  padding_idx?: number | null
  max_norm?: number | null
  norm_type?: number
  scale_grad_by_freq?: boolean
  sparse?: boolean
  _weight?: Tensor | null
}

const embedding = reader(
  `Embedding(int num_embeddings, int embedding_dim, int? padding_idx=None, float? max_norm=None, float norm_type=2.0, bool scale_grad_by_freq=False, bool sparse=False, Tensor? _weight=None, ${FACTORY})`,
)

type TableSettings = Factory & {
  num_embeddings: number
  embedding_dim: number
  padding_idx: number | null
  _weight: Tensor | null
  device: unknown
}

/** A learnt table (num_embeddings, embedding_dim), N(0, 1) at first; indices of any shape give their vectors. */
export class Embedding extends Module {
  declare readonly num_embeddings: number
  declare readonly embedding_dim: number
  declare readonly padding_idx: number | null
  declare readonly max_norm: number | null
  declare readonly norm_type: number
  declare readonly scale_grad_by_freq: boolean
  declare readonly sparse: boolean
  declare weight: Parameter

  constructor(
    num_embeddings: number,
    embedding_dim: number,
    ...rest: readonly (number | boolean | null | EmbeddingOptions)[]
  )
  constructor(...args: readonly unknown[]) {
    super()
    const { _weight, dtype, ...settings } = embedding<TableSettings>(args)
    const { device: _, ...kept } = settings
    const { num_embeddings, embedding_dim } = kept
    const padding_idx = padding_of(kept.padding_idx, num_embeddings, 'Padding_idx')
    Object.assign(this, kept, { padding_idx })
    if (_weight === null) {
      this.weight = new Parameter(uninitialised([num_embeddings, embedding_dim], { dtype }))
      this.reset_parameters()
    } else this.weight = table_of(_weight, num_embeddings, embedding_dim)
  }

  reset_parameters(): void {
    reset_table(this.weight, this.padding_idx)
  }

  forward(input: Tensor): Tensor {
    const { padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse } = this
    return F.embedding(input, this.weight, padding_idx, { max_norm, norm_type, scale_grad_by_freq, sparse })
  }

  override extra_repr(): string {
    const parts = [`${this.num_embeddings}, ${this.embedding_dim}`]
    if (this.padding_idx !== null) parts.push(`padding_idx=${this.padding_idx}`)
    if (this.max_norm !== null) parts.push(`max_norm=${float(this.max_norm)}`)
    if (this.norm_type !== 2) parts.push(`norm_type=${float(this.norm_type)}`)
    if (this.scale_grad_by_freq) parts.push(`scale_grad_by_freq=${value(true)}`)
    if (this.sparse) parts.push('sparse=True')
    return parts.join(', ')
  }

  /** An Embedding over a given table, frozen unless told otherwise. */
  static from_pretrained(
    embeddings: Tensor,
    freeze: boolean | (EmbeddingOptions & { freeze?: boolean }) = true,
    options: EmbeddingOptions = {},
  ): Embedding {
    return over_table(Embedding, embeddings, freeze, options)
  }
}

export type EmbeddingBagOptions = FactoryOptions & {
  max_norm?: number | null
  norm_type?: number
  scale_grad_by_freq?: boolean
  /** What is made of a bag: 'sum', 'mean' or 'max'. */
  mode?: string
  sparse?: boolean
  _weight?: Tensor | null
  /** Whether the last offset says where the last bag ends. */
  include_last_offset?: boolean
  /** The index that does not count, whose vector stays zero and gets no gradient. */
  padding_idx?: number | null
}

const embedding_bag = reader(
  `EmbeddingBag(int num_embeddings, int embedding_dim, float? max_norm=None, float norm_type=2.0, bool scale_grad_by_freq=False, str mode='mean', bool sparse=False, Tensor? _weight=None, bool include_last_offset=False, int? padding_idx=None, ${FACTORY})`,
)

/** A learnt table like {@link Embedding}'s, of which bags of rows are added up, averaged, or their maxima taken. */
export class EmbeddingBag extends Module {
  declare readonly num_embeddings: number
  declare readonly embedding_dim: number
  declare readonly max_norm: number | null
  declare readonly norm_type: number
  declare readonly scale_grad_by_freq: boolean
  declare readonly mode: string
  declare readonly sparse: boolean
  declare readonly include_last_offset: boolean
  declare readonly padding_idx: number | null
  declare weight: Parameter

  constructor(
    num_embeddings: number,
    embedding_dim: number,
    ...rest: readonly (number | boolean | string | null | Tensor | EmbeddingBagOptions)[]
  )
  constructor(...args: readonly unknown[]) {
    super()
    const { _weight, dtype, ...settings } = embedding_bag<TableSettings>(args)
    const { device: _, ...kept } = settings
    const { num_embeddings, embedding_dim } = kept
    const padding_idx = padding_of(kept.padding_idx, num_embeddings, 'padding_idx')
    Object.assign(this, kept, { padding_idx })
    if (_weight === null) {
      this.weight = new Parameter(uninitialised([num_embeddings, embedding_dim], { dtype }))
      this.reset_parameters()
    } else this.weight = table_of(_weight, num_embeddings, embedding_dim)
  }

  reset_parameters(): void {
    reset_table(this.weight, this.padding_idx)
  }

  /** `offsets` say where the bags of a 1-d input begin; a 2-d one has a bag a row. */
  forward(input: Tensor, offsets: Tensor | null = null, per_sample_weights: Tensor | null = null): Tensor {
    const { max_norm, norm_type, scale_grad_by_freq, mode, sparse, include_last_offset, padding_idx } = this
    return F.embedding_bag(input, this.weight, {
      offsets,
      max_norm,
      norm_type,
      scale_grad_by_freq,
      mode,
      sparse,
      per_sample_weights,
      include_last_offset,
      padding_idx,
    })
  }

  override extra_repr(): string {
    const parts = [`${this.num_embeddings}, ${this.embedding_dim}`]
    if (this.max_norm !== null) parts.push(`max_norm=${float(this.max_norm)}`)
    if (this.norm_type !== 2) parts.push(`norm_type=${float(this.norm_type)}`)
    if (this.scale_grad_by_freq) parts.push(`scale_grad_by_freq=${value(true)}`)
    parts.push(`mode=${this.mode}`)
    if (this.padding_idx !== null) parts.push(`padding_idx=${this.padding_idx}`)
    return parts.join(', ')
  }

  /** An EmbeddingBag over a given table, frozen unless told otherwise. */
  static from_pretrained(
    embeddings: Tensor,
    freeze: boolean | (EmbeddingBagOptions & { freeze?: boolean }) = true,
    options: EmbeddingBagOptions = {},
  ): EmbeddingBag {
    return over_table(EmbeddingBag, embeddings, freeze, options)
  }
}

/** The padding index counted from the start. Throws AssertionError where it is out of range. */
function padding_of(padding_idx: number | null, rows: number, name: string): number | null {
  if (padding_idx === null) return null
  if (padding_idx >= rows || padding_idx < -rows)
    throw new AssertionError(`${name} must be within num_embeddings`)
  return padding_idx < 0 ? padding_idx + rows : padding_idx
}

/** A module over a given table of vectors. Throws AssertionError where it is none. */
function over_table<M extends { readonly weight: Tensor }, O extends FactoryOptions & { freeze?: boolean }>(
  Class: new (rows: number, columns: number, options: Omit<O, 'freeze'> & { _weight: Tensor }) => M,
  embeddings: Tensor,
  freeze: boolean | O,
  options: Omit<O, 'freeze'>,
): M {
  if (embeddings.ndim !== 2) throw new AssertionError('Embeddings parameter is expected to be 2-dimensional')
  let frozen: boolean | undefined
  if (typeof freeze === 'boolean') frozen = freeze
  else ({ freeze: frozen = true, ...options } = freeze)
  const [rows, columns] = embeddings.sizes as [number, number]
  const made = new Class(rows, columns, { ...options, _weight: embeddings })
  made.weight.requires_grad = !frozen
  return made
}

/** A table that is given. Throws AssertionError where its sizes are others. */
function table_of(weight: Tensor, rows: number, columns: number): Parameter {
  if (weight.sizes.join() !== `${rows},${columns}`)
    throw new AssertionError('Shape of weight does not match num_embeddings and embedding_dim')
  return new Parameter(weight)
}

function reset_table(weight: Parameter, padding_idx: number | null): void {
  init.normal_(weight)
  if (padding_idx !== null) torch.no_grad(() => weight.select(0, padding_idx).fill_(0))
}
