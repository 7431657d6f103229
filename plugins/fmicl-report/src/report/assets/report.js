// Values on hover, legends that hide series, and maps. All text is set as text, never as HTML.
(() => {
  "use strict";
  const data = JSON.parse(document.getElementById("data").textContent);
  const tip = document.getElementById("tip");
  const make = (tag, text, name) => {
    const node = document.createElement(tag);
    if (text !== undefined) node.textContent = text;
    if (name) node.className = name;
    return node;
  };
  const shown = (value) => {
    const text = String(value);
    return (text.length <= 9 ? text : Number(value.toPrecision(6)).toString()).replace("-", "\u2212");
  };
  const hide = () => { tip.hidden = true; };
  const show = (content, x, y) => {
    tip.replaceChildren(...content);
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const left = x + 16 + box.width < innerWidth ? x + 16 : x - 16 - box.width;
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${Math.max(4, Math.min(y + 14, innerHeight - box.height - 4))}px`;
  };
  // The place of the value nearest to another one in a list in ascending order.
  const nearest = (list, value) => {
    let [low, high] = [0, list.length - 1];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (list[middle] < value) low = middle; else high = middle;
    }
    return Math.abs(list[low] - value) <= Math.abs(list[high] - value) ? low : high;
  };
  addEventListener("scroll", hide, { passive: true });

  // Charts.
  const hidden = new Set();
  const charts = [...document.querySelectorAll("[data-chart]")].map((figure) => {
    const chart = data.charts[Number(figure.dataset.chart)];
    const svg = figure.querySelector("svg[role=img]");
    const cursor = svg.querySelector(".cursor");
    const own = figure.querySelector(".legend") ? new Set() : hidden;
    const [x0, x1, y0, y1] = chart.axes;
    const [left, right, top, bottom] = chart.box;
    const place = (x) => left + (x1 > x0 ? (x - x0) / (x1 - x0) : 0) * (right - left);
    const lines = () => chart.lines.filter((line) => line.x.length && !own.has(line.colour));
    let at = null;
    const point = (x, seen) => {
      const all = lines();
      if (!all.length) return;
      const xs = all.map((line) => line.x[nearest(line.x, x)]);
      at = xs.reduce((best, own) => (Math.abs(own - x) < Math.abs(best - x) ? own : best));
      const box = svg.getBoundingClientRect();
      const scale = box.width / svg.viewBox.baseVal.width;
      const table = make("table");
      for (const line of all.slice(0, 16)) {
        const index = nearest(line.x, at);
        const row = table.insertRow();
        const name = row.insertCell();
        name.append(make("span", undefined, `dot c${line.colour % 8}`), make("bdi", line.name));
        const off = line.x[index] === at ? "" : ` (at ${shown(line.x[index])})`;
        row.insertCell().textContent = shown(line.y[index]) + off;
      }
      const px = place(at);
      for (const [key, value] of [["x1", px], ["x2", px], ["y1", top], ["y2", bottom]]) cursor.setAttribute(key, value);
      cursor.classList.add("on");
      const more = all.length > 16 ? [make("div", `and ${all.length - 16} more`)] : [];
      show([make("div", `${chart.x} ${shown(at)}`), table, ...more], seen ? seen.x : box.left + px * scale, seen ? seen.y : box.top + top * scale);
    };
    const leave = () => { cursor.classList.remove("on"); hide(); };
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const px = (event.clientX - box.left) / box.width * svg.viewBox.baseVal.width;
      point(x0 + (px - left) / (right - left) * (x1 - x0), { x: event.clientX, y: event.clientY });
    });
    svg.addEventListener("pointerleave", leave);
    figure.addEventListener("blur", leave);
    figure.addEventListener("keydown", (event) => {
      const turn = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.target !== figure) return;
      if (event.key === "Escape") leave();
      const all = lines();
      if (!turn || !all.length) return;
      event.preventDefault();
      const xs = [...new Set(all.flatMap((line) => line.x))].sort((a, b) => a - b);
      const index = at === null ? (turn > 0 ? 0 : xs.length - 1) : nearest(xs, at) + turn;
      point(xs[Math.max(0, Math.min(xs.length - 1, index))]);
    });
    return { figure, own };
  });
  const toggle = (button, scope, set) => {
    const colour = Number(button.dataset.toggle);
    const off = !set.has(colour);
    if (off) set.add(colour); else set.delete(colour);
    button.setAttribute("aria-pressed", String(!off));
    for (const series of scope.querySelectorAll(`[data-series="${colour}"]`)) series.classList.toggle("off", off);
  };
  for (const button of document.querySelectorAll("[data-toggle]")) {
    const chart = charts.find((it) => it.figure.contains(button));
    const scope = chart ? chart.figure : button.closest("section");
    button.addEventListener("click", () => toggle(button, scope, chart ? chart.own : hidden));
  }

  // Maps.
  const colours = () => {
    const style = getComputedStyle(document.documentElement);
    return Array.from({ length: 10 }, (_, index) => style.getPropertyValue(`--c${index}`).trim());
  };
  // A form beside the colour tells classes apart.
  const form = (context, kind, x, y, r) => {
    context.beginPath();
    if (kind === 1) context.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8);
    else if (kind === 2) { context.moveTo(x, y - r * 1.2); context.lineTo(x + r * 1.1, y + r * 0.8); context.lineTo(x - r * 1.1, y + r * 0.8); context.closePath(); }
    else if (kind === 3) { context.moveTo(x, y - r * 1.3); context.lineTo(x + r * 1.3, y); context.lineTo(x, y + r * 1.3); context.lineTo(x - r * 1.3, y); context.closePath(); }
    else context.arc(x, y, r, 0, 7);
    context.fill();
  };
  const kind = (label) => (label + Math.floor(label / 10)) % 4;
  const maps = [...document.querySelectorAll("[data-map]")].map((figure) => {
    const map = data.maps[Number(figure.dataset.map)];
    const canvas = figure.querySelector("canvas");
    const context = canvas.getContext("2d");
    let layout = map.layouts.length - 1;
    let only = null;
    const radius = map.count > 10000 ? 1.4 : map.count > 3000 ? 2 : 3.4;
    const places = () => {
      const { x, y } = map.layouts[layout];
      const [width, height, edge] = [canvas.clientWidth, canvas.clientHeight, 14];
      return (index) => [edge + x[index] / 4095 * (width - 2 * edge), edge + (1 - y[index] / 4095) * (height - 2 * edge)];
    };
    const draw = () => {
      const ratio = devicePixelRatio || 1;
      canvas.width = Math.round(canvas.clientWidth * ratio);
      canvas.height = Math.round(canvas.clientHeight * ratio);
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
      const [place, all] = [places(), colours()];
      for (const front of only === null ? [true] : [false, true]) {
        context.globalAlpha = front ? 0.8 : 0.1;
        for (let index = 0; index < map.layouts[layout].x.length; index++) {
          const label = map.labels.length ? map.labels[index] : 0;
          if (only !== null && (label === only) !== front) continue;
          context.fillStyle = all[label % 10];
          form(context, kind(label), ...place(index), radius);
        }
      }
      context.globalAlpha = 1;
    };
    const over = (event) => {
      const box = canvas.getBoundingClientRect();
      const [px, py] = [event.clientX - box.left, event.clientY - box.top];
      const place = places();
      let [best, least] = [-1, 400];
      for (let index = 0; index < map.layouts[layout].x.length; index++) {
        if (only !== null && map.labels[index] !== only) continue;
        const [x, y] = place(index);
        const distance = (x - px) ** 2 + (y - py) ** 2;
        if (distance < least) [best, least] = [index, distance];
      }
      if (best < 0) return hide();
      const content = [];
      const tile = map.sprite && best < map.sprite.count ? map.sprite : null;
      if (tile) {
        const [columns, zoom] = [tile.columns, 96 / tile.side];
        const thumb = make("div", undefined, "thumb");
        thumb.style.cssText = `width:96px;height:96px;background-size:${columns * 96}px auto;background-position:${-(best % columns) * 96}px ${-Math.floor(best / columns) * zoom * tile.side}px`;
        thumb.style.backgroundImage = `url("${document.getElementById(tile.id).src}")`;
        content.push(thumb);
      }
      if (map.labels.length) {
        const line = make("div");
        line.append(make("bdi", map.classes[map.labels[best]] ?? `class ${map.labels[best]}`));
        content.push(line);
      }
      if (map.texts.length) content.push(make("bdi", map.texts[best]));
      content.push(make("div", `sample ${map.samples[best]}`, "none"));
      show(content, event.clientX, event.clientY);
    };
    canvas.addEventListener("pointermove", over);
    canvas.addEventListener("pointerleave", hide);
    for (const button of figure.querySelectorAll("[data-layout]")) {
      button.addEventListener("click", () => {
        layout = Number(button.dataset.layout);
        for (const other of figure.querySelectorAll("[data-layout]")) other.setAttribute("aria-pressed", String(other === button));
        draw();
      });
    }
    for (const button of figure.querySelectorAll("[data-class]")) {
      const label = Number(button.dataset.class);
      button.addEventListener("click", () => {
        only = only === label ? null : label;
        for (const other of figure.querySelectorAll("[data-class]")) other.setAttribute("aria-pressed", String(only === null || Number(other.dataset.class) === only));
        draw();
      });
      const mark = button.querySelector("canvas");
      const paint = () => {
        const pen = mark.getContext("2d");
        pen.clearRect(0, 0, 28, 28);
        pen.fillStyle = colours()[label % 10];
        form(pen, kind(label), 14, 14, 9);
      };
      paint();
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
    }
    new ResizeObserver(draw).observe(canvas);
    return draw;
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => maps.forEach((draw) => draw()));

  // The section that is read, in the list of them.
  const links = new Map([...document.querySelectorAll(".toc a")].map((link) => [link.hash.slice(1), link]));
  const mark = () => {
    const tops = [...links.keys()].map((id) => [id, document.getElementById(id).getBoundingClientRect().top]);
    const here = tops.filter(([, top]) => top < innerHeight * 0.3).pop() ?? tops[0];
    for (const [id, link] of links) {
      link.classList.toggle("here", !!here && id === here[0]);
      if (here && id === here[0]) link.setAttribute("aria-current", "location"); else link.removeAttribute("aria-current");
    }
  };
  addEventListener("scroll", mark, { passive: true });
  mark();
})();
