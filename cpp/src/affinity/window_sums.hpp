// Sums over windows of 3 x 3 pixels, row by row, are the fast form of affinities that are made of
// such windows. This header is private to this folder.
//
// The matrix of one window is
//     L_ab = delta_ab - constant - y_a . y_b
// where y_a is a vector of a few numbers for each pixel a of the window. An affinity says how y_a
// follows from the colours of the window (WindowKernel). Many windows of a row are handled
// together, as arrays of simd::lanes numbers.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "affinity/colour_rows.hpp"
#include "simd/kernels.hpp"
#include "trimatte/affinity.hpp"
#include "trimatte/buffer.hpp"

namespace trimatte {

// Computes what an affinity makes of a window.
class WindowKernel {
public:
    virtual ~WindowKernel() = default;
    virtual int components() const = 0;  // the length of y_a, at most 4
    virtual double constant() const = 0;
    // Fills y[a * components() + c][i] with number c of pixel a of window i, for `count` adjacent
    // windows. rows points to the three rows of colours at the left column of the first window;
    // channel c lies c * stride further.
    virtual void whiten(const double* const* rows, std::int64_t stride, int count, simd::Lanes* y) const = 0;
};

// The planes of picture rows, which are sums over the windows that have been added. A window is
// built if it holds an unknown pixel.
class WindowSums : public StencilRows {
public:
    WindowSums(const Wanted& wanted, std::unique_ptr<WindowKernel> kernel, Monitor& monitor)
        : image_(wanted.image),
          labels_(wanted.labels),
          kernel_(std::move(kernel)),
          monitor_(monitor),
          stride_(image_.width + 2 * margin),
          data_(rows_kept * planes * stride_),
          touched_(rows_kept),
          colours_(image_, rows_kept, 0),
          column_(static_cast<std::size_t>(image_.width)),
          build_(static_cast<std::size_t>(image_.width)) {
        std::fill(data_.begin(), data_.end(), 0.0);
    }

    double* at(std::int64_t y, std::int64_t x) override {
        return data_.data() + slot(y) * planes * stride_ + x + margin;
    }
    std::int64_t stride() const override { return stride_; }
    const double* colour(std::int64_t y, int c) override { return colours_.row(y) + c * colours_.stride(); }

    void clear(std::int64_t y) override {
        auto& touched = touched_[static_cast<std::size_t>(slot(y))];
        for (const auto& [begin, end] : touched) {
            for (int d = 0; d < planes; ++d) {
                double* row = at(y, 0) + d * stride_;
                std::fill(row + begin, row + end, 0.0);
            }
        }
        touched.clear();
    }

    // Adds all windows whose centres are in row `centre`.
    void add(std::int64_t centre) override {
        find_windows(centre);
        monitor_.poll();
        const simd::Kernels& kernels = simd::kernels();
        const std::int64_t width = image_.width;
        simd::Lanes y[window_pixels * 4];
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
            kernel_->whiten(rows_at, colours_.stride(), count, y);
            kernels.add_entries(kernel_->components(), kernel_->constant(), y, count, stride_, planes_at);
            for (std::int64_t row = centre - 1; row <= centre + 1; ++row) {
                touch(row, x - 1, x + count + 1);
            }
            x += count;
        }
    }

private:
    static constexpr int window_pixels = 9;
    static constexpr std::int64_t poll_every = 65536;  // windows of a row between two polls

    static std::int64_t slot(std::int64_t y) { return (y + rows_kept) % rows_kept; }

    void touch(std::int64_t y, std::int64_t begin, std::int64_t end) {
        auto& touched = touched_[static_cast<std::size_t>(slot(y))];
        if (!touched.empty() && touched.back().first <= begin && begin <= touched.back().second) {
            touched.back().second = std::max(touched.back().second, end);
        } else {
            touched.emplace_back(begin, end);
        }
    }

    // Finds, for all x of a row at once, whether the window around (y, x) holds an unknown pixel.
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

    const ImageView image_;
    const Label* const labels_;
    const std::unique_ptr<WindowKernel> kernel_;
    Monitor& monitor_;
    std::int64_t stride_;
    Buffer<double> data_;
    // Ranges of columns that are not zero, for each row kept.
    std::vector<std::vector<std::pair<std::int64_t, std::int64_t>>> touched_;
    ColourRows colours_;
    std::vector<std::uint8_t> column_, build_;
};

}  // namespace trimatte
