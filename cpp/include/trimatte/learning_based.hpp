// Learning-based matting.
#pragma once

#include "trimatte/affinity.hpp"

namespace trimatte {

// Local learning with the linear model: Zheng, Kambhamettu, ICCV 2009. In each window alpha is
// predicted from the window's own alphas by ridge regression on the colours, and L is the sum of
// the squared errors of these predictions.
class LearningBased : public Affinity {
public:
    // regularization: weight of the squared slopes of a regression, in squared image units. radius:
    // windows are 2 radius + 1 pixels wide and lie fully inside the picture.
    explicit LearningBased(double regularization = 1e-7, int radius = 1)
        : regularization_(regularization), radius_(radius) {}

    Traits traits() const override { return {2 * static_cast<std::int64_t>(radius_), true, true, radius_ == 1}; }
    void check(const ImageView& image) const override;
    std::int64_t band_height() const override { return 4; }
    void emit_rows(const Wanted& wanted, std::int64_t y_begin, std::int64_t y_end, RowSink& sink,
                   Monitor& monitor) const override;
    std::unique_ptr<StencilRows> stencil_rows(const Wanted& wanted, Monitor& monitor) const override;

private:
    double regularization_;
    int radius_;
};

}  // namespace trimatte
