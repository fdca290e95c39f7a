// The closed-form Laplacian.
//
// Eq. 12 of Levin et al. 2008 for one window w of n pixels with mean colour m and covariance S is
//     L_ab = delta_ab - (1 + (I_a - m)^T (S + epsilon / n Id)^-1 (I_b - m)) / n
// With S + epsilon / n Id = K D K^T (K unit lower triangular) and y_a = D^-1/2 K^-1 (I_a - m) /
// sqrt(n) this is
//     L_ab = delta_ab - 1 / n - y_a . y_b
// The factorisation matters: for colours on one line the determinant is a difference of nearly
// equal numbers, and an inverse by adjugates loses all its digits.
#include "affinity/window_operator.hpp"
#include "affinity/window_rows.hpp"
#include "affinity/window_sums.hpp"
#include "simd/kernels.hpp"
#include "trimatte/affinity.hpp"

namespace trimatte {
namespace {

// y_a for windows of 3 x 3 pixels.
class ClosedFormKernel : public WindowKernel {
public:
    ClosedFormKernel(int channels, double epsilon) : channels_(channels), e_(epsilon / 9) {}

    int components() const override { return channels_; }
    double constant() const override { return 1.0 / 9; }
    void whiten(const double* const* rows, std::int64_t stride, int count, simd::Lanes* y) const override {
        simd::kernels().whiten(channels_, rows, stride, count, e_, y);
    }

private:
    int channels_;
    double e_;
};

}  // namespace

void ClosedForm::emit_rows(const Wanted& wanted, std::int64_t y_begin, std::int64_t y_end, RowSink& sink,
                           Monitor& monitor) const {
    emit_window_rows(wanted, epsilon_, radius_, y_begin, y_end, sink, monitor,
                     [](const auto& window, double* v) { window.solve(v); });
}

std::unique_ptr<StencilRows> ClosedForm::stencil_rows(const Wanted& wanted, Monitor& monitor) const {
    if (radius_ != 1) {
        return nullptr;
    }
    auto kernel = std::make_unique<ClosedFormKernel>(wanted.image.channels, epsilon_);
    return std::make_unique<WindowSums>(wanted, std::move(kernel), monitor);
}

std::unique_ptr<Operator> ClosedForm::make_operator(const Wanted& wanted, const Context& context) const {
    return make_window_operator(wanted, epsilon_, radius_, context);
}

}  // namespace trimatte
