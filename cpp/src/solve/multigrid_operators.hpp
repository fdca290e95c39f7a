// The operators of the multigrid's levels (see multigrid_level.hpp for what an operator has). Private to this folder.
#pragma once

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "multigrid_level.hpp"
#include "trimatte/problem.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {

// The finest level: the system scaled to unit diagonal, A = S L S, in float32.
class PixelOperator {
public:
    static constexpr int B = 1;
    static constexpr std::int64_t reach = multigrid_reach;

    PixelOperator(const Problem& problem, const Context& context)
        : problem_(problem),
          scale_(problem.unknowns()),
          value_(problem.matrix.nonzeros()),
          x_(problem.unknowns()),
          y_(problem.unknowns()),
          row_begin_(static_cast<std::size_t>(problem.height) + 1, 0) {
        const Csr& A = problem.matrix;
        const std::int64_t n = problem.unknowns();
        context.ranges(n, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                scale_[i] = static_cast<float>(1 / std::sqrt(A.value[A.diagonal(i)]));
                x_[i] = static_cast<std::int32_t>(problem.pixel[i] % problem.width);
                y_[i] = static_cast<std::int32_t>(problem.pixel[i] / problem.width);
            }
        });
        context.ranges(n, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                for (std::int64_t p = A.row_start[i]; p < A.row_start[i + 1]; ++p) {
                    value_[p] = static_cast<float>(A.value[p] * scale_[i] * scale_[A.column[p]]);
                }
            }
        });
        for (std::int64_t i = 0; i < n; ++i) {
            ++row_begin_[static_cast<std::size_t>(y_[i]) + 1];
        }
        for (std::size_t y = 1; y < row_begin_.size(); ++y) {
            row_begin_[y] += row_begin_[y - 1];
        }
    }

    std::int64_t nodes() const { return scale_.size(); }
    std::int64_t x(std::int64_t i) const { return x_[i]; }
    std::int64_t y(std::int64_t i) const { return y_[i]; }
    std::int64_t row_begin(std::int64_t y) const {
        return row_begin_[static_cast<std::size_t>(std::clamp<std::int64_t>(y, 0, problem_.height))];
    }
    float scale(std::int64_t i) const { return scale_[i]; }

    template <class Body>
    void for_row(std::int64_t i, const Body& body) const {
        const Csr& A = problem_.matrix;
        for (std::int64_t p = A.row_start[i]; p < A.row_start[i + 1]; ++p) {
            body(A.column[p], value_.data() + p);
        }
    }
    void product(std::int64_t i, const float* v, float* out) const {
        const Csr& A = problem_.matrix;
        float sum = 0;
        for (std::int64_t p = A.row_start[i]; p < A.row_start[i + 1]; ++p) {
            sum += value_[p] * v[A.column[p]];
        }
        *out = sum;
    }
    void divide(std::int64_t, const float* r, float* out) const { *out = *r; }
    void near_null(std::int64_t i, double* out) const {
        out[0] = 1.0 / scale_[i];
        for (int c = 0; c < 3; ++c) {
            out[c + 1] = c < problem_.channels ? (problem_.colours[c * nodes() + i] - 0.5) / scale_[i] : 0.0;
        }
    }
    std::size_t bytes() const { return scale_.bytes() + value_.bytes() + x_.bytes() + y_.bytes(); }

private:
    const Problem& problem_;
    Buffer<float> scale_;
    Buffer<float> value_;
    Buffer<std::int32_t> x_, y_;
    std::vector<std::int64_t> row_begin_;
};

// A coarser level: dense 4 x 4 blocks between cells that touch.
class CellOperator {
public:
    static constexpr int B = null_columns;
    static constexpr std::int64_t reach = 1;

    CellOperator(std::shared_ptr<const Cells> cells, Buffer<float>&& blocks, std::vector<double>&& null)
        : cells_(std::move(cells)), blocks_(std::move(blocks)), null_(std::move(null)), inverse_(cells_->count() * 16) {
        for (std::int64_t c = 0; c < cells_->count(); ++c) {
            for (int slot = 0; slot < 4; ++slot) {  // rounding made the two halves differ
                const std::int32_t d = neighbour(c, slot);
                for (int u = 0; d >= 0 && u < 4; ++u) {
                    for (int v = 0; v < 4; ++v) {
                        float& one = block(c, slot)[4 * u + v];
                        float& two = block(d, 8 - slot)[4 * v + u];
                        one = two = 0.5f * (one + two);
                    }
                }
            }
            Eigen::Matrix<float, 4, 4, Eigen::RowMajor> D =
                Eigen::Map<Eigen::Matrix<float, 4, 4, Eigen::RowMajor>>(block(c, 4));
            D = (0.5f * (D + D.transpose())).eval();
            for (int u = 0; u < 4; ++u) {
                if (D(u, u) <= 0) {  // a column that was dropped, or lost to rounding
                    D.row(u).setZero();
                    D.col(u).setZero();
                    D(u, u) = 1;
                }
            }
            Eigen::Map<Eigen::Matrix<float, 4, 4, Eigen::RowMajor>>(block(c, 4)) = D;
            const Eigen::Matrix4d inverse = D.cast<double>().ldlt().solve(Eigen::Matrix4d::Identity());
            Eigen::Map<Eigen::Matrix<float, 4, 4, Eigen::RowMajor>>(inverse_.data() + 16 * c) = inverse.cast<float>();
        }
    }

    std::int64_t nodes() const { return cells_->count(); }
    std::int64_t x(std::int64_t i) const { return cells_->x[static_cast<std::size_t>(i)]; }
    std::int64_t y(std::int64_t i) const { return cells_->y[static_cast<std::size_t>(i)]; }
    std::int64_t row_begin(std::int64_t y) const {
        return cells_->row_begin[static_cast<std::size_t>(std::clamp<std::int64_t>(y, 0, cells_->height))];
    }

    template <class Body>
    void for_row(std::int64_t i, const Body& body) const {
        for (int slot = 0; slot < 9; ++slot) {
            const std::int32_t j = neighbour(i, slot);
            if (j >= 0) {
                body(j, blocks_.data() + (9 * i + slot) * 16);
            }
        }
    }
    void product(std::int64_t i, const float* v, float* out) const {
        float sum[4] = {};
        for_row(i, [&](std::int64_t j, const float* a) {
            const float* x = v + 4 * j;
            for (int u = 0; u < 4; ++u) {
                sum[u] += a[4 * u] * x[0] + a[4 * u + 1] * x[1] + a[4 * u + 2] * x[2] + a[4 * u + 3] * x[3];
            }
        });
        std::copy_n(sum, 4, out);
    }
    void divide(std::int64_t i, const float* r, float* out) const {
        const float* m = inverse_.data() + 16 * i;
        const float r0 = r[0], r1 = r[1], r2 = r[2], r3 = r[3];
        for (int u = 0; u < 4; ++u) {
            out[u] = m[4 * u] * r0 + m[4 * u + 1] * r1 + m[4 * u + 2] * r2 + m[4 * u + 3] * r3;
        }
    }
    void near_null(std::int64_t i, double* out) const { std::copy_n(null_.data() + 16 * i, 16, out); }
    std::size_t bytes() const { return blocks_.bytes() + inverse_.bytes() + null_.size() * sizeof(double); }

private:
    std::int32_t neighbour(std::int64_t c, int slot) const {
        return cells_->neighbour[static_cast<std::size_t>(9 * c + slot)];
    }
    float* block(std::int64_t c, int slot) { return blocks_.data() + (9 * c + slot) * 16; }

    std::shared_ptr<const Cells> cells_;
    Buffer<float> blocks_;
    std::vector<double> null_;
    Buffer<float> inverse_;
};

}  // namespace trimatte
