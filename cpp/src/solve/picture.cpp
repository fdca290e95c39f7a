// From a picture to its alpha: the unknown regions are found, and each is solved in the way that
// the policy says.
#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>

#include "solve/components.hpp"
#include "solve/cut.hpp"
#include "solve/policy.hpp"
#include "solve/regions.hpp"
#include "trimatte/errors.hpp"
#include "trimatte/solve.hpp"

namespace trimatte {
namespace {

using Group = std::vector<const Region*>;

// Watches a system that is solved beside others, each on one thread. It asks the monitor of the
// call whether to stop.
class TaskMonitor : public Monitor {
public:
    explicit TaskMonitor(Monitor& call) : call_(call) {}

protected:
    bool report(const std::string&, double) override {
        call_.poll();
        return true;
    }

private:
    Monitor& call_;
};

// One linear system, and the attempts to solve it.
class System {
public:
    System(const Affinity& affinity, const Cut& cut, const SolveOptions& options, Monitor& monitor)
        : affinity_(affinity), cut_(cut), options_(options), monitor_(monitor) {}
    // Takes a system that has been made from the picture `cut`, or a part of it.
    System(const Affinity& affinity, const Cut& cut, Problem&& problem, const SolveOptions& options, Monitor& monitor)
        : System(affinity, cut, options, monitor) {
        problem_ = std::move(problem);
        is_given_ = true;
    }

    // Makes the attempts in order until one keeps its promise.
    PictureInfo solve() {
        PictureInfo info{};
        std::size_t peak = 0;
        std::int64_t iterations = 0;
        Affinity::Traits traits = affinity_.traits();
        traits.has_products = traits.has_products && !is_given_;
        const std::int64_t unknowns = is_given_ ? problem_->unknowns() : cut_.unknowns();
        for (const Attempt& attempt : attempts_for(unknowns, traits, options_)) {
            prepare(attempt.form());
            SolveOptions own = options_;
            own.solver = attempt.solver;
            own.max_iterations = std::min(attempt.max_iterations, options_.max_iterations - iterations);
            own.gives_way = attempt.if_it_fits;
            // A small system that nobody asked to factorise is not worth a look at the memory.
            own.memory = attempt.if_it_fits || options_.solver != Solver::automatic ? options_.memory : SIZE_MAX;
            const std::optional<SolveInfo> tried = attempt.if_it_fits ? if_possible(own) : run(own);
            if (!tried) {
                continue;
            }
            const SolveInfo& solved = *tried;
            peak = std::max({peak, problem_->peak_bytes, problem_->bytes() + solved.peak_bytes});
            iterations += solved.iterations;
            static_cast<SolveInfo&>(info) = solved;
            if (solved.converged || iterations >= options_.max_iterations) {
                break;
            }
        }
        info.iterations = info.solver == Solver::cholesky ? 0 : iterations;
        info.unknowns = problem_->unknowns();
        info.peak_bytes = peak + x_.size() * sizeof(double) + cut_.bytes();
        return info;
    }

    void write(const AlphaView& alpha) const {
        for (std::int64_t i = 0; i < problem_->unknowns(); ++i) {
            alpha.set(cut_.in_picture(problem_->pixel[i]), std::clamp(x_[static_cast<std::size_t>(i)], 0.0, 1.0));
        }
    }

private:
    SolveInfo run(const SolveOptions& options) { return trimatte::solve(*problem_, options, x_.data(), monitor_); }

    // Runs a factorisation. Returns nothing, and leaves x unchanged, if the factorisation needs too
    // much memory or if rounding makes it fail.
    std::optional<SolveInfo> if_possible(const SolveOptions& options) {
        const std::vector<double> before = x_;
        try {
            const SolveInfo solved = run(options);
            return solved.converged ? std::optional<SolveInfo>(solved) : std::nullopt;
        } catch (const FactorizationError&) {
            x_ = before;
            return std::nullopt;
        }
    }

    // Makes the problem in the form that an attempt takes, and the start at the first call. A given
    // problem stays as it is: multigrid makes a stencil from it.
    void prepare(Form form) {
        if (!is_given_ && !(problem_ && form_ == form)) {
            problem_.reset();
            form_ = form;
            problem_ = assemble(affinity_, cut_.image(), cut_.known(), form, {options_.threads, monitor_});
        }
        if (x_.empty()) {
            x_.reserve(static_cast<std::size_t>(problem_->unknowns()));
            for (const std::int32_t pixel : problem_->pixel) {
                x_.push_back(cut_.start(pixel));
            }
        }
    }

    const Affinity& affinity_;
    const Cut& cut_;
    const SolveOptions& options_;
    Monitor& monitor_;
    std::optional<Problem> problem_;
    Form form_ = Form::sparse;
    bool is_given_ = false;
    std::vector<double> x_;
};

// The regions of a picture, sorted by the way in which they are solved.
struct Plan {
    std::vector<Group> small;  // systems that are factorised side by side
    std::vector<Group> large;  // systems that are solved one after another
    Group constant;            // regions that are filled with 0 or 1 instead
};

// Puts small regions that lie near each other into one system. The result depends on the regions
// only.
std::vector<Group> grouped(Group small, std::int64_t reach, const ImageView& image) {
    constexpr std::int64_t unknowns_at_most = 2000;
    constexpr std::int64_t tile = 32;  // picture rows
    std::sort(small.begin(), small.end(), [](const Region* a, const Region* b) {
        const auto place = [](const Region* r) { return std::tuple(r->box.top / tile, r->box.left, r->begin); };
        return place(a) < place(b);
    });
    std::vector<Group> groups;
    std::int64_t unknowns = 0, pixels = 0;
    Box box{};
    for (const Region* region : small) {
        const Box own = region->box.grown(reach, image.height, image.width);
        const bool fits = !groups.empty() && unknowns + region->unknowns <= unknowns_at_most &&
                          box.with(own).pixels() <= 4 * (pixels + own.pixels()) + 4096;
        if (!fits) {
            groups.emplace_back();
            unknowns = pixels = 0;
            box = own;
        }
        groups.back().push_back(region);
        unknowns += region->unknowns;
        pixels += own.pixels();
        box = box.with(own);
    }
    return groups;
}

// Whether the prior has a positive confidence at a pixel of the region.
bool has_prior(const Region& region, const Known& known, std::int64_t width) {
    const auto says_something = [&](const Run& run) {
        const float* confidence = known.prior.confidence + run.y * width;
        return std::any_of(confidence + run.x_begin, confidence + run.x_end, [](float c) { return c > 0; });
    };
    return known.prior && std::any_of(region.begin, region.end, says_something);
}

Plan plan_of(const Regions& regions, const Affinity::Traits& traits, const ImageView& image, const Known& known,
             const SolveOptions& options) {
    // If the box of a small region has more pixels than this for each unknown, cutting the box out
    // would cost more than the solution. All such regions become one system.
    constexpr std::int64_t sprawl = 1000;
    Plan plan;
    Group small, sprawling;
    for (const Region& region : regions.all()) {
        const bool is_constant = region.meets_foreground != region.meets_background;
        if (is_constant && traits.constant_regions && !has_prior(region, known, image.width)) {
            plan.constant.push_back(&region);
        } else if (!is_small(region.unknowns, traits, options)) {
            plan.large.push_back({&region});
        } else if (region.box.pixels() > sprawl * region.unknowns + 65536) {
            sprawling.push_back(&region);
        } else {
            small.push_back(&region);
        }
    }
    plan.small = grouped(std::move(small), traits.reach, image);
    if (!sprawling.empty()) {
        plan.large.push_back(std::move(sprawling));
    }
    if (plan.small.size() == 1) {  // a single system leaves nothing to share among threads
        plan.large.push_back(std::move(plan.small.front()));
        plan.small.clear();
    }
    return plan;
}

using Parts = std::vector<std::vector<const Component*>>;

// Puts small components into systems of up to 2,000 unknowns, in order.
Parts grouped(const std::vector<const Component*>& small) {
    constexpr std::int64_t unknowns_at_most = 2000;
    Parts groups;
    std::int64_t unknowns = 0;
    for (const Component* component : small) {
        if (groups.empty() || unknowns + component->unknowns() > unknowns_at_most) {
            groups.emplace_back();
            unknowns = 0;
        }
        groups.back().push_back(component);
        unknowns += component->unknowns();
    }
    return groups;
}

// Whether the matrix maps constants on a component to zero, but for rounding. Whether a factorisation
// of such a matrix fails depends on rounding, too.
bool has_constant_null_vector(const Component& component, const Csr& matrix) {
    return std::all_of(component.begin, component.end, [&](std::int32_t i) {
        double sum = 0, size = 0;
        for (std::int64_t k = matrix.row_start[i]; k < matrix.row_start[i + 1]; ++k) {
            sum += matrix.value[k];
            size += std::abs(matrix.value[k]);
        }
        return std::abs(sum) <= 1e-12 * size;
    });
}

// Throws FactorizationError for a component that no known pixel and no prior reaches.
[[noreturn]] void refuse(const Component& component, const Problem& problem) {
    const std::int32_t pixel = problem.pixel[*component.begin];
    throw FactorizationError("trimap: expected known pixels, or a prior, for every unknown region, got " +
                             std::to_string(component.unknowns()) +
                             " unknown pixels that the affinity couples to each other only, the first of them (" +
                             std::to_string(pixel / problem.width) + ", " + std::to_string(pixel % problem.width) +
                             "); mark one of them, or give a prior");
}

// Solves all regions of one picture.
class PictureSolve {
public:
    PictureSolve(const Affinity& affinity, const ImageView& image, const Known& known, const float* start,
                 const AlphaView& alpha, const SolveOptions& options, Monitor& monitor)
        : affinity_(affinity),
          image_(image),
          known_(known),
          start_(start),
          alpha_(alpha),
          options_(options),
          monitor_(monitor) {}

    // Solves all unknowns of the picture as one system.
    PictureInfo whole() {
        add(solve(Cut(image_, known_, start_), options_, monitor_), 1);
        return info_;
    }

    // Solves the components of the system's own graph, each in the way that the policy chooses.
    PictureInfo by_components() {
        const Context context{options_.threads, monitor_};
        const Cut cut(image_, known_, start_);
        Problem problem = assemble(affinity_, image_, known_, Form::sparse, context);
        monitor_.phase("regions");
        const Components components(problem, context);
        const Affinity::Traits traits = affinity_.traits();
        std::vector<const Component*> small;
        Parts large;
        for (const Component& component : components.all()) {
            const bool has_prior = has_prior_at(component, problem);
            const bool is_loose = !component.meets_foreground && !component.meets_background && !has_prior;
            if (is_loose && (traits.constant_regions || has_constant_null_vector(component, problem.matrix))) {
                refuse(component, problem);  // any constant is a solution
            }
            if (component.meets_foreground != component.meets_background && traits.constant_regions && !has_prior) {
                fill(component, problem);
            } else if (is_small(component.unknowns(), traits, options_)) {
                small.push_back(&component);
            } else {
                large.push_back({&component});
            }
        }
        Parts groups = grouped(small);
        if (groups.size() == 1) {  // a single system leaves nothing to share among threads
            large.push_back(std::move(groups.front()));
            groups.clear();
        }
        solve_side_by_side(groups, [&](const auto& group, const SolveOptions& options, Monitor& monitor) {
            return solve(cut, components.part_of(problem, group, {options.threads, monitor}), options, monitor);
        });
        for (std::size_t i = 0; i < large.size(); ++i) {
            const auto unknowns = large[i].size() == 1 ? large[i].front()->unknowns() : 0;
            const bool is_all = unknowns == problem.unknowns();
            Problem part = is_all ? std::move(problem) : components.part_of(problem, large[i], context);
            if (!is_all && i + 1 == large.size()) {
                problem = Problem();
            }
            add(solve(cut, std::move(part), options_, monitor_), static_cast<std::int64_t>(large[i].size()));
        }
        info_.peak_bytes += components.bytes() + problem.bytes();
        monitor_.finish();
        return info_;
    }

    // Finds the regions and solves each in the way that plan_of() and the policy choose.
    PictureInfo by_regions() {
        monitor_.phase("regions");
        const std::int64_t reach = affinity_.traits().reach;
        const Context context{options_.threads, monitor_};
        const Regions regions(known_.labels, image_.height, image_.width, reach, context);
        const Plan plan = plan_of(regions, affinity_.traits(), image_, known_, options_);
        for (const Region* region : plan.constant) {
            fill(*region);
        }
        solve_side_by_side(plan.small, [&](const Group& group, const SolveOptions& options, Monitor& monitor) {
            return solve(Cut(image_, known_, start_, group, reach), options, monitor);
        });
        const bool is_alone = plan.small.empty() && plan.constant.empty() && plan.large.size() == 1;
        for (const Group& group : plan.large) {
            const auto count = static_cast<std::int64_t>(group.size());
            add(is_alone ? solve(Cut(image_, known_, start_), options_, monitor_)
                         : solve(Cut(image_, known_, start_, group, reach), options_, monitor_),
                count);
        }
        info_.peak_bytes += regions.bytes();
        monitor_.finish();
        return info_;
    }

private:
    PictureInfo solve(const Cut& cut, const SolveOptions& options, Monitor& monitor) const {
        return solved(System(affinity_, cut, options, monitor));
    }
    PictureInfo solve(const Cut& cut, Problem&& part, const SolveOptions& options, Monitor& monitor) const {
        return solved(System(affinity_, cut, std::move(part), options, monitor));
    }
    PictureInfo solved(System&& system) const {
        const PictureInfo info = system.solve();
        system.write(alpha_);
        return info;
    }

    // Calls solve_group(group, options, monitor) for groups of regions or components. Each gets one
    // thread, which avoids waiting at the ends of thousands of short loops.
    template <class Groups, class SolveGroup>
    void solve_side_by_side(const Groups& groups, const SolveGroup& solve_group) {
        if (groups.empty()) {
            return;
        }
        monitor_.phase("small regions");
        std::vector<PictureInfo> infos(groups.size());
        SolveOptions options = options_;
        options.threads = 1;
        const auto count = static_cast<std::int64_t>(groups.size());
        parallel_for(count, options_.threads, monitor_, [&](std::int64_t i) {
            const auto at = static_cast<std::size_t>(i);
            TaskMonitor monitor(monitor_);
            infos[at] = solve_group(groups[at], options, monitor);
            monitor_.set_fraction(static_cast<double>(i) / static_cast<double>(count));
        });
        for (std::size_t i = 0; i < groups.size(); ++i) {
            infos[i].peak_bytes *= static_cast<std::size_t>(std::min<std::int64_t>(options_.threads, count));
            add(infos[i], static_cast<std::int64_t>(groups[i].size()));
        }
    }

    // Whether the prior has a positive confidence at an unknown of the component.
    bool has_prior_at(const Component& component, const Problem& problem) const {
        const auto says_something = [&](std::int32_t i) { return known_.prior.confidence[problem.pixel[i]] > 0; };
        return known_.prior && std::any_of(component.begin, component.end, says_something);
    }

    // Fills a region or component that meets known pixels of one kind only with the value of that
    // kind.
    void fill(const Component& component, const Problem& problem) {
        ++(component.meets_foreground ? info_.constant_foreground : info_.constant_background);
        info_.unknowns += component.unknowns();
        for (const std::int32_t* i = component.begin; i != component.end; ++i) {
            alpha_.set(problem.pixel[*i], component.meets_foreground ? 1 : 0);
        }
    }
    void fill(const Region& region) {
        ++(region.meets_foreground ? info_.constant_foreground : info_.constant_background);
        info_.unknowns += region.unknowns;
        for (const Run* run = region.begin; run != region.end; ++run) {
            for (std::int64_t x = run->x_begin; x < run->x_end; ++x) {
                alpha_.set(run->y * image_.width + x, region.meets_foreground ? 1 : 0);
            }
        }
    }

    // Adds the info of a system that has `regions` regions.
    void add(const PictureInfo& one, std::int64_t regions) {
        const std::int64_t solved_before = solved_[static_cast<int>(info_.solver)];
        std::int64_t& solved = solved_[static_cast<int>(one.solver)];
        solved += one.unknowns;
        info_.solver = solved >= solved_before ? one.solver : info_.solver;
        info_.converged = info_.converged && one.converged;
        info_.iterations = std::max(info_.iterations, one.iterations);
        info_.relative_residual = std::max(info_.relative_residual, one.relative_residual);
        info_.error_estimate = std::max(info_.error_estimate, one.error_estimate);
        info_.peak_bytes = std::max(info_.peak_bytes, one.peak_bytes);
        info_.operator_complexity = std::max(info_.operator_complexity, one.operator_complexity);
        info_.unknowns += one.unknowns;
        info_.regions_of[static_cast<int>(one.solver)] += regions;
    }

    const Affinity& affinity_;
    const ImageView& image_;
    const Known& known_;
    const float* start_;
    const AlphaView& alpha_;
    const SolveOptions& options_;
    Monitor& monitor_;
    PictureInfo info_{{Solver::automatic, true, 0, 0, 0, 0}};
    std::int64_t solved_[solvers] = {};  // unknowns that each solver has solved
};

}  // namespace

SolveInfo solve(const Problem& problem, const SolveOptions& options, double* x, Monitor& monitor) {
    Solver solver = options.solver;
    if (solver == Solver::automatic) {
        solver = problem.stencil ? Solver::multigrid : choose(problem.unknowns(), problem.reach);
    }
    if (problem.products) {
        return matrix_free(problem, options, x, monitor);
    }
    if (problem.stencil && solver != Solver::multigrid) {
        throw std::invalid_argument("problem: expected a matrix for this solver, got a stencil");
    }
    switch (solver) {
        case Solver::cholesky: return cholesky(problem, options, x, monitor);
        case Solver::multigrid: return multigrid(problem, options, x, monitor);
        case Solver::graph_multigrid: return graph_multigrid(problem, options, x, monitor);
        default: return jacobi(problem, options, x, monitor);
    }
}

PictureInfo solve_picture(const Affinity& affinity, const ImageView& image, const Known& known, const float* start,
                          const AlphaView& alpha, const SolveOptions& options, Monitor& monitor) {
    affinity.check(image);
    PictureSolve picture(affinity, image, known, start, alpha, options, monitor);
    const Affinity::Traits traits = affinity.traits();
    if (known.is_soft()) {
        return picture.whole();
    }
    const bool has_geometry = traits.has_planes || (traits.is_local && traits.reach > 0);
    return has_geometry ? picture.by_regions() : picture.by_components();
}

}  // namespace trimatte
