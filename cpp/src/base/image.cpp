#include "trimatte/image.hpp"

#include <array>

namespace trimatte {
namespace {

// The value of an 8-bit number, from a table: one division per number would cost more than the rest
// of the row.
template <typename T>
struct EightBit {
    std::array<T, 256> value;
    EightBit() {
        for (std::size_t i = 0; i < value.size(); ++i) {
            value[i] = static_cast<T>(static_cast<double>(i) / 255.0);
        }
    }
    T operator()(std::uint8_t v) const { return value[v]; }
};

// Loads `count` pixels of row y as planes. place(x) is the pixel of the row that becomes pixel x of
// the output.
template <typename T, typename Place>
void planar(const ImageView& image, std::int64_t y, const Place& place, std::int64_t count, std::int64_t stride,
            T* out) {
    static const EightBit<T> eight_bit;
    const std::int64_t first = y * image.width * image.channels;
    const int channels = image.channels;
    const auto copy = [&](const auto* data, const auto& value) {
        const auto* row = data + first;
        if (channels == 3) {  // one pass reads each pixel once
            for (std::int64_t x = 0; x < count; ++x) {
                const auto* pixel = row + place(x) * 3;
                out[x] = value(pixel[0]);
                out[stride + x] = value(pixel[1]);
                out[2 * stride + x] = value(pixel[2]);
            }
            return;
        }
        for (int c = 0; c < channels; ++c) {
            for (std::int64_t x = 0; x < count; ++x) {
                out[c * stride + x] = value(row[place(x) * channels + c]);
            }
        }
    };
    switch (image.type) {
        case PixelType::u8: return copy(static_cast<const std::uint8_t*>(image.data), eight_bit);
        case PixelType::u16:
            return copy(static_cast<const std::uint16_t*>(image.data),
                        [](std::uint16_t v) { return static_cast<T>(v / 65535.0); });
        case PixelType::f32:
            return copy(static_cast<const float*>(image.data), [](float v) { return static_cast<T>(v); });
        case PixelType::f64:
            return copy(static_cast<const double*>(image.data), [](double v) { return static_cast<T>(v); });
    }
}

}  // namespace

template <typename T>
void load_row(const ImageView& image, std::int64_t y, std::int64_t stride, T* out) {
    planar(image, y, [](std::int64_t x) { return x; }, image.width, stride, out);
}

template <typename T>
void sample_row(const ImageView& image, std::int64_t y, const std::int64_t* column, std::int64_t count,
                std::int64_t stride, T* out) {
    planar(image, y, [column](std::int64_t x) { return column[x]; }, count, stride, out);
}

template void load_row(const ImageView&, std::int64_t, std::int64_t, float*);
template void load_row(const ImageView&, std::int64_t, std::int64_t, double*);
template void sample_row(const ImageView&, std::int64_t, const std::int64_t*, std::int64_t, std::int64_t, float*);
template void sample_row(const ImageView&, std::int64_t, const std::int64_t*, std::int64_t, std::int64_t, double*);

}  // namespace trimatte
