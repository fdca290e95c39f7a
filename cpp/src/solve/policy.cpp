#include "solve/policy.hpp"

#include <algorithm>

namespace trimatte {
namespace {

// How far the unknowns of a system are coupled.
enum class Coupling {
    stencil,  // two rows and columns
    wide,     // more rows and columns
    graph,    // any distance
    windows,  // more rows and columns, by products without a matrix
    edges,    // two rows and columns, but hardly across strong edges
};

constexpr std::int64_t no_limit = INT64_MAX;

// Up to this number of unknowns that form a stencil, Cholesky is about as fast as multigrid, and it
// is exact.
constexpr std::int64_t small_stencil = 20000;
// The same limit for graphs, and for what counts as a small region of wide windows. Their factors
// are denser.
constexpr std::int64_t small_graph = 5000;
// Up to this number of entries of the matrix, a factorisation takes less time than the multigrid
// for graphs needs to make its levels, since rows of wide windows are long.
constexpr std::int64_t entries_to_factorise = std::int64_t{50} * 1000 * 1000;

// After this number of iterations of multigrid, a factorisation would have been faster.
constexpr std::int64_t patience = 60;
// The same for wide windows, whose factors take longer.
constexpr std::int64_t patience_with_windows = 300;

// A rule holds for systems of its coupling that have at most `unknowns_at_most` unknowns and at
// most `entries_at_most` entries of the matrix. The first rule of the table that holds is taken.
struct Rule {
    Coupling coupling;
    std::int64_t unknowns_at_most;
    std::int64_t entries_at_most;
    std::vector<Attempt> attempts;
};

const std::vector<Rule>& rules() {
    static const Attempt cholesky{Solver::cholesky, no_limit, false};
    static const Attempt cholesky_if_it_fits{Solver::cholesky, no_limit, true};
    const auto patient = [](Solver solver) { return Attempt{solver, patience, false}; };
    const auto to_the_end = [](Solver solver) { return Attempt{solver, no_limit, false}; };
    const auto by_products = [](Solver solver, std::int64_t most) { return Attempt{solver, most, false, true}; };
    static const std::vector<Rule> table = {
        {Coupling::stencil, small_stencil, no_limit, {cholesky}},
        {Coupling::stencil,
         no_limit,
         no_limit,
         {patient(Solver::multigrid), cholesky_if_it_fits, to_the_end(Solver::multigrid)}},
        {Coupling::wide, no_limit, entries_to_factorise, {cholesky_if_it_fits, to_the_end(Solver::graph_multigrid)}},
        {Coupling::wide,
         no_limit,
         no_limit,
         {patient(Solver::graph_multigrid), cholesky_if_it_fits, to_the_end(Solver::graph_multigrid)}},
        {Coupling::windows,
         no_limit,
         entries_to_factorise,
         {by_products(Solver::multigrid, patience_with_windows), cholesky_if_it_fits,
          by_products(Solver::multigrid, no_limit)}},
        {Coupling::windows,
         no_limit,
         no_limit,
         {by_products(Solver::multigrid, no_limit), by_products(Solver::conjugate_gradient, no_limit)}},
        {Coupling::edges, small_stencil, no_limit, {cholesky}},
        // Multigrid takes as long for its levels and 15 iterations as this factorisation.
        {Coupling::edges, no_limit, no_limit, {cholesky_if_it_fits, to_the_end(Solver::graph_multigrid)}},
        {Coupling::graph, small_graph, no_limit, {cholesky}},
        {Coupling::graph,
         no_limit,
         no_limit,
         {patient(Solver::graph_multigrid), cholesky_if_it_fits, to_the_end(Solver::graph_multigrid)}},
    };
    return table;
}

Coupling coupling_of(const Affinity::Traits& traits) {
    if (traits.reach == 0) {
        return Coupling::graph;
    }
    if (traits.reach > Stencil::reach) {
        return traits.has_products ? Coupling::windows : Coupling::wide;
    }
    return traits.follows_edges ? Coupling::edges : Coupling::stencil;
}

}  // namespace

std::vector<Attempt> attempts_for(std::int64_t unknowns, const Affinity::Traits& traits, const SolveOptions& options) {
    if (options.solver != Solver::automatic) {
        const bool iterates = options.solver == Solver::multigrid || options.solver == Solver::conjugate_gradient;
        return {{options.solver, no_limit, false, traits.has_products && iterates}};
    }
    const Coupling coupling = coupling_of(traits);
    const std::int64_t entries = unknowns * (2 * traits.reach + 1) * (2 * traits.reach + 1);  // at most
    const auto holds = [&](const Rule& rule) {
        return rule.coupling == coupling && unknowns <= rule.unknowns_at_most && entries <= rule.entries_at_most;
    };
    return std::find_if(rules().begin(), rules().end(), holds)->attempts;
}

Solver choose(std::int64_t unknowns, std::int64_t reach) {
    Affinity::Traits traits;
    traits.reach = reach;
    return attempts_for(unknowns, traits, {}).front().solver;
}

bool is_small(std::int64_t unknowns, const Affinity::Traits& traits, const SolveOptions& options) {
    const bool factorised = options.solver == Solver::automatic || options.solver == Solver::cholesky;
    const bool is_near = traits.reach > 0 && traits.reach <= Stencil::reach;
    return factorised && unknowns <= (is_near ? small_stencil : small_graph);
}

}  // namespace trimatte
