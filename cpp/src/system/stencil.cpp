#include "trimatte/stencil.hpp"

#include <cmath>
#include <stdexcept>

#include "trimatte/problem.hpp"

namespace trimatte {

void Stencil::allocate() {
    const std::int64_t n = grid.slots();
    const auto make = [&](auto& buffer, std::int64_t planes) {
        buffer = std::remove_reference_t<decltype(buffer)>(planes * n);
        for (std::int64_t p = 0; p < planes; ++p) {
            auto* plane = buffer.data() + p * n;
            std::fill(plane, plane + grid.first_slot(), 0);
            std::fill(plane + grid.last_row_slot(), plane + n, 0);
        }
    };
    make(hi, offsets);
    make(lo, offsets);
    make(scale, 1);
    make(rhs, 1);
    make(colours, channels);
}

Stencil make_stencil(const Problem& problem) {
    if (problem.reach > Stencil::reach) {
        throw std::invalid_argument("solver: multigrid needs radius 1");
    }
    const Csr& A = problem.matrix;
    const std::int64_t k = Stencil::pixels_per_cell;
    const std::int64_t columns = (problem.width + k - 1) / k;
    std::vector<std::uint8_t> active(static_cast<std::size_t>((problem.height + k - 1) / k * columns), 0);
    for (const std::int32_t p : problem.pixel) {
        active[static_cast<std::size_t>(p / problem.width / k * columns + p % problem.width / k)] = 1;
    }
    Stencil stencil;
    stencil.grid = Grid(problem.height, problem.width, k, Stencil::reach, active);
    const std::int64_t n = stencil.grid.slots();
    stencil.channels = problem.channels;
    stencil.allocate();
    for (Buffer<float>* planes : {&stencil.hi, &stencil.lo, &stencil.colours}) {
        std::fill(planes->begin(), planes->end(), 0.0f);
    }
    for (Buffer<double>* plane : {&stencil.scale, &stencil.rhs}) {
        std::fill(plane->begin(), plane->end(), 0.0);
    }
    std::vector<std::int64_t> slot(static_cast<std::size_t>(problem.unknowns()));
    for (std::int64_t i = 0; i < problem.unknowns(); ++i) {
        const std::int64_t at = stencil.grid.slot(problem.pixel[i] / problem.width, problem.pixel[i] % problem.width);
        slot[static_cast<std::size_t>(i)] = at;
        stencil.scale[at] = 1 / std::sqrt(A.value[A.diagonal(i)]);
        stencil.rhs[at] = problem.rhs[i] * stencil.scale[at];
        for (int c = 0; c < problem.channels; ++c) {
            stencil.colours[c * n + at] = problem.colours[c * problem.unknowns() + i];
        }
    }
    stencil.grid.trim([&](std::int64_t at) { return stencil.scale[at] > 0; });
    for (std::int64_t i = 0; i < problem.unknowns(); ++i) {
        const std::int64_t at = slot[static_cast<std::size_t>(i)];
        for (std::int64_t entry = A.row_start[i]; entry < A.row_start[i + 1]; ++entry) {
            const std::int32_t j = A.column[entry];
            if (j <= i) {
                continue;
            }
            const std::int64_t dy = problem.pixel[j] / problem.width - problem.pixel[i] / problem.width;
            const std::int64_t dx = problem.pixel[j] % problem.width - problem.pixel[i] % problem.width;
            const double a = A.value[entry] * stencil.scale[at] * stencil.scale[slot[static_cast<std::size_t>(j)]];
            const std::int64_t plane = Stencil::plane(static_cast<int>(dy), static_cast<int>(dx)) * n + at;
            stencil.hi[plane] = static_cast<float>(a);
            stencil.lo[plane] = static_cast<float>(a - static_cast<double>(stencil.hi[plane]));
        }
    }
    return stencil;
}

}  // namespace trimatte
