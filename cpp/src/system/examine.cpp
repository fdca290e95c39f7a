#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include "trimatte/image.hpp"
#include "trimatte/parallel.hpp"
#include "trimatte/sparse.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t rows_of_task = 2048;

// Calls body(begin, end, found) on ranges of rows in parallel, and joins what they find in the order
// of the rows.
template <class Body>
Examined over_rows(const CsrView& A, const Context& context, const Body& body) {
    std::vector<Examined> parts(static_cast<std::size_t>((A.rows + rows_of_task - 1) / rows_of_task));
    parallel_for(static_cast<std::int64_t>(parts.size()), context.threads, context.monitor, [&](std::int64_t task) {
        context.monitor.poll();
        body(task * rows_of_task, std::min(A.rows, (task + 1) * rows_of_task), parts[static_cast<std::size_t>(task)]);
    });
    Examined all;
    const auto take_first = [](std::int64_t& first, std::int64_t other) { first = first < 0 ? other : first; };
    for (const Examined& part : parts) {
        all.largest = std::max(all.largest, part.largest);
        all.has_diagonal = all.has_diagonal && part.has_diagonal;
        all.reach = std::max(all.reach, part.reach);
        take_first(all.not_finite, part.not_finite);
        take_first(all.asymmetric, part.asymmetric);
        take_first(all.farther, part.farther);
    }
    return all;
}

// Returns entry (i, j), which is zero if it is not stored.
double entry(const CsrView& A, std::int64_t i, std::int32_t j) {
    const std::int32_t* const end = A.column + A.row_start[i + 1];
    const std::int32_t* const at = std::lower_bound(A.column + A.row_start[i], end, j);
    return at != end && *at == j ? A.value[at - A.column] : 0.0;
}

// Whether the entries of row i sum to more than rounding, so that the row says something about the
// value of its unknown and not only about differences.
bool has_a_sum(const CsrView& A, std::int64_t i) {
    double sum = 0, size = 0;
    for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
        sum += A.value[k];
        size += std::abs(A.value[k]);
    }
    return std::abs(sum) > 1e-12 * size;
}

}  // namespace

std::int64_t first_loose(const CsrView& A, const Label* labels, const float* confidence, Monitor& monitor) {
    std::vector<std::uint8_t> is_held(static_cast<std::size_t>(A.rows), 0);
    std::vector<std::int32_t> next;
    const auto hold = [&](std::int64_t i) {
        if (labels[i] == Label::unknown && !is_held[static_cast<std::size_t>(i)]) {
            is_held[static_cast<std::size_t>(i)] = 1;
            next.push_back(static_cast<std::int32_t>(i));
        }
    };
    const auto is_coupled_to = [&](std::int64_t i, const auto& wanted) {
        for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
            if (A.value[k] != 0 && wanted(A.column[k])) {
                return true;
            }
        }
        return false;
    };
    constexpr std::int64_t between_polls = 4096;
    for (std::int64_t i = 0; i < A.rows; ++i) {
        if (i % between_polls == 0) {
            monitor.poll();
        }
        if (labels[i] == Label::unknown &&
            (is_coupled_to(i, [&](std::int32_t j) { return labels[j] != Label::unknown; }) ||
             (confidence != nullptr && confidence[i] > 0) || has_a_sum(A, i))) {
            hold(i);
        }
    }
    for (std::int64_t steps = 0; !next.empty(); ++steps) {
        if (steps % between_polls == 0) {
            monitor.poll();
        }
        const std::int32_t i = next.back();
        next.pop_back();
        for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
            if (A.value[k] != 0) {
                hold(A.column[k]);
            }
        }
    }
    for (std::int64_t i = 0; i < A.rows; ++i) {
        if (labels[i] == Label::unknown && !is_held[static_cast<std::size_t>(i)]) {
            return i;
        }
    }
    return -1;
}

Examined examine(const CsrView& A, double tolerance, std::int64_t width, std::int64_t reach_at_most,
                 const Context& context) {
    Examined found = over_rows(A, context, [&](std::int64_t begin, std::int64_t end, Examined& part) {
        for (std::int64_t i = begin; i < end; ++i) {
            bool has_diagonal = false;
            for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
                const std::int64_t j = A.column[k];
                if (j < 0 || j >= A.rows || (k > A.row_start[i] && j <= A.column[k - 1])) {
                    throw std::invalid_argument("matrix: expected ascending columns within the matrix, row " +
                                                std::to_string(i) + " is different");
                }
                has_diagonal = has_diagonal || j == i;
                part.largest = std::max(part.largest, std::abs(A.value[k]));
                if (!std::isfinite(A.value[k]) && part.not_finite < 0) {
                    part.not_finite = k;
                }
                if (width > 0 && A.value[k] != 0) {
                    const std::int64_t distance =
                        std::max(std::abs(i / width - j / width), std::abs(i % width - j % width));
                    part.reach = std::max(part.reach, distance);
                    if (distance > reach_at_most && part.farther < 0) {
                        part.farther = k;
                    }
                }
            }
            part.has_diagonal = part.has_diagonal && has_diagonal;
        }
    });
    if (found.not_finite >= 0) {
        return found;
    }
    const double most = tolerance * found.largest;
    found.asymmetric = over_rows(A, context, [&](std::int64_t begin, std::int64_t end, Examined& part) {
                           for (std::int64_t i = begin; i < end && part.asymmetric < 0; ++i) {
                               for (std::int64_t k = A.row_start[i]; k < A.row_start[i + 1]; ++k) {
                                   const double other = entry(A, A.column[k], static_cast<std::int32_t>(i));
                                   if (std::abs(A.value[k] - other) > most) {
                                       part.asymmetric = k;
                                       break;
                                   }
                               }
                           }
                       }).asymmetric;
    return found;
}

}  // namespace trimatte
