#include "foreground/layer_aggregates.hpp"

#include <algorithm>
#include <utility>

namespace trimatte {
namespace {

// A node is paired only over a coupling that is more than this part of its strongest one. Pairs of
// weaker couplings would spoil the coarse space.
constexpr float strong = 0.25f;
constexpr int passes = 3;  // each halves the number of nodes

// The couplings of a band's nodes; those to other bands are left out.
struct Graph {
    std::vector<std::int32_t> start{0}, neighbour;
    std::vector<float> coupling;

    std::int32_t size() const { return static_cast<std::int32_t>(start.size()) - 1; }
    void end_node() { start.push_back(static_cast<std::int32_t>(neighbour.size())); }
    // Adds a coupling of the last node.
    void add(std::int32_t to, float value) {
        for (std::size_t k = static_cast<std::size_t>(start.back()); k < neighbour.size(); ++k) {
            if (neighbour[k] == to) {
                coupling[k] += value;
                return;
            }
        }
        neighbour.push_back(to);
        coupling.push_back(value);
    }
};

// The nodes of a graph, in pairs; `second` is -1 for a node without a partner.
struct Pairs {
    std::vector<std::int32_t> of_node;
    std::vector<std::pair<std::int32_t, std::int32_t>> nodes;
};

// Returns -v_i A v_j for v = 1 at the pixels p and q, which are neighbours, and 0 elsewhere.
float coupling(const LayerSystem& system, std::int64_t p, std::int64_t q) {
    const float a = system.alpha[p], c = system.alpha[q];
    return system.weight(a, c) * ((1 - a) * (1 - c) + a * c);
}

// Calls visit(q) for the up to four neighbours q of pixel (y, x).
template <typename Visit>
void for_neighbours(const LayerSystem& system, std::int64_t y, std::int64_t x, const Visit& visit) {
    const std::int64_t p = y * system.width + x;
    if (x > 0) {
        visit(p - 1);
    }
    if (x + 1 < system.width) {
        visit(p + 1);
    }
    if (y > 0) {
        visit(p - system.width);
    }
    if (y + 1 < system.height) {
        visit(p + system.width);
    }
}

// Numbers the unknown pixels of a band from 0; the others get -1. Returns the graph of them.
Graph graph_of(const LayerSystem& system, std::int64_t begin, std::int64_t end, std::int32_t* number) {
    const std::int64_t first = begin * system.width, last = end * system.width;
    std::fill(number, number + (last - first), -1);
    std::int32_t count = 0;
    for (std::int64_t y = begin; y < end; ++y) {
        system.for_runs(y, [&](std::int64_t from, std::int64_t to) {
            for (std::int64_t p = from; p < to; ++p) {
                number[p - first] = count++;
            }
        });
    }
    Graph graph;
    graph.start.reserve(static_cast<std::size_t>(count + 1));
    graph.neighbour.reserve(static_cast<std::size_t>(4 * count));
    graph.coupling.reserve(static_cast<std::size_t>(4 * count));
    for (std::int64_t y = begin; y < end; ++y) {
        system.for_runs(y, [&](std::int64_t from, std::int64_t to) {
            for (std::int64_t p = from; p < to; ++p) {
                for_neighbours(system, y, p - y * system.width, [&](std::int64_t q) {
                    if (q >= first && q < last && number[q - first] >= 0) {
                        graph.neighbour.push_back(number[q - first]);
                        graph.coupling.push_back(coupling(system, p, q));
                    }
                });
                graph.end_node();
            }
        });
    }
    return graph;
}

// Pairs each node, in their order, with the strongest neighbour that has no partner yet.
Pairs match(const Graph& graph) {
    Pairs pairs;
    pairs.of_node.assign(static_cast<std::size_t>(graph.size()), -1);
    pairs.nodes.reserve(static_cast<std::size_t>(graph.size()));
    for (std::int32_t i = 0; i < graph.size(); ++i) {
        const auto at = static_cast<std::size_t>(i);
        if (pairs.of_node[at] >= 0) {
            continue;
        }
        float strongest = 0, best = 0;
        std::int32_t partner = -1;
        for (auto k = static_cast<std::size_t>(graph.start[at]); k < static_cast<std::size_t>(graph.start[at + 1]);
             ++k) {
            strongest = std::max(strongest, graph.coupling[k]);
            if (graph.coupling[k] > best && pairs.of_node[static_cast<std::size_t>(graph.neighbour[k])] < 0) {
                best = graph.coupling[k];
                partner = graph.neighbour[k];
            }
        }
        if (best <= strong * strongest) {
            partner = -1;
        }
        const auto number = static_cast<std::int32_t>(pairs.nodes.size());
        pairs.of_node[at] = number;
        if (partner >= 0) {
            pairs.of_node[static_cast<std::size_t>(partner)] = number;
        }
        pairs.nodes.emplace_back(i, partner);
    }
    return pairs;
}

// Returns the graph whose nodes are the pairs.
Graph contracted(const Graph& graph, const Pairs& pairs) {
    Graph result;
    result.start.reserve(pairs.nodes.size() + 1);
    result.neighbour.reserve(graph.neighbour.size());
    result.coupling.reserve(graph.neighbour.size());
    for (std::size_t i = 0; i < pairs.nodes.size(); ++i) {
        for (const std::int32_t node : {pairs.nodes[i].first, pairs.nodes[i].second}) {
            if (node < 0) {
                continue;
            }
            const auto at = static_cast<std::size_t>(node);
            for (auto k = static_cast<std::size_t>(graph.start[at]); k < static_cast<std::size_t>(graph.start[at + 1]);
                 ++k) {
                const std::int32_t to = pairs.of_node[static_cast<std::size_t>(graph.neighbour[k])];
                if (to != static_cast<std::int32_t>(i)) {
                    result.add(to, graph.coupling[k]);
                }
            }
        }
        result.end_node();
    }
    return result;
}

// Numbers the aggregates of a band from 0. Returns how many there are.
std::int64_t aggregate_band(const LayerSystem& system, std::int64_t begin, std::int64_t end, std::int32_t* of_pixel) {
    Graph graph = graph_of(system, begin, end, of_pixel);
    std::int64_t count = graph.size();
    for (int pass = 0; pass < passes; ++pass) {
        const Pairs pairs = match(graph);
        for (std::int64_t y = begin; y < end; ++y) {
            system.for_runs(y, [&](std::int64_t from, std::int64_t to) {
                for (std::int64_t p = from - begin * system.width; p < to - begin * system.width; ++p) {
                    of_pixel[p] = pairs.of_node[static_cast<std::size_t>(of_pixel[p])];
                }
            });
        }
        count = static_cast<std::int64_t>(pairs.nodes.size());
        if (pass + 1 < passes) {
            graph = contracted(graph, pairs);
        }
    }
    return count;
}

// The rows of the matrix that belong to one band.
struct BandRows {
    std::vector<std::int64_t> length;
    std::vector<std::int32_t> column;
    std::vector<double> value;
};

// Returns the unknown pixels of a band, sorted by aggregate; those of aggregate first + i are
// between start[i] and start[i + 1].
std::vector<std::int64_t> sorted_pixels(const LayerSystem& system, const LayerAggregates& aggregates,
                                        std::int64_t begin, std::int64_t end, std::int64_t first,
                                        std::vector<std::int64_t>& start) {
    const auto for_pixels = [&](const auto& body) {
        for (std::int64_t y = begin; y < end; ++y) {
            system.for_runs(y, [&](std::int64_t from, std::int64_t to) {
                for (std::int64_t p = from; p < to; ++p) {
                    body(p, static_cast<std::size_t>(aggregates.of_pixel[p] - first));
                }
            });
        }
    };
    for_pixels([&](std::int64_t, std::size_t i) { ++start[i + 1]; });
    for (std::size_t i = 1; i < start.size(); ++i) {
        start[i] += start[i - 1];
    }
    std::vector<std::int64_t> next = start;
    std::vector<std::int64_t> pixel(static_cast<std::size_t>(start.back()));
    for_pixels([&](std::int64_t p, std::size_t i) { pixel[static_cast<std::size_t>(next[i]++)] = p; });
    return pixel;
}

BandRows band_rows(const LayerSystem& system, const LayerAggregates& aggregates, std::int64_t begin, std::int64_t end,
                   std::int64_t first, std::int64_t count) {
    const std::int64_t width = system.width;
    std::vector<std::int64_t> start(static_cast<std::size_t>(count + 1), 0);
    const std::vector<std::int64_t> pixel = sorted_pixels(system, aggregates, begin, end, first, start);
    BandRows rows;
    std::vector<std::pair<std::int32_t, double>> entries;
    for (std::int64_t i = 0; i < count; ++i) {
        entries.assign(1, {static_cast<std::int32_t>(first + i), 0.0});
        for (std::int64_t k = start[static_cast<std::size_t>(i)]; k < start[static_cast<std::size_t>(i + 1)]; ++k) {
            const std::int64_t p = pixel[static_cast<std::size_t>(k)];
            const double a = system.alpha[p], b = 1 - a;
            for_neighbours(system, p / width, p % width, [&](std::int64_t q) {
                const double w = system.weight(system.alpha[p], system.alpha[q]);
                const double c = system.alpha[q], d = 1 - c;
                entries[0].second += w * (a * a + b * b);
                const std::int32_t to = aggregates.of_pixel[q];
                if (to < 0) {
                    return;  // a known pixel
                }
                auto found = std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.first == to; });
                if (found == entries.end()) {
                    entries.emplace_back(to, 0.0);
                    found = entries.end() - 1;
                }
                found->second -= w * (b * d + a * c);
            });
        }
        std::sort(entries.begin(), entries.end());
        for (const auto& [column, value] : entries) {
            rows.column.push_back(column);
            rows.value.push_back(value);
        }
        rows.length.push_back(static_cast<std::int64_t>(entries.size()));
    }
    return rows;
}

void fill_matrix(const LayerSystem& system, LayerAggregates& aggregates) {
    const auto bands = aggregates.first.size() - 1;
    std::vector<BandRows> rows(bands);
    system.for_bands([&](std::int64_t begin, std::int64_t end) {
        const auto k = static_cast<std::size_t>(begin / layer_band);
        rows[k] = band_rows(system, aggregates, begin, end, aggregates.first[k],
                            aggregates.first[k + 1] - aggregates.first[k]);
    });
    Csr& matrix = aggregates.matrix;
    matrix.rows = aggregates.first.back();
    matrix.row_start = Buffer<std::int64_t>(matrix.rows + 1);
    matrix.row_start[0] = 0;
    std::int64_t row = 0;
    for (const BandRows& band : rows) {
        for (const std::int64_t length : band.length) {
            matrix.row_start[row + 1] = matrix.row_start[row] + length;
            ++row;
        }
    }
    matrix.column = Buffer<std::int32_t>(matrix.row_start[matrix.rows]);
    matrix.value = Buffer<double>(matrix.row_start[matrix.rows]);
    system.for_bands([&](std::int64_t begin, std::int64_t) {
        const auto k = static_cast<std::size_t>(begin / layer_band);
        const std::int64_t at = matrix.row_start[aggregates.first[k]];
        std::copy(rows[k].column.begin(), rows[k].column.end(), matrix.column.data() + at);
        std::copy(rows[k].value.begin(), rows[k].value.end(), matrix.value.data() + at);
        rows[k] = {};
    });
}

}  // namespace

LayerAggregates make_aggregates(const LayerSystem& system) {
    LayerAggregates aggregates;
    aggregates.of_pixel = Buffer<std::int32_t>(system.pixels());
    aggregates.first.assign(static_cast<std::size_t>((system.height + layer_band - 1) / layer_band) + 1, 0);
    system.for_bands([&](std::int64_t begin, std::int64_t end) {
        const std::int64_t count =
            aggregate_band(system, begin, end, aggregates.of_pixel.data() + begin * system.width);
        aggregates.first[static_cast<std::size_t>(begin / layer_band) + 1] = count;
    });
    for (std::size_t k = 1; k < aggregates.first.size(); ++k) {
        aggregates.first[k] += aggregates.first[k - 1];
    }
    system.for_bands([&](std::int64_t begin, std::int64_t end) {
        const auto first = static_cast<std::int32_t>(aggregates.first[static_cast<std::size_t>(begin / layer_band)]);
        for (std::int64_t y = begin; y < end; ++y) {
            system.for_runs(y, [&](std::int64_t from, std::int64_t to) {
                for (std::int64_t p = from; p < to; ++p) {
                    aggregates.of_pixel[p] += first;
                }
            });
        }
    });
    fill_matrix(system, aggregates);
    return aggregates;
}

}  // namespace trimatte
