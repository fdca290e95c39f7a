// A part of a picture that holds some of its unknown regions, as a picture of its own. This header
// is private to this folder.
#pragma once

#include <cstdint>
#include <vector>

#include "solve/regions.hpp"
#include "trimatte/assemble.hpp"

namespace trimatte {

class Cut {
public:
    // Takes the whole picture. start: alpha of each pixel where an iterative solver starts, or
    // null.
    Cut(const ImageView& image, const Known& known, const float* start)
        : box_{0, 0, image.height, image.width},
          picture_width_(image.width),
          image_(image),
          known_(known),
          start_(start) {}
    // Takes the box of some regions and `reach` pixels around it. Unknown pixels of other regions
    // count as background, because they lie too far away to be coupled to these. If the box has
    // more than half of the pixels of the picture, the part is the whole picture and uses its
    // arrays.
    Cut(const ImageView& image, const Known& known, const float* start, const std::vector<const Region*>& regions,
        std::int64_t reach);
    Cut(const Cut&) = delete;
    Cut& operator=(const Cut&) = delete;

    const ImageView& image() const { return image_; }
    const Known& known() const { return known_; }
    std::int64_t unknowns() const;
    // The alpha at which an iterative solver starts, for a pixel of the part.
    double start(std::int64_t pixel) const {
        if (known_.labels[pixel] != Label::unknown) {
            return known_.labels[pixel] == Label::foreground ? 1 : 0;
        }
        const float* alpha = start_ != nullptr ? start_ : known_.prior.alpha;
        return alpha != nullptr ? static_cast<double>(alpha[pixel]) : 0.5;
    }
    // The pixel of the picture that corresponds to a pixel of the part.
    std::int64_t in_picture(std::int64_t pixel) const {
        return (pixel / box_.width() + box_.top) * picture_width_ + pixel % box_.width() + box_.left;
    }
    std::size_t bytes() const {
        return labels_.size() + pixels_.size() + (alpha_.size() + confidence_.size() + starts_.size()) * sizeof(float);
    }

private:
    Box box_;
    std::int64_t picture_width_;
    ImageView image_;
    Known known_;
    const float* start_;
    // Copies of the data that the views above show. Those of a part that is the whole picture are
    // empty, except for the labels.
    std::vector<Label> labels_;
    std::vector<std::uint8_t> pixels_;
    std::vector<float> alpha_, confidence_, starts_;
};

}  // namespace trimatte
