// The vectors of conjugate gradients with one number for each unknown, whatever the matrix is: on
// sparse rows in sparse_iterate.cpp, on products in matrix_free.cpp. This header is private to this
// folder.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "base/each.hpp"
#include "solve/iterate.hpp"
#include "solve/preconditioner.hpp"
#include "trimatte/parallel.hpp"
#include "trimatte/problem.hpp"

namespace trimatte {

// The loops over the vectors of the system A x = b.
class VectorIterate : public Iterate {
public:
    // scale: D^-1/2, where D is the diagonal of A. It puts residuals into units of alpha.
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
    static constexpr std::int64_t rows_of_task = 2048;

    std::int64_t n() const { return scale_.size(); }
    const Context& context() const { return context_; }
    // Computes product = A v.
    virtual void multiply(const double* v, double* product) = 0;
    // Removes a part of the error from x, after r = b - A x has been set. Nothing by default.
    virtual void deflate() {}
    // Sets w = A z and returns the products with z.
    virtual Measures measured_product();

    // Calls body(task, begin, end) for ranges of unknowns.
    template <class Body>
    void for_tasks(const Body& body) const {
        parallel_for(tasks(), context_.threads, context_.monitor, [&](std::int64_t task) {
            body(task, task * rows_of_task, std::min(n(), (task + 1) * rows_of_task));
        });
    }
    // Calls set(i), which completes z and w = A z, for all unknowns, and measures the products with
    // z. Sums are added in the order of the tasks.
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
            all.add(m);
        }
        return all;
    }

    Buffer<double> x_, r_, z_, p_, q_, w_;

private:
    std::int64_t tasks() const { return (n() + rows_of_task - 1) / rows_of_task; }
    template <class Body>
    void all(const Body& body) const {
        each(n(), context_, body);
    }
    // The square of a residual in units of alpha.
    double in_alpha(std::int64_t i, double residual) const {
        const double change = residual * scale_[i] * scale_[i];
        return change * change;
    }

    const Problem& problem_;
    const Buffer<double>& scale_;
    std::unique_ptr<Preconditioner> preconditioner_;
    Context context_;
};

// The preconditioner of Jacobi, the inverse of the diagonal. `scale` must outlive it.
class Jacobi : public Preconditioner {
public:
    Jacobi(const Buffer<double>& scale, const Context& context) : scale_(scale), context_(context) {}
    void apply(const double* r, double* z) override {
        each(scale_.size(), context_, [&](std::int64_t i) { z[i] = r[i] * (scale_[i] * scale_[i]); });
    }
    std::size_t bytes() const override { return 0; }
    double operator_complexity() const override { return 1; }

private:
    const Buffer<double>& scale_;
    Context context_;
};

}  // namespace trimatte
