// The closed-form Laplacian for windows of 3 x 3 pixels.
//
// Eq. 12 of Levin et al. 2008 for one window w of n = 9 pixels with mean colour m and covariance S:
//     L_ab = delta_ab - (1 + (I_a - m)^T (S + epsilon / n Id)^-1 (I_b - m)) / n
// With S + epsilon / n Id = K D K^T (K unit lower triangular) and y_a = D^-1/2 K^-1 (I_a - m) / sqrt(n) this is
//     L_ab = delta_ab - 1 / n - y_a . y_b
// The factorisation matters: for colours on one line the determinant is a difference of nearly equal numbers,
// and an inverse by adjugates loses all its digits.
//
// Many windows of a row are handled together, as arrays (simd/kernels_closed_form.inl). Their entries are added into
// dense planes: plane d of a picture row holds L(p, p + d) for one offset d, so that each addition is one of shifted
// rows. Only the 13 offsets that point forward are kept; L(p, p - d) is read at pixel p - d.
#include <algorithm>
#include <array>
#include <vector>

#include "../simd/kernels.hpp"
#include "closed_form_rows.hpp"

namespace trimatte {
namespace {

constexpr int window_pixels = 9;
constexpr std::int64_t poll_every = 65536;  // windows of a row
constexpr int planes = 13;
constexpr int ring_rows = 5;  // picture rows whose planes are alive: y - 2 ... y + 2

// The plane of a forward offset: (0, 0..2), (1, -2..2), (2, -2..2).
constexpr int plane_of(int dy, int dx) { return dy == 0 ? dx : 5 * dy + dx; }

// The planes of the picture rows under work.
class Planes {
public:
    explicit Planes(std::int64_t width)
        : stride_(width + 4), data_(static_cast<std::size_t>(ring_rows * planes * stride_)) {}

    // Plane 0 of row y at column x, x from -2 to width + 1.
    double* at(std::int64_t y, std::int64_t x) {
        return data_.data() + (y + ring_rows) % ring_rows * planes * stride_ + x + 2;
    }
    void clear(std::int64_t y) {
        double* row = at(y, -2);
        std::fill(row, row + planes * stride_, 0.0);
    }
    std::int64_t stride() const { return stride_; }

private:
    std::int64_t stride_;
    std::vector<double> data_;
};

// Whether the window round (y, x) holds an unknown pixel, for all x of a row at once.
void find_windows(const ClosedFormRows& rows, std::int64_t y, std::vector<std::uint8_t>& column,
                  std::vector<std::uint8_t>& build) {
    const std::int64_t width = rows.image.width;
    if (rows.labels == nullptr) {
        std::fill(build.begin(), build.end(), std::uint8_t{1});
        return;
    }
    const Label* label = rows.labels + y * width;
    for (std::int64_t x = 0; x < width; ++x) {
        column[static_cast<std::size_t>(x)] =
            label[x - width] == Label::unknown || label[x] == Label::unknown || label[x + width] == Label::unknown;
    }
    for (std::size_t x = 1; x + 1 < build.size(); ++x) {
        build[x] = column[x - 1] | column[x] | column[x + 1];
    }
}

}  // namespace

void fill_rows_3x3(const ClosedFormRows& rows, std::int64_t y_begin, std::int64_t y_end, Monitor& monitor) {
    const int channels = rows.image.channels;
    const double e = rows.epsilon / window_pixels;
    const std::int64_t height = rows.image.height;
    const std::int64_t width = rows.image.width;
    Planes acc(width);
    ColourRows colours(rows.image, 3, 0);
    IndexRows index(rows, 2);
    std::vector<std::uint8_t> column(static_cast<std::size_t>(width));
    std::vector<std::uint8_t> build(static_cast<std::size_t>(width));
    const simd::Kernels& kernels = simd::kernels();
    simd::Lanes y[window_pixels * 3];

    const auto add_window_row = [&](std::int64_t centre) {
        find_windows(rows, centre, column, build);
        monitor.poll();
        std::int64_t next_poll = poll_every;
        for (std::int64_t x = 1; x + 1 < width;) {
            if (!build[static_cast<std::size_t>(x)]) {
                ++x;
                continue;
            }
            if (x >= next_poll) {
                monitor.poll();
                next_poll = x + poll_every;
            }
            int count = 1;
            while (count < simd::lanes && x + count + 1 < width && build[static_cast<std::size_t>(x + count)]) {
                ++count;
            }
            const double* rows_at[] = {colours.row(centre - 1) + x - 1, colours.row(centre) + x - 1,
                                       colours.row(centre + 1) + x - 1};
            double* const planes_at[] = {acc.at(centre - 1, x - 1), acc.at(centre, x - 1), acc.at(centre + 1, x - 1)};
            kernels.whiten(channels, rows_at, colours.stride(), count, e, y);
            kernels.add_entries(channels, y, count, acc.stride(), planes_at);
            x += count;
        }
    };

    // Row v is complete when the windows round row v + 1 have been added.
    acc.clear(y_begin - 2);
    acc.clear(y_begin - 1);
    for (std::int64_t centre = y_begin - 1; centre <= y_end; ++centre) {
        acc.clear(centre + 1);
        if (centre >= 1 && centre + 1 < height) {
            add_window_row(centre);
        }
        const std::int64_t v = centre - 1;
        if (v < y_begin) {
            continue;
        }
        index.move_to(v);
        std::array<const double*, 5> planes_at;
        std::array<const std::int32_t*, 5> index_at;
        for (int dy = -2; dy <= 2; ++dy) {
            planes_at[dy + 2] = acc.at(dy < 0 ? v + dy : v, 0);
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
                    const double value = forward ? planes_at[2][plane_of(dy, dx) * acc.stride() + x]
                                                 : planes_at[dy + 2][plane_of(-dy, -dx) * acc.stride() + x + dx];
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
