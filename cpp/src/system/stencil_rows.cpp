// Makes the system as planes for multigrid from the planes of an affinity, without a sparse matrix
// between them.
#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "simd/kernels.hpp"
#include "system/rows.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t k = Stencil::pixels_per_cell;
static_assert(k % Grid::gap == 0);  // so that exactly `gap` slots follow each row of a strip

// One number for each pixel of the last eight picture rows; the numbers beyond the picture are
// zero.
class Rows {
public:
    explicit Rows(std::int64_t width)
        : stride_(width + 2 * StencilRows::margin), data_(static_cast<std::size_t>(8 * stride_), 0.0) {}
    double* at(std::int64_t y) { return data_.data() + (y + 8) % 8 * stride_ + StencilRows::margin; }
    void clear(std::int64_t y) { std::fill(at(y) - StencilRows::margin, at(y) - StencilRows::margin + stride_, 0.0); }

private:
    std::int64_t stride_;
    std::vector<double> data_;
};

// Makes a grid of the cells that hold an unknown of the system.
Grid make_grid(const ImageView& image, const Known& known, const Context& context) {
    const std::int64_t rows = (image.height + k - 1) / k;
    const std::int64_t columns = (image.width + k - 1) / k;
    std::vector<std::uint8_t> active(static_cast<std::size_t>(rows * columns), known.is_soft() ? 1 : 0);
    const auto find_active = [&](std::int64_t cy, std::vector<std::uint8_t>& column) {
        std::fill(column.begin(), column.end(), std::uint8_t{0});
        for (std::int64_t y = cy * k; y < std::min(image.height, (cy + 1) * k); ++y) {
            const Label* label = known.labels + y * image.width;
            for (std::int64_t x = 0; x < image.width; ++x) {
                column[static_cast<std::size_t>(x)] |= label[x] == Label::unknown;
            }
        }
        for (std::int64_t cx = 0; cx < columns; ++cx) {
            const std::uint8_t* cell = column.data() + cx * k;
            active[static_cast<std::size_t>(cy * columns + cx)] =
                std::any_of(cell, cell + k, [](auto u) { return u != 0; });
        }
    };
    if (!known.is_soft()) {
        parallel_for((rows + 7) / 8, context.threads, context.monitor, [&](std::int64_t task) {
            std::vector<std::uint8_t> column(static_cast<std::size_t>(columns * k), 0);
            for (std::int64_t cy = 8 * task; cy < std::min(rows, 8 * task + 8); ++cy) {
                find_active(cy, column);
            }
        });
    }
    return Grid(image.height, image.width, k, Stencil::reach, active);
}

// Fills a band of rows of the stencil.
class RowFiller {
public:
    RowFiller(StencilRows& rows, const ImageView& image, const Known& known, Stencil& stencil)
        : image_(image),
          known_(known),
          stencil_(stencil),
          sums_(rows),
          scale_(image.width),
          foreground_(image.width),
          product_(static_cast<std::size_t>(image.width + 2 * StencilRows::margin)) {}

    // Fills picture rows [y_begin, y_end).
    void fill(std::int64_t y_begin, std::int64_t y_end) {
        for (std::int64_t y = y_begin - 2; y < y_begin; ++y) {
            sums_.clear(y);
            load_foreground(y);
        }
        // Row v needs the scale of row v + 2, whose diagonal is complete once the windows around
        // row v + 3 have been added.
        for (std::int64_t centre = y_begin - 1; centre <= y_end + 2; ++centre) {
            sums_.clear(centre + 1);
            load_foreground(centre + 1);
            if (centre >= 1 && centre + 1 < image_.height) {
                sums_.add(centre);
            }
            find_scale(centre - 1);
            if (centre - 3 >= y_begin) {
                finish(centre - 3);
            }
        }
    }

private:
    bool inside(std::int64_t y) const { return y >= 0 && y < image_.height; }

    void load_foreground(std::int64_t y) {
        foreground_.clear(y);
        if (!inside(y)) {
            return;
        }
        const Label* label = known_.labels + y * image_.width;
        double* f = foreground_.at(y);
        for (std::int64_t x = 0; x < image_.width; ++x) {
            f[x] = label[x] == Label::foreground ? 1.0 : 0.0;
        }
    }

    void find_scale(std::int64_t y) {
        scale_.clear(y);
        if (!inside(y)) {
            return;
        }
        const double* diagonal = sums_.at(y, 0);
        double* s = scale_.at(y);
        for (const Strip* strip = strips_begin(y); strip != strips_end(y); ++strip) {
            const std::int64_t end = std::min(strip->x + strip->width, image_.width);
            for (std::int64_t x = strip->x; x < end; ++x) {
                const std::int64_t pixel = y * image_.width + x;
                s[x] = known_.is_solved(pixel) ? 1 / std::sqrt(diagonal[x] + known_.diagonal(pixel)) : 0.0;
            }
        }
    }

    void finish(std::int64_t y) {
        const std::int64_t n = stencil_.grid.slots();
        const double* const s[] = {scale_.at(y), scale_.at(y + 1), scale_.at(y + 2)};
        for (const Strip* strip = strips_begin(y); strip != strips_end(y); ++strip) {
            const std::int64_t x = strip->x;
            const std::int64_t size = strip->padded();
            // Slots without nodes behind the row.
            const std::int64_t rest = strip->width + Grid::gap - size;
            const std::int64_t to = strip->slot + y % k * strip->stride;
            const double* const s_at[] = {s[0] + x, s[1] + x, s[2] + x};
            simd::kernels().scale_entries(size, sums_.at(y, x), sums_.stride(), s_at, stencil_.hi.data() + to,
                                          stencil_.lo.data() + to, n);
            const double* const rows[] = {sums_.at(y - 2, x), sums_.at(y - 1, x), sums_.at(y, x)};
            std::array<const double*, 5> f;
            for (int dy = -2; dy <= 2; ++dy) {
                f[static_cast<std::size_t>(dy + 2)] = foreground_.at(y + dy) + x;
            }
            simd::kernels().apply_entries(size, rows, sums_.stride(), f.data(), product_.data());
            for (std::int64_t i = 0; i < size; ++i) {
                const double towards_foreground = product_[static_cast<std::size_t>(i)];
                const double b = known_.is_soft() ? known_.weight * f[2][i] : -towards_foreground;
                stencil_.scale[to + i] = s_at[0][i];
                stencil_.rhs[to + i] = b * s_at[0][i];
            }
            for (std::int64_t i = 0; known_.prior && i < std::min(strip->width, image_.width - x); ++i) {
                const std::int64_t pixel = y * image_.width + x + i;
                if (known_.labels[pixel] == Label::unknown) {
                    stencil_.rhs[to + i] += known_.prior.pull(pixel) * s_at[0][i];
                }
            }
            for (int c = 0; c < stencil_.channels; ++c) {
                const double* colour = sums_.colour(y, c);
                const std::int64_t width = std::min(strip->width, image_.width - x);
                float* out = stencil_.colours.data() + c * n + to;
                std::fill(std::copy(colour + x, colour + x + width, out), out + size + rest, 0.0f);
            }
            for (int d = 0; d < Stencil::offsets; ++d) {
                std::fill_n(stencil_.hi.data() + d * n + to + size, rest, 0.0f);
                std::fill_n(stencil_.lo.data() + d * n + to + size, rest, 0.0f);
            }
            std::fill_n(stencil_.scale.data() + to + size, rest, 0.0);
            std::fill_n(stencil_.rhs.data() + to + size, rest, 0.0);
        }
    }

    const Strip* strips_begin(std::int64_t y) const { return stencil_.grid.strips_begin(y / k); }
    const Strip* strips_end(std::int64_t y) const { return stencil_.grid.strips_end(y / k); }

    const ImageView& image_;
    const Known& known_;
    Stencil& stencil_;
    StencilRows& sums_;
    Rows scale_, foreground_;
    std::vector<double> product_;
};

}  // namespace

Stencil stencil_of_planes(const Affinity& affinity, const Wanted& wanted, const Known& known, const Context& context) {
    const ImageView& image = wanted.image;
    Stencil stencil;
    stencil.grid = make_grid(image, known, context);
    stencil.channels = affinity.traits().colour_line ? image.channels : 0;
    stencil.allocate();
    // A band consists of whole cells. Every band also computes the windows of a few rows that
    // belong to its neighbours.
    const std::int64_t rows = stencil.grid.cell_rows();
    const std::int64_t band = std::clamp<std::int64_t>(rows / (4 * context.threads), 8, 32);
    const std::int64_t bands = (rows + band - 1) / band;
    parallel_for(bands, context.threads, context.monitor, [&](std::int64_t i) {
        const auto planes = affinity.stencil_rows(wanted, context.monitor);
        RowFiller filler(*planes, image, known, stencil);
        filler.fill(i * band * k, std::min(image.height, (i + 1) * band * k));
        context.monitor.set_fraction(static_cast<double>(i) / static_cast<double>(bands));
    });
    stencil.grid.trim([&](std::int64_t slot) { return stencil.scale[slot] > 0; });
    return stencil;
}

}  // namespace trimatte
