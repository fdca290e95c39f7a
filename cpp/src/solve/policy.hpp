// The table of attempts says which solvers a system gets. This header is private to this folder.
#pragma once

#include <cstdint>
#include <vector>

#include "trimatte/affinity.hpp"
#include "trimatte/problem.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {

// One way to solve a system. If it does not keep its promise, the next attempt starts from its x.
struct Attempt {
    Solver solver;
    std::int64_t max_iterations;
    // Whether the attempt is left out if it needs more memory than SolveOptions::memory.
    bool if_it_fits;

    // Whether the attempt takes the matrix by its products.
    bool by_products = false;

    // The form in which the attempt takes the problem.
    Form form() const {
        if (by_products) {
            return Form::matrix_free;
        }
        return solver == Solver::multigrid ? Form::stencil : Form::sparse;
    }
};

// Returns the attempts, in order, for a system of this number of unknowns whose affinity has these
// traits. A solver that the options name is the only attempt.
std::vector<Attempt> attempts_for(std::int64_t unknowns, const Affinity::Traits& traits, const SolveOptions& options);

// Whether a region is small. Small regions are factorised side by side, each by one thread.
bool is_small(std::int64_t unknowns, const Affinity::Traits& traits, const SolveOptions& options);

}  // namespace trimatte
