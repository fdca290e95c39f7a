// Random walk matting: Grady, Schiwietz, Aharon, Westermann, "Random Walks for Interactive
// Alpha-Matting", VIIP 2005.
#pragma once

#include "trimatte/affinity.hpp"

namespace trimatte {

// The operator is D - W. W(p, q) = exp(-|I_p - I_q|^2 / sigma^2) for each of the 8 pixels q beside
// p, and D is the diagonal matrix that lets rows sum to zero.
class RandomWalk : public Affinity {
public:
    // sigma: the distance of two colours at which the weight has fallen to 1 / e.
    explicit RandomWalk(double sigma = 1.0 / 30) : sigma_(sigma) {}

    // The regions are the components of the operator's own graph.
    Traits traits() const override { return {1, false, true, false, false, false, true}; }
    void check(const ImageView& image) const override;
    std::int64_t band_height() const override { return 16; }
    void emit_rows(const Wanted& wanted, std::int64_t y_begin, std::int64_t y_end, RowSink& sink,
                   Monitor& monitor) const override;

private:
    double sigma_;
};

}  // namespace trimatte
