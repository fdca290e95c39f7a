// Conjugate gradients with a colour-aware multigrid preconditioner: smoothed aggregation (Vanek, Mandel, Brezina,
// Computing 56, 1996) on cells of the pixel grid, with the near-null space [1, R, G, B] of the matting Laplacian.
//
// The system is scaled to unit diagonal, A = S L S. Finest level: pixels. Cells of 6 x 6 pixels, then of 3 x 3 cells,
// carry four numbers each: the cell's own 1, R, G, B, made orthonormal. Smoothing is a Chebyshev polynomial in D^-1 A,
// so that nothing depends on an order of the nodes; the hierarchy is in float32, CG in float64.

#include <Eigen/Cholesky>
#include <memory>
#include <stdexcept>

#include "conjugate_gradient.hpp"
#include "multigrid_level.hpp"
#include "multigrid_operators.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t pixels_per_cell = 6;  // along a side
constexpr std::int64_t cells_per_cell = 3;
constexpr std::int64_t coarsest_cells = 120;
constexpr int smoothing_steps = 3;
constexpr double smoothing_range = 20;  // the polynomial damps eigenvalues from lmax / 20 on

// Solves or approximates A x = b on one level and those below it.
class Level {
public:
    virtual ~Level() = default;
    virtual void cycle(const float* b, float* x) = 0;
    // A second cycle, from the x of the first.
    virtual void cycle_again(const float* b, float* x) = 0;
    virtual std::size_t bytes() const = 0;
};

// The coarsest level: a dense inverse.
class DenseLevel : public Level {
public:
    explicit DenseLevel(const CellOperator& op) : n_(op.nodes() * 4) {
        Eigen::MatrixXd A = Eigen::MatrixXd::Zero(n_, n_);
        for (std::int64_t i = 0; i < op.nodes(); ++i) {
            op.for_row(i, [&](std::int64_t j, const float* a) {
                for (int u = 0; u < 4; ++u) {
                    for (int v = 0; v < 4; ++v) {
                        A(4 * i + u, 4 * j + v) = a[4 * u + v];
                    }
                }
            });
        }
        // Float32 entries may have lost definiteness by a rounding error.
        A.diagonal() *= 1 + 1e-6;
        const Eigen::LDLT<Eigen::MatrixXd> factor(A);
        inverse_ = factor.solve(Eigen::MatrixXd::Identity(n_, n_)).cast<float>();
        inverse_ = (0.5f * (inverse_ + inverse_.transpose())).eval();
    }
    void cycle(const float* b, float* x) override {
        Eigen::Map<Eigen::VectorXf>(x, n_).noalias() = inverse_ * Eigen::Map<const Eigen::VectorXf>(b, n_);
    }
    void cycle_again(const float*, float*) override {}  // it was exact
    std::size_t bytes() const override { return static_cast<std::size_t>(n_ * n_) * sizeof(float); }

private:
    std::int64_t n_;
    Eigen::MatrixXf inverse_;
};

std::unique_ptr<Level> make_level(std::unique_ptr<CellOperator> op, const Context& context);

// A level with one below it. V-cycle with Chebyshev smoothing (Saad, Iterative Methods, 2nd ed., Algorithm 12.1).
template <class Operator>
class SmoothedLevel : public Level {
public:
    static constexpr int B = Operator::B;

    SmoothedLevel(std::unique_ptr<Operator> op, std::int64_t k, const Context& context)
        : op_(std::move(op)), k_(k), context_(context), size_(op_->nodes() * B), r_(size_), d_(size_), d_next_(size_) {
        const double lmax = largest_eigenvalue(*op_, context);
        high_ = lmax;
        low_ = lmax / smoothing_range;
        std::vector<double> null;
        coarse_cells_ = std::make_shared<const Cells>(make_cells(*op_, k));
        P_ = make_prolongation(*op_, *coarse_cells_, k, 4 / (3 * lmax), context, null);
        auto coarse = std::make_unique<CellOperator>(coarse_cells_, galerkin(*op_, *coarse_cells_, P_, k, context),
                                                     std::move(null));
        coarse_b_ = Buffer<float>(coarse->nodes() * 4);
        coarse_x_ = Buffer<float>(coarse->nodes() * 4);
        coarse_ = make_level(std::move(coarse), context);
    }

    void cycle(const float* b, float* x) override {
        for_nodes([&](std::int64_t i) {
            for (int u = 0; u < B; ++u) {
                x[i * B + u] = 0;
                r_[i * B + u] = b[i * B + u];
            }
            start_smoothing(i, x);
        });
        finish_cycle(x);
    }

    void cycle_again(const float* b, float* x) override {
        for_nodes([&](std::int64_t i) {
            float Ax[B];
            op_->product(i, x, Ax);
            for (int u = 0; u < B; ++u) {
                r_[i * B + u] = b[i * B + u] - Ax[u];
            }
        });
        for_nodes([&](std::int64_t i) { start_smoothing(i, x); });
        finish_cycle(x);
    }

    const Operator& op() const { return *op_; }
    std::size_t bytes() const override {
        return op_->bytes() + P_.bytes() + r_.bytes() + d_.bytes() + d_next_.bytes() + coarse_b_.bytes() +
               coarse_x_.bytes() + coarse_->bytes();
    }

private:
    template <class Body>
    void for_nodes(const Body& body) {
        context_.ranges(op_->nodes(), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                body(i);
            }
        });
    }
    // The first step of the polynomial at node i: r_ is the residual, d_ becomes the step.
    void start_smoothing(std::int64_t i, float* x) {
        float z[B];
        op_->divide(i, r_.data() + i * B, z);
        for (int u = 0; u < B; ++u) {
            d_[i * B + u] = z[u] / theta();
            x[i * B + u] += d_[i * B + u];
        }
    }

    // Smoothing begun by start_smoothing, coarse correction (a W-cycle: the next level is visited twice), smoothing.
    void finish_cycle(float* x) {
        polish(x);
        subtract_product(d_.data());
        restrict_residual();
        coarse_->cycle(coarse_b_.data(), coarse_x_.data());
        coarse_->cycle_again(coarse_b_.data(), coarse_x_.data());
        for_nodes([&](std::int64_t i) {
            float v[B] = {};
            P_.add_row(i, coarse_x_.data(), v);
            for (int u = 0; u < B; ++u) {
                d_[i * B + u] = v[u];
                x[i * B + u] += v[u];
            }
        });
        subtract_product(d_.data());
        for_nodes([&](std::int64_t i) { start_smoothing(i, x); });
        polish(x);
    }

    float theta() const { return static_cast<float>((high_ + low_) / 2); }

    // The steps of the polynomial after the first; d_ holds that one's step.
    void polish(float* x) {
        const double delta = (high_ - low_) / 2;
        const double sigma = (high_ + low_) / (high_ - low_);
        double rho = 1 / sigma;
        for (int step = 1; step < smoothing_steps; ++step) {
            const double next = 1 / (2 * sigma - rho);
            const auto keep = static_cast<float>(next * rho);
            const auto add = static_cast<float>(2 * next / delta);
            for_nodes([&](std::int64_t i) {
                float Ad[B], z[B];
                op_->product(i, d_.data(), Ad);
                for (int u = 0; u < B; ++u) {
                    r_[i * B + u] -= Ad[u];
                }
                op_->divide(i, r_.data() + i * B, z);
                for (int u = 0; u < B; ++u) {
                    d_next_[i * B + u] = keep * d_[i * B + u] + add * z[u];
                    x[i * B + u] += d_next_[i * B + u];
                }
            });
            std::swap(d_, d_next_);
            rho = next;
        }
    }

    void subtract_product(const float* d) {
        for_nodes([&](std::int64_t i) {
            float Ad[B];
            op_->product(i, d, Ad);
            for (int u = 0; u < B; ++u) {
                r_[i * B + u] -= Ad[u];
            }
        });
    }

    void restrict_residual() {
        for_cell_bands(*op_, *coarse_cells_, k_, context_,
                       [&](std::int64_t first, std::int64_t last, std::int64_t begin, std::int64_t end) {
                           const std::int64_t c_begin = coarse_cells_->row_begin[static_cast<std::size_t>(first)];
                           const std::int64_t c_end = coarse_cells_->row_begin[static_cast<std::size_t>(last)];
                           std::fill(coarse_b_.data() + 4 * c_begin, coarse_b_.data() + 4 * c_end, 0.0f);
                           for (std::int64_t i = begin; i < end; ++i) {
                               for (int b = 0; b < 4; ++b) {
                                   const std::int32_t c = P_.has(i, b) ? P_.cell(i, b) : -1;
                                   if (c < c_begin || c >= c_end) {
                                       continue;
                                   }
                                   const float* p = P_.at(i, b);
                                   float* out = coarse_b_.data() + 4 * static_cast<std::int64_t>(c);
                                   for (int u = 0; u < B; ++u) {
                                       const float r = r_[i * B + u];
                                       for (int v = 0; v < 4; ++v) {
                                           out[v] += p[4 * u + v] * r;
                                       }
                                   }
                               }
                           }
                       });
    }

    std::unique_ptr<Operator> op_;
    std::int64_t k_;
    Context context_;
    std::int64_t size_;
    double low_, high_;
    Prolongation<B> P_;
    std::shared_ptr<const Cells> coarse_cells_;  // P_ refers to them
    Buffer<float> r_, d_, d_next_;
    Buffer<float> coarse_b_, coarse_x_;
    std::unique_ptr<Level> coarse_;
};

std::unique_ptr<Level> make_level(std::unique_ptr<CellOperator> op, const Context& context) {
    if (op->nodes() <= coarsest_cells) {
        return std::make_unique<DenseLevel>(*op);
    }
    return std::make_unique<SmoothedLevel<CellOperator>>(std::move(op), cells_per_cell, context);
}

class Multigrid : public Preconditioner {
public:
    Multigrid(const Problem& problem, const Context& context)
        : context_(context),
          level_(std::make_unique<PixelOperator>(problem, context), pixels_per_cell, context),
          b_(problem.unknowns()),
          x_(problem.unknowns()) {}

    void apply(const double* r, double* z) override {
        const PixelOperator& op = level_.op();
        context_.ranges(op.nodes(), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                b_[i] = static_cast<float>(r[i] * op.scale(i));
            }
        });
        level_.cycle(b_.data(), x_.data());
        context_.ranges(op.nodes(), [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                z[i] = static_cast<double>(x_[i]) * op.scale(i);
            }
        });
    }
    std::size_t bytes() const override { return level_.bytes() + b_.bytes() + x_.bytes(); }

private:
    Context context_;
    SmoothedLevel<PixelOperator> level_;
    Buffer<float> b_, x_;
};

}  // namespace

SolveInfo multigrid(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    if (problem.reach > multigrid_reach) {
        throw std::invalid_argument("solver: multigrid needs radius 1");
    }
    monitor.phase("hierarchy");
    const Context context{options.threads, monitor};
    Multigrid preconditioner(problem, context);
    SolveInfo info = preconditioned_cg(problem, options, {0, 0.3 * options.tolerance}, preconditioner, x, monitor);
    info.solver = Solver::multigrid;
    return info;
}

}  // namespace trimatte
