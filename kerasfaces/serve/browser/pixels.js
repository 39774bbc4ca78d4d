// A decoded picture -> the bytes that the network was trained on: Pillow's resize, in
// integers of 22 bits as Pillow computes it, and the squares of kerasfaces/images/crops.py.
// Pictures are {width, height, data}, data RGB, one byte each.

const PRECISION = 22;

const FILTERS = {
  bilinear: [1, (x) => Math.max(0, 1 - Math.abs(x))],
  bicubic: [2, (x) => cubic(Math.abs(x), -0.5)],
  lanczos: [3, (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0)],
};

function cubic(x, a) {
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

function sinc(x) {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

// For every output position, where its weights begin, and the weights.
function weightsOf(length, start, end, target, [support, filter]) {
  const scale = (end - start) / target;
  const stretch = Math.max(scale, 1);
  const reach = support * stretch;
  const all = [];
  for (let at = 0; at < target; at++) {
    const centre = start + (at + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - reach + 0.5));
    const last = Math.min(length, Math.trunc(centre + reach + 0.5));
    const weights = [];
    let total = 0;
    for (let x = first; x < last; x++) {
      weights.push(filter((x - centre + 0.5) * (1 / stretch)));
      total += weights[weights.length - 1];
    }
    all.push([first, weights.map((weight) => toInteger(total ? weight / total : weight))]);
  }
  return all;
}

function toInteger(weight) {
  return Math.trunc(weight * 2 ** PRECISION + (weight < 0 ? -0.5 : 0.5));
}

function toByte(sum) {
  return Math.min(255, Math.max(0, sum >> PRECISION));
}

function alongRows({ width, height, data }, target, weights) {
  const out = new Uint8Array(target * height * 3);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < target; x++) {
      const [first, row] = weights[x];
      for (let colour = 0; colour < 3; colour++) {
        let sum = 2 ** (PRECISION - 1);
        let at = (y * width + first) * 3 + colour;
        for (let k = 0; k < row.length; k++, at += 3) sum += data[at] * row[k];
        out[(y * target + x) * 3 + colour] = toByte(sum);
      }
    }
  }
  return { width: target, height, data: out };
}

function alongColumns({ width, data }, target, weights) {
  const out = new Uint8Array(width * target * 3);
  const line = width * 3;
  for (let y = 0; y < target; y++) {
    const [first, column] = weights[y];
    for (let x = 0; x < line; x++) {
      let sum = 2 ** (PRECISION - 1);
      let at = first * line + x;
      for (let k = 0; k < column.length; k++, at += line) sum += data[at] * column[k];
      out[y * line + x] = toByte(sum);
    }
  }
  return { width, height: target, data: out };
}

function nearest({ width, height, data }, [left, top, right, bottom], size) {
  const places = (start, end, limit) => {
    const step = (end - start) / size;
    const positions = [];
    for (let i = 0, at = start + step * 0.5; i < size; i++, at += step) {
      positions.push(Math.min(limit - 1, Math.trunc(at)));
    }
    return positions;
  };
  const columns = places(left, right, width);
  const rows = places(top, bottom, height);
  const out = new Uint8Array(size * size * 3);
  rows.forEach((row, y) =>
    columns.forEach((column, x) => {
      const from = (row * width + column) * 3;
      out.set(data.subarray(from, from + 3), (y * size + x) * 3);
    })
  );
  return { width: size, height: size, data: out };
}

// From Pillow 13 on (github.com/python-pillow/Pillow/pull/9549) the columns come first where
// the height shrinks much more than the width; each pass rounds, so that the order shows.
function columnsFirst(width, height, size, pillow) {
  return parseInt(pillow) >= 13 && height - size > 2 * Math.max(0, width - size);
}

function resize(picture, box, size, name, pillow) {
  const { width, height } = picture;
  const [left, top, right, bottom] = box;
  const rows = (from) =>
    width === size && left === 0 && right === width
      ? from
      : alongRows(from, size, weightsOf(width, left, right, size, FILTERS[name]));
  const columns = (from) =>
    height === size && top === 0 && bottom === height
      ? from
      : alongColumns(from, size, weightsOf(height, top, bottom, size, FILTERS[name]));
  if (name === "nearest") return nearest(picture, box, size);
  return columnsFirst(width, height, size, pillow)
    ? rows(columns(picture))
    : columns(rows(picture));
}

// Share of the free height and width before each square; see crops.py.
const PLACES = [
  [0.5, 0.5], [0, 0], [1, 1], [0, 1], [1, 0], [0, 0.5], [1, 0.5], [0.5, 0], [0.5, 1],
];

function mirrored(at, length) {
  const inside = ((at % (2 * length)) + 2 * length) % (2 * length);
  return inside < length ? inside : 2 * length - 1 - inside;
}

function squares({ width, height, data }, size, count) {
  const missing = [Math.max(0, size - height), Math.max(0, size - width)];
  const free = [height + missing[0] - size, width + missing[1] - size];
  const out = new Uint8Array(count * size * size * 3);
  for (let number = 0; number < count; number++) {
    const [top, left] = PLACES[number].map(
      (share, axis) => Math.trunc(share * free[axis]) - Math.trunc(missing[axis] / 2)
    );
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const from = mirrored(top + y, height) * width + mirrored(left + x, width);
        const to = (number * size + y) * size + x;
        out.set(data.subarray(from * 3, from * 3 + 3), to * 3);
      }
    }
  }
  return { width: size, height: count * size, data: out };
}

// What `images.to_array` returns for an input_spec's `input` under a version of Pillow.
function prepare(picture, spec, pillow) {
  if (spec.crops) return squares(picture, spec.size_px, spec.crops);
  const { width, height } = picture;
  let box = [0, 0, width, height];
  if (spec.crop === "square") {
    const side = Math.min(width, height);
    const left = Math.floor((width - side) / 2);
    const top = Math.floor((height - side) / 2);
    box = [left, top, left + side, top + side];
  }
  return resize(picture, box, spec.size_px, spec.filter, pillow);
}
