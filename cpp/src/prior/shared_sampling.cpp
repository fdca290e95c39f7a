// Shared sampling finds a known foreground and a known background colour for every unknown pixel.
// The method and its letters are those of Gastal, Oliveira, "Shared Sampling for Real-Time Alpha
// Matting", Computer Graphics Forum 29(2) (Eurographics 2010). Each pixel looks along a few rays,
// in directions that differ from those of its neighbours, takes the best pair of what it meets, and
// then compares the pairs of all pixels around it, so that a few rays per pixel are enough.
//
// The folder shared_sampling/ has one file for each of the paper's steps.
#include "prior/shared_sampling/shared_sampling.hpp"

#include <cmath>

namespace trimatte {
namespace {

// Fills the pixels that the expansion has labelled, and the colours of all known pixels.
void fill_known(const sharing::Picture& picture, const Label* labels, const SharedSamples& out, Context context) {
    const ImageView& image = picture.image;
    const std::int64_t channels = image.channels;
    parallel_for(image.height, context.threads, context.monitor, [&](std::int64_t y) {
        std::vector<float> row(static_cast<std::size_t>(out.foreground != nullptr ? image.width * channels : 0));
        if (!row.empty()) {
            load_row(image, y, image.width, row.data());
        }
        for (std::int64_t x = 0; x < image.width; ++x) {
            const Label label = picture.label(y, x);
            if (label == Label::unknown) {
                continue;
            }
            const std::int64_t p = picture.pixel(y, x);
            if (labels[p] == Label::unknown) {
                out.alpha[p] = label == Label::foreground ? 1.0f : 0.0f;
                out.confidence[p] = 1;
            }
            for (std::int64_t c = 0; !row.empty() && c < channels; ++c) {
                const float value = row[static_cast<std::size_t>(c * image.width + x)];
                out.foreground[p * channels + c] = value;
                out.background[p * channels + c] = value;
            }
        }
    });
}

}  // namespace

namespace sharing {

Mixture mixture_of(const Colour& C, const Colour& F, const Colour& B) {
    float along = 0, length2 = 0;
    for (std::size_t c = 0; c < 3; ++c) {
        along += (C[c] - B[c]) * (F[c] - B[c]);
        length2 += (F[c] - B[c]) * (F[c] - B[c]);
    }
    const float alpha = std::clamp(along / std::max(length2, 1e-8f), 0.0f, 1.0f);
    float left2 = 0;
    for (std::size_t c = 0; c < 3; ++c) {
        const float left = C[c] - B[c] - alpha * (F[c] - B[c]);
        left2 += left * left;
    }
    return {alpha, std::sqrt(left2)};
}

float confidence_of(float distortion) { return std::exp(-10 * distortion); }

}  // namespace sharing

void shared_sampling(const ImageView& image, const Label* labels, const SharedSamplingOptions& options,
                     const SharedSamples& out, Monitor& monitor) {
    using namespace sharing;
    const Context context{options.threads, monitor};
    monitor.phase("expansion");
    const Picture picture =
        expand(image, labels, options.expansion_radius, static_cast<float>(options.expansion_threshold), context);
    fill_known(picture, labels, out, context);
    if (picture.count() > 0) {
        monitor.phase("sampling");
        Buffer<Tuple> tuples = gather(picture, options.rays, context);
        monitor.phase("sharing");
        const Buffer<Refined> refined = share(picture, tuples, options.sharing_radius, options.own_colours, context);
        tuples = Buffer<Tuple>();
        monitor.phase("smoothing");
        smooth(picture, refined, options.smoothing_radius, out, context);
    }
    monitor.finish();
}

}  // namespace trimatte
