// Each solver takes a Problem and knows nothing of the affinity that made it. solve_picture() goes
// from a picture to its alpha.
#pragma once

#include <cstdint>

#include "trimatte/assemble.hpp"
#include "trimatte/monitor.hpp"
#include "trimatte/problem.hpp"

namespace trimatte {

enum class Solver { automatic, cholesky, multigrid, graph_multigrid, conjugate_gradient };
constexpr int solvers = 5;

struct SolveOptions {
    Solver solver = Solver::automatic;
    // The relative residual ||D^-1 (b - A x)|| / ||D^-1 b|| that jacobi and graph_multigrid have to
    // reach besides the tolerance, where D is the diagonal of A; 0 asks for none. If the problem
    // has a rhs_norm, it takes the place of ||D^-1 b||. multigrid measures no residual on its way.
    double relative_residual = 0;
    std::int64_t max_iterations = 10000;
    int threads = 1;
    double tolerance = 1e-3;        // largest error of alpha at which iterative solvers stop
    std::size_t memory = SIZE_MAX;  // bytes that a factorisation may hold at once
    // Whether cholesky returns converged = false, instead of throwing, if it needs more bytes than
    // `memory`.
    bool gives_way = false;
};

struct SolveInfo {
    Solver solver;  // the solver that ran
    bool converged;
    std::int64_t iterations;   // 0 for a direct solver
    double relative_residual;  // residual of the returned x, computed anew from A and b
    // Estimate of the largest error of x; 0 for a direct solver, NaN if there is none.
    double error_estimate;
    std::size_t peak_bytes;  // bytes of the arrays that the solver held, without the problem
    // Numbers in the matrices of all levels, divided by those of the finest level.
    double operator_complexity = 1;
};

// Fills x, which has unknowns() doubles. Throws FactorizationError and Cancelled.
SolveInfo solve(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor);

// Each solver is in a file or folder of its name. The iterative solvers start from the given x;
// cholesky ignores it.
SolveInfo cholesky(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor);
// Multigrid on the pixel grid takes problems with a stencil, or whose unknowns are coupled over at
// most Stencil::reach rows and columns.
SolveInfo multigrid(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor);
// Multigrid for any sparse matrix, without geometry: two levels where these are enough, else all.
SolveInfo graph_multigrid(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor);
// Conjugate gradients with a diagonal preconditioner.
SolveInfo jacobi(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor);

// Conjugate gradients for a problem that has products, with one coarse level ("multigrid") or a
// diagonal preconditioner.
SolveInfo matrix_free(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor);

// Returns the solver that `automatic` tries first for this number of unknowns, which are coupled
// over `reach` rows and columns.
Solver choose(std::int64_t unknowns, std::int64_t reach);

// The alpha of a picture, one number per pixel, row by row. Known pixels hold 0 or 1 when a solve
// begins. The solve fills the others, and with soft weights (Known::weight) all pixels.
struct AlphaView {
    void* data;
    bool is_double;  // double if true, float if false

    void set(std::int64_t pixel, double value) const {
        is_double ? void(static_cast<double*>(data)[pixel] = value)
                  : void(static_cast<float*>(data)[pixel] = static_cast<float>(value));
    }
};

// How a picture was solved. Each number of SolveInfo is that of the region in which it is worst;
// `solver` is the one that solved most of the unknowns.
struct PictureInfo : SolveInfo {
    std::int64_t unknowns = 0;
    // The number of connected regions that each solver solved, indexed by Solver. A region that
    // touches known pixels of one kind only is not solved if the affinity says that its alpha is
    // theirs and no prior says more; such regions are counted below.
    std::int64_t regions_of[solvers] = {};
    std::int64_t constant_foreground = 0, constant_background = 0;
};

// Solves for the unknown pixels of a picture, each unknown region in the way that solve/policy.cpp
// chooses, and writes them to `alpha`, within [0, 1]. start: alpha of each pixel where an iterative
// solver starts; null: that of the prior, or 0.5. Throws the exceptions of assemble() and solve().
PictureInfo solve_picture(const Affinity& affinity, const ImageView& image, const Known& known, const float* start,
                          const AlphaView& alpha, const SolveOptions& options, Monitor& monitor);

// Computes y = A x, with the same bits for any number of threads.
void multiply(const Csr& matrix, const double* x, double* y, int threads, Monitor& monitor);

// Returns ||D^-1 (b - A x)|| / ||D^-1 b||, where D is the diagonal of A; 0 if both norms are zero.
double relative_residual(const Problem& problem, const double* x, int threads, Monitor& monitor);

}  // namespace trimatte
