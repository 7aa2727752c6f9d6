// Embedding: a table of vectors looked up by index. Not here: the lookup (functional), bags.
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
  ) {
    super()
    const { _weight, dtype, ...settings } = embedding<
      { padding_idx: number | null; _weight: Tensor | null; device: unknown } & Factory
    >([num_embeddings, embedding_dim, ...rest])
    const { device: _, ...kept } = settings
    let { padding_idx } = kept
    if (padding_idx !== null) {
      if (padding_idx >= num_embeddings || padding_idx < -num_embeddings)
        throw new AssertionError('Padding_idx must be within num_embeddings')
      if (padding_idx < 0) padding_idx += num_embeddings
    }
    Object.assign(this, kept, { padding_idx })
    if (_weight === null) {
      this.weight = new Parameter(uninitialised([num_embeddings, embedding_dim], { dtype }))
      this.reset_parameters()
    } else {
      if (_weight.sizes.join() !== `${num_embeddings},${embedding_dim}`)
        throw new AssertionError('Shape of weight does not match num_embeddings and embedding_dim')
      this.weight = new Parameter(_weight)
    }
  }

  reset_parameters(): void {
    init.normal_(this.weight)
    if (this.padding_idx !== null) torch.no_grad(() => this.weight.select(0, this.padding_idx!).fill_(0))
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
    if (embeddings.ndim !== 2)
      throw new AssertionError('Embeddings parameter is expected to be 2-dimensional')
    const { freeze: frozen = true, ...rest } = typeof freeze === 'boolean' ? { ...options, freeze } : freeze
    const [rows, columns] = embeddings.sizes as [number, number]
    const made = new Embedding(rows, columns, { ...rest, _weight: embeddings })
    made.weight.requires_grad = !frozen
    return made
  }
}
