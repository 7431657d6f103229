// libtorch's switches of precision with a C interface: see arithmetic.rs.
//
// A function returns null, or the message of the exception that stopped it, which stands until the next one on this thread.

#include <ATen/Context.h>
#include <ATen/autocast_mode.h>

namespace {

const char* keep(const char* text) {
  thread_local std::string message;
  message = text;
  return message.c_str();
}

template <typename Call>
const char* caught(Call call) noexcept {
  try {
    call();
    return nullptr;
  } catch (const std::exception& error) {
    return keep(error.what());
  } catch (...) {
    return keep("an unknown C++ exception");
  }
}

at::DeviceType type_of(bool cuda) {
  return cuda ? at::kCUDA : at::kCPU;
}

}  // namespace

extern "C" {

// The guard lies in a `bool` of the caller.
static_assert(sizeof(at::NoTF32Guard) == sizeof(bool) && alignof(at::NoTF32Guard) == alignof(bool));

struct FmiclAutocast {
  bool enabled;
  at::ScalarType kind;
};

const char* fmicl_autocast_enabled(bool cuda, bool* enabled) {
  return caught([=] { *enabled = at::autocast::is_autocast_enabled(type_of(cuda)); });
}

const char* fmicl_autocast_enter(bool cuda, FmiclAutocast* before) {
  return caught([=] {
    const auto device = type_of(cuda);
    *before = {at::autocast::is_autocast_enabled(device), at::autocast::get_autocast_dtype(device)};
    at::autocast::set_autocast_dtype(device, at::kBFloat16);
    at::autocast::set_autocast_enabled(device, true);
    at::autocast::increment_nesting();
  });
}

const char* fmicl_autocast_leave(bool cuda, const FmiclAutocast* before) {
  return caught([=] {
    // The outermost one forgets the weights that were cast, since a step will change them.
    if (at::autocast::decrement_nesting() == 0)
      at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(type_of(cuda), before->enabled);
    at::autocast::set_autocast_dtype(type_of(cuda), before->kind);
  });
}

const char* fmicl_allow_tf32(bool allow) {
  return caught([=] {
    at::globalContext().setAllowTF32CuDNN(allow);
    at::globalContext().setAllowTF32CuBLAS(allow);
  });
}

const char* fmicl_without_tf32_enter(bool* guard) {
  return caught([=] { new (guard) at::NoTF32Guard; });
}

const char* fmicl_without_tf32_leave(bool* guard) {
  return caught([=] { reinterpret_cast<at::NoTF32Guard*>(guard)->~NoTF32Guard(); });
}

// For tests: whether products may be in TF32, and whether a guard forbids it on this thread.
const char* fmicl_tf32_state(bool* allowed, bool* without) {
  return caught([=] {
    *allowed = at::globalContext().allowTF32CuBLAS();
    *without = at::NoTF32Guard::should_disable_tf32();
  });
}

}  // extern "C"
