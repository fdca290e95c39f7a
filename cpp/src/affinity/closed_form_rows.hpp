// What the two kernels of the closed-form Laplacian share: which rows and windows exist, and how a finished
// stencil becomes a row of the matrix. Private to this folder.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "trimatte/affinity.hpp"
#include "trimatte/image.hpp"
#include "trimatte/monitor.hpp"
#include "trimatte/sparse.hpp"

namespace trimatte {

// Values of an index map for pixels that have no row in the matrix.
constexpr std::int32_t no_row = -1;             // known background, or nothing asked for
constexpr std::int32_t no_row_foreground = -2;  // known foreground: its column goes to the right-hand side

struct ClosedFormRows {
    const ImageView& image;
    // Number of each pixel's row, ascending in row-major order, or one of the values above.
    const std::int32_t* index;
    // A window is built if it holds an unknown pixel; null builds all of them.
    const Label* labels;
    double epsilon;
    int radius;
    Csr& matrix;  // row_start is filled; the kernels fill column and value
    double* rhs;  // one number per row, or null

    bool is_unknown(std::int64_t y, std::int64_t x) const {
        return labels == nullptr || labels[y * image.width + x] == Label::unknown;
    }
};

// Both kernels fill the matrix rows of the picture's rows [y_begin, y_end).
void fill_rows_3x3(const ClosedFormRows& rows, std::int64_t y_begin, std::int64_t y_end, Monitor& monitor);
void fill_rows_any_radius(const ClosedFormRows& rows, std::int64_t y_begin, std::int64_t y_end, Monitor& monitor);

// The system as planes. known_weight: 0 for the hard one.
Stencil closed_form_stencil(const ImageView& image, const Label* labels, double known_weight,
                            const ClosedFormOptions& options, Monitor& monitor);

// Rows of the index map around a picture row, `reach` pixels wider on both sides so that nobody need ask where
// the picture ends.
class IndexRows {
public:
    IndexRows(const ClosedFormRows& rows, int reach)
        : rows_(rows),
          reach_(reach),
          stride_(rows.image.width + 2 * reach),
          data_(static_cast<std::size_t>((2 * reach + 1) * stride_), no_row) {}

    // Makes row(dy) valid for dy in [-reach, reach] around y. Ask for rows in ascending order.
    void move_to(std::int64_t y) {
        const std::int64_t from = y_ < 0 ? y - reach_ : std::max(y_ + reach_ + 1, y - reach_);
        for (std::int64_t v = from; v <= y + reach_; ++v) {
            std::int32_t* out = slot(v);
            if (v < 0 || v >= rows_.image.height) {
                std::fill(out, out + stride_, no_row);
            } else {
                const std::int32_t* in = rows_.index + v * rows_.image.width;
                std::copy(in, in + rows_.image.width, out + reach_);
            }
        }
        y_ = y;
    }

    // Index of pixel x of row y + dy is row(dy)[x]; x from -reach to width + reach - 1.
    const std::int32_t* row(int dy) { return slot(y_ + dy) + reach_; }

private:
    std::int32_t* slot(std::int64_t v) {
        const std::int64_t n = 2 * reach_ + 1;
        return data_.data() + (v + n) % n * stride_;
    }

    const ClosedFormRows& rows_;
    int reach_;
    std::int64_t stride_;
    std::vector<std::int32_t> data_;
    std::int64_t y_ = -1;
};

// Rows of the picture as planar doubles, as many as a window is high.
class ColourRows {
public:
    ColourRows(const ImageView& image, int count, std::int64_t padding)
        : image_(image),
          count_(count),
          stride_(image.width + padding),
          loaded_(static_cast<std::size_t>(count), -1),
          data_(static_cast<std::size_t>(count * image.channels * stride_)) {}

    // Channel c of row y starts at row(y) + c * stride().
    const double* row(std::int64_t y) {
        const std::int64_t slot = y % count_;
        double* out = data_.data() + slot * image_.channels * stride_;
        if (loaded_[static_cast<std::size_t>(slot)] != y) {
            load_row(image_, y, stride_, out);
            loaded_[static_cast<std::size_t>(slot)] = y;
        }
        return out;
    }
    std::int64_t stride() const { return stride_; }

private:
    const ImageView& image_;
    std::int64_t count_;
    std::int64_t stride_;
    std::vector<std::int64_t> loaded_;
    std::vector<double> data_;
};

}  // namespace trimatte
