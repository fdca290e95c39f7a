// The closed-form Laplacian for windows of 3 x 3 pixels, row by row. Private to this folder.
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
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "simd/kernels.hpp"
#include "affinity/closed_form_rows.hpp"

namespace trimatte {

// Planes of picture rows; the sums of the windows that have been added.
class WindowSums {
public:
    static constexpr int planes = 13;
    static constexpr std::int64_t margin = 16;  // columns that may be read on both sides of the picture

    // labels: a window is built if it holds an unknown pixel; null builds all.
    WindowSums(const ImageView& image, const Label* labels, double epsilon, Monitor& monitor)
        : image_(image),
          labels_(labels),
          e_(epsilon / window_pixels),
          monitor_(monitor),
          stride_(image.width + 2 * margin),
          data_(ring_rows * planes * stride_),
          touched_(ring_rows),
          colours_(image, ring_rows, 0),
          column_(static_cast<std::size_t>(image.width)),
          build_(static_cast<std::size_t>(image.width)) {
        std::fill(data_.begin(), data_.end(), 0.0);
    }

    // The plane of a forward offset: (0, 0..2), (1, -2..2), (2, -2..2).
    static constexpr int plane_of(int dy, int dx) { return dy == 0 ? dx : 5 * dy + dx; }
    // Plane 0 of row y at column x; plane d is d * stride() further. Rows live from their first window until that of
    // row y + ring_rows begins.
    double* at(std::int64_t y, std::int64_t x) { return data_.data() + slot(y) * planes * stride_ + x + margin; }
    std::int64_t stride() const { return stride_; }
    ColourRows& colours() { return colours_; }

    // Begins row y: it must be done once before a window that touches it is added.
    void clear(std::int64_t y) {
        auto& touched = touched_[static_cast<std::size_t>(slot(y))];
        for (const auto& [begin, end] : touched) {
            for (int d = 0; d < planes; ++d) {
                double* row = at(y, 0) + d * stride_;
                std::fill(row + begin, row + end, 0.0);
            }
        }
        touched.clear();
    }

    // Adds all windows whose centre is in row `centre`, which has rows above and below.
    void add(std::int64_t centre) {
        find_windows(centre);
        monitor_.poll();
        const simd::Kernels& kernels = simd::kernels();
        const std::int64_t width = image_.width;
        simd::Lanes y[window_pixels * 3];
        std::int64_t next_poll = poll_every;
        for (std::int64_t x = 1; x + 1 < width;) {
            if (!build_[static_cast<std::size_t>(x)]) {
                ++x;
                continue;
            }
            if (x >= next_poll) {
                monitor_.poll();
                next_poll = x + poll_every;
            }
            int count = 1;
            while (count < simd::lanes && x + count + 1 < width && build_[static_cast<std::size_t>(x + count)]) {
                ++count;
            }
            const double* rows_at[] = {colours_.row(centre - 1) + x - 1, colours_.row(centre) + x - 1,
                                       colours_.row(centre + 1) + x - 1};
            double* const planes_at[] = {at(centre - 1, x - 1), at(centre, x - 1), at(centre + 1, x - 1)};
            kernels.whiten(image_.channels, rows_at, colours_.stride(), count, e_, y);
            kernels.add_entries(image_.channels, y, count, stride_, planes_at);
            for (std::int64_t row = centre - 1; row <= centre + 1; ++row) {
                touch(row, x - 1, x + count + 1);
            }
            x += count;
        }
    }

private:
    static constexpr int window_pixels = 9;
    static constexpr std::int64_t poll_every = 65536;  // windows of a row
    static constexpr std::int64_t ring_rows = 8;

    static std::int64_t slot(std::int64_t y) { return (y + ring_rows) % ring_rows; }

    void touch(std::int64_t y, std::int64_t begin, std::int64_t end) {
        auto& touched = touched_[static_cast<std::size_t>(slot(y))];
        if (!touched.empty() && touched.back().first <= begin && begin <= touched.back().second) {
            touched.back().second = std::max(touched.back().second, end);
        } else {
            touched.emplace_back(begin, end);
        }
    }

    // Whether the window round (y, x) holds an unknown pixel, for all x of a row at once.
    void find_windows(std::int64_t y) {
        const std::int64_t width = image_.width;
        if (labels_ == nullptr) {
            std::fill(build_.begin(), build_.end(), std::uint8_t{1});
            return;
        }
        const Label* label = labels_ + y * width;
        for (std::int64_t x = 0; x < width; ++x) {
            column_[static_cast<std::size_t>(x)] = (label[x - width] == Label::unknown) | (label[x] == Label::unknown) |
                                                   (label[x + width] == Label::unknown);
        }
        for (std::size_t x = 1; x + 1 < build_.size(); ++x) {
            build_[x] = column_[x - 1] | column_[x] | column_[x + 1];
        }
    }

    const ImageView& image_;
    const Label* labels_;
    double e_;
    Monitor& monitor_;
    std::int64_t stride_;
    Buffer<double> data_;
    std::vector<std::vector<std::pair<std::int64_t, std::int64_t>>> touched_;  // ranges of columns that are not zero
    ColourRows colours_;
    std::vector<std::uint8_t> column_, build_;
};

}  // namespace trimatte
