//! Gradient of a convolution, with a workaround for a memory error in oneDNN.
//!
//! On a CPU, libtorch 2.11.0 convolves with oneDNN. For a 1x1 convolution of stride 2, oneDNN first gathers the
//! pixels that the kernel sees. If images are channels-last and have fewer channels than the processor has lanes (8
//! with AVX2, 16 with AVX-512 and several threads), its gradient of the weights then reads and writes beyond its
//! buffers: a narrow ResNet crashes, hangs, or learns wrong weights.
//!
//! The workaround gathers these pixels itself and convolves with stride 1. It is in `convolution.cc`, and replaces
//! the operator `aten::convolution_backward`, which computes the gradient of every convolution: in tch's layers, in a
//! plugin, in a traced module. Linking this crate is enough; nothing has to be called.

#[cfg(test)]
mod tests {
    use tch::{Device, Kind, Tensor};

    /// Numbers about 0, the same whenever they are asked for: other tests draw from libtorch's generator meanwhile.
    fn numbers(shape: &[i64], salt: f64) -> Tensor {
        let count: i64 = shape.iter().product();
        let waves = (Tensor::arange(count, (Kind::Double, Device::Cpu)) * 1.7 + salt).sin();
        (waves / (count.max(1) as f64).sqrt()).view(shape)
    }

    /// A convolution with a kernel of one pixel.
    #[derive(Debug, Clone, Copy)]
    struct Case {
        channels: [i64; 2],
        groups: i64,
        size: [i64; 2],
        stride: [i64; 2],
        padding: [i64; 2],
        transposed: bool,
    }

    const PLAIN: Case = Case {
        channels: [4, 6],
        groups: 1,
        size: [8, 8],
        stride: [2, 2],
        padding: [0, 0],
        transposed: false,
    };

    impl Case {
        /// Gradients with respect to image, weight and bias. With `border` zeros around its one pixel the kernel is 3x3: the
        /// same function, by another route through libtorch.
        fn gradients(self, kind: Kind, channels_last: bool, border: i64) -> [Tensor; 3] {
            let ([input, output], [h, w], groups) = (self.channels, self.size, self.groups);
            let drawn = |shape: &[i64], salt| numbers(shape, salt).to_kind(kind);
            let leaf = |shape: &[i64], salt| {
                let leaf = match channels_last && shape.len() == 4 {
                    true => drawn(shape, salt)
                        .permute([0, 2, 3, 1])
                        .contiguous()
                        .permute([0, 3, 1, 2]),
                    false => drawn(shape, salt),
                };
                leaf.set_requires_grad(true)
            };
            let (rows, columns) = match self.transposed {
                false => (output, input / groups),
                true => (input, output / groups),
            };
            let (x, bias) = (leaf(&[3, input, h, w], 1.0), leaf(&[output], 2.0));
            let weight = leaf(&[rows, columns, 1, 1], 3.0);
            let kernel = match border {
                0 => weight.shallow_clone(),
                _ => weight.constant_pad_nd([border; 4]),
            };
            let padding = self.padding.map(|n| n + border);
            let out = match self.transposed {
                false => x.conv2d(&kernel, Some(&bias), self.stride, padding, [1, 1], groups),
                true => x.conv_transpose2d(&kernel, Some(&bias), self.stride, padding, [0, 0], groups, [1, 1]),
            };
            (&out * drawn(&out.size(), 4.0)).sum(kind).backward();
            [x, weight, bias].map(|leaf| leaf.grad())
        }

        fn check(self) {
            let exact = self.gradients(Kind::Double, false, 1);
            for channels_last in [true, false] {
                for (found, exact) in self.gradients(Kind::Float, channels_last, 0).iter().zip(&exact) {
                    assert_eq!(found.size(), exact.size(), "{self:?}");
                    let far = (found.to_kind(Kind::Double) - exact).abs().max().double_value(&[]);
                    assert!(far < 1e-6, "{self:?}, channels last: {channels_last}: off by {far}");
                }
            }
        }
    }

    #[test]
    fn strided_convolutions_of_one_pixel_have_exact_gradients_at_any_width() {
        for channels in [
            [1, 1],
            [3, 4],
            [4, 8],
            [7, 1],
            [7, 9],
            [8, 16],
            [15, 17],
            [16, 8],
            [20, 5],
        ] {
            for (size, stride, padding) in [
                ([8, 8], [2, 2], [0, 0]),
                ([5, 7], [2, 2], [0, 0]),
                ([16, 16], [3, 2], [0, 0]),
                ([9, 4], [1, 2], [0, 0]),
                ([6, 5], [2, 3], [1, 0]),
                ([1, 1], [2, 2], [0, 0]),
            ] {
                Case {
                    channels,
                    size,
                    stride,
                    padding,
                    ..PLAIN
                }
                .check();
            }
        }
    }

    #[test]
    fn so_have_transposed_and_grouped_ones() {
        for (channels, groups, transposed) in [([4, 6], 1, true), ([4, 6], 2, true), ([6, 4], 2, false)] {
            for padding in [[0, 0], [1, 1], [0, 1]] {
                Case {
                    channels,
                    groups,
                    transposed,
                    padding,
                    ..PLAIN
                }
                .check();
            }
        }
    }

    /// As `Case::gradients`, of images with one or three axes, of a stride that is one number, of bfloat16, of no image at all.
    #[test]
    fn any_number_of_axes_kind_and_batch_will_do() {
        for (axes, batch, kind, tolerance) in [
            (1, 3, Kind::Float, 1e-6),
            (3, 3, Kind::Float, 1e-6),
            (2, 3, Kind::BFloat16, 0.02),
            (2, 0, Kind::Float, 1e-6),
        ] {
            let sides = vec![6; axes];
            let gradients = |kind: Kind, border: i64| {
                let drawn = |shape: Vec<i64>, salt| numbers(&shape, salt).to_kind(kind).set_requires_grad(true);
                let x = drawn([&[batch, 4], &sides[..]].concat(), 1.0);
                let weight = drawn([&[6, 4], &vec![1; axes][..]].concat(), 2.0);
                let kernel = match border {
                    0 => weight.shallow_clone(),
                    _ => weight.constant_pad_nd(vec![border; 2 * axes]),
                };
                let (stride, padding, bias) = ([2], [border], None::<Tensor>);
                let out = match axes {
                    1 => x.conv1d(&kernel, bias, stride, padding, [1], 1),
                    2 => x.conv2d(&kernel, bias, stride, padding, [1], 1),
                    _ => x.conv3d(&kernel, bias, stride, padding, [1], 1),
                };
                out.square().sum(kind).backward();
                [x.grad(), weight.grad()]
            };
            for (found, exact) in gradients(kind, 0).iter().zip(gradients(Kind::Double, 1)) {
                assert_eq!(found.size(), exact.size());
                let far = (found.to_kind(Kind::Double) - &exact).norm() / exact.norm().clamp_min(1e-12);
                let far = far.double_value(&[]);
                assert!(far < tolerance, "{axes} axes, {batch} images, {kind:?}: off by {far}");
            }
        }
    }

    #[test]
    fn the_gradient_of_the_weights_alone_is_that_of_sums() {
        let image = Tensor::ones([2, 4, 8, 8], (Kind::Float, Device::Cpu));
        let weight = Tensor::ones([8, 4, 1, 1], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let out = image.conv2d(&weight, None::<Tensor>, [2, 2], [0, 0], [1, 1], 1);
        out.sum(Kind::Float).backward();
        assert_eq!(
            weight.grad(),
            Tensor::full([8, 4, 1, 1], 32.0, (Kind::Float, Device::Cpu))
        );
    }
}
