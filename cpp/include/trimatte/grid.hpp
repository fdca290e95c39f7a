// A grid says where the nodes of a level (pixels, or cells of the multigrid) lie in memory. Only
// the parts of the picture that hold unknown pixels are stored, in rows along which vector
// instructions can run without checking for ends.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace trimatte {

// A piece of a row of nodes: `size` adjacent slots (a multiple of 8). In each of the rows y - 2 ...
// y + 2 around it, the neighbours of all its nodes lie at the same distance in memory. `end`,
// `from` and `to` are columns, counted from the first node of the piece.
struct Piece {
    static constexpr int rows = 5;
    std::int64_t at[rows];  // at[2 + dy] is the slot of row y + dy at the piece's first column
    std::int64_t size;
    std::int64_t end;  // the end of the strip; the slots from this column on hold no nodes
    // The rows y - own_above ... y - 1 belong to the same strip. In the rows above these, only the
    // nodes in columns [from, to) have neighbours; for the other nodes, the slots at the same
    // distance belong to other strips.
    std::int64_t own_above, from, to;
};

// A strip of adjacent cells of `cell` x `cell` nodes. All rows of a strip have the same columns.
struct Strip {
    static constexpr std::int64_t lanes = 8;
    std::int64_t x;       // first column
    std::int64_t width;   // in nodes, a multiple of `cell`
    std::int64_t slot;    // slot of the first row at column x
    std::int64_t stride;  // distance in slots from a row to the next

    // The width, rounded up to whole vectors. The slots behind the row that this adds hold no
    // nodes.
    std::int64_t padded() const { return (width + lanes - 1) / lanes * lanes; }
};

// Slots are places in arrays of slots() elements. The rows of a strip lie in memory from top to
// bottom, `stride` slots apart, and between them lie the rows of the other strips in the same row
// of cells. At least `gap` slots without nodes follow each row of a strip. If a node has neighbours
// in a row, everything within its reach in that row can therefore be read. Slots without nodes
// always hold zeros.
class Grid {
public:
    static constexpr std::int64_t lanes = Strip::lanes;
    static constexpr std::int64_t gap = 4;  // twice the largest reach, in slots

    Grid() = default;
    // active: for each cell, row by row, whether it holds a node. reach: how far a node is coupled,
    // at most 2.
    Grid(std::int64_t height, std::int64_t width, std::int64_t cell, std::int64_t reach,
         const std::vector<std::uint8_t>& active);
    // Cuts the pieces down to the groups of lanes that hold nodes. is_node(slot) says whether a
    // slot of a strip holds a node.
    template <class IsNode>
    void trim(const IsNode& is_node);

    std::int64_t height() const { return height_; }
    std::int64_t width() const { return width_; }
    std::int64_t cell() const { return cell_; }
    std::int64_t reach() const { return reach_; }
    std::int64_t cell_rows() const { return (height_ + cell_ - 1) / cell_; }
    std::int64_t cell_columns() const { return (width_ + cell_ - 1) / cell_; }
    std::int64_t slots() const { return slots_; }
    // All slots before this one lie before the first node.
    std::int64_t first_slot() const { return first_slot_; }
    // The slot at which the last row of cells begins.
    std::int64_t last_row_slot() const { return last_row_slot_; }

    const Strip* strips_begin(std::int64_t cell_row) const { return strips_.data() + strip_start_[index(cell_row)]; }
    const Strip* strips_end(std::int64_t cell_row) const { return strips_.data() + strip_start_[index(cell_row) + 1]; }
    const Piece* pieces_begin(std::int64_t y) const { return pieces_.data() + piece_start_[index(y)]; }
    const Piece* pieces_end(std::int64_t y) const { return pieces_.data() + piece_start_[index(y) + 1]; }

    // Returns the slot of a place, or -1 if no strip covers it.
    std::int64_t slot(std::int64_t y, std::int64_t x) const;
    // The number of nodes of the strips in the rows `begin` ... `end` - 1, plus one for each row.
    // It measures the work there.
    std::int64_t work(std::int64_t begin, std::int64_t end) const { return work_[index(end)] - work_[index(begin)]; }
    std::size_t bytes() const;

private:
    static std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }
    void add_strips(const std::vector<std::uint8_t>& active);
    void add_pieces();

    std::int64_t height_ = 0, width_ = 0, cell_ = 1, reach_ = 0;
    std::int64_t first_slot_ = 0, last_row_slot_ = 0, slots_ = 0;
    std::vector<Strip> strips_;
    std::vector<std::size_t> strip_start_;
    std::vector<Piece> pieces_;
    std::vector<std::size_t> piece_start_;
    std::vector<std::int64_t> work_;
};

template <class IsNode>
void Grid::trim(const IsNode& is_node) {
    std::vector<Piece> kept;
    std::vector<std::size_t> start{0};
    for (std::int64_t y = 0; y < height_; ++y) {
        for (const Piece* p = pieces_begin(y); p != pieces_end(y); ++p) {
            const auto first_node = [&](std::int64_t from, std::int64_t to) {
                while (from < to && !is_node(p->at[2] + from)) {
                    ++from;
                }
                return from;
            };
            for (std::int64_t end = 0;;) {
                std::int64_t begin = first_node(end, p->size);
                if (begin == p->size) {
                    break;
                }
                if (reach_ == 1) {  // matrices of cells are stored by groups of lanes
                    begin -= begin % lanes;
                }
                // The piece goes on by groups of lanes as long as they hold nodes, and must not end
                // beyond the old piece.
                for (end = begin; end < p->size; end += lanes) {
                    const std::int64_t to = std::min(end + lanes, p->size);
                    if (first_node(end, to) == to) {
                        break;
                    }
                }
                begin -= std::max<std::int64_t>(0, end - p->size);
                end = std::min(end, p->size);
                Piece piece = *p;
                piece.size = end - begin;
                for (std::int64_t& at : piece.at) {
                    at += begin;
                }
                for (std::int64_t* column : {&piece.end, &piece.from, &piece.to}) {
                    *column = std::max<std::int64_t>(0, *column - begin);
                }
                kept.push_back(piece);
            }
        }
        start.push_back(kept.size());
    }
    pieces_ = std::move(kept);
    piece_start_ = std::move(start);
}

}  // namespace trimatte
