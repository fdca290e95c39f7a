// The vectors of conjugate gradients with one number for each unknown, and any preconditioner: on
// sparse rows here, without a matrix in matrix_free_iterate.hpp. This header is private to the
// core.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>

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

// The loops over the vectors, whatever the matrix is.
class VectorIterate : public Iterate {
public:
    // scale: D^-1/2. The preconditioner must have been made for the scaled matrix.
    VectorIterate(const Problem& problem, const Buffer<double>& scale, std::unique_ptr<Preconditioner> preconditioner,
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

protected:
    std::int64_t n() const { return scale_.size(); }
    const Context& context() const { return context_; }
    // Computes product = (D^-1/2 A D^-1/2) v.
    virtual void multiply_scaled(const double* v, double* product) = 0;
    // Sets w = A z and returns the products with z.
    virtual Measures measured_product();
    // Sets w of unknown i, and adds its products with z.
    void add(Measures& m, std::int64_t i, double w) {
        w_[i] = w;
        m.zr += z_[i] * r_[i];
        m.zq += z_[i] * q_[i];
        m.zw += z_[i] * w;
        m.r2 += r_[i] * scale_[i] * (r_[i] * scale_[i]);
        m.largest = std::max(m.largest, std::abs(z_[i] * scale_[i]));
    }
    // Adds the measures of all tasks of this number of unknowns, in the order of the tasks.
    template <class Measure>
    Measures sum_of_tasks(const Measure& measure) const;

    Buffer<double> x_, r_, z_, p_, q_, w_;

private:
    const Problem& problem_;
    const Buffer<double>& scale_;
    std::unique_ptr<Preconditioner> preconditioner_;
    Context context_;
};

class SparseIterate : public VectorIterate {
public:
    SparseIterate(const Problem& problem, const ScaledMatrix& scaled, std::unique_ptr<Preconditioner> preconditioner,
                  const Context& context)
        : VectorIterate(problem, scaled.scale, std::move(preconditioner), context), A_(scaled.A) {}

    std::size_t bytes() const override { return VectorIterate::bytes() + A_.bytes(); }

private:
    void multiply_scaled(const double* v, double* product) override;
    Measures measured_product() override;

    const Csr& A_;
};

}  // namespace trimatte
