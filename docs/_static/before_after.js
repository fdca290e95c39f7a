// The picture after lies over the one before, cut off at the place of the slider.
document.addEventListener("DOMContentLoaded", () => {
  for (const figure of document.querySelectorAll(".before-after")) {
    const slider = figure.querySelector("input");
    const move = () => figure.style.setProperty("--place", `${slider.value}%`);
    slider.addEventListener("input", move);
    move();
  }
});
