#include "solve/two_level.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <vector>

#include "solve/cholesky/cholesky.hpp"
#include "solve/conjugate_gradient.hpp"
#include "trimatte/errors.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {
namespace {

// The diagonal of V^T A V grows by this part, so that rounding leaves it positive definite.
constexpr double shift = 1e-8;
// The coarse level is factorised, so that it must not be too large.
constexpr std::int64_t cells_at_most = 50000;

class TwoLevel : public Preconditioner {
public:
    TwoLevel(const Problem& problem, const Buffer<double>& scale, CellMatrix&& cells, const Context& context)
        : problem_(problem), scale_(scale), cells_(std::move(cells)), context_(context) {
        find_cells();
        add_diagonal();
        place_unknowns();
        factorise();
        b_.resize(static_cast<std::size_t>(coarse_.unknowns()));
        line_.resize(cells_.cells.size() * columns());
    }

    void apply(const double* r, double* z) override {
        restrict_to_cells(r);
        factor_->solve(b_.data(), context_);
        for_cell_rows([&](std::int64_t begin, std::int64_t end) { make_lines(begin, end); });
        parallel_ranges(
            problem_.unknowns(), context_.threads, context_.monitor, [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t i = begin; i < end; ++i) {
                    z[i] = r[i] * (scale_[i] * scale_[i]) +
                           value(line_.data() + static_cast<std::size_t>(cell_[i]) * columns(), i);
                }
            });
    }

    std::size_t bytes() const override {
        return cells_.bytes() + cell_.bytes() + coarse_.bytes() + plan_->peak_bytes(context_.threads) +
               (b_.size() + line_.size()) * sizeof(double);
    }
    double operator_complexity() const override {
        return 1 + static_cast<double>(coarse_.matrix.nonzeros()) / static_cast<double>(problem_.unknowns());
    }

private:
    using Cell = CellMatrix::Cell;

    std::size_t columns() const { return static_cast<std::size_t>(cells_.columns); }
    double colour(int c, std::int64_t i) const {
        return static_cast<double>(problem_.colours[c * problem_.unknowns() + i]);
    }
    // The numbers [1, I] . line for unknown i.
    double value(const double* line, std::int64_t i) const {
        double sum = line[0];
        for (int c = 0; c + 1 < cells_.columns; ++c) {
            sum += line[c + 1] * colour(c, i);
        }
        return sum;
    }

    // Finds the cell of each unknown, and the cells and unknowns at which each row of cells begins.
    void find_cells() {
        const std::int64_t n = problem_.unknowns(), side = cells_.side;
        cell_ = Buffer<std::int32_t>(n);
        const std::int64_t across = (problem_.width + side - 1) / side;
        std::vector<std::int32_t> number(static_cast<std::size_t>(across), -1);
        std::size_t next = 0;
        for (std::int64_t i = 0, y = -1; i < n; ++i) {
            const std::int64_t cy = problem_.pixel[i] / problem_.width / side;
            if (cy != y) {
                y = cy;
                row_first_.push_back(i);
                row_cells_.push_back(static_cast<std::int64_t>(next));
                for (; next < cells_.cells.size() && cells_.cells[next].y == y; ++next) {
                    number[static_cast<std::size_t>(cells_.cells[next].x)] = static_cast<std::int32_t>(next);
                }
            }
            cell_[i] = number[static_cast<std::size_t>(problem_.pixel[i] % problem_.width / side)];
        }
        row_first_.push_back(n);
        row_cells_.push_back(static_cast<std::int64_t>(cells_.cells.size()));
    }

    // Calls body(begin, end) for the unknowns of each row of cells, in parallel.
    template <class Body>
    void for_cell_rows(const Body& body) const {
        parallel_for(static_cast<std::int64_t>(row_first_.size()) - 1, context_.threads, context_.monitor,
                     [&](std::int64_t row) { body(row, row + 1); });
    }

    // Adds V^T diag(added) V.
    void add_diagonal() {
        const Buffer<double>& added = problem_.products->added;
        const std::size_t K = columns();
        for (std::int64_t i = 0; i < added.size(); ++i) {
            Cell& cell = cells_.cells[static_cast<std::size_t>(cell_[i])];
            double v[CellMatrix::columns_at_most] = {};
            for (std::size_t q = 0; q < K; ++q) {
                v[q] = cell.basis[q];
                for (std::size_t k = 1; k < K; ++k) {
                    const int c = static_cast<int>(k) - 1;
                    v[q] += cell.basis[k * K + q] * (colour(c, i) - cell.centre[c]);
                }
            }
            for (std::size_t p = 0; p < K; ++p) {
                for (std::size_t q = 0; q < K; ++q) {
                    cell.entry[0][p * K + q] += added[i] * v[p] * v[q];
                }
            }
        }
    }

    // Gives the coarse unknowns places from which an order of elimination follows: those of a cell
    // lie in a square of two pixels.
    void place_unknowns() {
        const std::int64_t K = cells_.columns, count = static_cast<std::int64_t>(cells_.cells.size());
        coarse_.reach = 3;
        coarse_.width = 2 * ((problem_.width + cells_.side - 1) / cells_.side);
        coarse_.height = 2 * ((problem_.height + cells_.side - 1) / cells_.side);
        std::vector<std::int64_t> place(static_cast<std::size_t>(K * count)), order(place.size());
        for (std::int64_t i = 0; i < K * count; ++i) {
            const Cell& cell = cells_.cells[static_cast<std::size_t>(i / K)];
            const std::int64_t q = i % K;
            place[static_cast<std::size_t>(i)] = (2 * cell.y + q / 2) * coarse_.width + 2 * cell.x + q % 2;
        }
        std::iota(order.begin(), order.end(), std::int64_t{0});
        std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
            return place[static_cast<std::size_t>(a)] < place[static_cast<std::size_t>(b)];
        });
        number_.resize(place.size());
        coarse_.pixel = Buffer<std::int32_t>(K * count);
        for (std::size_t i = 0; i < order.size(); ++i) {
            coarse_.pixel[static_cast<std::int64_t>(i)] =
                static_cast<std::int32_t>(place[static_cast<std::size_t>(order[i])]);
            number_[static_cast<std::size_t>(order[i])] = static_cast<std::int32_t>(i);
        }
    }

    // Makes V^T A V as sparse rows.
    void make_matrix() {
        constexpr int dy[] = {0, 0, 1, 1, 1}, dx[] = {0, 1, -1, 0, 1};
        const std::size_t K = columns();
        struct Entry {
            std::int32_t column;
            double value;
        };
        std::vector<std::vector<Entry>> rows(number_.size());
        const auto put = [&](std::size_t i, std::size_t p, std::size_t j, std::size_t q, double value) {
            rows[static_cast<std::size_t>(number_[i * K + p])].push_back({number_[j * K + q], value});
        };
        for (std::size_t i = 0; i < cells_.cells.size(); ++i) {
            const Cell& cell = cells_.cells[i];
            for (int f = 0; f < CellMatrix::neighbours; ++f) {
                const std::int64_t j = find(cell.y + dy[f], cell.x + dx[f]);
                for (std::size_t p = 0; j >= 0 && p < K; ++p) {
                    for (std::size_t q = 0; q < K; ++q) {
                        const double entry = cell.entry[f][p * K + q];
                        put(i, p, static_cast<std::size_t>(j), q, f == 0 && p == q ? entry * (1 + shift) : entry);
                        if (f > 0) {
                            put(static_cast<std::size_t>(j), q, i, p, entry);
                        }
                    }
                }
            }
        }
        Csr& A = coarse_.matrix;
        A.rows = static_cast<std::int64_t>(rows.size());
        A.row_start = Buffer<std::int64_t>(A.rows + 1);
        A.row_start[0] = 0;
        for (std::int64_t i = 0; i < A.rows; ++i) {
            std::vector<Entry>& row = rows[static_cast<std::size_t>(i)];
            std::sort(row.begin(), row.end(), [](const Entry& a, const Entry& b) { return a.column < b.column; });
            A.row_start[i + 1] = A.row_start[i] + static_cast<std::int64_t>(row.size());
        }
        A.column = Buffer<std::int32_t>(A.row_start[A.rows]);
        A.value = Buffer<double>(A.row_start[A.rows]);
        for (std::int64_t i = 0; i < A.rows; ++i) {
            std::int64_t at = A.row_start[i];
            for (const Entry& entry : rows[static_cast<std::size_t>(i)]) {
                A.column[at] = entry.column;
                A.value[at++] = entry.value;
            }
        }
    }

    // The number of the cell at this place; -1 if there is none.
    std::int64_t find(std::int64_t cy, std::int64_t cx) const {
        const auto at = std::partition_point(cells_.cells.begin(), cells_.cells.end(),
                                             [&](const Cell& c) { return c.y < cy || (c.y == cy && c.x < cx); });
        return at != cells_.cells.end() && at->y == cy && at->x == cx ? at - cells_.cells.begin() : -1;
    }

    // Factorises V^T A V. The diagonal grows until rounding lets the factorisation succeed.
    void factorise() {
        make_matrix();
        plan_.emplace(coarse_.matrix, elimination_order(coarse_, context_), context_.monitor);
        for (double more = shift;; more *= 100) {
            try {
                factor_.emplace(*plan_, coarse_.matrix, context_, storage_);
                return;
            } catch (const FactorizationError&) {
                if (more > 1) {
                    throw;
                }
            }
            for (std::int64_t i = 0; i < coarse_.matrix.rows; ++i) {
                double& entry = coarse_.matrix.value[coarse_.matrix.diagonal(i)];
                entry = std::abs(entry) * (1 + 100 * more);
            }
        }
    }

    // Sets b = V^T r.
    void restrict_to_cells(const double* r) {
        const std::size_t K = columns();
        std::fill(line_.begin(), line_.end(), 0.0);
        for_cell_rows([&](std::int64_t row, std::int64_t) {
            for (std::int64_t i = row_first_[static_cast<std::size_t>(row)];
                 i < row_first_[static_cast<std::size_t>(row) + 1]; ++i) {
                double* sums = line_.data() + static_cast<std::size_t>(cell_[i]) * K;
                const double value = r[i];
                sums[0] += value;
                for (std::size_t k = 1; k < K; ++k) {
                    sums[k] += value * colour(static_cast<int>(k) - 1, i);
                }
            }
            for_cells(row, [&](std::size_t i, const Cell& cell) {
                double* sums = line_.data() + i * K;
                for (std::size_t k = 1; k < K; ++k) {
                    sums[k] -= cell.centre[k - 1] * sums[0];
                }
                for (std::size_t q = 0; q < K; ++q) {
                    double sum = 0;
                    for (std::size_t k = 0; k < K; ++k) {
                        sum += cell.basis[k * K + q] * sums[k];
                    }
                    b_[static_cast<std::size_t>(number_[i * K + q])] = sum;
                }
            });
        });
    }

    // Turns the coarse solution in b into a line [1, I] . line for each cell of a row.
    void make_lines(std::int64_t row, std::int64_t) {
        const std::size_t K = columns();
        for_cells(row, [&](std::size_t i, const Cell& cell) {
            double* line = line_.data() + i * K;
            for (std::size_t k = 0; k < K; ++k) {
                line[k] = 0;
                for (std::size_t q = 0; q < K; ++q) {
                    line[k] += cell.basis[k * K + q] * b_[static_cast<std::size_t>(number_[i * K + q])];
                }
            }
            for (std::size_t k = 1; k < K; ++k) {
                line[0] -= line[k] * cell.centre[k - 1];
            }
        });
    }

    template <class Body>
    void for_cells(std::int64_t row, const Body& body) const {
        for (std::int64_t i = row_cells_[static_cast<std::size_t>(row)];
             i < row_cells_[static_cast<std::size_t>(row) + 1]; ++i) {
            body(static_cast<std::size_t>(i), cells_.cells[static_cast<std::size_t>(i)]);
        }
    }

    const Problem& problem_;
    const Buffer<double>& scale_;
    CellMatrix cells_;
    Context context_;
    Buffer<std::int32_t> cell_;  // the cell of each unknown
    // For each row of cells that holds unknowns, its first unknown and its first cell.
    std::vector<std::int64_t> row_first_, row_cells_;
    std::vector<std::int32_t> number_;  // the coarse unknown of each column of V
    Problem coarse_;                    // V^T A V
    std::optional<CholeskyPlan> plan_;
    CholeskyStorage storage_;
    std::optional<CholeskyFactor> factor_;
    std::vector<double> b_;     // the right-hand side of the coarse level, then its solution
    std::vector<double> line_;  // for each cell, sums of r [1, I], then the solution as a line
};

}  // namespace

std::unique_ptr<Preconditioner> make_two_level(const Problem& problem, const Buffer<double>& scale,
                                               const Context& context) {
    std::optional<CellMatrix> cells = problem.products->L->on_cells(cells_at_most, context);
    if (!cells) {
        return nullptr;
    }
    return std::make_unique<TwoLevel>(problem, scale, std::move(*cells), context);
}

}  // namespace trimatte
