document.addEventListener("DOMContentLoaded", () => {
  // The picture after lies over the one before, cut off at the place of the slider.
  for (const figure of document.querySelectorAll(".before-after")) {
    const slider = figure.querySelector("input");
    const move = () => figure.style.setProperty("--place", `${slider.value}%`);
    slider.addEventListener("input", move);
    move();
  }
  // The keyboard reaches code and tables that are wider than their place, so that its arrows scroll them.
  for (const wide of document.querySelectorAll("pre, .table-wrapper, div.math")) {
    if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0;
  }
  // Captions of the side bar are headings without a level, lists of references have roles that are no
  // longer in use, pictures of the gallery are links without a text.
  for (const caption of document.querySelectorAll("p.caption[role=heading]")) caption.ariaLevel = "2";
  for (const part of document.querySelectorAll(".citation-list, .citation")) part.removeAttribute("role");
  for (const card of document.querySelectorAll(".sphx-glr-thumbcontainer")) {
    card.querySelector("a").ariaLabel = card.querySelector(".sphx-glr-thumbnail-title").textContent;
  }
});
