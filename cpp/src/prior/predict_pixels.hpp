// A network's alpha for the pixels of a picture. This header is private to this folder.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "trimatte/image.hpp"
#include "trimatte/network.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {

// Writes alpha, clamped to [0, 1], of the unknown pixels, or of all if labels are null.
// inputs_of_rows(y_begin, y_end) returns a function make_input(y, x, out) for the pixels of those
// rows.
template <class InputsOfRows>
void predict_pixels(const ImageView& image, const Label* labels, const Network& network, int threads, float* alpha,
                    Monitor& monitor, const InputsOfRows& inputs_of_rows) {
    constexpr std::int64_t band = 16;
    parallel_for((image.height + band - 1) / band, threads, monitor, [&](std::int64_t b) {
        const std::int64_t y_begin = b * band, y_end = std::min(image.height, y_begin + band);
        const auto is_unknown = [](Label label) { return label == Label::unknown; };
        if (labels != nullptr &&
            std::none_of(labels + y_begin * image.width, labels + y_end * image.width, is_unknown)) {
            return;
        }
        const auto make_input = inputs_of_rows(y_begin, y_end);
        Predictor predict(network);
        std::vector<std::int64_t> column;
        std::vector<float> out(static_cast<std::size_t>(image.width));
        for (std::int64_t y = y_begin; y < y_end; ++y) {
            column.clear();
            for (std::int64_t x = 0; x < image.width; ++x) {
                if (labels == nullptr || is_unknown(labels[y * image.width + x])) {
                    column.push_back(x);
                }
            }
            const auto fill = [&](std::int64_t first, std::int64_t count, float* inputs) {
                monitor.poll();
                for (std::int64_t i = 0; i < count; ++i) {
                    make_input(y, column[static_cast<std::size_t>(first + i)], inputs + i * network.inputs());
                }
            };
            predict(static_cast<std::int64_t>(column.size()), fill, out.data());
            for (std::size_t i = 0; i < column.size(); ++i) {
                alpha[y * image.width + column[i]] = std::clamp(out[i], 0.0f, 1.0f);
            }
        }
        monitor.set_fraction(static_cast<double>(y_begin) / static_cast<double>(image.height));
    });
}

}  // namespace trimatte
