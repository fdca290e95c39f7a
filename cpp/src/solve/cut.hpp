// A part of a picture that holds some of its unknown regions, as a picture of its own. Private to this folder.
#pragma once

#include <cstdint>
#include <vector>

#include "solve/regions.hpp"
#include "trimatte/assemble.hpp"

namespace trimatte {

class Cut {
public:
    // The whole picture. start: an alpha of each pixel where an iterative solver starts, or null.
    Cut(const ImageView& image, const Known& known, const float* start)
        : box_{0, 0, image.height, image.width}, picture_width_(image.width), image_(image), known_(known), start_(start) {}
    // The box of some regions and `reach` pixels around it. Unknown pixels of other regions count as background: they are
    // too far away to matter. Where the box is most of the picture, the picture's own arrays are used.
    Cut(const ImageView& image, const Known& known, const float* start, const std::vector<const Region*>& regions,
        std::int64_t reach);
    Cut(const Cut&) = delete;
    Cut& operator=(const Cut&) = delete;

    const ImageView& image() const { return image_; }
    const Known& known() const { return known_; }
    std::int64_t unknowns() const;
    // Where an iterative solver starts at a pixel of the part.
    double start(std::int64_t pixel) const {
        if (known_.labels[pixel] != Label::unknown) {
            return known_.labels[pixel] == Label::foreground ? 1 : 0;
        }
        const float* alpha = start_ != nullptr ? start_ : known_.prior.alpha;
        return alpha != nullptr ? static_cast<double>(alpha[pixel]) : 0.5;
    }
    // The pixel of the picture that a pixel of the part is.
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
    // Copies that the views above show, where the part is not the whole picture.
    std::vector<Label> labels_;
    std::vector<std::uint8_t> pixels_;
    std::vector<float> alpha_, confidence_, starts_;
};

}  // namespace trimatte
