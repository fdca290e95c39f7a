#include "solve/graph_multigrid/graph_multigrid.hpp"

#include <algorithm>

#include "base/each.hpp"
#include "solve/graph_multigrid/hierarchy.hpp"
#include "solve/graph_multigrid/split_rows.hpp"

namespace trimatte {
namespace {

// Applies multigrid B to all rows, or to the coupled rows only. In the second case it is
//     M^-1 = | I  -F | | I  0 | |  I  0 |
//            | 0   I | | 0  B | | -E  I |
// where the anchored rows come first, and E and F = E^T are the blocks off the diagonal. This
// is a symmetric step of block Gauss-Seidel. Inside, the system is scaled to unit diagonal.
class GraphMultigrid : public Preconditioner {
public:
    GraphMultigrid(const ScaledMatrix& scaled, const Buffer<float>& near_null, int columns, const Context& context)
        : context_(context),
          scale_(scaled.scale),
          entries_(scaled.A.nonzeros()),
          split_(graph::split_rows(scaled, near_null, columns, context)) {
        if (split_.is_worthwhile()) {
            levels_ = graph::make_levels(graph::level_of(std::move(split_.matrix)), split_.near_null, columns, context);
            split_.near_null = {};
            of_anchored_ = Buffer<float>(split_.anchored.size());
            ranges_of_anchored_ = graph::ranges_of_rows(split_.to_coupled.rows, split_.to_coupled.row_start.data());
        } else {
            split_ = {};
            levels_ = graph::make_levels(graph::level_of(scaled, context), near_null, columns, context);
        }
        coarsest_ = graph::make_dense_solve(levels_.back().A, context);
    }

    void apply(const double* r, double* z) override {
        if (split_.coupled.size() + split_.anchored.size() > 0) {
            apply_by_blocks(r, z);
            return;
        }
        graph::Level& finest = levels_.front();
        each(finest.A.rows, context_, [&](std::int64_t i) { finest.r[i] = static_cast<float>(r[i] * scale_[i]); });
        graph::run_cycle(levels_, coarsest_.get(), context_);
        each(finest.A.rows, context_, [&](std::int64_t i) { z[i] = finest.x[i] * scale_[i]; });
    }

    std::size_t bytes() const override {
        std::size_t sum = split_.bytes() + of_anchored_.bytes() + (coarsest_ ? coarsest_->bytes() : 0);
        for (const graph::Level& level : levels_) {
            sum += level.bytes();
        }
        return sum;
    }

    double operator_complexity() const override {
        double entries = 0;
        for (std::size_t l = 1; l < levels_.size(); ++l) {
            entries += static_cast<double>(levels_[l].A.nonzeros());
        }
        return 1 + entries / static_cast<double>(std::max<std::int64_t>(entries_, 1));
    }

private:
    void apply_by_blocks(const double* r, double* z) {
        graph::Level& finest = levels_.front();
        const auto scaled = [&](std::int32_t row) { return static_cast<float>(r[row] * scale_[row]); };
        each(split_.anchored.size(), context_, [&](std::int64_t i) { of_anchored_[i] = scaled(split_.anchored[i]); });
        const graph::MatrixView E = split_.to_anchored.view();
        graph::for_ranges(finest.ranges, context_, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                finest.r[i] = scaled(split_.coupled[i]) - row_product(E, i, of_anchored_.data());
            }
        });
        graph::run_cycle(levels_, coarsest_.get(), context_);
        each(split_.coupled.size(), context_, [&](std::int64_t i) {
            const std::int32_t row = split_.coupled[i];
            z[row] = finest.x[i] * scale_[row];
        });
        const graph::MatrixView F = split_.to_coupled.view();
        graph::for_ranges(ranges_of_anchored_, context_, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                const std::int32_t row = split_.anchored[i];
                z[row] = (of_anchored_[i] - row_product(F, i, finest.x.data())) * scale_[row];
            }
        });
    }

    Context context_;
    const Buffer<double>& scale_;
    std::int64_t entries_;    // the number of entries of A
    graph::SplitRows split_;  // empty if multigrid works on all rows
    std::vector<graph::Level> levels_;
    std::unique_ptr<graph::DenseSolve> coarsest_;
    Buffer<float> of_anchored_;
    std::vector<std::int64_t> ranges_of_anchored_;
};

}  // namespace

std::unique_ptr<Preconditioner> make_graph_multigrid(const ScaledMatrix& scaled, const Buffer<float>& near_null,
                                                     int columns, const Context& context) {
    return std::make_unique<GraphMultigrid>(scaled, near_null, columns, context);
}

}  // namespace trimatte
