// Colours of single pixels in any order, read from the caller's picture without a copy of it. This
// header is private to this folder.
#pragma once

#include <array>
#include <cstdint>

#include "trimatte/image.hpp"

namespace trimatte {

using Colour = std::array<float, 3>;

inline float distance2(const Colour& a, const Colour& b) {
    const float d0 = a[0] - b[0], d1 = a[1] - b[1], d2 = a[2] - b[2];
    return d0 * d0 + d1 * d1 + d2 * d2;
}

// T is the type of the picture's numbers. A grey pixel has three equal channels.
template <typename T>
class PixelColours {
public:
    explicit PixelColours(const ImageView& image)
        : data_(static_cast<const T*>(image.data)), channels_(image.channels), next_(image.channels == 3 ? 1 : 0) {
        for (std::size_t i = 0; i < eight_bit_.size(); ++i) {
            eight_bit_[i] = static_cast<float>(static_cast<double>(i) / 255.0);
        }
    }
    // pixel: its number in the order of the picture.
    Colour operator()(std::int64_t pixel) const {
        const T* at = data_ + pixel * channels_;
        return {value(at[0]), value(at[next_]), value(at[2 * next_])};
    }

private:
    float value(T v) const {
        if constexpr (sizeof(T) == 1) {
            return eight_bit_[v];
        } else if constexpr (sizeof(T) == 2) {
            return static_cast<float>(v / 65535.0);
        } else {
            return static_cast<float>(v);
        }
    }

    const T* data_;
    std::int64_t channels_, next_;
    std::array<float, sizeof(T) == 1 ? 256 : 1> eight_bit_;
};

// Calls body(colours) with the PixelColours of the picture.
template <class Body>
void with_colours(const ImageView& image, const Body& body) {
    switch (image.type) {
        case PixelType::u8: return body(PixelColours<std::uint8_t>(image));
        case PixelType::u16: return body(PixelColours<std::uint16_t>(image));
        case PixelType::f32: return body(PixelColours<float>(image));
        case PixelType::f64: return body(PixelColours<double>(image));
    }
}

}  // namespace trimatte
