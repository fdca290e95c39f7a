// The searches of neighbours/nearest.cpp. Only kernels.cpp includes this file, after
// kernels_neighbours.inl.

// Returns a bit for each point of a group that has a marked point within its limit, a squared
// distance. Points with a negative limit are left out. `home` is the block to begin with.
TRIMATTE_INLINE uint32_t marked_within(const PointTree& tree, const MarkedPoints& marked, const Group& group,
                                       int64_t home, float* limit) {
    constexpr int64_t n = PointTree::leaf_points, children = PointTree::children;
    uint32_t found = 0;
    float farthest = largest_lane(load<F16>(limit));
    const auto look_through = [&](int64_t leaf, uint32_t points) TRIMATTE_LAMBDA {
        for (; points != 0; points &= points - 1) {
            const int j = lowest_bit(points);
            const float* x = tree.leaves + leaf * tree.dimensions * n;
            const F16 distance = squared_distances(tree.dimensions, x, group.point(j));
            if ((at_most(distance, limit[j]) & marked.in_leaf[leaf]) != 0) {
                found |= 1u << j;
                limit[j] = -1;
            }
        }
    };
    Part stack[children * PointTree::most_levels + 1];
    stack[0] = {0, tree.levels};
    stack[1] = {home, 1};
    for (int64_t size = 2; size > 0;) {
        const Part part = stack[--size];
        const int64_t node = tree.first[part.level] + part.node;
        for (uint32_t bits = at_most(group.gaps(node), farthest) & marked.in_children[node]; bits != 0;
             bits &= bits - 1) {
            const int child = lowest_bit(bits);
            const int64_t below = children * part.node + child;
            if (part.level > 1) {
                stack[size++] = {below, part.level - 1};
            } else {
                look_through(below, at_most(group.gaps_of_child(node, child) - load<F16>(limit), 0.0f));
            }
        }
        farthest = largest_lane(load<F16>(limit));
    }
    return found;
}

// Whether the box of a leaf with a marked point lies within a squared distance of a group's box.
TRIMATTE_INLINE bool is_marked_within(const PointTree& tree, const MarkedPoints& marked, const Group& group,
                                      float reach) {
    Part stack[PointTree::children * PointTree::most_levels];
    stack[0] = {0, tree.levels};
    for (int64_t size = 1; size > 0;) {
        const Part part = stack[--size];
        if (part.level == 0) {
            return true;
        }
        const int64_t node = tree.first[part.level] + part.node;
        for (uint32_t bits = at_most(group.gaps(node), reach) & marked.in_children[node]; bits != 0; bits &= bits - 1) {
            stack[size++] = {PointTree::children * part.node + lowest_bit(bits), part.level - 1};
        }
    }
    return false;
}

// Returns a squared distance within which each point of a leaf has at least k others: that of the
// farthest corner of the box around as many neighbouring leaves as hold more than k points. It is as
// large as possible if the leaf has not enough of them. The box of the group becomes that of the leaf.
TRIMATTE_INLINE float farthest_corner(const PointTree& tree, int64_t leaf, int64_t k, Group& group) {
    constexpr int64_t n = PointTree::leaf_points, children = PointTree::children;
    int64_t together = 1;
    while (together < children && together * n <= k) {
        together *= 2;
    }
    const int64_t first = leaf / together * together;
    float reach = 0;
    const float* box = tree.boxes + (tree.first[1] + leaf / children) * tree.dimensions * 2 * children;
    for (int64_t c = 0; c < tree.dimensions; ++c, box += 2 * children) {
        const float own_low = box[leaf % children], own_high = box[children + leaf % children];
        group.set_box(c, own_low, own_high);
        float far = 0;
        for (int64_t i = first % children; i < first % children + together; ++i) {
            const float up = box[children + i] - own_low, down = own_high - box[i];
            far = up > far ? up : far;
            far = down > far ? down : far;
        }
        reach += far * far;
    }
    const bool is_full = together * n > k && first + together <= tree.leaf_count &&
                         tree.numbers[(first + together) * n - 1] != INT32_MAX;
    return is_full ? reach : largest_distance;
}

void find_near_marked(const PointTree& tree, const MarkedPoints& marked, int64_t leaf, int64_t k, uint8_t* may) {
    constexpr int64_t n = PointTree::leaf_points, children = PointTree::children;
    Group group(tree, tree.leaves + leaf * tree.dimensions * n);
    const float corner = farthest_corner(tree, leaf, k, group);
    for (int64_t i = 0; i < n; ++i) {
        may[i] = marked.in_leaf[leaf] >> i & 1;
    }
    if (!is_marked_within(tree, marked, group, corner)) {
        return;
    }
    // A point is one of the k + 1 points that lie nearest to itself.
    float limit[n];
    store(limit, group.limits(leaf / children, k + 1));
    for (int64_t i = 0; i < n; ++i) {
        const bool is_open = may[i] == 0 && tree.numbers[leaf * n + i] != INT32_MAX;
        limit[i] = is_open ? limit[i] : -1;
    }
    const uint32_t found = marked_within(tree, marked, group, leaf / children, limit);
    for (int64_t i = 0; i < n; ++i) {
        may[i] |= found >> i & 1;
    }
}

// Inserts a key into sorted keys, and drops the last. The keys are those of `blocks` vectors in
// registers, or of `padded` / 8 vectors in memory if blocks is 0.
template <int blocks>
TRIMATTE_INLINE void insert(double key, D8* list, int64_t padded, double* best) {
    const double lanes8[8] = {key, key, key, key, key, key, key, key};
    const D8 x = load<D8>(lanes8);
    D8 before{};  // no key is negative
    if constexpr (blocks > 0) {
        for (int i = 0; i < blocks; ++i) {
            const D8 v = list[i];
            list[i] = lower(v, larger(push(before, v), x));
            before = v;
        }
    } else {
        for (int64_t i = 0; i < padded; i += 8) {
            const D8 v = load<D8>(best + i);
            store(best + i, lower(v, larger(push(before, v), x)));
            before = v;
        }
    }
}

// The queries of a group, with the keys of the k nearest points of each so far. blocks: the vectors
// of a list, 0 for any number.
template <int blocks>
class NearestSearch {
public:
    // queries: `count` <= 16 rows. best: room for 16 lists of `padded` keys, a multiple of 8 that is
    // at least k. The last k keys of a list are those of the points found, and those before are 0.
    TRIMATTE_INLINE NearestSearch(const PointTree& tree, int64_t count, const float* queries, int64_t k, int64_t padded,
                                  double* best)
        : tree_(tree), padded_(padded), best_(best), group_(tree, x_) {
        for (int64_t c = 0; c < tree.dimensions; ++c) {
            float low = queries[c], high = queries[c];
            for (int64_t j = 0; j < n; ++j) {
                const float q = queries[(j < count ? j : count - 1) * tree.dimensions + c];
                x_[c * n + j] = q;
                low = q < low ? q : low;
                high = q > high ? q : high;
            }
            group_.set_box(c, low, high);
        }
        home_ = tree.levels > 0 ? group_.nearest_block(count / 2) : 0;
        store(reach_, tree.levels > 0 ? group_.limits(home_, k) : all_lanes(largest_distance));
        for (int64_t j = 0; j < n; ++j) {
            reach_[j] = j < count ? reach_[j] : -1;
            worst_[j] = j < count ? packed(reach_[j], INT32_MAX) : 0;
            for (int64_t i = 0; i < padded; ++i) {
                best[j * padded + i] = i < padded - k ? 0 : worst_[j];
            }
        }
        update();
    }

    // Visits the block in which the search begins, and then all others that may hold one of the
    // nearest points. Above nodes of 1,024 points the box of the group is compared, and below them
    // each query.
    TRIMATTE_INLINE void run() {
        if (tree_.levels == 0) {
            const int64_t only = 0;
            for (int64_t j = 0; j < n; ++j) {
                compare(&only, 1, j);
            }
            return;
        }
        for (int64_t j = 0; j < n; ++j) {
            look_through(home_, j);
        }
        update();
        Part stack[children * PointTree::most_levels];
        stack[0] = {0, tree_.levels};
        for (int64_t size = tree_.levels > 1 ? 1 : 0; size > 0;) {
            const Part part = stack[--size];
            const int64_t node = tree_.first[part.level] + part.node;
            const uint32_t near = without_ties(node, group_.gaps(node), distance_of(last_), last_);
            for (uint32_t bits = near; bits != 0; bits &= bits - 1) {
                const int child = lowest_bit(bits);
                if (part.level > 3) {
                    stack[size++] = {children * part.node + child, part.level - 1};
                    continue;
                }
                const F16 beyond = group_.gaps_of_child(node, child) - load<F16>(reach_);
                for (uint32_t queries = at_most(beyond, 0.0f); queries != 0; queries &= queries - 1) {
                    look_below({children * part.node + child, part.level - 1}, lowest_bit(queries));
                }
                update();
            }
        }
    }

private:
    static constexpr int64_t n = PointTree::leaf_points, children = PointTree::children;

    // Finds the worst key of all queries.
    TRIMATTE_INLINE void update() {
        double worst[8];
        store(worst, larger(load<D8>(worst_), load<D8>(worst_ + 8)));
        for (int step = 4; step > 0; step /= 2) {
            for (int i = 0; i < step; ++i) {
                worst[i] = worst[i] > worst[i + step] ? worst[i] : worst[i + step];
            }
        }
        last_ = worst[0];
    }

    // Returns a bit for each child of a node that may hold one of the nearest points of query j.
    TRIMATTE_INLINE uint32_t near(int64_t node, int64_t j) const {
        return without_ties(node, group_.gaps_of_point(j, node), reach_[j], worst_[j]);
    }

    // Compares a query with a node of level 1 or 2.
    TRIMATTE_INLINE void look_below(const Part& part, int64_t j) {
        const bool is_block = part.level == 1;
        uint32_t bits = is_block ? 1 : near(tree_.first[2] + part.node, j);
        for (; bits != 0; bits &= bits - 1) {
            const int64_t block = is_block ? part.node : children * part.node + lowest_bit(bits);
            if (block != home_) {
                look_through(block, j);
            }
        }
    }

    TRIMATTE_INLINE void look_through(int64_t block, int64_t j) {
        int64_t leaf[children];
        int64_t count = 0;
        for (uint32_t bits = near(tree_.first[1] + block, j); bits != 0; bits &= bits - 1) {
            leaf[count++] = children * block + lowest_bit(bits);
        }
        compare(leaf, count, j);
    }

    // Returns a bit for each child with a gap of at most `reach`. A child whose gap is just that is
    // left out if its points have higher numbers than the worst point found.
    TRIMATTE_INLINE uint32_t without_ties(int64_t node, const F8& gaps, float reach, double worst) const {
        uint32_t near = at_most(gaps, reach);
        const int32_t* least = tree_.least + node * children;
        for (uint32_t bits = near & at_most(eight_lanes(reach) - gaps, 0.0f); bits != 0; bits &= bits - 1) {
            const int i = lowest_bit(bits);
            near &= packed(reach, least[i]) < worst ? ~0u : ~(1u << i);
        }
        return near;
    }

    // Compares a query with the points of up to eight leaves.
    TRIMATTE_INLINE void compare(const int64_t* leaf, int64_t leaves, int64_t j) {
        float distance[children * n];
        uint64_t near[2] = {};
        for (int64_t i = 0; i < leaves; ++i) {
            const float* x = tree_.leaves + leaf[i] * tree_.dimensions * n;
            const F16 squared = squared_distances(tree_.dimensions, x, x_ + j);
            store(distance + i * n, squared);
            near[i / 4] |= static_cast<uint64_t>(at_most(squared, reach_[j])) << n * (i % 4);
        }
        if ((near[0] | near[1]) == 0) {
            return;
        }
        double* best = best_ + j * padded_;
        D8 list[blocks > 0 ? blocks : 1];
        for (int i = 0; i < blocks; ++i) {
            list[i] = load<D8>(best + 8 * i);
        }
        for (int half = 0; half < 2; ++half) {
            for (uint64_t bits = near[half]; bits != 0; bits &= bits - 1) {
                const int64_t i = 64 * half + lowest_bit(bits);
                insert<blocks>(packed(distance[i], tree_.numbers[leaf[i / n] * n + i % n]), list, padded_, best);
            }
        }
        for (int i = 0; i < blocks; ++i) {
            store(best + 8 * i, list[i]);
        }
        worst_[j] = best[padded_ - 1];
        reach_[j] = distance_of(worst_[j]);
    }

    const PointTree& tree_;
    int64_t padded_;
    double* best_;
    int64_t home_;
    double last_;  // the worst key of all queries
    float x_[PointTree::most_dimensions * n];
    Group group_;
    float reach_[n];  // of each query, the squared distance of its worst point, and its key
    double worst_[n];
};

// Writes the k nearest points of one query, without `excluded`, from sorted keys.
TRIMATTE_INLINE void unpack(const double* keys, int64_t k, int32_t excluded, int32_t* number, float* distance) {
    for (int64_t i = 0, j = 0; j < k; ++i) {
        uint64_t both;
        memcpy(&both, keys + i, sizeof both);
        const int32_t found = static_cast<int32_t>(both & 0xffffffffu);
        number[j] = found == INT32_MAX ? -1 : found;
        distance[j] = found == INT32_MAX ? INFINITY : distance_of(keys[i]);
        j += found != excluded;
    }
}

template <int blocks>
void find_in_groups(const PointTree& tree, int64_t count, const float* queries, const int32_t* excluded, int64_t k,
                    double* best, int32_t* number, float* distance) {
    const int64_t wanted = excluded != nullptr ? k + 1 : k;
    const int64_t padded = (wanted + 7) / 8 * 8;
    for (int64_t i = 0; i < count; i += 16) {
        const int64_t size = count - i < 16 ? count - i : 16;
        NearestSearch<blocks> search(tree, size, queries + i * tree.dimensions, wanted, padded, best);
        search.run();
        for (int64_t j = 0; j < size; ++j) {
            unpack(best + (j + 1) * padded - wanted, k, excluded != nullptr ? excluded[i + j] : -1,
                   number + (i + j) * k, distance + (i + j) * k);
        }
    }
}

void find_nearest(const PointTree& tree, int64_t count, const float* queries, const int32_t* excluded, int64_t k,
                  double* best, int32_t* number, float* distance) {
    const int64_t wanted = excluded != nullptr ? k + 1 : k;
    const auto find = wanted <= 8    ? find_in_groups<1>
                      : wanted <= 16 ? find_in_groups<2>
                      : wanted <= 24 ? find_in_groups<3>
                                     : find_in_groups<0>;
    find(tree, count, queries, excluded, k, best, number, distance);
}
