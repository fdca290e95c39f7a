// A picture with a border of repeated pixels, so that every pixel has a patch. Private to this folder.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "trimatte/image.hpp"

namespace trimatte {

// Rows of the picture, interleaved, with `radius` pixels more on both sides: patch row dy of pixel (y, x) is
// (2 radius + 1) * channels numbers at row(y + dy) + x * channels. T: float, double.
template <typename T>
class PaddedRows {
public:
    // Holds the rows from y_begin - radius to y_end + radius - 1; those beyond the picture repeat the nearest.
    PaddedRows(const ImageView& image, int radius, std::int64_t y_begin, std::int64_t y_end)
        : first_(y_begin - radius),
          stride_((image.width + 2 * radius) * image.channels),
          data_(static_cast<std::size_t>((y_end - y_begin + 2 * radius) * stride_)) {
        std::vector<T> planar(static_cast<std::size_t>(image.width * image.channels));
        std::int64_t loaded = -1;
        for (std::int64_t v = first_; v < y_end + radius; ++v) {
            const std::int64_t y = std::clamp<std::int64_t>(v, 0, image.height - 1);
            if (y != loaded) {
                load_row(image, y, image.width, planar.data());
                loaded = y;
            }
            T* out = data_.data() + (v - first_) * stride_;
            for (std::int64_t u = -radius; u < image.width + radius; ++u) {
                const std::int64_t x = std::clamp<std::int64_t>(u, 0, image.width - 1);
                for (std::int64_t c = 0; c < image.channels; ++c) {
                    *out++ = planar[static_cast<std::size_t>(c * image.width + x)];
                }
            }
        }
    }
    T* row(std::int64_t y) { return data_.data() + (y - first_) * stride_; }
    const T* row(std::int64_t y) const { return data_.data() + (y - first_) * stride_; }
    std::int64_t stride() const { return stride_; }

private:
    std::int64_t first_;
    std::int64_t stride_;
    std::vector<T> data_;
};

}  // namespace trimatte
