#include "trimatte/image.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <stdexcept>
#include <vector>

#include "base/pixel_numbers.hpp"

using namespace trimatte;

namespace {

// A picture of two rows of three pixels whose values count up from 0.
template <typename T>
std::vector<T> counted(int channels, double step) {
    std::vector<T> data;
    for (int i = 0; i < 6 * channels; ++i) {
        data.push_back(static_cast<T>(i * step));
    }
    return data;
}

// Checks row 1 of such a picture, in which a value of i must be loaded as i * scale.
template <typename T, typename Out>
void check(PixelType type, int channels, double step, double scale) {
    const std::vector<T> data = counted<T>(channels, step);
    const ImageView image{data.data(), type, 2, 3, channels};
    constexpr std::int64_t stride = 5;
    std::vector<Out> row(static_cast<std::size_t>(stride * channels), Out{-1});
    load_row(image, 1, stride, row.data());
    for (int c = 0; c < channels; ++c) {
        for (int x = 0; x < 3; ++x) {
            const double expected = ((3 + x) * channels + c) * scale;
            CHECK(row[static_cast<std::size_t>(c * stride + x)] == doctest::Approx(expected).epsilon(1e-7));
        }
        CHECK(row[static_cast<std::size_t>(c * stride + 3)] == Out{-1});
    }
}

template <typename Out>
void check_all_types() {
    for (const int channels : {1, 3}) {
        CAPTURE(channels);
        check<std::uint8_t, Out>(PixelType::u8, channels, 1, 1 / 255.0);
        check<std::uint16_t, Out>(PixelType::u16, channels, 3000, 3000 / 65535.0);
        check<float, Out>(PixelType::f32, channels, 0.0625, 0.0625);
        check<double, Out>(PixelType::f64, channels, 0.03, 0.03);
    }
}

}  // namespace

TEST_CASE("load_row gives every pixel type as planar numbers") {
    SUBCASE("float") { check_all_types<float>(); }
    SUBCASE("double") { check_all_types<double>(); }
}

TEST_CASE("integers reach exactly 0 and 1") {
    const std::uint8_t bytes[] = {0, 255};
    const std::uint16_t words[] = {0, 65535};
    double row[2];
    load_row({bytes, PixelType::u8, 1, 2, 1}, 0, 2, row);
    CHECK(row[0] == 0);
    CHECK(row[1] == 1);
    load_row({words, PixelType::u16, 1, 2, 1}, 0, 2, row);
    CHECK(row[0] == 0);
    CHECK(row[1] == 1);
}

TEST_CASE("sample_row picks pixels of a row") {
    const std::vector<double> data = counted<double>(3, 0.05);
    const ImageView image{data.data(), PixelType::f64, 2, 3, 3};
    const std::int64_t column[] = {2, 0, 2, 1};
    constexpr std::int64_t stride = 6;
    std::vector<float> row(3 * stride, -1);
    sample_row(image, 1, column, 4, stride, row.data());
    for (int c = 0; c < 3; ++c) {
        for (int k = 0; k < 4; ++k) {
            const double expected = data[static_cast<std::size_t>((3 + column[k]) * 3 + c)];
            CHECK(row[static_cast<std::size_t>(c * stride + k)] == static_cast<float>(expected));
        }
        CHECK(row[static_cast<std::size_t>(c * stride + 4)] == -1);
    }
}

TEST_CASE("sampling all pixels is loading the row") {
    const std::vector<std::uint16_t> data = counted<std::uint16_t>(3, 3000);
    const ImageView image{data.data(), PixelType::u16, 2, 3, 3};
    const std::int64_t column[] = {0, 1, 2};
    std::vector<float> sampled(9), loaded(9);
    sample_row(image, 1, column, 3, 3, sampled.data());
    load_row(image, 1, 3, loaded.data());
    CHECK(sampled == loaded);
}

TEST_CASE("a picture with more pixels than int32 can number is refused before it is read") {
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    constexpr std::int64_t huge = std::numeric_limits<std::int64_t>::max();
    CHECK(numbered_pixels({nullptr, PixelType::u8, most, 1, 3}) == most);
    CHECK(numbered_pixels({nullptr, PixelType::u8, 0, 3, 3}) == 0);
    CHECK_THROWS_AS(numbered_pixels({nullptr, PixelType::u8, huge, huge, 3}), std::length_error);
    CHECK_THROWS_WITH_AS(numbered_pixels({nullptr, PixelType::u8, 65536, 32768, 3}),
                         "image: expected at most 2147483647 pixels, got 65536 x 32768; scale it down, or cut it into "
                         "pieces that overlap",
                         std::length_error);
}
