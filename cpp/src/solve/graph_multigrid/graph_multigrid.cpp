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
class OnLevels : public GraphMultigrid {
public:
    OnLevels(const ScaledMatrix& scaled, const Buffer<float>& near_null, int columns, const CycleOptions& options,
             const Context& context)
        : options_(options),
          context_(context),
          scale_(scaled.scale),
          entries_(scaled.A.nonzeros()),
          split_(graph::split_rows(scaled, near_null, columns, context)) {
        if (split_.is_worthwhile()) {
            levels_ = graph::make_levels(graph::level_of(std::move(split_.matrix)), split_.near_null, columns,
                                         options.lanes, context);
            split_.near_null = {};
            of_anchored_ = Buffer<float>(options.lanes * split_.anchored.size());
            ranges_of_anchored_ = graph::ranges_of_rows(split_.to_coupled.rows, split_.to_coupled.row_start.data());
        } else {
            split_ = {};
            levels_ = graph::make_levels(graph::level_of(scaled, context), near_null, columns, options.lanes, context);
        }
        coarsest_ = graph::make_dense_solve(levels_.back().A, context);
    }

    void apply(const double* r, double* z) override { apply_lanes<1>(r, z); }
    void apply_side_by_side(int lanes, const float* r, float* z) override {
        if (lanes == 1) {
            apply_lanes<1>(r, z);
        } else {
            apply_lanes<4>(r, z);
        }
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
    template <int lanes, class Value>
    void apply_lanes(const Value* r, Value* z) {
        if (split_.coupled.size() + split_.anchored.size() > 0) {
            apply_by_blocks<lanes>(r, z);
            return;
        }
        graph::Level& finest = levels_.front();
        each(finest.A.rows, context_, [&](std::int64_t i) { take<lanes>(r, i, finest.r.data() + lanes * i); });
        graph::run_cycle(levels_, coarsest_.get(), options_.degree, lanes, context_);
        each(finest.A.rows, context_, [&](std::int64_t i) { put<lanes>(finest.x.data() + lanes * i, i, z); });
    }

    template <int lanes, class Value>
    void apply_by_blocks(const Value* r, Value* z) {
        graph::Level& finest = levels_.front();
        each(split_.anchored.size(), context_,
             [&](std::int64_t i) { take<lanes>(r, split_.anchored[i], of_anchored_.data() + lanes * i); });
        const graph::MatrixView E = split_.to_anchored.view();
        graph::for_ranges(finest.ranges, context_, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                float* to = finest.r.data() + lanes * i;
                take<lanes>(r, split_.coupled[i], to);
                const RowProduct<lanes> sum = row_product<lanes>(E, i, of_anchored_.data());
                for (int c = 0; c < lanes; ++c) {
                    to[c] -= sum.of[c];
                }
            }
        });
        graph::run_cycle(levels_, coarsest_.get(), options_.degree, lanes, context_);
        each(split_.coupled.size(), context_,
             [&](std::int64_t i) { put<lanes>(finest.x.data() + lanes * i, split_.coupled[i], z); });
        const graph::MatrixView F = split_.to_coupled.view();
        graph::for_ranges(ranges_of_anchored_, context_, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                RowProduct<lanes> sum = row_product<lanes>(F, i, finest.x.data());
                for (int c = 0; c < lanes; ++c) {
                    sum.of[c] = of_anchored_[lanes * i + c] - sum.of[c];
                }
                put<lanes>(sum.of, split_.anchored[i], z);
            }
        });
    }

    // Takes the numbers of a row of the caller's matrix out of r, and puts them into z.
    template <int lanes, class Value>
    void take(const Value* r, std::int64_t row, float* scaled) const {
        for (int c = 0; c < lanes; ++c) {
            scaled[c] = static_cast<float>(r[lanes * row + c] * scale_[row]);
        }
    }
    template <int lanes, class Value>
    void put(const float* scaled, std::int64_t row, Value* z) const {
        for (int c = 0; c < lanes; ++c) {
            z[lanes * row + c] = static_cast<Value>(scaled[c] * scale_[row]);
        }
    }

    CycleOptions options_;
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

std::unique_ptr<GraphMultigrid> make_graph_multigrid(const ScaledMatrix& scaled, const Buffer<float>& near_null,
                                                     int columns, const CycleOptions& options, const Context& context) {
    return std::make_unique<OnLevels>(scaled, near_null, columns, options, context);
}

}  // namespace trimatte
