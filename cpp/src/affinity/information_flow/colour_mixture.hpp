// Colours as mixtures of others. This header is private to this folder.
#pragma once

#include <cstdint>
#include <vector>

#include "trimatte/buffer.hpp"
#include "trimatte/image.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {

// The features of all pixels, [R, G, B, s x / width, s y / height], where s is the weight of the
// place. A grey picture has R = G = B.
class Features {
public:
    static constexpr int dimensions = 5;

    Features(const ImageView& image, double place_weight, const Context& context);

    const float* of(std::int64_t pixel) const { return data_.data() + pixel * dimensions; }
    std::int64_t pixels() const { return data_.size() / dimensions; }
    // Returns the features of some pixels, one after another.
    Buffer<float> of_all(const std::int32_t* pixel, std::int64_t count, const Context& context) const;

private:
    Buffer<float> data_;
};

// Returns the pixels of this label, ascending.
Buffer<std::int32_t> pixels_of(const Label* labels, std::int64_t pixels, Label label);

// Finds weights w of `count` pixels, of sum 1, that mix the colour of `pixel`. They are those of
// locally linear embedding (Roweis, Saul, Science 290, 2000): G w ~ 1 with
//     G_ij = (c - c_i) . (c - c_j) + 1e-3 delta_ij
// Neighbours that are missing (-1) get 0. At least one must be there.
void mix(const Features& features, std::int64_t pixel, const std::int32_t* neighbours, int count, double* w);

}  // namespace trimatte
