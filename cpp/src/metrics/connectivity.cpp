// Connectivity error of Rhemann et al., "A Perceptually Motivated Online Benchmark for Image
// Matting", CVPR 2009, section 5. The components of all levels form a tree. Union-find builds it
// from the highest level down and looks at every pixel once, whatever the number of levels.
#include <algorithm>
#include <cmath>
#include <vector>

#include "trimatte/buffer.hpp"
#include "trimatte/metrics.hpp"

namespace trimatte {
namespace {

// A set of connected pixels. It is a component of the levels from `highest` down to the one above
// its parent's `highest`.
struct Component {
    int highest;
    std::int32_t parent;  // index of the component that takes it in; -1 for the whole picture
    std::int32_t first;   // index of its first pixel
    std::int32_t size;    // number of its pixels

    // If two components have one size, the one that comes first counts as larger.
    bool is_larger(const Component& other) const {
        return size != other.size ? size > other.size : first < other.first;
    }
};

class ComponentTree {
public:
    ComponentTree(const Mattes& mattes, int levels, Monitor& monitor)
        : mattes_(mattes),
          levels_(levels),
          monitor_(monitor),
          leader_(mattes.pixels()),
          size_(mattes.pixels()),
          latest_(mattes.pixels()),
          made_with_(mattes.pixels()),
          largest_(static_cast<std::size_t>(levels) + 1) {
        std::fill(leader_.begin(), leader_.end(), -1);
        std::fill(latest_.begin(), latest_.end(), -1);
        const std::int64_t size = mattes.pixels();
        Buffer<std::uint8_t> level(size);
        std::vector<std::int64_t> begin(static_cast<std::size_t>(levels) + 2, 0);
        for (std::int64_t p = 0; p < size; ++p) {
            poll(p);
            level[p] = level_of(std::min(mattes.alpha[p], mattes.truth[p]));
            ++begin[level[p] + std::size_t{1}];
        }
        for (std::size_t l = 1; l < begin.size(); ++l) {
            begin[l] += begin[l - 1];
        }
        Buffer<std::int32_t> by_level(size);
        std::vector<std::int64_t> next = begin;
        for (std::int64_t p = 0; p < size; ++p) {
            by_level[next[level[p]]++] = static_cast<std::int32_t>(p);
        }
        for (std::size_t l = largest_.size(); l-- > 0;) {
            grow(static_cast<int>(l), by_level.data() + begin[l], by_level.data() + begin[l + 1]);
        }
        find_connected();
    }

    // Returns the level up to which a pixel is part of the largest component.
    int connected(std::int64_t p) const { return connected_[static_cast<std::size_t>(made_with_[p])]; }

private:
    // Returns the highest level that is <= a.
    std::uint8_t level_of(double a) const {
        int l = std::clamp(static_cast<int>(a * levels_), 0, levels_);
        if (l < levels_ && a >= static_cast<double>(l + 1) / levels_) {
            ++l;
        } else if (l > 0 && a < static_cast<double>(l) / levels_) {
            --l;
        }
        return static_cast<std::uint8_t>(l);
    }
    void poll(std::int64_t step) const {
        if (step % (1 << 18) == 0) {
            monitor_.poll();
        }
    }
    std::int32_t find(std::int32_t p) {
        while (leader_[p] != p) {
            leader_[p] = leader_[leader_[p]];
            p = leader_[p];
        }
        return p;
    }
    // The first pixel of a set leads it, so that it names the component. Pixels of lower levels
    // have no leader yet.
    void join(std::int32_t p, std::int32_t q) {
        if (leader_[q] < 0) {
            return;
        }
        const auto [first, second] = std::minmax({find(p), find(q)});
        if (first != second) {
            leader_[second] = first;
            size_[first] += size_[second];
        }
    }
    // Adds the pixels of a level, makes the components that are new with them, and finds the
    // largest component.
    void grow(int level, const std::int32_t* pixels, const std::int32_t* end) {
        const auto width = static_cast<std::int32_t>(mattes_.width);
        const auto count = static_cast<std::int32_t>(mattes_.pixels());
        for (const std::int32_t* i = pixels; i != end; ++i) {
            poll(i - pixels);
            const std::int32_t p = *i, x = p % width;
            leader_[p] = p;
            size_[p] = 1;
            if (x > 0) join(p, p - 1);
            if (x + 1 < width) join(p, p + 1);
            if (p >= width) join(p, p - width);
            if (p < count - width) join(p, p + width);
        }
        const auto old = static_cast<std::int32_t>(components_.size());
        for (const std::int32_t* i = pixels; i != end; ++i) {
            poll(i - pixels);
            const std::int32_t first = find(*i);
            if (latest_[first] < old) {
                latest_[first] = static_cast<std::int32_t>(components_.size());
                components_.push_back({level, -1, first, size_[first]});
            }
            made_with_[*i] = latest_[first];
        }
        std::vector<std::int32_t> still;
        for (const std::int32_t c : roots_) {
            poll(c);
            Component& component = components_[static_cast<std::size_t>(c)];
            const std::int32_t now = latest_[find(component.first)];
            if (now == c) {
                still.push_back(c);
            } else {
                component.parent = now;
            }
        }
        for (auto c = old; c < static_cast<std::int32_t>(components_.size()); ++c) {
            still.push_back(c);
        }
        roots_ = std::move(still);
        const auto smaller = [&](std::int32_t a, std::int32_t b) {
            return components_[static_cast<std::size_t>(b)].is_larger(components_[static_cast<std::size_t>(a)]);
        };
        largest_[static_cast<std::size_t>(level)] =
            roots_.empty() ? -1 : *std::max_element(roots_.begin(), roots_.end(), smaller);
    }
    // Finds the level up to which the pixels of each component are part of the largest, from the
    // whole picture upwards.
    void find_connected() {
        connected_.resize(components_.size());
        for (std::size_t c = components_.size(); c-- > 0;) {
            const Component& component = components_[c];
            const bool is_whole = component.parent < 0;
            const int below = is_whole ? -1 : components_[static_cast<std::size_t>(component.parent)].highest;
            const int up_to = is_whole ? -1 : connected_[static_cast<std::size_t>(component.parent)];
            // A component that is the largest at the lowest of its levels is so at all of them,
            // since the others shrink.
            const bool goes_on =
                up_to == below && largest_[static_cast<std::size_t>(below + 1)] == static_cast<std::int32_t>(c);
            connected_[c] = goes_on ? component.highest : up_to;
        }
    }

    const Mattes& mattes_;
    int levels_;
    Monitor& monitor_;
    Buffer<std::int32_t> leader_;        // union-find; -1 if the pixel has not been added yet
    Buffer<std::int32_t> size_;          // number of pixels of a leader's set
    Buffer<std::int32_t> latest_;        // a leader's component, -1 before there is one
    Buffer<std::int32_t> made_with_;     // the component of a pixel after its level was added
    std::vector<Component> components_;  // parents after their children
    std::vector<std::int32_t> roots_;    // components without a parent so far
    std::vector<std::int32_t> largest_;  // the largest component of each level
    std::vector<int> connected_;
};

}  // namespace

double connectivity_error(const Mattes& mattes, int levels, double theta, Monitor& monitor) {
    const ComponentTree tree(mattes, levels, monitor);
    const auto phi = [&](double a, double l) { return a - l >= theta ? 1 - (a - l) : 1; };
    double sum = 0;
    for (std::int64_t y = 0; y < mattes.height; ++y) {
        double in_row = 0;
        for (std::int64_t p = y * mattes.width; p < (y + 1) * mattes.width; ++p) {
            if (mattes.region[p]) {
                const double l = static_cast<double>(tree.connected(p)) / levels;
                in_row += std::fabs(phi(mattes.alpha[p], l) - phi(mattes.truth[p], l));
            }
        }
        sum += in_row;
    }
    return sum;
}

}  // namespace trimatte
