// Rows of the sparse matrix from the sums of the 3 x 3 windows (closed_form_windows.hpp).
#include <array>

#include "affinity/closed_form_windows.hpp"

namespace trimatte {

void fill_rows_3x3(const ClosedFormRows& rows, std::int64_t y_begin, std::int64_t y_end, Monitor& monitor) {
    const std::int64_t height = rows.image.height;
    const std::int64_t width = rows.image.width;
    WindowSums sums(rows.image, rows.labels, rows.epsilon, monitor);
    IndexRows index(rows, 2);

    // Row v is complete when the windows round row v + 1 have been added.
    sums.clear(y_begin - 2);
    sums.clear(y_begin - 1);
    for (std::int64_t centre = y_begin - 1; centre <= y_end; ++centre) {
        sums.clear(centre + 1);
        if (centre >= 1 && centre + 1 < height) {
            sums.add(centre);
        }
        const std::int64_t v = centre - 1;
        if (v < y_begin) {
            continue;
        }
        index.move_to(v);
        std::array<const double*, 5> planes_at;
        std::array<const std::int32_t*, 5> index_at;
        for (int dy = -2; dy <= 2; ++dy) {
            planes_at[dy + 2] = sums.at(dy < 0 ? v + dy : v, 0);
            index_at[dy + 2] = index.row(dy);
        }
        for (std::int64_t x = 0; x < width; ++x) {
            const std::int32_t i = index_at[2][x];
            if (i < 0) {
                continue;
            }
            std::array<std::int32_t, 25> to;
            std::array<double, 25> entry;
            double towards_foreground = 0;
            std::size_t k = 0;
            for (int dy = -2; dy <= 2; ++dy) {
                for (int dx = -2; dx <= 2; ++dx) {
                    const bool forward = dy > 0 || (dy == 0 && dx >= 0);
                    const std::int32_t j = index_at[dy + 2][x + dx];
                    const double value =
                        forward ? planes_at[2][WindowSums::plane_of(dy, dx) * sums.stride() + x]
                                : planes_at[dy + 2][WindowSums::plane_of(-dy, -dx) * sums.stride() + x + dx];
                    to[k] = j;
                    entry[k] = value;
                    k += j >= 0;
                    towards_foreground += j == no_row_foreground ? value : 0.0;
                }
            }
            const std::int64_t start = rows.matrix.row_start[i];
            std::copy_n(to.data(), k, rows.matrix.column.data() + start);
            std::copy_n(entry.data(), k, rows.matrix.value.data() + start);
            if (rows.rhs != nullptr) {
                rows.rhs[i] = -towards_foreground;
            }
        }
    }
}

}  // namespace trimatte
