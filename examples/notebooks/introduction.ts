// Tensors: the first notebook of "How to read PyTorch" (David Bau, 2020), with its exercises; without the one about the
// GPU. Plots go to examples/output/.

import type { Tensor } from '../../src/index.ts'
import * as torch from '../../src/index.ts'
import { is_main } from '../support/main.ts'
import { type Panel, save_plot } from '../support/plot.ts'

/** 101 equally spaced numbers from 0 to 5: the first five, and (exercise) the last five. */
export function first_and_last(): Tensor {
  const x = torch.linspace(0, 5, 101)
  console.log(x.at(':5'))
  console.log(x.at('-5:'))
  return x
}

/** Functions of all elements at once. */
export function vector_computations(x: Tensor): Tensor {
  const y1 = x.sin()
  const y2 = x.pow(x.cos())
  const y3 = y2.sub(y1)
  const y4 = y3.min()
  console.log(`The shape of x is ${x.shape}`)
  console.log(`The shape of y1=x.sin() is ${y1.shape}`)
  console.log(`The shape of y2=x ** x.cos() is ${y2.shape}`)
  console.log(`The shape of y3=y2 - y1 is ${y3.shape}`)
  console.log(`The shape of y4=y3.min() is ${y4.shape}, a zero-d scalar`)
  const lowest = { x: [0, 5], y: [y4.item() as number, y4.item() as number], color: 'green', dashed: true }
  const lines = [
    { x, y: y1, color: 'red' },
    { x, y: y2, color: 'blue' },
    { x, y: y3, color: 'green' },
    lowest,
  ]
  save_plot('introduction_functions', [[{ lines }]])
  return y3
}

/** Exercise: the difference, clamped between 0 and 1. */
export function clamped(x: Tensor, y3: Tensor): Tensor {
  const y = y3.clamp(0, 1)
  console.log(y.min(), y.max())
  save_plot('introduction_clamped', [[{ lines: [{ x, y }] }]])
  return y
}

/** Rows, columns, and products of rows by broadcasting. */
export function multidimensional(): { m: Tensor; dot_product: Tensor; outer_product: Tensor } {
  const m = torch.randn(2, 5).abs()
  console.log(`m is ${m}, and m[1,2] is ${m.at(1, 2).item()}\n`)
  console.log(`column zero, m[:,0] is ${m.at(':', 0)}`)
  console.log(`row zero m[0,:] is ${m.at(0, ':')}\n`)
  const dot_product = m.at(0, ':').mul(m.at(1, ':')).sum()
  console.log(`The dot product of rows (m[0,:] * m[1,:]).sum() is ${dot_product.item()}\n`)
  const outer_product = m.at(0, ':').at(null, ':').mul(m.at(1, ':').at(':', null))
  console.log(`The outer product of rows m[0,:][None,:] * m[1,:][:,None] is:\n${outer_product}`)
  const panel = (title: string, image: Tensor): Panel => ({ title, image })
  save_plot(
    'introduction_products',
    [
      [panel('m[:,:]', m), panel('m[0,:][None,:]', m.at(0, ':').at(null, ':'))],
      [
        panel('m[1,:][:,None]', m.at(1, ':').at(':', null)),
        panel('m[0,:][None,:] * m[1,:][:,None]', outer_product),
      ],
    ],
    640,
    640,
  )
  return { m, dot_product, outer_product }
}

/** Exercise: the same products by torch.mm. */
export function products_by_mm(m: Tensor, dot_product: Tensor, outer_product: Tensor): void {
  const [row, other] = [m.at(0, null), m.at(1, null)]
  console.log(torch.mm(other.t(), row).eq(outer_product))
  const dot = torch.mm(row, other.t())
  console.log(dot.shape, torch.allclose(dot.squeeze(), dot_product))
}

/** Exercise: permute exchanges dimensions and view regroups them, both without moving a number. */
export function rearrange(): void {
  const x = torch.arange(120, { dtype: torch.float32 }).view(2, 3, 4, 5)
  const permuted = x.permute(0, 1, 3, 2)
  console.log(permuted.shape, x.view(2, 60).shape, permuted.is_contiguous())
  try {
    permuted.view(2, 60)
  } catch (error) {
    console.log((error as Error).message)
  }
  console.log(permuted.reshape(2, 60).at(0, ':6'), permuted.contiguous().view(2, 60).at(0, ':6'))
}

/** A product of matrices, by the names of the dimensions. */
export function einsum(): void {
  const A = torch.randn(2, 5)
  const B = torch.randn(5, 3)
  console.log(torch.einsum('ij, jk -> ik', A, B))
}

/** Exercise: the covariance of the vectors in A and in B, over both of the other dimensions. */
export function covariance(): void {
  const A = torch.randn(5, 6, 2)
  const B = torch.randn(5, 6, 3)
  const sum = torch.einsum('ija, ijb -> ab', A, B)
  console.log(sum)
  console.log(torch.allclose(sum, A.view(30, 2).t().mm(B.view(30, 3)), { atol: 1e-5 }))
}

if (is_main(import.meta.url)) {
  const x = first_and_last()
  clamped(x, vector_computations(x))
  const { m, dot_product, outer_product } = multidimensional()
  products_by_mm(m, dot_product, outer_product)
  rearrange()
  einsum()
  covariance()
}
