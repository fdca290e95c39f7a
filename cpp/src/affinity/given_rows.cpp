// Passes on the rows that the caller has made.
#include <stdexcept>
#include <string>

#include "trimatte/affinity.hpp"

namespace trimatte {

void GivenRows::check(const ImageView& image) const {
    if (matrix_.rows != image.pixels()) {
        throw std::invalid_argument("laplacian: expected " + std::to_string(image.pixels()) +
                                    " rows, one per pixel, got " + std::to_string(matrix_.rows));
    }
}

void GivenRows::emit_rows(const Wanted& wanted, std::int64_t y_begin, std::int64_t y_end, RowSink& sink,
                          Monitor& monitor) const {
    const std::int64_t width = wanted.image.width;
    for (std::int64_t y = y_begin; y < y_end; ++y) {
        monitor.poll();
        for (std::int64_t p = y * width; p < (y + 1) * width; ++p) {
            if (wanted.has_row(p)) {
                const std::int64_t first = matrix_.row_start[p];
                sink.add(p, matrix_.row_start[p + 1] - first, matrix_.column + first, matrix_.value + first);
            }
        }
    }
}

}  // namespace trimatte
