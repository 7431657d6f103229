// PyTorch's own c10d behind a dozen C functions: a store that all processes reach, and a process group for tensors.
//
// No exception leaves a function: it returns nothing (null, false) and puts its words in `error`, which the caller frees.

#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef FMICL_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#endif

#include <cstring>
#include <string>

namespace {

struct Group {
  c10::intrusive_ptr<c10d::Store> store;
  // Null once this process has left it.
  c10::intrusive_ptr<c10d::Backend> backend;
  std::chrono::milliseconds timeout;
};

template <typename F>
bool protect(char** error, F&& work) {
  try {
    work();
    return true;
  } catch (const c10::Error& e) {
    *error = strdup(e.what_without_backtrace());
  } catch (const std::exception& e) {
    *error = strdup(e.what());
  } catch (...) {
    *error = strdup("an unknown error");
  }
  return false;
}

c10d::Backend& backend(Group& group) {
  TORCH_CHECK(group.backend, "this process has left the others");
  return *group.backend;
}

// A call that works on a tensor in place; a backend wants its elements to lie together.
template <typename F>
void in_place(Group& group, const at::Tensor& tensor, F&& call) {
  std::vector<at::Tensor> tensors{tensor.contiguous()};
  call(backend(group), tensors)->wait(group.timeout);
  if (!tensors[0].is_same(tensor)) {
    tensor.copy_(tensors[0]);
  }
}

void all_reduce(Group& group, const at::Tensor& tensor) {
  in_place(group, tensor, [&](c10d::Backend& backend, std::vector<at::Tensor>& tensors) {
    c10d::AllreduceOptions options;
    options.timeout = group.timeout;
    return backend.allreduce(tensors, options);
  });
}

// The sum over all processes; the gradient of each summand is the sum of their gradients.
struct Sum : torch::autograd::Function<Sum> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& summand, int64_t group) {
    context->saved_data["group"] = group;
    auto sum = summand.clone();
    all_reduce(*reinterpret_cast<Group*>(group), sum);
    return sum;
  }

  static torch::autograd::variable_list backward(
      torch::autograd::AutogradContext* context, torch::autograd::variable_list gradients) {
    auto gradient = gradients[0].clone();
    all_reduce(*reinterpret_cast<Group*>(context->saved_data["group"].toInt()), gradient);
    return {gradient, at::Tensor()};
  }
};

} // namespace

extern "C" {

// Connects to the store at `host` and `port`, or opens it there where `serve` is set. `prefix` goes before all keys.
Group* fmicl_c10d_store(
    const char* host, uint16_t port, bool serve, const char* prefix, int64_t timeout_ms, char** error) {
  Group* group = nullptr;
  protect(error, [&] {
    c10d::TCPStoreOptions options;
    options.port = port;
    options.isServer = serve;
    options.waitWorkers = false;
    options.timeout = std::chrono::milliseconds(timeout_ms);
    auto store = c10::make_intrusive<c10d::TCPStore>(host, options);
    auto prefixed = c10::make_intrusive<c10d::PrefixStore>(prefix, std::move(store));
    group = new Group{std::move(prefixed), nullptr, options.timeout};
  });
  return group;
}

bool fmicl_c10d_has_gloo() {
#ifdef FMICL_GLOO
  return true;
#else
  return false;
#endif
}

// Meets the others. Gloo listens on the network interfaces of that name, or else at that address of this machine's.
bool fmicl_c10d_meet_gloo(
    Group* group, int rank, int size, const char* interface, const char* address, char** error) {
  return protect(error, [&] {
#ifdef FMICL_GLOO
    auto options = c10d::ProcessGroupGloo::Options::create(group->timeout);
    if (*interface) {
      options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForInterface(interface));
    } else {
      options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(address));
    }
    group->backend = c10::make_intrusive<c10d::ProcessGroupGloo>(group->store, rank, size, options);
#else
    TORCH_CHECK(false, "built without gloo");
#endif
  });
}

bool fmicl_c10d_all_reduce(Group* group, const at::Tensor* tensor, char** error) {
  return protect(error, [&] { all_reduce(*group, *tensor); });
}

bool fmicl_c10d_broadcast(Group* group, const at::Tensor* tensor, char** error) {
  return protect(error, [&] {
    in_place(*group, *tensor, [&](c10d::Backend& backend, std::vector<at::Tensor>& tensors) {
      c10d::BroadcastOptions options;
      options.timeout = group->timeout;
      return backend.broadcast(tensors, options);
    });
  });
}

// `all` is `[size, ...]`, contiguous.
bool fmicl_c10d_all_gather(Group* group, const at::Tensor* tensor, const at::Tensor* all, char** error) {
  return protect(error, [&] {
    std::vector<at::Tensor> inputs{tensor->contiguous()};
    std::vector<std::vector<at::Tensor>> outputs{all->unbind(0)};
    c10d::AllgatherOptions options;
    options.timeout = group->timeout;
    backend(*group).allgather(outputs, inputs, options)->wait(group->timeout);
  });
}

at::Tensor* fmicl_c10d_sum(Group* group, const at::Tensor* summand, char** error) {
  at::Tensor* sum = nullptr;
  protect(error, [&] { sum = new at::Tensor(Sum::apply(*summand, reinterpret_cast<int64_t>(group))); });
  return sum;
}

bool fmicl_c10d_set(Group* group, const char* key, const char* value, char** error) {
  return protect(error, [&] { group->store->set(key, std::vector<uint8_t>(value, value + strlen(value))); });
}

// The value of a key that is set within that time, to be freed; null and no error where it is not.
char* fmicl_c10d_get(Group* group, const char* key, int64_t timeout_ms, char** error) {
  char* value = nullptr;
  protect(error, [&] {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (!group->store->check({key})) {
      if (std::chrono::steady_clock::now() >= deadline) {
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    const auto bytes = group->store->get(key);
    // An empty vector has no data to copy.
    value = strdup(std::string(bytes.begin(), bytes.end()).c_str());
  });
  return value;
}

// Closes the connections to the others, who notice it; the store stays.
void fmicl_c10d_leave(Group* group) {
  char* error = nullptr;
  protect(&error, [&] { group->backend.reset(); });
  free(error);
}

void fmicl_c10d_drop(Group* group) {
  fmicl_c10d_leave(group);
  delete group;
}

void fmicl_c10d_free(char* text) {
  free(text);
}

} // extern "C"
