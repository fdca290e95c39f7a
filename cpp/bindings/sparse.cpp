#include <algorithm>
#include <utility>

#include "arrays.hpp"
#include "monitor.hpp"
#include "register.hpp"
#include "trimatte/solve_sparse.hpp"

namespace trimatte::bindings {
namespace {

template <typename T>
Buffer<T> copy_of(const Array<T>& array) {
    Buffer<T> buffer(array.size());
    std::copy(array.data(), array.data() + array.size(), buffer.data());
    return buffer;
}

Csr csr_from(const Array<double>& data, const Array<std::int32_t>& indices, const Array<std::int64_t>& indptr) {
    if (data.ndim() != 1 || indices.ndim() != 1 || indptr.ndim() != 1 || indptr.size() < 1) {
        throw std::invalid_argument("data, indices, indptr: expected the three arrays of a csr_array");
    }
    const std::int64_t* start = indptr.data();
    if (start[0] != 0 || start[indptr.size() - 1] != data.size() || data.size() != indices.size() ||
        !std::is_sorted(start, start + indptr.size())) {
        throw std::invalid_argument("indptr: expected ascending numbers from 0 to the size of data and indices");
    }
    Csr matrix;
    matrix.rows = indptr.size() - 1;
    matrix.row_start = copy_of(indptr);
    matrix.column = copy_of(indices);
    matrix.value = copy_of(data);
    return matrix;
}

// x is filled; on entry it holds the first guess.
py::dict solve(const Array<double>& data, const Array<std::int32_t>& indices, const Array<std::int64_t>& indptr,
               const Array<double>& rhs, const Array<float>& near_null, Array<double>& x, double tolerance,
               std::int64_t max_iterations, int threads, PyMonitor& monitor) {
    Csr matrix = csr_from(data, indices, indptr);
    if (rhs.ndim() != 1 || rhs.size() != matrix.rows || x.ndim() != 1 || x.size() != matrix.rows) {
        throw std::invalid_argument("rhs, x: expected one number for each row of the matrix");
    }
    if (near_null.ndim() != 2 || near_null.shape(1) != matrix.rows || near_null.shape(0) < 1 ||
        near_null.shape(0) > 4) {
        throw std::invalid_argument("near_null: expected one to four rows of a number for each row of the matrix");
    }
    const auto columns = static_cast<int>(near_null.shape(0));
    double* solution = x.mutable_data();
    const SolveInfo info = run(monitor, [&] {
        return solve_sparse(std::move(matrix), rhs.data(), near_null.data(), columns, tolerance, max_iterations,
                            threads, solution, monitor);
    });
    py::dict result;
    result["converged"] = info.converged;
    result["iterations"] = info.iterations;
    result["relative_residual"] = info.relative_residual;
    result["error_estimate"] = info.error_estimate;
    result["peak_bytes"] = info.peak_bytes;
    result["operator_complexity"] = info.operator_complexity;
    return result;
}

}  // namespace

void register_sparse(py::module_& m) {
    m.def("solve_sparse", &solve, py::arg("data").noconvert(), py::arg("indices").noconvert(),
          py::arg("indptr").noconvert(), py::arg("rhs").noconvert(), py::arg("near_null").noconvert(),
          py::arg("x").noconvert(), py::arg("tolerance"), py::arg("max_iterations"), py::arg("threads"),
          py::arg("monitor"));
}

}  // namespace trimatte::bindings
