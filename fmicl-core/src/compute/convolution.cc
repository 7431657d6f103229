// The gradient of a convolution on a CPU, in place of libtorch's own where that corrupts memory: see convolution.rs.

#include <ATen/core/Tensor.h>
#include <ATen/native/utils/ParamUtils.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/convolution_backward_native.h>
#include <ATen/ops/zeros_like.h>
#include <torch/library.h>

namespace {

using Gradients = std::tuple<at::Tensor, at::Tensor, at::Tensor>;
using Sizes = at::IntArrayRef;

// The lanes of f32 of the widest processor: with fewer channels than its lanes oneDNN writes beyond its buffer.
constexpr int64_t LANES = 16;

bool is_faulty(const at::Tensor& weight, Sizes stride) {
  const auto one = [](int64_t n) { return n == 1; };
  const Sizes kernel = weight.sizes().slice(2);
  return weight.size(1) < LANES && std::all_of(kernel.begin(), kernel.end(), one) &&
      !std::all_of(stride.begin(), stride.end(), one);
}

// The pixels that a kernel of one pixel sees: a view.
at::Tensor seen(at::Tensor image, Sizes stride) {
  for (size_t i = 0; i < stride.size(); i++)
    image = image.slice(2 + i, 0, c10::nullopt, stride[i]);
  return image;
}

Gradients convolution_backward(
    const at::Tensor& grad, const at::Tensor& input, const at::Tensor& weight, at::OptionalIntArrayRef bias_sizes,
    Sizes stride, Sizes padding, Sizes dilation, bool transposed, Sizes output_padding, int64_t groups,
    std::array<bool, 3> mask) {
  if (!is_faulty(weight, stride))
    return at::native::convolution_backward(
        grad, input, weight, bias_sizes, stride, padding, dilation, transposed, output_padding, groups, mask);

  // One number may stand for all dimensions.
  const auto strides = at::native::expand_param_if_needed(stride, "stride", weight.dim() - 2);
  const auto pads = at::native::expand_param_if_needed(padding, "padding", weight.dim() - 2);
  const std::vector<int64_t> ones(strides.size(), 1), zeros(strides.size(), 0);
  // Of a transposed convolution the output is the image with pixels between those that the kernel makes.
  const at::Tensor& image = transposed ? grad : input;
  std::vector<int64_t> border;
  for (size_t i = pads.size(); i-- > 0;)
    border.insert(border.end(), 2, pads[i]);
  const bool padded = std::any_of(pads.begin(), pads.end(), [](int64_t n) { return n != 0; });
  const at::Tensor whole = padded ? at::constant_pad_nd(image, border) : image;
  at::Tensor pixels = seen(whole, strides);
  // Behind the last pixel that the kernel makes there may be as many again as fill a stride.
  for (size_t i = 0; transposed && i < strides.size(); i++)
    pixels = pixels.narrow(2 + i, 0, input.size(2 + i));
  pixels = pixels.contiguous(image.suggest_memory_format());

  const std::array<bool, 3> without_bias = {mask[0], mask[1], false};
  auto [grad_input, grad_weight, grad_bias] = at::native::convolution_backward(
      transposed ? pixels : grad, transposed ? input : pixels, weight, bias_sizes, ones, zeros, dilation, transposed,
      zeros, groups, without_bias);
  if (mask[2]) {
    std::vector<int64_t> all(grad.dim() - 1);
    for (size_t i = 1; i < all.size(); i++)
      all[i] = i + 1;
    grad_bias = grad.sum(all);
  }
  if (mask[0] && !transposed) {
    at::Tensor spread = at::zeros_like(whole);
    seen(spread, strides).copy_(grad_input);
    for (size_t i = 0; i < pads.size(); i++)
      spread = spread.narrow(2 + i, pads[i], image.size(2 + i));
    grad_input = spread;
  }
  return {grad_input, grad_weight, grad_bias};
}

TORCH_LIBRARY_IMPL(aten, CPU, library) {
  library.impl("convolution_backward", TORCH_FN(convolution_backward));
}

}  // namespace
