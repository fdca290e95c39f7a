// Which solver a system gets: a table of attempts. Private to this folder.
#pragma once

#include <cstdint>
#include <vector>

#include "trimatte/problem.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {

// One way to solve a system. If it does not keep its promise, the next attempt goes on from its x.
struct Attempt {
    Solver solver;
    std::int64_t max_iterations;
    // Whether the attempt is left out where it needs more memory than SolveOptions::memory.
    bool if_it_fits;

    // What the attempt wants the problem to be.
    Form form() const { return solver == Solver::multigrid ? Form::stencil : Form::sparse; }
};

// The attempts for a system of so many unknowns that couples unknowns over `reach` rows and columns (0: over any
// distance), in order. A solver that was asked for is the only one.
std::vector<Attempt> attempts_for(std::int64_t unknowns, std::int64_t reach, const SolveOptions& options);

// Whether a region is small: small regions are factorised side by side, each by one thread.
bool is_small(std::int64_t unknowns, std::int64_t reach, const SolveOptions& options);

}  // namespace trimatte
