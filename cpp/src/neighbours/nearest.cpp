#include "neighbours/nearest.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace trimatte {
namespace {

constexpr std::int64_t leaf_points = simd::PointTree::leaf_points;
constexpr std::int64_t children = simd::PointTree::children;
constexpr int most_dimensions = simd::PointTree::most_dimensions;
// Queries of a chunk; a chunk takes a few milliseconds at most in few dimensions.
constexpr std::int64_t queries_at_once = 64;
// A part of the tree with at most this number of points is split by one thread.
constexpr std::int64_t points_of_task = 16384;

void check_dimensions(int dimensions) {
    if (dimensions < 2 || dimensions > most_dimensions) {
        throw std::invalid_argument("points: expected 2 to 16 dimensions, got " + std::to_string(dimensions));
    }
}

void check_numbers(const float* numbers, std::int64_t rows, int dimensions, const char* name, const Context& context) {
    parallel_ranges(rows, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        const auto is_bad = [](float v) { return !(std::abs(v) <= Nearest::largest); };
        const float* found = std::find_if(numbers + begin * dimensions, numbers + end * dimensions, is_bad);
        if (found != numbers + end * dimensions) {
            throw std::invalid_argument(std::string(name) + ": expected finite numbers of at most 1e18, got " +
                                        std::to_string(*found) + " in row " +
                                        std::to_string((found - numbers) / dimensions));
        }
    });
}

// Some of the points, which form one or more neighbouring children of a node; each child holds
// `unit` points, but the last of all may hold fewer.
struct Range {
    std::int64_t begin, end, unit;

    std::int64_t size() const { return end - begin; }
};

// What splitting a range needs besides; it is kept for the next one.
struct Room {
    std::vector<float> value, middle;
    std::vector<std::int32_t> number;
};

// Sorts the numbers of the points into the order of the leaves. A row of the points has `width`
// floats, or any number of them if this is 0.
template <int width>
class Splitter {
public:
    Splitter(const float* points, int dimensions, std::int32_t* order)
        : points_(points), dimensions_(width > 0 ? width : dimensions), order_(order) {}

    // Splits a range in two, across the widest side of its box. Returns the border.
    std::int64_t split(const Range& range, Room& room) const {
        const std::int64_t units = (range.size() + range.unit - 1) / range.unit;
        const std::int64_t left = (units + 1) / 2 * range.unit;
        const Side side = widest(range);
        room.number.assign(order_ + range.begin, order_ + range.end);
        room.value.resize(room.number.size());
        const float* column = points_ + side.dimension;
        std::transform(room.number.begin(), room.number.end(), room.value.begin(),
                       [&](std::int32_t p) { return column[std::int64_t{p} * dimensions()]; });
        const Border border = find_border(room, left, side);
        if (border.left_equal == border.equal) {
            part(range, room, [&](float v) { return v <= border.value; });
        } else {
            part(range, room, [&, rest = border.left_equal](float v) mutable {
                return v < border.value || (v == border.value && rest-- > 0);
            });
        }
        return range.begin + left;
    }

    // Splits a range until each part is a leaf.
    void split_all(Range range, Room& room) const {
        while (range.unit > leaf_points && range.size() <= range.unit) {
            range.unit /= children;
        }
        if (range.size() > range.unit) {
            const std::int64_t border = split(range, room);
            split_all({range.begin, border, range.unit}, room);
            split_all({border, range.end, range.unit}, room);
        }
    }

private:
    struct Side {
        int dimension;
        float low, high;
    };
    // The points on the left are those with lower values and the first `left_equal` ones of those that
    // have this value.
    struct Border {
        float value;
        std::int64_t equal, left_equal;
    };

    // Writes the numbers of the points on the left to the front of a range, and the others behind
    // them. Each number goes to both places, and one of them is kept.
    template <class IsLeft>
    void part(const Range& range, const Room& room, IsLeft is_left) const {
        std::int32_t* front = order_ + range.begin;
        std::int32_t* back = order_ + range.end - 1;
        for (std::size_t i = 0; i < room.number.size(); ++i) {
            *front = *back = room.number[i];
            const std::ptrdiff_t left = is_left(room.value[i]) ? 1 : 0;
            front += left;
            back -= 1 - left;
        }
    }

    int dimensions() const { return width > 0 ? width : dimensions_; }

    // Finds the border behind the `left` lowest values. The interval that holds it is narrowed by
    // counting, which needs no branches, until few values lie in it.
    static Border find_border(Room& room, std::int64_t left, const Side& side) {
        const float* value = room.value.data();
        const auto size = static_cast<std::int64_t>(room.value.size());
        constexpr float nowhere = std::numeric_limits<float>::infinity();
        float low = -nowhere, high = nowhere;           // the border is in (low, high]
        std::int64_t up_to_low = 0, up_to_high = size;  // the numbers of values that are <= low and <= high
        float from = side.low, to = side.high;
        for (int step = 0; step < 12 && up_to_high - up_to_low > size / 32 + 4; ++step) {
            const double part = static_cast<double>(left - up_to_low) / static_cast<double>(up_to_high - up_to_low);
            const float at = from + (to - from) * static_cast<float>(step % 3 == 2 ? 0.5 : part);
            const std::int64_t count = count_at_most(value, size, at);
            if (count >= left) {
                to = high = at;
                up_to_high = count;
            } else {
                from = low = at;
                up_to_low = count;
            }
        }
        std::vector<float>& middle = room.middle;
        middle.resize(static_cast<std::size_t>(size) + 1);
        std::size_t between = 0;
        for (std::int64_t i = 0; i < size; ++i) {
            middle[between] = value[i];
            between += static_cast<std::size_t>(value[i] > low) & static_cast<std::size_t>(value[i] <= high);
        }
        middle.resize(between);
        const auto nth = middle.begin() + (left - up_to_low - 1);
        std::nth_element(middle.begin(), nth, middle.end());
        const auto lower = std::count_if(middle.begin(), nth, [&](float v) { return v < *nth; });
        return {*nth, std::count(middle.begin(), middle.end(), *nth), left - up_to_low - lower};
    }

    static std::int64_t count_at_most(const float* value, std::int64_t size, float limit) {
        std::int32_t count = 0;
        for (std::int64_t i = 0; i < size; ++i) {
            count += value[i] <= limit ? 1 : 0;
        }
        return count;
    }

    // Returns the widest side of the box around some of the points.
    Side widest(const Range& range) const {
        constexpr std::int64_t sampled = 128;
        const std::int64_t step = std::max<std::int64_t>(1, range.size() / sampled);
        float low[most_dimensions], high[most_dimensions];
        const float* first = points_ + std::int64_t{order_[range.begin]} * dimensions();
        std::copy(first, first + dimensions(), low);
        std::copy(first, first + dimensions(), high);
        for (std::int64_t i = range.begin + step; i < range.end; i += step) {
            const float* p = points_ + std::int64_t{order_[i]} * dimensions();
            for (int c = 0; c < dimensions(); ++c) {
                low[c] = p[c] < low[c] ? p[c] : low[c];
                high[c] = p[c] > high[c] ? p[c] : high[c];
            }
        }
        int best = 0;
        for (int c = 1; c < dimensions(); ++c) {
            best = high[c] - low[c] > high[best] - low[best] ? c : best;
        }
        return {best, low[best], high[best]};
    }

    const float* points_;
    int dimensions_;
    std::int32_t* order_;
};

// Sorts a range into leaves. Its points are copied first, so that they lie near each other, and the
// number of dimensions of most callers is known when it is compiled.
void sort_small(const float* points, int dimensions, const Range& range, std::int32_t* order) {
    const std::int64_t stride = dimensions <= 8 ? 8 : most_dimensions;
    std::vector<float> rows(static_cast<std::size_t>(range.size() * stride));
    const std::vector<std::int32_t> number(order + range.begin, order + range.end);
    std::int32_t* place = order + range.begin;
    for (std::size_t i = 0; i < number.size(); ++i) {
        const float* x = points + std::int64_t{number[i]} * dimensions;
        std::copy(x, x + dimensions, rows.data() + static_cast<std::int64_t>(i) * stride);
        place[i] = static_cast<std::int32_t>(i);
    }
    Room room;
    const Range all{0, range.size(), range.unit};
    if (stride == 8) {
        Splitter<8>(rows.data(), 8, place).split_all(all, room);
    } else {
        Splitter<most_dimensions>(rows.data(), most_dimensions, place).split_all(all, room);
    }
    std::transform(place, place + range.size(), place,
                   [&](std::int32_t i) { return number[static_cast<std::size_t>(i)]; });
}

// Sorts the numbers of the points into the order of the leaves: large ranges side by side, level by
// level, until there are enough small ones for all threads.
void sort_to_leaves(const float* points, int dimensions, Range all, std::int32_t* order, const Context& context) {
    const Splitter<0> splitter(points, dimensions, order);
    std::vector<Range> large{all}, small;
    while (!large.empty()) {
        std::vector<std::int64_t> border(large.size());
        parallel_for(static_cast<std::int64_t>(large.size()), context.threads, context.monitor, [&](std::int64_t i) {
            Room room;
            border[static_cast<std::size_t>(i)] = splitter.split(large[static_cast<std::size_t>(i)], room);
        });
        std::vector<Range> parts;
        for (std::size_t i = 0; i < large.size(); ++i) {
            for (Range part :
                 {Range{large[i].begin, border[i], large[i].unit}, Range{border[i], large[i].end, large[i].unit}}) {
                while (part.unit > leaf_points && part.size() <= part.unit) {
                    part.unit /= children;
                }
                (part.size() > points_of_task ? parts : small).push_back(part);
            }
        }
        large = std::move(parts);
    }
    parallel_for(static_cast<std::int64_t>(small.size()), context.threads, context.monitor,
                 [&](std::int64_t i) { sort_small(points, dimensions, small[static_cast<std::size_t>(i)], order); });
}

}  // namespace

Nearest::Nearest(const float* points, std::int64_t count, int dimensions, const Context& context,
                 const std::int32_t* subset, std::int64_t held)
    : dimensions_(dimensions), held_(subset != nullptr ? held : count) {
    check_dimensions(dimensions);
    if (count >= INT32_MAX) {
        throw std::length_error("points: expected fewer than 2147483647 points");
    }
    check_numbers(points, count, dimensions, "points", context);
    const std::int64_t leaves = std::max<std::int64_t>(1, (held_ + leaf_points - 1) / leaf_points);
    Range all{0, held_, leaf_points};
    for (std::int64_t span = 1; span < leaves; span *= children) {
        ++tree_.levels;
        all.unit = leaf_points * span;
    }
    Buffer<std::int32_t> order(held_);
    for (std::int64_t i = 0; i < held_; ++i) {
        order[i] = subset != nullptr ? subset[i] : static_cast<std::int32_t>(i);
    }
    if (held_ > leaf_points) {
        sort_to_leaves(points, dimensions, all, order.data(), context);
    }
    leaves_ = Buffer<float>(leaves * dimensions * leaf_points);
    numbers_ = Buffer<std::int32_t>(leaves * leaf_points);
    fill_leaves(points, order.data(), context);
    make_boxes(context);
    tree_.dimensions = dimensions_;
    tree_.leaf_count = leaves;
    tree_.leaves = leaves_.data();
    tree_.numbers = numbers_.data();
    tree_.boxes = boxes_.data();
    tree_.least = least_.data();
}

void Nearest::fill_leaves(const float* points, const std::int32_t* order, const Context& context) {
    constexpr float nowhere = std::numeric_limits<float>::infinity();
    const std::int64_t slots = numbers_.size();
    parallel_ranges(slots, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            const bool holds = i < held_;
            const std::int32_t p = holds ? order[i] : INT32_MAX;
            numbers_[i] = p;
            float* leaf = leaves_.data() + i / leaf_points * dimensions_ * leaf_points + i % leaf_points;
            for (int c = 0; c < dimensions_; ++c) {
                leaf[c * leaf_points] = holds ? points[std::int64_t{p} * dimensions_ + c] : nowhere;
            }
        }
    });
}

// Makes the boxes of the children of all nodes, level by level from the leaves up.
void Nearest::make_boxes(const Context& context) {
    constexpr float nowhere = std::numeric_limits<float>::infinity();
    std::int64_t below = numbers_.size() / leaf_points;
    std::int64_t nodes = 0;
    for (std::int64_t level = 1, count = below; level <= tree_.levels; ++level) {
        count = (count + children - 1) / children;
        tree_.first[level] = nodes;
        nodes += count;
    }
    const std::int64_t box = dimensions_ * 2 * children;
    boxes_ = Buffer<float>(nodes * box);
    least_ = Buffer<std::int32_t>(nodes * children);
    for (std::int64_t level = 1; level <= tree_.levels; ++level) {
        const std::int64_t count = (below + children - 1) / children;
        const std::int64_t many = 256;
        const auto make = [&](std::int64_t node, std::int64_t i) {
            const std::int64_t child = node * children + i;
            // The numbers of the child's points or boxes: `size` from each of two places.
            const bool is_leaf = level == 1;
            const std::int64_t size = is_leaf ? leaf_points : children;
            const std::int64_t at = is_leaf ? child : tree_.first[level - 1] + child;
            float* out = boxes_.data() + (tree_.first[level] + node) * box + i;
            for (int c = 0; c < dimensions_; ++c, out += 2 * children) {
                out[0] = nowhere;
                out[children] = -nowhere;
                const float* low = is_leaf ? leaves_.data() + (at * dimensions_ + c) * leaf_points
                                           : boxes_.data() + at * box + c * 2 * children;
                const float* high = is_leaf ? low : low + children;
                for (std::int64_t j = 0; child < below && j < size; ++j) {
                    out[0] = std::min(out[0], low[j]);
                    out[children] = std::max(out[children], high[j] < nowhere ? high[j] : -nowhere);
                }
            }
            const std::int32_t* number = is_leaf ? numbers_.data() + at * size : least_.data() + at * size;
            least_[(tree_.first[level] + node) * children + i] =
                child < below ? *std::min_element(number, number + size) : INT32_MAX;
        };
        parallel_for((count + many - 1) / many, context.threads, context.monitor, [&](std::int64_t task) {
            for (std::int64_t node = task * many; node < std::min(count, (task + 1) * many); ++node) {
                for (std::int64_t i = 0; i < children; ++i) {
                    make(node, i);
                }
            }
        });
        below = count;
    }
}

void Nearest::find(const float* queries, std::int64_t count, int k, const std::int32_t* excluded, std::int32_t* number,
                   float* distance, const Context& context) const {
    if (k < 1) {
        throw std::invalid_argument("k: expected at least 1 neighbour, got " + std::to_string(k));
    }
    check_numbers(queries, count, dimensions_, "queries", context);
    const std::int64_t chunks = (count + queries_at_once - 1) / queries_at_once;
    parallel_for(chunks, context.threads, context.monitor, [&](std::int64_t i) {
        std::vector<double> best(16 * (static_cast<std::size_t>(k) + 8));
        const std::int64_t begin = i * queries_at_once;
        simd::kernels().find_nearest(tree_, std::min(queries_at_once, count - begin), queries + begin * dimensions_,
                                     excluded != nullptr ? excluded + begin : nullptr, k, best.data(),
                                     number + begin * k, distance + begin * k);
        context.monitor.set_fraction(static_cast<double>(i) / static_cast<double>(chunks));
    });
}

void Nearest::find_near_marked(const std::uint8_t* marked, int k, std::uint8_t* may, const Context& context) const {
    if (tree_.levels == 0) {
        std::fill(may, may + held_, std::uint8_t{1});
        return;
    }
    std::vector<std::uint16_t> in_leaf(static_cast<std::size_t>(tree_.leaf_count));
    parallel_ranges(tree_.leaf_count, context.threads, context.monitor, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin * leaf_points; i < std::min(held_, end * leaf_points); ++i) {
            const int bit = marked[numbers_[i]] != 0 ? 1 << i % leaf_points : 0;
            in_leaf[static_cast<std::size_t>(i / leaf_points)] |= static_cast<std::uint16_t>(bit);
        }
    });
    std::vector<std::uint8_t> in_children(static_cast<std::size_t>(least_.size() / children));
    std::int64_t below = tree_.leaf_count;
    for (std::int64_t level = 1; level <= tree_.levels; ++level) {
        for (std::int64_t i = 0; i < below; ++i) {
            const bool holds = level == 1 ? in_leaf[static_cast<std::size_t>(i)] != 0
                                          : in_children[static_cast<std::size_t>(tree_.first[level - 1] + i)] != 0;
            in_children[static_cast<std::size_t>(tree_.first[level] + i / children)] |=
                static_cast<std::uint8_t>(holds ? 1 << i % children : 0);
        }
        below = (below + children - 1) / children;
    }
    const simd::MarkedPoints points{in_children.data(), in_leaf.data()};
    constexpr std::int64_t many = 64;
    parallel_for((tree_.leaf_count + many - 1) / many, context.threads, context.monitor, [&](std::int64_t task) {
        for (std::int64_t leaf = task * many; leaf < std::min(tree_.leaf_count, (task + 1) * many); ++leaf) {
            std::uint8_t is_near[leaf_points];
            simd::kernels().find_near_marked(tree_, points, leaf, k, is_near);
            for (std::int64_t i = leaf * leaf_points; i < std::min(held_, (leaf + 1) * leaf_points); ++i) {
                may[numbers_[i]] = is_near[i % leaf_points];
            }
        }
    });
}

}  // namespace trimatte
