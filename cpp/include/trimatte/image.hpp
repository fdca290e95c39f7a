// Views of pictures and trimaps that the caller owns. Rows are contiguous and follow each other without gaps.
#pragma once

#include <cstdint>

namespace trimatte {

enum class PixelType { u8, u16, f32, f64 };

// height x width x channels, interleaved. Integers mean value / 255 (or 65535), floats mean themselves.
struct ImageView {
    const void* data;
    PixelType type;
    std::int64_t height;
    std::int64_t width;
    int channels;  // 1 or 3

    std::int64_t pixels() const { return height * width; }
};

// What a trimap says of a pixel. Python has already applied the thresholds.
enum class Label : std::uint8_t { background = 0, foreground = 1, unknown = 2 };

// Row y as numbers in [0, 1], one plane per channel: channel c of pixel x is out[c * stride + x]. T: float, double.
template <typename T>
void load_row(const ImageView& image, std::int64_t y, std::int64_t stride, T* out);

// The same for `count` pixels of the row only: pixel k of the output is column[k].
template <typename T>
void sample_row(const ImageView& image, std::int64_t y, const std::int64_t* column, std::int64_t count,
                std::int64_t stride, T* out);

}  // namespace trimatte
