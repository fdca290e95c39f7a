// Learning-based matting.
#pragma once

#include "trimatte/affinity.hpp"

namespace trimatte {

// Local learning with the linear model: Zheng, Kambhamettu, ICCV 2009. In each window alpha is
// predicted from the window's own alphas by ridge regression on the colours, and L is the sum of
// the squared errors of these predictions.
class LearningBased : public WindowAffinity {
public:
    // regularization: weight of the squared slopes of a regression, in squared image units.
    explicit LearningBased(double regularization = 1e-7, int radius = 1)
        : WindowAffinity(radius), regularization_(regularization) {}

    void emit_rows(const Wanted& wanted, std::int64_t y_begin, std::int64_t y_end, RowSink& sink,
                   Monitor& monitor) const override;
    std::unique_ptr<StencilRows> stencil_rows(const Wanted& wanted, Monitor& monitor) const override;

private:
    double regularization_;
};

}  // namespace trimatte
