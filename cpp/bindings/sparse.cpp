#include <pybind11/stl.h>

#include <algorithm>
#include <mutex>
#include <numeric>
#include <optional>

#include "arrays.hpp"
#include "monitor.hpp"
#include "problem.hpp"
#include "register.hpp"
#include "trimatte/multigrid_preconditioner.hpp"
#include "trimatte/solve.hpp"

namespace trimatte::bindings {
namespace {

template <class Numbers>
auto copy_of(const Numbers& numbers) {
    Buffer<std::decay_t<decltype(*numbers.data())>> buffer(numbers.size());
    std::copy(numbers.data(), numbers.data() + numbers.size(), buffer.data());
    return buffer;
}

// Returns the matrix of these arrays, which own its numbers.
Csr csr_of(const Array<double>& data, const Array<std::int32_t>& indices, const Array<std::int64_t>& indptr) {
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
    matrix.row_start = Buffer<std::int64_t>::borrowed(start, indptr.size());
    matrix.column = Buffer<std::int32_t>::borrowed(indices.data(), indices.size());
    matrix.value = Buffer<double>::borrowed(data.data(), data.size());
    return matrix;
}

Csr copy_of(const Csr& matrix) {
    return {matrix.rows, copy_of(matrix.row_start), copy_of(matrix.column), copy_of(matrix.value)};
}

// Solves matrix x = rhs. On entry x holds the first guess, on return the solution.
py::dict solve(const Array<double>& data, const Array<std::int32_t>& indices, const Array<std::int64_t>& indptr,
               const Array<double>& rhs, const Array<float>& near_null, Array<double>& x, double tolerance,
               std::int64_t max_iterations, int threads, PyMonitor& monitor) {
    Csr matrix = csr_of(data, indices, indptr);
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
        check_rows(problem.matrix, {threads, monitor});
        return graph_multigrid(problem, options, solution, monitor);
    });
    return record_of(info);
}

// What the core finds in a matrix that somebody else has made. The columns ascend in each row.
py::dict examine_rows(const Array<double>& data, const Array<std::int32_t>& indices, const Array<std::int64_t>& indptr,
                      double tolerance, std::int64_t width, std::int64_t reach_at_most, int threads,
                      PyMonitor& monitor) {
    const CsrView matrix{indptr.size() - 1, indptr.data(), indices.data(), data.data()};
    const Examined found =
        run(monitor, [&] { return examine(matrix, tolerance, width, reach_at_most, {threads, monitor}); });
    py::dict result;
    result["has_diagonal"] = found.has_diagonal;
    result["reach"] = found.reach;
    result["not_finite"] = found.not_finite;
    result["asymmetric"] = found.asymmetric;
    result["farther"] = found.farther;
    return result;
}

std::int64_t first_loose_row(const Array<double>& data, const Array<std::int32_t>& indices,
                             const Array<std::int64_t>& indptr, const Array<std::uint8_t>& labels,
                             const std::optional<Array<float>>& confidence, PyMonitor& monitor) {
    const CsrView matrix{indptr.size() - 1, indptr.data(), indices.data(), data.data()};
    if (labels.size() != matrix.rows || (confidence && confidence->size() != matrix.rows)) {
        throw std::invalid_argument("labels, confidence: expected one for each row of the matrix");
    }
    const auto* of_rows = reinterpret_cast<const Label*>(labels.data());
    const float* confidences = confidence ? confidence->data() : nullptr;
    return run(monitor, [&] { return first_loose(matrix, of_rows, confidences, monitor); });
}

// A preconditioner that Python may call from any thread. The monitor must outlive it.
class SharedPreconditioner {
public:
    SharedPreconditioner(Problem&& problem, Solver kind, int threads, PyMonitor& monitor)
        : monitor_(monitor),
          inverse_(
              run(monitor, [&] { return MultigridPreconditioner(std::move(problem), kind, {threads, monitor}); })) {}

    py::tuple shape() const { return py::make_tuple(inverse_.unknowns(), inverse_.unknowns()); }

    py::array_t<double> matvec(const Array<double>& r) {
        if (r.ndim() != 1 || r.size() != inverse_.unknowns()) {
            throw std::invalid_argument("r: expected one number for each row of the matrix");
        }
        py::array_t<double> z(r.size());
        const double* from = r.data();
        double* to = z.mutable_data();
        run(monitor_, [&] {
            const std::lock_guard<std::mutex> one_at_a_time(mutex_);
            inverse_.apply(from, to);
        });
        return z;
    }
    std::size_t bytes() const { return inverse_.bytes(); }
    double operator_complexity() const { return inverse_.operator_complexity(); }

private:
    PyMonitor& monitor_;
    MultigridPreconditioner inverse_;
    std::mutex mutex_;
};

// near_null: the columns of the near-null space besides the constant, one after the other. pixel:
// the places of the unknowns in a picture of height x width pixels, ascending, for multigrid on the
// pixel grid; None for the multigrid for graphs.
std::unique_ptr<SharedPreconditioner> preconditioner(const Array<double>& data, const Array<std::int32_t>& indices,
                                                     const Array<std::int64_t>& indptr, const Array<float>& near_null,
                                                     const std::optional<Array<std::int32_t>>& pixel,
                                                     std::int64_t height, std::int64_t width, int threads,
                                                     PyMonitor& monitor) {
    Problem problem;
    problem.matrix = copy_of(csr_of(data, indices, indptr));
    check_rows(problem.matrix, {threads, monitor});
    const std::int64_t rows = problem.matrix.rows;
    if (near_null.ndim() != 2 || near_null.shape(1) != rows || near_null.shape(0) > 7) {
        throw std::invalid_argument("near_null: expected at most seven rows of a number for each row of the matrix");
    }
    problem.channels = static_cast<int>(near_null.shape(0));
    problem.colours = copy_of(near_null);
    problem.height = height;
    problem.width = width;
    if (pixel) {
        if (pixel->size() != rows || problem.channels > 3) {
            throw std::invalid_argument("pixel: expected one number for each row of the matrix, and three channels");
        }
        problem.pixel = copy_of(*pixel);
    } else {
        problem.pixel = Buffer<std::int32_t>(rows);
        std::iota(problem.pixel.begin(), problem.pixel.end(), 0);
    }
    return std::make_unique<SharedPreconditioner>(
        std::move(problem), pixel ? Solver::multigrid : Solver::graph_multigrid, threads, monitor);
}

}  // namespace

void register_sparse(py::module_& m) {
    py::class_<SharedPreconditioner>(m, "Preconditioner")
        .def(py::init(&preconditioner), py::arg("data").noconvert(), py::arg("indices").noconvert(),
             py::arg("indptr").noconvert(), py::arg("near_null").noconvert(), py::arg("pixel").noconvert().none(true),
             py::arg("height"), py::arg("width"), py::arg("threads"), py::arg("monitor"), py::keep_alive<1, 10>())
        .def_property_readonly("shape", &SharedPreconditioner::shape)
        .def("matvec", &SharedPreconditioner::matvec, py::arg("r").noconvert())
        .def_property_readonly("bytes", &SharedPreconditioner::bytes)
        .def_property_readonly("operator_complexity", &SharedPreconditioner::operator_complexity);

    m.def("first_loose", &first_loose_row, py::arg("data").noconvert(), py::arg("indices").noconvert(),
          py::arg("indptr").noconvert(), py::arg("labels").noconvert(), py::arg("confidence").noconvert().none(true),
          py::arg("monitor"));
    m.def("examine", &examine_rows, py::arg("data").noconvert(), py::arg("indices").noconvert(),
          py::arg("indptr").noconvert(), py::arg("tolerance"), py::arg("width"), py::arg("reach_at_most"),
          py::arg("threads"), py::arg("monitor"));
    m.def("solve_sparse", &solve, py::arg("data").noconvert(), py::arg("indices").noconvert(),
          py::arg("indptr").noconvert(), py::arg("rhs").noconvert(), py::arg("near_null").noconvert(),
          py::arg("x").noconvert(), py::arg("tolerance"), py::arg("max_iterations"), py::arg("threads"),
          py::arg("monitor"));
}

}  // namespace trimatte::bindings
