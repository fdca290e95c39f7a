#include "solve/multigrid/islands.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "trimatte/parallel.hpp"

namespace trimatte {
namespace {

// One thread factorises E^T A E, and a stop is not noticed meanwhile. This number of islands takes
// 0.2 s.
constexpr std::size_t islands_at_most = 50000;

}  // namespace

std::unique_ptr<Islands> Islands::find(const Stencil& stencil, const Context& context) {
    const LooseParts parts = find_loose_parts(stencil, context);
    if (parts.energy.empty() || parts.energy.size() > islands_at_most) {
        return nullptr;
    }
    std::unique_ptr<Islands> islands(new Islands(stencil, parts, context));
    return islands->factor_.info() == Eigen::Success ? std::move(islands) : nullptr;
}

Islands::Islands(const Stencil& stencil, const LooseParts& parts, const Context& context)
    : stencil_(stencil), context_(context), start_(parts.energy.size() + 1, 0) {
    const Labels& island = parts.part;
    const std::int64_t n = stencil.grid.slots();
    for (std::int64_t i = 0; i < n; ++i) {
        if (island[i] != nothing) {
            ++start_[static_cast<std::size_t>(island[i]) + 1];
        }
    }
    std::partial_sum(start_.begin(), start_.end(), start_.begin());
    slot_.resize(static_cast<std::size_t>(start_.back()));
    std::vector<std::int64_t> next(start_.begin(), start_.end() - 1);
    for (std::int64_t i = 0; i < n; ++i) {
        if (island[i] != nothing) {
            slot_[static_cast<std::size_t>(next[static_cast<std::size_t>(island[i])]++)] = i;
        }
    }
    Matrix matrix = coupling(parts);
    scale_ = matrix.diagonal().cwiseMax(std::numeric_limits<double>::min()).cwiseSqrt().cwiseInverse();
    matrix = scale_.asDiagonal() * matrix * scale_.asDiagonal();
    factor_.compute(matrix);
}

// Returns the lower triangle of E^T A E.
Islands::Matrix Islands::coupling(const LooseParts& parts) const {
    const Labels& island = parts.part;
    std::vector<Eigen::Triplet<double>> entries;
    std::int32_t here = nothing;
    // Couplings of the last pixels, which belong to one island, to other islands.
    std::vector<std::pair<std::int32_t, double>> others;
    const auto end_run = [&](std::int32_t next) {
        for (const auto& [other, value] : others) {
            entries.emplace_back(std::max(here, other), std::min(here, other), value);
        }
        others.clear();
        here = next;
    };
    for (std::int64_t y = 0; y < stencil_.grid.height(); ++y) {
        context_.monitor.poll();
        for_pixels(
            stencil_.grid, y, [&](std::int64_t i) { return island[i] != nothing; },
            [&](const std::int64_t* at) {
                if (island[at[0]] != here) {
                    end_run(island[at[0]]);
                }
                const double e = 1 / stencil_.scale[at[0]];
                for_entries(stencil_, at, [&](std::int64_t other, std::int64_t entry) {
                    if (stencil_.hi[entry] == 0 || island[other] == nothing || island[other] == here) {
                        return;
                    }
                    const double value = entry_of(stencil_, entry) * e / stencil_.scale[other];
                    const auto known = std::find_if(others.begin(), others.end(),
                                                    [&](const auto& pair) { return pair.first == island[other]; });
                    if (known == others.end()) {
                        others.emplace_back(island[other], value);
                    } else {
                        known->second += value;
                    }
                });
            });
    }
    end_run(nothing);
    for (std::int32_t c = 0; c < count(); ++c) {
        entries.emplace_back(c, c, parts.energy[static_cast<std::size_t>(c)]);
    }
    Matrix lower(count(), count());
    lower.setFromTriplets(entries.begin(), entries.end());
    return lower;
}

template <class T>
void Islands::correct(const double* u, double sign, T* v) const {
    constexpr std::int64_t at_once = 64;
    const auto for_islands = [&](const auto& body) {
        parallel_for((count() + at_once - 1) / at_once, context_.threads, context_.monitor, [&](std::int64_t task) {
            for (std::int64_t c = task * at_once; c < std::min((task + 1) * at_once, count()); ++c) {
                const std::int64_t end = start_[static_cast<std::size_t>(c) + 1];
                for (std::int64_t k = start_[static_cast<std::size_t>(c)]; k < end; ++k) {
                    const std::int64_t i = slot_[static_cast<std::size_t>(k)];
                    body(c, i, 1 / stencil_.scale[i]);
                }
            }
        });
    };
    Eigen::VectorXd sums = Eigen::VectorXd::Zero(count());
    for_islands([&](std::int64_t c, std::int64_t i, double e) { sums[c] += e * u[i]; });
    const Eigen::VectorXd by = sign * scale_.cwiseProduct(factor_.solve(scale_.cwiseProduct(sums)));
    for_islands([&](std::int64_t c, std::int64_t i, double e) { v[i] = static_cast<T>(v[i] + by[c] * e); });
}

template void Islands::correct(const double*, double, double*) const;
template void Islands::correct(const double*, double, float*) const;

std::size_t Islands::bytes() const {
    return (start_.size() + slot_.size()) * sizeof(std::int64_t) +
           static_cast<std::size_t>(factor_.matrixL().nestedExpression().nonZeros()) * (sizeof(double) + sizeof(int));
}

}  // namespace trimatte
