// The numeric part of the multifrontal method (Liu, SIAM Review 34(1), 1992). A front gathers the
// entries of the matrix in its columns and the updates that its children pass on. It eliminates its
// columns and passes what is left, its update, to its parent. Updates wait on a stack, because
// children are worked through just before their parent.
#include <algorithm>
#include <atomic>
#include <memory>
#include <string>

#include "solve/cholesky/cholesky.hpp"
#include "solve/cholesky/pool.hpp"
#include "trimatte/errors.hpp"

namespace trimatte {
namespace {

// Multiplications of a front from which several threads are worth waking.
constexpr double parallel_work = 4e6;

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

// Rows of the update of a child that follow each other in the front of its parent as well.
struct Run {
    std::int32_t from, to, length;
};
// rows; a task adds one run where several threads add an update
constexpr std::int32_t longest_run = 64;

// The arrays that one thread needs while it works through fronts.
struct Workspace {
    Buffer<double> own_stack;
    double* stack;
    std::int64_t top = 0;
    std::vector<std::int32_t> local;  // the row of the present front for each row of the matrix
    std::vector<Run> runs;            // runs of the update of a child in the present front

    Workspace(std::int64_t stack_size, std::int32_t unknowns)
        : own_stack(stack_size), stack(own_stack.data()), local(at(unknowns)) {}
    Workspace(double* memory, std::int32_t unknowns) : stack(memory), local(at(unknowns)) {}
};

class Factorisation {
public:
    Factorisation(const Symbolic& symbolic, const Csr& matrix, double* values, const Context& context,
                  bool sets_fraction)
        : symbolic_(symbolic),
          matrix_(matrix),
          values_(values),
          context_(context),
          sets_fraction_(sets_fraction),
          update_(symbolic.fronts.size()) {}

    // stack: memory for the fronts at the top of the tree.
    void run(const Schedule& plan, double* stack) {
        const Buffer<double> passed = run_subtrees(plan);
        Workspace workspace(stack, unknowns());
        for (const std::int32_t f : plan.top) {
            eliminate(f, workspace, context_.threads);
        }
    }

private:
    std::int32_t unknowns() const { return static_cast<std::int32_t>(symbolic_.order.size()); }

    // Returns the updates of the roots of the subtrees, which wait until the top of the tree is
    // done.
    Buffer<double> run_subtrees(const Schedule& plan) {
        Buffer<double> passed(plan.passed);
        std::vector<std::int64_t> start = {0};
        for (const std::int32_t root : plan.subtrees) {
            start.push_back(start.back() + symbolic_.fronts[at(root)].update_size());
        }
        Pool<Workspace> pool([&] { return std::make_unique<Workspace>(plan.subtree_stack, unknowns()); });
        parallel_for(static_cast<std::int64_t>(plan.subtrees.size()), context_.threads, context_.monitor,
                     [&](std::int64_t i) {
                         auto workspace = pool.take();
                         const std::int32_t root = plan.subtrees[static_cast<std::size_t>(i)];
                         workspace->top = 0;
                         for (std::int32_t f = symbolic_.fronts[at(root)].subtree; f <= root; ++f) {
                             eliminate(f, *workspace, 1);
                         }
                         double* const to = passed.data() + start[static_cast<std::size_t>(i)];
                         std::copy_n(update_[at(root)], symbolic_.fronts[at(root)].update_size(), to);
                         update_[at(root)] = to;
                         pool.give(std::move(workspace));
                     });
        return passed;
    }

    void eliminate(std::int32_t f, Workspace& workspace, int threads) {
        const Front& front = symbolic_.fronts[at(f)];
        const double work = front.work();
        const Context context{work < parallel_work ? 1 : threads, context_.monitor};
        const Trapezoid L{values_ + front.value, front.rows(), front.columns};
        const Trapezoid U{workspace.stack + workspace.top, front.below, front.below};
        std::fill_n(L.data, front.panel_size(), 0.0);
        std::fill_n(U.data, front.update_size(), 0.0);
        for (std::int32_t r = 0; r < front.below; ++r) {
            workspace.local[at(symbolic_.rows[static_cast<std::size_t>(front.row + r)])] = front.columns + r;
        }
        add_entries(front, L, workspace);
        double* bottom = U.data;  // the place of the updates that the children passed on
        for (std::int32_t c = symbolic_.child[at(f)]; c >= 0; c = symbolic_.sibling[at(c)]) {
            add_update(symbolic_.fronts[at(c)], update_[at(c)], front, L, U, workspace, context);
            if (on_stack(update_[at(c)], workspace)) {
                bottom = std::min(bottom, update_[at(c)]);
            }
        }
        const std::int64_t good = factor_panel(L, context);
        if (good < front.columns) {
            throw FactorizationError("cholesky: the matrix is not positive definite (column " +
                                     std::to_string(front.first + good + 1) + " of " + std::to_string(unknowns()) +
                                     ")");
        }
        subtract_panel(L, U, context);
        if (bottom != U.data) {
            std::copy_n(U.data, front.update_size(), bottom);
        }
        update_[at(f)] = bottom;
        workspace.top = bottom - workspace.stack + front.update_size();
        finish(work);
    }

    static bool on_stack(const double* update, const Workspace& workspace) {
        return update >= workspace.stack && update < workspace.stack + workspace.top;
    }

    // Adds the entries of the matrix in the columns of the front.
    void add_entries(const Front& front, const Trapezoid& L, const Workspace& workspace) const {
        for (std::int32_t j = 0; j < front.columns; ++j) {
            double* const column = L.column(j);
            const std::int32_t row = symbolic_.order[at(front.first + j)];
            for (std::int64_t p = matrix_.row_start[row]; p < matrix_.row_start[row + 1]; ++p) {
                const std::int32_t place = symbolic_.place[at(matrix_.column[p])];
                if (place >= front.first + front.columns) {
                    column[workspace.local[at(place)]] += matrix_.value[p];
                } else if (place >= front.first + j) {
                    column[place - front.first] += matrix_.value[p];
                }
            }
        }
    }

    // Adds the update of a child to the panel and the update of its parent.
    void add_update(const Front& child, const double* update, const Front& front, const Trapezoid& L,
                    const Trapezoid& U, Workspace& workspace, const Context& context) const {
        find_runs(child, front, workspace);
        const Trapezoid from{const_cast<double*>(update), child.below, child.below};
        const auto add_runs = [&](std::size_t begin, std::size_t end) {
            for (std::size_t r = begin; r < end; ++r) {
                const Run& run = workspace.runs[r];
                for (std::int32_t k = 0; k < run.length; ++k) {
                    const std::int32_t to = run.to + k;
                    double* const column =
                        to < front.columns ? L.column(to) : U.column(to - front.columns) - front.columns;
                    const double* const source = from.column(run.from + k);
                    add(run.length - k, source + run.from + k, column + to);
                    for (std::size_t s = r + 1; s < workspace.runs.size(); ++s) {
                        const Run& below = workspace.runs[s];
                        add(below.length, source + below.from, column + below.to);
                    }
                }
            }
        };
        if (context.threads == 1) {
            add_runs(0, workspace.runs.size());
        } else {
            parallel_for(
                static_cast<std::int64_t>(workspace.runs.size()), context.threads, context.monitor,
                [&](std::int64_t r) { add_runs(static_cast<std::size_t>(r), static_cast<std::size_t>(r) + 1); });
        }
    }

    // Finds the rows of the child below its columns, as runs of rows that follow each other in both
    // fronts.
    void find_runs(const Front& child, const Front& front, Workspace& workspace) const {
        workspace.runs.clear();
        const std::int32_t* const rows = symbolic_.rows.data() + child.row;
        for (std::int32_t r = 0; r < child.below; ++r) {
            const std::int32_t row = rows[r];
            const std::int32_t to = row < front.first + front.columns ? row - front.first : workspace.local[at(row)];
            if (!workspace.runs.empty() && workspace.runs.back().length < longest_run &&
                workspace.runs.back().to + workspace.runs.back().length == to) {
                ++workspace.runs.back().length;
            } else {
                workspace.runs.push_back({r, to, 1});
            }
        }
    }

    static void add(std::int32_t count, const double* __restrict source, double* __restrict to) {
        for (std::int32_t i = 0; i < count; ++i) {
            to[i] += source[i];
        }
    }

    void finish(double work) {
        if (sets_fraction_) {
            double before = done_.load(std::memory_order_relaxed);
            while (!done_.compare_exchange_weak(before, before + work, std::memory_order_relaxed)) {
            }
            context_.monitor.set_fraction(std::min(1.0, (before + work) / symbolic_.work));
        }
        context_.monitor.poll();
    }

    const Symbolic& symbolic_;
    const Csr& matrix_;
    double* const values_;
    const Context context_;
    const bool sets_fraction_;
    std::vector<double*> update_;  // the update of each front that waits for its parent
    std::atomic<double> done_{0};
};

}  // namespace

double* CholeskyStorage::reserve(Buffer<double>& buffer, std::int64_t size) {
    if (buffer.size() < size) {
        buffer = Buffer<double>();
        buffer = Buffer<double>(size);
    }
    return buffer.data();
}

CholeskyFactor::CholeskyFactor(const CholeskyPlan& plan, const Csr& matrix, const Context& context,
                               CholeskyStorage& storage, bool sets_fraction)
    : symbolic_(plan.symbolic()),
      values_(CholeskyStorage::reserve(storage.values, symbolic_.values + readable_beyond)) {
    std::fill_n(storage.values.data() + symbolic_.values, readable_beyond, 0.0);
    const Schedule order = schedule(symbolic_, context.threads);
    double* const stack = CholeskyStorage::reserve(storage.stack, order.top_stack);
    Factorisation factorisation(symbolic_, matrix, storage.values.data(), {order.threads, context.monitor},
                                sets_fraction);
    factorisation.run(order, stack);
}

std::size_t CholeskyPlan::peak_bytes(int threads) const {
    const Schedule plan = schedule(symbolic_, threads);
    const auto n = static_cast<std::int64_t>(symbolic_.order.size());
    const auto workers = [&](const Schedule& s) {
        return std::min<std::int64_t>(threads, static_cast<std::int64_t>(s.subtrees.size()));
    };
    const std::int64_t stacks = plan.passed + std::max(workers(plan) * plan.subtree_stack, plan.top_stack);
    const std::int64_t maps = std::max<std::int64_t>(1, workers(plan)) * n / 2;
    const Schedule substitution = substitution_schedule(symbolic_);
    const std::int64_t vectors = n + plan.top_stack + std::max<std::int64_t>(1, workers(substitution)) * n;
    return symbolic_.bytes() +
           static_cast<std::size_t>(symbolic_.values + std::max(stacks + maps, vectors)) * sizeof(double);
}

}  // namespace trimatte
