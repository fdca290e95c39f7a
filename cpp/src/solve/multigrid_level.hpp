// Parts of the multigrid that all levels share. Private to this folder.
//
// A level's nodes lie on a grid. Node i has B numbers (finest level: 1, a pixel; coarser ones: 4, a cell). An operator
// has
//     B, reach                  coupled nodes are at most `reach` rows and columns apart
//     nodes(), x(i), y(i)       places on the grid, numbered row by row
//     row_begin(y)              first node of grid row y or below; y may lie outside the grid
//     for_row(i, f)             f(j, a) for all nodes j coupled to i; a: B x B floats, row-major
//     near_null(i, out)         the node's rows of the near-null space: B x 4 doubles, row-major
//     divide(i, r, out)         out = D_i^-1 r, D_i the diagonal block
#pragma once

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "trimatte/buffer.hpp"
#include "trimatte/monitor.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {

constexpr int null_columns = 4;  // of the near-null space: 1, R, G, B

struct Context {
    int threads;
    Monitor& monitor;

    void ranges(std::int64_t size, const std::function<void(std::int64_t, std::int64_t)>& body) const {
        parallel_ranges(size, threads, monitor, body);
    }
};

// Cells of k x k nodes of the level above, those that hold a node, numbered row by row.
struct Cells {
    std::int64_t height = 0;
    std::vector<std::int32_t> x, y;
    std::vector<std::int64_t> row_begin;  // height + 1
    std::vector<std::int32_t> neighbour;  // 9 per cell, row by row around it; -1 where there is none

    std::int64_t count() const { return static_cast<std::int64_t>(x.size()); }
};

template <class Operator>
Cells make_cells(const Operator& op, std::int64_t k) {
    std::int64_t width = 0;
    for (std::int64_t i = 0; i < op.nodes(); ++i) {
        width = std::max<std::int64_t>(width, op.x(i) / k + 1);
    }
    Cells cells;
    cells.height = op.nodes() == 0 ? 0 : op.y(op.nodes() - 1) / k + 1;
    std::vector<std::int32_t> number(static_cast<std::size_t>(cells.height * width), -1);
    for (std::int64_t i = 0; i < op.nodes(); ++i) {
        number[static_cast<std::size_t>(op.y(i) / k * width + op.x(i) / k)] = 0;
    }
    cells.row_begin.push_back(0);
    for (std::int64_t y = 0; y < cells.height; ++y) {
        for (std::int64_t x = 0; x < width; ++x) {
            std::int32_t& cell = number[static_cast<std::size_t>(y * width + x)];
            if (cell >= 0) {
                cell = static_cast<std::int32_t>(cells.count());
                cells.x.push_back(static_cast<std::int32_t>(x));
                cells.y.push_back(static_cast<std::int32_t>(y));
            }
        }
        cells.row_begin.push_back(cells.count());
    }
    for (std::int64_t c = 0; c < cells.count(); ++c) {
        for (std::int64_t dy = -1; dy <= 1; ++dy) {
            for (std::int64_t dx = -1; dx <= 1; ++dx) {
                const std::int64_t x = cells.x[static_cast<std::size_t>(c)] + dx;
                const std::int64_t y = cells.y[static_cast<std::size_t>(c)] + dy;
                const bool inside = x >= 0 && x < width && y >= 0 && y < cells.height;
                cells.neighbour.push_back(inside ? number[static_cast<std::size_t>(y * width + x)] : -1);
            }
        }
    }
    return cells;
}

// P = (I - omega D^-1 A) T, T the orthonormal near-null columns of each cell. A node's row reaches its own cell and,
// near the cell's border, the cells beside it: at most 2 x 2 cells, kept as four B x 4 blocks in the order own, beside
// in x, beside in y, diagonal.
template <int B>
class Prolongation {
public:
    static constexpr int size = B * null_columns;  // of a block

    Prolongation() = default;
    Prolongation(const Cells& cells, std::int64_t nodes)
        : cells_(&cells),
          own_(static_cast<std::size_t>(nodes)),
          side_x_(static_cast<std::size_t>(nodes)),
          side_y_(static_cast<std::size_t>(nodes)),
          value_(nodes * 4 * size) {}

    void place(std::int64_t i, std::int32_t own, int side_x, int side_y) {
        own_[static_cast<std::size_t>(i)] = own;
        side_x_[static_cast<std::size_t>(i)] = static_cast<std::int8_t>(side_x);
        side_y_[static_cast<std::size_t>(i)] = static_cast<std::int8_t>(side_y);
    }
    std::int32_t own(std::int64_t i) const { return own_[static_cast<std::size_t>(i)]; }
    int dx(std::int64_t i, int b) const { return b & 1 ? side_x_[static_cast<std::size_t>(i)] : 0; }
    int dy(std::int64_t i, int b) const { return b & 2 ? side_y_[static_cast<std::size_t>(i)] : 0; }
    bool has(std::int64_t i, int b) const { return (!(b & 1) || dx(i, b) != 0) && (!(b & 2) || dy(i, b) != 0); }
    // The cell of a block, -1 if no node lies there (the block is zero then).
    std::int32_t cell(std::int64_t i, int b) const {
        return b == 0 ? own(i)
                      : cells_->neighbour[static_cast<std::size_t>(9 * own(i) + 3 * (dy(i, b) + 1) + dx(i, b) + 1)];
    }
    float* at(std::int64_t i, int b) { return value_.data() + (4 * i + b) * size; }
    const float* at(std::int64_t i, int b) const { return value_.data() + (4 * i + b) * size; }

    // v += P e for node i.
    void add_row(std::int64_t i, const float* e, float* v) const {
        for (int b = 0; b < 4; ++b) {
            const std::int32_t c = has(i, b) ? cell(i, b) : -1;
            if (c < 0) {
                continue;
            }
            const float* p = at(i, b);
            const float* from = e + static_cast<std::int64_t>(c) * null_columns;
            for (int u = 0; u < B; ++u) {
                v[u] += p[4 * u] * from[0] + p[4 * u + 1] * from[1] + p[4 * u + 2] * from[2] + p[4 * u + 3] * from[3];
            }
        }
    }

    std::size_t bytes() const { return value_.bytes() + own_.size() * (sizeof(std::int32_t) + 2); }

private:
    const Cells* cells_ = nullptr;
    std::vector<std::int32_t> own_;
    std::vector<std::int8_t> side_x_, side_y_;
    Buffer<float> value_;
};

// Rows of cells that one chunk owns when nodes are gathered into cells.
constexpr std::int64_t cell_band = 4;

// body(first, last, begin, end): cell rows [first, last) and the nodes [begin, end) that reach them.
template <class Operator, class Body>
void for_cell_bands(const Operator& op, const Cells& cells, std::int64_t k, const Context& context, const Body& body) {
    parallel_for((cells.height + cell_band - 1) / cell_band, context.threads, context.monitor, [&](std::int64_t i) {
        const std::int64_t first = i * cell_band;
        const std::int64_t last = std::min(cells.height, first + cell_band);
        body(first, last, op.row_begin(first * k - Operator::reach), op.row_begin(last * k + Operator::reach));
    });
}

// Orthonormal columns of one cell and their triangular factor, by modified Gram-Schmidt, twice. N: rows x 4, becomes T.
// R: 4 x 4 with N = T R. A column that is (nearly) a combination of those before it becomes zero: colours that differ
// by less than 1e-4, or cancellation to 1e-5.
inline void orthonormalise(double* N, std::int64_t rows, double* R) {
    std::fill(R, R + 16, 0.0);
    double first_norm = 0;
    for (int c = 0; c < null_columns; ++c) {
        const auto norm = [&] {
            double sum = 0;
            for (std::int64_t i = 0; i < rows; ++i) {
                sum += N[4 * i + c] * N[4 * i + c];
            }
            return std::sqrt(sum);
        };
        const double before = norm();
        for (int pass = 0; pass < 2; ++pass) {
            for (int d = 0; d < c; ++d) {
                double dot = 0;
                for (std::int64_t i = 0; i < rows; ++i) {
                    dot += N[4 * i + c] * N[4 * i + d];
                }
                for (std::int64_t i = 0; i < rows; ++i) {
                    N[4 * i + c] -= dot * N[4 * i + d];
                }
                R[4 * d + c] += dot;
            }
        }
        const double after = norm();
        first_norm = c == 0 ? after : first_norm;
        const bool keep = after > 1e-4 * first_norm && after > 1e-5 * before && after > 0;
        for (std::int64_t i = 0; i < rows; ++i) {
            N[4 * i + c] = keep ? N[4 * i + c] / after : 0.0;
        }
        R[4 * c + c] = keep ? after : 0.0;
    }
}

// Fills `null` with the cells' near-null rows (4 x 4 doubles each) on the way.
template <class Operator>
Prolongation<Operator::B> make_prolongation(const Operator& op, const Cells& cells, std::int64_t k, double omega,
                                            const Context& context, std::vector<double>& null) {
    constexpr int B = Operator::B;
    constexpr int size = B * null_columns;
    const std::int64_t n = op.nodes();
    Prolongation<B> P(cells, n);
    // Nodes of each cell.
    std::vector<std::int64_t> start(static_cast<std::size_t>(cells.count()) + 1, 0);
    std::vector<std::int32_t> member(static_cast<std::size_t>(n));
    for (std::int64_t i = 0, c = 0; i < n; ++i) {
        const std::int64_t y = op.y(i) / k;
        const std::int64_t x = op.x(i) / k;
        if (c >= cells.count() || cells.y[static_cast<std::size_t>(c)] != y ||
            cells.x[static_cast<std::size_t>(c)] > x) {
            c = cells.row_begin[static_cast<std::size_t>(y)];
        }
        while (cells.x[static_cast<std::size_t>(c)] != x) {
            ++c;
        }
        const auto side = [&](std::int64_t place) {
            return place % k < Operator::reach ? -1 : place % k >= k - Operator::reach ? 1 : 0;
        };
        P.place(i, static_cast<std::int32_t>(c), side(op.x(i)), side(op.y(i)));
        ++start[static_cast<std::size_t>(c) + 1];
    }
    for (std::size_t c = 1; c < start.size(); ++c) {
        start[c] += start[c - 1];
    }
    std::vector<std::int64_t> next(start.begin(), start.end() - 1);
    for (std::int64_t i = 0; i < n; ++i) {
        member[static_cast<std::size_t>(next[static_cast<std::size_t>(P.own(i))]++)] = static_cast<std::int32_t>(i);
    }

    Buffer<float> T(n * size);
    null.resize(static_cast<std::size_t>(cells.count()) * 16);
    context.ranges(cells.count(), [&](std::int64_t begin, std::int64_t end) {
        std::vector<double> N;
        for (std::int64_t c = begin; c < end; ++c) {
            const std::int64_t first = start[static_cast<std::size_t>(c)];
            const std::int64_t count = start[static_cast<std::size_t>(c) + 1] - first;
            N.resize(static_cast<std::size_t>(count * size));
            for (std::int64_t m = 0; m < count; ++m) {
                op.near_null(member[static_cast<std::size_t>(first + m)], N.data() + m * size);
            }
            orthonormalise(N.data(), count * B, null.data() + c * 16);
            for (std::int64_t m = 0; m < count; ++m) {
                std::copy_n(N.data() + m * size, size, T.data() + member[static_cast<std::size_t>(first + m)] * size);
            }
        }
    });
    context.ranges(n, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            float AT[4][size] = {};
            const std::int32_t own = P.own(i);
            op.for_row(i, [&](std::int64_t j, const float* a) {
                const std::int32_t other = P.own(j);
                const int b = (cells.x[static_cast<std::size_t>(other)] != cells.x[static_cast<std::size_t>(own)]) +
                              2 * (cells.y[static_cast<std::size_t>(other)] != cells.y[static_cast<std::size_t>(own)]);
                const float* t = T.data() + j * size;
                for (int u = 0; u < B; ++u) {
                    for (int v = 0; v < B; ++v) {
                        for (int c = 0; c < null_columns; ++c) {
                            AT[b][4 * u + c] += a[B * u + v] * t[4 * v + c];
                        }
                    }
                }
            });
            for (int b = 0; b < 4; ++b) {
                for (int c = 0; c < null_columns; ++c) {
                    float r[B], z[B];
                    for (int u = 0; u < B; ++u) {
                        r[u] = AT[b][4 * u + c];
                    }
                    op.divide(i, r, z);
                    for (int u = 0; u < B; ++u) {
                        const float t = b == 0 ? T[i * size + 4 * u + c] : 0.0f;
                        P.at(i, b)[4 * u + c] = t - static_cast<float>(omega) * z[u];
                    }
                }
            }
        }
    });
    return P;
}

// P^T A P: 9 blocks of 4 x 4 floats for each cell, row-major.
template <class Operator>
Buffer<float> galerkin(const Operator& op, const Cells& cells, const Prolongation<Operator::B>& P, std::int64_t k,
                       const Context& context) {
    constexpr int B = Operator::B;
    constexpr int size = B * null_columns;
    Buffer<float> A(cells.count() * 9 * 16);
    for_cell_bands(op, cells, k, context,
                   [&](std::int64_t first, std::int64_t last, std::int64_t begin, std::int64_t end) {
                       const std::int64_t c_begin = cells.row_begin[static_cast<std::size_t>(first)];
                       const std::int64_t c_end = cells.row_begin[static_cast<std::size_t>(last)];
                       std::vector<double> sum(static_cast<std::size_t>((c_end - c_begin) * 9 * 16), 0.0);
                       for (std::int64_t i = begin; i < end; ++i) {
                           const auto own = static_cast<std::size_t>(P.own(i));
                           // (A P) of this node, for the 3 x 3 cells round its own.
                           float AP[9][size] = {};
                           unsigned touched = 0;
                           op.for_row(i, [&](std::int64_t j, const float* a) {
                               const auto other = static_cast<std::size_t>(P.own(j));
                               const int cx = cells.x[other] - cells.x[own];
                               const int cy = cells.y[other] - cells.y[own];
                               for (int b = 0; b < 4; ++b) {
                                   if (!P.has(j, b)) {
                                       continue;
                                   }
                                   const int slot = 3 * (cy + P.dy(j, b) + 1) + cx + P.dx(j, b) + 1;
                                   touched |= 1u << slot;
                                   const float* p = P.at(j, b);
                                   for (int u = 0; u < B; ++u) {
                                       for (int v = 0; v < B; ++v) {
                                           for (int c = 0; c < null_columns; ++c) {
                                               AP[slot][4 * u + c] += a[B * u + v] * p[4 * v + c];
                                           }
                                       }
                                   }
                               }
                           });
                           for (int b = 0; b < 4; ++b) {
                               const std::int32_t c = P.has(i, b) ? P.cell(i, b) : -1;
                               if (c < c_begin || c >= c_end) {
                                   continue;
                               }
                               const float* p = P.at(i, b);
                               for (int slot = 0; slot < 9; ++slot) {
                                   const int dx = slot % 3 - 1 - P.dx(i, b);
                                   const int dy = slot / 3 - 1 - P.dy(i, b);
                                   if (!(touched >> slot & 1) || std::abs(dx) > 1 || std::abs(dy) > 1) {
                                       continue;
                                   }
                                   double* out = sum.data() + ((c - c_begin) * 9 + 3 * (dy + 1) + dx + 1) * 16;
                                   for (int u = 0; u < null_columns; ++u) {
                                       float dot[null_columns] = {};
                                       for (int r = 0; r < B; ++r) {
                                           for (int v = 0; v < null_columns; ++v) {
                                               dot[v] += p[4 * r + u] * AP[slot][4 * r + v];
                                           }
                                       }
                                       for (int v = 0; v < null_columns; ++v) {
                                           out[4 * u + v] += dot[v];
                                       }
                                   }
                               }
                           }
                       }
                       std::copy(sum.begin(), sum.end(), A.data() + c_begin * 9 * 16);
                   });
    return A;
}

// The largest eigenvalue of D^-1 A, from above: Lanczos in the inner product of D. A value below the true one spoils
// the smoother; one a little above costs nothing.
template <class Operator>
double largest_eigenvalue(const Operator& op, const Context& context) {
    constexpr int B = Operator::B;
    constexpr int steps = 12;
    const std::int64_t n = op.nodes() * B;
    Buffer<float> v(n), u(n), v_old(n), u_old(n), w(n);  // u = D v
    const auto dot = [&](const Buffer<float>& a, const Buffer<float>& b) {
        return parallel_sum(n, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
            double sum = 0;
            for (std::int64_t i = begin; i < end; ++i) {
                sum += static_cast<double>(a[i]) * b[i];
            }
            return sum;
        });
    };
    for (std::int64_t i = 0; i < n; ++i) {
        // Any vector that is not orthogonal to the rough modes; this one is the same on every machine.
        u[i] = static_cast<float>((static_cast<std::uint32_t>(i) * 2654435761u >> 8) & 0xffff) / 65536.0f - 0.5f;
        v_old[i] = u_old[i] = 0;
    }
    Eigen::VectorXd alpha(steps), beta(steps);
    double scale = 0;
    int done = 0;
    for (int k = 0; k < steps; ++k) {
        context.ranges(op.nodes(), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                op.divide(i, u.data() + i * B, v.data() + i * B);
            }
        });
        const double norm = std::sqrt(std::max(0.0, dot(u, v)));
        if (norm < 1e-12) {
            break;
        }
        beta[k] = norm;
        const auto inverse = static_cast<float>(1 / norm);
        context.ranges(n, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                u[i] *= inverse;
                v[i] *= inverse;
            }
        });
        context.ranges(op.nodes(), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                op.product(i, v.data(), w.data() + i * B);
            }
        });
        alpha[k] = dot(w, v);
        scale = k == 0 ? 0 : beta[k];
        context.ranges(n, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                const float next = w[i] - static_cast<float>(alpha[k]) * u[i] - static_cast<float>(scale) * u_old[i];
                u_old[i] = u[i];
                u[i] = next;
            }
        });
        ++done;
    }
    if (done == 0) {
        return 1;
    }
    Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver;
    solver.computeFromTridiagonal(alpha.head(done), beta.segment(1, done - 1), Eigen::EigenvaluesOnly);
    return 1.05 * solver.eigenvalues().maxCoeff();
}

}  // namespace trimatte
