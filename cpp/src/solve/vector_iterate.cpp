#include "solve/vector_iterate.hpp"

#include <utility>

#include "base/random.hpp"
#include "base/zeros.hpp"

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

}  // namespace

VectorIterate::VectorIterate(const Problem& problem, const Buffer<double>& scale,
                             std::unique_ptr<Preconditioner> preconditioner, const Context& context)
    : problem_(problem), scale_(scale), preconditioner_(std::move(preconditioner)), context_(context) {
    for (Buffer<double>* vector : {&x_, &r_, &z_, &p_, &q_, &w_}) {
        *vector = zeros<double>(n(), context);
    }
}

void VectorIterate::set_start(const double* start, double share) {
    all([&](std::int64_t i) { x_[i] = start[i] + (share > 0 ? share * z_[i] : 0.0); });
}

void VectorIterate::clear() { std::fill(x_.begin(), x_.end(), 0.0); }

Iterate::Norms VectorIterate::settle() {
    multiply(x_.data(), q_.data());
    all([&](std::int64_t i) { r_[i] = problem_.rhs[i] - q_[i]; });
    deflate();
    const double r2 = sum_of(n(), context_, [&](std::int64_t i) { return in_alpha(i, r_[i]); });
    const double b2 = sum_of(n(), context_, [&](std::int64_t i) { return in_alpha(i, problem_.rhs[i]); });
    return {r2, b2, problem_.rhs_norm > 0 ? squared(problem_.rhs_norm) : b2};
}

// The noise is that of the system that is scaled to unit diagonal.
void VectorIterate::set_noise() {
    all([&](std::int64_t i) {
        const std::int64_t pixel = problem_.pixel[i], width = problem_.width;
        constexpr std::int64_t block = 4;
        const double of_block = Random(0, pixel / width / block, pixel % width / block).uniform() - 0.5;
        const double noise = of_block + 0.25 * (Random(2, pixel / width, pixel % width).uniform() - 0.5);
        r_[i] = noise / scale_[i];
        x_[i] = 0;
    });
    deflate();
}

double VectorIterate::residual2() const {
    return sum_of(n(), context_, [&](std::int64_t i) { return squared(r_[i] * scale_[i]); });
}

Iterate::Measures VectorIterate::precondition(double alpha, double beta) {
    all([&](std::int64_t i) {
        p_[i] = z_[i] + beta * p_[i];
        q_[i] = w_[i] + beta * q_[i];
        x_[i] += alpha * p_[i];
        r_[i] -= alpha * q_[i];
    });
    preconditioner_->apply(r_.data(), z_.data());
    return measured_product();
}

Iterate::Measures VectorIterate::measured_product() {
    multiply(z_.data(), w_.data());
    return measured([](std::int64_t) {});
}

void VectorIterate::finish(double alpha, double beta) {
    all([&](std::int64_t i) {
        p_[i] = z_[i] + beta * p_[i];
        x_[i] += alpha * p_[i];
    });
}

void VectorIterate::get(double* x) const { std::copy(x_.begin(), x_.end(), x); }

std::size_t VectorIterate::bytes() const { return scale_.bytes() + 6 * x_.bytes() + preconditioner_->bytes(); }

}  // namespace trimatte
