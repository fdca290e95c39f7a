// The vectors of conjugate gradients on sparse rows, with any preconditioner. This header is
// private to the core.
#pragma once

#include <memory>

#include "solve/iterate.hpp"
#include "solve/preconditioner.hpp"
#include "trimatte/parallel.hpp"
#include "trimatte/problem.hpp"

namespace trimatte {

// The matrix D^-1/2 A D^-1/2, where D is the diagonal of A, and D^-1/2 itself as `scale`.
struct ScaledMatrix {
    Csr A;
    Buffer<double> scale;

    // Throws FactorizationError if a diagonal entry is not positive.
    ScaledMatrix(const Csr& matrix, const Context& context);
};

// The preconditioner must have been made for `scaled.A`.
class SparseIterate : public Iterate {
public:
    SparseIterate(const Problem& problem, const ScaledMatrix& scaled, std::unique_ptr<Preconditioner> preconditioner,
                  const Context& context);

    void set_start(const double* start, double share) override;
    void clear() override;
    Norms settle() override;
    void set_noise() override;
    double residual2() const override;
    Measures precondition(double alpha, double beta) override;
    void finish(double alpha, double beta) override;
    void get(double* x) const override;
    std::size_t bytes() const override;
    double operator_complexity() const override { return preconditioner_->operator_complexity(); }

private:
    std::int64_t n() const { return scaled_.A.rows; }
    Measures measured_product();

    const Problem& problem_;
    const ScaledMatrix& scaled_;
    std::unique_ptr<Preconditioner> preconditioner_;
    Context context_;
    Buffer<double> x_, r_, z_, p_, q_, w_;
};

}  // namespace trimatte
