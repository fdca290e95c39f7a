// affinity/knn.cpp beside a plain twin; tests/reference/knn.py is another one.
#include "trimatte/knn.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>
#include <vector>

#include "support.hpp"
#include "trimatte/errors.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

constexpr double rounding = 1e-6;  // soft weights are floats

Csr rows_of(const Affinity& affinity, const Picture& image, const std::uint8_t* known = nullptr, int threads = 1) {
    Monitor monitor;
    return laplacian(affinity, image.view(), known, {threads, monitor});
}

// D - (W + W^T) - G / 128, where only pairs count that hold a pixel without `known`.
Eigen::MatrixXd dense_knn(const Picture& image, const KnnOptions& options, const std::uint8_t* known = nullptr) {
    const std::int64_t n = image.height * image.width;
    const int d = image.channels + 2;
    Eigen::MatrixXd W = Eigen::MatrixXd::Zero(n, n);
    for (int list = 0; list < 2; ++list) {
        Eigen::MatrixXf X(n, d);
        for (std::int64_t p = 0; p < n; ++p) {
            const double y = static_cast<double>(p / image.width), x = static_cast<double>(p % image.width);
            for (int c = 0; c < image.channels; ++c) {
                X(p, c) = static_cast<float>(image.at(p / image.width, p % image.width, c));
            }
            const double weight = options.position_weight[list];
            X(p, d - 2) = static_cast<float>(weight * (x / std::max<double>(1, static_cast<double>(image.width - 1))));
            X(p, d - 1) = static_cast<float>(weight * (y / std::max<double>(1, static_cast<double>(image.height - 1))));
        }
        for (std::int64_t p = 0; p < n; ++p) {
            std::vector<std::pair<float, std::int64_t>> all;
            for (std::int64_t q = 0; q < n; ++q) {
                if (q != p) {
                    all.emplace_back((X.row(p) - X.row(q)).squaredNorm(), q);
                }
            }
            const auto k = std::min<std::size_t>(all.size(), static_cast<std::size_t>(options.neighbours[list] - 1));
            std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(k), all.end());
            for (std::size_t i = 0; i < k; ++i) {
                const std::int64_t q = all[i].second;
                if (known == nullptr || known[p] == 0 || known[q] == 0) {
                    const double difference = static_cast<double>((X.row(p) - X.row(q)).cwiseAbs().sum());
                    W(p, q) += options.soft ? std::max(0.0, 1 - difference / 5) : 1.0;
                }
            }
        }
    }
    for (std::int64_t p = 0; p < n; ++p) {
        for (const std::int64_t q : {p + 1, p + image.width}) {
            const bool is_beside = q < n && (q == p + image.width || q % image.width > 0);
            if (is_beside && (known == nullptr || known[p] == 0 || known[q] == 0)) {
                W(p, q) += 1.0 / 128;
            }
        }
    }
    const Eigen::MatrixXd both = W + W.transpose();
    return Eigen::MatrixXd(both.rowwise().sum().asDiagonal()) - both;
}

}  // namespace

TEST_CASE("knn: the rows equal their dense twin") {
    for (const int channels : {1, 3}) {
        for (const bool soft : {false, true}) {
            for (const auto& size : {std::pair{1, 1}, std::pair{1, 9}, std::pair{11, 3}, std::pair{14, 17}}) {
                const Picture image = random_picture(size.first, size.second, channels);
                const KnnOptions options{{20, 10}, {2.0, 0.1}, soft};
                const Eigen::MatrixXd L = dense(rows_of(Knn(options), image));
                CHECK((L - dense_knn(image, options)).cwiseAbs().maxCoeff() < rounding);
                CHECK((L - L.transpose()).cwiseAbs().maxCoeff() == 0);
            }
        }
    }
}

TEST_CASE("knn: pairs of known pixels are left out") {
    const Picture image = random_picture(13, 17, 3);
    std::vector<std::uint8_t> known(13 * 17, 1);
    known[0] = known[40] = known[41] = known[42] = known[100] = 0;
    const KnnOptions options{{9, 4}, {1.0, 0.2}, false};
    const Eigen::MatrixXd L = dense(rows_of(Knn(options), image, known.data()));
    CHECK((L - dense_knn(image, options, known.data())).cwiseAbs().maxCoeff() < rounding);
}

TEST_CASE("knn: one list may be left out") {
    const Picture image = random_picture(9, 8, 3);
    const KnnOptions options{{7, 1}, {0.5, 0.0}, false};
    CHECK((dense(rows_of(Knn(options), image)) - dense_knn(image, options)).cwiseAbs().maxCoeff() < rounding);
}

TEST_CASE("knn: the rows are the same bits for any number of threads") {
    const Picture image = random_picture(150, 140, 3);
    for (const bool soft : {false, true}) {
        const Knn knn(KnnOptions{{20, 10}, {2.0, 0.1}, soft});
        const Csr one = rows_of(knn, image);
        for (const int threads : {2, 7}) {
            const Csr many = rows_of(knn, image, nullptr, threads);
            CHECK(same_bits(one.column, many.column));
            CHECK(same_bits(one.value, many.value));
        }
    }
}

TEST_CASE("knn: rows without preparation are the same") {
    class Rows : public RowSink {
    public:
        std::vector<double> values;
        void add(std::int64_t, std::int64_t count, const std::int32_t*, const double* value) override {
            values.insert(values.end(), value, value + count);
        }
    };
    const Picture image = random_picture(20, 20, 3);
    const Csr expected = rows_of(Knn(), image);
    Monitor monitor;
    Rows rows;
    Knn().emit_rows({image.view(), nullptr, true}, 0, 20, rows, monitor);
    CHECK(std::equal(rows.values.begin(), rows.values.end(), expected.value.begin(), expected.value.end()));
}

TEST_CASE("knn: a picture of two channels is refused, and a solve can be stopped") {
    CHECK_THROWS_AS(rows_of(Knn(), random_picture(9, 9, 2)), std::invalid_argument);
    const Picture image = random_picture(200, 200, 3);
    StopsAtOnce monitor;
    CHECK_THROWS_AS(laplacian(Knn(), image.view(), nullptr, {2, monitor}), Cancelled);
}
