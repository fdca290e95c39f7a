#include <algorithm>
#include <numeric>

#include "arrays.hpp"
#include "monitor.hpp"
#include "problem.hpp"
#include "register.hpp"
#include "trimatte/solve.hpp"

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

// Solves matrix x = rhs. On entry x holds the first guess, on return the solution.
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
    // The unknowns are given places in one picture row. The first near-null vector, the constant,
    // is not stored.
    Problem problem;
    problem.pixel = Buffer<std::int32_t>(matrix.rows);
    std::iota(problem.pixel.begin(), problem.pixel.end(), 0);
    problem.height = 1;
    problem.width = matrix.rows;
    problem.rhs = copy_of(rhs);
    problem.channels = static_cast<int>(near_null.shape(0)) - 1;
    problem.colours = Buffer<float>(problem.channels * matrix.rows);
    std::copy_n(near_null.data() + matrix.rows, problem.colours.size(), problem.colours.data());
    problem.matrix = std::move(matrix);
    SolveOptions options;
    options.tolerance = tolerance;
    options.max_iterations = max_iterations;
    options.threads = threads;
    double* solution = x.mutable_data();
    const SolveInfo info = run(monitor, [&] {
        check_rows(problem.matrix);
        return graph_multigrid(problem, options, solution, monitor);
    });
    return record_of(info);
}

}  // namespace

void register_sparse(py::module_& m) {
    m.def("solve_sparse", &solve, py::arg("data").noconvert(), py::arg("indices").noconvert(),
          py::arg("indptr").noconvert(), py::arg("rhs").noconvert(), py::arg("near_null").noconvert(),
          py::arg("x").noconvert(), py::arg("tolerance"), py::arg("max_iterations"), py::arg("threads"),
          py::arg("monitor"));
}

}  // namespace trimatte::bindings
