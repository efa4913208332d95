// Runs a program in ExecuTorch's runtime without Python, on inputs of ones, and prints what it took as one JSON object.
// Usage: runner PROGRAM.pte [RUNS]. Built by benchmarks/lowered.py against the libraries in the executorch wheel.
#include <executorch/extension/module/module.h>
#include <executorch/extension/tensor/tensor.h>
#include <sched.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

using executorch::extension::Module;

namespace {

double clock_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double processor_s() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec + 1e-9 * now.tv_nsec;
}

double peak_mb() {
  const std::string key = "VmHWM:";
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(key, 0) == 0) return std::atof(line.c_str() + key.size()) / 1024;
  }
  return 0;
}

}  // namespace

int main(int count, char** given) {
  if (count < 2) return 2;
  const int runs = count > 2 ? std::atoi(given[2]) : 20;
  // The wheel has no header for the number of threads: one core is as many as there are cores to use.
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  sched_setaffinity(0, sizeof one, &one);
  const double before = peak_mb(), begun = clock_s();
  Module module(given[1], Module::LoadMode::Mmap);
  if (module.load_forward() != executorch::runtime::Error::Ok) return 1;
  const double loaded = clock_s();
  const auto meta = module.method_meta("forward");
  std::vector<executorch::extension::TensorPtr> held;
  std::vector<executorch::runtime::EValue> inputs;
  for (size_t at = 0; at < meta->num_inputs(); ++at) {
    const auto told = meta->input_tensor_meta(at);
    const std::vector<executorch::aten::SizesType> sizes(told->sizes().begin(), told->sizes().end());
    held.push_back(executorch::extension::ones(sizes, told->scalar_type()));
    inputs.push_back(*held.back());
  }
  if (!module.forward(inputs).ok()) return 1;
  const double first = clock_s(), worked = processor_s();
  for (int run = 0; run < runs; ++run) module.forward(inputs);
  const double cpu = (processor_s() - worked) / runs;
  std::printf("{\"empty_mb\": %.1f, \"load_s\": %.4f, \"first_s\": %.4f, \"cpu_s\": %.5f, \"peak_mb\": %.1f}\n", before,
              loaded - begun, first - loaded, cpu, peak_mb());
}
