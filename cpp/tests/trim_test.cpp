// prior/trim.cpp: what becomes known.
#include "trimatte/trim.hpp"

#include <doctest/doctest.h>

#include <algorithm>

#include "support.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

std::vector<Label> trimmed(const Picture& image, const std::vector<Label>& labels, const TrimOptions& options,
                           int threads = 1) {
    std::vector<Label> result(labels.size());
    Monitor monitor;
    trim(image.view(), labels.data(), options, result.data(), {threads, monitor});
    return result;
}

// The left `part` columns have one colour, the others another one.
Picture two_halves(std::int64_t part) {
    Picture image(6, 20, 3, 0.2);
    for (std::int64_t p = 0; p < 6 * 20; ++p) {
        if (p % 20 >= part) {
            image.at(p / 20, p % 20, 1) = 0.9;
        }
    }
    return image;
}

std::int64_t count(const std::vector<Label>& labels, Label label) {
    return std::count(labels.begin(), labels.end(), label);
}

}  // namespace

TEST_CASE("edges go as far as distance and colour allow") {
    const std::vector<Label> labels = columns_known(6, 20);
    // A pixel at a distance of d takes a label of its own colour if 0 <= edge - d.
    for (const double edge : {0.0, 1.0, 3.5}) {
        const auto reach = static_cast<std::int64_t>(edge);
        const std::vector<Label> result = trimmed(two_halves(10), labels, {edge, 0, 0.9, 10});
        CHECK(count(result, Label::background) == 6 * (1 + reach));
        CHECK(count(result, Label::foreground) == 6 * (1 + reach));
    }
    // The colours change in the first column beside the known foreground.
    CHECK(count(trimmed(two_halves(19), labels, {4, 0, 0.9, 10}), Label::foreground) == 6);
    // Both kinds claim all that both reach.
    CHECK(count(trimmed(Picture(6, 20, 1, 0.5), labels, {19, 0, 0.9, 10}), Label::unknown) == 6 * 18);
}

TEST_CASE("patches that are like one kind only become known") {
    const std::vector<Label> result = trimmed(two_halves(10), columns_known(6, 20), {0, 0.25, 0.9, 10});
    for (std::int64_t p = 0; p < 6 * 20; ++p) {
        const std::int64_t x = p % 20;
        const Label expected = x < 9 ? Label::background : x > 10 ? Label::foreground : Label::unknown;
        CHECK(result[static_cast<std::size_t>(p)] == expected);
    }
    // One colour everywhere tells nothing, and neither do known pixels of one kind.
    CHECK(trimmed(Picture(6, 20, 3, 0.5), columns_known(6, 20), {0, 0.25, 0.9, 10}) == columns_known(6, 20));
    std::vector<Label> one_kind(6 * 20, Label::unknown);
    one_kind[7] = Label::foreground;
    CHECK(trimmed(two_halves(10), one_kind, {0, 0.25, 0.9, 10}) == one_kind);
}

TEST_CASE("the same labels for any number of threads, and grey pictures as their copies in colour") {
    const Picture grey = random_picture(40, 33, 1);
    Picture colour(40, 33, 3);
    for (std::size_t p = 0; p < grey.data.size(); ++p) {
        std::fill_n(colour.data.begin() + static_cast<std::ptrdiff_t>(3 * p), 3, grey.data[p]);
    }
    const std::vector<Label> labels = columns_known(40, 33);
    const TrimOptions options{60, 3, 1, 10};
    const std::vector<Label> one = trimmed(grey, labels, options);
    CHECK(one != labels);
    CHECK(one == trimmed(colour, labels, options));
    for (const int threads : {2, 7}) {
        CHECK(one == trimmed(grey, labels, options, threads));
    }
}
