// Measures the nanoseconds per slot of the inner loops of multigrid, and the bandwidth of the
// memory: `make kernels`. docs/design/multigrid.md discusses the numbers.
//
// The grids consist of strips of pixels as long as a row of hair is wide. One grid is so small that
// it stays in the second-level cache, the other so large that everything comes from memory. One
// thread runs, and the least time of many runs counts. TRIMATTE_SIMD chooses the instruction set.
#include "simd/kernels.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <thread>
#include <vector>

#include "trimatte/buffer.hpp"
#include "trimatte/grid.hpp"

namespace {

using namespace trimatte;

double least_seconds(int runs, const std::function<void()>& body) {
    double least = 1e9;
    for (int i = 0; i < runs; ++i) {
        const auto start = std::chrono::steady_clock::now();
        body();
        least = std::min(least, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return least;
}

template <class T>
Buffer<T> filled(std::int64_t size, T value) {
    Buffer<T> buffer(size);
    std::fill(buffer.begin(), buffer.end(), value);
    return buffer;
}

// Returns the gigabytes per second that the threads read together.
double bandwidth(int threads) {
    constexpr std::int64_t size = 64 << 20;
    std::vector<Buffer<float>> arrays;
    for (int i = 0; i < threads; ++i) {
        arrays.push_back(filled(size, 1.0f));
    }
    std::vector<double> sums(static_cast<std::size_t>(threads));
    const double seconds = least_seconds(5, [&] {
        std::vector<std::thread> readers;
        for (int i = 0; i < threads; ++i) {
            readers.emplace_back([&, i] {
                const auto at = static_cast<std::size_t>(i);
                sums[at] = simd::kernels().dot(size, arrays[at].data(), arrays[at].data());
            });
        }
        for (std::thread& reader : readers) {
            reader.join();
        }
    });
    return static_cast<double>(threads * size) * sizeof(float) / seconds / 1e9;
}

std::int64_t slots_of(const Grid& grid) {
    std::int64_t slots = 0;
    for (const Piece* p = grid.pieces_begin(0); p != grid.pieces_end(grid.height() - 1); ++p) {
        slots += p->size;
    }
    return slots;
}

// Makes a grid with a strip of `width` cells in every row of cells; the strips are shifted by up to
// two cells.
Grid strips(std::int64_t rows, std::int64_t width, std::int64_t cell, std::int64_t reach) {
    const std::int64_t columns = width + 2;
    std::vector<std::uint8_t> active(static_cast<std::size_t>(rows * columns), 0);
    for (std::int64_t cy = 0; cy < rows; ++cy) {
        std::fill_n(active.begin() + cy * columns + cy % 3, width, std::uint8_t{1});
    }
    return {rows * cell, columns * cell, cell, reach, active};
}

template <class Row>
void report(const char* name, const Grid& grid, const Row& row) {
    const double seconds = least_seconds(30, [&] {
        for (std::int64_t y = 0; y < grid.height(); ++y) {
            row(y, grid.pieces_begin(y), grid.pieces_end(y));
        }
    });
    std::printf("  %-34s %6.2f ns\n", name, seconds / static_cast<double>(slots_of(grid)) * 1e9);
}

void pixels(std::int64_t rows) {
    const Grid grid = strips(rows, 48, 4, 2);
    const std::int64_t n = grid.slots();
    const simd::Kernels& kernels = simd::kernels();
    const auto hi = filled(12 * n, 1e-3f), lo = filled(12 * n, 1e-10f);
    auto d = filled(n, 1e-3f), next = filled(n, 1e-3f), r = filled(n, 1e-3f), x = filled(n, 1e-3f);
    auto wide_r = filled(n, 1e-3), q = filled(n, 1e-3), scale = filled(n, 1e-3), w = filled(n, 0.0);
    report("pixel: product with smoothing", grid, [&](std::int64_t, const Piece* begin, const Piece* end) {
        kernels.pixels.smooth(hi.data(), n, begin, end, nullptr, true, 0.1f, 0.1f, 0.0f, d.data(), r.data(),
                              next.data(), x.data());
    });
    report("pixel: A z in double", grid, [&](std::int64_t, const Piece* begin, const Piece* end) {
        double sums[4] = {};
        kernels.measured_product(hi.data(), lo.data(), n, begin, end, d.data(), wide_r.data(), q.data(), scale.data(),
                                 w.data(), sums);
    });
}

void cells(std::int64_t rows) {
    const Grid grid = strips(rows, 16, 3, 1);
    const std::int64_t n = grid.slots();
    const auto A = filled(64 * n, 1e-3f);
    auto carry = filled(12 * n, 1e-3f);
    auto d = filled(4 * n, 1e-3f), next = filled(4 * n, 1e-3f), r = filled(4 * n, 1e-3f), x = filled(4 * n, 1e-3f);
    report("cell: product with smoothing", grid, [&](std::int64_t, const Piece* begin, const Piece* end) {
        simd::kernels().cells.smooth(A.data(), n, begin, end, carry.data(), true, 0.1f, 0.1f, 0.0f, d.data(), r.data(),
                                     next.data(), x.data());
    });
}

}  // namespace

int main() {
    std::printf("%s; read from memory: %.1f GB/s with one thread, %.1f GB/s with two\n", simd::level_name(),
                bandwidth(1), bandwidth(2));
    std::printf("in the cache:\n");
    pixels(10);
    cells(10);
    std::printf("from memory:\n");
    pixels(1000);
    cells(4000);
}
