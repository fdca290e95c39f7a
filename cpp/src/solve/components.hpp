// The components of a system's own graph. Each of them is a linear system of its own. This header
// is private to this folder.
//
// They are to affinities that couple pixels over any distance what Regions are to the others.
#pragma once

#include <cstdint>
#include <vector>

#include "trimatte/parallel.hpp"
#include "trimatte/problem.hpp"

namespace trimatte {

// Unknowns that entries of the matrix connect, directly or through others.
struct Component {
    const std::int32_t* begin;  // the unknowns, ascending
    const std::int32_t* end;
    // Whether an entry couples an unknown to a known pixel of this kind.
    bool meets_foreground, meets_background;

    std::int64_t unknowns() const { return end - begin; }
};

class Components {
public:
    // Takes a problem of sparse rows that has Problem::meets. The components are in the order of
    // their first unknowns. They do not depend on the number of threads.
    Components(const Problem& problem, const Context& context);

    const std::vector<Component>& all() const { return components_; }
    // Returns the system of some components of the problem, with the unknowns in ascending order.
    Problem part_of(const Problem& whole, const std::vector<const Component*>& components,
                    const Context& context) const;
    std::size_t bytes() const { return unknown_.bytes() + place_.bytes() + components_.size() * sizeof(Component); }

private:
    Buffer<std::int32_t> unknown_;  // sorted by component, then by number
    Buffer<std::int32_t> place_;    // the place of each unknown among those of its component
    std::vector<Component> components_;
};

}  // namespace trimatte
