#include "solve/graph_multigrid/graph_multigrid.hpp"

#include "solve/graph_multigrid/hierarchy.hpp"

namespace trimatte {
namespace {

class GraphMultigrid : public Preconditioner {
public:
    GraphMultigrid(const Csr& A, const Buffer<float>& near_null, int columns, const Context& context)
        : context_(context),
          levels_(graph::make_levels(A, near_null, columns, context)),
          coarsest_(graph::make_dense_solve(levels_.back().A, context)) {}

    void apply(const double* r, double* z) override {
        graph::Level& finest = levels_.front();
        const auto each = [&](const auto& body) {
            parallel_ranges(finest.A.rows, context_.threads, context_.monitor,
                            [&](std::int64_t begin, std::int64_t end) {
                                for (std::int64_t i = begin; i < end; ++i) {
                                    body(i);
                                }
                            });
        };
        each([&](std::int64_t i) { finest.r[i] = static_cast<float>(r[i]); });
        graph::run_cycle(levels_, coarsest_.get(), context_);
        each([&](std::int64_t i) { z[i] = finest.x[i]; });
    }

    std::size_t bytes() const override {
        std::size_t sum = coarsest_ ? coarsest_->bytes() : 0;
        for (const graph::Level& level : levels_) {
            sum += level.bytes();
        }
        return sum;
    }

    double operator_complexity() const override {
        double entries = 0;
        for (const graph::Level& level : levels_) {
            entries += static_cast<double>(level.A.nonzeros());
        }
        return entries / static_cast<double>(levels_.front().A.nonzeros());
    }

private:
    Context context_;
    std::vector<graph::Level> levels_;
    std::unique_ptr<graph::DenseSolve> coarsest_;
};

}  // namespace

std::unique_ptr<Preconditioner> make_graph_multigrid(const Csr& A, const Buffer<float>& near_null, int columns,
                                                     const Context& context) {
    return std::make_unique<GraphMultigrid>(A, near_null, columns, context);
}

}  // namespace trimatte
