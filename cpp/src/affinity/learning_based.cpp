// The operator of learning-based matting: Zheng, Kambhamettu, "Learning Based Digital Matting",
// ICCV 2009, local learning with the linear model.
//
// In a window of n pixels with the colours I_a, the rows of X are [I_a, 1]. Ridge regression
// predicts the window's alphas from themselves as F alpha, and the window's energy is the sum of
// the squared errors of these predictions, but for a part of `least`:
//     F = X (X^T X + lambda R)^-1 X^T,   R = diag(1, 1, 1, 0)
//     L_w = (1 - least) (I - F)^T (I - F) + least (I - 1 1^T / n)
// R penalises the slopes and leaves the bias free, so that rows of L_w sum to zero. The paper has
// least = 0. But alphas that are affine in the colours then cost about (lambda / s)^2, where s is
// the colours' sum of squares. This is 1e-14 at an edge of a drawing, where rounding would decide
// between them.
//
// Colours may be taken from their mean, because the bias is free. With the whitened colours y_a of
// closed-form matting (closed_form.cpp, epsilon = lambda)
//     F = 1 1^T / n + Y Y^T,   L_w = I - 1 1^T / n - (1 - least) Y (2 Id - Y^T Y) Y^T
// The eigenvalues of 2 Id - Y^T Y lie between 1 and 2, so that its Cholesky factor keeps all
// digits.
#include "trimatte/learning_based.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "affinity/window_rows.hpp"
#include "affinity/window_sums.hpp"
#include "simd/kernels.hpp"

namespace trimatte {
namespace {

constexpr int window_pixels = 9;
constexpr double least = 1e-8;

// Entry (c, d) of (1 - least) (2 Id - Y^T Y) for window i.
template <int C>
double entry(const simd::Lanes* y, int c, int d, int i) {
    double sum = c == d ? 2 : 0;
    for (int a = 0; a < window_pixels; ++a) {
        sum -= y[a * C + c][i] * y[a * C + d][i];
    }
    return (1 - least) * sum;
}

// Y becomes Y G, where G G^T = (1 - least) (2 Id - Y^T Y) and G is lower triangular.
template <int C>
void multiply_by_factor(int count, simd::Lanes* y) {
    for (int i = 0; i < count; ++i) {
        const double g00 = std::sqrt(entry<C>(y, 0, 0, i));
        if constexpr (C == 1) {
            for (int a = 0; a < window_pixels; ++a) {
                y[a][i] *= g00;
            }
        } else {
            const double g10 = entry<C>(y, 1, 0, i) / g00;
            const double g20 = entry<C>(y, 2, 0, i) / g00;
            const double g11 = std::sqrt(entry<C>(y, 1, 1, i) - g10 * g10);
            const double g21 = (entry<C>(y, 2, 1, i) - g20 * g10) / g11;
            const double g22 = std::sqrt(entry<C>(y, 2, 2, i) - g20 * g20 - g21 * g21);
            for (int a = 0; a < window_pixels; ++a) {
                double *y0 = y[a * C], *y1 = y[a * C + 1], *y2 = y[a * C + 2];
                y0[i] = g00 * y0[i] + g10 * y1[i] + g20 * y2[i];
                y1[i] = g11 * y1[i] + g21 * y2[i];
                y2[i] = g22 * y2[i];
            }
        }
    }
}

// The rows of Y G for windows of 3 x 3 pixels.
class LearningBasedKernel : public WindowKernel {
public:
    LearningBasedKernel(int channels, double lambda) : channels_(channels), e_(lambda / window_pixels) {}

    int components() const override { return channels_; }
    double constant() const override { return 1.0 / window_pixels; }
    void whiten(const double* const* rows, std::int64_t stride, int count, simd::Lanes* y) const override {
        simd::kernels().whiten(channels_, rows, stride, count, e_, y);
        channels_ == 1 ? multiply_by_factor<1>(count, y) : multiply_by_factor<3>(count, y);
    }

private:
    int channels_;
    double e_;
};

}  // namespace

// With M = (S + e Id)^-1, where S is the covariance of the window's colours, e = lambda / n, and the
// rows of D are (I_a - m)^T,
//     Y (2 Id - Y^T Y) Y^T = D (M + e M^2) D^T / n
void LearningBased::emit_rows(const Wanted& wanted, std::int64_t y_begin, std::int64_t y_end, RowSink& sink,
                              Monitor& monitor) const {
    const double side = 2.0 * radius_ + 1;
    const double e = regularization_ / (side * side);
    emit_window_rows(wanted, regularization_, radius_, y_begin, y_end, sink, monitor,
                     [e](const auto& window, double* v) {
                         constexpr int C = std::decay_t<decltype(window)>::channels;
                         window.solve(v);
                         double twice[C];
                         std::copy(v, v + C, twice);
                         window.solve(twice);
                         for (int c = 0; c < C; ++c) {
                             v[c] = (1 - least) * (v[c] + e * twice[c]);
                         }
                     });
}

std::unique_ptr<StencilRows> LearningBased::stencil_rows(const Wanted& wanted, Monitor& monitor) const {
    if (radius_ != 1) {
        return nullptr;
    }
    auto kernel = std::make_unique<LearningBasedKernel>(wanted.image.channels, regularization_);
    return std::make_unique<WindowSums>(wanted, std::move(kernel), monitor);
}

}  // namespace trimatte
