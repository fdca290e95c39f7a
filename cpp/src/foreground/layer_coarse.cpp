#include "foreground/layer_coarse.hpp"

#include <algorithm>
#include <utility>

#include "base/each.hpp"

namespace trimatte {
namespace {

// The rows of the unknown pixels.
class Rows {
public:
    explicit Rows(const LayerSystem& system) : system_(system) {
        const std::int64_t unknowns = system.unknowns();
        for (const LayerCells::Edge& edge : system.cells.edges) {
            cell_of_.push_back({edge.pixel, static_cast<std::int32_t>(unknowns) + edge.cell});
        }
    }

    // Calls add(column, value) for the entries of the row of unknown pixel p, sorted by column.
    template <typename Add>
    void of_pixel(std::int64_t p, const Add& add) const {
        const std::int64_t width = system_.width, x = p % width;
        const std::int64_t neighbour[4] = {p >= width ? p - width : -1, x > 0 ? p - 1 : -1, x + 1 < width ? p + 1 : -1,
                                           p + width < system_.pixels() ? p + width : -1};
        const double a = system_.alpha[p], b = 1 - a;
        std::pair<std::int32_t, double> entries[5] = {{system_.number[p], 0.0}};
        int count = 1;
        for (const std::int64_t q : neighbour) {
            if (q < 0) {
                continue;
            }
            const double w = system_.weight(system_.alpha[p], system_.alpha[q]);
            const double c = system_.alpha[q], d = 1 - c;
            entries[0].second += w * (a * a + b * b);
            const std::int32_t column = system_.is_unknown(q) ? system_.number[q] : cell_of(q);
            const double value = w * (b * d + a * c);
            // Two neighbours may lie in one cell.
            auto* const end = entries + count;
            auto* const same = std::find_if(entries + 1, end, [&](const auto& e) { return e.first == column; });
            if (same == end) {
                entries[count++] = {column, 0.0};
            }
            same->second -= value;
        }
        for (int k = 1; k < count; ++k) {
            for (int j = k; j > 0 && entries[j].first < entries[j - 1].first; --j) {
                std::swap(entries[j], entries[j - 1]);
            }
        }
        for (int k = 0; k < count; ++k) {
            add(entries[k].first, entries[k].second);
        }
    }

    std::int32_t cell_of(std::int64_t q) const {
        return std::lower_bound(cell_of_.begin(), cell_of_.end(), std::pair(q, std::int32_t{0}))->second;
    }

private:
    const LayerSystem& system_;
    std::vector<std::pair<std::int64_t, std::int32_t>> cell_of_;  // of each deep pixel at an edge
};

// Returns the rows of the cells, each sorted by column. None is empty: a cell that is coupled to
// nothing is the whole picture, where alpha is constant and there is no system.
std::vector<std::vector<std::pair<std::int32_t, double>>> rows_of_cells(const LayerSystem& system) {
    const LayerCells& cells = system.cells;
    const auto first = static_cast<std::int32_t>(system.unknowns());
    std::vector<std::vector<std::pair<std::int32_t, double>>> rows(static_cast<std::size_t>(cells.size()));
    const double weight = system.far_weight();
    for (const LayerCells::Edge& contact : cells.contacts) {
        auto& row = rows[static_cast<std::size_t>(contact.cell)];
        row.emplace_back(system.number[contact.pixel], -weight);
        row.emplace_back(first + contact.cell, weight);
    }
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(cells.size()); ++i) {
        auto& row = rows[static_cast<std::size_t>(i)];
        for (std::int64_t j = cells.start[static_cast<std::size_t>(i)];
             j < cells.start[static_cast<std::size_t>(i + 1)]; ++j) {
            const double w = cells.weight[static_cast<std::size_t>(j)];
            row.emplace_back(first + cells.to[static_cast<std::size_t>(j)], -w);
            row.emplace_back(first + i, w);
        }
        std::sort(row.begin(), row.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        std::size_t kept = 0;
        for (std::size_t k = 1; k < row.size(); ++k) {
            if (row[k].first == row[kept].first) {
                row[kept].second += row[k].second;
            } else {
                row[++kept] = row[k];
            }
        }
        row.resize(kept + 1);
    }
    return rows;
}

constexpr std::int64_t most = 256;  // pixels of a run that are taken at once

// Returns up to `most` pixels of a run, from pixel `begin` on.
simd::LayerRun piece_of(const simd::LayerRun& run, std::int64_t begin) {
    return {std::min(most, run.count - begin),
            run.up,
            run.down,
            run.alpha + begin,
            run.beside + begin,
            run.above + begin,
            run.below + begin,
            run.FF + begin,
            run.FB + begin,
            run.BB + begin};
}

// Returns P^T A P, where P is (b, -a) at each unknown pixel. Cells come behind the pixels, with P =
// 1 for F and -1 for B.
Csr coarse_matrix(const LayerSystem& system) {
    const std::int64_t unknowns = system.unknowns();
    const Rows rows(system);
    const auto of_cells = rows_of_cells(system);
    Csr matrix;
    matrix.rows = unknowns + system.cells.size();
    matrix.row_start = Buffer<std::int64_t>(matrix.rows + 1);
    matrix.row_start[0] = 0;
    system.for_all_runs([&](const LayerSystem::Run& run) {
        for (std::int64_t p = run.begin; p < run.end; ++p) {
            std::int64_t length = 0;
            rows.of_pixel(p, [&](std::int32_t, double) { ++length; });
            matrix.row_start[system.number[p] + 1] = length;
        }
    });
    for (std::int64_t i = 0; i < system.cells.size(); ++i) {
        matrix.row_start[unknowns + i + 1] = static_cast<std::int64_t>(of_cells[static_cast<std::size_t>(i)].size());
    }
    for (std::int64_t i = 0; i < matrix.rows; ++i) {
        matrix.row_start[i + 1] += matrix.row_start[i];
    }
    matrix.column = Buffer<std::int32_t>(matrix.row_start[matrix.rows]);
    matrix.value = Buffer<double>(matrix.row_start[matrix.rows]);
    system.for_all_runs([&](const LayerSystem::Run& run) {
        for (std::int64_t p = run.begin; p < run.end; ++p) {
            std::int64_t at = matrix.row_start[system.number[p]];
            rows.of_pixel(p, [&](std::int32_t column, double value) {
                matrix.column[at] = column;
                matrix.value[at++] = value;
            });
        }
    });
    for (std::int64_t i = 0; i < system.cells.size(); ++i) {
        std::int64_t at = matrix.row_start[unknowns + i];
        for (const auto& [column, value] : of_cells[static_cast<std::size_t>(i)]) {
            matrix.column[at] = column;
            matrix.value[at++] = value;
        }
    }
    return matrix;
}

}  // namespace

CoarseCorrection::CoarseCorrection(const LayerSystem& system, int channels)
    : system_(system),
      matrix_(coarse_matrix(system)),
      scaled_(matrix_, system.context),
      lanes_(channels == 1 ? 1 : 4),
      values_(lanes_ * matrix_.rows) {
    Buffer<float> constant(matrix_.rows);
    each(constant.size(), system.context,
         [&](std::int64_t i) { constant[i] = static_cast<float>(1 / scaled_.scale[i]); });
    constexpr int degree = 1;
    multigrid_ = make_graph_multigrid(scaled_, constant, 1, {degree, lanes_}, system.context);
    matrix_.value = {};  // the levels have their own numbers
}

// Runs body(channel, cell, its number in values_, P) for all cells.
template <typename Body>
void CoarseCorrection::for_cells(std::size_t channels, const Body& body) const {
    const LayerCells& cells = system_.cells;
    const std::int64_t first = matrix_.rows - cells.size();
    each(cells.size(), system_.context, [&](std::int64_t k) {
        const float sign = cells.invisible(k, 1.0f, -1.0f);
        for (std::size_t c = 0; c < channels; ++c) {
            body(c, k, lanes_of(channels) * (first + k) + static_cast<std::int64_t>(c), sign);
        }
    });
}

void CoarseCorrection::take_row(std::int64_t y, const LayerVectors& r, const LayerVectors& x) {
    const std::int64_t lanes = lanes_of(r.size());
    system_.for_layer_runs(y, [&](const LayerSystem::Run& run, const simd::LayerRun& row) {
        float* to = values_.data() + lanes * system_.number[run.begin];
        for (std::int64_t begin = 0; begin < row.count; begin += most) {
            const simd::LayerRun part = piece_of(row, begin);
            const std::int64_t p = run.in_vector + begin;
            float rest[most];
            for (std::size_t c = 0; c < x.size(); ++c) {
                simd::kernels().restrict_layers(part, x[c]->F + p, x[c]->B + p, r[c]->F + p, r[c]->B + p, rest);
                for (std::int64_t i = 0; i < part.count; ++i) {
                    to[lanes * (begin + i) + static_cast<std::int64_t>(c)] = rest[i];
                }
            }
            for (std::int64_t c = static_cast<std::int64_t>(x.size()); c < lanes; ++c) {
                for (std::int64_t i = begin; i < begin + part.count; ++i) {
                    to[lanes * i + c] = 0;
                }
            }
        }
    });
}

void CoarseCorrection::add(const LayerVectors& r, const LayerVectors& x, const LayerVectors& Ax) {
    const std::int64_t lanes = lanes_of(r.size());
    product_of_cells(system_, x, Ax);
    std::fill(values_.begin() + lanes * (matrix_.rows - system_.cells.size()), values_.begin() + lanes * matrix_.rows,
              0.0f);
    for_cells(r.size(), [&](std::size_t c, std::int64_t k, std::int64_t i, float sign) {
        values_[i] = sign * (r[c]->cells[k] - Ax[c]->cells[k]);
    });
    multigrid_->apply_side_by_side(static_cast<int>(lanes), values_.data(), values_.data());
    system_.for_all_runs([&](const LayerSystem::Run& run) {
        const float* v = values_.data() + lanes * system_.number[run.begin];
        const float* alpha = system_.alpha + run.begin;
        for (std::size_t c = 0; c < x.size(); ++c, ++v) {
            float *F = x[c]->F + run.in_vector, *B = x[c]->B + run.in_vector;
            for (std::int64_t i = 0; i < run.end - run.begin; ++i) {
                F[i] += (1 - alpha[i]) * v[lanes * i];
                B[i] -= alpha[i] * v[lanes * i];
            }
        }
    });
    for_cells(x.size(),
              [&](std::size_t c, std::int64_t k, std::int64_t i, float sign) { x[c]->cells[k] += sign * values_[i]; });
    spread(system_, x);
}

std::size_t CoarseCorrection::bytes() const {
    return matrix_.bytes() + scaled_.scale.bytes() + values_.bytes() + multigrid_->bytes();
}

}  // namespace trimatte
