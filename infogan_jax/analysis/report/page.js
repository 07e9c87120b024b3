"use strict";
// Moves the images under each slider, and the line over the curves.
for (const strip of document.querySelectorAll("figure.strip")) {
  const values = JSON.parse(strip.dataset.values);
  const share = Number(strip.dataset.share);
  const [input, output, image] = ["input", "output", "img"].map((tag) =>
    strip.querySelector(tag),
  );
  const show = () => {
    image.style.transform = `translateY(${-100 * share * input.value}%)`;
    output.textContent = values[input.value];
  };
  strip.classList.add("moving");
  input.addEventListener("input", show);
  show();
}
for (const section of document.querySelectorAll("section.curves")) {
  const steps = JSON.parse(section.dataset.steps);
  const input = section.querySelector("input");
  const show = (place) => {
    input.value = place;
    section.querySelector("output").textContent = steps[place];
    const x = (1000 * steps[place]) / Math.max(steps[steps.length - 1], 1);
    for (const line of section.querySelectorAll(".cursor"))
      line.setAttribute("d", `M${x} 0V1000`);
    for (const row of section.querySelectorAll("tr")) {
      const value = JSON.parse(row.dataset.values)[place];
      row.lastChild.textContent = value === null ? "" : value.toPrecision(4);
    }
  };
  input.addEventListener("input", () => show(Number(input.value)));
  for (const plot of section.querySelectorAll("svg"))
    plot.addEventListener("pointermove", (event) => {
      const box = plot.getBoundingClientRect();
      const step = ((event.clientX - box.left) / box.width) * steps[steps.length - 1];
      const away = steps.map((each) => Math.abs(each - step));
      show(away.indexOf(Math.min(...away)));
    });
  show(steps.length - 1);
}
