// Information-flow matting: Aksoy, Aydin, Pollefeys, CVPR 2017.
#pragma once

#include "trimatte/affinity.hpp"
#include "trimatte/buffer.hpp"
#include "trimatte/parallel.hpp"

namespace trimatte {

struct InformationFlowOptions {
    int mixture_neighbours = 20;   // K_CM: colours of which each unknown pixel's colour is mixed
    int unknown_neighbours = 5;    // K_UU: similar unknown pixels
    double unknown_weight = 0.01;  // sigma_UU
    double local_weight = 1;       // sigma_L
    double epsilon = 1e-7;         // of the closed-form Laplacian, in squared image units
};

// The flows of one picture between its unknown pixels, and from known to unknown ones by mixtures of
// colours. With m_p as the row of unknown pixel p in I - W_CM, the operator is
//     sum over p of m_p' m_p + sigma_UU (D_UU - W_UU) + sigma_L times the closed-form Laplacian
// Labels and image belong to the caller, and the object reads neither after it has been made.
class InformationFlow : public Affinity {
public:
    InformationFlow(const ImageView& image, const Label* labels, const InformationFlowOptions& options,
                    const Context& context);

    Traits traits() const override { return {0, false, true, false, false}; }
    void check(const ImageView& image) const override;
    std::int64_t band_height() const override { return local_.band_height(); }
    void emit_rows(const Wanted& wanted, std::int64_t y_begin, std::int64_t y_end, RowSink& sink,
                   Monitor& monitor) const override;

private:
    class Row;

    void find_mixtures(const ImageView& image, const Context& context);
    void find_similar(const ImageView& image, const Context& context);
    void make_links(Monitor& monitor);
    void add_flows(std::int32_t pixel, Row& row) const;
    int slots() const { return options_.mixture_neighbours + options_.unknown_neighbours; }

    InformationFlowOptions options_;
    ClosedForm local_;
    std::int64_t pixels_;
    Buffer<std::int32_t> unknown_;  // the unknown pixels, ascending
    // slots() neighbours of each unknown pixel, as pixels, and their weights: first those of the
    // colour mixture, then the similar ones. Neighbours that are missing are -1.
    Buffer<std::int32_t> neighbour_;
    Buffer<double> weight_;
    // The way back: for pixel q, place_[q] is its number i among the pixels that are unknown or a
    // neighbour of one, or -1. link_[start_[i]] ... link_[start_[i + 1] - 1] are the places of
    // neighbour_ that hold q, ascending; number_[i] is q's number among the unknown pixels, or -1.
    Buffer<std::int32_t> place_;
    Buffer<std::int32_t> number_;
    Buffer<std::int64_t> start_;
    Buffer<std::int64_t> link_;
};

// What known colours say of each unknown pixel: the known-to-unknown flow. The pixel's colour is
// mixed from those of `neighbours` known foreground and as many known background pixels. alpha
// receives the share of the foreground (the paper's w^F, clipped to [0, 1]), and confidence the
// squared distance of the two colours, divided by the number of channels (its eta, clipped to
// [0, 1]). Both are planes of the size of the image; values at known pixels stay. Both kinds of
// known pixels must be there.
void known_to_unknown_flow(const ImageView& image, const Label* labels, int neighbours, float* alpha, float* confidence,
                           const Context& context);

}  // namespace trimatte
