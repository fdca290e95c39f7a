#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <limits>
#include <stdexcept>

#include "support.hpp"
#include "trimatte/parallel.hpp"
#include "trimatte/sparse.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

CsrView view_of(const Csr& A) { return {A.rows, A.row_start.data(), A.column.data(), A.value.data()}; }

Csr operator_of(std::int64_t height, std::int64_t width) {
    Monitor monitor;
    return closed_form_laplacian(random_picture(height, width, 3).view(), nullptr, {}, monitor);
}

std::int64_t place_of(const Csr& A, std::int64_t i, std::int64_t j) {
    const std::int32_t* end = A.column.data() + A.row_start[i + 1];
    return std::lower_bound(A.column.data() + A.row_start[i], end, j) - A.column.data();
}

}  // namespace

TEST_CASE("examine finds nothing wrong in a Laplacian, and its reach") {
    const Csr A = operator_of(40, 70);
    Monitor monitor;
    for (const int threads : {1, 2, 7}) {
        const Examined found = examine(view_of(A), 1e-9, 70, 2, {threads, monitor});
        CHECK(found.largest == dense(A).cwiseAbs().maxCoeff());
        CHECK(found.has_diagonal);
        CHECK(found.reach == 2);
        CHECK(found.not_finite == -1);
        CHECK(found.asymmetric == -1);
        CHECK(found.farther == -1);
    }
    CHECK(examine(view_of(A), 1e-9, 70, 1, {1, monitor}).farther == place_of(A, 0, 2));
    CHECK(examine(view_of(A), 1e-9, 0, 1, {1, monitor}).farther == -1);
}

TEST_CASE("examine finds the first entry that is wrong") {
    Monitor monitor;
    for (const int threads : {1, 3}) {
        const Context context{threads, monitor};
        Csr A = operator_of(40, 70);
        const std::int64_t early = place_of(A, 2400, 2401), late = place_of(A, 2600, 2598);
        A.value[early] += 1e-8 * examine(view_of(A), 1, 70, 2, context).largest;
        A.value[late] += 1;
        CHECK(examine(view_of(A), 1e-9, 70, 2, context).asymmetric == early);
        CHECK(examine(view_of(A), 1e-7, 70, 2, context).asymmetric == place_of(A, 2598, 2600));
        A.value[late] = std::numeric_limits<double>::quiet_NaN();
        CHECK(examine(view_of(A), 1e-9, 70, 2, context).not_finite == late);
        A.value[early] = -std::numeric_limits<double>::infinity();
        CHECK(examine(view_of(A), 1e-9, 70, 2, context).not_finite == early);
    }
}

TEST_CASE("examine misses an entry on the other side, and a diagonal") {
    Csr A;
    A.rows = 3;
    A.row_start = Buffer<std::int64_t>(4);
    A.column = Buffer<std::int32_t>(3);
    A.value = Buffer<double>(3);
    std::copy_n(std::array<std::int64_t, 4>{0, 1, 3, 3}.data(), 4, A.row_start.data());
    std::copy_n(std::array<std::int32_t, 3>{0, 0, 1}.data(), 3, A.column.data());
    std::copy_n(std::array<double, 3>{1, -1, 1}.data(), 3, A.value.data());
    Monitor monitor;
    const Examined found = examine(view_of(A), 1e-9, 0, 0, {1, monitor});
    CHECK(found.asymmetric == 1);
    CHECK(!found.has_diagonal);
    A.value[1] = 0;
    CHECK(examine(view_of(A), 1e-9, 0, 0, {1, monitor}).asymmetric == -1);
    A.column[2] = 3;
    CHECK_THROWS_AS(examine(view_of(A), 1e-9, 0, 0, {1, monitor}), std::invalid_argument);
    A.column[2] = 0;
    CHECK_THROWS_AS(examine(view_of(A), 1e-9, 0, 0, {1, monitor}), std::invalid_argument);
}

TEST_CASE("first_loose finds the first unknown that nothing holds") {
    Eigen::MatrixXd A = Eigen::MatrixXd::Zero(7, 7);
    const auto couple = [&](int i, int j) {
        A(i, i) += 1;
        A(j, j) += 1;
        A(i, j) -= 1;
        A(j, i) -= 1;
    };
    couple(0, 1);
    couple(1, 2);
    couple(4, 5);
    couple(5, 6);
    A(3, 3) = 1;
    std::vector<Label> labels(7, Label::unknown);
    labels[0] = Label::background;
    Monitor monitor;
    const auto first = [&](const float* confidence = nullptr) {
        const Problem problem = problem_from(A, Eigen::VectorXd::Zero(7));
        return first_loose(view_of(problem.matrix), labels.data(), confidence, monitor);
    };
    CHECK(first() == 4);
    const float confidence[] = {0, 0, 0, 0, 0, 0, 1};
    CHECK(first(confidence) == -1);
    labels[6] = Label::foreground;
    CHECK(first() == -1);
    labels[0] = Label::unknown;
    CHECK(first() == 0);
    A(2, 2) += 1e-3;
    CHECK(first() == -1);
}
