#include "solve/sparse_iterate.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/each.hpp"
#include "base/random.hpp"
#include "base/zeros.hpp"
#include "trimatte/errors.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {
namespace {

double squared(double value) { return value * value; }

// Returns the sum of term(i) over all unknowns i.
template <class Term>
double sum_of(std::int64_t n, const Context& context, const Term& term) {
    return parallel_sum(n, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        double sum = 0;
        for (std::int64_t i = begin; i < end; ++i) {
            sum += term(i);
        }
        return sum;
    });
}

// Returns row i of A times x.
double row_product(const Csr& A, std::int64_t i, const double* x) {
    // Four sums are added side by side, since a single one would wait for each addition to end.
    double sum[4] = {0, 0, 0, 0};
    std::int64_t k = A.row_start[i];
    const std::int64_t end = A.row_start[i + 1];
    for (; k + 4 <= end; k += 4) {
        for (int lane = 0; lane < 4; ++lane) {
            sum[lane] += A.value[k + lane] * x[A.column[k + lane]];
        }
    }
    for (; k < end; ++k) {
        sum[0] += A.value[k] * x[A.column[k]];
    }
    return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

class SparseIterate : public Iterate {
public:
    SparseIterate(const Problem& problem, const ScaledMatrix& scaled, std::unique_ptr<Preconditioner> preconditioner,
                  std::unique_ptr<Deflation> deflation, const Context& context)
        : problem_(problem),
          A_(scaled.A),
          scale_(scaled.scale),
          preconditioner_(std::move(preconditioner)),
          deflation_(std::move(deflation)),
          context_(context) {
        for (Buffer<double>* vector : {&x_, &r_, &z_, &p_, &q_, &w_}) {
            *vector = zeros<double>(n(), context);
        }
    }

    void set_start(const double* start, double share) override {
        all([&](std::int64_t i) { x_[i] = start[i] + (share > 0 ? share * z_[i] : 0.0); });
    }

    void clear() override { std::fill(x_.begin(), x_.end(), 0.0); }

    // With a deflation, its part of the error of x is removed first.
    Norms settle() override {
        for_tasks([&](std::int64_t, std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                r_[i] = problem_.rhs[i] - row_product(A_, i, x_.data());
            }
        });
        if (deflation_) {
            deflation_->correct(r_.data(), x_.data(), context_);
        }
        const double r2 = sum_of(n(), context_, [&](std::int64_t i) { return in_alpha(i, r_[i]); });
        const double b2 = sum_of(n(), context_, [&](std::int64_t i) { return in_alpha(i, problem_.rhs[i]); });
        return {r2, b2, problem_.rhs_norm > 0 ? squared(problem_.rhs_norm) : b2};
    }

    // The noise is that of the system that is scaled to unit diagonal.
    void set_noise() override {
        all([&](std::int64_t i) {
            const std::int64_t pixel = problem_.pixel[i], width = problem_.width;
            constexpr std::int64_t block = 4;
            const double of_block = Random(0, pixel / width / block, pixel % width / block).uniform() - 0.5;
            const double noise = of_block + 0.25 * (Random(2, pixel / width, pixel % width).uniform() - 0.5);
            r_[i] = noise / scale_[i];
            x_[i] = 0;
        });
        if (deflation_) {
            deflation_->correct(r_.data(), x_.data(), context_);
        }
    }

    double residual2() const override {
        return sum_of(n(), context_, [&](std::int64_t i) { return squared(r_[i] * scale_[i]); });
    }

    Measures precondition(double alpha, double beta) override {
        all([&](std::int64_t i) {
            p_[i] = z_[i] + beta * p_[i];
            q_[i] = w_[i] + beta * q_[i];
            x_[i] += alpha * p_[i];
            r_[i] -= alpha * q_[i];
        });
        preconditioner_->apply(r_.data(), z_.data());
        if (!deflation_) {
            return measured([&](std::int64_t i) { w_[i] = row_product(A_, i, z_.data()); });
        }
        for_tasks([&](std::int64_t, std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                w_[i] = row_product(A_, i, z_.data());
            }
        });
        deflation_->prepare(w_.data(), context_);
        return measured([&](std::int64_t i) { deflation_->project(i, z_[i], w_[i]); });
    }

    void finish(double alpha, double beta) override {
        all([&](std::int64_t i) {
            p_[i] = z_[i] + beta * p_[i];
            x_[i] += alpha * p_[i];
        });
    }

    void get(double* x) const override { std::copy(x_.begin(), x_.end(), x); }

    std::size_t bytes() const override {
        return scale_.bytes() + 6 * x_.bytes() + preconditioner_->bytes() + (deflation_ ? deflation_->bytes() : 0);
    }

    double operator_complexity() const override {
        return preconditioner_->operator_complexity() + (deflation_ ? deflation_->part_of(A_) : 0.0);
    }

private:
    static constexpr std::int64_t rows_of_task = 2048;

    std::int64_t n() const { return A_.rows; }

    template <class Body>
    void all(const Body& body) {
        each(n(), context_, body);
    }

    // The square of a residual in units of alpha.
    double in_alpha(std::int64_t i, double residual) const { return squared(residual * squared(scale_[i])); }

    // Calls body(task, begin, end) for ranges of rows whose products take less than a millisecond.
    template <class Body>
    void for_tasks(const Body& body) {
        parallel_for(tasks(), context_.threads, context_.monitor, [&](std::int64_t task) {
            body(task, task * rows_of_task, std::min(n(), (task + 1) * rows_of_task));
        });
    }
    std::int64_t tasks() const { return (n() + rows_of_task - 1) / rows_of_task; }

    // Calls set(i), which completes z and w = A z, for all rows, and measures the products with z.
    // Sums are added in the order of the tasks.
    template <class Set>
    Measures measured(const Set& set) {
        std::vector<Measures> parts(static_cast<std::size_t>(tasks()));
        for_tasks([&](std::int64_t task, std::int64_t begin, std::int64_t end) {
            Measures m{};
            for (std::int64_t i = begin; i < end; ++i) {
                set(i);
                m.zr += z_[i] * r_[i];
                m.zq += z_[i] * q_[i];
                m.zw += z_[i] * w_[i];
                m.r2 += in_alpha(i, r_[i]);
                m.largest = std::max(m.largest, std::abs(z_[i]));
            }
            parts[static_cast<std::size_t>(task)] = m;
        });
        Measures all{};
        for (const Measures& m : parts) {
            all.zr += m.zr;
            all.zq += m.zq;
            all.zw += m.zw;
            all.r2 += m.r2;
            all.largest = std::max(all.largest, m.largest);
        }
        return all;
    }

    const Problem& problem_;
    const Csr& A_;
    const Buffer<double>& scale_;  // D^-1/2, where D is the diagonal of A
    std::unique_ptr<Preconditioner> preconditioner_;
    std::unique_ptr<Deflation> deflation_;
    Context context_;
    Buffer<double> x_, r_, z_, p_, q_, w_;
};

class Jacobi : public Preconditioner {
public:
    Jacobi(const ScaledMatrix& scaled, const Context& context) : scale_(scaled.scale), context_(context) {}
    void apply(const double* r, double* z) override {
        each(scale_.size(), context_, [&](std::int64_t i) { z[i] = r[i] * squared(scale_[i]); });
    }
    std::size_t bytes() const override { return 0; }
    double operator_complexity() const override { return 1; }

private:
    const Buffer<double>& scale_;
    Context context_;
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

SolveInfo solve_sparse(const Problem& problem, const ScaledMatrix& scaled,
                       std::unique_ptr<Preconditioner> preconditioner, std::unique_ptr<Deflation> deflation,
                       const Caution& caution, const SolveOptions& options, double* x, Monitor& monitor) {
    monitor.phase("cg");
    SparseIterate iterate(problem, scaled, std::move(preconditioner), std::move(deflation), {options.threads, monitor});
    return conjugate_gradient(iterate, problem.unknowns(), caution, options, x, monitor);
}

std::unique_ptr<Preconditioner> make_jacobi(const ScaledMatrix& scaled, const Context& context) {
    return std::make_unique<Jacobi>(scaled, context);
}

}  // namespace trimatte
