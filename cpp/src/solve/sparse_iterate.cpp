#include "solve/sparse_iterate.hpp"

#include <cmath>
#include <string>
#include <utility>

#include "base/each.hpp"
#include "base/row_product.hpp"
#include "solve/vector_iterate.hpp"
#include "trimatte/errors.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {
namespace {

class SparseIterate : public VectorIterate {
public:
    SparseIterate(const Problem& problem, const ScaledMatrix& scaled, std::unique_ptr<Preconditioner> preconditioner,
                  std::unique_ptr<Deflation> deflation, const Context& context)
        : VectorIterate(problem, scaled.scale, std::move(preconditioner), context),
          A_(scaled.A),
          deflation_(std::move(deflation)) {}

    std::size_t bytes() const override { return VectorIterate::bytes() + (deflation_ ? deflation_->bytes() : 0); }

    double operator_complexity() const override {
        return VectorIterate::operator_complexity() + (deflation_ ? deflation_->part_of(A_) : 0.0);
    }

private:
    void multiply(const double* v, double* product) override {
        for_tasks([&](std::int64_t, std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                product[i] = row_product(A_, i, v);
            }
        });
    }

    void deflate() override {
        if (deflation_) {
            deflation_->correct(r_.data(), x_.data(), context());
        }
    }

    Measures measured_product() override {
        if (!deflation_) {  // one pass over the rows does both
            return measured([&](std::int64_t i) { w_[i] = row_product(A_, i, z_.data()); });
        }
        multiply(z_.data(), w_.data());
        deflation_->prepare(w_.data(), context());
        return measured([&](std::int64_t i) { deflation_->project(i, z_[i], w_[i]); });
    }

    const Csr& A_;
    std::unique_ptr<Deflation> deflation_;
};

}  // namespace

ScaledMatrix::ScaledMatrix(const Csr& matrix, const Context& context) : A(matrix), scale(matrix.rows) {
    each(matrix.rows, context, [&](std::int64_t i) {
        const double diagonal = matrix.value[matrix.diagonal(i)];
        if (!(diagonal > 0)) {
            throw FactorizationError("matrix: expected a positive diagonal, got " + std::to_string(diagonal) +
                                     " for unknown " + std::to_string(i));
        }
        scale[i] = 1 / std::sqrt(diagonal);
    });
}

std::unique_ptr<Iterate> make_sparse_iterate(const Problem& problem, const ScaledMatrix& scaled,
                                             std::unique_ptr<Preconditioner> preconditioner,
                                             std::unique_ptr<Deflation> deflation, const Context& context) {
    return std::make_unique<SparseIterate>(problem, scaled, std::move(preconditioner), std::move(deflation), context);
}

std::unique_ptr<Preconditioner> make_jacobi(const ScaledMatrix& scaled, const Context& context) {
    return std::make_unique<Jacobi>(scaled.scale, context);
}

}  // namespace trimatte
