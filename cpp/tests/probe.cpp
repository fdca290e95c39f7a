// The program by which tools/check_platforms.py compares the results of two systems bit by bit.
//
//     trimatte_probe FOLDER     writes a raw file of doubles for each part of the library
//
// The picture is computed from integers and square roots, which every system rounds alike.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "trimatte/affinity.hpp"
#include "trimatte/assemble.hpp"
#include "trimatte/foreground.hpp"
#include "trimatte/information_flow.hpp"
#include "trimatte/knn.hpp"
#include "trimatte/learning_based.hpp"
#include "trimatte/metrics.hpp"
#include "trimatte/patch.hpp"
#include "trimatte/prior.hpp"
#include "trimatte/random_walk.hpp"
#include "trimatte/solve.hpp"

namespace {

using namespace trimatte;

constexpr std::int64_t height = 72, width = 96, pixels = height * width;
constexpr int threads = 2;

// A disc with a soft rim of 16 pixels before noise. All pixels of the rim are unknown.
struct Scene {
    std::vector<std::uint8_t> colours;
    std::vector<float> alpha;
    std::vector<Label> labels;

    Scene() {
        Random random(7);
        for (std::int64_t i = 0; i < pixels; ++i) {
            const double dy = static_cast<double>(i / width) - 36, dx = static_cast<double>(i % width) - 48;
            const double a = std::clamp((28 - std::sqrt(dx * dx + dy * dy)) / 16, 0.0, 1.0);
            alpha.push_back(static_cast<float>(a));
            labels.push_back(a == 0 ? Label::background : a == 1 ? Label::foreground : Label::unknown);
            for (int c = 0; c < 3; ++c) {
                const double mixed = a * (200 - 40 * c) + (1 - a) * (40 + 50 * c);
                colours.push_back(static_cast<std::uint8_t>(mixed + static_cast<double>(random.below(15))));
            }
        }
    }
    ImageView image() const { return {colours.data(), PixelType::u8, height, width, 3}; }
};

// Writes the files of a folder.
class Results {
public:
    explicit Results(std::string folder) : folder_(std::move(folder)) {}

    template <class Numbers>
    void add(const std::string& part, const Numbers& numbers) const {
        std::ofstream file(folder_ + "/" + part, std::ios::binary);
        for (std::int64_t i = 0; i < static_cast<std::int64_t>(numbers.size()); ++i) {
            const auto number = static_cast<double>(numbers.data()[i]);
            file.write(reinterpret_cast<const char*>(&number), sizeof number);
        }
        if (!file.flush()) {
            throw std::runtime_error(folder_ + "/" + part + ": cannot be written");
        }
    }

private:
    std::string folder_;
};

std::vector<float> layers_of(const std::vector<float>& F, const std::vector<float>& B) {
    std::vector<float> both = F;
    both.insert(both.end(), B.begin(), B.end());
    return both;
}

void probe_affinities(const Scene& scene, const Results& results, Monitor& monitor) {
    const auto add = [&](const char* part, const Affinity& affinity) {
        results.add(part, laplacian(affinity, scene.image(), nullptr, {threads, monitor}).value);
    };
    add("closed-form", ClosedForm());
    add("closed-form, radius 2", ClosedForm(1e-7, 2));
    add("learning-based", LearningBased());
    add("KNN", Knn());
    add("random walk", RandomWalk());
}

void probe_solvers(const Scene& scene, const Results& results, Monitor& monitor) {
    const auto add = [&](const char* part, const Affinity& affinity, Solver solver) {
        std::vector<double> alpha(static_cast<std::size_t>(pixels));
        SolveOptions options;
        options.solver = solver;
        options.threads = threads;
        solve_picture(affinity, scene.image(), {scene.labels.data()}, nullptr, {alpha.data(), true}, options, monitor);
        results.add(part, alpha);
    };
    add("Cholesky", ClosedForm(), Solver::cholesky);
    add("multigrid", ClosedForm(), Solver::multigrid);
    add("graph multigrid", Knn(), Solver::graph_multigrid);
    add("Jacobi", ClosedForm(), Solver::conjugate_gradient);
    add("products", ClosedForm(1e-7, 4), Solver::automatic);
    add("information flow", InformationFlow(scene.image(), scene.labels.data(), {}, {threads, monitor}),
        Solver::automatic);
}

void probe_foreground(const Scene& scene, const Results& results, Monitor& monitor) {
    std::vector<float> F(scene.colours.size()), B(scene.colours.size());
    MultilevelOptions multilevel_options;
    multilevel_options.threads = threads;
    multilevel(scene.image(), scene.alpha.data(), multilevel_options, F.data(), B.data(), monitor);
    results.add("multi-level", layers_of(F, B));
    ClosedFormLayersOptions closed_form_options;
    closed_form_options.threads = threads;
    closed_form_layers(scene.image(), scene.alpha.data(), closed_form_options, F.data(), B.data(), monitor);
    results.add("closed-form layers", layers_of(F, B));
    BlurFusionOptions blur_options;
    blur_options.threads = threads;
    blur_fusion(scene.image(), scene.alpha.data(), blur_options, F.data(), B.data(), monitor);
    results.add("blur fusion", layers_of(F, B));
}

void probe_priors(const Scene& scene, const Results& results, Monitor& monitor) {
    const Label* labels = scene.labels.data();
    std::vector<float> alpha = scene.alpha, cost(scene.alpha.size());
    SamplingOptions sampling;
    sampling.threads = threads;
    global_sampling(scene.image(), labels, sampling, alpha.data(), cost.data(), monitor);
    results.add("global sampling", alpha);

    std::vector<float> F(scene.colours.size()), B(scene.colours.size());
    SharedSamplingOptions shared;
    shared.threads = threads;
    shared_sampling(scene.image(), labels, shared, {alpha.data(), cost.data(), F.data(), B.data()}, monitor);
    results.add("shared sampling", alpha);

    CompositeNetworkOptions network;
    network.hidden = {32, 32};
    network.steps = 40;
    network.threads = threads;
    composite_network(scene.image(), labels, network, alpha.data(), monitor);
    results.add("composite network", alpha);

    const std::vector<double> w = patch_regression(scene.image(), labels, 2, 1e-3, threads, monitor);
    results.add("patch regression", w);
}

void probe_metrics(const Scene& scene, const Results& results, Monitor& monitor) {
    std::vector<double> truth(scene.alpha.begin(), scene.alpha.end()), alpha = truth;
    std::vector<std::uint8_t> region(scene.labels.size());
    Random random(9);
    for (std::size_t i = 0; i < alpha.size(); ++i) {
        region[i] = scene.labels[i] == Label::unknown;
        alpha[i] = region[i] != 0 ? 0.9 * alpha[i] + 0.1 * static_cast<double>(random.uniform()) : alpha[i];
    }
    const Mattes mattes{alpha.data(), truth.data(), region.data(), height, width};
    results.add("metrics", std::vector<double>{gradient_error(mattes, 1.4, threads, monitor),
                                               connectivity_error(mattes, 10, 0.15, monitor)});
}

}  // namespace

int main(int count, char** arguments) {
    try {
        if (count != 2) {
            throw std::runtime_error("expected a folder");
        }
        const Scene scene;
        const Results results(arguments[1]);
        Monitor monitor;
        probe_affinities(scene, results, monitor);
        probe_solvers(scene, results, monitor);
        probe_foreground(scene, results, monitor);
        probe_priors(scene, results, monitor);
        probe_metrics(scene, results, monitor);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "trimatte_probe: %s\n", error.what());
        return 1;
    }
}
