// The program whose work benchmarks/gate/run.py counts: one task on one picture, on one thread,
// without Python.
//
//     trimatte_gate                                prints as JSON what it was built with
//     trimatte_gate task height width folder       runs the task and prints its results as JSON
//
// The folder holds the raw files image (8-bit RGB), labels (one byte each) and alpha (floats). Only
// the work of gate_measured() is counted: callgrind is told its name.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <functional>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "simd/kernels.hpp"
#include "trimatte/affinity.hpp"
#include "trimatte/assemble.hpp"
#include "trimatte/foreground.hpp"
#include "trimatte/image.hpp"
#include "trimatte/monitor.hpp"
#include "trimatte/prior.hpp"
#include "trimatte/solve.hpp"

namespace {

// The bytes that operator new has handed out. Memory that Eigen allocates is not among them;
// SolveInfo::peak_bytes counts it.
std::size_t live_bytes = 0;
std::size_t peak_bytes = 0;
constexpr std::size_t header = alignof(std::max_align_t);

}  // namespace

void* operator new(std::size_t bytes) {
    auto* block = static_cast<char*>(std::malloc(bytes + header));
    if (block == nullptr) {
        throw std::bad_alloc();
    }
    *reinterpret_cast<std::size_t*>(block) = bytes;
    live_bytes += bytes;
    peak_bytes = std::max(peak_bytes, live_bytes);
    return block + header;
}

void operator delete(void* memory) noexcept {
    if (memory != nullptr) {
        char* block = static_cast<char*>(memory) - header;
        live_bytes -= *reinterpret_cast<std::size_t*>(block);
        std::free(block);
    }
}

void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

extern "C" {
#if defined(_MSC_VER)
__declspec(noinline)
#else
__attribute__((noinline))
#endif
void gate_measured(const std::function<void()>& task) {
    task();
}
}

namespace {

using namespace trimatte;

template <typename T>
std::vector<T> load(const std::string& path, std::int64_t count) {
    std::vector<T> data(static_cast<std::size_t>(count));
    const auto bytes = static_cast<std::streamsize>(data.size() * sizeof(T));
    std::ifstream file(path, std::ios::binary);
    if (!file.read(reinterpret_cast<char*>(data.data()), bytes)) {
        throw std::runtime_error(path + ": expected " + std::to_string(bytes) + " bytes");
    }
    return data;
}

Solver solver_named(const std::string& name) {
    if (name == "cholesky") {
        return Solver::cholesky;
    }
    if (name == "multigrid") {
        return Solver::multigrid;
    }
    if (name == "cg") {
        return Solver::conjugate_gradient;
    }
    throw std::runtime_error("unknown task " + name);
}

void run(const std::string& task, std::int64_t height, std::int64_t width, const std::string& folder) {
    const std::int64_t pixels = height * width;
    const auto colours = load<std::uint8_t>(folder + "/image", 3 * pixels);
    const auto labels = load<Label>(folder + "/labels", pixels);
    const ImageView image{colours.data(), PixelType::u8, height, width, 3};
    Monitor monitor;
    std::size_t start = 0;
    const auto measure = [&](const std::function<void()>& call) {
        start = peak_bytes = live_bytes;
        gate_measured(call);
    };
    if (task == "laplacian") {
        Problem problem;
        measure([&] { problem = assemble(ClosedForm(), image, {labels.data()}, Form::sparse, {1, monitor}); });
    } else if (task == "foreground") {
        const auto alpha = load<float>(folder + "/alpha", pixels);
        std::vector<float> foreground(colours.size());
        std::vector<float> background(colours.size());
        measure([&] { multilevel(image, alpha.data(), {}, foreground.data(), background.data(), monitor); });
    } else if (task == "network" || task == "sampling") {
        std::vector<float> alpha(labels.size()), cost(labels.size());
        CompositeNetworkOptions network;
        network.hidden = {32, 32};
        network.steps = 20;
        measure([&] {
            task == "network" ? composite_network(image, labels.data(), network, alpha.data(), monitor)
                              : global_sampling(image, labels.data(), {}, alpha.data(), cost.data(), monitor);
        });
    } else {
        SolveOptions options;
        options.solver = solver_named(task);
        const Problem problem = assemble(ClosedForm(), image, {labels.data()}, Form::sparse, {1, monitor});
        std::vector<double> x(static_cast<std::size_t>(problem.unknowns()), 0.5);
        measure([&] { solve(problem, options, x.data(), monitor); });
    }
    std::printf("{\"allocated_bytes\": %zu}\n", peak_bytes - start);
}

}  // namespace

int main(int count, char** arguments) {
    try {
        if (count == 1) {
            std::printf("{\"compiler\": \"%s\", \"simd\": \"%s\"}\n", TRIMATTE_COMPILER, simd::level_name());
        } else if (count == 5) {
            run(arguments[1], std::stoll(arguments[2]), std::stoll(arguments[3]), arguments[4]);
        } else {
            throw std::runtime_error("expected no arguments, or task, height, width and folder");
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "trimatte_gate: %s\n", error.what());
        return 1;
    }
}
