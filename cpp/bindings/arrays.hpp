// NumPy arrays become views of the core, and the core's arrays become NumPy's. Python has checked
// and converted them before. A wrong array here is a fault of the package, so the messages are
// short.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <memory>
#include <stdexcept>
#include <utility>

#include "trimatte/buffer.hpp"
#include "trimatte/image.hpp"

namespace py = pybind11;

namespace trimatte::bindings {

template <typename T>
using Array = py::array_t<T, py::array::c_style>;

inline ImageView image_view(const py::array& image) {
    PixelType type;
    if (py::isinstance<Array<std::uint8_t>>(image)) {
        type = PixelType::u8;
    } else if (py::isinstance<Array<std::uint16_t>>(image)) {
        type = PixelType::u16;
    } else if (py::isinstance<Array<float>>(image)) {
        type = PixelType::f32;
    } else if (py::isinstance<Array<double>>(image)) {
        type = PixelType::f64;
    } else {
        throw std::invalid_argument("image: expected a C-contiguous array of uint8, uint16, float32 or float64");
    }
    if (image.ndim() != 3) {
        throw std::invalid_argument("image: expected three dimensions");
    }
    return {image.data(), type, image.shape(0), image.shape(1), static_cast<int>(image.shape(2))};
}

// Returns the data of a plane that has the image's size.
template <typename T>
const T* plane(const Array<T>& array, const ImageView& image, const char* name) {
    if (array.ndim() != 2 || array.shape(0) != image.height || array.shape(1) != image.width) {
        throw std::invalid_argument(std::string(name) + ": expected the size of the image");
    }
    return array.data();
}

// Hands a buffer to NumPy without a copy.
template <typename T>
py::array_t<T> to_numpy(Buffer<T>&& buffer) {
    auto owner = std::make_unique<Buffer<T>>(std::move(buffer));
    const py::ssize_t size = owner->size();
    T* data = owner->data();
    py::capsule capsule(owner.get(), [](void* p) { delete static_cast<Buffer<T>*>(p); });
    owner.release();
    return py::array_t<T>(size, data, capsule);
}

// Returns a read-only view of an array that `owner` keeps alive.
template <typename T>
py::array_t<T> view_of(const Buffer<T>& buffer, py::handle owner) {
    py::array_t<T> view(buffer.size(), buffer.data(), owner);
    view.attr("setflags")(py::arg("write") = false);
    return view;
}

}  // namespace trimatte::bindings
