// The cells of deep pixels. A cell holds the deep pixels of one kind, opaque or transparent, in a
// square of the picture. Its number stands for their invisible layer, and its row of A is that of a
// finite volume: neighbouring squares are coupled over every pair of deep pixels that touch at their
// border, divided by the distance of their centres; an unknown pixel and a deep one beside it are
// coupled as in the system of pixels.
#include <algorithm>

#include "foreground/layer_system.hpp"

namespace trimatte {
namespace {

constexpr std::int64_t side = 8;  // pixels along a square; divides the rows of a band
static_assert(layer_band % side == 0, "a cell lies within a band");

// Calls visit(q) for the up to four neighbours q of pixel p in column x.
template <typename Visit>
void for_neighbours(const LayerSystem& system, std::int64_t p, std::int64_t x, const Visit& visit) {
    const std::int64_t width = system.width;
    if (x > 0) {
        visit(p - 1);
    }
    if (x + 1 < width) {
        visit(p + 1);
    }
    if (p >= width) {
        visit(p - width);
    }
    if (p + width < system.pixels()) {
        visit(p + width);
    }
}

// The squares and the numbers of their cells.
struct Squares {
    std::int64_t across;               // squares in a row
    std::vector<std::int32_t> number;  // of the cell of square i: 2 i transparent, 2 i + 1 opaque; -1: none

    explicit Squares(const LayerSystem& system)
        : across((system.width + side - 1) / side),
          number(static_cast<std::size_t>(2 * across * ((system.height + side - 1) / side)), -1) {}
    // Returns where the number of the cell of a deep pixel is.
    std::size_t place(const LayerSystem& system, std::int64_t y, std::int64_t x) const {
        const bool is_opaque = system.alpha[y * system.width + x] == 1;
        return static_cast<std::size_t>(2 * (y / side * across + x / side) + (is_opaque ? 1 : 0));
    }
};

// Adds the couplings of neighbouring squares.
void couple(const LayerSystem& system, const Squares& squares, LayerCells& cells) {
    struct Coupling {
        std::int32_t from, to;
        float weight;
    };
    std::vector<Coupling> found;
    const float weight = system.far_weight() / static_cast<float>(side);
    const auto add = [&](std::int64_t y, std::int64_t x, std::int64_t v, std::int64_t u) {
        if (system.is_unknown(y * system.width + x) || system.is_unknown(v * system.width + u)) {
            return;
        }
        const std::int32_t a = squares.number[squares.place(system, y, x)];
        const std::int32_t b = squares.number[squares.place(system, v, u)];
        if (!found.empty() && found.back().from == b && found.back().to == a) {
            found.back().weight += weight;
            found[found.size() - 2].weight += weight;
        } else {
            found.push_back({a, b, weight});
            found.push_back({b, a, weight});
        }
    };
    for (std::int64_t x = side; x < system.width; x += side) {
        system.context.monitor.poll();
        for (std::int64_t y = 0; y < system.height; ++y) {
            add(y, x - 1, y, x);
        }
    }
    for (std::int64_t y = side; y < system.height; y += side) {
        system.context.monitor.poll();
        for (std::int64_t x = 0; x < system.width; ++x) {
            add(y - 1, x, y, x);
        }
    }
    std::stable_sort(found.begin(), found.end(), [](const Coupling& a, const Coupling& b) {
        return a.from != b.from ? a.from < b.from : a.to < b.to;
    });
    cells.start.assign(static_cast<std::size_t>(cells.size() + 1), 0);
    for (std::size_t k = 0; k < found.size(); ++k) {
        if (k > 0 && found[k].from == found[k - 1].from && found[k].to == found[k - 1].to) {
            cells.weight.back() += found[k].weight;
            continue;
        }
        cells.to.push_back(found[k].to);
        cells.weight.push_back(found[k].weight);
        cells.start[static_cast<std::size_t>(found[k].from) + 1] = static_cast<std::int64_t>(cells.to.size());
    }
    for (std::size_t i = 1; i < cells.start.size(); ++i) {
        cells.start[i] = std::max(cells.start[i], cells.start[i - 1]);
    }
}

}  // namespace

LayerCells find_cells(const LayerSystem& system) {
    LayerCells cells;
    Squares squares(system);
    const auto add = [&](std::int64_t y, std::int64_t x) {
        const std::int64_t p = y * system.width + x;
        std::int32_t& number = squares.number[squares.place(system, y, x)];
        if (number < 0) {
            number = static_cast<std::int32_t>(cells.size());
            cells.is_opaque.push_back(system.alpha[p] == 1 ? 1 : 0);
            cells.pixel.push_back(p);
        }
        bool is_edge = false;
        for_neighbours(system, p, x, [&](std::int64_t q) {
            if (system.is_unknown(q)) {
                is_edge = true;
                cells.contacts.push_back({q, system.place_of(q), number});
            }
        });
        if (is_edge) {
            cells.edges.push_back({p, system.place_of(p), number});
        }
    };
    for (std::int64_t y = 0; y < system.height; ++y) {
        if (y % layer_band == 0) {
            cells.first_edge.push_back(static_cast<std::int64_t>(cells.edges.size()));
            cells.first_contact.push_back(static_cast<std::int64_t>(cells.contacts.size()));
            cells.first.push_back(cells.size());
            system.context.monitor.poll();
        }
        for (std::int64_t x = 0; x < system.width; ++x) {
            if (!system.is_unknown(y * system.width + x)) {
                add(y, x);
            }
        }
    }
    cells.first_edge.push_back(static_cast<std::int64_t>(cells.edges.size()));
    cells.first_contact.push_back(static_cast<std::int64_t>(cells.contacts.size()));
    cells.first.push_back(cells.size());
    couple(system, squares, cells);
    return cells;
}

void spread(const LayerSystem& system, const LayerVectors& x) {
    const LayerCells& cells = system.cells;
    system.for_bands([&](std::int64_t begin, std::int64_t) {
        const auto k = static_cast<std::size_t>(begin / layer_band);
        for (std::int64_t e = cells.first_edge[k]; e < cells.first_edge[k + 1]; ++e) {
            const LayerCells::Edge& edge = cells.edges[static_cast<std::size_t>(e)];
            for (const LayerVector* v : x) {
                cells.invisible(edge.cell, v->F, v->B)[edge.place] = v->cells[edge.cell];
            }
        }
    });
}

void product_of_cells(const LayerSystem& system, const LayerVectors& x, const LayerVectors& out) {
    const LayerCells& cells = system.cells;
    const float weight = system.far_weight();
    system.for_bands([&](std::int64_t begin, std::int64_t) {
        const auto k = static_cast<std::size_t>(begin / layer_band);
        for (std::int64_t i = cells.first[k]; i < cells.first[k + 1]; ++i) {
            for (std::size_t c = 0; c < x.size(); ++c) {
                const float* of_cell = x[c]->cells.data();
                float sum = 0;
                for (std::int64_t j = cells.start[static_cast<std::size_t>(i)];
                     j < cells.start[static_cast<std::size_t>(i + 1)]; ++j) {
                    sum += cells.weight[static_cast<std::size_t>(j)] *
                           (of_cell[i] - of_cell[cells.to[static_cast<std::size_t>(j)]]);
                }
                out[c]->cells[i] = sum;
            }
        }
        for (std::int64_t e = cells.first_contact[k]; e < cells.first_contact[k + 1]; ++e) {
            const LayerCells::Edge& contact = cells.contacts[static_cast<std::size_t>(e)];
            for (std::size_t c = 0; c < x.size(); ++c) {
                const float other = cells.invisible(contact.cell, x[c]->F, x[c]->B)[contact.place];
                out[c]->cells[contact.cell] += weight * (x[c]->cells[contact.cell] - other);
            }
        }
    });
}

}  // namespace trimatte
