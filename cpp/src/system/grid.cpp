#include "trimatte/grid.hpp"

#include <algorithm>
#include <cstdlib>

namespace trimatte {
namespace {

std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

}  // namespace

Grid::Grid(std::int64_t height, std::int64_t width, std::int64_t cell, std::int64_t reach,
           const std::vector<std::uint8_t>& active)
    : height_(height), width_(width), cell_(cell), reach_(reach) {
    add_strips(active);
    add_pieces();
}

void Grid::add_strips(const std::vector<std::uint8_t>& active) {
    // A vector of lanes and the neighbours of its nodes span `span` columns. Two strips of a row
    // are at least that far apart, so a vector meets at most one strip of each row around it.
    const std::int64_t span = lanes + 2 * reach_;
    const std::int64_t columns = cell_columns();
    std::int64_t longest = 0;
    strip_start_.assign(1, 0);
    for (std::int64_t cy = 0; cy < cell_rows(); ++cy) {
        const std::uint8_t* row = active.data() + cy * columns;
        for (std::int64_t cx = 0; cx < columns; ++cx) {
            if (!row[cx]) {
                continue;
            }
            const bool near =
                strips_.size() > strip_start_.back() && cx * cell_ - (strips_.back().x + strips_.back().width) < span;
            if (!near) {
                strips_.push_back({cx * cell_, 0, 0, 0});
            }
            strips_.back().width = (cx + 1) * cell_ - strips_.back().x;
            longest = std::max(longest, strips_.back().width);
        }
        strip_start_.push_back(strips_.size());
    }
    first_slot_ = round_up(longest + 4 * span, 16);
    slots_ = first_slot_;
    // The parts of a row that belong to different strips follow each other, row after row, so that
    // memory is read in order. Rows of pixels may begin at any slot; matrices of cells are stored
    // by groups of lanes.
    for (std::int64_t cy = 0; cy < cell_rows(); ++cy) {
        const std::int64_t first = slots_;
        for (std::size_t i = strip_start_[index(cy)]; i < strip_start_[index(cy) + 1]; ++i) {
            strips_[i].slot = slots_;
            slots_ += round_up(strips_[i].width + gap, reach_ == 1 ? lanes : gap);
        }
        const std::int64_t stride = slots_ - first;
        for (std::size_t i = strip_start_[index(cy)]; i < strip_start_[index(cy) + 1]; ++i) {
            strips_[i].stride = stride;
        }
        slots_ = first + cell_ * stride;
    }
    last_row_slot_ = strip_start_[strip_start_.size() - 2] < strips_.size()
                         ? strips_[strip_start_[strip_start_.size() - 2]].slot
                         : slots_;
    // Several arrays of slots() elements are read side by side. Their distance must not be near a
    // multiple of a page, because they would share cache sets.
    constexpr std::int64_t page = 1024;
    slots_ = round_up(slots_ + 2 * span, 16);
    if (slots_ > page / 2) {
        slots_ = round_up(slots_, page) + 80;
    }

    work_.assign(1, 0);
    for (std::int64_t y = 0; y < height_; ++y) {
        std::int64_t sum = work_.back() + 1;
        for (const Strip* s = strips_begin(y / cell_); s != strips_end(y / cell_); ++s) {
            sum += s->width;
        }
        work_.push_back(sum);
    }
}

void Grid::add_pieces() {
    piece_start_.assign(1, 0);
    for (std::int64_t y = 0; y < height_; ++y) {
        const std::int64_t cy = y / cell_;
        // Rows around row y that belong to another row of cells all belong to the same one, because
        // the reach is less than a cell.
        const std::int64_t other = y - reach_ < cy * cell_ ? cy - 1 : y + reach_ >= (cy + 1) * cell_ ? cy + 1 : cy;
        const bool exists = other != cy && other >= 0 && other < cell_rows();
        const Strip* near = exists ? strips_begin(other) : nullptr;
        const Strip* last = exists ? strips_end(other) : nullptr;
        for (const Strip* s = strips_begin(cy); s != strips_end(cy); ++s) {
            const Strip* beside = nullptr;
            for (std::int64_t x = s->x; x < s->x + s->width; x += lanes) {
                while (near != last && near->x + near->width <= x - reach_) {
                    ++near;
                }
                const Strip* met = near != last && near->x < x + lanes + reach_ ? near : nullptr;
                if (x > s->x && met == beside) {
                    pieces_.back().size += lanes;
                    continue;
                }
                beside = met;
                Piece piece{};
                piece.size = lanes;
                piece.own_above = std::min(y % cell_, reach_);
                piece.end = s->x + s->width - x;
                piece.from = 0;
                piece.to = piece.end;
                if (other < cy && met != nullptr) {
                    piece.from = std::max<std::int64_t>(0, met->x - reach_ - x);
                    piece.to = std::min(piece.end, met->x + met->width + reach_ - x);
                }
                for (std::int64_t dy = -2; dy <= 2; ++dy) {
                    const std::int64_t v = y + dy;
                    std::int64_t& at = piece.at[dy + 2];
                    at = 2 * lanes;  // slots of zeros, as many as the longest strip needs
                    if (std::abs(dy) > reach_ || v < 0 || v >= cell_rows() * cell_) {
                        continue;
                    }
                    const Strip* of = v / cell_ == cy ? s : beside;
                    if (of != nullptr) {
                        at = of->slot + v % cell_ * of->stride + x - of->x;
                    }
                }
                pieces_.push_back(piece);
            }
        }
        piece_start_.push_back(pieces_.size());
    }
}

std::int64_t Grid::slot(std::int64_t y, std::int64_t x) const {
    if (y < 0 || y >= cell_rows() * cell_) {
        return -1;
    }
    const Strip* end = strips_end(y / cell_);
    const Strip* s = std::upper_bound(strips_begin(y / cell_), end, x,
                                      [](std::int64_t value, const Strip& strip) { return value < strip.x; });
    if (s == strips_begin(y / cell_) || x >= s[-1].x + s[-1].width) {
        return -1;
    }
    return s[-1].slot + y % cell_ * s[-1].stride + x - s[-1].x;
}

std::size_t Grid::bytes() const {
    return strips_.size() * sizeof(Strip) + (strip_start_.size() + piece_start_.size()) * sizeof(std::size_t) +
           pieces_.size() * sizeof(Piece) + work_.size() * sizeof(std::int64_t);
}

}  // namespace trimatte
