// KNN matting: Chen, Li, Tang, "KNN Matting", IEEE TPAMI 35(9), 2013.
#pragma once

#include "trimatte/affinity.hpp"

namespace trimatte {

struct KnnOptions {
    // Each pixel has two lists of nearest pixels. A pixel counts as one of its own neighbours.
    int neighbours[2] = {20, 10};
    // What the positions, which lie in [0, 1] along both sides of the picture, are multiplied by in
    // the features of each list, beside colours in [0, 1].
    double position_weight[2] = {2.0, 0.1};
    // Whether a neighbour counts 1 - (sum of the features' absolute differences) / 5 instead of 1.
    bool soft = false;
};

// The operator is D - (W + W^T) - G / 128. W(p, q) is the weight of q in the lists of p, and G(p, q)
// is 1 for pixels above and beside each other. D is the diagonal matrix that lets rows sum to zero.
class Knn : public Affinity {
public:
    explicit Knn(const KnnOptions& options = {}) : options_(options) {}

    Traits traits() const override { return {0, false, true, false, false}; }
    void check(const ImageView& image) const override;
    std::int64_t band_height() const override { return 16; }
    // Finds the neighbours.
    std::unique_ptr<Affinity> prepared(const Wanted& wanted, const Context& context) const override;
    // Finds all neighbours anew at each call.
    void emit_rows(const Wanted& wanted, std::int64_t y_begin, std::int64_t y_end, RowSink& sink,
                   Monitor& monitor) const override;

private:
    KnnOptions options_;
};

}  // namespace trimatte
