#include "affinity/window_cells.hpp"

namespace trimatte {

template <int C>
Windows<C>::Windows(const WindowLayout& layout, double epsilon, const ImageView& image, const Context& context)
    : epsilon_(epsilon), data_(planes * layout.windows().places) {
    using Part = Moments<C>;
    const Tiles& tiles = layout.windows();
    const auto n = static_cast<double>(layout.side() * layout.side());
    const double e = epsilon / n;
    parallel_for(static_cast<std::int64_t>(tiles.tiles.size()), context.threads, context.monitor, [&](std::int64_t t) {
        const Tile& tile = tiles.tiles[static_cast<std::size_t>(t)];
        BoxFilter<Part> filter(layout.side(), tile.columns);
        const std::int64_t stride = filter.stride();
        const auto load = [&](std::int64_t k, double* to) {
            load_columns(image, tile.y + k, tile.x, tile.x + tile.columns + layout.side() - 1, stride, to);
            std::fill_n(to + C * stride, Part::products * stride, 0.0);
        };
        filter.run(tile.rows, tile.columns, load, [&](std::int64_t o, const double* parts) {
            double* out = data_.data() + planes * (tile.at + o * tile.columns);
            for (std::int64_t x = 0; x < tile.columns; ++x) {
                double products[Part::products];
                for (int k = 0; k < Part::products; ++k) {
                    products[k] = parts[(C + k) * stride + x] / n;
                }
                const bool built = layout.is_built(tile.at + o * tile.columns + x);
                const Factors<C> f = built ? Factors<C>(products, e, 0) : Factors<C>();
                const auto put = [&](int plane, double value) { out[plane * tile.columns + x] = value; };
                put(0, built ? 1 / n : 0.0);
                for (int c = 0; c < C; ++c) {
                    put(1 + c, parts[c * stride + x]);
                    put(1 + C + c, f.inverse[c]);
                }
                if constexpr (C == 3) {
                    put(7, f.k10);
                    put(8, f.k20);
                    put(9, f.k21);
                }
            }
        });
    });
}

template <int C>
void Windows<C>::fit(std::int64_t place, std::int64_t size, const double* sums, std::int64_t stride,
                     double* out) const {
    const double* const data = data_.data() + planes * place;
    const auto plane = [&](int k) { return data + k * size; };
    const double* __restrict share = plane(0), * __restrict m0 = plane(1), * __restrict s0 = sums;
    const double* __restrict s1 = sums + stride;
    double* __restrict b = out, * __restrict a0 = out + size;
    if constexpr (C == 1) {
        const double* __restrict q0 = plane(2);
        for (std::int64_t i = 0; i < size; ++i) {
            const double p = s0[i] * share[i];
            const double u0 = (s1[i] * share[i] - m0[i] * p) * q0[i];
            a0[i] = u0;
            b[i] = p - u0 * m0[i];
        }
    } else {
        const double* __restrict m1 = plane(2), * __restrict m2 = plane(3);
        const double* __restrict q0 = plane(4), * __restrict q1 = plane(5), * __restrict q2 = plane(6);
        const double* __restrict k10 = plane(7), * __restrict k20 = plane(8), * __restrict k21 = plane(9);
        const double* __restrict s2 = sums + 2 * stride, * __restrict s3 = sums + 3 * stride;
        double* __restrict a1 = out + 2 * size, * __restrict a2 = out + 3 * size;
        for (std::int64_t i = 0; i < size; ++i) {
            const double p = s0[i] * share[i];
            double u0 = s1[i] * share[i] - m0[i] * p;
            double u1 = s2[i] * share[i] - m1[i] * p;
            double u2 = s3[i] * share[i] - m2[i] * p;
            u1 -= k10[i] * u0;
            u2 -= k20[i] * u0 + k21[i] * u1;
            u0 *= q0[i];
            u1 *= q1[i];
            u2 *= q2[i];
            u1 -= k21[i] * u2;
            u0 -= k10[i] * u1 + k20[i] * u2;
            a0[i] = u0;
            a1[i] = u1;
            a2[i] = u2;
            b[i] = p - (u0 * m0[i] + u1 * m1[i] + u2 * m2[i]);
        }
    }
}

template <int C>
void Windows<C>::polynomial(const Tile& tile, std::int64_t y, std::int64_t x, double* out) const {
    const Factors<C> f = factors(tile, y, x);
    const double s = share(tile, y, x);
    double M[C][C];
    for (int c = 0; c < C; ++c) {
        double u[C] = {};
        u[c] = 1;
        f.substitute(u);
        for (int d = 0; d < C; ++d) {
            u[d] *= f.inverse[d];
        }
        f.substitute_back(u);
        std::copy_n(u, C, M[c]);
    }
    out[0] = s;
    for (int c = 0, k = 1 + C; c < C; ++c) {
        double of_mean = 0;
        for (int d = 0; d < C; ++d) {
            of_mean += M[c][d] * mean(tile, y, x, d);
        }
        out[0] += s * of_mean * mean(tile, y, x, c);
        out[1 + c] = -2 * s * of_mean;
        for (int d = 0; d <= c; ++d, ++k) {
            out[k] = s * M[c][d] * (d == c ? 1 : 2);
        }
    }
}

namespace {

// Windows that are this part of a side apart stand for all of them.
constexpr std::int64_t windows_per_side = 7;
// A column of a cell is left out if the colours differ by so little along it that a fit over a
// window would not follow them: this part of epsilon / n.
constexpr double least_variance = 1e-3;

template <int C>
class CellSums {
public:
    CellSums(const WindowLayout& layout, const Windows<C>& windows, const double* colour, const double* count,
             std::int64_t cells_at_most)
        : layout_(layout), windows_(windows), colour_(colour), count_(count), side_(layout.side()) {
        while (layout.rows() / (side_ * side_) > cells_at_most) {
            side_ += layout.side();
        }
    }

    CellMatrix run(const Context& context) {
        make_cells(context);
        const std::int64_t rows = cell_rows();
        std::vector<std::vector<Below>> below(static_cast<std::size_t>(rows));
        parallel_for(rows, context.threads, context.monitor, [&](std::int64_t cy) {
            below[static_cast<std::size_t>(cy)].resize(static_cast<std::size_t>(end(cy + 1) - begin(cy + 1)));
            add_band(cy, below[static_cast<std::size_t>(cy)], context.monitor);
        });
        for (std::int64_t cy = 0; cy < rows; ++cy) {
            for (std::int64_t i = begin(cy + 1); i < end(cy + 1); ++i) {
                const Below& from = below[static_cast<std::size_t>(cy)][static_cast<std::size_t>(i - begin(cy + 1))];
                inverse_[static_cast<std::size_t>(i)].met += from.met;
                for (std::size_t k = 0; k < from.own.size(); ++k) {
                    cell(i).entry[0][k] += from.own[k];
                    cell(i).entry[1][k] += from.right[k];
                }
            }
        }
        for (std::size_t i = 0; i < result_.cells.size(); ++i) {
            complete(result_.cells[i], inverse_[i]);
        }
        return std::move(result_);
    }

private:
    static constexpr int K = C + 1;
    static constexpr int pairs = K * (K + 1) / 2;
    using Block = CellMatrix::Block;

    // What the windows that begin in a row of cells add to the row below.
    struct Below {
        Block own{}, right{};
        double met = 0;
    };
    // How the colours of a cell follow from its columns: I - centre is `back` times the columns
    // after the first, and 1 is `one` times the first column. windows: the mean number of windows
    // that hold a pixel. met: the same number, from the windows that have been added.
    struct Inverse {
        double one = 0;
        double back[C][C] = {};
        double windows = 0;
        double met = 0;
    };

    std::int64_t cell_rows() const { return static_cast<std::int64_t>(row_start_.size()) - 1; }
    std::int64_t begin(std::int64_t cy) const {
        return row_start_[static_cast<std::size_t>(std::min(cy, cell_rows()))];
    }
    std::int64_t end(std::int64_t cy) const {
        return row_start_[static_cast<std::size_t>(std::min(cy + 1, cell_rows()))];
    }
    CellMatrix::Cell& cell(std::int64_t i) { return result_.cells[static_cast<std::size_t>(i)]; }
    // The number of the cell at this place; -1 if there is none.
    std::int64_t find(std::int64_t cy, std::int64_t cx) const {
        const auto first = result_.cells.begin() + begin(cy), last = result_.cells.begin() + end(cy);
        const auto at = std::partition_point(first, last, [&](const auto& c) { return c.x < cx; });
        return at != last && at->x == cx && at->y == cy ? at - result_.cells.begin() : -1;
    }

    // Calls body(row of the matrix, y, x) for the wanted pixels of a cell, where y and x count from
    // the corner of the cell.
    template <class Body>
    void for_pixels(const CellMatrix::Cell& c, const Body& body) const {
        for (std::int64_t y = 0; y < side_ && c.y * side_ + y < layout_.height(); ++y) {
            layout_.for_runs(c.y * side_ + y, c.x * side_, (c.x + 1) * side_, [&](const WantedRun& run) {
                for (std::int64_t x = run.x_begin; x < run.x_end; ++x) {
                    body(run.first + x - run.x_begin, y, x - c.x * side_);
                }
            });
        }
    }

    void make_cells(const Context& context) {
        result_.side = side_;
        result_.columns = K;
        row_start_.push_back(0);
        for (std::int64_t y = 0; y < layout_.height(); y += side_) {
            std::vector<std::uint8_t> has(static_cast<std::size_t>((layout_.width() + side_ - 1) / side_), 0);
            for (std::int64_t v = y; v < std::min(y + side_, layout_.height()); ++v) {
                layout_.for_runs(v, 0, layout_.width(), [&](const WantedRun& run) {
                    std::fill(has.begin() + run.x_begin / side_, has.begin() + (run.x_end - 1) / side_ + 1,
                              std::uint8_t{1});
                });
            }
            for (std::size_t cx = 0; cx < has.size(); ++cx) {
                if (has[cx]) {
                    result_.cells.push_back({});
                    result_.cells.back().y = static_cast<std::int32_t>(y / side_);
                    result_.cells.back().x = static_cast<std::int32_t>(cx);
                }
            }
            row_start_.push_back(static_cast<std::int64_t>(result_.cells.size()));
        }
        inverse_.resize(result_.cells.size());
        const auto count = static_cast<std::int64_t>(result_.cells.size());
        parallel_for((count + 15) / 16, context.threads, context.monitor, [&](std::int64_t task) {
            for (std::int64_t i = 16 * task; i < std::min(count, 16 * task + 16); ++i) {
                make_basis(cell(i), inverse_[static_cast<std::size_t>(i)]);
            }
        });
    }

    // Makes the columns of a cell orthonormal: 1, and the colours minus their mean.
    void make_basis(CellMatrix::Cell& c, Inverse& inverse) const {
        double n = 0, weight = 0;
        for_pixels(c, [&](std::int64_t i, std::int64_t, std::int64_t) {
            n += 1;
            weight += count_[i];
            for (int k = 0; k < C; ++k) {
                c.centre[k] += colour_[k * layout_.rows() + i];
            }
        });
        for (int k = 0; k < C; ++k) {
            c.centre[k] /= n;
        }
        double products[C * (C + 1) / 2] = {};
        for_pixels(c, [&](std::int64_t i, std::int64_t, std::int64_t) {
            for (int k = 0, at = 0; k < C; ++k) {
                for (int l = 0; l <= k; ++l, ++at) {
                    products[at] += (colour_[k * layout_.rows() + i] - c.centre[k]) *
                                    (colour_[l * layout_.rows() + i] - c.centre[l]) / n;
                }
            }
        });
        const double of_window = windows_.epsilon() / static_cast<double>(layout_.side() * layout_.side());
        const Factors<C> f(products, 0, least_variance * of_window);
        inverse.one = std::sqrt(n);
        inverse.windows = weight / n;
        c.basis[0] = 1 / inverse.one;
        const double lower[3][3] = {{1, 0, 0}, {f.k10, 1, 0}, {f.k20, f.k21, 1}};
        for (int q = 0; q < C; ++q) {
            // Column q of V is row q of D^-1/2 K^-1 times the colour. Row q of K^-1 is K^-T e_q.
            double u[C] = {};
            u[q] = 1;
            f.substitute_back(u);
            for (int k = 0; k < C; ++k) {
                c.basis[static_cast<std::size_t>((1 + k) * K + 1 + q)] = u[k] * std::sqrt(f.inverse[q]) / inverse.one;
                inverse.back[k][q] = f.inverse[q] > 0 ? lower[k][q] / std::sqrt(f.inverse[q]) * inverse.one : 0.0;
            }
        }
    }

    // The sums of v v^T over the upper left rectangles of a cell.
    using Table = std::vector<std::array<double, pairs>>;
    Table table_of(const CellMatrix::Cell& c) const {
        Table table(static_cast<std::size_t>((side_ + 1) * (side_ + 1)));
        const auto at = [&](std::int64_t y, std::int64_t x) -> std::array<double, pairs>& {
            return table[static_cast<std::size_t>(y * (side_ + 1) + x)];
        };
        for_pixels(c, [&](std::int64_t i, std::int64_t y, std::int64_t x) {
            double v[K];
            for (int q = 0; q < K; ++q) {
                v[q] = c.basis[static_cast<std::size_t>(q)];
                for (int k = 0; k < C; ++k) {
                    v[q] += c.basis[static_cast<std::size_t>((1 + k) * K + q)] *
                            (colour_[k * layout_.rows() + i] - c.centre[k]);
                }
            }
            for (std::size_t q = 0, p = 0; q < K; ++q) {
                for (std::size_t l = 0; l <= q; ++l, ++p) {
                    at(y + 1, x + 1)[p] = v[q] * v[l];
                }
            }
        });
        for (std::int64_t y = 1; y <= side_; ++y) {
            std::array<double, pairs> row{};
            for (std::int64_t x = 1; x <= side_; ++x) {
                for (std::size_t p = 0; p < pairs; ++p) {
                    row[p] += at(y, x)[p];
                    at(y, x)[p] = at(y - 1, x)[p] + row[p];
                }
            }
        }
        return table;
    }

    // Adds the windows that begin in a row of cells. A window meets at most four cells.
    void add_band(std::int64_t cy, std::vector<Below>& below, Monitor& monitor) {
        const Tiles& tiles = layout_.windows();
        const auto bands = static_cast<std::int64_t>(tiles.band_start.size()) - 1;
        const std::int64_t per_cell = side_ / layout_.side();
        const std::int64_t first = std::min(cy * per_cell, bands), last = std::min((cy + 1) * per_cell, bands);
        std::vector<Table> tables(first == last ? 0 : static_cast<std::size_t>(end(cy + 1) - begin(cy)));
        for (std::size_t i = 0; i < tables.size(); ++i) {
            monitor.poll();
            tables[i] = table_of(cell(begin(cy) + static_cast<std::int64_t>(i)));
        }
        const std::int64_t step = std::max<std::int64_t>(1, layout_.side() / windows_per_side);
        const auto weight = static_cast<double>(step * step);
        for (std::int64_t t = tiles.band_start[static_cast<std::size_t>(first)];
             t < tiles.band_start[static_cast<std::size_t>(last)]; ++t) {
            const Tile& tile = tiles.tiles[static_cast<std::size_t>(t)];
            for (std::int64_t y = (tile.y + step - 1) / step * step; y < tile.y + tile.rows; y += step) {
                monitor.poll();
                for (std::int64_t x = (tile.x + step - 1) / step * step; x < tile.x + tile.columns; x += step) {
                    if (layout_.is_built(tile.place(y, x))) {
                        add_window(cy, tile, y, x, weight, tables, below);
                    }
                }
            }
        }
    }

    // What a window has in one of its cells.
    struct Part {
        std::int64_t cell = -1;  // its number; -1 if the window does not meet the cell
        double M[K][K];          // the sum of v v^T over the pixels that lie in both
        double Z[K][K];          // the sum of v z^T over them, where z are the whitened colours
    };

    // Fills M and Z of a part. f, mean and root: the factors, the mean colour and the root of the
    // share of the window.
    void find_sums(const Factors<C>& f, const double* mean, double root, const Table& table, std::int64_t top,
                   std::int64_t bottom, std::int64_t left, std::int64_t right, Part& part) const {
        read(table, top, bottom, left, right, part.M);
        const CellMatrix::Cell& c = result_.cells[static_cast<std::size_t>(part.cell)];
        const Inverse& inverse = inverse_[static_cast<std::size_t>(part.cell)];
        // Row j of z_of holds z for the columns' unit vector j.
        double z_of[K][K] = {};
        z_of[0][0] = inverse.one * root;
        for (int j = 0; j < K; ++j) {
            double u[C];
            for (int i = 0; i < C; ++i) {
                u[i] = j == 0 ? inverse.one * (c.centre[i] - mean[i]) : inverse.back[i][j - 1];
            }
            f.substitute(u);
            for (int i = 0; i < C; ++i) {
                z_of[j][1 + i] = u[i] * std::sqrt(f.inverse[i]) * root;
            }
        }
        for (int p = 0; p < K; ++p) {
            for (int q = 0; q < K; ++q) {
                part.Z[p][q] = 0;
                for (int j = 0; j < K; ++j) {
                    part.Z[p][q] += part.M[p][j] * z_of[j][q];
                }
            }
        }
    }

    // A window adds M to the diagonal blocks of its cells, and subtracts Z_c Z_d^T from all blocks
    // between them.
    void add_window(std::int64_t cy, const Tile& tile, std::int64_t y, std::int64_t x, double weight,
                    const std::vector<Table>& tables, std::vector<Below>& below) {
        const std::int64_t cx = x / side_, top = y - cy * side_, left = x - cx * side_;
        const std::int64_t bottom = top + layout_.side(), right = left + layout_.side();
        const Factors<C> f = windows_.factors(tile, y, x);
        const double root = std::sqrt(windows_.share(tile, y, x));
        double mean[C];
        for (int c = 0; c < C; ++c) {
            mean[c] = windows_.mean(tile, y, x, c);
        }
        Part parts[4];  // of the cells 0 1 above and 2 3 below
        for (int k = 0; k < 4; ++k) {
            const bool is_below = k >= 2, is_right = k % 2 == 1;
            if ((is_below && bottom <= side_) || (is_right && right <= side_)) {
                continue;
            }
            parts[k].cell = find(cy + is_below, cx + is_right);
            if (parts[k].cell >= 0) {
                find_sums(f, mean, root, tables[static_cast<std::size_t>(parts[k].cell - begin(cy))],
                          is_below ? 0 : top, is_below ? bottom - side_ : std::min(bottom, side_), is_right ? 0 : left,
                          is_right ? right - side_ : std::min(right, side_), parts[k]);
            }
        }
        const auto of_below = [&](const Part& part) -> Below& {
            return below[static_cast<std::size_t>(part.cell - begin(cy + 1))];
        };
        // `which` is the forward neighbour of cell k that cell l is.
        const auto add = [&](int k, int l, int which) {
            if (parts[k].cell < 0 || parts[l].cell < 0) {
                return;
            }
            Block& to = k < 2        ? cell(parts[k].cell).entry[which]
                        : which == 0 ? of_below(parts[k]).own
                                     : of_below(parts[k]).right;
            for (int p = 0; p < K; ++p) {
                for (int q = 0; q < K; ++q) {
                    double sum = k == l ? parts[k].M[p][q] : 0.0;
                    for (int j = 0; j < K; ++j) {
                        sum -= parts[k].Z[p][j] * parts[l].Z[q][j];
                    }
                    to[static_cast<std::size_t>(p * K + q)] += weight * sum;
                }
            }
        };
        constexpr int pairs_of_parts[][3] = {{0, 1, 1}, {2, 3, 1}, {1, 2, 2}, {0, 2, 3}, {1, 3, 3}, {0, 3, 4}};
        for (int k = 0; k < 4; ++k) {
            add(k, k, 0);
            if (parts[k].cell >= 0) {
                // The first column is the same for all pixels of a cell, so that M counts them.
                double& met = k < 2 ? inverse_[static_cast<std::size_t>(parts[k].cell)].met : of_below(parts[k]).met;
                met += weight * parts[k].M[0][0];
            }
        }
        for (const auto& [k, l, which] : pairs_of_parts) {
            add(k, l, which);
        }
    }

    // Reads the sum over rows [top, bottom) and columns [left, right) of a cell.
    void read(const Table& table, std::int64_t top, std::int64_t bottom, std::int64_t left, std::int64_t right,
              double (&M)[K][K]) const {
        const auto at = [&](std::int64_t y, std::int64_t x) { return table.data() + y * (side_ + 1) + x; };
        for (std::size_t q = 0, p = 0; q < K; ++q) {
            for (std::size_t l = 0; l <= q; ++l, ++p) {
                M[q][l] = M[l][q] =
                    (*at(bottom, right))[p] - (*at(top, right))[p] - (*at(bottom, left))[p] + (*at(top, left))[p];
            }
        }
    }

    // Completes a cell that the chosen windows hardly meet, as if no window could fit its alphas.
    // Empty columns get a one.
    void complete(CellMatrix::Cell& c, const Inverse& inverse) const {
        const bool is_missed = inverse.met < 0.5 * inverse.windows;
        for (int q = 0; q < K; ++q) {
            const bool is_empty = q > 0 && inverse.back[q - 1][q - 1] == 0;
            double& entry = c.entry[0][static_cast<std::size_t>(q * K + q)];
            entry += is_empty ? 1.0 : is_missed ? inverse.windows : 0.0;
        }
    }

    const WindowLayout& layout_;
    const Windows<C>& windows_;
    const double* colour_;
    const double* count_;
    std::int64_t side_;
    CellMatrix result_;
    std::vector<std::int64_t> row_start_;
    std::vector<Inverse> inverse_;
};

}  // namespace

template <int C>
CellMatrix cells_of_windows(const WindowLayout& layout, const Windows<C>& windows, const double* colour,
                            const double* count, std::int64_t cells_at_most, const Context& context) {
    return CellSums<C>(layout, windows, colour, count, cells_at_most).run(context);
}

template class Windows<1>;
template class Windows<3>;
template CellMatrix cells_of_windows<1>(const WindowLayout&, const Windows<1>&, const double*, const double*,
                                        std::int64_t, const Context&);
template CellMatrix cells_of_windows<3>(const WindowLayout&, const Windows<3>&, const double*, const double*,
                                        std::int64_t, const Context&);

}  // namespace trimatte
