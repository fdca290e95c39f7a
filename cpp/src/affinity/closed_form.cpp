#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

#include "affinity/closed_form_rows.hpp"
#include "trimatte/affinity.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {
namespace {

// Rows of the picture that one chunk of work fills. The 3 x 3 kernel computes two rows of windows more than it
// has rows; the general kernel is so slow that only short chunks can be stopped quickly.
std::int64_t band_height(int radius) { return radius == 1 ? 32 : 4; }

void check(const ImageView& image, const ClosedFormOptions& options) {
    const std::int64_t side = 2 * static_cast<std::int64_t>(options.radius) + 1;
    if (image.channels != 1 && image.channels != 3) {
        throw std::invalid_argument("image: expected 1 or 3 channels, got " + std::to_string(image.channels));
    }
    if (options.radius < 1 || image.height < side || image.width < side) {
        throw std::invalid_argument("image: expected at least one window of " + std::to_string(side) + " pixels");
    }
    if (options.stencil && options.radius != 1) {
        throw std::invalid_argument("radius: a stencil needs 1");
    }
    if (image.pixels() > INT32_MAX) {
        throw std::length_error("image: expected at most 2147483647 pixels");
    }
}

void for_bands(const ImageView& image, int radius, int threads, Monitor& monitor,
               const std::function<void(std::int64_t, std::int64_t)>& body) {
    const std::int64_t band = band_height(radius);
    parallel_for((image.height + band - 1) / band, threads, monitor,
                 [&](std::int64_t i) { body(i * band, std::min(image.height, (i + 1) * band)); });
}

// row_start[i + 1] = entries of row i: the pixels with a row within 2 radius in both directions. Any two such
// pixels share a window that lies in the picture.
void count_entries(const ClosedFormRows& rows, std::int64_t y_begin, std::int64_t y_end) {
    const std::int64_t width = rows.image.width;
    const std::int64_t reach = 2 * rows.radius;
    std::vector<std::int32_t> column(static_cast<std::size_t>(width));
    for (std::int64_t y = y_begin; y < y_end; ++y) {
        std::fill(column.begin(), column.end(), 0);
        const std::int64_t last = std::min(rows.image.height - 1, y + reach);
        for (std::int64_t v = std::max<std::int64_t>(0, y - reach); v <= last; ++v) {
            const std::int32_t* index = rows.index + v * width;
            for (std::int64_t x = 0; x < width; ++x) {
                column[static_cast<std::size_t>(x)] += index[x] >= 0;
            }
        }
        std::int64_t count = 0;
        for (std::int64_t x = 0; x < std::min(reach, width); ++x) {
            count += column[static_cast<std::size_t>(x)];
        }
        for (std::int64_t x = 0; x < width; ++x) {
            if (x + reach < width) {
                count += column[static_cast<std::size_t>(x + reach)];
            }
            if (x - reach - 1 >= 0) {
                count -= column[static_cast<std::size_t>(x - reach - 1)];
            }
            const std::int32_t i = rows.index[y * width + x];
            if (i >= 0) {
                rows.matrix.row_start[i + 1] = count;
            }
        }
    }
}

void build(const ClosedFormRows& rows, int threads, Monitor& monitor) {
    Csr& matrix = rows.matrix;
    matrix.row_start = Buffer<std::int64_t>(matrix.rows + 1);
    matrix.row_start[0] = 0;
    for_bands(rows.image, 1, threads, monitor,
              [&](std::int64_t begin, std::int64_t end) { count_entries(rows, begin, end); });
    for (std::int64_t i = 0; i < matrix.rows; ++i) {
        matrix.row_start[i + 1] += matrix.row_start[i];
    }
    matrix.column = Buffer<std::int32_t>(matrix.row_start[matrix.rows]);
    matrix.value = Buffer<double>(matrix.row_start[matrix.rows]);
    for_bands(rows.image, rows.radius, threads, monitor, [&](std::int64_t begin, std::int64_t end) {
        rows.radius == 1 ? fill_rows_3x3(rows, begin, end, monitor) : fill_rows_any_radius(rows, begin, end, monitor);
        monitor.set_fraction(static_cast<double>(begin) / static_cast<double>(rows.image.height));
    });
}

Buffer<std::int32_t> number_all(std::int64_t pixels) {
    Buffer<std::int32_t> index(pixels);
    for (std::int64_t i = 0; i < pixels; ++i) {
        index[i] = static_cast<std::int32_t>(i);
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

Problem make_problem(const ImageView& image, const Label* labels, const Buffer<std::int32_t>& index,
                     std::int64_t unknowns, const ClosedFormOptions& options, Monitor& monitor) {
    Problem problem;
    problem.height = image.height;
    problem.width = image.width;
    problem.reach = 2 * static_cast<std::int64_t>(options.radius);
    problem.channels = image.channels;
    problem.matrix.rows = unknowns;
    problem.rhs = Buffer<double>(unknowns);
    build({image, index.data(), labels, options.epsilon, options.radius, problem.matrix, problem.rhs.data()},
          options.threads, monitor);
    problem.colours = colours_of(image, index, unknowns, monitor);
    problem.pixel = Buffer<std::int32_t>(unknowns);
    for (std::int64_t p = 0; p < image.pixels(); ++p) {
        if (index[p] >= 0) {
            problem.pixel[index[p]] = static_cast<std::int32_t>(p);
        }
    }
    problem.peak_bytes = problem.bytes() + index.bytes();
    return problem;
}

// known_weight: 0 for the hard system.
Problem make_stencil_problem(const ImageView& image, const Label* labels, double known_weight,
                             const ClosedFormOptions& options, Monitor& monitor) {
    Problem problem;
    problem.height = image.height;
    problem.width = image.width;
    problem.reach = Stencil::reach;
    problem.channels = image.channels;
    problem.stencil = closed_form_stencil(image, labels, known_weight, options, monitor);

    const std::int64_t width = image.width;
    std::vector<std::int64_t> start(static_cast<std::size_t>(image.height) + 1, 0);
    const auto wanted = [&](Label label) { return label == Label::unknown || known_weight > 0; };
    for_bands(image, 1, options.threads, monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t y = begin; y < end; ++y) {
            std::int64_t count = 0;
            for (std::int64_t p = y * width; p < (y + 1) * width; ++p) {
                count += wanted(labels[p]);
            }
            start[static_cast<std::size_t>(y) + 1] = count;
        }
    });
    for (std::size_t y = 1; y < start.size(); ++y) {
        start[y] += start[y - 1];
    }
    problem.pixel = Buffer<std::int32_t>(start.back());
    for_bands(image, 1, options.threads, monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t y = begin; y < end; ++y) {
            std::int32_t* out = problem.pixel.data() + start[static_cast<std::size_t>(y)];
            for (std::int64_t p = y * width; p < (y + 1) * width; ++p) {
                if (wanted(labels[p])) {
                    *out++ = static_cast<std::int32_t>(p);
                }
            }
        }
    });
    problem.peak_bytes = problem.bytes();
    monitor.finish();
    return problem;
}

}  // namespace

Csr closed_form_laplacian(const ImageView& image, const std::uint8_t* known, const ClosedFormOptions& options,
                          Monitor& monitor) {
    check(image, options);
    monitor.phase("laplacian");
    Csr matrix;
    matrix.rows = image.pixels();
    const Buffer<std::int32_t> index = number_all(image.pixels());
    std::vector<Label> labels;
    if (known != nullptr) {
        labels.resize(static_cast<std::size_t>(image.pixels()));
        std::transform(known, known + image.pixels(), labels.begin(),
                       [](std::uint8_t k) { return k ? Label::background : Label::unknown; });
    }
    build({image, index.data(), known ? labels.data() : nullptr, options.epsilon, options.radius, matrix, nullptr},
          options.threads, monitor);
    monitor.finish();
    return matrix;
}

Problem closed_form(const ImageView& image, const Label* labels, const ClosedFormOptions& options, Monitor& monitor) {
    check(image, options);
    monitor.phase("laplacian");
    if (options.stencil) {
        return make_stencil_problem(image, labels, 0, options, monitor);
    }
    Buffer<std::int32_t> index(image.pixels());
    std::int32_t unknowns = 0;
    for (std::int64_t p = 0; p < image.pixels(); ++p) {
        index[p] = labels[p] == Label::unknown      ? unknowns++
                   : labels[p] == Label::foreground ? no_row_foreground
                                                    : no_row;
    }
    Problem problem = make_problem(image, labels, index, unknowns, options, monitor);
    if (options.prior) {
        parallel_ranges(unknowns, options.threads, monitor, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                problem.matrix.value[problem.matrix.diagonal(i)] += options.prior.weight(problem.pixel[i]);
                problem.rhs[i] += options.prior.pull(problem.pixel[i]);
            }
        });
    }
    monitor.finish();
    return problem;
}

Problem closed_form_soft(const ImageView& image, const Label* labels, double known_weight,
                         const ClosedFormOptions& options, Monitor& monitor) {
    check(image, options);
    monitor.phase("laplacian");
    if (options.stencil) {
        return make_stencil_problem(image, labels, known_weight, options, monitor);
    }
    const Buffer<std::int32_t> index = number_all(image.pixels());
    Problem problem = make_problem(image, nullptr, index, image.pixels(), options, monitor);
    Csr& matrix = problem.matrix;
    double sum = 0;
    for (std::int64_t p = 0; p < image.pixels(); ++p) {
        const bool unknown = labels[p] == Label::unknown;
        const double pull = unknown ? options.prior.pull(p) : 0.0;
        double r = -pull;  // (L m - C beta)_p
        for (std::int64_t k = matrix.row_start[p]; k < matrix.row_start[p + 1]; ++k) {
            r += labels[matrix.column[k]] == Label::foreground ? matrix.value[k] : 0.0;
        }
        problem.rhs[p] = unknown ? pull : labels[p] == Label::foreground ? known_weight : 0.0;
        double& diagonal = matrix.value[matrix.diagonal(p)];
        diagonal += unknown ? options.prior.weight(p) : known_weight;
        sum += r / diagonal * (r / diagonal);
        if (p % image.width == 0) {
            monitor.poll();
        }
    }
    problem.rhs_norm = std::sqrt(sum);
    monitor.finish();
    return problem;
}

}  // namespace trimatte
