// A picture with a border of repeated pixels, so that every pixel has a patch. This header is
// private to this folder.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "trimatte/buffer.hpp"
#include "trimatte/image.hpp"

namespace trimatte {

// Rows of the picture, interleaved, with `radius` pixels more on both sides. Row dy of the patch of
// pixel (y, x) is (2 radius + 1) * channels numbers at row(y + dy) + x * channels. T is float or
// double.
template <typename T>
class PaddedRows {
public:
    // There is room for the rows from y_begin - radius to y_end + radius - 1. Rows beyond the
    // picture repeat the nearest.
    PaddedRows(const ImageView& image, int radius, std::int64_t y_begin, std::int64_t y_end)
        : image_(image),
          radius_(radius),
          first_(y_begin - radius),
          end_(y_end + radius),
          stride_((image.width + 2 * radius) * image.channels),
          data_((end_ - first_) * stride_) {}

    std::int64_t first() const { return first_; }
    std::int64_t end() const { return end_; }
    void load() { load(first_, end_); }
    // Loads the rows [begin, end) of those. Threads may load different rows at the same time.
    void load(std::int64_t begin, std::int64_t end) {
        std::vector<T> planar(static_cast<std::size_t>(image_.width * image_.channels));
        std::int64_t loaded = -1;
        for (std::int64_t v = begin; v < end; ++v) {
            const std::int64_t y = std::clamp<std::int64_t>(v, 0, image_.height - 1);
            if (y != loaded) {
                load_row(image_, y, image_.width, planar.data());
                loaded = y;
            }
            T* out = row(v);
            for (std::int64_t u = -radius_; u < image_.width + radius_; ++u) {
                const std::int64_t x = std::clamp<std::int64_t>(u, 0, image_.width - 1);
                for (std::int64_t c = 0; c < image_.channels; ++c) {
                    *out++ = planar[static_cast<std::size_t>(c * image_.width + x)];
                }
            }
        }
    }
    T* row(std::int64_t y) { return data_.data() + (y - first_) * stride_; }
    const T* row(std::int64_t y) const { return data_.data() + (y - first_) * stride_; }
    std::int64_t stride() const { return stride_; }

private:
    const ImageView& image_;
    int radius_;
    std::int64_t first_, end_;
    std::int64_t stride_;
    Buffer<T> data_;
};

}  // namespace trimatte
