// Numeric part of the multifrontal method (Liu, SIAM Review 34(1), 1992). A front gathers the matrix's entries in its
// columns and what its children pass on, eliminates its columns, and passes what is left, its update, to its parent.
// Updates wait on a stack: children are worked through just before their parent.
#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "solve/cholesky/cholesky.hpp"
#include "trimatte/errors.hpp"

namespace trimatte {
namespace {

constexpr double parallel_work = 4e6;  // multiply-adds of a front from which several threads are worth waking

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

// What one thread needs while it works through fronts.
struct Workspace {
    Buffer<double> stack;
    std::int64_t top = 0;
    std::vector<std::int32_t> local;  // row of the matrix -> row of the present front
    std::vector<std::int32_t> rows;   // of a child's update in the present front

    Workspace(std::int64_t stack_size, std::int32_t unknowns) : stack(stack_size), local(at(unknowns)) {}
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

    void run(const Schedule& plan) {
        std::vector<Buffer<double>> passed(symbolic_.fronts.size());
        run_subtrees(plan, passed);
        Workspace workspace(plan.top_stack, unknowns());
        for (const std::int32_t f : plan.top) {
            eliminate(f, workspace, context_.threads);
            for (std::int32_t c = symbolic_.child[at(f)]; c >= 0; c = symbolic_.sibling[at(c)]) {
                passed[at(c)] = Buffer<double>();
            }
        }
    }

private:
    std::int32_t unknowns() const { return static_cast<std::int32_t>(symbolic_.order.size()); }

    void run_subtrees(const Schedule& plan, std::vector<Buffer<double>>& passed) {
        std::vector<std::unique_ptr<Workspace>> free;
        std::mutex mutex;
        parallel_for(static_cast<std::int64_t>(plan.subtrees.size()), context_.threads, context_.monitor,
                     [&](std::int64_t i) {
                         std::unique_ptr<Workspace> workspace;
                         {
                             const std::lock_guard<std::mutex> lock(mutex);
                             if (!free.empty()) {
                                 workspace = std::move(free.back());
                                 free.pop_back();
                             }
                         }
                         if (!workspace) {
                             workspace = std::make_unique<Workspace>(plan.subtree_stack, unknowns());
                         }
                         const std::int32_t root = plan.subtrees[static_cast<std::size_t>(i)];
                         workspace->top = 0;
                         for (std::int32_t f = symbolic_.fronts[at(root)].subtree; f <= root; ++f) {
                             eliminate(f, *workspace, 1);
                         }
                         const std::int64_t size = symbolic_.fronts[at(root)].update_size();
                         if (size > 0) {
                             passed[at(root)] = Buffer<double>(size);
                             std::copy_n(update_[at(root)], size, passed[at(root)].data());
                             update_[at(root)] = passed[at(root)].data();
                         }
                         const std::lock_guard<std::mutex> lock(mutex);
                         free.push_back(std::move(workspace));
                     });
    }

    void eliminate(std::int32_t f, Workspace& workspace, int threads) {
        const Front& front = symbolic_.fronts[at(f)];
        const double work = front.work();
        const Context context{work < parallel_work ? 1 : threads, context_.monitor};
        const Trapezoid L{values_ + front.value, front.rows(), front.columns};
        const Trapezoid U{workspace.stack.data() + workspace.top, front.below, front.below};
        std::fill_n(L.data, front.panel_size(), 0.0);
        std::fill_n(U.data, front.update_size(), 0.0);
        for (std::int32_t r = 0; r < front.below; ++r) {
            workspace.local[at(symbolic_.rows[static_cast<std::size_t>(front.row + r)])] = front.columns + r;
        }
        add_entries(front, L, workspace);
        double* bottom = U.data;  // of what the children passed on
        for (std::int32_t c = symbolic_.child[at(f)]; c >= 0; c = symbolic_.sibling[at(c)]) {
            add_update(symbolic_.fronts[at(c)], update_[at(c)], front, L, U, workspace, context);
            if (update_[at(c)] >= workspace.stack.data() && update_[at(c)] < bottom) {
                bottom = update_[at(c)];
            }
        }
        const std::int64_t good = factor_panel(L, context);
        if (good < front.columns) {
            throw FactorizationError("cholesky: the matrix is not positive definite (column " +
                                     std::to_string(front.first + good + 1) + " of " + std::to_string(unknowns()) +
                                     ")");
        }
        subtract_panel(L, U, context);
        std::copy_n(U.data, front.update_size(), bottom);
        update_[at(f)] = bottom;
        workspace.top = bottom - workspace.stack.data() + front.update_size();
        finish(work);
    }

    // The matrix's entries in the front's columns.
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

    // Adds a child's update to its parent's panel and update.
    void add_update(const Front& child, const double* update, const Front& front, const Trapezoid& L,
                    const Trapezoid& U, Workspace& workspace, const Context& context) const {
        std::vector<std::int32_t>& rows = workspace.rows;
        rows.resize(at(child.below));
        for (std::int32_t r = 0; r < child.below; ++r) {
            const std::int32_t row = symbolic_.rows[static_cast<std::size_t>(child.row + r)];
            rows[at(r)] = row < front.first + front.columns ? row - front.first : workspace.local[at(row)];
        }
        const Trapezoid from{const_cast<double*>(update), child.below, child.below};
        const auto add_columns = [&](std::int32_t begin, std::int32_t end) {
            for (std::int32_t j = begin; j < end; ++j) {
                const std::int32_t to = rows[at(j)];
                double* const column = to < front.columns ? L.column(to) : U.column(to - front.columns) - front.columns;
                const double* const source = from.column(j);
                for (std::int32_t i = j; i < child.below; ++i) {
                    column[rows[at(i)]] += source[i];
                }
            }
        };
        constexpr std::int32_t at_once = 64;
        if (context.threads == 1) {
            add_columns(0, child.below);
        } else {
            parallel_for((child.below + at_once - 1) / at_once, context.threads, context.monitor, [&](std::int64_t i) {
                const auto begin = static_cast<std::int32_t>(i) * at_once;
                add_columns(begin, std::min(child.below, begin + at_once));
            });
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
    std::vector<double*> update_;  // of each front that waits for its parent
    std::atomic<double> done_{0};
};

}  // namespace

CholeskyFactor::CholeskyFactor(const CholeskyPlan& plan, const Csr& matrix, const Context& context, bool sets_fraction)
    : symbolic_(plan.symbolic()), values_(symbolic_.values + readable_beyond) {
    std::fill(values_.end() - readable_beyond, values_.end(), 0.0);
    with_team(context.threads, [&] {
        Factorisation(symbolic_, matrix, values_.data(), context, sets_fraction)
            .run(schedule(symbolic_, context.threads));
    });
    peak_bytes_ = plan.peak_bytes(context.threads);
}

std::size_t CholeskyPlan::peak_bytes(int threads) const {
    const Schedule plan = schedule(symbolic_, threads);
    const std::int64_t workers = std::min<std::int64_t>(threads, static_cast<std::int64_t>(plan.subtrees.size()));
    const std::int64_t stacks = plan.passed + std::max(workers * plan.subtree_stack, plan.top_stack);
    const std::size_t n = symbolic_.order.size();
    return symbolic_.bytes() + static_cast<std::size_t>(symbolic_.values + stacks) * sizeof(double) +
           static_cast<std::size_t>(std::max<std::int64_t>(1, workers)) * n * sizeof(std::int32_t) +
           2 * n * sizeof(double);
}

}  // namespace trimatte
