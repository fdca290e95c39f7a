// An operator that is given by its products: a matrix-free form of an affinity whose rows are too
// long to be stored.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "trimatte/buffer.hpp"
#include "trimatte/image.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {

// The operator on a coarse level: V^T L V or an approximation of it. The columns of V belong to
// cells of `side` x `side` pixels: each cell has `columns` of them, which are zero outside its
// pixels. With v = [1, I - centre], where I is the colour of a pixel in the cell, its row of V is
// basis^T v. Empty columns are zero in `basis`, and have a one on the diagonal of V^T L V.
struct CellMatrix {
    static constexpr int columns_at_most = 4;
    // The forward neighbours of a cell: (0, 0), (0, 1), (1, -1), (1, 0), (1, 1).
    static constexpr int neighbours = 5;
    using Block = std::array<double, columns_at_most * columns_at_most>;  // row-major

    struct Cell {
        std::int32_t y, x;  // in cells
        double centre[3];
        Block basis;
        Block entry[neighbours];  // the block between this cell and a forward neighbour
    };

    std::int64_t side = 0;
    int columns = 0;
    std::vector<Cell> cells;  // row by row through the picture

    std::size_t bytes() const { return cells.size() * sizeof(Cell); }
};

// A symmetric positive semidefinite matrix L with one row for each wanted pixel (Wanted::has_row),
// in the order of the pixels. Results have the same bits for any number of threads.
class Operator {
public:
    virtual ~Operator() = default;
    virtual std::int64_t rows() const = 0;
    // Computes y = L x, where x and y have one number per row. Alpha is zero at all other pixels.
    // Products of one object share memory and must not run at the same time.
    virtual void multiply(const double* x, double* y, const Context& context) const = 0;
    // Fills d with positive numbers near the diagonal of L. They scale the system and need not be
    // exact.
    virtual void diagonal(double* d, const Context& context) const = 0;
    // Computes the sum of each row's entries at the pixels of one label. `labels` has a label for
    // each pixel of the picture.
    virtual void sum_entries(const Label* labels, Label which, double* sums, const Context& context) const = 0;
    // Returns the operator on a coarse level of about `cells_at_most` cells or less, from which a
    // preconditioner is made; nothing if the operator has none. Conjugate gradients then use the
    // diagonal only.
    virtual std::optional<CellMatrix> on_cells(std::int64_t /*cells_at_most*/, const Context& /*context*/) const {
        return std::nullopt;
    }
    virtual std::size_t bytes() const = 0;
};

}  // namespace trimatte
