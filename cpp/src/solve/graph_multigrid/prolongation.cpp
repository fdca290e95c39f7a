// The tentative prolongation, and its smoothing by one step of Jacobi's method (Vanek, Mandel,
// Brezina 1996, Eq. 9).
#include <algorithm>
#include <cmath>

#include "solve/graph_multigrid/hierarchy.hpp"

namespace trimatte::graph {
namespace {

// The nodes of each aggregate: those of aggregate a are node[first[a]] ... node[first[a + 1] - 1],
// ascending.
struct Members {
    std::vector<std::int64_t> first;
    std::vector<std::int32_t> node;
};

Members members_of(const Aggregates& aggregates) {
    Members members;
    members.first.assign(static_cast<std::size_t>(aggregates.count) + 1, 0);
    for (const std::int32_t a : aggregates.of_node) {
        if (a >= 0) {
            ++members.first[static_cast<std::size_t>(a) + 1];
        }
    }
    for (std::size_t a = 1; a < members.first.size(); ++a) {
        members.first[a] += members.first[a - 1];
    }
    members.node.resize(static_cast<std::size_t>(members.first.back()));
    std::vector<std::int64_t> next(members.first.begin(), members.first.end() - 1);
    for (std::int64_t i = 0; i < aggregates.of_node.size(); ++i) {
        if (const std::int32_t a = aggregates.of_node[i]; a >= 0) {
            members.node[static_cast<std::size_t>(next[static_cast<std::size_t>(a)]++)] = static_cast<std::int32_t>(i);
        }
    }
    return members;
}

// The near-null vectors of one aggregate, made orthonormal by modified Gram-Schmidt, done twice.
class Orthonormal {
public:
    // Q: `columns` vectors of `size` numbers, one after the other, replaced. A vector that is
    // (nearly) a combination of those before it is dropped: what is left of it is below 1e-4 of the
    // first vector, or 1e-5 of itself.
    Orthonormal(std::vector<double>& Q, std::int64_t size, int columns) {
        const auto at = [&](int c) { return Q.data() + c * size; };
        const auto dot = [&](const double* a, const double* b) {
            double sum = 0;
            for (std::int64_t i = 0; i < size; ++i) {
                sum += a[i] * b[i];
            }
            return sum;
        };
        double first = 0;
        for (int c = 0; c < columns; ++c) {
            double* v = at(c);
            const double whole = std::sqrt(dot(v, v));
            first = std::max(first, c == 0 ? whole : 0.0);
            for (int pass = 0; pass < 2; ++pass) {
                for (int q = 0; q < rank; ++q) {
                    const double share = dot(at(q), v);
                    R[q][c] += share;
                    for (std::int64_t i = 0; i < size; ++i) {
                        v[i] -= share * at(q)[i];
                    }
                }
            }
            const double rest = std::sqrt(dot(v, v));
            if (!(rest > 1e-4 * first && rest > 1e-5 * whole) && !(c == 0 && rest > 0)) {
                continue;
            }
            R[rank][c] = rest;
            for (std::int64_t i = 0; i < size; ++i) {
                at(rank)[i] = v[i] / rest;
            }
            ++rank;
        }
    }

    static constexpr int most = 8;  // columns
    int rank = 0;
    double R[most][most] = {};
};

// Entries of P below this part of the row's largest are dropped. The others take over what they
// carried.
constexpr double small = 0.2;
// A row with more entries stays as it is in T: it belongs to an unknown that is coupled to very
// many.
constexpr std::size_t long_row = 256;

// Drops small entries, so that the row times the near-null vector does not change.
void drop_small(RowSum& row, const float* near_null) {
    double largest = 0, all = 0, kept = 0;
    for (std::size_t k = 0; k < row.size(); ++k) {
        largest = std::max(largest, std::abs(row.value(k)));
        all += row.value(k) * near_null[row.column(k)];
    }
    for (std::size_t k = 0; k < row.size(); ++k) {
        if (std::abs(row.value(k)) < small * largest) {
            row.value(k) = 0;
        }
        kept += row.value(k) * near_null[row.column(k)];
    }
    const double scale = all / kept;
    if (scale > 0.5 && scale < 2) {
        for (std::size_t k = 0; k < row.size(); ++k) {
            row.value(k) *= scale;
        }
    }
}

}  // namespace

Prolongation tentative_prolongation(const Nodes& nodes, const Aggregates& aggregates, const Buffer<float>& near_null,
                                    int columns, const Context& context) {
    const Members members = members_of(aggregates);
    const std::int64_t unknowns = nodes.begin(nodes.count);
    const std::int64_t count = aggregates.count;
    // T by aggregates: `rank` columns of an entry for each unknown, at `columns` times the unknowns
    // before.
    Buffer<float> values(columns * unknowns);
    Buffer<std::int32_t> rank(count);
    Buffer<float> R(count * columns * columns);
    for_ranges(ranges_of_rows(count, members.first.data()), context, [&](std::int64_t begin, std::int64_t end) {
        std::vector<double> Q;
        for (std::int64_t a = begin; a < end; ++a) {
            const auto at = static_cast<std::size_t>(a);
            const auto each = [&](const auto& body) {
                std::int64_t m = 0;
                for (std::int64_t k = members.first[at]; k < members.first[at + 1]; ++k) {
                    const std::int32_t node = members.node[static_cast<std::size_t>(k)];
                    for (std::int32_t i = nodes.begin(node); i < nodes.end(node); ++i) {
                        body(m++, i);
                    }
                }
                return m;
            };
            const std::int64_t size = each([](std::int64_t, std::int64_t) {});
            Q.resize(static_cast<std::size_t>(size * columns));
            each([&](std::int64_t m, std::int64_t i) {
                for (int c = 0; c < columns; ++c) {
                    Q[static_cast<std::size_t>(c * size + m)] = near_null[c * unknowns + i];
                }
            });
            const Orthonormal basis(Q, size, columns);
            rank[a] = basis.rank;
            for (int q = 0; q < columns; ++q) {
                for (int c = 0; c < columns; ++c) {
                    R[(a * columns + q) * columns + c] = static_cast<float>(basis.R[q][c]);
                }
            }
            each([&](std::int64_t m, std::int64_t i) {
                for (int q = 0; q < basis.rank; ++q) {
                    values[i * columns + q] = static_cast<float>(Q[static_cast<std::size_t>(q * size + m)]);
                }
            });
        }
    });
    Prolongation result;
    result.nodes.count = count;
    Buffer<std::int32_t> first(count + 1);
    first[0] = 0;
    for (std::int64_t a = 0; a < count; ++a) {
        first[a + 1] = first[a] + rank[a];
    }
    const std::int64_t coarse = first[count];
    result.near_null = Buffer<float>(columns * coarse);
    for (std::int64_t a = 0; a < count; ++a) {
        for (int q = 0; q < rank[a]; ++q) {
            for (int c = 0; c < columns; ++c) {
                result.near_null[c * coarse + first[a] + q] = R[(a * columns + q) * columns + c];
            }
        }
    }
    SparseMatrix& T = result.P;
    T = {unknowns, coarse, Buffer<std::int64_t>(unknowns + 1), {}, {}};
    T.row_start[0] = 0;
    for (std::int64_t node = 0; node < nodes.count; ++node) {
        const std::int32_t a = aggregates.of_node[node];
        for (std::int32_t i = nodes.begin(node); i < nodes.end(node); ++i) {
            T.row_start[i + 1] = T.row_start[i] + (a < 0 ? 0 : rank[a]);
        }
    }
    T.column = Buffer<std::int32_t>(T.row_start[unknowns]);
    T.value = Buffer<float>(T.row_start[unknowns]);
    for (std::int64_t node = 0; node < nodes.count; ++node) {
        const std::int32_t a = aggregates.of_node[node];
        for (std::int32_t i = nodes.begin(node); a >= 0 && i < nodes.end(node); ++i) {
            for (int q = 0; q < rank[a]; ++q) {
                T.column[T.row_start[i] + q] = first[a] + q;
                T.value[T.row_start[i] + q] = values[static_cast<std::int64_t>(i) * columns + q];
            }
        }
    }
    if (columns > 1) {
        result.nodes.first = std::move(first);
    }
    return result;
}

void smooth_prolongation(const MatrixView& A, double omega, Prolongation& prolongation, int columns,
                         const Context& context) {
    const SparseMatrix& T = prolongation.P;
    const auto borders = ranges_of_rows(A.rows, A.row_start);
    prolongation.P = build_rows(A.rows, T.columns, borders, context, [&](std::int64_t i, RowSum& row) {
        const auto add = [&](std::int64_t j, double factor) {
            for (std::int64_t k = T.row_start[j]; k < T.row_start[j + 1]; ++k) {
                row.add(T.column[k], factor * T.value[k]);
            }
        };
        add(i, 1);
        for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
            add(A.column[k], -omega * A.value[k]);
        }
        if (row.size() > long_row) {
            row.clear();
            add(i, 1);
        } else if (columns == 1) {
            drop_small(row, prolongation.near_null.data());
        }
        row.drop_zeros();
    });
}

}  // namespace trimatte::graph
