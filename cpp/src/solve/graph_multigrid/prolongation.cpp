// Makes the tentative prolongation and smooths it by one step of the method of Jacobi (Vanek,
// Mandel, Brezina 1996, Eq. 9).
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/each.hpp"
#include "solve/graph_multigrid/hierarchy.hpp"

namespace trimatte::graph {
namespace {

// Calls body(0) ... body(count - 1) on one thread, in this order.
template <class Body>
void each_in_turn(std::int64_t count, const Context& context, const Body& body) {
    each(count, {1, context.monitor}, body);
}

// The nodes of each aggregate: those of aggregate a are node[first[a]] ... node[first[a + 1] - 1],
// in ascending order.
struct Members {
    std::vector<std::int64_t> first;
    std::vector<std::int32_t> node;
};

Members members_of(const Aggregates& aggregates, const Context& context) {
    Members members;
    members.first.assign(static_cast<std::size_t>(aggregates.count) + 1, 0);
    each_in_turn(aggregates.of_node.size(), context, [&](std::int64_t i) {
        if (const std::int32_t a = aggregates.of_node[i]; a >= 0) {
            ++members.first[static_cast<std::size_t>(a) + 1];
        }
    });
    std::partial_sum(members.first.begin(), members.first.end(), members.first.begin());
    members.node.resize(static_cast<std::size_t>(members.first.back()));
    std::vector<std::int64_t> next(members.first.begin(), members.first.end() - 1);
    each_in_turn(aggregates.of_node.size(), context, [&](std::int64_t i) {
        if (const std::int32_t a = aggregates.of_node[i]; a >= 0) {
            members.node[static_cast<std::size_t>(next[static_cast<std::size_t>(a)]++)] = static_cast<std::int32_t>(i);
        }
    });
    return members;
}

// Makes the near-null vectors of one aggregate orthonormal by modified Gram-Schmidt, done twice.
class Orthonormal {
public:
    // Replaces Q, `columns` vectors of `size` numbers one after the other. A vector that is
    // (nearly) a combination of those before it is dropped. This is the case if less than 1e-4 of
    // the length of the first vector is left of it, or less than 1e-5 of its own length.
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

    static constexpr int most = 8;  // the largest number of columns
    int rank = 0;
    double R[most][most] = {};
};

// Holds the orthonormal bases of all aggregates.
struct Bases {
    Buffer<std::int32_t> rank;  // the rank of each aggregate
    Buffer<float> T;            // the `rank` numbers of unknown i start at i * columns
    // For each aggregate a matrix of columns x columns numbers, whose first `rank` rows are filled.
    Buffer<float> R;
};

// Calls body(m, i) for the unknowns i of aggregate a, in order, with m = 0, 1, ... Returns their
// number.
template <class Body>
std::int64_t for_unknowns(const Nodes& nodes, const Members& members, std::size_t a, const Body& body) {
    std::int64_t m = 0;
    for (std::int64_t k = members.first[a]; k < members.first[a + 1]; ++k) {
        const std::int32_t node = members.node[static_cast<std::size_t>(k)];
        for (std::int32_t i = nodes.begin(node); i < nodes.end(node); ++i) {
            body(m++, static_cast<std::int64_t>(i));
        }
    }
    return m;
}

Bases make_bases(const Nodes& nodes, const Members& members, const Buffer<float>& near_null, int columns,
                 const Context& context) {
    const std::int64_t unknowns = nodes.begin(nodes.count);
    const auto count = static_cast<std::int64_t>(members.first.size()) - 1;
    Bases bases{Buffer<std::int32_t>(count), Buffer<float>(columns * unknowns),
                Buffer<float>(count * columns * columns)};
    for_ranges(ranges_of_rows(count, members.first.data()), context, [&](std::int64_t begin, std::int64_t end) {
        std::vector<double> Q;
        for (std::int64_t a = begin; a < end; ++a) {
            const auto at = static_cast<std::size_t>(a);
            const std::int64_t size = for_unknowns(nodes, members, at, [](std::int64_t, std::int64_t) {});
            Q.resize(static_cast<std::size_t>(size * columns));
            for_unknowns(nodes, members, at, [&](std::int64_t m, std::int64_t i) {
                for (int c = 0; c < columns; ++c) {
                    Q[static_cast<std::size_t>(c * size + m)] = near_null[c * unknowns + i];
                }
            });
            const Orthonormal basis(Q, size, columns);
            bases.rank[a] = basis.rank;
            for (int q = 0; q < columns; ++q) {
                for (int c = 0; c < columns; ++c) {
                    bases.R[(a * columns + q) * columns + c] = static_cast<float>(basis.R[q][c]);
                }
            }
            for_unknowns(nodes, members, at, [&](std::int64_t m, std::int64_t i) {
                for (int q = 0; q < basis.rank; ++q) {
                    bases.T[i * columns + q] = static_cast<float>(Q[static_cast<std::size_t>(q * size + m)]);
                }
            });
        }
    });
    return bases;
}

// Entries of P that are below this part of the largest entry of their row are dropped. The other
// entries take over what they carried.
constexpr double small = 0.2;
// A row with more entries keeps its values from T: it belongs to an unknown that is coupled to very
// many others.
constexpr std::size_t long_row = 256;

// Drops small entries so that the product of the row with the near-null vector does not change.
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
    const Bases bases = make_bases(nodes, members_of(aggregates, context), near_null, columns, context);
    Prolongation result;
    result.nodes.count = aggregates.count;
    Buffer<std::int32_t> first(aggregates.count + 1);
    first[0] = 0;
    each_in_turn(aggregates.count, context, [&](std::int64_t a) { first[a + 1] = first[a] + bases.rank[a]; });
    const std::int64_t unknowns = nodes.begin(nodes.count);
    const std::int64_t coarse = first[aggregates.count];
    result.near_null = Buffer<float>(columns * coarse);
    each_in_turn(aggregates.count, context, [&](std::int64_t a) {
        for (int q = 0; q < bases.rank[a]; ++q) {
            for (int c = 0; c < columns; ++c) {
                result.near_null[c * coarse + first[a] + q] = bases.R[(a * columns + q) * columns + c];
            }
        }
    });
    SparseMatrix& T = result.P;
    T = {unknowns, coarse, Buffer<std::int64_t>(unknowns + 1), {}, {}};
    T.row_start[0] = 0;
    each_in_turn(nodes.count, context, [&](std::int64_t node) {
        const std::int32_t a = aggregates.of_node[node];
        for (std::int32_t i = nodes.begin(node); i < nodes.end(node); ++i) {
            T.row_start[i + 1] = T.row_start[i] + (a < 0 ? 0 : bases.rank[a]);
        }
    });
    T.column = Buffer<std::int32_t>(T.row_start[unknowns]);
    T.value = Buffer<float>(T.row_start[unknowns]);
    each_in_turn(nodes.count, context, [&](std::int64_t node) {
        const std::int32_t a = aggregates.of_node[node];
        for (std::int32_t i = nodes.begin(node); a >= 0 && i < nodes.end(node); ++i) {
            for (int q = 0; q < bases.rank[a]; ++q) {
                T.column[T.row_start[i] + q] = first[a] + q;
                T.value[T.row_start[i] + q] = bases.T[static_cast<std::int64_t>(i) * columns + q];
            }
        }
    });
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
        row.add_row(T, i, 1);
        for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
            row.add_row(T, A.column[k], -omega * A.value[k]);
        }
        if (row.size() > long_row) {
            row.clear();
            row.add_row(T, i, 1);
        } else if (columns == 1) {
            drop_small(row, prolongation.near_null.data());
        }
        row.drop_zeros();
    });
}

}  // namespace trimatte::graph
