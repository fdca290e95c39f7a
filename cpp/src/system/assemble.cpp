#include "trimatte/assemble.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "base/pixel_numbers.hpp"
#include "system/rows.hpp"

namespace trimatte {
namespace {

void check(const Affinity& affinity, const ImageView& image) {
    affinity.check(image);
    numbered_pixels(image);
}

// Returns the pixels that are unknowns of the system, ascending.
Buffer<std::int32_t> unknown_pixels(const ImageView& image, const Known& known, const Context& context) {
    const std::int64_t width = image.width;
    std::vector<std::int64_t> start(static_cast<std::size_t>(image.height) + 1, 0);
    constexpr std::int64_t band = 32;
    const auto for_rows = [&](const auto& row) {
        parallel_for((image.height + band - 1) / band, context.threads, context.monitor, [&](std::int64_t i) {
            for (std::int64_t y = i * band; y < std::min(image.height, (i + 1) * band); ++y) {
                row(y);
            }
        });
    };
    for_rows([&](std::int64_t y) {
        const Label* row = known.labels + y * width;
        const auto unknown = std::count(row, row + width, Label::unknown);
        start[static_cast<std::size_t>(y) + 1] = known.is_soft() ? width : unknown;
    });
    for (std::size_t y = 1; y < start.size(); ++y) {
        start[y] += start[y - 1];
    }
    Buffer<std::int32_t> pixels(start.back());
    for_rows([&](std::int64_t y) {
        std::int32_t* out = pixels.data() + start[static_cast<std::size_t>(y)];
        for (std::int64_t p = y * width; p < (y + 1) * width; ++p) {
            if (known.is_solved(p)) {
                *out++ = static_cast<std::int32_t>(p);
            }
        }
    });
    return pixels;
}

// Returns the number of the row of each pixel; no_row and no_row_foreground stand for none.
Buffer<std::int32_t> numbers(const ImageView& image, const Known& known, const Buffer<std::int32_t>& pixels) {
    Buffer<std::int32_t> index(image.pixels());
    std::transform(known.labels, known.labels + image.pixels(), index.begin(),
                   [](Label label) { return label == Label::foreground ? no_row_foreground : no_row; });
    for (std::int64_t i = 0; i < pixels.size(); ++i) {
        index[pixels[i]] = static_cast<std::int32_t>(i);
    }
    return index;
}

Buffer<float> colours_of(const ImageView& image, const Buffer<std::int32_t>& index, std::int64_t unknowns,
                         Monitor& monitor) {
    Buffer<float> colours(unknowns * image.channels);
    std::vector<double> row(static_cast<std::size_t>(image.width * image.channels));
    for (std::int64_t y = 0; y < image.height; ++y) {
        monitor.poll();
        load_row(image, y, image.width, row.data());
        for (std::int64_t x = 0; x < image.width; ++x) {
            const std::int32_t i = index[y * image.width + x];
            for (int c = 0; i >= 0 && c < image.channels; ++c) {
                colours[c * unknowns + i] = static_cast<float>(row[static_cast<std::size_t>(c * image.width + x)]);
            }
        }
    }
    return colours;
}

// Adds soft weights and the prior to the rows, and makes the right-hand side.
void add_known(const Known& known, SparseRows& rows, Problem& problem, const Context& context) {
    Csr& matrix = rows.matrix;
    problem.rhs = Buffer<double>(matrix.rows);
    parallel_ranges(matrix.rows, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const std::int64_t p = problem.pixel[i];
            const double pull = known.pull(p);
            if (known.is_soft() || known.prior) {
                matrix.value[matrix.diagonal(i)] += known.diagonal(p);
            }
            problem.rhs[i] = known.is_soft() ? pull : -rows.towards_foreground[i] + pull;
        }
    });
}

// Returns the norm of D^-1 (L m - C beta), where D is the diagonal of the soft system. L m - C beta
// is what known pixels and the prior pass on to other pixels.
double norm_passed_on(const ImageView& image, const Known& known, const Csr& matrix, Monitor& monitor) {
    double sum = 0;
    for (std::int64_t p = 0; p < image.pixels(); ++p) {
        double r = known.labels[p] == Label::unknown ? -known.prior.pull(p) : 0.0;
        // own: the diagonal entry of the soft system, whose added part is not part of L
        double own = 0;
        for (std::int64_t k = matrix.row_start[p]; k < matrix.row_start[p + 1]; ++k) {
            const bool is_foreground = known.labels[matrix.column[k]] == Label::foreground;
            own = matrix.column[k] == p ? matrix.value[k] : own;
            const double entry = matrix.column[k] == p ? matrix.value[k] - known.diagonal(p) : matrix.value[k];
            r += is_foreground ? entry : 0.0;
        }
        sum += r / own * (r / own);
        if (p % image.width == 0) {
            monitor.poll();
        }
    }
    return std::sqrt(sum);
}

Problem sparse_problem(const Affinity& affinity, const Wanted& wanted, const Known& known, const Context& context) {
    const ImageView& image = wanted.image;
    Problem problem;
    problem.pixel = unknown_pixels(image, known, context);
    const Buffer<std::int32_t> index = numbers(image, known, problem.pixel);
    SparseRows rows = sparse_rows(affinity, wanted, index, problem.unknowns(), context);
    add_known(known, rows, problem, context);
    problem.matrix = std::move(rows.matrix);
    problem.meets = std::move(rows.meets);
    if (affinity.traits().colour_line) {
        problem.channels = image.channels;
        problem.colours = colours_of(image, index, problem.unknowns(), context.monitor);
    }
    if (known.is_soft()) {
        problem.rhs_norm = norm_passed_on(image, known, problem.matrix, context.monitor);
    }
    problem.peak_bytes = problem.bytes() + index.bytes() + rows.towards_foreground.bytes();
    return problem;
}

// Makes the system without rows. `peak_bytes` is that of the problem: what is needed besides is less
// than what a solver holds.
Problem matrix_free_problem(const Affinity& affinity, const Wanted& wanted, const Known& known,
                            const Context& context) {
    const ImageView& image = wanted.image;
    if (!affinity.traits().has_products) {
        throw std::invalid_argument("form: expected sparse rows for an affinity without products");
    }
    Problem problem;
    problem.pixel = unknown_pixels(image, known, context);
    problem.products.emplace();
    MatrixFree& A = *problem.products;
    A.L = affinity.make_operator(wanted, context);
    const std::int64_t n = problem.unknowns();
    Buffer<double> towards_foreground(n);
    A.L->sum_entries(known.labels, Label::foreground, towards_foreground.data(), context);
    A.diagonal = Buffer<double>(n);
    A.L->diagonal(A.diagonal.data(), context);
    A.added = Buffer<double>(known.is_soft() || known.prior ? n : 0);
    problem.rhs = Buffer<double>(n);
    // The square of the norm of D^-1 (L m - C beta), as in norm_passed_on().
    const double passed_on2 = parallel_sum(n, context.threads, context.monitor, [&](auto begin, auto end) {
        double sum = 0;
        for (std::int64_t i = begin; i < end; ++i) {
            const std::int64_t p = problem.pixel[i];
            if (A.added.size() > 0) {
                A.added[i] = known.diagonal(p);
                A.diagonal[i] += A.added[i];
            }
            problem.rhs[i] = known.is_soft() ? known.pull(p) : known.pull(p) - towards_foreground[i];
            const double prior = known.labels[p] == Label::unknown ? known.prior.pull(p) : 0.0;
            const double passed_on = (towards_foreground[i] - prior) / A.diagonal[i];
            sum += passed_on * passed_on;
        }
        return sum;
    });
    problem.rhs_norm = known.is_soft() ? std::sqrt(passed_on2) : 0;
    if (affinity.traits().colour_line) {
        problem.channels = image.channels;
        problem.colours = colours_of(image, numbers(image, known, problem.pixel), n, context.monitor);
    }
    problem.peak_bytes = problem.bytes();
    return problem;
}

}  // namespace

Problem assemble(const Affinity& affinity, const ImageView& image, const Known& known, Form form,
                 const Context& context) {
    check(affinity, image);
    context.monitor.phase("laplacian");
    const Wanted wanted{image, known.is_soft() ? nullptr : known.labels, known.is_soft()};
    const bool has_planes = affinity.traits().has_planes;
    Problem problem;
    if (form == Form::matrix_free) {
        problem = matrix_free_problem(affinity, wanted, known, context);
    } else if (form == Form::stencil && has_planes) {
        problem.stencil = stencil_of_planes(affinity, wanted, known, context);
        problem.channels = problem.stencil->channels;
        problem.pixel = unknown_pixels(image, known, context);
        problem.peak_bytes = problem.bytes();
    } else {
        problem = sparse_problem(affinity, wanted, known, context);
    }
    problem.height = image.height;
    problem.width = image.width;
    problem.reach = affinity.traits().reach;
    if (form == Form::stencil && !has_planes) {
        problem.stencil = make_stencil(problem);
        problem.peak_bytes = problem.bytes();
        problem.matrix = Csr();
        problem.meets = Buffer<std::uint8_t>();
        problem.rhs = Buffer<double>();
        problem.colours = Buffer<float>();
    }
    context.monitor.finish();
    return problem;
}

Csr laplacian(const Affinity& affinity, const ImageView& image, const std::uint8_t* known, const Context& context) {
    check(affinity, image);
    context.monitor.phase("laplacian");
    std::vector<Label> labels;
    if (known != nullptr) {
        labels.resize(static_cast<std::size_t>(image.pixels()));
        std::transform(known, known + image.pixels(), labels.begin(),
                       [](std::uint8_t k) { return k ? Label::background : Label::unknown; });
    }
    Buffer<std::int32_t> index(image.pixels());
    for (std::int64_t p = 0; p < image.pixels(); ++p) {
        index[p] = static_cast<std::int32_t>(p);
    }
    const Wanted wanted{image, known != nullptr ? labels.data() : nullptr, true};
    SparseRows rows = sparse_rows(affinity, wanted, index, image.pixels(), context);
    context.monitor.finish();
    return std::move(rows.matrix);
}

}  // namespace trimatte
