#include "solve/policy.hpp"

#include <algorithm>

namespace trimatte {
namespace {

constexpr std::int64_t no_limit = INT64_MAX;

// Up to here Cholesky is about as fast as multigrid, and exact.
constexpr std::int64_t small_unknowns = 5000;

// Without a stencil, a factor of a matrix with so many entries fits into memory (about five times as many), and even a
// slow factorisation is better than thousands of iterations.
constexpr std::int64_t entries_to_factorise = std::int64_t{50} * 1000 * 1000;
// Unknowns that are coupled over 8 pixels and more have a factor that is nearly dense, and make CG's work easy.
constexpr std::int64_t wide_reach = 8;
constexpr std::int64_t entries_to_factorise_when_wide = 1000 * 1000;

// Iterations of multigrid after which a factorisation would have been faster.
constexpr std::int64_t patience = 100;

// The table. A row holds for systems with a stencil, or without, of at most so many unknowns and matrix entries; the
// first row that holds counts.
struct Rule {
    bool has_stencil;
    std::int64_t unknowns_at_most;
    std::int64_t entries_at_most;
    std::vector<Attempt> attempts;
};

const std::vector<Rule>& rules() {
    static const std::vector<Rule> table = {
        {true, small_unknowns, no_limit, {{Solver::cholesky, 0, false}}},
        {true,
         no_limit,
         no_limit,
         {{Solver::multigrid, patience, false}, {Solver::cholesky, 0, true}, {Solver::multigrid, no_limit, false}}},
        {false, no_limit, entries_to_factorise, {{Solver::cholesky, 0, false}}},
        {false, no_limit, no_limit, {{Solver::conjugate_gradient, no_limit, false}}},
    };
    return table;
}

}  // namespace

std::vector<Attempt> attempts_for(std::int64_t unknowns, std::int64_t reach, const SolveOptions& options) {
    if (options.solver != Solver::automatic) {
        return {{options.solver, no_limit, false}};
    }
    const bool has_stencil = reach > 0 && reach <= Stencil::reach;
    std::int64_t entries = unknowns * (2 * reach + 1) * (2 * reach + 1);  // at most
    if (reach >= wide_reach) {
        entries *= entries_to_factorise / entries_to_factorise_when_wide;
    }
    const auto holds = [&](const Rule& rule) {
        return rule.has_stencil == has_stencil && unknowns <= rule.unknowns_at_most && entries <= rule.entries_at_most;
    };
    return std::find_if(rules().begin(), rules().end(), holds)->attempts;
}

bool is_small(std::int64_t unknowns, std::int64_t reach, const SolveOptions& options) {
    const bool factorised = options.solver == Solver::automatic || options.solver == Solver::cholesky;
    const std::int64_t side = 2 * std::max<std::int64_t>(reach, Stencil::reach) + 1;
    return factorised && unknowns * side * side <= small_unknowns * 25;
}

}  // namespace trimatte
