// PyTorch's own c10d behind a dozen C functions: a store that all processes reach, and a process group for tensors.
//
// No exception leaves a function: it returns nothing (null, false) and puts its words in `error`, which the caller frees.

#include <c10/util/ScopeExit.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>
#include <torch/csrc/distributed/c10d/Backend.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#ifdef FMICL_GLOO
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#endif

#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cstdlib>
#include <cstring>
#include <future>
#include <memory>
#include <mutex>
#include <numeric>
#include <string>
#include <thread>

namespace {

class Sums;

struct Group {
  c10::intrusive_ptr<c10d::Store> store;
  // Null once this process has left it.
  c10::intrusive_ptr<c10d::Backend> backend;
  std::chrono::milliseconds timeout;
  // Where the backend wants its tensors.
  c10::Device device = c10::kCPU;
  // The last ones.
  std::weak_ptr<Sums> sums;
  // Message of the first collective that failed. No other one begins after it: gloo stops reading a connection on which data
  // for an abandoned collective waits, so that a later one would wait for ever and not see that the others have left.
  std::string failure;
  // Number that all processes of this meeting have alone: a launcher's store may hold keys of an earlier one.
  int64_t meeting = 0;

  // Key of the store that a process sets when it leaves while others may wait for it.
  std::string has_left() const {
    return "has left/" + std::to_string(meeting);
  }
};

// While there is one, an error is told by its words alone: libtorch's own account of it, with the stack, is printed only where
// TORCH_CPP_LOG_LEVEL is set.
class Quiet {
 public:
  Quiet() {
    static std::once_flag once;
    std::call_once(once, [] {
      if (is_asked()) {
        c10::initLogging();
      }
    });
    const std::lock_guard<std::mutex> lock(mutex());
    if (!is_asked() && depth()++ == 0) {
      before() = FLAGS_caffe2_log_level;
      FLAGS_caffe2_log_level = 3; // GLOG_FATAL, whose namespace depends on how libtorch was built.
    }
  }

  ~Quiet() {
    const std::lock_guard<std::mutex> lock(mutex());
    if (!is_asked() && --depth() == 0) {
      FLAGS_caffe2_log_level = before();
    }
  }

  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  static bool is_asked() {
    static const bool asked = std::getenv("TORCH_CPP_LOG_LEVEL");
    return asked;
  }

  // A thread that nobody waits for may end one when the process's variables are gone: these stay.
  static std::mutex& mutex() {
    static auto* const mutex = new std::mutex;
    return *mutex;
  }

  static int& depth() {
    static int depth = 0;
    return depth;
  }

  static int& before() {
    static int before = 0;
    return before;
  }
};

template <typename F>
bool protect(char** error, F&& work) {
  const Quiet quiet;
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

// What a store gives. One that is there answers at once; over a link that is cut a call would wait for ever, so that it is left to
// a thread of its own, which nobody waits for.
template <typename F>
auto ask(const Group& group, F&& call) {
  using Answer = decltype(call(*group.store));
  std::packaged_task<Answer()> task([store = group.store, call] {
    const Quiet quiet;
    return call(*store);
  });
  auto answer = task.get_future();
  std::thread(std::move(task)).detach();
  const auto patience = std::chrono::seconds(5);
  TORCH_CHECK(answer.wait_for(patience) == std::future_status::ready, "the store does not answer");
  return answer.get();
}

c10d::Backend& backend(Group& group) {
  TORCH_CHECK(group.failure.empty(), group.failure);
  TORCH_CHECK(group.backend, "this process has left the others");
  return *group.backend;
}

// Rethrows the exception of a sum of gradients that has failed meanwhile.
void check_sums(const Group& group);

// Waits in slices. The end of a connection may go unseen (see `failure`), so that between slices the other collectives of this
// process and the store are asked.
void wait_watching(Group& group, c10d::Work& work) {
  const auto deadline = std::chrono::steady_clock::now() + group.timeout;
  bool is_answered = true;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    const auto slice = std::chrono::milliseconds(1000);
    if (left <= slice) {
      // Zero would mean without end.
      work.wait(std::max(left, std::chrono::milliseconds(1)));
      return;
    }
    try {
      work.wait(slice);
      return;
    } catch (...) {
      if (work.isCompleted()) {
        // Its own exception, if it has one: this one may have been of a work that ended a moment later.
        work.wait(slice);
        return;
      }
    }
    check_sums(group);
    bool has_left = false;
    if (is_answered) {
      try {
        has_left = ask(group, [key = group.has_left()](c10d::Store& store) { return store.check({key}); });
      } catch (...) {
        // A store that is slow is no failure of this collective.
        is_answered = false;
      }
    }
    TORCH_CHECK(!has_left || work.isCompleted(), "another process has left");
  }
}

void wait(Group& group, c10d::Work& work) {
  try {
    if (group.device.is_cpu()) {
      wait_watching(group, work);
    } else {
      // NCCL watches itself, and takes a timeout for a failure.
      work.wait(group.timeout);
    }
  } catch (const c10::Error& e) {
    group.failure = e.what_without_backtrace();
    throw;
  } catch (const std::exception& e) {
    group.failure = e.what();
    throw;
  }
}

// A call that works on a tensor in place; a backend wants its elements to lie together, and on its device.
template <typename F>
void in_place(Group& group, const at::Tensor& tensor, F&& call) {
  std::vector<at::Tensor> tensors{tensor.to(group.device).contiguous()};
  wait(group, *call(backend(group), tensors));
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

void broadcast(Group& group, const at::Tensor& tensor) {
  in_place(group, tensor, [&](c10d::Backend& backend, std::vector<at::Tensor>& tensors) {
    c10d::BroadcastOptions options;
    options.timeout = group.timeout;
    return backend.broadcast(tensors, options);
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

// The sums of gradients over all processes, a bucket each. One begins when the backward pass has made all gradients of its bucket,
// and of those before it: so their order is the same in all processes. It is the order in which the buckets of the first
// process were ready in the first step; in that step it is that of the buckets.
class Sums {
 public:
  // A bucket's gradients, and to which bucket each variable belongs.
  Sums(Group* group, std::vector<at::Tensor> buckets, std::vector<size_t> bucket_of)
      : group_(group), buckets_(std::move(buckets)), bucket_of_(std::move(bucket_of)), order_(buckets_.size()) {
    std::iota(order_.begin(), order_.end(), 0);
  }

  void begin() {
    const std::lock_guard lock(mutex_);
    made_.assign(bucket_of_.size(), false);
    to_come_.assign(buckets_.size(), 0);
    for (const auto bucket : bucket_of_) {
      ++to_come_[bucket];
    }
    ready_.clear();
    works_.clear();
    error_.clear();
    begun_ = true;
  }

  // The gradient of a variable is there. No exception leaves it for the backward pass: finish() has it.
  void made(size_t variable) noexcept {
    const std::lock_guard lock(mutex_);
    if (!begun_ || !error_.empty()) {
      return;
    }
    char* error = nullptr;
    protect(&error, [&] {
      TORCH_CHECK(!made_[variable], "a gradient was made a second time, when its sum may have begun");
      made_[variable] = true;
      const auto bucket = bucket_of_[variable];
      if (--to_come_[bucket] == 0) {
        ready_.push_back(static_cast<int64_t>(bucket));
      }
      while (works_.size() < buckets_.size() && to_come_[order_[works_.size()]] == 0) {
        start();
      }
    });
    if (error) {
      error_ = error;
      free(error);
    }
  }

  // How many sums had begun before it.
  size_t finish() {
    const std::lock_guard lock(mutex_);
    begun_ = false;
    // Where one has failed they would hold the connections to the others open.
    const auto clear = c10::make_scope_exit([&] { works_.clear(); });
    TORCH_CHECK(error_.empty(), error_);
    const auto early = works_.size();
    // What this backward pass has not come by.
    while (works_.size() < buckets_.size()) {
      start();
    }
    for (const auto& work : works_) {
      wait(*group_, *work);
    }
    if (!is_ordered_) {
      take_order();
    }
    return early;
  }

  // The group may go, or is left; variables that are watched stay.
  void close() {
    const std::lock_guard lock(mutex_);
    begun_ = false;
    works_.clear();
  }

  // Rethrows the exception of a sum that has failed.
  void check() {
    const std::lock_guard lock(mutex_);
    for (const auto& work : works_) {
      if (work->isCompleted() && work->exception()) {
        std::rethrow_exception(work->exception());
      }
    }
  }

 private:
  void start() {
    std::vector<at::Tensor> tensors{buckets_[order_[works_.size()]]};
    c10d::AllreduceOptions options;
    options.timeout = group_->timeout;
    works_.push_back(backend(*group_).allreduce(tensors, options));
  }

  // That of the first process: what is ready, then what the backward pass has not come by.
  void take_order() {
    for (size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
      if (to_come_[bucket] > 0) {
        ready_.push_back(static_cast<int64_t>(bucket));
      }
    }
    auto order = at::tensor(ready_, at::kLong);
    broadcast(*group_, order);
    order_.assign(order.data_ptr<int64_t>(), order.data_ptr<int64_t>() + order.numel());
    is_ordered_ = true;
  }

  Group* const group_;
  const std::vector<at::Tensor> buckets_;
  const std::vector<size_t> bucket_of_;
  std::vector<int64_t> order_;
  bool is_ordered_ = false;
  // Of this step: the variables whose gradients are there, how many each bucket lacks, and the buckets that lack none.
  std::vector<bool> made_;
  std::vector<size_t> to_come_;
  std::vector<int64_t> ready_;
  // Of the first buckets in that order.
  std::vector<c10::intrusive_ptr<c10d::Work>> works_;
  bool begun_ = false;
  std::string error_;
  // On GPUs the backward pass is another thread's. finish() waits, which looks at the sums again.
  std::recursive_mutex mutex_;
};

void check_sums(const Group& group) {
  if (const auto sums = group.sums.lock()) {
    sums->check();
  }
}

// Watches a variable.
struct Made : torch::autograd::PostAccumulateGradHook {
  Made(std::shared_ptr<Sums> sums, size_t variable) : sums(std::move(sums)), variable(variable) {}

  void operator()(const at::Tensor&) override {
    sums->made(variable);
  }

  const std::shared_ptr<Sums> sums;
  const size_t variable;
};

// `nccl.cc`.
using MeetNccl = void(
    c10::intrusive_ptr<c10d::Backend>&, const c10::intrusive_ptr<c10d::Store>&, int, int, std::chrono::milliseconds);

// From the bytes of its library, which is of no use on a disk of its own. It stays loaded.
MeetNccl* load_nccl(const char* bytes, size_t size) {
  const int file = memfd_create("fmicl-nccl", MFD_CLOEXEC);
  TORCH_CHECK(file >= 0, "there is no memory for a file: ", strerror(errno));
  size_t written = 0;
  while (written < size) {
    const auto count = write(file, bytes + written, size - written);
    TORCH_CHECK(count > 0, "cannot write NCCL's library to memory: ", strerror(errno));
    written += count;
  }
  void* library = dlopen(("/proc/self/fd/" + std::to_string(file)).c_str(), RTLD_NOW | RTLD_LOCAL);
  close(file);
  TORCH_CHECK(library, "NCCL's library cannot be loaded: ", dlerror());
  return reinterpret_cast<MeetNccl*>(dlsym(library, "fmicl_c10d_nccl"));
}

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

// Meets the others on the GPU of that number. The bytes are those of `nccl.cc`'s library.
bool fmicl_c10d_meet_nccl(
    Group* group, int rank, int size, int gpu, const char* bytes, size_t length, char** error) {
  return protect(error, [&] {
    load_nccl(bytes, length)(group->backend, group->store, rank, size, group->timeout);
    group->device = c10::Device(c10::kCUDA, gpu);
  });
}

bool fmicl_c10d_all_reduce(Group* group, const at::Tensor* tensor, char** error) {
  return protect(error, [&] { all_reduce(*group, *tensor); });
}

bool fmicl_c10d_broadcast(Group* group, const at::Tensor* tensor, char** error) {
  return protect(error, [&] { broadcast(*group, *tensor); });
}

// `all` is `[size, ...]`, contiguous.
bool fmicl_c10d_all_gather(Group* group, const at::Tensor* tensor, const at::Tensor* all, char** error) {
  return protect(error, [&] {
    const auto gathered = all->to(group->device);
    std::vector<at::Tensor> inputs{tensor->to(group->device).contiguous()};
    std::vector<std::vector<at::Tensor>> outputs{gathered.unbind(0)};
    c10d::AllgatherOptions options;
    options.timeout = group->timeout;
    wait(*group, *backend(*group).allgather(outputs, inputs, options));
    if (!gathered.is_same(*all)) {
      all->copy_(gathered);
    }
  });
}

at::Tensor* fmicl_c10d_sum(Group* group, const at::Tensor* summand, char** error) {
  at::Tensor* sum = nullptr;
  protect(error, [&] { sum = new at::Tensor(Sum::apply(*summand, reinterpret_cast<int64_t>(group))); });
  return sum;
}

// Watches the variables, of which each belongs to a bucket of gradients. What was watched before is not any more.
std::shared_ptr<Sums>* fmicl_c10d_sums(
    Group* group, const at::Tensor* const* buckets, size_t bucket_count, const at::Tensor* const* variables,
    const size_t* bucket_of, size_t variable_count, char** error) {
  std::shared_ptr<Sums>* result = nullptr;
  protect(error, [&] {
    backend(*group);
    std::vector<at::Tensor> gradients;
    for (size_t i = 0; i < bucket_count; ++i) {
      gradients.push_back(*buckets[i]);
    }
    const auto sums = std::make_shared<Sums>(
        group, std::move(gradients), std::vector<size_t>(bucket_of, bucket_of + variable_count));
    for (size_t i = 0; i < variable_count; ++i) {
      torch::autograd::impl::set_post_acc_grad_hooks(*variables[i], std::make_unique<Made>(sums, i));
    }
    group->sums = sums;
    result = new std::shared_ptr<Sums>(sums);
  });
  return result;
}

void fmicl_c10d_sums_begin(std::shared_ptr<Sums>* sums) {
  (*sums)->begin();
}

// How many sums had begun before the call.
size_t fmicl_c10d_sums_finish(std::shared_ptr<Sums>* sums, char** error) {
  size_t early = 0;
  protect(error, [&] { early = (*sums)->finish(); });
  return early;
}

void fmicl_c10d_sums_drop(std::shared_ptr<Sums>* sums) {
  (*sums)->close();
  delete sums;
}

void fmicl_c10d_set_meeting(Group* group, int64_t meeting) {
  group->meeting = meeting;
}

bool fmicl_c10d_set(Group* group, const char* key, const char* value, char** error) {
  return protect(error, [&] {
    const std::vector<uint8_t> bytes(value, value + strlen(value));
    ask(*group, [key = std::string(key), bytes](c10d::Store& store) { store.set(key, bytes); });
  });
}

// The value of a key that is set within that time, to be freed; null and no error where it is not.
char* fmicl_c10d_get(Group* group, const char* key, int64_t timeout_ms, char** error) {
  char* value = nullptr;
  protect(error, [&] {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    const std::string name(key);
    while (!ask(*group, [name](c10d::Store& store) { return store.check({name}); })) {
      if (std::chrono::steady_clock::now() >= deadline) {
        return;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    const auto bytes = ask(*group, [name](c10d::Store& store) { return store.get(name); });
    // An empty vector has no data to copy.
    value = strdup(std::string(bytes.begin(), bytes.end()).c_str());
  });
  return value;
}

// Tells the others to wait no longer, and closes the connections to them; the store stays.
void fmicl_c10d_leave(Group* group) {
  char* error = nullptr;
  protect(&error, [&] {
    // Those that go on would hold the connections open.
    if (const auto sums = group->sums.lock()) {
      sums->close();
    }
    ask(*group, [key = group->has_left()](c10d::Store& store) { store.set(key, std::vector<uint8_t>{1}); });
    // Gloo's threads may be in a collective that nobody ends: until its timeout the backend cannot be destroyed.
    std::thread([backend = std::move(group->backend)]() mutable {
      const Quiet quiet;
      backend.reset();
    }).detach();
  });
  free(error);
}

// Unlike leaving, it is no news to the others: they may be in the last collective still.
void fmicl_c10d_drop(Group* group) {
  char* error = nullptr;
  protect(&error, [&] {
    if (const auto sums = group->sums.lock()) {
      sums->close();
    }
    delete group;
  });
  free(error);
}

void fmicl_c10d_free(char* text) {
  free(text);
}

} // extern "C"
