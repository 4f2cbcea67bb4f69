// Images on canvases, a pixel for a pixel; the style sheet enlarges them.
function paint(canvas, image, left = 0, top = 0) {
  const data = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) data.data[4 * i + c] = 255 * image[(channels === 3 ? c * width * height : 0) + i] + .5;
    data.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(data, left, top);
}

function picture(label) {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height, className: "pixels" });
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", label);
  return canvas;
}

// A button with an image, which `act` answers.
function pictureButton(label, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "thumb";
  button.append(picture(label));
  button.addEventListener("click", act);
  return button;
}

// One of several named things, as radio buttons in a row.
function choose(group, names, chosen, act) {
  names.forEach((name, i) => {
    const label = document.createElement("label"), input = document.createElement("input");
    Object.assign(input, { type: "radio", name: group.id, checked: i === chosen });
    input.addEventListener("change", () => act(i));
    label.append(input, name);
    group.append(label);
  });
  return at => { group.querySelectorAll("input")[at].checked = true; };
}
