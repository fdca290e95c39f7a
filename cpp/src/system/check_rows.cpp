#include <algorithm>
#include <cmath>
#include <functional>
#include <stdexcept>
#include <string>

#include "trimatte/sparse.hpp"

namespace trimatte {
namespace {

[[noreturn]] void refuse(std::int64_t row, const char* wanted) {
    throw std::invalid_argument("matrix: expected " + std::string(wanted) + ", row " + std::to_string(row) +
                                " is different");
}

}  // namespace

void check_rows(const Csr& matrix) {
    for (std::int64_t i = 0; i < matrix.rows; ++i) {
        const std::int32_t* const begin = matrix.column.data() + matrix.row_start[i];
        const std::int32_t* const end = matrix.column.data() + matrix.row_start[i + 1];
        if (std::adjacent_find(begin, end, std::greater_equal<>()) != end) {
            refuse(i, "ascending columns in each row");
        }
        if (begin != end && (*begin < 0 || *(end - 1) >= matrix.rows)) {
            refuse(i, "columns within the matrix");
        }
        const double* const values = matrix.value.data() + matrix.row_start[i];
        if (!std::all_of(values, values + (end - begin), [](double v) { return std::isfinite(v); })) {
            refuse(i, "finite numbers");
        }
        const std::int32_t* const diagonal = std::lower_bound(begin, end, static_cast<std::int32_t>(i));
        if (diagonal == end || *diagonal != i || !(values[diagonal - begin] > 0)) {
            refuse(i, "a positive diagonal");
        }
    }
}

}  // namespace trimatte
