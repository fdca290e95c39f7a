#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>

#include "trimatte/parallel.hpp"
#include "trimatte/sparse.hpp"

namespace trimatte {
namespace {

// Returns whether is_bad(k) holds for a number of 0 ... size - 1. No number is left out, since a loop
// that may end early has no vectors.
template <class IsBad>
bool any(std::int64_t size, const IsBad& is_bad) {
    unsigned bad = 0;
    for (std::int64_t k = 0; k < size; ++k) {
        bad |= is_bad(k) ? 1U : 0U;
    }
    return bad != 0;
}

// Returns what is wanted of a row and not there; null if all is.
const char* missing_in(const Csr& matrix, std::int64_t i) {
    const std::int32_t* const begin = matrix.column.data() + matrix.row_start[i];
    const std::int32_t* const end = matrix.column.data() + matrix.row_start[i + 1];
    if (any(end - begin - 1, [&](std::int64_t k) { return begin[k] >= begin[k + 1]; })) {
        return "ascending columns in each row";
    }
    if (begin != end && (*begin < 0 || *(end - 1) >= matrix.rows)) {
        return "columns within the matrix";
    }
    const double* const values = matrix.value.data() + matrix.row_start[i];
    constexpr double largest = std::numeric_limits<double>::max();
    if (any(end - begin, [&](std::int64_t k) { return !(std::abs(values[k]) <= largest); })) {
        return "finite numbers";
    }
    const std::int32_t* const diagonal = std::lower_bound(begin, end, static_cast<std::int32_t>(i));
    if (diagonal == end || *diagonal != i || !(values[diagonal - begin] > 0)) {
        return "a positive diagonal";
    }
    return nullptr;
}

}  // namespace

void check_rows(const Csr& matrix, const Context& context) {
    std::atomic<std::int64_t> first{matrix.rows};  // the first row where something is missing
    parallel_ranges(matrix.rows, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < std::min<std::int64_t>(end, first); ++i) {
            if (missing_in(matrix, i)) {
                std::int64_t before = first;
                while (i < before && !first.compare_exchange_weak(before, i)) {
                }
            }
        }
    });
    if (first < matrix.rows) {
        throw std::invalid_argument("matrix: expected " + std::string(missing_in(matrix, first)) + ", row " +
                                    std::to_string(first) + " is different");
    }
}

}  // namespace trimatte
