// Matrices of graphs, and their dense copies, for tests of the multigrid for graphs.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "solve/graph_multigrid/sparse_matrix.hpp"
#include "solve/scaled_matrix.hpp"
#include "support.hpp"

namespace trimatte::test {

using Entries = std::map<std::pair<std::int64_t, std::int64_t>, double>;

inline Csr csr_of(std::int64_t n, const Entries& entries) {
    Csr matrix;
    matrix.rows = n;
    const auto count = static_cast<std::int64_t>(entries.size());
    matrix.row_start = Buffer<std::int64_t>(n + 1);
    matrix.column = Buffer<std::int32_t>(count);
    matrix.value = Buffer<double>(count);
    std::fill(matrix.row_start.begin(), matrix.row_start.end(), 0);
    std::int64_t k = 0;
    for (const auto& [place, value] : entries) {
        ++matrix.row_start[place.first + 1];
        matrix.column[k] = static_cast<std::int32_t>(place.second);
        matrix.value[k++] = value;
    }
    for (std::int64_t i = 0; i < n; ++i) {
        matrix.row_start[i + 1] += matrix.row_start[i];
    }
    return matrix;
}

// Adds the matrix of the energy w (x_i - x_j)^2.
inline void couple(Entries& entries, std::int64_t i, std::int64_t j, double w) {
    entries[{i, i}] += w;
    entries[{j, j}] += w;
    entries[{i, j}] -= w;
    entries[{j, i}] -= w;
}

// The graph of a grid in which each node has four neighbours with random weights. The corner is
// tied to a known value by `anchor`.
inline Csr grid_graph(std::int64_t side, double anchor = 1) {
    Entries entries;
    Random random(7);
    for (std::int64_t y = 0; y < side; ++y) {
        for (std::int64_t x = 0; x < side; ++x) {
            const std::int64_t i = y * side + x;
            if (x + 1 < side) {
                couple(entries, i, i + 1, 0.5 + random());
            }
            if (y + 1 < side) {
                couple(entries, i, i + side, 0.5 + random());
            }
        }
    }
    entries[{0, 0}] += anchor;
    return csr_of(side * side, entries);
}

// The graph of points of the unit cube in cells of about four points. Each point is coupled to all
// points of its cell and of the next cell along each axis. One point in fifty is tied to a known
// value.
inline Csr scattered_graph(std::int64_t n) {
    Entries entries;
    Random random(11);
    std::vector<std::array<double, 3>> points(static_cast<std::size_t>(n));
    for (auto& point : points) {
        point = {random(), random(), random()};
    }
    std::sort(points.begin(), points.end());
    const auto cells = static_cast<std::int64_t>(std::cbrt(static_cast<double>(n) / 4)) + 1;
    std::map<std::array<std::int64_t, 3>, std::vector<std::int64_t>> cell;
    for (std::int64_t i = 0; i < n; ++i) {
        std::array<std::int64_t, 3> at{};
        for (std::size_t d = 0; d < 3; ++d) {
            at[d] = static_cast<std::int64_t>(points[static_cast<std::size_t>(i)][d] * static_cast<double>(cells));
        }
        cell[at].push_back(i);
    }
    for (const auto& [at, members] : cell) {
        for (const std::array<std::int64_t, 3> step :
             {std::array<std::int64_t, 3>{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}}) {
            const auto other = cell.find({at[0] + step[0], at[1] + step[1], at[2] + step[2]});
            for (const std::int64_t i : members) {
                for (std::size_t m = 0; other != cell.end() && m < other->second.size(); ++m) {
                    if (const std::int64_t j = other->second[m]; i < j || other->first != at) {
                        couple(entries, i, j, 1);
                    }
                }
            }
        }
    }
    for (std::int64_t i = 0; i < n; i += 50) {
        entries[{i, i}] += 1;
    }
    for (std::int64_t i = 0; i < n; ++i) {
        entries[{i, i}] += 1e-9;  // this keeps points without a neighbour positive definite
    }
    return csr_of(n, entries);
}

struct Scaled {
    Csr A;
    Buffer<float> near_null;

    ScaledMatrix matrix() const {
        Monitor monitor;
        return ScaledMatrix(A, {1, monitor});
    }
};

// Returns D^-1/2 A D^-1/2, and D^1/2 times the constant.
inline Scaled unit_diagonal(Csr A) {
    std::vector<double> root(static_cast<std::size_t>(A.rows));
    Scaled scaled{{}, Buffer<float>(A.rows)};
    for (std::int64_t i = 0; i < A.rows; ++i) {
        root[static_cast<std::size_t>(i)] = std::sqrt(A.value[A.diagonal(i)]);
        scaled.near_null[i] = static_cast<float>(root[static_cast<std::size_t>(i)]);
    }
    for (std::int64_t i = 0; i < A.rows; ++i) {
        for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
            A.value[k] /= root[static_cast<std::size_t>(i)] * root[static_cast<std::size_t>(A.column[k])];
        }
    }
    scaled.A = std::move(A);
    return scaled;
}

inline Eigen::MatrixXd dense(const graph::SparseMatrix& matrix) {
    Eigen::MatrixXd full = Eigen::MatrixXd::Zero(matrix.rows, matrix.columns);
    for (std::int64_t i = 0; i < matrix.rows; ++i) {
        for (std::int64_t k = matrix.row_start[i]; k < matrix.row_start[i + 1]; ++k) {
            full(i, matrix.column[k]) += matrix.value[k];
        }
    }
    return full;
}

}  // namespace trimatte::test
