#include "solve/graph_multigrid/graph_multigrid.hpp"

#include <algorithm>

#include "solve/graph_multigrid/hierarchy.hpp"
#include "solve/graph_multigrid/split_rows.hpp"

namespace trimatte {
namespace {

// Applies multigrid B to all rows, or to the coupled rows only. In the second case it is
//     M^-1 = | I  -F | | I  0 | |  I  0 |
//            | 0   I | | 0  B | | -E  I |
// where the rows that are alone come first, and E and F = E^T are the blocks off the diagonal. This
// is a symmetric step of block Gauss-Seidel.
class GraphMultigrid : public Preconditioner {
public:
    GraphMultigrid(const Csr& A, const Buffer<float>& near_null, int columns, const Context& context)
        : context_(context), entries_(A.nonzeros()), split_(graph::split_rows(A, near_null, columns, context)) {
        if (split_.is_worthwhile()) {
            levels_ = graph::make_levels(graph::level_of(std::move(split_.matrix)), split_.near_null, columns, context);
            split_.near_null = {};
            of_alone_ = Buffer<float>(split_.alone.size());
            ranges_of_alone_ = graph::ranges_of_rows(split_.to_coupled.rows, split_.to_coupled.row_start.data());
        } else {
            split_ = {};
            levels_ = graph::make_levels(graph::level_of(A, context), near_null, columns, context);
        }
        coarsest_ = graph::make_dense_solve(levels_.back().A, context);
    }

    void apply(const double* r, double* z) override {
        if (split_.coupled.size() + split_.alone.size() > 0) {
            apply_by_blocks(r, z);
            return;
        }
        graph::Level& finest = levels_.front();
        each(finest.A.rows, [&](std::int64_t i) { finest.r[i] = static_cast<float>(r[i]); });
        graph::run_cycle(levels_, coarsest_.get(), context_);
        each(finest.A.rows, [&](std::int64_t i) { z[i] = finest.x[i]; });
    }

    std::size_t bytes() const override {
        std::size_t sum = split_.bytes() + of_alone_.bytes() + (coarsest_ ? coarsest_->bytes() : 0);
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
    template <class Body>
    void each(std::int64_t size, const Body& body) {
        parallel_ranges(size, context_.threads, context_.monitor, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                body(i);
            }
        });
    }

    void apply_by_blocks(const double* r, double* z) {
        graph::Level& finest = levels_.front();
        each(split_.alone.size(), [&](std::int64_t i) { of_alone_[i] = static_cast<float>(r[split_.alone[i]]); });
        const graph::MatrixView E = split_.to_alone.view();
        graph::for_ranges(finest.ranges, context_, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                finest.r[i] = static_cast<float>(r[split_.coupled[i]]) - graph::row_product(E, i, of_alone_.data());
            }
        });
        graph::run_cycle(levels_, coarsest_.get(), context_);
        each(split_.coupled.size(), [&](std::int64_t i) { z[split_.coupled[i]] = finest.x[i]; });
        const graph::MatrixView F = split_.to_coupled.view();
        graph::for_ranges(ranges_of_alone_, context_, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                z[split_.alone[i]] = of_alone_[i] - graph::row_product(F, i, finest.x.data());
            }
        });
    }

    Context context_;
    std::int64_t entries_;    // the number of entries of A
    graph::SplitRows split_;  // empty if multigrid works on all rows
    std::vector<graph::Level> levels_;
    std::unique_ptr<graph::DenseSolve> coarsest_;
    Buffer<float> of_alone_;
    std::vector<std::int64_t> ranges_of_alone_;
};

}  // namespace

std::unique_ptr<Preconditioner> make_graph_multigrid(const Csr& A, const Buffer<float>& near_null, int columns,
                                                     const Context& context) {
    return std::make_unique<GraphMultigrid>(A, near_null, columns, context);
}

}  // namespace trimatte
