#include <algorithm>
#include <atomic>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <string>

#include "trimatte/parallel.hpp"
#include "trimatte/sparse.hpp"

namespace trimatte {
namespace {

// Returns what is wanted of a row and not there; null if all is.
const char* missing_in(const Csr& matrix, std::int64_t i) {
    const std::int32_t* const begin = matrix.column.data() + matrix.row_start[i];
    const std::int32_t* const end = matrix.column.data() + matrix.row_start[i + 1];
    if (std::adjacent_find(begin, end, std::greater_equal<>()) != end) {
        return "ascending columns in each row";
    }
    if (begin != end && (*begin < 0 || *(end - 1) >= matrix.rows)) {
        return "columns within the matrix";
    }
    const double* const values = matrix.value.data() + matrix.row_start[i];
    if (!std::all_of(values, values + (end - begin), [](double v) { return std::isfinite(v); })) {
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
