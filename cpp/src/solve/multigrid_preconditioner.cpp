#include "trimatte/multigrid_preconditioner.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "base/zeros.hpp"
#include "solve/graph_multigrid/graph_multigrid.hpp"
#include "solve/multigrid/multigrid.hpp"
#include "solve/scaled_matrix.hpp"

namespace trimatte {
namespace {

// The multigrid for graphs, with the pattern and the diagonal of its matrix. The levels have their
// own numbers, so that those of the matrix are let go.
class OfMatrix : public Preconditioner {
public:
    OfMatrix(Problem&& problem, const Context& context)
        : matrix_(std::move(problem.matrix)),
          scaled_(matrix_, context),
          inverse_(make_graph_multigrid(scaled_, near_null(problem, scaled_.scale, context), 1 + problem.channels, {},
                                        context)) {
        matrix_.value = {};
    }

    void apply(const double* r, double* z) override { inverse_->apply(r, z); }
    std::size_t bytes() const override { return matrix_.bytes() + scaled_.scale.bytes() + inverse_->bytes(); }
    double operator_complexity() const override { return inverse_->operator_complexity(); }

private:
    Csr matrix_;
    ScaledMatrix scaled_;
    std::unique_ptr<Preconditioner> inverse_;
};

// A stencil has no room for entries of pixels that are farther apart.
void refuse_far_entries(const Problem& problem) {
    const Csr& A = problem.matrix;
    const std::int64_t width = problem.width;
    for (std::int64_t i = 0; i < A.rows; ++i) {
        for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
            const std::int64_t p = problem.pixel[i], q = problem.pixel[A.column[k]];
            if (std::max(std::abs(p / width - q / width), std::abs(p % width - q % width)) > Stencil::reach) {
                throw std::invalid_argument("matrix: expected entries of pixels at most " +
                                            std::to_string(Stencil::reach) + " apart for kind multigrid, row " +
                                            std::to_string(i) + " is different; choose graph-multigrid");
            }
        }
    }
}

std::unique_ptr<Preconditioner> make_inverse(Problem&& problem, Solver kind, const Context& context) {
    context.monitor.phase("hierarchy");
    if (kind == Solver::multigrid) {
        refuse_far_entries(problem);
        problem.rhs = zeros<double>(problem.unknowns(), context);
        return make_multigrid(problem, context);
    }
    return std::make_unique<OfMatrix>(std::move(problem), context);
}

}  // namespace

MultigridPreconditioner::MultigridPreconditioner(Problem&& problem, Solver kind, const Context& context)
    : unknowns_(problem.unknowns()), inverse_(make_inverse(std::move(problem), kind, context)) {
    context.monitor.finish();
}

MultigridPreconditioner::~MultigridPreconditioner() = default;
MultigridPreconditioner::MultigridPreconditioner(MultigridPreconditioner&&) noexcept = default;

void MultigridPreconditioner::apply(const double* r, double* z) { inverse_->apply(r, z); }
std::size_t MultigridPreconditioner::bytes() const { return inverse_->bytes(); }
double MultigridPreconditioner::operator_complexity() const { return inverse_->operator_complexity(); }

}  // namespace trimatte
