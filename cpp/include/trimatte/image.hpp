// Views of pictures and trimaps that the caller owns. Rows are contiguous and follow each other
// without gaps.
#pragma once

#include <cstdint>

namespace trimatte {

enum class PixelType { u8, u16, f32, f64 };

// Pixels are stored as height x width x channels, interleaved. An 8-bit integer v means v / 255, a
// 16-bit integer v means v / 65535, and a float means itself.
struct ImageView {
    const void* data;
    PixelType type;
    std::int64_t height;
    std::int64_t width;
    int channels;  // 1 or 3

    std::int64_t pixels() const { return height * width; }
};

// The label of a pixel in a trimap. Python has already applied the thresholds.
enum class Label : std::uint8_t { background = 0, foreground = 1, unknown = 2 };

// Loads row y as numbers in [0, 1], one plane per channel: channel c of pixel x goes to out[c *
// stride + x]. T is float or double.
template <typename T>
void load_row(const ImageView& image, std::int64_t y, std::int64_t stride, T* out);

// Loads `count` pixels of the row only: pixel k of the output is pixel column[k] of the row.
template <typename T>
void sample_row(const ImageView& image, std::int64_t y, const std::int64_t* column, std::int64_t count,
                std::int64_t stride, T* out);

}  // namespace trimatte
