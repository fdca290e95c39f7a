#include "solve/multigrid/sweep.hpp"

namespace trimatte {
namespace {

// The least number of slots for which waking a thread saves more than it costs. The nodes of a grid
// with reach 1 are cells, and a cell with its blocks takes as much work as 16 pixels.
std::int64_t slots_per_range(const Grid& grid) { return grid.reach() == 1 ? 512 : 8192; }
// From this number of slots per thread on, several bands per thread are faster.
constexpr std::int64_t slots_for_more_bands = 100000;
// The number of slots of a band. Its stages take a few milliseconds, after which the monitor is
// polled.
std::int64_t slots_per_band(const Grid& grid) { return grid.reach() == 1 ? 25000 : 400000; }

// Returns the borders of ranges of rows with about equal work, of at least `rows` rows and `work`
// slots each.
std::vector<std::int64_t> borders(const Grid& grid, std::int64_t work, std::int64_t rows) {
    std::vector<std::int64_t> result{0};
    for (std::int64_t y = 1; y < grid.height(); ++y) {
        if (grid.work(result.back(), y) >= work && y - result.back() >= rows && grid.height() - y >= rows) {
            result.push_back(y);
        }
    }
    result.push_back(grid.height());
    return result;
}

}  // namespace

void sweep(const Grid& grid, const std::vector<RowStage>& stages, const Context& context) {
    const std::int64_t reach = grid.reach();
    const auto count = static_cast<std::int64_t>(stages.size());
    const std::int64_t height = grid.height();
    // The picture is cut into bands, of which each thread takes one after the other. In a band,
    // each stage covers `reach` rows less than the stage before on either side. The triangles of
    // rows that are left between two bands are done once both bands are done.
    const std::int64_t total = grid.work(0, height);
    const std::int64_t fewest = total < context.threads * slots_for_more_bands ? context.threads : 4 * context.threads;
    const std::int64_t wanted = std::max(fewest, total / slots_per_band(grid));
    const std::int64_t per_band =
        context.threads == 1 ? slots_per_band(grid) : std::max(slots_per_range(grid), total / wanted + 1);
    const std::vector<std::int64_t> border = borders(grid, per_band, 4 * reach * count);
    const auto bands = static_cast<std::int64_t>(border.size()) - 1;
    parallel_for(bands, context.threads, context.monitor, [&](std::int64_t i) {
        const std::int64_t begin = border[static_cast<std::size_t>(i)];
        const std::int64_t end = border[static_cast<std::size_t>(i) + 1];
        for (std::int64_t t = begin; t < end + reach * count; ++t) {
            for (std::int64_t s = 0; s < count; ++s) {
                const std::int64_t y = t - reach * s;
                const std::int64_t first = i == 0 ? 0 : begin + reach * s;
                if (y >= first && y < (i == bands - 1 ? height : end - reach * s)) {
                    stages[static_cast<std::size_t>(s)](y, y > first);
                }
            }
        }
    });
    parallel_for(bands - 1, context.threads, context.monitor, [&](std::int64_t i) {
        const std::int64_t middle = border[static_cast<std::size_t>(i) + 1];
        for (std::int64_t s = 1; s < count; ++s) {
            const std::int64_t first = middle - reach * s;
            for (std::int64_t y = first; y < middle + reach * s; ++y) {
                stages[static_cast<std::size_t>(s)](y, y > first);
            }
        }
    });
}

void for_rows(const Grid& grid, const Context& context, const std::function<void(std::int64_t, std::int64_t)>& body) {
    const std::vector<std::int64_t> border = borders(grid, slots_per_range(grid), 1);
    parallel_for(static_cast<std::int64_t>(border.size()) - 1, context.threads, context.monitor, [&](std::int64_t i) {
        body(border[static_cast<std::size_t>(i)], border[static_cast<std::size_t>(i) + 1]);
    });
}

void for_cell_rows(const Grid& grid, const Context& context, const std::function<void(std::int64_t)>& body) {
    const std::int64_t cell = grid.cell();
    const std::vector<std::int64_t> border = borders(grid, slots_per_range(grid), cell);
    const auto row_of = [&](std::int64_t y) { return (y + cell - 1) / cell; };
    parallel_for(static_cast<std::int64_t>(border.size()) - 1, context.threads, context.monitor, [&](std::int64_t i) {
        for (std::int64_t row = row_of(border[static_cast<std::size_t>(i)]);
             row < row_of(border[static_cast<std::size_t>(i) + 1]); ++row) {
            body(row);
        }
    });
}

}  // namespace trimatte
