#include "solve/sparse_iterate.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

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

// Calls body(i) for all unknowns i.
template <class Body>
void for_all(std::int64_t n, const Context& context, const Body& body) {
    parallel_ranges(n, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            body(i);
        }
    });
}

}  // namespace

ScaledMatrix::ScaledMatrix(const Csr& matrix, const Context& context) : scale(matrix.rows) {
    for_all(matrix.rows, context, [&](std::int64_t i) {
        const double diagonal = matrix.value[matrix.diagonal(i)];
        if (!(diagonal > 0)) {
            throw FactorizationError("matrix: expected a positive diagonal, got " + std::to_string(diagonal) +
                                     " for unknown " + std::to_string(i));
        }
        scale[i] = 1 / std::sqrt(diagonal);
    });
    A.rows = matrix.rows;
    A.row_start = Buffer<std::int64_t>(matrix.rows + 1);
    A.column = Buffer<std::int32_t>(matrix.nonzeros());
    A.value = Buffer<double>(matrix.nonzeros());
    std::copy(matrix.row_start.begin(), matrix.row_start.end(), A.row_start.begin());
    for_all(matrix.rows, context, [&](std::int64_t i) {
        for (std::int64_t k = matrix.row_start[i]; k < matrix.row_start[i + 1]; ++k) {
            A.column[k] = matrix.column[k];
            A.value[k] = matrix.column[k] == i ? 1.0 : matrix.value[k] * scale[i] * scale[matrix.column[k]];
        }
    });
}

VectorIterate::VectorIterate(const Problem& problem, const Buffer<double>& scale,
                             std::unique_ptr<Preconditioner> preconditioner, const Context& context)
    : problem_(problem), scale_(scale), preconditioner_(std::move(preconditioner)), context_(context) {
    for (Buffer<double>* vector : {&x_, &r_, &z_, &p_, &q_, &w_}) {
        *vector = zeros<double>(n(), context);
    }
}

void VectorIterate::set_start(const double* start, double share) {
    for_all(n(), context_, [&](std::int64_t i) { x_[i] = start[i] / scale_[i] + (share > 0 ? share * z_[i] : 0.0); });
}

void VectorIterate::clear() { std::fill(x_.begin(), x_.end(), 0.0); }

Iterate::Norms VectorIterate::settle() {
    multiply_scaled(x_.data(), q_.data());
    const double r2 = sum_of(n(), context_, [&](std::int64_t i) {
        r_[i] = problem_.rhs[i] * scale_[i] - q_[i];
        return squared(r_[i] * scale_[i]);
    });
    const double b2 =
        sum_of(n(), context_, [&](std::int64_t i) { return squared(problem_.rhs[i] * squared(scale_[i])); });
    return {r2, b2, problem_.rhs_norm > 0 ? squared(problem_.rhs_norm) : b2};
}

void VectorIterate::set_noise() {
    for_all(n(), context_, [&](std::int64_t i) {
        const std::int64_t pixel = problem_.pixel[i], width = problem_.width;
        constexpr std::int64_t block = 4;
        const double of_block = Random(0, pixel / width / block, pixel % width / block).uniform() - 0.5;
        r_[i] = of_block + 0.25 * (Random(2, pixel / width, pixel % width).uniform() - 0.5);
        x_[i] = 0;
    });
}

double VectorIterate::residual2() const {
    return sum_of(n(), context_, [&](std::int64_t i) { return squared(r_[i]); });
}

Iterate::Measures VectorIterate::precondition(double alpha, double beta) {
    for_all(n(), context_, [&](std::int64_t i) {
        p_[i] = z_[i] + beta * p_[i];
        q_[i] = w_[i] + beta * q_[i];
        x_[i] += alpha * p_[i];
        r_[i] -= alpha * q_[i];
    });
    preconditioner_->apply(r_.data(), z_.data());
    return measured_product();
}

template <class Measure>
Iterate::Measures VectorIterate::sum_of_tasks(const Measure& measure) const {
    constexpr std::int64_t rows = 4096;  // that one task takes
    std::vector<Measures> parts(static_cast<std::size_t>((n() + rows - 1) / rows));
    parallel_for(static_cast<std::int64_t>(parts.size()), context_.threads, context_.monitor, [&](std::int64_t task) {
        parts[static_cast<std::size_t>(task)] = measure(task * rows, std::min(n(), (task + 1) * rows));
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

Iterate::Measures VectorIterate::measured_product() {
    multiply_scaled(z_.data(), w_.data());
    return sum_of_tasks([&](std::int64_t begin, std::int64_t end) {
        Measures m{};
        for (std::int64_t i = begin; i < end; ++i) {
            add(m, i, w_[i]);
        }
        return m;
    });
}

void SparseIterate::multiply_scaled(const double* v, double* product) {
    multiply(A_, v, product, context().threads, context().monitor);
}

// One pass over the rows does both.
Iterate::Measures SparseIterate::measured_product() {
    return sum_of_tasks([&](std::int64_t begin, std::int64_t end) {
        Measures m{};
        for (std::int64_t i = begin; i < end; ++i) {
            double w = 0;
            for (std::int64_t k = A_.row_start[i]; k < A_.row_start[i + 1]; ++k) {
                w += A_.value[k] * z_[A_.column[k]];
            }
            add(m, i, w);
        }
        return m;
    });
}

void VectorIterate::finish(double alpha, double beta) {
    for_all(n(), context_, [&](std::int64_t i) {
        p_[i] = z_[i] + beta * p_[i];
        x_[i] += alpha * p_[i];
    });
}

void VectorIterate::get(double* x) const {
    for_all(n(), context_, [&](std::int64_t i) { x[i] = x_[i] * scale_[i]; });
}

std::size_t VectorIterate::bytes() const { return scale_.bytes() + 6 * x_.bytes() + preconditioner_->bytes(); }

}  // namespace trimatte
