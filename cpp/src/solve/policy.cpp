#include "solve/policy.hpp"

#include <algorithm>

namespace trimatte {
namespace {

constexpr std::int64_t no_limit = INT64_MAX;

// Up to this number of unknowns Cholesky is about as fast as multigrid, and it is exact.
constexpr std::int64_t small_unknowns = 20000;
// The same limit without a stencil, where rows are longer and factors denser.
constexpr std::int64_t small_graph = 5000;

// After this number of iterations of multigrid, a factorisation would have been faster.
constexpr std::int64_t patience = 60;

// The table. A row holds for systems with (or without) a stencil of at most this number of
// unknowns. The first row that holds is taken.
struct Rule {
    bool has_stencil;
    std::int64_t unknowns_at_most;
    std::vector<Attempt> attempts;
};

const std::vector<Rule>& rules() {
    static const std::vector<Rule> table = {
        {true, small_unknowns, {{Solver::cholesky, 0, false}}},
        {true,
         no_limit,
         {{Solver::multigrid, patience, false}, {Solver::cholesky, 0, true}, {Solver::multigrid, no_limit, false}}},
        {false, small_graph, {{Solver::cholesky, 0, false}}},
        {false,
         no_limit,
         {{Solver::graph_multigrid, patience, false},
          {Solver::cholesky, 0, true},
          {Solver::graph_multigrid, no_limit, false}}},
    };
    return table;
}

}  // namespace

std::vector<Attempt> attempts_for(std::int64_t unknowns, std::int64_t reach, const SolveOptions& options) {
    if (options.solver != Solver::automatic) {
        return {{options.solver, no_limit, false}};
    }
    const bool has_stencil = reach > 0 && reach <= Stencil::reach;
    const auto holds = [&](const Rule& rule) {
        return rule.has_stencil == has_stencil && unknowns <= rule.unknowns_at_most;
    };
    return std::find_if(rules().begin(), rules().end(), holds)->attempts;
}

Solver choose(std::int64_t unknowns, std::int64_t reach) { return attempts_for(unknowns, reach, {}).front().solver; }

bool is_small(std::int64_t unknowns, std::int64_t reach, const SolveOptions& options) {
    const bool factorised = options.solver == Solver::automatic || options.solver == Solver::cholesky;
    return factorised && unknowns <= (reach <= Stencil::reach ? small_unknowns : small_graph);
}

}  // namespace trimatte
