#include <doctest/doctest.h>

#include <cmath>

#include "reference/dense_alpha.hpp"
#include "support.hpp"
#include "trimatte/errors.hpp"
#include "trimatte/solve.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

constexpr std::int64_t height = 90, width = 110;
constexpr double epsilon = 1e-5;

struct Scene {
    Picture image = random_picture(height, width, 3);
    std::vector<Label> labels{static_cast<std::size_t>(height * width), Label::background};
    std::vector<float> guess, confidence;

    // The foreground is on the right. Blocks of unknown pixels lie on the border of both, in the
    // background, and in the foreground.
    Scene() {
        for (std::int64_t y = 0; y < height; ++y) {
            for (std::int64_t x = 0; x < width; ++x) {
                Label& label = labels[static_cast<std::size_t>(y * width + x)];
                label = x >= 60 ? Label::foreground : Label::background;
                const bool on_border = x >= 52 && x < 68 && y % 15 < 9;
                const bool inside = (x >= 10 && x < 16 && y % 30 < 5) || (x >= 90 && x < 97 && y % 45 < 6);
                label = on_border || inside ? Label::unknown : label;
            }
        }
        Random random(3);
        for (std::int64_t p = 0; p < height * width; ++p) {
            guess.push_back(static_cast<float>(random()));
            confidence.push_back(p % width >= 80 ? 0.01f : 0.0f);
        }
    }

    Known known(bool with_prior, double weight = 0) const {
        Known known{labels.data(), weight};
        if (with_prior) {
            known.prior = {guess.data(), confidence.data()};
        }
        return known;
    }
};

struct Answer {
    PictureInfo info;
    std::vector<double> alpha;
};

Answer solved(const Scene& scene, const Known& known, SolveOptions options, const Affinity& affinity) {
    Answer answer{{}, std::vector<double>(scene.labels.size())};
    for (std::size_t p = 0; p < answer.alpha.size(); ++p) {
        answer.alpha[p] = scene.labels[p] == Label::foreground;
    }
    Monitor monitor;
    answer.info =
        solve_picture(affinity, scene.image.view(), known, nullptr, {answer.alpha.data(), true}, options, monitor);
    return answer;
}

}  // namespace

TEST_CASE("alpha that is solved region by region equals that of one dense system") {
    const Scene scene;
    for (const int radius : {1, 2}) {
        const ClosedForm affinity(epsilon, radius);
        for (const bool with_prior : {false, true}) {
            const Known known = scene.known(with_prior);
            const std::vector<double> expected = dense_alpha(scene.image.view(), scene.labels, known, affinity);
            for (const Solver solver :
                 {Solver::automatic, Solver::cholesky, Solver::multigrid, Solver::conjugate_gradient}) {
                if (radius == 2 && solver == Solver::multigrid) {
                    continue;
                }
                SolveOptions options;
                options.solver = solver;
                options.threads = 2;
                const Answer answer = solved(scene, known, options, affinity);
                CHECK(answer.info.converged);
                CHECK(difference(answer.alpha, expected) < 1e-3);
            }
        }
    }
}

TEST_CASE("a region that meets one kind of known pixels takes it, unless a prior says more") {
    const Scene scene;
    SolveOptions options;
    const Answer plain = solved(scene, scene.known(false), options, ClosedForm(epsilon));
    CHECK(plain.info.constant_background == 3);
    CHECK(plain.info.constant_foreground == 2);
    CHECK(plain.info.regions_of[static_cast<int>(Solver::cholesky)] == 6);
    const Answer guided = solved(scene, scene.known(true), options, ClosedForm(epsilon));
    CHECK(guided.info.constant_background == 3);
    CHECK(guided.info.constant_foreground == 0);
    CHECK(guided.info.regions_of[static_cast<int>(Solver::cholesky)] == 8);
    CHECK(plain.info.unknowns == guided.info.unknowns);
}

TEST_CASE("the soft system is one of all pixels") {
    const Scene scene;
    const Known known = scene.known(true, 100);
    SolveOptions options;
    options.solver = Solver::conjugate_gradient;
    const Answer answer = solved(scene, known, options, ClosedForm(epsilon));
    CHECK(answer.info.unknowns == height * width);
    options.solver = Solver::cholesky;
    CHECK(difference(answer.alpha, solved(scene, known, options, ClosedForm(epsilon)).alpha) < 1e-3);
}

TEST_CASE("any number of threads gives the same bits, in floats too") {
    const Scene scene;
    SolveOptions options;
    const Answer one = solved(scene, scene.known(true), options, ClosedForm(epsilon));
    options.threads = 3;
    const Answer three = solved(scene, scene.known(true), options, ClosedForm(epsilon));
    CHECK(same_bits(one.alpha, three.alpha));
    std::vector<float> alpha(scene.labels.size(), 0.0f);
    Monitor monitor;
    solve_picture(ClosedForm(epsilon), scene.image.view(), scene.known(true), nullptr, {alpha.data(), false}, options,
                  monitor);
    for (std::size_t p = 0; p < alpha.size(); ++p) {
        if (scene.labels[p] == Label::unknown) {
            CHECK(alpha[p] == static_cast<float>(one.alpha[p]));
        }
    }
}

TEST_CASE("a system too large for the memory is refused, or solved otherwise") {
    const Scene scene;
    SolveOptions options;
    options.solver = Solver::cholesky;
    options.memory = 1000;
    CHECK_THROWS_AS(solved(scene, scene.known(false), options, ClosedForm(epsilon)), FactorizationError);
}

namespace {

// Asks to stop at the first report from the phase in which regions are solved side by side.
class StopsBesideOthers : public Monitor {
protected:
    bool report(const std::string& phase, double) override { return phase != "small regions"; }
};

}  // namespace

TEST_CASE("a stop is heard while regions are solved side by side") {
    StopsBesideOthers monitor;
    SolveOptions options;
    options.threads = 2;
    // The pictures grow until a report falls into the phase.
    const auto solve_larger_and_larger = [&] {
        for (std::int64_t side = 200; side <= 6400; side *= 2) {
            const Picture image = random_picture(side, side, 1);
            std::vector<Label> labels(static_cast<std::size_t>(side * side), Label::background);
            std::vector<float> alpha(labels.size());
            for (std::int64_t p = 0; p < side * side; ++p) {
                const std::int64_t y = p / side % 16, x = p % side % 16;
                labels[static_cast<std::size_t>(p)] = x == 0           ? Label::foreground
                                                      : x < 8 && y < 8 ? Label::unknown
                                                                       : Label::background;
            }
            solve_picture(ClosedForm(epsilon), image.view(), {labels.data()}, nullptr, {alpha.data(), false}, options,
                          monitor);
        }
    };
    CHECK_THROWS_AS(solve_larger_and_larger(), Cancelled);
}
