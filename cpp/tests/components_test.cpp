#include "solve/components.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "reference/dense_alpha.hpp"
#include "support.hpp"
#include "trimatte/errors.hpp"
#include "trimatte/solve.hpp"

using namespace trimatte;
using namespace trimatte::test;

namespace {

// The Laplacian of a graph on the pixels of a picture that couples only pixels of one class, over
// any distance. The class of a pixel is random.
struct ClassGraph {
    static constexpr std::int64_t height = 12, width = 30, pixels = height * width;
    std::vector<int> of_pixel;
    std::vector<Label> labels;
    Eigen::MatrixXd L = Eigen::MatrixXd::Zero(pixels, pixels);
    Csr matrix;

    // Pixels of classes below `one_sided` are unknown or background; the others are unknown,
    // background or foreground.
    explicit ClassGraph(int classes, int one_sided = 0, double unknown = 0.7) {
        Random random(4);
        for (std::int64_t p = 0; p < pixels; ++p) {
            of_pixel.push_back(static_cast<int>(random() * classes));
            const double r = random();
            const bool is_foreground = r > (1 + unknown) / 2 && of_pixel.back() >= one_sided;
            labels.push_back(r < unknown ? Label::unknown : is_foreground ? Label::foreground : Label::background);
        }
        for (std::int64_t p = 0; p < pixels; ++p) {
            std::int64_t last = p - 1;  // the pixel is coupled to the last ones of its class
            for (int k = 0; k < 3; ++k, --last) {
                while (last >= 0 && of_class(last) != of_class(p)) {
                    --last;
                }
                if (last < 0) {
                    break;
                }
                couple(p, last, 0.5 + random());
            }
        }
        matrix.rows = pixels;
        matrix.row_start = Buffer<std::int64_t>(pixels + 1);
        matrix.row_start[0] = 0;
        matrix.column = Buffer<std::int32_t>(pixels * pixels);
        matrix.value = Buffer<double>(pixels * pixels);
        std::int64_t k = 0;
        for (std::int64_t p = 0; p < pixels; ++p) {
            for (std::int64_t q = 0; q < pixels; ++q) {
                if (L(p, q) != 0 || p == q || (p + q) % 7 == 0) {  // some zeros are stored, too
                    matrix.column[k] = static_cast<std::int32_t>(q);
                    matrix.value[k++] = L(p, q);
                }
            }
            matrix.row_start[p + 1] = k;
        }
    }
    int of_class(std::int64_t p) const { return of_pixel[static_cast<std::size_t>(p)]; }
    void couple(std::int64_t p, std::int64_t q, double w) {
        L(p, p) += w;
        L(q, q) += w;
        L(p, q) -= w;
        L(q, p) -= w;
    }
    GivenRows affinity(bool constant_regions = true) const {
        return GivenRows({pixels, matrix.row_start.data(), matrix.column.data(), matrix.value.data()}, 0, false,
                         constant_regions);
    }
    bool is_unknown(std::int64_t p) const { return labels[static_cast<std::size_t>(p)] == Label::unknown; }

    // Returns the number of the component of each pixel, found by following entries; -1 for known
    // pixels.
    std::vector<int> flooded() const {
        std::vector<int> number(static_cast<std::size_t>(pixels), -1);
        int next = 0;
        for (std::int64_t p = 0; p < pixels; ++p) {
            if (!is_unknown(p) || number[static_cast<std::size_t>(p)] >= 0) {
                continue;
            }
            std::vector<std::int64_t> stack{p};
            number[static_cast<std::size_t>(p)] = next;
            while (!stack.empty()) {
                const std::int64_t q = stack.back();
                stack.pop_back();
                for (std::int64_t r = 0; r < pixels; ++r) {
                    if (L(q, r) != 0 && is_unknown(r) && number[static_cast<std::size_t>(r)] < 0) {
                        number[static_cast<std::size_t>(r)] = next;
                        stack.push_back(r);
                    }
                }
            }
            ++next;
        }
        return number;
    }
};

struct Answer {
    PictureInfo info;
    std::vector<double> alpha;
};

Answer solved(const ClassGraph& graph, const Affinity& affinity, const Known& known, int threads = 2,
              Solver solver = Solver::automatic) {
    const Picture image(ClassGraph::height, ClassGraph::width, 3);
    Answer answer;
    for (const Label label : graph.labels) {
        answer.alpha.push_back(label == Label::foreground);
    }
    SolveOptions options;
    options.threads = threads;
    options.solver = solver;
    Monitor monitor;
    answer.info = solve_picture(affinity, image.view(), known, nullptr, {answer.alpha.data(), true}, options, monitor);
    return answer;
}

}  // namespace

TEST_CASE("components are those that a flood fill finds, and their parts are blocks of the matrix") {
    const Picture image(ClassGraph::height, ClassGraph::width, 3);
    for (const double unknown : {0.3, 0.7}) {
        const ClassGraph graph(9, 4, unknown);
        const std::vector<int> expected = graph.flooded();
        Monitor monitor;
        const Problem problem =
            assemble(graph.affinity(), image.view(), {graph.labels.data()}, Form::sparse, {1, monitor});
        const Eigen::MatrixXd A = dense(problem.matrix);
        for (const int threads : {1, 3}) {
            const Components components(problem, {threads, monitor});
            int number = 0;
            for (const Component& component : components.all()) {
                bool meets[2] = {};
                CHECK(component.unknowns() == std::count(expected.begin(), expected.end(), number));
                for (const std::int32_t* i = component.begin; i != component.end; ++i) {
                    const std::int64_t p = problem.pixel[*i];
                    CHECK(expected[static_cast<std::size_t>(p)] == number);
                    for (std::int64_t q = 0; q < ClassGraph::pixels; ++q) {
                        if (graph.L(p, q) != 0 && !graph.is_unknown(q)) {
                            meets[static_cast<int>(graph.labels[static_cast<std::size_t>(q)])] = true;
                        }
                    }
                }
                CHECK(component.meets_background == meets[0]);
                CHECK(component.meets_foreground == meets[1]);
                ++number;
            }
            CHECK(number == 1 + *std::max_element(expected.begin(), expected.end()));
            for (const std::size_t size : {std::size_t{1}, std::size_t{2}}) {
                std::vector<const Component*> chosen;
                std::vector<int> rows;
                for (std::size_t c = 0; c < size; ++c) {
                    chosen.push_back(&components.all()[2 * c]);
                    rows.insert(rows.end(), chosen.back()->begin, chosen.back()->end);
                }
                std::sort(rows.begin(), rows.end());
                const Problem part = components.part_of(problem, chosen, {threads, monitor});
                CHECK((dense(part.matrix) - A(rows, rows)).cwiseAbs().maxCoeff() == 0);
                CHECK((dense(part.rhs) - dense(problem.rhs)(rows)).cwiseAbs().maxCoeff() == 0);
                CHECK((dense(part.pixel) - dense(problem.pixel)(rows)).cwiseAbs().maxCoeff() == 0);
                CHECK_NOTHROW(check_rows(part.matrix, {1, monitor}));
            }
        }
    }
}

TEST_CASE("alpha that is solved component by component equals that of one dense system") {
    const ClassGraph graph(5, 2);
    std::vector<float> guess, confidence;
    Random random(8);
    for (std::int64_t p = 0; p < ClassGraph::pixels; ++p) {
        guess.push_back(static_cast<float>(random()));
        confidence.push_back(graph.of_class(p) % 2 == 0 ? 0.3f : 0.0f);
    }
    for (const bool with_prior : {false, true}) {
        Known known{graph.labels.data()};
        if (with_prior) {
            known.prior = {guess.data(), confidence.data()};
        }
        for (const bool constant_regions : {false, true}) {
            const GivenRows affinity = graph.affinity(constant_regions);
            const Picture image(ClassGraph::height, ClassGraph::width, 3);
            const std::vector<double> expected = dense_alpha(image.view(), graph.labels, known, affinity);
            for (const Solver solver :
                 {Solver::automatic, Solver::cholesky, Solver::graph_multigrid, Solver::conjugate_gradient}) {
                const Answer answer = solved(graph, affinity, known, 2, solver);
                CHECK(answer.info.converged);
                CHECK(difference(answer.alpha, expected) < 1e-3);
            }
            const Answer one = solved(graph, affinity, known, 1), three = solved(graph, affinity, known, 3);
            CHECK(same_bits(one.alpha, three.alpha));
            const std::vector<int> number = graph.flooded();
            const std::int64_t constant = one.info.constant_background + one.info.constant_foreground;
            CHECK(one.info.regions_of[static_cast<int>(Solver::cholesky)] + constant ==
                  1 + *std::max_element(number.begin(), number.end()));
            CHECK((constant > 0) == constant_regions);
            CHECK(one.info.unknowns == std::count(graph.labels.begin(), graph.labels.end(), Label::unknown));
        }
    }
}

TEST_CASE("a component without known pixels is refused, unless a prior speaks of it") {
    ClassGraph graph(4);
    for (std::int64_t p = 0; p < ClassGraph::pixels; ++p) {
        if (graph.of_class(p) == 2) {
            graph.labels[static_cast<std::size_t>(p)] = Label::unknown;
        }
    }
    Known known{graph.labels.data()};
    for (const bool constant_regions : {false, true}) {
        CHECK_THROWS_AS(solved(graph, graph.affinity(constant_regions), known), FactorizationError);
    }
    const std::vector<float> guess(static_cast<std::size_t>(ClassGraph::pixels), 0.25f);
    std::vector<float> confidence(guess.size(), 0.0f);
    confidence[static_cast<std::size_t>(std::find(graph.of_pixel.begin(), graph.of_pixel.end(), 2) -
                                        graph.of_pixel.begin())] = 1;
    known.prior = {guess.data(), confidence.data()};
    const Answer answer = solved(graph, graph.affinity(), known);
    for (std::int64_t p = 0; p < ClassGraph::pixels; ++p) {
        if (graph.of_class(p) == 2) {
            CHECK(answer.alpha[static_cast<std::size_t>(p)] == doctest::Approx(0.25));
        }
    }
}
