// The colours of picture rows as planar doubles, for as many rows as a window is high. This header
// is private to this folder.
#pragma once

#include <cstdint>
#include <vector>

#include "trimatte/image.hpp"

namespace trimatte {

// Keeps the last `count` rows that were asked for.
class ColourRows {
public:
    ColourRows(const ImageView& image, int count, std::int64_t padding)
        : image_(image),
          count_(count),
          stride_(image.width + padding),
          loaded_(static_cast<std::size_t>(count), -1),
          data_(static_cast<std::size_t>(count * image.channels * stride_)) {}

    // Returns row y, whose channel c starts at row(y) + c * stride().
    const double* row(std::int64_t y) {
        const std::int64_t slot = y % count_;
        double* out = data_.data() + slot * image_.channels * stride_;
        if (loaded_[static_cast<std::size_t>(slot)] != y) {
            load_row(image_, y, stride_, out);
            loaded_[static_cast<std::size_t>(slot)] = y;
        }
        return out;
    }
    std::int64_t stride() const { return stride_; }

private:
    const ImageView& image_;
    std::int64_t count_;
    std::int64_t stride_;
    std::vector<std::int64_t> loaded_;
    std::vector<double> data_;
};

}  // namespace trimatte
