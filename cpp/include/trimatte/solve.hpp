// Solvers: each takes a Problem and knows nothing of the affinity it came from. solve_picture() goes from the picture to
// its alpha.
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
    double relative_residual = 0;  // ||D^-1 (b - A x)|| / ||D^-1 b|| that cg has to reach too, D the diagonal of A; 0: any
    std::int64_t max_iterations = 10000;
    int threads = 1;
    double tolerance = 1e-3;  // largest error of alpha at which multigrid and cg stop
    std::size_t memory = SIZE_MAX;  // bytes that a factorisation may hold at once
    // Whether cholesky returns without converging, rather than throw, where it needs more memory than that.
    bool gives_way = false;
};

struct SolveInfo {
    Solver solver;  // the one that ran
    bool converged;
    std::int64_t iterations;         // 0 for a direct solver
    double relative_residual;        // of the x returned, computed anew from A and b
    double error_estimate;           // of the largest error of x; 0 for a direct solver, NaN where there is none
    std::size_t peak_bytes;          // of the arrays the solver held, the problem not counted
    double operator_complexity = 1;  // numbers in the matrices of all levels over those of the first
};

// Fills x (unknowns() doubles). Throws FactorizationError, Cancelled.
SolveInfo solve(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor);

// The solvers themselves, each in a file of its name. The iterative ones start from the x given.
SolveInfo cholesky(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor);
// Multigrid takes problems with a stencil, or whose unknowns are coupled over at most Stencil::reach rows and columns.
SolveInfo multigrid(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor);
// Multigrid for any sparse matrix, without geometry.
SolveInfo graph_multigrid(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor);
// Conjugate gradients with a diagonal preconditioner.
SolveInfo jacobi(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor);

// The solver that `automatic` tries first for so many unknowns, coupled over so many rows and columns.
Solver choose(std::int64_t unknowns, std::int64_t reach);

// Alpha of a picture, one number per pixel: 0 or 1 where the pixel is known, to be filled elsewhere.
struct AlphaView {
    void* data;
    bool is_double;  // float otherwise

    void set(std::int64_t pixel, double value) const {
        is_double ? void(static_cast<double*>(data)[pixel] = value)
                  : void(static_cast<float*>(data)[pixel] = static_cast<float>(value));
    }
};

// How a picture was solved. What SolveInfo says is true of the region where it is worst; `solver` solved the most
// unknowns.
struct PictureInfo : SolveInfo {
    std::int64_t unknowns = 0;
    // How many connected regions went which way; a region that meets known pixels of one kind only is not solved where
    // the affinity says that its alpha is theirs, and no prior says more.
    std::int64_t regions_of[solvers] = {};  // by Solver
    std::int64_t constant_foreground = 0, constant_background = 0;
};

// Solves for the unknown pixels of a picture, in whatever way suits each of its unknown regions (solve/policy.cpp), and
// writes them to `alpha`, within [0, 1]. start: an alpha of each pixel where an iterative solver starts; null: the
// prior's, or 0.5. Throws as assemble() and solve().
PictureInfo solve_picture(const Affinity& affinity, const ImageView& image, const Known& known, const float* start,
                          const AlphaView& alpha, const SolveOptions& options, Monitor& monitor);

// y = A x; returns nothing of its own. Same bits for any number of threads.
void multiply(const Csr& matrix, const double* x, double* y, int threads, Monitor& monitor);

// ||D^-1 (b - A x)|| / ||D^-1 b||, D the diagonal of A; 0 if both are zero.
double relative_residual(const Problem& problem, const double* x, int threads, Monitor& monitor);

}  // namespace trimatte
