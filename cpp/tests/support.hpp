// Tools of several tests: pictures that own their pixels, problems, dense copies, monitors.
#pragma once

#include <Eigen/Core>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "trimatte/affinity.hpp"
#include "trimatte/assemble.hpp"
#include "trimatte/grid.hpp"
#include "trimatte/image.hpp"
#include "trimatte/monitor.hpp"
#include "trimatte/problem.hpp"
#include "trimatte/sparse.hpp"

namespace trimatte::test {

// Random numbers in [0, 1) that are the same on every platform.
class Random {
public:
    explicit Random(unsigned seed) : engine_(seed) {}
    double operator()() { return engine_() / 4294967296.0; }

private:
    std::mt19937 engine_;
};

// A picture of height x width x channels doubles, interleaved.
struct Picture {
    std::int64_t height;
    std::int64_t width;
    int channels;
    std::vector<double> data;

    Picture(std::int64_t h, std::int64_t w, int c, double value = 0)
        : height(h), width(w), channels(c), data(static_cast<std::size_t>(h * w * c), value) {}

    ImageView view() const { return {data.data(), PixelType::f64, height, width, channels}; }
    double& at(std::int64_t y, std::int64_t x, int c) {
        return data[static_cast<std::size_t>((y * width + x) * channels + c)];
    }
    double at(std::int64_t y, std::int64_t x, int c) const {
        return data[static_cast<std::size_t>((y * width + x) * channels + c)];
    }
};

inline Picture random_picture(std::int64_t height, std::int64_t width, int channels, unsigned seed = 1) {
    Picture picture(height, width, channels);
    Random random(seed);
    for (double& v : picture.data) {
        v = random();
    }
    return picture;
}

// Labels with background in the left column, foreground in the right one, and unknown pixels
// between.
inline std::vector<Label> columns_known(std::int64_t height, std::int64_t width) {
    std::vector<Label> labels(static_cast<std::size_t>(height * width), Label::unknown);
    for (std::int64_t y = 0; y < height; ++y) {
        labels[static_cast<std::size_t>(y * width)] = Label::background;
        labels[static_cast<std::size_t>((y + 1) * width - 1)] = Label::foreground;
    }
    return labels;
}

// Returns the slots of the places of a grid, in order.
inline std::vector<std::int64_t> places(const Grid& grid) {
    std::vector<std::int64_t> slots;
    for (std::int64_t y = 0; y < grid.height(); ++y) {
        for (std::int64_t x = 0; x < grid.width(); ++x) {
            if (grid.slot(y, x) >= 0) {
                slots.push_back(grid.slot(y, x));
            }
        }
    }
    return slots;
}

inline Eigen::MatrixXd dense(const Csr& matrix) {
    Eigen::MatrixXd full = Eigen::MatrixXd::Zero(matrix.rows, matrix.rows);
    for (std::int64_t i = 0; i < matrix.rows; ++i) {
        for (std::int64_t k = matrix.row_start[i]; k < matrix.row_start[i + 1]; ++k) {
            full(i, matrix.column[k]) += matrix.value[k];
        }
    }
    return full;
}

template <typename T>
Eigen::VectorXd dense(const Buffer<T>& buffer) {
    Eigen::VectorXd full(buffer.size());
    for (std::int64_t i = 0; i < buffer.size(); ++i) {
        full(i) = static_cast<double>(buffer[i]);
    }
    return full;
}

// Makes a problem from a dense matrix with all entries stored. Its unknowns form one row of a
// picture.
inline Problem problem_from(const Eigen::MatrixXd& matrix, const Eigen::VectorXd& rhs) {
    const std::int64_t n = rhs.size();
    Problem problem;
    problem.matrix.rows = n;
    problem.matrix.row_start = Buffer<std::int64_t>(n + 1);
    problem.matrix.column = Buffer<std::int32_t>(n * n);
    problem.matrix.value = Buffer<double>(n * n);
    problem.rhs = Buffer<double>(n);
    problem.pixel = Buffer<std::int32_t>(n);
    problem.height = 1;
    problem.width = n;
    problem.reach = n;
    for (std::int64_t i = 0; i < n; ++i) {
        problem.matrix.row_start[i] = i * n;
        problem.rhs[i] = rhs(i);
        problem.pixel[i] = static_cast<std::int32_t>(i);
        for (std::int64_t j = 0; j < n; ++j) {
            problem.matrix.column[i * n + j] = static_cast<std::int32_t>(j);
            problem.matrix.value[i * n + j] = matrix(i, j);
        }
    }
    problem.matrix.row_start[n] = n * n;
    return problem;
}

// The entries of each row of a sparse matrix by their columns.
using Rows = std::vector<std::map<std::int64_t, double>>;

// Makes a problem from the entries of a sparse matrix. Its unknowns form one row of a picture.
inline Problem problem_from(const Rows& rows, const std::vector<double>& rhs) {
    const auto n = static_cast<std::int64_t>(rows.size());
    Problem problem;
    Csr& A = problem.matrix;
    A.rows = problem.width = n;
    problem.height = 1;
    A.row_start = Buffer<std::int64_t>(n + 1);
    A.row_start[0] = 0;
    problem.rhs = Buffer<double>(n);
    problem.pixel = Buffer<std::int32_t>(n);
    for (std::int64_t i = 0; i < n; ++i) {
        A.row_start[i + 1] = A.row_start[i] + static_cast<std::int64_t>(rows[static_cast<std::size_t>(i)].size());
        problem.rhs[i] = rhs[static_cast<std::size_t>(i)];
        problem.pixel[i] = static_cast<std::int32_t>(i);
    }
    A.column = Buffer<std::int32_t>(A.row_start[n]);
    A.value = Buffer<double>(A.row_start[n]);
    std::int64_t k = 0;
    for (const auto& row : rows) {
        for (const auto& [column, value] : row) {
            A.column[k] = static_cast<std::int32_t>(column);
            A.value[k++] = value;
        }
    }
    return problem;
}

// An affinity without its planes, so that its rows are used.
template <class A>
class WithoutPlanes : public A {
public:
    using A::A;
    Affinity::Traits traits() const override {
        Affinity::Traits traits = A::traits();
        traits.has_planes = false;
        return traits;
    }
};

// Makes closed-form systems, for tests of solvers.
struct ClosedFormOptions {
    double epsilon = 1e-7;
    int radius = 1;
    int threads = 1;
    bool stencil = false;
    Prior prior = {};
};

inline Problem closed_form_soft(const ImageView& image, const Label* labels, double weight,
                                const ClosedFormOptions& options, Monitor& monitor) {
    const Form form = options.stencil ? Form::stencil : Form::sparse;
    return assemble(ClosedForm(options.epsilon, options.radius), image, {labels, weight, options.prior}, form,
                    {options.threads, monitor});
}

inline Problem closed_form(const ImageView& image, const Label* labels, const ClosedFormOptions& options,
                           Monitor& monitor) {
    return closed_form_soft(image, labels, 0, options, monitor);
}

inline Csr closed_form_laplacian(const ImageView& image, const std::uint8_t* known, const ClosedFormOptions& options,
                                 Monitor& monitor) {
    return laplacian(ClosedForm(options.epsilon, options.radius), image, known, {options.threads, monitor});
}

template <typename Range>
bool same_bits(const Range& a, const Range& b) {
    return a.size() == b.size() &&
           std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(*a.data())) == 0;
}

// Asks to stop at the first report from inside a phase of this name.
class StopsIn : public Monitor {
public:
    explicit StopsIn(std::string phase) : phase_(std::move(phase)) {}

protected:
    bool report(const std::string& phase, double fraction) override { return phase != phase_ || fraction == 0; }

private:
    std::string phase_;
};

// Asks to stop at the first report of all.
class StopsAtOnce : public Monitor {
protected:
    bool report(const std::string&, double) override { return false; }
};

}  // namespace trimatte::test
