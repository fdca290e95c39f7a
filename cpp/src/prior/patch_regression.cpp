// Linear regression of alpha on patches: w = pinv(X) Y. X has a row for each known pixel, which
// holds its patch and a 1, and Y holds the alpha of these pixels.
//
// X is never in memory as a whole. A QR factorisation takes a few hundred of its rows at a time and
// keeps the triangle R of [X Y]. Each band of the picture has its own triangle, and these are
// merged in order. The complete orthogonal decomposition of R then gives the shortest w of least
// error (Golub, Van Loan, Matrix Computations, 4th edition, section 5.5.3), as that of X would. A
// normal equation would square the condition number and lose half the digits.
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <limits>

#include "prior/padded_image.hpp"
#include "trimatte/parallel.hpp"
#include "trimatte/patch.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t band = 32;    // rows of the picture
constexpr Eigen::Index block = 512;  // rows of X

using Matrix = Eigen::MatrixXd;

// The triangle R of all rows that have been added.
class Triangle {
public:
    explicit Triangle(Eigen::Index columns) : rows_(Matrix::Zero(columns + block, columns)) {}

    // Returns a row that the caller fills. It is part of the triangle from then on.
    Eigen::Ref<Eigen::RowVectorXd, 0, Eigen::InnerStride<>> add() {
        if (used_ == rows_.rows()) {
            reduce();
        }
        return rows_.row(used_++);
    }
    void add(const Matrix& triangle) {
        for (Eigen::Index i = 0; i < triangle.rows(); ++i) {
            add() = triangle.row(i);
        }
    }
    const Matrix& R() {
        reduce();
        return R_;
    }

private:
    void reduce() {
        const Eigen::Index p = rows_.cols();
        const Eigen::HouseholderQR<Matrix> qr(rows_.topRows(used_));
        const Eigen::Index kept = std::min(used_, p);
        R_ = Matrix::Zero(p, p);
        R_.topRows(kept) = qr.matrixQR().topRows(kept).triangularView<Eigen::Upper>();
        rows_.topRows(p) = R_;
        used_ = p;
    }

    Matrix rows_, R_;
    Eigen::Index used_ = 0;
};

// Predicts the pixels [x_begin, x_end) of row y. The results are in sum[x_begin ... x_end - 1].
void predict_row(const PaddedRows<double>& rows, std::int64_t y, std::int64_t x_begin, std::int64_t x_end, int radius,
                 int channels, const std::vector<double>& w, std::vector<double>& sum) {
    std::fill(sum.begin(), sum.end(), w.back());
    const double* weight = w.data();
    for (int dy = -radius; dy <= radius; ++dy) {
        const double* row = rows.row(y + dy);
        for (std::int64_t u = 0; u < (2 * radius + 1) * static_cast<std::int64_t>(channels); ++u, ++weight) {
            for (std::int64_t x = x_begin; x < x_end; ++x) {
                sum[static_cast<std::size_t>(x)] += *weight * row[x * channels + u];
            }
        }
    }
}

}  // namespace

std::vector<double> patch_regression(const ImageView& image, const Label* labels, int radius, double ridge, int threads,
                                     Monitor& monitor) {
    monitor.phase("regression");
    const Eigen::Index p = patch_size(radius, image.channels) + 1;
    const std::int64_t bands = (image.height + band - 1) / band;
    std::vector<Matrix> triangles(static_cast<std::size_t>(bands));
    std::vector<std::int64_t> known(static_cast<std::size_t>(bands), 0);
    parallel_for(bands, threads, monitor, [&](std::int64_t b) {
        const std::int64_t y_begin = b * band, y_end = std::min(image.height, y_begin + band);
        PaddedRows<double> rows(image, radius, y_begin, y_end);
        rows.load();
        const std::int64_t length = (2 * radius + 1) * static_cast<std::int64_t>(image.channels);
        Triangle triangle(p + 1);
        for (std::int64_t y = y_begin; y < y_end; ++y) {
            for (std::int64_t x = 0; x < image.width; ++x) {
                const Label label = labels[y * image.width + x];
                if (label == Label::unknown) {
                    continue;
                }
                if (x % 128 == 0) {
                    monitor.poll();
                }
                auto row = triangle.add();
                for (int dy = -radius; dy <= radius; ++dy) {
                    const double* patch = rows.row(y + dy) + x * image.channels;
                    for (std::int64_t u = 0; u < length; ++u) {
                        row((dy + radius) * length + u) = patch[u];
                    }
                }
                row(p - 1) = 1;
                row(p) = label == Label::foreground ? 1 : 0;
                ++known[static_cast<std::size_t>(b)];
            }
            monitor.poll();
        }
        if (known[static_cast<std::size_t>(b)] > 0) {
            triangles[static_cast<std::size_t>(b)] = triangle.R();
        }
        monitor.set_fraction(static_cast<double>(b) / static_cast<double>(bands));
    });

    Triangle all(p + 1);
    std::int64_t examples = 0;
    for (std::size_t b = 0; b < triangles.size(); ++b) {
        all.add(triangles[b]);
        monitor.poll();
        examples += known[b];
    }
    for (Eigen::Index i = 0; ridge > 0 && i < p - 1; ++i) {
        auto row = all.add();
        row.setZero();
        row(i) = std::sqrt(ridge * static_cast<double>(examples));
    }
    const Matrix& R = all.R();
    Eigen::CompleteOrthogonalDecomposition<Matrix> decomposition;
    decomposition.setThreshold(static_cast<double>(std::max<std::int64_t>(examples, p)) *
                               std::numeric_limits<double>::epsilon());
    decomposition.compute(R.topLeftCorner(p, p));
    const Eigen::VectorXd w = decomposition.solve(R.col(p).head(p));
    monitor.finish();
    return {w.data(), w.data() + p};
}

void patch_regression_predict(const ImageView& image, const Label* labels, int radius, const std::vector<double>& w,
                              int threads, float* alpha, Monitor& monitor) {
    monitor.phase("prediction");
    parallel_for((image.height + band - 1) / band, threads, monitor, [&](std::int64_t b) {
        const std::int64_t y_begin = b * band, y_end = std::min(image.height, y_begin + band);
        PaddedRows<double> rows(image, radius, y_begin, y_end);
        rows.load();
        std::vector<double> sum(static_cast<std::size_t>(image.width));
        for (std::int64_t y = y_begin; y < y_end; ++y) {
            const Label* label = labels == nullptr ? nullptr : labels + y * image.width;
            const auto wanted = [&](std::int64_t x) { return label == nullptr || label[x] == Label::unknown; };
            std::int64_t begin = 0, end = image.width;
            while (begin < end && !wanted(begin)) {
                ++begin;
            }
            while (end > begin && !wanted(end - 1)) {
                --end;
            }
            predict_row(rows, y, begin, end, radius, image.channels, w, sum);
            for (std::int64_t x = begin; x < end; ++x) {
                if (wanted(x)) {
                    alpha[y * image.width + x] =
                        static_cast<float>(std::clamp(sum[static_cast<std::size_t>(x)], 0.0, 1.0));
                }
            }
            monitor.poll();
        }
    });
    monitor.finish();
}

}  // namespace trimatte
