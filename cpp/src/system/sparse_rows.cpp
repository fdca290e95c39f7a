// Makes sparse rows from an affinity: from its planes, whose entries can be counted beforehand, or
// from the rows that it emits.
#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "system/rows.hpp"

namespace trimatte {
namespace {

using Body = std::function<void(std::int64_t, std::int64_t)>;

// Calls body(y_begin, y_end) on bands of the picture, in parallel.
void for_bands(std::int64_t height, std::int64_t band, const Context& context, const Body& body) {
    parallel_for((height + band - 1) / band, context.threads, context.monitor, [&](std::int64_t i) {
        body(i * band, std::min(height, (i + 1) * band));
        context.monitor.set_fraction(static_cast<double>(i * band) / static_cast<double>(height));
    });
}

// The rows of the index map around a picture row, `reach` pixels wider on both sides, so that no
// loop has to check for the border of the picture.
class IndexRows {
public:
    static constexpr int reach = 2;

    IndexRows(const std::int32_t* index, std::int64_t height, std::int64_t width)
        : index_(index),
          height_(height),
          width_(width),
          stride_(width + 2 * reach),
          data_(static_cast<std::size_t>((2 * reach + 1) * stride_), no_row) {}

    // Makes row(dy) valid for dy in [-reach, reach] around y. Calls must come with ascending y.
    void move_to(std::int64_t y) {
        const std::int64_t from = y_ < 0 ? y - reach : std::max(y_ + reach + 1, y - reach);
        for (std::int64_t v = from; v <= y + reach; ++v) {
            std::int32_t* out = slot(v);
            if (v < 0 || v >= height_) {
                std::fill(out, out + stride_, no_row);
            } else {
                std::copy_n(index_ + v * width_, width_, out + reach);
            }
        }
        y_ = y;
    }

    // row(dy)[x] is the index of pixel x of row y + dy, for x from -reach to width + reach - 1.
    const std::int32_t* row(int dy) { return slot(y_ + dy) + reach; }

private:
    std::int32_t* slot(std::int64_t v) {
        constexpr std::int64_t n = 2 * reach + 1;
        return data_.data() + (v + n) % n * stride_;
    }

    const std::int32_t* index_;
    std::int64_t height_, width_, stride_;
    std::vector<std::int32_t> data_;
    std::int64_t y_ = -1;
};

// Sets row_start[i + 1] to the number of entries of row i: the pixels with a row that are at most
// two rows and columns away.
void count_entries(const ImageView& image, const std::int32_t* index_of, Csr& matrix, std::int64_t y_begin,
                   std::int64_t y_end) {
    constexpr std::int64_t reach = IndexRows::reach;
    const std::int64_t width = image.width;
    std::vector<std::int32_t> column(static_cast<std::size_t>(width));
    for (std::int64_t y = y_begin; y < y_end; ++y) {
        std::fill(column.begin(), column.end(), 0);
        const std::int64_t last = std::min(image.height - 1, y + reach);
        for (std::int64_t v = std::max<std::int64_t>(0, y - reach); v <= last; ++v) {
            const std::int32_t* index = index_of + v * width;
            for (std::int64_t x = 0; x < width; ++x) {
                column[static_cast<std::size_t>(x)] += index[x] >= 0;
            }
        }
        std::int64_t count = 0;
        for (std::int64_t x = 0; x < std::min(reach, width); ++x) {
            count += column[static_cast<std::size_t>(x)];
        }
        for (std::int64_t x = 0; x < width; ++x) {
            if (x + reach < width) {
                count += column[static_cast<std::size_t>(x + reach)];
            }
            if (x - reach - 1 >= 0) {
                count -= column[static_cast<std::size_t>(x - reach - 1)];
            }
            const std::int32_t i = index_of[y * width + x];
            if (i >= 0) {
                matrix.row_start[i + 1] = count;
            }
        }
    }
}

// Writes the matrix rows of one picture row, whose planes are complete.
void write_row(StencilRows& planes, IndexRows& index, std::int64_t y, std::int64_t width, SparseRows& rows) {
    index.move_to(y);
    std::array<const double*, 5> planes_at;
    std::array<const std::int32_t*, 5> index_at;
    for (int dy = -2; dy <= 2; ++dy) {
        planes_at[dy + 2] = planes.at(dy < 0 ? y + dy : y, 0);
        index_at[dy + 2] = index.row(dy);
    }
    const std::int64_t stride = planes.stride();
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
                const double value = forward ? planes_at[2][StencilRows::plane_of(dy, dx) * stride + x]
                                             : planes_at[dy + 2][StencilRows::plane_of(-dy, -dx) * stride + x + dx];
                to[k] = j;
                entry[k] = value;
                k += j >= 0;
                towards_foreground += j == no_row_foreground ? value : 0.0;
            }
        }
        const std::int64_t start = rows.matrix.row_start[i];
        std::copy_n(to.data(), k, rows.matrix.column.data() + start);
        std::copy_n(entry.data(), k, rows.matrix.value.data() + start);
        rows.towards_foreground[i] = towards_foreground;
    }
}

SparseRows from_planes(const Affinity& affinity, const Wanted& wanted, const std::int32_t* index, std::int64_t count,
                       const Context& context) {
    // Rows of a band, which computes the windows of two more rows.
    constexpr std::int64_t band = 32;
    const ImageView& image = wanted.image;
    SparseRows rows;
    rows.matrix.rows = count;
    rows.matrix.row_start = Buffer<std::int64_t>(count + 1);
    rows.matrix.row_start[0] = 0;
    for_bands(image.height, band, context,
              [&](std::int64_t begin, std::int64_t end) { count_entries(image, index, rows.matrix, begin, end); });
    for (std::int64_t i = 0; i < count; ++i) {
        rows.matrix.row_start[i + 1] += rows.matrix.row_start[i];
    }
    rows.matrix.column = Buffer<std::int32_t>(rows.matrix.row_start[count]);
    rows.matrix.value = Buffer<double>(rows.matrix.row_start[count]);
    rows.towards_foreground = Buffer<double>(count);
    for_bands(image.height, band, context, [&](std::int64_t begin, std::int64_t end) {
        const auto planes = affinity.stencil_rows(wanted, context.monitor);
        IndexRows index_rows(index, image.height, image.width);
        planes->clear(begin - 2);
        planes->clear(begin - 1);
        for (std::int64_t centre = begin - 1; centre <= end; ++centre) {
            planes->clear(centre + 1);
            if (centre >= 1 && centre + 1 < image.height) {
                planes->add(centre);
            }
            if (centre - 1 >= begin) {
                write_row(*planes, index_rows, centre - 1, image.width, rows);
            }
        }
    });
    return rows;
}

// Keeps the rows of one band as they come, without the entries of pixels that have no row.
class BandRows : public RowSink {
public:
    explicit BandRows(const std::int32_t* index) : index_(index) {}

    void add(std::int64_t, std::int64_t count, const std::int32_t* column, const double* value) override {
        double towards_foreground = 0;
        std::uint8_t meets = 0;
        for (std::int64_t k = 0; k < count; ++k) {
            const std::int32_t j = index_[column[k]];
            if (j >= 0) {
                column_.push_back(j);
                value_.push_back(value[k]);
            } else if (j == no_row_foreground) {
                towards_foreground += value[k];
                meets = static_cast<std::uint8_t>(meets | (value[k] != 0 ? Problem::foreground : 0));
            } else {
                meets = static_cast<std::uint8_t>(meets | (value[k] != 0 ? Problem::background : 0));
            }
        }
        meets_.push_back(meets);
        end_.push_back(static_cast<std::int64_t>(column_.size()));
        towards_foreground_.push_back(towards_foreground);
    }

    std::int64_t rows() const { return static_cast<std::int64_t>(end_.size()); }
    std::int64_t entries() const { return static_cast<std::int64_t>(column_.size()); }
    // Moves the rows to the matrix, from row `first` and entry `start` on.
    void move_to(SparseRows& rows, std::int64_t first, std::int64_t start) {
        std::copy(column_.begin(), column_.end(), rows.matrix.column.data() + start);
        std::copy(value_.begin(), value_.end(), rows.matrix.value.data() + start);
        for (std::size_t i = 0; i < end_.size(); ++i) {
            rows.matrix.row_start[first + static_cast<std::int64_t>(i) + 1] = start + end_[i];
            rows.towards_foreground[first + static_cast<std::int64_t>(i)] = towards_foreground_[i];
            rows.meets[first + static_cast<std::int64_t>(i)] = meets_[i];
        }
        *this = BandRows(index_);
    }

private:
    const std::int32_t* index_;
    std::vector<std::int32_t> column_;
    std::vector<double> value_, towards_foreground_;
    std::vector<std::uint8_t> meets_;
    std::vector<std::int64_t> end_;
};

SparseRows from_emitted_rows(const Affinity& affinity, const Wanted& wanted, const std::int32_t* index,
                             std::int64_t count, const Context& context) {
    const std::int64_t height = wanted.image.height;
    const std::int64_t band = affinity.band_height();
    std::vector<BandRows> bands(static_cast<std::size_t>((height + band - 1) / band), BandRows(index));
    for_bands(height, band, context, [&](std::int64_t begin, std::int64_t end) {
        affinity.emit_rows(wanted, begin, end, bands[static_cast<std::size_t>(begin / band)], context.monitor);
    });
    std::vector<std::int64_t> row{0}, entry{0};
    for (const BandRows& rows_of_band : bands) {
        row.push_back(row.back() + rows_of_band.rows());
        entry.push_back(entry.back() + rows_of_band.entries());
    }
    SparseRows rows;
    rows.matrix.rows = count;
    rows.matrix.row_start = Buffer<std::int64_t>(count + 1);
    rows.matrix.row_start[0] = 0;
    rows.matrix.column = Buffer<std::int32_t>(entry.back());
    rows.matrix.value = Buffer<double>(entry.back());
    rows.towards_foreground = Buffer<double>(count);
    rows.meets = Buffer<std::uint8_t>(count);
    parallel_for(static_cast<std::int64_t>(bands.size()), context.threads, context.monitor, [&](std::int64_t i) {
        const auto at = static_cast<std::size_t>(i);
        bands[at].move_to(rows, row[at], entry[at]);
    });
    return rows;
}

}  // namespace

SparseRows sparse_rows(const Affinity& affinity, const Wanted& wanted, const Buffer<std::int32_t>& index,
                       std::int64_t rows, const Context& context) {
    if (affinity.traits().has_planes) {
        return from_planes(affinity, wanted, index.data(), rows, context);
    }
    const std::unique_ptr<Affinity> prepared = affinity.prepared(wanted, context);
    return from_emitted_rows(prepared ? *prepared : affinity, wanted, index.data(), rows, context);
}

}  // namespace trimatte
